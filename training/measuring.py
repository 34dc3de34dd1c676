"""How well an encoder ranks and chooses, on passages of knowledge bases or documents that it has not seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from training.encoder import Encoder, Pieces, Tokens
from training.examples import Examples, TrainingQuestion

_READ = 20  # passages whose spans are looked at for a refusal


@dataclass(frozen=True, slots=True)
class Encoded:
    """The vectors of passages and of their spans (context line first)."""

    ids: list[int]
    vectors: np.ndarray
    spans: dict[int, np.ndarray]


@torch.no_grad()  # type: ignore[misc]
def encode(model: Encoder, pieces: Mapping[int, Pieces], ids: Sequence[int]) -> Encoded:
    """The passages with these ids, encoded in batches of like length."""
    model.eval()
    order = sorted(ids, key=lambda i: len(pieces[i].ids))
    vectors: dict[int, np.ndarray] = {}
    spans: dict[int, np.ndarray] = {}
    for start in range(0, len(order), 32):
        group = order[start : start + 32]
        whole, parts, owners = model.passages([pieces[i] for i in group], groups=1)
        for row, i in enumerate(group):
            vectors[i], spans[i] = whole[row].numpy(), parts[owners == row].numpy()
    return Encoded(list(ids), np.stack([vectors[i] for i in ids]), spans)


@torch.no_grad()  # type: ignore[misc]
def encode_questions(model: Encoder, tokens: Tokens, texts: Sequence[str]) -> np.ndarray:
    model.eval()
    pieces = [tokens.question(text) for text in texts]
    return np.concatenate([model.questions(pieces[i : i + 64]).numpy() for i in range(0, len(pieces), 64)])


def figures(
    model: Encoder, tokens: Tokens, pieces: Mapping[int, Pieces], examples: Examples, sources: Sequence[str]
) -> dict[str, float]:
    """Means over the questions of whole knowledge bases, each searched by itself.

    first, top5, top30: where the right passage (or one judged to answer as well) stands; section: the right one comes
    first among those of its document; span: the best span of the right passage answers; auroc: of the best span among
    the first 20 passages, answered questions against near misses.
    """
    hits: dict[str, list[float]] = {name: [] for name in ("first", "top5", "top30", "section", "span")}
    best: list[tuple[float, bool]] = []
    for source in sources:
        ids = [p.id for p in examples.passages.values() if p.source == source]
        encoded = encode(model, pieces, ids)
        asked = examples.of_sources([source])
        vectors = encode_questions(model, tokens, [q.text for q in asked])
        for question, vector in zip(asked, vectors, strict=True):
            scores = encoded.vectors @ vector
            order = np.argsort(-scores)
            best.append(
                (max(float((encoded.spans[ids[p]][1:] @ vector).max()) for p in order[:_READ]), bool(question.answers))
            )
            if question.answers:
                _count(hits, question, [ids[p] for p in order], encoded, vector, examples)
    answered = np.array([score for score, is_answered in best if is_answered])
    missed = np.array([score for score, is_answered in best if not is_answered])
    result = {name: round(float(np.mean(values)), 3) for name, values in hits.items()}
    return {**result, "auroc": round(float((answered[:, None] > missed[None]).mean()), 3), "questions": len(best)}


def _count(
    hits: dict[str, list[float]],
    question: TrainingQuestion,
    ranking: list[int],
    encoded: Encoded,
    vector: np.ndarray,
    examples: Examples,
) -> None:
    right = {question.passage, *question.also}
    place = min(ranking.index(p) for p in right)
    hits["first"].append(place == 0)
    hits["top5"].append(place < 5)
    hits["top30"].append(place < 30)
    document = set(examples.siblings[examples.passages[question.passage].document])
    hits["section"].append(next(p for p in ranking if p in document) in right)
    scores = encoded.spans[question.passage][1:] @ vector
    hits["span"].append(int(scores.argmax()) in question.answers)
