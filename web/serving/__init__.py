"""How `footnote serve` runs: in this process, or in several that uvicorn keeps alive.

listening    the socket, and how many processes accept connections on it
application  what each of these needs to build the application it serves
workers      starts, watches, replaces and ends several of them
supervised   what each of several does beside serving
draining     ends open streams when the server is told to stop
"""
