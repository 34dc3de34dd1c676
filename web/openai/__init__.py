"""The knowledge base as a model, for clients of OpenAI's API.

routes       /v1/models and /v1/chat/completions
dialogue     messages to a question with its history
completions  the requests that are understood, and the answers
tokens       counts tokens
"""
