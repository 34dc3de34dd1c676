"""Serves agents by the Model Context Protocol, over HTTP and over stdio.

schemas    the arguments and results of the tools
tools      what agents can do; independent of the protocol
server     the tools as the official library serves them
mounting   the server at /mcp
stdio      the server over standard input and output, with conversations in memory
"""
