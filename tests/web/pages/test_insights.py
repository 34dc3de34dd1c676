"""Insights, the description of the API and llms.txt over the whole application."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from xml.etree import ElementTree

import pytest
from bs4 import BeautifulSoup
from starlette.testclient import TestClient

from indexes.models.embedding import Embedder
from qa.insights.figures import Day
from tests.conftest import Site, make_services
from web.admission import WorkSlots
from web.app import create_app
from web.pages import charts
from web.pages.api_reference import operations
from web.pages.insights import _without_formula

LOCAL = "127.0.0.1"


@pytest.fixture
def local(tiny_site: Site, embedder: Embedder, tmp_path: Path) -> Iterator[Site]:
    """The tiny site as its keeper sees it, at the machine itself: what was asked is what the test asks."""
    with make_services(tiny_site.index, embedder, tmp_path) as services:
        app = create_app(services, 262_144, WorkSlots(2, 64))
        client = TestClient(app, base_url=f"http://{LOCAL}:8000", client=(LOCAL, 50000))
        yield replace(tiny_site, client=client, services=services)


@pytest.mark.parametrize("url", ["/insights", "/insights/gaps.csv", "/insights/inspect?q=tokens"])
def test_only_the_keeper_sees_what_people_asked(tiny_site: Site, local: Site, url: str) -> None:
    assert tiny_site.client.get(url).status_code == 401  # from an address that is not this machine's
    assert local.client.get(url, headers={"x-forwarded-for": "192.0.2.1"}).status_code == 401
    assert local.client.get(url).status_code == 200


def test_questions_without_an_answer_are_gaps_and_go_into_a_file_that_runs_nothing(local: Site) -> None:
    for question in ("=HYPERLINK(1) What is the capital of Mongolia?", "What is the capital of Mongolia?"):
        assert local.client.post("/api/v1/ask", json={"question": question}).json()["answered"] is False
    page = BeautifulSoup(local.client.get("/insights?days=7").text, "html.parser")
    (gap,) = [entry for entry in page.select(".gaps > li") if "Mongolia" in entry.get_text()]
    assert " ".join(gap.select(".times")[0].get_text().split()) == "2 times"
    response = local.client.get("/insights/gaps.csv?days=7")
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.reader(io.StringIO(response.text.removeprefix("\ufeff"))))
    assert rows[0] == ["topic", "question", "times asked", "last asked (UTC)", "nearest article", "kind"]
    assert "'=HYPERLINK(1) What is the capital of Mongolia?" in [row[1] for row in rows]


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "  =1"])
def test_a_cell_is_never_a_formula(cell: str) -> None:
    assert _without_formula(cell) == f"'{cell}"
    assert _without_formula("a=1") == "a=1"


def test_the_ranks_of_a_question_are_shown_and_it_is_not_kept(local: Site) -> None:
    before = local.client.get("/insights?days=7").text.count("grape")
    page = BeautifulSoup(local.client.get("/insights/inspect?q=refresh+token+grape").text, "html.parser")
    assert page.select(".ranks tbody tr")
    assert local.client.get("/insights?days=7").text.count("grape") == before


def test_past_ingests_are_listed(local: Site) -> None:
    page = BeautifulSoup(local.client.get("/insights").text, "html.parser")
    row = page.select("#ingests ~ .scroll tbody tr")[0]
    assert " ".join(row.select("th")[0].get_text().split()) == "000001 serving"


def test_a_chart_is_an_image_with_a_name_and_no_style() -> None:
    days = [
        Day(date(2026, 3, n), n, n % 2, n % 3, n * 10.0 if n % 4 else None, n * 30.0 if n % 4 else None)
        for n in range(1, 31)
    ]
    for chart in (charts.questions(days), charts.latency(days), charts.questions([]), charts.latency(days[:1])):
        root = ElementTree.fromstring(str(chart))
        assert root.attrib["role"] == "img"
        assert root.attrib["aria-label"]
        assert "style" not in chart
        assert not re.search(r"[\" ](nan|-?inf)", chart)


def test_every_route_of_the_api_is_described(tiny_site: Site) -> None:
    document = tiny_site.client.get("/openapi.json").json()
    page = BeautifulSoup(tiny_site.client.get("/docs").text, "html.parser")
    for path, methods in document["paths"].items():
        for method in methods:
            heading = f"{method.upper()} {path.replace(':path}', '}')}"
            assert heading in [" ".join(h.get_text().split()) for h in page.select("h3")]
    ask = next(o for group in operations(document).values() for o in group if o.path == "/api/v1/ask")
    fields = {field.name: field for field in ask.body}
    assert fields["question"].required
    assert fields["limit"].about == "1 to 50. Default: 8."
    assert fields["history[].role"].type == '"user" | "assistant"'
    assert "citations[].quote" in {field.name for field in ask.answer}
    assert page.select("script:not([src]), style, [style]") == []


def test_llms_txt_leads_to_the_markdown_of_every_article(tiny_site: Site) -> None:
    text = tiny_site.client.get("/llms.txt").text
    links = re.findall(r"\]\((\S+)\)", text)
    assert len(links) == 5
    for link in links:
        response = tiny_site.client.get(link)
        assert response.headers["content-type"] == "text/markdown; charset=utf-8"


def test_a_page_that_has_not_changed_is_not_sent_again(tiny_site: Site) -> None:
    for url in ("/articles/tokens.md", "/llms.txt", "/docs"):
        first = tiny_site.client.get(url)
        again = tiny_site.client.get(url, headers={"if-none-match": f'W/"x", {first.headers["etag"]}'})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    head = tiny_site.client.head("/articles/tokens")
    assert (head.status_code, head.content) == (200, b"")


def test_an_opinion_counts_once_and_only_from_this_site(local: Site) -> None:
    for helpful in ("yes", "no"):
        response = local.client.post("/articles/tokens", data={"helpful": helpful}, follow_redirects=False)
        assert response.status_code == 303
        assert response.headers["location"] == f"/articles/tokens?voted={helpful}#~helpful"
    votes = local.services.views.votes_since(date(2020, 1, 1))["tokens"]
    assert (votes.yes, votes.no) == (1, 0)
    elsewhere = {"sec-fetch-site": "cross-site"}
    assert local.client.post("/articles/tokens", data={"helpful": "yes"}, headers=elsewhere).status_code == 403
    assert local.client.post("/articles/tokens", data={"helpful": "maybe"}).status_code == 422
    assert local.client.post("/articles/gone", data={"helpful": "yes"}).status_code == 404
