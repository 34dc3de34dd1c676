"""How does a question become a cited answer, or an honest refusal?

answering    the whole road, top to bottom
rewriting    follow-up + history → standalone question
retrieving   keyword + vector rankings, fused → passages
evidence     is there enough to answer?
parts        the parts of a question that asks several things
missing      what an answer leaves open
writing      which sentences and blocks answer (extractive)
citing       marks, citations, and the check that they hold
related      related articles
conversing   questions in a conversation; journal keeps them, migrations keep its file up to date
kept         the form in which an answer is kept, and the way back
courtesy     a word for greetings and thanks
timing       milliseconds by stage; observing: who is told of them
patience     questions take turns; a slow model is given up on
views        who has read what, once a day
catalogue    the listing, searched
insights     what was asked and not answered; gaps groups it, inspecting looks under one question
evaluation   the same road over a set of judged questions; metrics scores it
"""
