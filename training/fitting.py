"""The training loop: two rounds over the documents, each with its own half of the questions. Resumes where it stopped.

python -m training.fitting DATA OUT [--seed 1] [--rate 5e-5]
"""

from __future__ import annotations

import argparse
import json
import os
import random
import time
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch

from indexes.models.embedding import load_embedder
from indexes.models.finding import BUNDLED
from indexes.settings import IndexSettings
from training.batches import batches, rounds
from training.encoder import Encoder, Tokens
from training.examples import Examples, TrainingQuestion
from training.loss import Teacher
from training.measuring import figures

_SCALAR_RATE = 5e-3
_WARM_UP = 0.08
_KEEP_EVERY = 25  # steps
_MINED_FROM = 10  # closest passages of other documents


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("data", type=Path)
    arguments.add_argument("out", type=Path, help="folder of the checkpoint, the curve and the figures")
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--rate", type=float, default=5e-5)
    arguments.add_argument("--threads", type=int, default=2)
    args = arguments.parse_args()
    torch.set_num_threads(args.threads)
    args.out.mkdir(parents=True, exist_ok=True)
    examples = Examples.read(args.data)
    fit(examples, args.out, args.seed, args.rate)


def fit(examples: Examples, out: Path, seed: int, rate: float) -> None:
    """Train from the bundled weights; leaves `encoder.pt`, `curve.jsonl` and `figures.json` in `out`."""
    torch.manual_seed(seed)
    model, tokens, teacher = Encoder(), Tokens(), Teacher(examples)
    documents = [d for d in sorted(examples.siblings) if not examples.held_out(d)]
    dealt = rounds(examples, documents, seed)
    nearest = _nearest(examples, documents, [q for r in dealt for _, asked in r for q in asked])
    plan = [b for k, r in enumerate(dealt) for b in batches(examples, r, nearest, seed + k)]
    weights, scalars = model.trainable()
    optimiser = torch.optim.AdamW(
        [{"params": weights, "lr": rate}, {"params": scalars, "lr": _SCALAR_RATE, "weight_decay": 0.0}],
        weight_decay=0.01,
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _share(step, len(plan)))
    done = _resume(out, model, optimiser, schedule)
    model.train()
    with (out / "curve.jsonl").open("a", encoding="utf-8") as curve:
        for step, batch in islice(enumerate(plan), done, None):
            started = time.perf_counter()
            loss = teacher.loss(model, batch)
            loss.total.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            optimiser.zero_grad()
            point = {
                "step": step + 1,
                "of": len(plan),
                "passages": round(float(loss.passages), 3),
                "spans": round(float(loss.spans), 3),
                "questions": len(batch.questions),
                "seconds": round(time.perf_counter() - started, 2),
            }
            print(json.dumps(point), file=curve, flush=True)
            if (step + 1) % _KEEP_EVERY == 0:
                print(point, flush=True)
                _keep(out, step + 1, model, optimiser, schedule)
    _keep(out, len(plan), model, optimiser, schedule)
    _draw(out)
    measured = figures(model, tokens, teacher.passages, examples, examples.unseen_sources)
    (out / "figures.json").write_text(json.dumps(measured), encoding="utf-8")
    print(measured, flush=True)


def _nearest(
    examples: Examples, documents: Sequence[str], questions: Sequence[TrainingQuestion]
) -> dict[int, list[int]]:
    """For each question, by identity: the passages of other documents closest to it before any training."""
    settings = IndexSettings()
    embedder = load_embedder(BUNDLED, settings.models, settings.precision, "none", workers=os.cpu_count() or 1)
    ids = [p for d in documents for p in examples.siblings[d]]
    vectors = embedder.embed_passages([f"{examples.passages[p].context}\n{examples.passages[p].text}" for p in ids])
    asked = embedder.embed_passages([question.text for question in questions])
    number = {document: n for n, document in enumerate(documents)}
    document_of = np.array([number[examples.passages[p].document] for p in ids])
    found = {}
    for question, vector in zip(questions, asked, strict=True):
        scores = vectors @ vector
        scores[document_of == number[examples.passages[question.passage].document]] = -1
        found[id(question)] = [ids[i] for i in np.argpartition(-scores, _MINED_FROM)[:_MINED_FROM]]
    return found


def _draw(out: Path) -> None:
    """The losses of every step as `curve.png`."""
    import matplotlib.pyplot as plt

    points = [json.loads(line) for line in (out / "curve.jsonl").read_text(encoding="utf-8").splitlines()]
    figure, axes = plt.subplots(figsize=(8, 4))
    for name in ("passages", "spans"):
        axes.plot([point["step"] for point in points], [point[name] for point in points], label=name)
    axes.set_xlabel("step")
    axes.set_ylabel("loss")
    axes.legend()
    figure.savefig(out / "curve.png", dpi=120)
    plt.close(figure)


def _share(step: int, steps: int) -> float:
    """Of the learning rate: rises to 1, then falls to nothing."""
    return min(1.0, (step + 1) / (_WARM_UP * steps + 1)) * max(0.02, 1 - step / steps)


def _keep(out: Path, step: int, model: Encoder, optimiser: Any, schedule: Any) -> None:
    state = {
        "step": step,
        "model": model.state_dict(),
        "optimiser": optimiser.state_dict(),
        "schedule": schedule.state_dict(),
    }
    torch.save(state, out / "encoder.new")
    (out / "encoder.new").replace(out / "encoder.pt")


def _resume(out: Path, model: Encoder, optimiser: Any, schedule: Any) -> int:
    """The steps already done, with everything as it was after them."""
    if not (out / "encoder.pt").exists():
        return 0
    state: Mapping[str, Any] = torch.load(out / "encoder.pt")
    model.load_state_dict(state["model"])
    optimiser.load_state_dict(state["optimiser"])
    schedule.load_state_dict(state["schedule"])
    return int(state["step"])


if __name__ == "__main__":
    random.seed(0)
    main()
