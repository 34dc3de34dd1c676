"""R4: whatever is altered in a snapshot is found before it is served, and the whole one before answers instead."""

from __future__ import annotations

import http.client
import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from indexes.snapshots.publishing import generations, point_current
from indexes.snapshots.snapshot import DATA_FILES, MANIFEST, VECTORS
from indexes.snapshots.store import SnapshotStore
from tests.conftest import ROOT
from tests.faults.conftest import figure
from tests.faults.ingests import Driver, contents, held, require_tidy, write_revision
from tests.faults.serving import PATIENCE, Server, eventually

Tell = Callable[[str], None]
Serve = Callable[..., Server]
AT_MOST = 2.0  # seconds until the snapshot before serves


@pytest.fixture
def three(driver: Driver, source: Path, root: Path) -> Path:
    """An index with revisions 1 to 3."""
    for number in (1, 2, 3):
        write_revision(source, number)
        assert driver.ingest(source, root).code == 0
    return root


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def damages(content: bytes, chance: random.Random) -> Iterator[bytes]:
    """The content with one bit flipped, in many places; cut; lengthened; zeroed."""
    for _ in range(figure(50, 5) if content else 0):
        place, bit = chance.randrange(len(content)), chance.randrange(8)
        yield content[:place] + bytes([content[place] ^ (1 << bit)]) + content[place + 1 :]
    yield from (content[: int(len(content) * kept)] for kept in (0, 0.5, 0.999))
    yield content + b"\0"
    yield b"\0" * len(content)


def served(store: SnapshotStore) -> dict[str, str]:
    snapshot = store.current()
    articles = map(snapshot.articles.article, snapshot.articles.ids())
    return {article.id: article.markdown.strip() for article in articles if article}


def test_any_damage_to_any_file_is_found_and_the_snapshot_before_answers(three: Path, tell: Tell) -> None:
    newest, chance, found, slowest = generations(three)[-1], random.Random(4), 0, 0.0
    assert set(files(three / newest)) == {three / newest / name for name in (*DATA_FILES, MANIFEST)}
    for path in files(three / newest):
        whole = path.read_bytes()
        for damaged in damages(whole, chance):
            if damaged == whole:
                continue  # an empty file that is cut
            path.write_bytes(damaged)
            started = time.monotonic()
            store = SnapshotStore(three)
            slowest = max(slowest, time.monotonic() - started)
            assert store.problem is not None, f"{path.name} was served damaged"
            assert f"{newest} is damaged" in store.problem
            assert served(store) == held(2)
            found += 1
        path.write_bytes(whole)
    assert contents(three) == held(3)
    assert slowest < AT_MOST
    tell(f"R4: {found} of {found} damages found; the snapshot before served after at most {slowest:.2f} s")


def test_what_has_rotted_is_not_handed_on_to_the_next_snapshot(three: Path, driver: Driver, source: Path) -> None:
    for path in files(three / "000003"):
        flip(path)
    for number in (4, 5):
        wanted = write_revision(source, number)
        assert driver.ingest(source, three).code == 0
        assert contents(three) == wanted


def test_a_server_that_meets_damage_answers_on_says_so_and_recovers(
    driver: Driver, three: Path, source: Path, tmp_path: Path, serve: Serve, tell: Tell
) -> None:
    server = serve(three)
    client = server.client()
    elsewhere, slowest = shutil.copytree(three, tmp_path / "elsewhere"), 0.0
    write_revision(source, 4)
    assert driver.ingest(source, elsewhere).code == 0
    next_one = generations(elsewhere)[-1]
    names = [path.relative_to(elsewhere / next_one) for path in files(elsewhere / next_one)]
    for name in names:
        shutil.rmtree(three / next_one, ignore_errors=True)
        shutil.copytree(elsewhere / next_one, three / next_one)
        flip(three / next_one / name)
        point_current(three, next_one)
        slowest = max(slowest, eventually(lambda: next_one in client.get("/readyz")[1]["detail"], AT_MOST))
        status, answer = client.ask("Which port does the service 2 listen on?")
        assert status == 200
        assert "revision r3" in str(answer["passages"])
        assert client.get("/api/v1/status")[1]["degraded"] == ["snapshot"]
    assert driver.ingest(source, three).code == 0
    eventually(lambda: client.get("/readyz") == (200, {"status": "ok", "detail": ""}), AT_MOST)
    assert "revision r4" in str(client.ask("Which port does the service 2 listen on?")[1]["passages"])
    require_tidy(three)
    tell(f"R4: a server met damage in each of {len(names)} files of a new snapshot; said so within {slowest:.2f} s")


def test_a_file_cut_while_it_is_served_ends_the_processes_and_their_successors_find_the_damage(
    three: Path, serve: Serve, tell: Tell
) -> None:
    server = serve(three, FOOTNOTE_WORKERS="2")
    assert "revision r3" in answered(server)
    os.truncate(three / generations(three)[-1] / VECTORS, 0)
    took = eventually(lambda: all("revision r2" in answered(server) for _ in range(10)), PATIENCE)
    assert server.client().get("/api/v1/status")[1]["degraded"] == ["snapshot"]
    tell(f"R4: a file that is served was cut; the snapshot before served, by all processes, within {took:.1f} s")


def answered(server: Server) -> str:
    """The passages of an answer over a connection of its own; "" where that breaks."""
    try:
        return str(server.client().ask("Which port does the service 2 listen on?")[1]["passages"])
    except (OSError, http.client.HTTPException):
        return ""


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_the_commands_say_what_is_damaged_and_the_next_ingest_repairs_it(
    driver: Driver, three: Path, source: Path, serve: Serve
) -> None:
    newest = generations(three)[-1]
    flip(files(three / newest)[0])
    server = serve(three)
    client = server.client()
    ready = client.get("/readyz")
    assert ready[0] == 200
    assert f"{newest} is damaged" in ready[1]["detail"]
    assert "revision r2" in str(client.ask("Which port does the service 0 listen on?")[1]["passages"])
    for name in ("status", "verify", "doctor"):
        code, said = footnote(name, three)
        assert code == 1, name
        assert f"{newest} is damaged" in json.dumps(said), name
    report = driver.ingest(source, three)
    assert "made anew from snapshot" in report.output
    assert contents(three) == held(3)
    assert footnote("verify", three)[0] == 0
    eventually(lambda: client.get("/readyz")[1]["detail"] == "", AT_MOST)


def footnote(command: str, root: Path) -> tuple[int, object]:
    line = [sys.executable, "-m", "web", command, "--index", str(root), "--json"]
    finished = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False)
    return finished.returncode, json.loads(finished.stdout)
