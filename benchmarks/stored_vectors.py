"""Stored vectors as a FAISS index against a NumPy file: `python -m benchmarks.stored_vectors CHUNKS`.

Both hold the same seeded vectors, both are mapped from disk, and both answer the same questions in turn, on one thread:
the best 200 under no filter and under filters that keep 1, 10 and 50 % of the chunks, article by article. Above 100,000
chunks both name candidates through the same inverted file.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import faiss
import numpy as np
import numpy.typing as npt

from benchmarks.synthetic import CHUNKS_PER_ARTICLE, DIMENSION, SyntheticBase
from indexes.search.flat import FlatVectors
from indexes.search.ivf import IvfIndex
from indexes.search.row_map import RowMap
from indexes.search.vectors import EXACT, VectorIndex, products
from indexes.types import ChunkMask, Chunks, FloatMatrix, FloatVector

Search: TypeAlias = Callable[[FloatVector, int, ChunkMask | None], tuple[Chunks, npt.NDArray[np.float32]]]
_QUESTIONS = 200
_WARM_UP = 10
_LIMIT = 200
_FEW = 0.25  # share of rows up to which gathering them cost less than scoring all


def numpy_search(vectors: FloatMatrix, ivf: IvfIndex | None) -> Search:
    """The search that stored vectors in an .npy file had: FAISS where all count, NumPy's arithmetic under a filter."""

    def search(vector: FloatVector, limit: int, allowed: ChunkMask | None) -> tuple[Chunks, npt.NDArray[np.float32]]:
        left = len(vectors) if allowed is None else int(np.count_nonzero(allowed))
        if ivf is not None and left > EXACT:
            rows = ivf.search(vector, limit, allowed, left / len(vectors))
        elif allowed is None:
            rows = faiss.knn(vector[None, :], vectors, limit, metric=faiss.METRIC_INNER_PRODUCT)[1][0]
        elif left <= max(limit, _FEW * len(vectors)):
            rows = np.flatnonzero(allowed)
        else:
            scores = np.where(allowed, products(vectors, vector), -np.inf)
            rows = np.argpartition(-scores, limit)[:limit]
        scores = np.empty(len(rows), dtype=np.float32)
        for start in range(0, len(rows), 4096):
            scores[start : start + 4096] = products(vectors[rows[start : start + 4096]], vector)
        order = np.lexsort((rows, -scores))[:limit]
        return rows[order], scores[order]

    return search


def measure(name: str, searches: dict[str, Search], questions: FloatMatrix, mask: ChunkMask | None) -> None:
    spent: dict[str, list[float]] = {which: [] for which in searches}
    for number, vector in enumerate(questions):
        chunks = []
        for which in sorted(searches, reverse=bool(number % 2)):  # each goes first every other time
            started = time.process_time()
            chunks.append(searches[which](vector, _LIMIT, mask)[0].tolist())
            spent[which].append(1000 * (time.process_time() - started))
        assert chunks[0] == chunks[1]
    before, after = (np.array(spent[which][_WARM_UP:]) for which in ("NumPy file", "FAISS index"))
    medians = f"{np.median(before):.3f} | {np.median(after):.3f}"
    print(f"| {name} | {medians} | {np.median(after / before) - 1:+.0%} |", flush=True)


def read_again(path: Path) -> None:
    """Have the file in the page cache as after a restart: what writing it leaves there differs by up to a quarter."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        while file.read(1 << 20):
            pass


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("chunks", type=int)
    chunks = parser.parse_args().chunks
    base = SyntheticBase(chunks)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        vectors = base.vectors()
        np.save(folder / "vectors.npy", vectors)
        built = FlatVectors.build([vectors], chunks, DIMENSION)
        built.save(folder / "vectors.faiss")
        ivf = IvfIndex.build(built) if IvfIndex.pays_off(chunks) else None
        del vectors, built
        for name in ("vectors.npy", "vectors.faiss"):
            read_again(folder / name)
        index = VectorIndex(FlatVectors.open(folder / "vectors.faiss"), RowMap(chunks), ivf)
        mapped = np.asarray(np.load(folder / "vectors.npy", mmap_mode="r"))
        searches: dict[str, Search] = {"FAISS index": index.nearest, "NumPy file": numpy_search(mapped, ivf)}
        article, questions = np.arange(chunks) // CHUNKS_PER_ARTICLE, base.question_vectors(_QUESTIONS)
        print("| filter keeps | NumPy file, CPU ms | FAISS index, CPU ms | change, p50 of pairs |\n|---|---|---|---|")
        for name, every in (("everything", 1), ("1 %", 100), ("10 %", 10), ("50 %", 2)):
            measure(name, searches, questions, None if every == 1 else article % every == 0)


if __name__ == "__main__":
    main()
