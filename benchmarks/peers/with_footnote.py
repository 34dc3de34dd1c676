"""Footnote's side: its command ingests; questions are answered in full, with citations, by the code that serves.

    python -m benchmarks.peers.with_footnote ask|bare INDEX QUESTIONS_FILE

`bare` runs the model alone over the chunks of the index, as fast as ONNX Runtime goes: what no ingest can beat.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

from tokenizers import Tokenizer

from benchmarks.embedding import Session, one_by_one
from benchmarks.peers.protocol import ask_all
from indexes.models.export_folder import TOKENIZER_FILE
from indexes.models.finding import find_model
from indexes.settings import IndexSettings
from indexes.snapshots.opening import open_whole
from indexes.types import embedded_text
from qa.composition import build_answering
from qa.types import Question

_AT_A_TIME = 1000


def ask(index: Path, questions: list[str]) -> dict[str, object]:
    answerer = build_answering(IndexSettings().at(index)).answerer
    seconds = ask_all(lambda question: answerer.ask(Question(question)), questions)
    return {"questions": seconds, "first": time.time() - float(os.environ["STARTED"]) - sum(seconds[1:])}


def bare(index: Path) -> dict[str, object]:
    settings = IndexSettings()
    folder = settings.models / find_model(settings.model, settings.adapter).embedder_id(settings.precision)
    articles = open_whole(index).snapshot.articles
    texts = []
    for start in range(0, articles.chunk_count, _AT_A_TIME):
        numbers = list(range(start, min(start + _AT_A_TIME, articles.chunk_count)))
        texts += [embedded_text(stored.chunk, stored.text) for stored in articles.chunks(numbers)]
    tokenizer = Tokenizer.from_file(str(folder / TOKENIZER_FILE))
    tokenizer.enable_truncation(256)
    tokenizer.no_padding()
    encodings = tokenizer.encode_batch(texts)
    cores = os.cpu_count() or 1
    session = one_by_one(Session(folder, 1), cores)
    clock, cpu = time.perf_counter(), time.process_time()
    session(encodings)
    return {"chunks": len(texts), "seconds": time.perf_counter() - clock, "cpu": time.process_time() - cpu}


if __name__ == "__main__":
    action, index, questions = sys.argv[1:]
    asked = Path(questions).read_text(encoding="utf-8").splitlines()
    print(json.dumps(ask(Path(index), asked) if action == "ask" else bare(Path(index))))
