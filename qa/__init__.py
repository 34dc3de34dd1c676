"""How does a question become a cited answer, or an honest refusal?

answering    the whole road, top to bottom
rewriting    follow-up + history → standalone question
retrieving   keyword + vector rankings, fused → passages
evidence     is there enough to answer?
writing      which sentences and blocks answer (extractive)
citing       marks, citations, and the check that they hold
related      related articles
conversing   questions in a conversation; journal keeps them
evaluation   the same road over a set of judged questions; metrics scores it
"""
