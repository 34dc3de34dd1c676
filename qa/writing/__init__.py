"""Writing: statements that rest on quotations, verified, numbered and put together as one text.

statements   Statement and Quote
extractive   the first Writer: its statements are quotations
verifying    the first Verifier: a statement must be its quotation, word for word
citing       marks, citations, and the check that they hold
"""
