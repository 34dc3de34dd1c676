"""Indexes of knowledge bases with held-out documents: some whole, and small ones of five documents each.

    python -m training.knowledge_bases CLONES DATA OUT

Small ones because many knowledge bases begin with a handful of articles, and what a good score is differs there.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from training.examples import Examples

HERE = Path(__file__).parent / "data"
# Repository → the folder of it that is a knowledge base. Those not trained on at all come first.
WHOLE = {
    "guardian/recommendations": "",
    "madetech/handbook": "",
    "ministryofjustice/cloud-platform-user-guide": "source",
    "kedacore/keda-docs": "content/docs/2.18",
    "artsy/README": "",
    "letsencrypt/website": "content/en/docs",
    "cloudnative-pg/cloudnative-pg": "docs",
    "openshift/runbooks": "",
    "mattermost/mattermost-handbook": "",
    "renovatebot/renovate": "docs",
}
_SMALL = 5  # documents


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("clones", type=Path)
    arguments.add_argument("data", type=Path)
    arguments.add_argument("out", type=Path)
    args = arguments.parse_args()
    commits = {
        entry["repository"]: entry["commit"]
        for entry in map(json.loads, (HERE / "passages.jsonl").read_text(encoding="utf-8").splitlines())
    }
    for source, folder in WHOLE.items():
        target = args.out / "whole" / source.replace("/", "+")
        paths = _git(args.clones / source, "ls-tree", "-r", "--name-only", commits[source], "--", folder or ".")
        _ingest(args.clones / source, commits[source], [p for p in paths.splitlines() if _is_page(p)], target)
    for source, documents, number in small(Examples.read(args.data)):
        target = args.out / "small" / f"{source.replace('/', '+')}+{number}"
        paths = [document.removeprefix(f"{source}/") for document in documents]
        _ingest(args.clones / source, commits[source], paths, target)


def small(examples: Examples) -> Iterator[tuple[str, list[str], int]]:
    """(source, documents, number) of each small knowledge base."""
    held_out: dict[str, set[str]] = defaultdict(set)
    for passage in examples.passages.values():
        if passage.held_out:
            held_out[passage.source].add(passage.document)
    generator = random.Random(3)
    for source in sorted(held_out):
        documents = sorted(held_out[source])
        generator.shuffle(documents)
        for start in range(0, len(documents), _SMALL):
            yield source, documents[start : start + _SMALL], start // _SMALL


def _ingest(clone: Path, commit: str, paths: list[str], target: Path) -> None:
    """Write the files of a commit as Markdown pages and ingest them; one that is there already stays."""
    if (target / "index" / "CURRENT").exists():
        return
    for path in paths:
        page = target / "kb" / Path(path).with_name(Path(path).name.split(".")[0] + ".md")
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(_git(clone, "show", f"{commit}:{path}"), encoding="utf-8")
    command = ["footnote", "ingest", str(target / "kb"), "--index", str(target / "index")]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def _is_page(path: str) -> bool:
    return path.endswith((".md", ".mdx", ".md.erb", ".markerb"))


def _git(clone: Path, *arguments: str) -> str:
    shown = subprocess.run(["git", "-C", str(clone), *arguments], capture_output=True, check=True)
    return shown.stdout.decode("utf-8", "replace")


if __name__ == "__main__":
    main()
