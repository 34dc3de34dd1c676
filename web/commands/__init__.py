"""The commands that need more than one package.

serve      answer over HTTP
keys       make, list and revoke API keys
mcp        serve an agent over standard input and output
evaluate   score retrieval and abstention on a judged set
doctor     check the installation, the model and the index
"""
