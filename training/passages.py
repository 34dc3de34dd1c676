"""Passages by reference: made into texts from clones of the public repositories that they stand in.

    python -m training.passages CLONES OUT

`CLONES/owner/name` is a clone; one that is missing is fetched from GitHub. Writes `OUT/passages.json` and copies the
questions beside it. Only places are kept in this repository: the texts belong to those who wrote them.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from indexes.types import Article, Category
from ingest.formats.parsing import parse_markdown
from ingest.structure import Outline, outline

HERE = Path(__file__).parent / "data"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("clones", type=Path)
    arguments.add_argument("out", type=Path)
    args = arguments.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    wanted = [json.loads(line) for line in (HERE / "passages.jsonl").read_text(encoding="utf-8").splitlines()]
    made = list(texts(wanted, args.clones))
    (args.out / "passages.json").write_text(json.dumps(made), encoding="utf-8")
    shutil.copy(HERE / "questions.jsonl", args.out / "questions.jsonl")
    print(f"{len(made)} of {len(wanted)} passages")


def texts(wanted: Sequence[Mapping[str, Any]], clones: Path) -> Iterator[dict[str, Any]]:
    """Each passage with its text, its context line and its spans, in code points of the text."""
    by_file: dict[tuple[str, str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for entry in wanted:
        by_file[entry["repository"], entry["commit"], entry["path"]].append(entry)
    for (repository, commit, path), entries in by_file.items():
        raw = _file(clones / repository, repository, commit, path)
        if raw is None:
            print(f"{repository} {commit[:8]} {path}: not found", file=sys.stderr)
            continue
        article = parse_markdown(path, raw, Category(""))
        text = raw.decode("utf-8", "replace").replace("\r\n", "\n")
        parsed, body = outline(article.markdown, article.title), text.rfind(article.markdown)
        for entry in entries:
            start, end = entry["start"], entry["end"]
            yield {
                "p": entry["p"],
                "source": repository,
                "document": f"{repository}/{path}",
                "context": _context(article, parsed, start - body),
                "text": text[start:end],
                "spans": entry["spans"],
                "split": entry["split"],
            }


def _file(clone: Path, repository: str, commit: str, path: str) -> bytes | None:
    if not clone.exists():
        subprocess.run(["git", "clone", "--bare", f"https://github.com/{repository}", str(clone)], check=True)
    shown = subprocess.run(["git", "-C", str(clone), "show", f"{commit}:{path}"], capture_output=True, check=False)
    return shown.stdout if shown.returncode == 0 else None


def _context(article: Article, parsed: Outline, offset: int) -> str:
    """title › headings, as a chunk at this offset of the article carries it."""
    path: tuple[str, ...] = ()
    for section in parsed.sections:
        if section.blocks and section.blocks[0].start <= offset:
            path = section.path
    return " › ".join([article.title, *path])


if __name__ == "__main__":
    main()
