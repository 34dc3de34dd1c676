"""JSON for programs, under /api/v1, and health.

ask              POST /ask, as a whole or as a stream; GET /search
articles         the listing, one article, related articles, tags
conversations    conversations and feedback
health           liveness, readiness, status, metrics
schemas          the JSON of questions and answers, and of lists
article_schemas  the JSON of articles
cursors          where the next page of a list begins
openapi_errors   the errors that all routes share, in the OpenAPI document
"""
