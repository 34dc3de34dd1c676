"""Real parts, small data: the bundled model, FAISS, SQLite, and either five tiny articles or the whole bundled KB."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from indexes.models.embedding import Embedder, load_embedder
from indexes.snapshots.publisher import SnapshotPublisher
from indexes.snapshots.publishing import open_current
from indexes.snapshots.snapshot import Snapshot
from indexes.snapshots.store import SnapshotStore
from ingest.chunking import Chunker
from ingest.sync import Report, Synchroniser
from qa.observing import Observer
from qa.retrieval import QuestionEmbedder
from web.admission import WorkSlots
from web.app import create_app
from web.composition import build_services
from web.observing import logs
from web.services import Services
from web.settings import Settings

ROOT = Path(__file__).parent.parent
KB = ROOT / "kb"

TINY = {
    "tokens": """---
title: Rotating refresh tokens
summary: How refresh tokens are rotated and revoked.
tags: [auth, tokens]
featured: true
views: 3
updated: 2026-03-30
---
A refresh token is exchanged for a new one every time it is used. An access token lives for 10 minutes.

## Detecting reuse

When a refresh token is presented twice, revoke the whole token family at once. See [retries](retries.md).

## Configuring the lifetime

The settings below keep sessions alive for 30 days:

```yaml
refresh_ttl: 30d
access_ttl: 10m
```
""",
    "retries": """---
title: Retrying requests safely
summary: Backoff, jitter and idempotency keys.
tags: [resilience, auth]
updated: 2026-03-29
---
A client retries an idempotent request at most three times, with exponential backoff and full jitter.

## Choosing what to retry

| Status | Retry? |
| --- | --- |
| 503 | Yes, after `Retry-After` |
| 400 | No |

Use these steps to retry a payment:

1. Create an idempotency key for the payment.
2. Send the key with every attempt.
3. Stop after the third attempt.
""",
    "caching": """---
title: Caching responses
tags: [http]
updated: 2026-01-02
---
Send `Cache-Control: max-age=60` with a response that may be a minute old. An ETag lets a client revalidate cheaply.
""",
    "guides/deploying": """# Deploying the service

A canary release sends five percent of the traffic to the new version first.

## Rolling back

Run the command below to roll back within a minute:

```bash
kubectl rollout undo deployment/web
```
""",
    "logging": """---
title: Writing useful logs
tags: [observability]
updated: 2026-02-03
---
Write one JSON object per line. Put the correlation ID into every line, so that one request can be followed.
""",
}


def quiet(what: str, done: int, total: int) -> None:
    """Progress that nobody watches."""


def write_articles(folder: Path, articles: dict[str, str]) -> Path:
    for id, text in articles.items():
        path = folder / f"{id}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


@dataclass(frozen=True)
class Site:
    """A served index: the client, and the parts behind it."""

    client: TestClient
    services: Services
    index: Path
    source: Path
    ingest: Callable[[], Report]


@pytest.fixture(scope="session")
def embedder() -> Embedder:
    return load_embedder("all-MiniLM-L6-v2", ROOT / "var" / "models", "int8", "bundled", workers=2)


@pytest.fixture(scope="session")
def chunker() -> Chunker:
    return Chunker(185)


@pytest.fixture(scope="session")
def indexed(tmp_path_factory: pytest.TempPathFactory, embedder: Embedder, chunker: Chunker) -> Callable[..., Path]:
    """Ingests articles, text by id, into an index of their own: its folder."""

    def indexed(articles: dict[str, str]) -> Path:
        folder = tmp_path_factory.mktemp("indexed")
        source = write_articles(folder / "source", articles)
        Synchroniser(SnapshotPublisher(folder / "index", 3), embedder, chunker, quiet).sync([source])
        return folder / "index"

    return indexed


@pytest.fixture(scope="session")
def kb_index(tmp_path_factory: pytest.TempPathFactory, embedder: Embedder, chunker: Chunker) -> Path:
    """The bundled KB, ingested once for all tests."""
    root = tmp_path_factory.mktemp("kb") / "index"
    Synchroniser(SnapshotPublisher(root, 3), embedder, chunker, quiet).sync([KB])
    return root


@pytest.fixture(scope="session")
def kb_snapshot(kb_index: Path) -> Snapshot:
    return open_current(kb_index)


@pytest.fixture(scope="session")
def kb_site(kb_index: Path, embedder: Embedder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The bundled KB behind the whole application."""
    yield from _site(kb_index, KB, embedder, tmp_path_factory.mktemp("kb-journal"), _nothing)


@pytest.fixture(scope="session")
def tiny_site(tmp_path_factory: pytest.TempPathFactory, embedder: Embedder, chunker: Chunker) -> Iterator[Site]:
    """The five tiny articles, ingested once, for tests that change none of them."""
    folder = tmp_path_factory.mktemp("tiny")
    source = write_articles(folder / "source", TINY)
    Synchroniser(SnapshotPublisher(folder / "index", 3), embedder, chunker, quiet).sync([source])
    yield from _site(folder / "index", source, embedder, folder, _nothing)


@pytest.fixture
def site(tmp_path: Path, embedder: Embedder, chunker: Chunker) -> Iterator[Site]:
    """The five tiny articles behind the whole application; `ingest` syncs what a test changed in `source`."""
    source, root = write_articles(tmp_path / "source", TINY), tmp_path / "index"

    def ingest() -> Report:
        return Synchroniser(SnapshotPublisher(root, 3), embedder, chunker, quiet).sync([source])

    ingest()
    yield from _site(root, source, embedder, tmp_path, ingest)


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """All that is logged, as JSON, at the level that operators run; logging is put back as it was afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    logs.configure("json", "info", stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)


@contextmanager
def make_services(
    index: Path,
    embedder: QuestionEmbedder | None,
    folder: Path,
    observer: Observer | None = None,
    **settings: Any,
) -> Iterator[Services]:
    """Those of `footnote serve --allow-anonymous` without limits, with journal and keys in `folder`.

    `settings` are others than the defaults. What is published is served at once.
    """
    chosen = Settings.model_validate(
        {
            "index": index,
            "journal": folder / "journal.sqlite",
            "keys": folder / "keys.sqlite",
            "allow_anonymous": True,
            "rate_ask": "",
            "rate_read": "",
            "rate_failure": "",
            **settings,
        }
    )
    with build_services(
        chosen,
        observer=observer,
        open_store=partial(SnapshotStore, interval=0),
        find_embedder=lambda store, settings: embedder,
    ) as services:
        yield services


def _site(index: Path, source: Path, embedder: Embedder, folder: Path, ingest: Callable[[], Report]) -> Iterator[Site]:
    with make_services(index, embedder, folder) as services:
        app = create_app(services, max_body=262_144, slots=WorkSlots(2, 64))
        with TestClient(app, raise_server_exceptions=False) as client:
            yield Site(client, services, index, source, ingest)


def _nothing() -> Report:
    raise NotImplementedError("this index is shared between tests: change a copy of it")
