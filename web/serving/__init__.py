"""How does `footnote serve` run: in this process, or in several that a supervisor keeps alive?

listening   the sockets on the port
supervisor  starts, watches, replaces and stops the processes; nothing but the standard library
place       what it tells each of them
service     everything behind one socket, put together
server      the HTTP server, which tells open streams when it is told to stop
"""
