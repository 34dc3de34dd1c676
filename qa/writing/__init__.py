"""Writing: statements that rest on quotations, verified, numbered and put together as one text.

statements   Statement and Quote
excerpts     the contiguous part of a passage that answers
extractive   the first Writer: its statements are excerpts
closest      what is shown where nothing is asserted, and other sections
verifying    the first Verifier: a statement must be its quotation, word for word
citing       marks, citations, and the check that they hold
"""
