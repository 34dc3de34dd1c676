"""What the journal tells the keepers of the knowledge base.

usage              what the insights page shows, put together
figures            the figures of a period: questions, answers, times
article_usage      which articles answers rest on, and which are out of date
similar_articles   pairs of articles that overlap
content_gaps       unanswered questions, grouped by meaning
ranking_inspector  the ranks of one question's passages by keywords, by vectors and together
"""
