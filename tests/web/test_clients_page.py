"""The examples of docs/clients.md are run as they are printed, against a running server."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from indexes.embedding import Embedder
from qa.journal import Journal
from tests.conftest import ROOT, make_services
from tests.web.serving import served
from web.admission import Turns
from web.app import create_app

PAGE = (ROOT / "docs" / "clients.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def address(kb_index: Path, embedder: Embedder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    journal = Journal(tmp_path_factory.mktemp("clients") / "journal.sqlite")
    services = make_services(kb_index, embedder, journal)
    with served(create_app(services, 262_144, Turns(2, 64)), services.drain) as address:
        yield address
    journal.close()


@pytest.mark.parametrize("example", re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL))
def test_an_example_in_python_prints_a_footnoted_answer(
    example: str, address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    exec(compile(example.replace("http://127.0.0.1:8000", address), "docs/clients.md", "exec"), {})
    assert f"[1]({address}/articles/jwt-" in capsys.readouterr().out
