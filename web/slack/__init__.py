"""Footnote in Slack.

Slack sends commands, events and button presses (`routes.py`), each signed (`signing.py`). Every request is acknowledged
at once; a few workers (`worker.py`) do the job and send the result (`sending.py`) as blocks of Slack's own markup
(`answer_messages.py`, `messages.py`, `paragraphs.py`, `inline.py`, `mrkdwn.py`).
"""
