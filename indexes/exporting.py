"""Having a model exported, in a process of its own, so that torch never stays in this one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from indexes.errors import ModelDamaged, ModelUnavailable
from indexes.exported import read_meta, write_meta
from indexes.models import ModelSource, Precision

ONNX = "onnxruntime"
SENTENCE_TRANSFORMERS = "sentence-transformers"
# The exit codes of indexes/onnx_export.py, beside 0.
NO_GRAPH = 3  # the model cannot be a graph, or not a right one
TOO_COARSE = 4  # int8 changes its vectors too much


def exported(source: ModelSource, precision: Precision, folder: Path) -> dict[str, Any]:
    """What `read_meta` says of the exported model in `folder`, exported first where there is none, or a damaged one.

    Raises ModelUnavailable.
    """
    try:
        return read_meta(folder)
    except ModelDamaged as damage:
        if folder.exists():
            _say(f"{damage} It is made anew.")
    _export(source, precision, folder)
    return read_meta(folder)


def _export(source: ModelSource, precision: Precision, folder: Path) -> None:
    """Leave in `folder` the exported model, or a note that sentence-transformers has to serve it.

    Raises ModelUnavailable.
    """
    _say(f"Preparing the embedding model {source.name} (once, about 20 s) …")
    wanted = [str(source.folder), source.embedder_id(precision), precision, str(folder)]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
    command = [sys.executable, "-P", "-m", "indexes.onnx_export", *wanted]
    finished = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if finished.returncode == 0:
        return
    reason = (finished.stderr.strip().splitlines() or [f"exit code {finished.returncode}"])[-1]
    if finished.returncode == TOO_COARSE:
        raise ModelUnavailable(f"{source.name} does not bear int8 ({reason}): set FOOTNOTE_PRECISION=fp32.")
    if finished.returncode != NO_GRAPH:
        raise ModelUnavailable(
            f"The model in {source.folder} could not be exported to ONNX ({reason}). It takes PyTorch, and for the "
            f"bundled model 1.5 GB of memory and 300 MB in {folder.parent}: see to it, and run this again."
        )
    _note(source, folder, reason)


def _note(source: ModelSource, folder: Path, reason: str) -> None:
    _say(
        f"{source.name} cannot be exported to ONNX ({reason}): sentence-transformers serves it, which takes several "
        "seconds to start and some 400 MB more."
    )
    folder.mkdir(parents=True, exist_ok=True)
    write_meta(folder, {"id": source.embedder_id("reference"), "runtime": SENTENCE_TRANSFORMERS, "reason": reason})


def _say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)
