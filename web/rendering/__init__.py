"""Markdown to safe HTML, with footnotes, the cited passage and the words that answer.

markdown      how Markdown is parsed, and how its blocks look
articles      an article's Markdown to the body of its page
answers       an answer's excerpts to HTML, each under its place and footnoted
quotations    a quotation as Markdown that stands alone, with the words that answer
answer_view   what a page shows of one answer
highlighting  marks the cited passage, or the words that answer
source_map    where the text of a token stands in its source
code_blocks   colours code
sanitising    the tags, attributes and addresses that may reach a page
element_tree  HTML as data, for the browser to build
marks         an answer's marks as links with full addresses
"""
