"""Whole pages for people, which work without JavaScript.

chat                   questions and answers, conversations, permalinks
browse                 the listing of articles
article                one article, with the cited passage marked
insights               what is asked, answered and missing, for those who keep the knowledge base
charts                 the charts of the insights, as SVG
sign_in                signing in with a key, and out again
docs                   the reference of the HTTP API
api_reference          the OpenAPI document as that page shows it
llms_txt               the articles for machine readers
conversation_markdown  a conversation as Markdown
"""
