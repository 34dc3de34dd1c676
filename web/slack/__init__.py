"""How is Footnote asked in Slack?

Slack sends commands, events and presses of buttons (`web/slack/routes.py`), each signed (`signing.py`). Every request
is acknowledged at once; what it asks for is done by a few workers (`worker.py`) and sent afterwards (`sending.py`), as
blocks of Slack's own markup (`messages.py`, `paragraphs.py`, `inline.py`, `mrkdwn.py`).
"""
