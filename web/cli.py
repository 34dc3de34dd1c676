"""The `footnote` command: the one place that knows all four packages."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from indexes import commands as indexes
from indexes import console
from indexes.settings import IndexSettings
from ingest import commands as ingest
from qa import commands as qa
from web import commands as web
from web import doctor, evaluating
from web.access import commands as key_commands
from web.agents import commands as agents
from web.settings import Settings


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code (0 ok, 1 failed, 2 usage, 75 busy)."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")  # nothing here may reach for the network
    return console.main(parser(), Settings, argv)


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    return console.parser(
        "footnote",
        [
            ingest.add_commands,
            web.add_commands,
            key_commands.add_commands,
            agents.add_commands,
            qa.add_commands,
            partial(evaluating.add_commands, _ingest_corpus),
            indexes.add_commands,
            partial(doctor.add_commands, ingest.count_tokens),
        ],
    )


def _ingest_corpus(corpus: Path, index: Path, settings: IndexSettings) -> dict[str, float]:
    report = ingest.synchronise([corpus], index, settings)
    return {"documents": report.articles, "chunks": report.chunks, "seconds": report.seconds}


if __name__ == "__main__":
    sys.exit(main())
