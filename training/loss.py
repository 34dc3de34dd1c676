"""What a batch teaches: the right passage, the right span in it, and that for a near miss no span is right."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from training.batches import Batch
from training.encoder import Encoder, Tokens
from training.examples import Examples, TrainingQuestion

_NEVER = -1e4


@dataclass(frozen=True, slots=True)
class Loss:
    """The two parts of the loss of one batch, each a mean over its questions."""

    passages: torch.Tensor
    spans: torch.Tensor

    @property
    def total(self) -> torch.Tensor:
        return self.passages + self.spans


class Teacher:
    """Computes the loss of batches; word pieces are made once."""

    def __init__(self, examples: Examples) -> None:
        tokens = Tokens()
        self._examples = examples
        self.passages = {p.id: tokens.passage(p) for p in examples.passages.values()}
        self._questions = {q: tokens.question(q.text) for q in examples.questions}

    def loss(self, model: Encoder, batch: Batch) -> Loss:
        vectors, spans, owners = model.passages([self.passages[p] for p in batch.passages])
        asked = model.questions([self._questions[q] for q in batch.questions])
        by_passage = asked @ vectors.T * model.passage_scale.exp()
        by_span = asked @ spans.T * model.span_scale.exp()
        first = _first_spans(owners, len(batch.passages))
        passage_losses, span_losses = [], []
        for row, question in enumerate(batch.questions):
            roles = _roles(self._examples, batch, question)
            if question.answers:
                passage_losses.append(_cross_entropy(by_passage[row], roles == _RIGHT, roles == _IGNORED))
            right = torch.zeros(len(owners), dtype=torch.bool)
            own = batch.passages.index(question.passage)
            right[[first[own] + 1 + answer for answer in question.answers]] = True
            ignored = (roles[owners] == _IGNORED) | ((roles[owners] == _RIGHT) & (owners != own))
            span_losses.append(_with_null(by_span[row], model.null, right, ignored))
        return Loss(torch.stack(passage_losses).mean(), torch.stack(span_losses).mean())


_WRONG, _RIGHT, _IGNORED = 0, 1, 2


def _roles(examples: Examples, batch: Batch, question: TrainingQuestion) -> torch.Tensor:
    """For each passage of the batch: wrong, right, or neither for this question."""
    document = examples.passages[question.passage].document
    roles = torch.zeros(len(batch.passages), dtype=torch.long)
    for column, passage in enumerate(batch.passages):
        if passage == question.passage:
            roles[column] = _RIGHT if question.answers else _WRONG
        elif examples.passages[passage].document == document:
            if passage in question.also:
                roles[column] = _RIGHT
            elif passage in question.partly or not question.judged:
                roles[column] = _IGNORED
    return roles


def _cross_entropy(scores: torch.Tensor, right: torch.Tensor, ignored: torch.Tensor) -> torch.Tensor:
    scores = scores.masked_fill(ignored, _NEVER)
    return torch.logsumexp(scores, 0) - torch.logsumexp(scores[right], 0)


def _with_null(scores: torch.Tensor, null: torch.Tensor, right: torch.Tensor, ignored: torch.Tensor) -> torch.Tensor:
    scores = scores.masked_fill(ignored & ~right, _NEVER)
    every = torch.logsumexp(torch.cat([scores, null[None]]), 0)
    return every - (torch.logsumexp(scores[right], 0) if bool(right.any()) else null)


def _first_spans(owners: torch.Tensor, passages: int) -> list[int]:
    """Where the spans of each passage begin: first its context line, then its quotables."""
    return [int(n) for n in torch.searchsorted(owners, torch.arange(passages))]
