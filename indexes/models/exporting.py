"""Having a model exported, in a process of its own, so that torch never stays in this one."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from indexes.errors import ModelDamaged, ModelUnavailable
from indexes.models.export_folder import read_meta, write_meta
from indexes.models.finding import ModelSource, Precision

ONNX = "onnxruntime"
SENTENCE_TRANSFORMERS = "sentence-transformers"
SCRATCH = "export-"  # how the folder of an unfinished export begins; a model's has an @ in its name
# The exit codes of indexes/models/onnx_export.py, beside 0.
NO_GRAPH = 3  # the model cannot be a graph, or not a right one
TOO_COARSE = 4  # int8 changes its vectors too much
UNFIT_ADAPTER = 5  # its adapter is for another model, or damaged

_LOCK = "lock"


def exported(source: ModelSource, precision: Precision, folder: Path) -> dict[str, Any]:
    """What `read_meta` says of the exported model in `folder`, exported first where there is none, or a damaged one.

    Of several processes one exports, and the others wait for it. Raises ModelUnavailable.
    """
    with contextlib.suppress(ModelDamaged):  # looked at again once nobody else exports
        return read_meta(folder)
    with _exporting(folder.parent) as lock:
        try:
            return read_meta(folder)
        except ModelDamaged as damage:
            if folder.exists():
                _say(f"{damage} It is made anew.")
        _export(source, precision, folder, lock)
    return read_meta(folder)


@contextlib.contextmanager
def _exporting(models: Path) -> Iterator[TextIO]:
    """Hold the lock of `models`, once nobody else does. A holder that dies frees it, and leaves what is swept here."""
    try:
        models.mkdir(parents=True, exist_ok=True)
        with (models / _LOCK).open("w", encoding="utf-8") as lock:
            _acquire(lock)
            for left in models.glob(f"{SCRATCH}*"):
                if "@" not in left.name:
                    shutil.rmtree(left)
            yield lock
    except OSError as error:
        raise ModelUnavailable(
            f"No embedding model can be prepared in {models} ({error}): see that it can be written, or choose another "
            "folder with FOOTNOTE_MODELS."
        ) from error


def _acquire(lock: TextIO) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        _say("Another process is preparing an embedding model: waiting for it …")
        fcntl.flock(lock, fcntl.LOCK_EX)


def _export(source: ModelSource, precision: Precision, folder: Path, lock: TextIO) -> None:
    """Leave in `folder` the exported model, or a note that sentence-transformers has to serve it.

    Raises ModelUnavailable.
    """
    _say(f"Preparing the embedding model {source.name} (once, about 20 s) …")
    wanted = [str(source.folder), source.embedder_id(precision), precision, str(folder)]
    adapter = [str(source.adapter.path)] if source.adapter else []
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
    command = [sys.executable, "-P", "-m", "indexes.models.onnx_export", *wanted, *adapter]
    finished = subprocess.run(
        command,
        capture_output=True,
        text=True,
        env=environment,
        check=False,
        pass_fds=[lock.fileno()],  # it holds the lock too, should this process be killed before it
    )
    if finished.returncode == 0:
        return
    reason = (finished.stderr.strip().splitlines() or [f"exit code {finished.returncode}"])[-1]
    if finished.returncode == TOO_COARSE:
        raise ModelUnavailable(f"{source.name} does not bear int8 ({reason}): set FOOTNOTE_PRECISION=fp32.")
    if finished.returncode == UNFIT_ADAPTER:
        raise ModelUnavailable(reason)
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
