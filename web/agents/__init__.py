"""How do agents reach the knowledge base? Through the Model Context Protocol, over HTTP and over stdio.

tools      what agents can do here; knows nothing of the protocol
server     the tools as the official library serves them
mounting   the server at /mcp
stdio      the server over standard input and output; its conversations live as long as it does
commands   `footnote mcp`
"""
