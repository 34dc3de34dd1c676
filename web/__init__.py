"""How do people and programs reach the answers?

app           the HTTP application
routes/       for programs: ask, articles, health; for people: chat, browse, article
schemas       JSON shapes
problems      every error: problem+json for programs, a page for people
contract      what the OpenAPI document says of every route's errors
recording     what is kept of a request once it is over: its id, its route, how it ended
logs          a line for each, and what a log must never say
metrics       figures for Prometheus; tracing sends spans to OpenTelemetry
completions   the shapes of the OpenAI-compatible API; dialogue reads its messages, openai_errors tells its errors
linking       an answer's marks as links with full addresses
tokens        counted for clients that want to know
pages         what all pages share: templates, dates, the page of an error
rendering     an article's Markdown → the body of its page
turns         what a page shows of one answer
elements      a piece of a page as data, for the browser to build
exporting     a conversation as Markdown
answers       an answer's segments → HTML with footnotes
highlighting  the marks around the cited passage
markdown      how Markdown is read, and how its blocks look
sanitising    the tags, attributes and addresses that may reach a page
draining      what ends open streams when the server stops
serving       the server that begins it
services      what the routes work with
access        what a route needs of whoever asks
gate          what every request passes first: who sends it, whether another site forged it, how often (rates)
policy        who is let in, and as whom: by a key, a session, a proxy (proxies), or for sitting at the machine
agents/       tools for agents: the Model Context Protocol over HTTP and stdio
keys          API keys and sessions; key_commands makes, lists and revokes keys
settings      the environment, read once
cli           the `footnote` command: the one place that knows all four packages
"""
