"""An article a reader may not see must not be felt anywhere: two knowledge bases that differ in such articles alone
answer that reader alike, to the byte, whatever is asked and wherever.

`FOOTNOTE_REQUESTS` sets how many requests are compared; `make leaks` compares 2,000.
"""

from __future__ import annotations

import os
import random
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TypeAlias

import httpx2
import pytest
from pydantic import SecretStr
from starlette.testclient import TestClient

from indexes.models.embedding import Embedder
from indexes.snapshots.publisher import SnapshotPublisher
from indexes.types import ANYONE, Viewer
from ingest.chunking import Chunker
from ingest.sync import Synchroniser
from qa.types import Question
from tests.conftest import KB, TINY, Site, make_services, quiet, write_articles
from tests.web.slack import standin
from tests.web.slack.conftest import PUBLIC
from tests.web.slack.standin import Slack
from web.admission import WorkSlots
from web.app import create_app
from web.observing.metrics import IndexState
from web.services import Services
from web.settings import Settings
from web.slack.sending import web_client
from web.slack.service import build

REQUESTS = int(os.environ.get("FOOTNOTE_REQUESTS", "240"))
SEED = 20260330

# Each tries to be felt in its own way: by rare and by common words, by tags of its own and shared ones, by being the
# best answer, the newest, the most viewed, featured, nearly the same as a public article, linked, or in a category.
HIDDEN = {
    "aardvark": "title: Aardvark failover runbook\ntags: [aardvark, resilience]\nfeatured: true\nviews: 999999\n"
    "updated: 2031-01-01\n",
    "quagga/contract": "title: The Quagga contract\ntags: [contracts, auth]\ncategory: Contracts\n",
    "zz-tokens": "title: Rotating refresh tokens\ntags: [auth, tokens]\nsummary: How refresh tokens are rotated.\n",
    "aa-retries": "title: Retrying requests safely, for insiders\ntags: [resilience, auth]\nfeatured: true\n",
    "caching-secrets": "title: Caching responses\ntags: [http]\nviews: 50\n",
    "guides/aa-first": "title: Deploying the service in secret\ntags: [observability]\nupdated: 2026-12-24\n",
    "logging-2": "title: Writing useful logs, unabridged\ntags: [observability, logs]\n",
    "jwt-internal": "title: Signing keys of the gateway\ntags: [auth]\ntype: Runbook\n",
    "payroll": "title: Payroll\ntags: [people]\nsummary: What everyone earns.\n",
    "okapi": "title: Okapi\ntags: [Okapi]\n",
}
BODIES = {
    "aardvark": "The aardvark fails over when a client retries a request four times. Press the red button.",
    "quagga/contract": "The quagga contract caps damages at 5 million and allows an access token of 90 days.",
    "zz-tokens": TINY["tokens"].partition("---\n")[2].partition("---\n")[2],
    "aa-retries": "A client retries an idempotent request at most nine times. See [tokens](tokens.md).",
    "caching-secrets": "Send `Cache-Control: max-age=60` with a response that may be a minute old. The key is xyzzy.",
    "guides/aa-first": "A canary release sends fifty percent of the traffic to the new version first.",
    "logging-2": "Write one JSON object per line. Put the correlation ID into every line, and the password of root.",
    "jwt-internal": "## Rotation\n\nThe signing keys are rotated on Mondays.\n\n## Loss\n\nCall the CFO.",
    "payroll": "| Who | Earns |\n| --- | --- |\n| CEO | 1 |\n| CFO | 2 |",
    "okapi": "```bash\nokapi rollout undo deployment/web\n```\n\nRun the command above to roll back within a minute.",
}
WORDS = (
    "aardvark quagga contract okapi payroll earns CFO xyzzy Mondays signing keys refresh token rotated twice access "
    "lives minutes client retries times backoff jitter idempotent canary release percent traffic roll back command "
    "log line JSON correlation cache max-age ETag revalidate HTTP 503 Kubernetes N+1 query index circuit breaker"
).split()
TAGS = ("auth", "tokens", "http", "resilience", "observability", "aardvark", "contracts", "Okapi", "people", "logs")
ARTICLES = (*HIDDEN, *TINY, "okapi.md", "payroll.md", "nonesuch", "sql-query-optimisation-indexes")
OPENINGS = ("How does", "What is", "Who knows about", "When is", "Is there", "Why", "", "And what about", "Compare")


@dataclass
class Visitor:
    """Readers at one of the two sites: one at the machine itself, one with a key of another group, one in Slack.

    It remembers what was answered there.
    """

    client: TestClient
    slack: Slack
    key: str
    answers: list[str] = field(default_factory=list)
    conversations: list[str] = field(default_factory=list)
    cursors: list[str] = field(default_factory=lambda: [""])

    def ask(self, path: str, body: dict[str, object]) -> httpx2.Response:
        response = self.client.post(path, json=body)
        self.answers += re.findall(r'"answer_id":"(\w+)"', response.text)[:1]
        self.conversations += re.findall(r'"conversation_id":"(\w+)"', response.text)[:1]
        return response


Move: TypeAlias = Callable[[Visitor, random.Random], httpx2.Response | str]


def question(rng: random.Random) -> str:
    words = rng.sample(WORDS, rng.randint(1, 5))
    return f"{rng.choice(OPENINGS)} {' '.join(words)}{rng.choice(('?', '', '? And the ' + rng.choice(WORDS) + '?'))}"


def some_tags(rng: random.Random) -> list[str]:
    return rng.sample(TAGS, rng.choice((0, 0, 0, 1, 2)))


def asking(path: str) -> Move:
    def move(visitor: Visitor, rng: random.Random) -> httpx2.Response:
        body: dict[str, object] = {
            "question": question(rng),
            "tags": some_tags(rng),
            "tag_mode": rng.choice(("any", "all")),
            "limit": rng.choice((1, 8, 50)),
        }
        if rng.random() < 0.3 and visitor.conversations:
            body["conversation_id"] = rng.choice(visitor.conversations)
        return visitor.ask(path, body)

    return move


def listing(visitor: Visitor, rng: random.Random) -> httpx2.Response:
    words = " ".join(rng.sample(WORDS, rng.choice((0, 1, 1, 2))))
    params = {
        "q": words,
        "tag": some_tags(rng),
        "tag_mode": rng.choice(("any", "all")),
        "limit": rng.choice((2, 50)),
        "sort": rng.choice(("featured", "newest", "views", "title", "relevance")),
        "cursor": rng.choice(visitor.cursors),
    }
    response = visitor.client.get("/api/v1/articles", params={name: value for name, value in params.items() if value})
    visitor.cursors += re.findall(r'"next_cursor":"([^"]+)"', response.text)
    return response


def browsing(visitor: Visitor, rng: random.Random) -> httpx2.Response:
    params = {"q": rng.choice(("", rng.choice(WORDS))), "tag": some_tags(rng), "sort": rng.choice(("newest", "views"))}
    return visitor.client.get("/browse", params=params)


def searching(visitor: Visitor, rng: random.Random) -> httpx2.Response:
    return visitor.client.get("/api/v1/search", params={"q": question(rng), "tag": some_tags(rng), "limit": 20})


def chatting(visitor: Visitor, rng: random.Random) -> httpx2.Response:
    form = {"question": question(rng), "tags": some_tags(rng)}
    response = visitor.client.post("/", data=form)
    visitor.conversations += re.findall(r"/conversations/(\w+)", str(response.url))
    return response


def completing(visitor: Visitor, rng: random.Random) -> httpx2.Response:
    model = "footnote" + rng.choice(("", "", f":{rng.choice(TAGS)}"))
    body = {"model": model, "messages": [{"role": "user", "content": question(rng)}], "stream": rng.random() < 0.5}
    return visitor.client.post("/v1/chat/completions", json=body)


def as_an_agent(tool: str) -> Move:
    def move(visitor: Visitor, rng: random.Random) -> httpx2.Response:
        arguments: dict[str, object] = {
            "search": {"query": question(rng), "tags": some_tags(rng), "limit": 20},
            "fetch": {"id": rng.choice(ARTICLES)},
            "ask": {"question": question(rng), "tags": some_tags(rng)},
        }
        params = {"name": tool, "arguments": arguments[tool]}
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
        return visitor.client.post("/mcp", json=body)

    return move


def asking_in_slack(visitor: Visitor, rng: random.Random) -> str:
    """All that Slack is sent for a command."""
    client, before = visitor.client, len(visitor.slack.sent)
    tags = " ".join(f"tag:{tag}" for tag in some_tags(rng))
    body = standin.command(f"{tags} {question(rng)}".strip(), visitor.slack.response_url())
    kind = {"content-type": "application/x-www-form-urlencoded"}
    response = client.post("/slack/commands", content=body, headers={**kind, **standin.signed(body)})
    assert client.portal
    client.portal.call(client.app.state.slack.worker._queue.join)  # type: ignore[attr-defined, call-arg]
    return f"{response.status_code} {[sent.payload for sent in visitor.slack.sent[before:]]}"


def getting(template: str, *names: str) -> Move:
    """GET an address with one of `names` in it."""
    return lambda visitor, rng: visitor.client.get(template.format(rng.choice(names)), follow_redirects=False)


def an_answer(template: str) -> Move:
    return lambda visitor, rng: visitor.client.get(template.format(rng.choice([*visitor.answers, "nonesuch"])))


def a_conversation(template: str) -> Move:
    return lambda visitor, rng: visitor.client.get(template.format(rng.choice([*visitor.conversations, "nonesuch"])))


def judging(visitor: Visitor, rng: random.Random) -> httpx2.Response:
    body = {"answer_id": rng.choice([*visitor.answers, "nonesuch"]), "helpful": rng.random() < 0.5}
    return visitor.client.post("/api/v1/feedback", json=body)


MOVES: dict[str, Move] = {
    "ask": asking("/api/v1/ask"),
    "ask again": asking("/api/v1/ask"),
    "stream": asking("/api/v1/ask/stream"),
    "stream with a view": asking("/api/v1/ask/stream?view=true"),
    "search": searching,
    "listing": listing,
    "article": getting("/api/v1/articles/{}", *ARTICLES),
    "related": getting("/api/v1/articles/{}/related?limit=50", *ARTICLES),
    "tags": getting("/api/v1/tags?limit={}", "3", "1000"),
    "status": getting("/api/v1/status{}", ""),
    "health": getting("/{}", "readyz", "livez"),
    "chat page": getting("/{}", "", "?q=aardvark", "?tags=aardvark"),
    "chat form": chatting,
    "browse": browsing,
    "article page": getting("/articles/{}", *ARTICLES),
    "article as Markdown": getting("/articles/{}.md", *ARTICLES),
    "passage": getting("/articles/{}?cite=0-20", *ARTICLES),
    "texts": getting("/{}", "llms.txt", "docs", "openapi.json"),
    "permalink": an_answer("/answers/{}"),
    "permalink as Markdown": an_answer("/answers/{}.md"),
    "conversation": a_conversation("/api/v1/conversations/{}"),
    "conversation page": a_conversation("/conversations/{}"),
    "conversation as Markdown": a_conversation("/conversations/{}.md"),
    "feedback": judging,
    "models": getting("/v1/models{}", "", "/footnote", "/footnote:aardvark", "/footnote:auth"),
    "completion": completing,
    "agent's search": as_an_agent("search"),
    "agent's fetch": as_an_agent("fetch"),
    "agent's question": as_an_agent("ask"),
    "Slack": asking_in_slack,
    "insights": getting("/insights?days={}", "7", "90"),
    "gaps": getting("/insights/gaps.csv?days={}", "7"),
    "inspect": getting("/insights/inspect?q={}", "aardvark", "How often does a client retry?", "payroll CFO"),
}


@pytest.fixture(scope="module")
def visitors(
    tmp_path_factory: pytest.TempPathFactory, embedder: Embedder, chunker: Chunker
) -> Iterator[tuple[Visitor, Visitor]]:
    """One at a site with the hidden articles, one at a site without them."""
    hidden = {id: f"---\n{fields}audience: [sre]\n---\n{BODIES[id]}\n" for id, fields in HIDDEN.items()}
    public = TINY | {path.stem: path.read_text(encoding="utf-8") for path in sorted(KB.glob("*-[a-f]*.md"))[:8]}
    base = tmp_path_factory.mktemp("base")  # both begin with all but one of the public articles, embedded once
    first = {id: text for id, text in public.items() if id != "logging"}
    Synchroniser(SnapshotPublisher(base / "index", 3), embedder, chunker, quiet).sync(
        [write_articles(base / "source", first)]
    )
    found = []
    opened = ExitStack()
    for name, articles in {"with": {**public, **hidden}, "without": public}.items():
        folder = tmp_path_factory.mktemp("sites") / name
        source = write_articles(shutil.copytree(base, folder) / "source", articles)
        Synchroniser(SnapshotPublisher(folder / "index", 3), embedder, chunker, quiet).sync([source])
        services = opened.enter_context(make_services(folder / "index", embedder, folder))
        found.append(_visitor(services))
    with opened, found[0].client, found[1].client:
        yield found[0], found[1]
    for visitor in found:
        visitor.slack.close()


def _visitor(services: Services) -> Visitor:
    slots, slack = WorkSlots(2, 64), Slack()
    settings = Settings(
        slack_signing_secret=SecretStr(standin.SECRET), slack_bot_token=SecretStr(standin.TOKEN), public_url=PUBLIC
    )
    api = web_client(standin.TOKEN, f"{slack.address}/api/")
    app = create_app(services, 262_144, slots, (), build(settings, services, slots, api, slack.http_client()))
    _, key = services.access_rules.keys.create("hr", ("ask", "read", "feedback", "admin"), ["hr"])
    client = TestClient(app, "http://127.0.0.1:8000", client=("127.0.0.1", 5000), raise_server_exceptions=False)
    return Visitor(client, slack, key)


_VARYING = (
    (re.compile(r"[0-9a-f]{32}"), "ID"),
    (re.compile(r'"took_ms": ?[\d.]+'), '"took_ms":0'),
    (re.compile(r'"created": ?\d+'), '"created":0'),
    (re.compile(r"\d+(\.\d+)? (ms|s)\b"), "0 ms"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|\+00:00| UTC)?"), "NOW"),
    (re.compile(r"(?s)<figcaption>Time to answer.*?</figure>"), ""),
    (re.compile(r"[A-Z][a-z]{2} \d+, \d{4}, \d\d:\d\d UTC"), "NOW"),
    (re.compile(r"(just now|\d+ (second|minute)s? ago)"), "AGO"),
)


def said(response: httpx2.Response | str) -> tuple[int, str, dict[str, str]]:
    """What a reader is told, but for ids and times."""
    text = response if isinstance(response, str) else response.text
    for pattern, plain in _VARYING:
        text = pattern.sub(plain, text)
    if isinstance(response, str):
        return 200, text, {}
    left_out = ("etag", "content-length", "date", "location", "x-request-id")
    return response.status_code, text, {k: v for k, v in response.headers.items() if k not in left_out}


def test_two_knowledge_bases_that_differ_in_hidden_articles_answer_alike(visitors: tuple[Visitor, Visitor]) -> None:
    rng = random.Random(SEED)
    names = list(MOVES)
    statuses = Counter[int]()
    for number in range(REQUESTS):
        name = names[number % len(names)]
        seed, with_key = rng.random(), rng.random() < 0.5
        for visitor in visitors:
            visitor.client.headers["authorization"] = f"Bearer {visitor.key}" if with_key else ""
        whole, without = (said(MOVES[name](visitor, random.Random(seed))) for visitor in visitors)
        assert whole == without, f"request {number}: {name}, seed {seed}"
        statuses[whole[0]] += 1
    assert statuses[200] > REQUESTS / 2
    assert set(statuses) <= {200, 303, 404, 422}


def test_what_is_hidden_from_others_answers_its_group(visitors: tuple[Visitor, Visitor]) -> None:
    services = visitors[0].client.app.state.services  # type: ignore[attr-defined]
    question = "How many times does a client retry the aardvark?"
    for_sre, for_anyone = (
        services.conversations.ask(Question(question, viewer=viewer)).answer
        for viewer in (Viewer(frozenset(["sre"])), ANYONE)
    )
    assert "aardvark" in {citation.article_id for citation in for_sre.citations}
    assert "aardvark" not in {passage.article.id for passage in for_anyone.passages}
    client = visitors[0].client
    assert client.get(f"/answers/{for_anyone.answer_id}").status_code == 200
    for address in (f"/answers/{for_sre.answer_id}", f"/answers/{for_sre.answer_id}.md"):
        assert client.get(address).status_code == 404


def test_a_permalink_dies_with_the_right_to_read_what_it_quotes(site: Site) -> None:
    asked = {"question": "How long does an access token live?"}
    answer = site.client.post("/api/v1/ask", json=asked).json()
    assert site.client.get(f"/answers/{answer['answer_id']}").status_code == 200
    write_articles(site.source, {"tokens": TINY["tokens"].replace("tags:", "audience: [sre]\ntags:")})
    site.ingest()
    assert site.client.get(f"/answers/{answer['answer_id']}").status_code == 404
    assert site.client.get(f"/api/v1/conversations/{answer['conversation_id']}").status_code == 404


def test_an_answer_for_a_group_stays_with_it_when_the_article_is_deleted(site: Site) -> None:
    write_articles(site.source, {"tokens": TINY["tokens"].replace("tags:", "audience: [sre]\ntags:")})
    site.ingest()
    asked = Question("How long does an access token live?", viewer=Viewer(frozenset(["sre"])))
    answer = site.services.conversations.ask(asked).answer
    assert answer.citations[0].article_id == "tokens"
    (site.source / "tokens.md").unlink()
    site.ingest()
    assert site.client.get(f"/answers/{answer.answer_id}").status_code == 404
    assert site.services.conversations.answer(answer.answer_id, asked.viewer).answer.text == answer.text


def test_figures_for_operators_count_what_is_for_everyone(visitors: tuple[Visitor, Visitor]) -> None:
    counts = []
    for visitor in visitors:
        services = visitor.client.app.state.services  # type: ignore[attr-defined]
        state = IndexState(services.store, ())
        found = {metric.name: metric.samples[0].value for metric in state.collect() if metric.samples}
        counts.append((found["footnote_index_articles"], found["footnote_index_chunks"]))
    assert counts[0] == counts[1]
