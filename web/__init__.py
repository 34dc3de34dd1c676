"""HTTP for people and programs, and the `footnote` command.

app            the application: middleware and routes
composition    everything the application works with, put together from the settings
services       what the routes get
settings       the environment, read once
cli            the `footnote` command: the modules of each command
commands/      serve, mcp, keys, evaluate, doctor
serving/       one process or several
routing/       the facts that each route declares about itself
middleware/    what every request passes
access/        keys, sessions, proxies, forged requests, limits
pages/         pages for people
rendering/     Markdown to safe HTML, footnotes, the cited passage
templating     the templates that pages share
api/           JSON for programs
openai/        the knowledge base as a model, for clients of OpenAI's API
agents/        tools of the Model Context Protocol
slack/         Slack
observing/     logs, metrics, traces
admission      how many requests are worked on, and which wait or are refused
shared_state   what all serving processes share
errors         what `web` raises
"""
