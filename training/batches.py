"""Batches of whole documents with their questions: what a question must tell apart are the passages of one article."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from training.examples import Examples, TrainingQuestion

_PASSAGES = 32  # of the documents of a batch
_MINED = 16  # passages of other documents that the untrained model takes for answers
_NEAREST = 10


@dataclass(frozen=True, slots=True)
class Batch:
    """Passage ids without repetition, and questions whose passage is among them."""

    passages: tuple[int, ...]
    questions: tuple[TrainingQuestion, ...]


def rounds(examples: Examples, documents: Sequence[str], seed: int) -> list[list[tuple[str, list[TrainingQuestion]]]]:
    """The questions of each document dealt out to two rounds, so that no question is seen twice."""
    generator = random.Random(seed)
    dealt: list[list[tuple[str, list[TrainingQuestion]]]] = [[], []]
    for document in documents:
        halves: list[list[TrainingQuestion]] = [[], []]
        for passage in examples.siblings[document]:
            asked = list(examples.asked_of.get(passage, ()))
            generator.shuffle(asked)
            answered = [q for q in asked if q.answers]
            missed = [q for q in asked if not q.answers]
            for k, question in enumerate(answered):
                halves[k % 2].append(question)
            for question in missed:
                halves[generator.randrange(2)].append(question)
        for k in (0, 1):
            if halves[k]:
                dealt[k].append((document, halves[k]))
    return dealt


def batches(
    examples: Examples,
    dealt: Sequence[tuple[str, list[TrainingQuestion]]],
    nearest: Mapping[int, Sequence[int]],
    seed: int,
) -> Iterator[Batch]:
    """Batches of one round. `nearest`: the question's index in the dealt order is `id(question)`."""
    generator = random.Random(seed)
    order = list(dealt)
    generator.shuffle(order)
    passages: list[int] = []
    questions: list[TrainingQuestion] = []
    for document, asked in order:
        passages += examples.siblings[document]
        questions += asked
        if len(passages) >= _PASSAGES:
            yield _batch(passages, questions, nearest, generator)
            passages, questions = [], []
    if questions:
        yield _batch(passages, questions, nearest, generator)


def _batch(
    passages: Sequence[int],
    questions: Sequence[TrainingQuestion],
    nearest: Mapping[int, Sequence[int]],
    generator: random.Random,
) -> Batch:
    mined: list[int] = []
    for question in generator.sample(list(questions), min(_MINED, len(questions))):
        candidates = [p for p in nearest[id(question)][:_NEAREST] if p not in passages]
        if candidates:
            mined.append(generator.choice(candidates))
    return Batch(tuple(dict.fromkeys([*passages, *mined])), tuple(questions))
