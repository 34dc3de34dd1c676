"""The learned weights: small networks with one hidden layer, read from a file, run in NumPy."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from qa.reading.features import Features

_FOLDER = Path(__file__).parent / "weights"


@dataclass(frozen=True, slots=True)
class Network:
    """Standardises its input, then one hidden layer of tanh units, then one figure a row."""

    mean: Features
    scale: Features
    hidden: Features
    hidden_bias: Features
    output: Features

    @classmethod
    def read(cls, fields: Mapping[str, Any]) -> Network:
        return cls(**{name: np.array(fields[name], dtype=np.float32) for name in cls.__dataclass_fields__})

    def __call__(self, rows: Features) -> Features:
        """Shape (rows,). Raises ValueError for rows of another width than it was fitted on."""
        states = np.tanh(np.einsum("nf,fh->nh", (rows - self.mean) / self.scale, self.hidden) + self.hidden_bias)
        return np.asarray(np.einsum("nh,h->n", states, self.output), dtype=np.float32)


@dataclass(frozen=True, slots=True)
class ReaderWeights:
    """What orders passages, chooses in them, and knows when there is nothing. `calibration`: bias, article, any."""

    passage: Network
    none: Network
    span: Network
    calibration: tuple[float, float, float]


@cache
def weights(name: str) -> ReaderWeights:
    """The weights fitted for `name`: how they were is in docs/model-card.md."""
    fields = json.loads((_FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    bias, top, some = (float(value) for value in fields["calibration"])
    passage, none, span = (Network.read(fields[part]) for part in ("passage", "none", "span"))
    return ReaderWeights(passage, none, span, (bias, top, some))
