"""Fits the weights of the reader on knowledge bases that the encoder has not seen, through the product's search.

    python -m training.reader DATA INDEXES OUT

Every question is searched as it would be when asked, and so are questions of the others, which a knowledge base does
not answer. Figures are of knowledge bases left out of the fit.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from indexes.settings import IndexSettings
from indexes.snapshots.publishing import open_current
from indexes.types import Filter
from qa.corpus import Corpus
from qa.question.follow_ups import HistoryRewriter
from qa.reading.features import QuestionFeatures, passage_features, question_features, span_features
from qa.reading.missing import unmentioned
from qa.reading.reading import SearchedQuestion
from qa.retrieval import Retriever
from qa.types import Question
from training.examples import Examples, TrainingQuestion
from training.knowledge_bases import WHOLE, small

_FOREIGN, _FOREIGN_OF_SMALL = 150, 25  # questions of the other knowledge bases that each is asked
_FOLDS = 5
_HIDDEN = {"passage": 24, "none": 8, "span": 12}
_EPOCHS = 10
_DECAY = 2e-2


@dataclass(frozen=True, slots=True)
class Example:
    """A question as the reader sees it. `right`, `ignored`: masks over its passages; `spans`: of each right passage,
    its features and the mask of what answers in it."""

    source: str
    passages: np.ndarray
    question: np.ndarray
    right: np.ndarray
    ignored: np.ndarray
    spans: tuple[tuple[np.ndarray, np.ndarray], ...]
    answerable: bool
    foreign: bool
    articles: np.ndarray  # a number for the article of each passage
    right_articles: frozenset[int]  # of the document that the question was written for


def collect(
    examples: Examples,
    source: str,
    index: Path,
    retriever: Retriever,
    asked: Sequence[TrainingQuestion],
    foreign: Sequence[str],
) -> list[Example]:
    """The questions of a knowledge base, and foreign ones, searched in its index."""
    corpus: Corpus = open_current(index)
    found = []
    for question in asked:
        if (example := _example(examples, source, corpus, retriever, question.text, question)) is not None:
            found.append(example)
    for text in foreign:
        if (example := _example(examples, source, corpus, retriever, text, None)) is not None:
            found.append(example)
    return found


def _example(
    examples: Examples, source: str, corpus: Corpus, retriever: Retriever, text: str, question: TrainingQuestion | None
) -> Example | None:
    standalone = HistoryRewriter().standalone(Question(text))
    retrieved = retriever.retrieve(corpus, standalone, Filter(), 8)
    if not retrieved.passages:
        return None
    searched = SearchedQuestion(
        text, standalone, retrieved, unmentioned(text, corpus.vocabulary), corpus.vocabulary, corpus.chunk_count
    )
    asked = QuestionFeatures.of(searched)
    rows = passage_features(searched, asked)
    texts = [passage.text for passage in retrieved.passages]
    right = np.zeros(len(texts), dtype=bool)
    ignored = np.zeros(len(texts), dtype=bool)
    spans = []
    ids = [passage.article.id for passage in retrieved.passages]
    articles = np.array([ids.index(id) for id in ids])
    right_articles: frozenset[int] = frozenset()
    if question is not None:
        own = examples.passages[question.passage].text
        also = {examples.passages[p].text for p in question.also}
        partly = {examples.passages[p].text for p in question.partly}
        ignored = np.array([t in partly for t in texts])
        if question.answers:
            document = examples.siblings[examples.passages[question.passage].document]
            written = {examples.passages[p].text for p in document}
            right_articles = frozenset(articles[[t in written for t in texts]].tolist())
            right = np.array([t == own or t in also for t in texts])
            spans = [
                (span_features(asked, retrieved.passages[i], retrieved.signals[i]), _mask(question, len(p.quotables)))
                for i, p in enumerate(retrieved.passages)
                if texts[i] == own and len(p.quotables) == len(examples.passages[question.passage].spans)
            ]
        else:
            ignored = ignored | np.array([t in also for t in texts])
    return Example(
        source,
        rows,
        question_features(searched, asked, rows),
        right,
        ignored & ~right,
        tuple(spans),
        question is not None and bool(question.answers),
        question is None,
        articles,
        right_articles,
    )


def _mask(question: TrainingQuestion, quotables: int) -> np.ndarray:
    mask = np.zeros(quotables, dtype=bool)
    mask[list(question.answers)] = True
    return mask


class _Network(torch.nn.Module):  # type: ignore[misc]
    def __init__(self, rows: np.ndarray, hidden: int) -> None:
        super().__init__()
        self.mean = torch.tensor(rows.mean(0), dtype=torch.float32)
        self.scale = torch.tensor(np.maximum(rows.std(0), 1e-3), dtype=torch.float32)
        self.hidden = torch.nn.Linear(rows.shape[1], hidden)
        self.output = torch.nn.Linear(hidden, 1, bias=False)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        return self.output(torch.tanh(self.hidden((rows - self.mean) / self.scale)))[..., 0]

    def fields(self) -> dict[str, Any]:
        return {
            "mean": self.mean.numpy(),
            "scale": self.scale.numpy(),
            "hidden": self.hidden.weight.detach().numpy().T,
            "hidden_bias": self.hidden.bias.detach().numpy(),
            "output": self.output.weight.detach().numpy()[0],
        }


@dataclass(frozen=True, slots=True)
class Fitted:
    """The three networks."""

    passage: _Network
    none: _Network
    span: _Network

    @torch.no_grad()  # type: ignore[misc]
    def shares(self, example: Example) -> np.ndarray:
        """The probability of each passage, and last that of none."""
        scores = self.passage(torch.tensor(example.passages))
        nothing = self.none(torch.tensor(example.question)[None])
        return torch.softmax(torch.cat([scores, nothing]), 0).numpy()


def fit(examples: Sequence[Example], seed: int = 0, epochs: int = _EPOCHS) -> Fitted:
    """Passages with none in one softmax, spans in another. A question whose passage was not found teaches nothing."""
    torch.manual_seed(seed)
    learnable = [e for e in examples if e.right.any() or not e.answerable]
    spans = [pair for e in examples for pair in e.spans if pair[1].any() and len(pair[1]) > 1]
    networks = Fitted(
        _Network(np.concatenate([e.passages for e in learnable]), _HIDDEN["passage"]),
        _Network(np.stack([e.question for e in learnable]), _HIDDEN["none"]),
        _Network(np.concatenate([rows for rows, _ in spans]), _HIDDEN["span"]),
    )
    parameters = [p for n in (networks.passage, networks.none, networks.span) for p in n.parameters()]
    optimiser = torch.optim.AdamW(parameters, lr=4e-3, weight_decay=_DECAY)
    steps = epochs * (len(learnable) // 64 + 1)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    generator = random.Random(seed)
    for _ in range(steps):
        batch = generator.sample(learnable, min(64, len(learnable)))
        loss = _passage_loss(networks, batch) + _span_loss(networks, generator.sample(spans, min(64, len(spans))))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return networks


def _passage_loss(networks: Fitted, batch: Sequence[Example]) -> torch.Tensor:
    sizes = [len(e.passages) for e in batch]
    scores = networks.passage(torch.tensor(np.concatenate([e.passages for e in batch]))).split(sizes)
    nothing = networks.none(torch.tensor(np.stack([e.question for e in batch])))
    losses = []
    for row, (example, own) in enumerate(zip(batch, scores, strict=True)):
        own = own.masked_fill(torch.tensor(example.ignored), -1e4)
        every = torch.logsumexp(torch.cat([own, nothing[row : row + 1]]), 0)
        right = torch.logsumexp(own[torch.tensor(example.right)], 0) if example.right.any() else nothing[row]
        losses.append(every - right)
    return torch.stack(losses).mean()


def _span_loss(networks: Fitted, pairs: Sequence[tuple[np.ndarray, np.ndarray]]) -> torch.Tensor:
    scores = networks.span(torch.tensor(np.concatenate([rows for rows, _ in pairs]))).split([len(r) for r, _ in pairs])
    return torch.stack(
        [
            torch.logsumexp(s, 0) - torch.logsumexp(s[torch.tensor(m)], 0)
            for s, (_, m) in zip(scores, pairs, strict=True)
        ]
    ).mean()


def figures(examples: Sequence[Example], shares: Sequence[np.ndarray]) -> dict[str, float]:
    """Where the right passage stands in the order found and as read; how well "none" tells near misses and foreign
    questions from answered ones."""
    answered = [(e, s) for e, s in zip(examples, shares, strict=True) if e.answerable]
    found = [(e, s) for e, s in answered if e.right.any()]
    some = {
        kind: np.array([1 - s[-1] for e, s in zip(examples, shares, strict=True) if kind == _kind(e)]) for kind in "anf"
    }
    result = {"questions": float(len(answered)), "found": len(found) / len(answered)}
    for k in (1, 2, 3, 5):
        result[f"search@{k}"] = sum(bool(e.right[:k].any()) for e, _ in found) / len(answered)
        result[f"read@{k}"] = sum(bool(e.right[np.argsort(-s[:-1])[:k]].any()) for e, s in found) / len(answered)
    for kind, name in (("n", "auroc_near"), ("f", "auroc_foreign")):
        result[name] = float((some["a"][:, None] > some[kind][None]).mean())
    return {name: round(value, 3) for name, value in result.items()}


def _kind(example: Example) -> str:
    return "f" if example.foreign else "a" if example.answerable else "n"


def calibration(examples: Sequence[Example], shares: Sequence[np.ndarray]) -> tuple[float, float, float]:
    """Logistic regression of "the article of the first passage is the right one" on the logits of what its passages
    have together and of all but none."""
    from sklearn.linear_model import LogisticRegression

    inputs, outcomes = evidence(examples, shares)
    fitted = LogisticRegression(C=10.0).fit(inputs, outcomes)
    return (float(fitted.intercept_[0]), float(fitted.coef_[0][0]), float(fitted.coef_[0][1]))


def evidence(examples: Sequence[Example], shares: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """(logits, outcomes), one row an example."""
    first = [int(e.articles[int(s[:-1].argmax())]) for e, s in zip(examples, shares, strict=True)]
    together = [
        float(s[:-1][e.articles == article].sum()) for e, s, article in zip(examples, shares, first, strict=True)
    ]
    inputs = np.array([[_logit(a), _logit(float(1 - s[-1]))] for a, s in zip(together, shares, strict=True)])
    outcomes = np.array([article in e.right_articles for e, article in zip(examples, first, strict=True)])
    return inputs, outcomes


def _logit(share: float) -> float:
    bounded = min(1 - 1e-6, max(1e-6, share))
    return float(np.log(bounded / (1 - bounded)))


def span_figures(fitted: Fitted, examples: Sequence[Example]) -> dict[str, float]:
    """Within the right passage: the best quotable answers, by cosine and as read."""
    pairs = [pair for e in examples for pair in e.spans if pair[1].any() and len(pair[1]) > 1]
    with torch.no_grad():
        read = [bool(mask[int(fitted.span(torch.tensor(rows)).argmax())]) for rows, mask in pairs]
    cosine = [bool(mask[int(rows[:, 0].argmax())]) for rows, mask in pairs]
    return {"span_by_cosine": round(float(np.mean(cosine)), 3), "span_read": round(float(np.mean(read)), 3)}


def write(path: Path, fitted: Fitted, calibrated: tuple[float, float, float], note: Mapping[str, object]) -> None:
    """The weights as the product reads them, rounded to six digits."""
    networks = {"passage": fitted.passage, "none": fitted.none, "span": fitted.span}
    document = {
        **note,
        "calibration": [round(value, 4) for value in calibrated],
        **{
            name: {k: np.round(v, 5).tolist() for k, v in network.fields().items()}
            for name, network in networks.items()
        },
    }
    path.write_text(json.dumps(document) + "\n", encoding="utf-8")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("data", type=Path)
    arguments.add_argument("indexes", type=Path, help="folder that training.knowledge_bases has made")
    arguments.add_argument("out", type=Path, help="folder of the weights")
    args = arguments.parse_args()
    torch.set_num_threads(2)
    examples = Examples.read(args.data)
    for name, embedder in (("vectors", _embedder()), ("keywords", None)):
        collected = list(_collected(examples, args.indexes, Retriever(embedder)))
        measured, calibrated = _left_out(collected)
        print(name, measured, flush=True)
        write(args.out / f"{name}.json", fit(collected), calibrated, measured)


def _collected(examples: Examples, indexes: Path, retriever: Retriever) -> Iterator[Example]:
    """The examples of every whole and every small knowledge base."""
    generator = random.Random(1)
    for source in WHOLE:
        foreign = [q.text for q in examples.of_sources([other for other in WHOLE if other != source])]
        index = indexes / "whole" / source.replace("/", "+") / "index"
        asked = examples.of_sources([source])
        yield from collect(examples, source, index, retriever, asked, generator.sample(foreign, _FOREIGN))
    for source, documents, number in small(examples):
        foreign = [q.text for q in examples.of_sources([other for other in WHOLE if other != source])]
        index = indexes / "small" / f"{source.replace('/', '+')}+{number}" / "index"
        asked = [q for q in examples.of_sources([source]) if examples.passages[q.passage].document in documents]
        yield from collect(examples, source, index, retriever, asked, generator.sample(foreign, _FOREIGN_OF_SMALL))


def _left_out(collected: Sequence[Example]) -> tuple[dict[str, Any], tuple[float, float, float]]:
    """Figures and calibration over knowledge bases each read with weights fitted on others."""
    sources = sorted({example.source for example in collected})
    shares: dict[int, np.ndarray] = {}
    spans = []
    for fold in range(_FOLDS):
        out = set(sources[fold::_FOLDS])
        fitted = fit([e for e in collected if e.source not in out])
        own = [e for e in collected if e.source in out]
        shares.update((id(e), fitted.shares(e)) for e in own)
        spans.append(span_figures(fitted, own))
    ordered = [shares[id(e)] for e in collected]
    calibrated = calibration(collected, ordered)
    return {"figures": figures(collected, ordered), "spans": spans, "sources": sources}, calibrated


def _embedder() -> Any:
    from indexes.models.embedding import load_embedder

    settings = IndexSettings()
    return load_embedder(settings.model, settings.models, settings.precision, settings.adapter)


if __name__ == "__main__":
    main()
