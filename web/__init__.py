"""How do people and programs reach the answers?

app           the HTTP application
routes/       for programs: ask, articles, health; for people: chat, browse, article
access/       who is let in, as whom, and how often: keys, sessions, proxies, forged requests, limits
openai/       the knowledge base as a model for clients of OpenAI's API
agents/       tools for agents: the Model Context Protocol over HTTP and stdio
slack/        commands, mentions and buttons of a Slack workspace
observing/    what is kept of a request once it is over: logs, metrics, traces
schemas       JSON shapes
problems      every error: problem+json for programs, a page for people
contract      what the OpenAPI document says of every route's errors
admission     how many requests are worked on at once, how many wait, and which are refused
linking       an answer's marks as links with full addresses
head          HEAD wherever there is GET
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
serving/      one serving process, or several that uvicorn keeps alive
shared        what these have in common
services      what the routes work with
settings      the environment, read once
cli           the `footnote` command: the one place that knows all four packages
"""
