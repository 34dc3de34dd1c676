"""Having a model exported, in a process of its own, so that torch never stays in this one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from indexes.errors import ModelUnavailable
from indexes.models import META_FILE, ModelSource, Precision

ONNX = "onnxruntime"
SENTENCE_TRANSFORMERS = "sentence-transformers"
# The exit codes of indexes/onnx_export.py, beside 0.
NO_GRAPH = 3  # the model cannot be a graph, or not a right one
TOO_COARSE = 4  # int8 changes its vectors too much


def export(source: ModelSource, precision: Precision, folder: Path) -> None:
    """Leave in `folder` the exported model, or a note that sentence-transformers has to serve it.

    Raises ModelUnavailable.
    """
    print(f"Preparing the embedding model {source.name} (once, about 20 s) …", file=sys.stderr, flush=True)
    wanted = [str(source.folder), source.embedder_id(precision), precision, str(folder)]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
    command = [sys.executable, "-P", "-m", "indexes.onnx_export", *wanted]
    finished = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if finished.returncode == 0:
        return
    reason = (finished.stderr.strip().splitlines() or ["no reason given"])[-1]
    if finished.returncode == TOO_COARSE:
        raise ModelUnavailable(f"{source.name} does not bear int8 ({reason}): set FOOTNOTE_PRECISION=fp32.")
    if finished.returncode != NO_GRAPH:
        raise ModelUnavailable(f"The model in {source.folder} could not be exported to ONNX: {reason}")
    _note(source, folder, reason)


def _note(source: ModelSource, folder: Path, reason: str) -> None:
    print(
        f"{source.name} cannot be exported to ONNX ({reason}): sentence-transformers serves it, which takes several "
        "seconds to start and some 400 MB more.",
        file=sys.stderr,
        flush=True,
    )
    meta = {"id": source.embedder_id("reference"), "runtime": SENTENCE_TRANSFORMERS, "reason": reason}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / META_FILE).write_text(json.dumps(meta, indent=2) + "\n", encoding="utf-8")
