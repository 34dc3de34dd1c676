"""What a supervisor tells each of the serving processes, in an environment variable: the command line is its own."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

_VARIABLE = "_FOOTNOTE_PLACE"
_METRICS = "metrics"


@dataclass(frozen=True, slots=True)
class WorkerSlot:
    """One process's place among those that serve.

    `listener`, `beats`: file descriptors, of its socket and of the pipe in which it says that it lives. `folder`: of
    what all of them share. `of`: how many they are. `announces`: whether it is the one that tells where they are.
    """

    listener: int
    beats: int
    folder: str
    of: int
    announces: bool

    @classmethod
    def given(cls) -> WorkerSlot | None:
        """The place of this process; None if it serves alone."""
        told = os.environ.get(_VARIABLE)
        return cls(**json.loads(told)) if told else None

    @property
    def metrics(self) -> Path:
        """Folder in which prometheus_client keeps the figures of every process."""
        return Path(self.folder, _METRICS)

    def environment(self) -> dict[str, str]:
        """What the process must find in its environment."""
        return {_VARIABLE: json.dumps(asdict(self)), "PROMETHEUS_MULTIPROC_DIR": str(self.metrics)}
