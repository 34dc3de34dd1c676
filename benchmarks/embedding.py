"""Ways to run the embedding model, side by side: `python -m benchmarks.embedding SOURCE… [--chunks 200]`.

Chunks are drawn from the articles of SOURCE. CPU seconds a chunk (of all threads) are what holds on a busy machine;
chunks a second are those of the best of three turns taken in rotation. Cosines are to fp32, one text at a time.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import numpy as np
import onnxruntime
from tokenizers import Encoding, Tokenizer

from indexes.models.embedding import load_embedder
from indexes.models.export_folder import META_FILE, MODEL_FILE, TOKENIZER_FILE
from indexes.models.finding import find_model
from indexes.settings import IndexSettings
from indexes.types import FloatMatrix, embedded_text
from ingest.chunking import Chunker
from ingest.errors import ArticleRejected
from ingest.sources.folders import read_source
from ingest.sources.items import Ignored, Skipped
from ingest.structure import outline

Way: TypeAlias = Callable[[Sequence[Encoding]], FloatMatrix]
TURNS = 3


@dataclass(slots=True)
class Timing:
    seconds: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    vectors: FloatMatrix = field(default_factory=lambda: np.empty((0, 0), dtype=np.float32))


def chunk_texts(sources: Sequence[Path], chunk_tokens: int, count: int) -> list[str]:
    """`count` chunks of the articles in `sources`, as they are embedded, drawn with a fixed seed."""
    chunker, texts = Chunker(chunk_tokens), []
    for source in sources:
        for item in read_source(source, Ignored()):
            if isinstance(item, Skipped):
                continue
            try:
                article = item.parse()
            except ArticleRejected:
                continue
            chunks = chunker.chunk(article, outline(article.markdown, article.title))
            texts += [embedded_text(chunk, article.markdown[chunk.start : chunk.end]) for chunk in chunks]
    return random.Random(0).sample(texts, min(count, len(texts)))


class Session:
    """A bare ONNX Runtime session over an exported model."""

    def __init__(self, folder: Path, threads: int) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(
            str(folder / MODEL_FILE), options, providers=["CPUExecutionProvider"]
        )
        self._inputs: list[str] = json.loads((folder / META_FILE).read_text())["inputs"]

    def run(self, encodings: Sequence[Encoding]) -> FloatMatrix:
        """Unit vectors of texts padded to the longest of them."""
        length = max(len(encoding.ids) for encoding in encodings)
        padded = {name: np.zeros((len(encodings), length), dtype=np.int64) for name in self._inputs}
        for row, encoding in enumerate(encodings):
            values = {"input_ids": encoding.ids, "attention_mask": encoding.attention_mask}
            for name, of_text in values.items():
                padded[name][row, : len(of_text)] = of_text
        vectors = np.asarray(self._session.run(["vector"], padded)[0], dtype=np.float32)
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


def in_batches(session: Session, size: int) -> Way:
    """Batches of texts of like length."""

    def way(encodings: Sequence[Encoding]) -> FloatMatrix:
        order = sorted(range(len(encodings)), key=lambda place: len(encodings[place].ids))
        vectors: dict[int, FloatMatrix] = {}
        for start in range(0, len(order), size):
            places = order[start : start + size]
            vectors.update(zip(places, session.run([encodings[place] for place in places]), strict=True))
        return np.stack([vectors[place] for place in range(len(encodings))])

    return way


def one_by_one(session: Session, workers: int) -> Way:
    """One text a run, several runs at a time."""

    def way(encodings: Sequence[Encoding]) -> FloatMatrix:
        with ThreadPoolExecutor(workers) as pool:
            return np.concatenate(list(pool.map(lambda encoding: session.run([encoding]), encodings)))

    return way


def ways(folders: Mapping[str, Path], cores: int) -> dict[str, Way]:
    """Every way to run, by name; the first is what the others are compared with."""
    compared: dict[str, Way] = {}
    for precision, folder in folders.items():
        single, several = Session(folder, 1), Session(folder, cores)
        compared[f"{precision}, one by one, 1 at a time"] = one_by_one(single, 1)
        compared[f"{precision}, one by one, {cores} at a time"] = one_by_one(single, cores)
        compared[f"{precision}, batches of 8, {cores} threads"] = in_batches(several, 8)
        compared[f"{precision}, batches of 32, {cores} threads"] = in_batches(several, 32)
    return compared


def measure(compared: Mapping[str, Way], encodings: Sequence[Encoding]) -> dict[str, Timing]:
    """All ways in rotation, so that what else the machine does meets them alike."""
    timings = {name: Timing() for name in compared}
    for _ in range(TURNS):
        for name, way in compared.items():
            clock, cpu = time.perf_counter(), time.process_time()
            timings[name].vectors = way(encodings)
            timings[name].seconds.append(time.perf_counter() - clock)
            timings[name].cpu.append(time.process_time() - cpu)
    return timings


def report(timings: Mapping[str, Timing]) -> None:
    """A Markdown table: one row a way."""
    exact = next(iter(timings.values())).vectors
    print("| way | CPU ms a chunk | chunks/s | cosine to fp32: mean, smallest |\n|---|---|---|---|")
    for name, timing in timings.items():
        cosines = (timing.vectors * exact).sum(axis=1)
        print(
            f"| {name} | {min(timing.cpu) / len(exact) * 1000:.1f} | {len(exact) / min(timing.seconds):.1f} | "
            f"{cosines.mean():.4f}, {cosines.min():.4f} |"
        )


def main() -> None:
    settings = IndexSettings()
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("sources", nargs="+", type=Path, metavar="SOURCE")
    arguments.add_argument("--chunks", type=int, default=200)
    args = arguments.parse_args()
    source = find_model(settings.model, settings.adapter)
    for precision in ("fp32", "int8"):
        load_embedder(settings.model, settings.models, precision, settings.adapter)
    folders = {p: settings.models / source.embedder_id(p) for p in ("fp32", "int8")}
    tokenizer = Tokenizer.from_file(str(folders["fp32"] / TOKENIZER_FILE))
    tokenizer.enable_truncation(json.loads((folders["fp32"] / META_FILE).read_text())["max_tokens"])
    tokenizer.no_padding()
    texts = chunk_texts(args.sources, settings.chunk_tokens, args.chunks)
    encodings = tokenizer.encode_batch(texts)
    cores = os.cpu_count() or 1
    pieces = sum(len(encoding.ids) for encoding in encodings) / len(encodings)
    print(f"{len(texts)} chunks of {pieces:.0f} word pieces on average, {cores} cores\n")
    report(measure(ways(folders, cores), encodings))


if __name__ == "__main__":
    main()
