"""Ways to search vectors, side by side: `python -m benchmarks.vector_options CHUNKS [--skip NAME…]`.

Each way runs in this process on the same seeded vectors and questions, on one thread; builds use every core. A way that
is approximate takes its best candidates from the index and scores them again with the stored vectors.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import faiss
import numpy as np
import numpy.typing as npt

from benchmarks.synthetic import DIMENSION, SyntheticBase
from indexes.types import FloatMatrix, FloatVector

Found: TypeAlias = npt.NDArray[np.int64]
Search: TypeAlias = Callable[[FloatVector, int], Found]
_QUESTIONS = 200


@dataclass(frozen=True, slots=True)
class Way:
    """How to build an index, and the ways to search it by name."""

    build: Callable[[FloatMatrix], faiss.Index]
    searches: dict[str, Callable[[faiss.Index, FloatMatrix], Search]]


def ways(count: int) -> dict[str, Way]:
    lists = int(2 ** round(np.log2(2 * np.sqrt(count))))
    return {
        "flat": Way(lambda vectors: _added(faiss.IndexFlatIP(DIMENSION), vectors), {"exact": _plain}),
        "flat, 8 bits": Way(
            lambda vectors: _trained(
                faiss.IndexScalarQuantizer(DIMENSION, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT),
                vectors,
            ),
            {"x 2, re-scored": _rescored(lambda limit: 2 * limit, None)},
        ),
        "HNSW32, 8 bits": Way(
            lambda vectors: _trained(
                faiss.IndexHNSWSQ(
                    DIMENSION,
                    faiss.ScalarQuantizer.QT_8bit,  # type: ignore[arg-type]
                    32,
                    faiss.METRIC_INNER_PRODUCT,
                ),
                vectors,
            ),
            {f"ef {ef}": _graph(ef) for ef in (256, 512)},
        ),
        f"IVF{lists},PQ64x4fs": Way(
            lambda vectors: _trained(_ivf(f"IVF{lists},PQ64x4fs"), vectors),
            {
                f"{probes} lists, {candidates} re-scored": _rescored(
                    lambda limit, candidates=candidates: max(limit, candidates),  # type: ignore[misc]
                    probes,
                )
                for probes in (32, 64)
                for candidates in (1000, 2000)
            },
        ),
        f"IVF{lists},SQ8": Way(
            lambda vectors: _trained(_ivf(f"IVF{lists},SQ8"), vectors),
            {f"{probes} lists, x 2, re-scored": _rescored(lambda limit: 2 * limit, probes) for probes in (16, 32, 48)},
        ),
    }


def _ivf(key: str) -> Any:
    index: Any = faiss.index_factory(DIMENSION, key, faiss.METRIC_INNER_PRODUCT)
    index.cp.niter = 10
    index.cp.max_points_per_centroid = 64
    return index


def _added(index: faiss.Index, vectors: FloatMatrix) -> faiss.Index:
    index.add(vectors)
    return index


def _trained(index: faiss.Index, vectors: FloatMatrix) -> faiss.Index:
    sample = vectors[np.random.default_rng(1).permutation(len(vectors))[:300_000]]
    index.train(sample)
    return _added(index, vectors)


def _plain(index: faiss.Index, vectors: FloatMatrix) -> Search:
    return lambda question, limit: index.search(question[None], limit)[1][0]


def _graph(ef: int) -> Callable[[faiss.Index, FloatMatrix], Search]:
    def bound(index: faiss.Index, vectors: FloatMatrix) -> Search:
        parameters = faiss.SearchParametersHNSW(efSearch=ef)  # type: ignore[attr-defined]
        return lambda question, limit: _best(
            vectors, question, index.search(question[None], limit, params=parameters)[1][0], limit
        )

    return bound


def _rescored(candidates: Callable[[int], int], probes: int | None) -> Callable[[faiss.Index, FloatMatrix], Search]:
    def bound(index: faiss.Index, vectors: FloatMatrix) -> Search:
        parameters = None if probes is None else faiss.SearchParametersIVF(nprobe=probes)  # type: ignore[call-arg]

        def search(question: FloatVector, limit: int) -> Found:
            found = index.search(question[None], min(candidates(limit), index.ntotal), params=parameters)[1][0]
            return _best(vectors, question, found, limit)

        return search

    return bound


def _best(vectors: FloatMatrix, question: FloatVector, found: Found, limit: int) -> Found:
    found = np.sort(found[found >= 0])
    scores = np.einsum("ij,j->i", vectors[found], question)  # on one thread, as the index is searched
    return np.asarray(found[np.argsort(-scores)[:limit]], dtype=np.int64)


def measure(name: str, way: Way, vectors: FloatMatrix, questions: FloatMatrix, truth: Found) -> None:
    faiss.omp_set_num_threads(2)
    started, cpu = time.perf_counter(), time.process_time()
    index = way.build(vectors)
    built = f"{time.perf_counter() - started:.0f} / {time.process_time() - cpu:.0f}"
    with tempfile.NamedTemporaryFile(suffix=".faiss") as file:
        faiss.write_index(index, file.name)
        size = Path(file.name).stat().st_size / 1e6
    faiss.omp_set_num_threads(1)
    for how, bind in way.searches.items():
        search = bind(index, vectors)
        spent, found = [], []
        for question in questions:
            cpu = time.process_time()
            found.append(search(question, 200))
            spent.append(1000 * (time.process_time() - cpu))
        shares = " | ".join(f"{_recall(found, truth, depth):.3f}" for depth in (10, 200))
        print(f"| {name} | {how} | {built} | {size:.0f} | {np.median(spent):.2f} | {shares} |", flush=True)


def _recall(found: list[Found], truth: Found, depth: int) -> float:
    """The share of the true best `depth` that is among the best `depth` found."""
    return float(
        np.mean([len(np.intersect1d(f[:depth], t[:depth])) / depth for f, t in zip(found, truth, strict=True)])
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("chunks", type=int)
    parser.add_argument("--skip", nargs="*", default=[], metavar="NAME", help="ways whose name starts with NAME")
    args = parser.parse_args()
    base = SyntheticBase(args.chunks)
    vectors, questions = base.vectors(), base.question_vectors(_QUESTIONS)
    truth = faiss.knn(questions, vectors, 200, metric=faiss.METRIC_INNER_PRODUCT)[1]
    print(f"{args.chunks} vectors of {DIMENSION} dimensions, {_QUESTIONS} questions\n")
    print(
        "| index | search | build s wall / CPU | MB | CPU ms | recall@10 | recall@200 |\n|---|---|---|---|---|---|---|"
    )
    for name, way in ways(args.chunks).items():
        if not any(name.startswith(skipped) for skipped in args.skip):
            measure(name, way, vectors, questions, truth)


if __name__ == "__main__":
    main()
