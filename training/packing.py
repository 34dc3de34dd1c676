"""The change of the weights as a low-rank delta, which the export of the model merges into the bundled weights.

    python -m training.packing RUN/encoder.pt… OUT.npz [--rank 24]

Several checkpoints are averaged first. Biases and norms are kept as they are: they are small.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from training.encoder import Encoder


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("files", type=Path, nargs="+", help="checkpoints, and last the file to write")
    arguments.add_argument("--rank", type=int, default=24)
    args = arguments.parse_args()
    *checkpoints, out = args.files
    entries = delta(mean(checkpoints), args.rank)
    np.savez_compressed(out, **entries)  # type: ignore[arg-type]
    print(f"{out}: {out.stat().st_size:,} bytes")


def mean(checkpoints: Sequence[Path]) -> dict[str, torch.Tensor]:
    """The weights of the encoder, averaged over checkpoints."""
    states = [torch.load(path)["model"] for path in checkpoints]
    names = [name for name in states[0] if name.startswith("enc.")]
    return {name.removeprefix("enc."): torch.stack([state[name] for state in states]).mean(0) for name in names}


def delta(trained: dict[str, torch.Tensor], rank: int) -> dict[str, np.ndarray]:
    """`u:NAME` and `v:NAME` with W + u @ v the trained matrix, to this rank; `d:NAME` the difference of a vector."""
    base = Encoder().enc.state_dict()
    entries: dict[str, np.ndarray] = {}
    for name, weights in trained.items():
        change = weights - base[name]
        if not bool(change.abs().max() > 0):
            continue
        if change.ndim < 2:
            entries[f"d:{name}"] = change.numpy().astype(np.float16)
            continue
        u, s, v = torch.linalg.svd(change, full_matrices=False)
        root = s[:rank].sqrt()
        entries[f"u:{name}"] = (u[:, :rank] * root).numpy().astype(np.float16)
        entries[f"v:{name}"] = (root[:, None] * v[:rank]).numpy().astype(np.float16)
    return entries


if __name__ == "__main__":
    main()
