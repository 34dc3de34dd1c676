"""Serves the answers over HTTP: to people, programs, agents, chat clients and Slack.

cli           the `footnote` command; commands/ has those that need more than one package
composition   puts everything together from the settings, and serves it
settings      the environment, read once
services      what the routes work with
app           the application: routes and middleware around the services
routing/      what each route declares of itself, known before a request is routed
access/       who is let in, as whom, and how often
admission     how many requests work at once, wait, or are refused
middleware/   what every request passes on the way to its route
api/          JSON for programs, and the OpenAPI document
pages/        HTML for people
rendering/    articles and answers as HTML and Markdown
templating    what all pages share; their templates are in templates/, what browsers load in static/
openai/       the knowledge base as a model for clients of OpenAI's API
agents/       tools for agents: the Model Context Protocol over HTTP and stdio
slack/        commands, mentions and buttons of a Slack workspace
observing/    what is kept of a request once it is over: logs, metrics, traces
serving/      one serving process or several, and how they stop
shared_state  what several processes have in common
errors        what this package raises
"""
