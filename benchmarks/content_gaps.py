"""Measures how well 200 unanswered questions on 20 topics are grouped: purity and its price for each cut.

python -m benchmarks.content_gaps
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from sklearn.metrics import adjusted_rand_score, v_measure_score

from indexes.models.embedding import load_embedder
from indexes.settings import IndexSettings
from indexes.types import FloatMatrix
from qa.insights.content_gaps import SAME_TOPIC, clusters

QUESTIONS = Path(__file__).parent / "data" / "content_gaps.jsonl"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=Path, default=QUESTIONS)
    args = parser.parse_args()
    topics, vectors = load(args.questions)
    print(f"{len(topics)} questions, {len(set(topics))} topics; the cut in use is {SAME_TOPIC}")
    print("cut   groups  alone  purity  whole     ARI       V")
    for cut in (0.1, 0.14, 0.18, 0.2, 0.22, 0.24, 0.26, 0.3, 0.4, 0.5):
        print(row(cut, topics, vectors))


def load(path: Path) -> tuple[list[str], FloatMatrix]:
    """The topic and the vector of each question."""
    settings = IndexSettings()
    embedder = load_embedder(settings.model, settings.models, settings.precision, settings.adapter)
    entries = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    vectors = np.concatenate([embedder.embed_question(entry["question"]) for entry in entries])
    return [entry.get("topic") or entry["article"] for entry in entries], vectors


def purity(topics: Sequence[str], groups: Sequence[Sequence[int]]) -> float:
    """The share of questions that are on the topic of most questions in their group."""
    return sum(max(Counter(topics[row] for row in group).values()) for group in groups) / len(topics)


def wholeness(topics: Sequence[str], groups: Sequence[Sequence[int]]) -> float:
    """The share of questions that are in the largest group of their topic: purity the other way round."""
    sizes = [Counter(topics[row] for row in group) for group in groups]
    return sum(max(size[topic] for size in sizes) for topic in set(topics)) / len(topics)


def row(cut: float, topics: Sequence[str], vectors: FloatMatrix) -> str:
    groups = clusters(vectors, cut)
    labels = np.empty(len(topics), dtype=int)
    for number, group in enumerate(groups):
        labels[group] = number
    alone = sum(len(group) == 1 for group in groups)
    scores = purity(topics, groups), wholeness(topics, groups)
    agreement = adjusted_rand_score(topics, labels), v_measure_score(topics, labels)
    figures = " ".join(f"{figure:7.3f}" for figure in (*scores, *agreement))
    return f"{cut:4.2f}  {len(groups):6d} {alone:6d} {figures}"


if __name__ == "__main__":
    main()
