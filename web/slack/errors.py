"""Errors between Footnote and Slack.

SlackError
├── NotFromSlack   a request that this app's signing secret did not sign just now
├── NotSlack       an address to answer at that is not Slack's
├── Undelivered    Slack did not take a message
├── Declined       what was asked for cannot be had; its message is for the asker
└── Unconfigured   the settings for Slack do not fit together
"""

from web.errors import WebError


class SlackError(WebError):
    """Base of the errors that have to do with Slack. No message holds a secret or what was asked."""


class NotFromSlack(SlackError):
    pass


class NotSlack(SlackError):
    pass


class Undelivered(SlackError):
    pass


class Declined(SlackError):
    pass


class Unconfigured(SlackError):
    pass
