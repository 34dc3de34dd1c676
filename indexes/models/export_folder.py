"""An exported model's folder, `MODELS/<embedder id>/`: what is in it, and that it still is what was exported.

Neither ONNX Runtime nor the tokeniser notices a flipped bit, and one in the settings, such as in the length that is
read, makes other vectors just as silently. So the settings hold the SHA-256 of every file, and a seal over themselves.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from indexes.errors import ModelDamaged
from indexes.files import file_digest, seal

MODEL_FILE = "model.onnx"
TOKENIZER_FILE = "tokenizer.json"
META_FILE = "embedder.json"
_FORM = 2  # of an export: raised where an earlier one lacks what is read of it now
_FILES = "files"
_SEAL = "seal"


def write_meta(folder: Path, meta: Mapping[str, object]) -> None:
    """Put `meta` beside the other files of `folder`, with what tells later whether any of it has changed."""
    files = {path.name: file_digest(path) for path in sorted(folder.iterdir()) if path.name != META_FILE}
    fields = {**meta, "form": _FORM, _FILES: files}
    document = json.dumps({**fields, _SEAL: seal(fields)}, indent=2, ensure_ascii=False)
    (folder / META_FILE).write_text(document + "\n", encoding="utf-8")


def read_meta(folder: Path) -> dict[str, Any]:
    """What was written with the model, if nothing in `folder` has changed since.

    Raises ModelDamaged, also for an export in another form.
    """
    try:
        fields = json.loads((folder / META_FILE).read_text(encoding="utf-8"))
        if fields.pop(_SEAL, "") != seal(fields):
            raise _damaged(folder, f"{META_FILE} does not match its own SHA-256")
        if fields.get("form") != _FORM:
            raise ModelDamaged(f"The exported model in {folder} is that of another version of Footnote.")
        for name, digest in fields[_FILES].items():
            if file_digest(folder / name) != digest:
                raise _damaged(folder, f"{name} does not match its recorded SHA-256")
    except OSError as error:
        raise _damaged(folder, f"{Path(error.filename or folder).name} cannot be read ({error.strerror})") from error
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise _damaged(folder, f"{META_FILE} cannot be read ({error})") from error
    return dict(fields)


def _damaged(folder: Path, what: str) -> ModelDamaged:
    return ModelDamaged(f"The exported model in {folder} is damaged: {what}.")
