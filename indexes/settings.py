"""The one place the environment is read. `web` extends these settings with those of the server."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from indexes.models.finding import Precision


class IndexSettings(BaseSettings):
    """Where the index lives and which model embeds it. Each field is read from `FOOTNOTE_<NAME>`."""

    model_config = SettingsConfigDict(env_prefix="FOOTNOTE_", extra="ignore")

    index: Path = Field(Path("var/index"), description="folder of the published snapshots")
    models: Path = Field(Path("var/models"), description="folder of the exported embedding models")
    model: str = Field(
        "all-MiniLM-L6-v2",
        description="the bundled model, a folder, or a model name in the local Hugging Face cache",
    )
    precision: Precision = Field("int8", description="of the exported model: int8 or fp32")
    adapter: str = Field("bundled", description="small changes to the model's weights: bundled, none, or an .npz file")
    keep: int = Field(3, ge=1, description="snapshots kept for rollback")
    chunk_tokens: int = Field(185, ge=32, le=2000, description="token budget of a chunk, context line included")

    def at(self, index: Path) -> Self:
        """The same settings for another index."""
        return self.model_copy(update={"index": index})
