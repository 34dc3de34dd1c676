"""The settings of the server, on top of those of the index. A bad value is refused at start with its name."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from indexes.settings import IndexSettings


class Settings(IndexSettings):
    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8000, ge=0, le=65535, description="port to listen on; 0 takes a free one")
    public_url: str = Field(
        "", pattern=r"^(https?://\S+)?$", description="address of this site in links; empty: relative"
    )
    journal: Path = Field(Path("var/journal.sqlite"), description="file of conversations")
    keys: Path = Field(Path("var/keys.sqlite"), description="file of API keys")
    retention_days: int = Field(90, ge=1, description="days after which questions and answers are deleted")
    capacity: int = Field(64, ge=1, description="requests worked on or waiting at once; more get 503")
    widget_origins: str = Field(
        "",
        pattern=r"^(https?://[^\s/]+(\s+https?://[^\s/]+)*)?$",
        description="origins of sites that may embed /widget.js, separated by spaces; empty: none",
    )
    max_body: int = Field(262_144, ge=1024, description="largest request body, bytes")
