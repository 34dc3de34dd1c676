"""The settings of the server, on top of those of the index. A bad value is refused at start with its name."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Literal, TypeAlias

from pydantic import Field, SecretStr, ValidationInfo, field_validator

from indexes.settings import IndexSettings

_ONE_RATE = r"[1-9]\d*/(second|minute|hour|day)"
_RATE = rf"^({_ONE_RATE}( {_ONE_RATE})*)?$"
_HEADER = r"^([A-Za-z0-9-]+)?$"

MOST_WORKERS = 64

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
LogFormat: TypeAlias = Literal["text", "json"]
LogLevel: TypeAlias = Literal["debug", "info", "warning", "error"]


def networks(text: str) -> tuple[Network, ...]:
    """Addresses and networks separated by spaces or commas. Raises ValueError."""
    return tuple(ipaddress.ip_network(part) for part in text.replace(",", " ").split())


class Settings(IndexSettings):
    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8000, ge=0, le=65535, description="port to listen on; 0 takes a free one")
    workers: int = Field(0, ge=0, le=MOST_WORKERS, description="processes that serve; 0: one a core, at most two")
    public_url: str = Field(
        "", pattern=r"^(https?://\S+)?$", description="address of this site in links; empty: relative"
    )
    journal: Path = Field(Path("var/journal.sqlite"), description="file of conversations")
    keys: Path = Field(Path("var/keys.sqlite"), description="file of API keys")
    allow_anonymous: bool = Field(False, description="whether anybody may ask and read without a key")
    trusted_proxies: str = Field(
        "", description="addresses and networks of proxies that may say whom they speak for, separated by spaces"
    )
    proxy_user_header: str = Field("", pattern=_HEADER, description="header in which a trusted proxy names the user")
    proxy_groups_header: str = Field("", pattern=_HEADER, description="the same for the user's groups, by commas")
    rate_ask: str = Field(
        "20/second 120/minute", pattern=_RATE, description="questions a key, user or address; empty: any"
    )
    rate_read: str = Field("60/second 1200/minute", pattern=_RATE, description="other requests; empty: any")
    rate_failure: str = Field("30/minute", pattern=_RATE, description="wrong keys an address; empty: any")
    retention_days: int = Field(90, ge=1, description="days after which questions and answers are deleted")
    capacity: int = Field(64, ge=1, description="requests worked on or waiting at once; more get 503")
    widget_origins: str = Field(
        "",
        pattern=r"^(https?://[^\s/]+(\s+https?://[^\s/]+)*)?$",
        description="origins of sites that may embed /widget.js, separated by spaces; empty: none",
    )
    slack_signing_secret: SecretStr = Field(SecretStr(""), description="signing secret of the Slack app")
    slack_bot_token: SecretStr = Field(SecretStr(""), description="bot token of the Slack app, xoxb-…")
    slack_team: str = Field(
        "",
        pattern=r"^([TE][A-Z0-9]+)?$",
        description="id of the one workspace that may ask; empty: every one with the app",
    )
    slack_groups: str = Field(
        "", description="groups whose articles Slack may show, separated by spaces; empty: articles for everyone alone"
    )
    slack_proxy: str = Field(
        "", pattern=r"^(https?://\S+)?$", description="proxy through which Slack is reached; empty: none"
    )
    max_body: int = Field(262_144, ge=1024, description="largest request body, bytes")
    otlp_endpoint: str = Field(
        "", pattern=r"^(https?://\S+)?$", description="OpenTelemetry collector to send traces to; empty: none"
    )
    log_format: LogFormat = Field("text", description="of the log: text, or json for one object a line")
    log_level: LogLevel = Field("info", description="least important lines of the log: debug, info, warning or error")

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, text: str) -> str:
        networks(text)
        return text

    @field_validator("proxy_user_header")
    @classmethod
    def _is_sent_by_proxies(cls, name: str, info: ValidationInfo) -> str:
        if name and not info.data.get("trusted_proxies"):
            raise ValueError("anybody could send this header: set FOOTNOTE_TRUSTED_PROXIES too")
        return name

    @field_validator("proxy_groups_header")
    @classmethod
    def _belongs_to_a_user(cls, name: str, info: ValidationInfo) -> str:
        if name and not info.data.get("proxy_user_header"):
            raise ValueError("groups are a user's: set FOOTNOTE_PROXY_USER_HEADER too")
        return name
