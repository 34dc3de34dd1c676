"""How do people and programs reach the answers?

app        the HTTP application
routes/    ask, articles, health, pages
schemas    JSON shapes; problems: errors as problem+json
rendering  article and answer Markdown → safe HTML
services   what the routes work with
settings   the environment, read once
cli        the `footnote` command: the one place that knows all four packages
"""
