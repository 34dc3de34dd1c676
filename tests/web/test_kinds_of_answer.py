"""An excerpt with the words that answer, and passages that may help: the same on every surface."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from bs4 import BeautifulSoup
from starlette.testclient import TestClient

from qa.types import CLOSEST
from tests.conftest import TINY, Site, write_articles
from tests.scripted import closest_answer, excerpt_answer, scripted_client

ASK = {"question": "How do I retry a payment?"}


@pytest.fixture
def excerpted(tiny_site: Site) -> Iterator[TestClient]:
    with scripted_client(tiny_site, excerpt_answer(tiny_site.services.store.current())) as client:
        yield client


@pytest.fixture
def closest(tiny_site: Site) -> Iterator[TestClient]:
    with scripted_client(tiny_site, closest_answer(tiny_site.services.store.current())) as client:
        yield client


def page_of(client: TestClient) -> BeautifulSoup:
    return BeautifulSoup(client.post("/", data=ASK).text, "html.parser")


def words(page: BeautifulSoup, selector: str) -> list[str]:
    return [" ".join(element.get_text().split()) for element in page.select(selector)]


# Programs


def test_a_citation_has_the_places_of_the_words_that_answer(excerpted: TestClient) -> None:
    answer = excerpted.post("/api/v1/ask", json=ASK).json()
    (cited,) = answer["citations"]
    (key,) = cited["key"]
    markdown = excerpted.get("/api/v1/articles/tokens").json()["markdown"]
    assert markdown[key["start"] : key["end"]] == "An access token lives for 10 minutes."
    assert cited["start"] <= key["start"] < key["end"] <= cited["end"]
    (other,) = answer["elsewhere"]
    assert other.keys() == {"article_id", "title", "url", "heading", "text", "start", "end"}
    assert (answer["kind"], answer["answered"], answer["closest"]) == ("answered", True, [])


def test_the_closest_passages_are_no_answer_and_cite_nothing(closest: TestClient) -> None:
    answer = closest.post("/api/v1/ask", json=ASK).json()
    assert (answer["kind"], answer["answered"], answer["citations"]) == ("closest", False, [])
    assert [passage["n"] for passage in answer["closest"]] == [1, 2]
    for passage in answer["closest"]:
        markdown = closest.get(f"/api/v1/articles/{passage['article_id']}").json()["markdown"]
        assert markdown[passage["start"] : passage["end"]] == passage["quote"]
    assert [other["article_id"] for other in answer["elsewhere"]] == ["tokens", "caching", "guides/deploying"]


def test_a_stream_and_a_kept_conversation_have_them_too(closest: TestClient) -> None:
    sent = closest.post("/api/v1/ask/stream?view=true", json=ASK).text
    streamed = json.loads(sent.rpartition("event: answer")[2].partition("data: ")[2].splitlines()[0])
    (kept,) = closest.get(f"/api/v1/conversations/{streamed['conversation_id']}").json()["turns"]
    for name in ("kind", "closest", "elsewhere", "text"):
        assert kept[name] == streamed[name]
    assert len(kept["closest"]) == 2
    assert "Closest passages" in json.dumps(streamed["view"])


def test_a_chat_client_gets_the_closest_passages_as_text_and_beside_the_citations(closest: TestClient) -> None:
    body = {"model": "footnote", "messages": [{"role": "user", "content": "How?"}]}
    completion = closest.post("/v1/chat/completions", json=body).json()
    message = completion["choices"][0]["message"]
    assert message["content"].startswith(CLOSEST)
    assert "(http://testserver/articles/retries?cite=" in message["content"]
    assert (completion["answered"], completion["kind"], completion["citations"]) == (False, "closest", [])
    assert completion["closest"] == message["closest"]
    assert completion["closest"][0]["url"].startswith("http://testserver/articles/retries?cite=")
    streamed = closest.post("/v1/chat/completions", json={**body, "stream": True}).text
    *_, end, _ = [line.removeprefix("data: ") for line in streamed.splitlines() if line]
    assert json.loads(end)["closest"] == completion["closest"]


def test_an_agent_is_told_to_assert_none_of_the_closest_passages(closest: TestClient) -> None:
    def called(method: str, **params: Any) -> Any:
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        return closest.post("/mcp", json=body, headers={"host": "localhost"}).json()["result"]

    answer = called("tools/call", name="ask", arguments=ASK)["structuredContent"]
    assert (answer["answered"], answer["kind"]) == (False, "closest")
    assert answer["closest"][0]["url"].startswith("http://localhost/articles/retries?cite=")
    assert answer["elsewhere"][0]["url"].startswith("http://localhost/articles/tokens?cite=")
    (tool,) = [tool for tool in called("tools/list")["tools"] if tool["name"] == "ask"]
    assert "never assert what the passages of `closest` say" in tool["description"]
    assert {"kind", "closest", "elsewhere"} <= tool["outputSchema"]["properties"].keys()


# People


def test_an_excerpt_is_shown_under_its_place_with_the_words_that_answer_marked(excerpted: TestClient) -> None:
    page = page_of(excerpted)
    assert words(page, ".excerpts .place") == ["Rotating refresh tokens"]
    assert words(page, ".excerpts mark.key") == ["An access token lives for 10 minutes."]
    assert words(page, ".excerpts p:not(.place)") == [
        "A refresh token is exchanged for a new one every time it is used. An access token lives for 10 minutes.[1]"
    ]
    assert page.select(".place a")[0]["href"] == page.select("a.cite")[0]["href"]
    assert words(page, ".confidence") == ["Confidence 83 %"]


def test_two_other_sections_are_listed_and_more_are_folded_away(excerpted: TestClient, closest: TestClient) -> None:
    (one,), (three,) = page_of(excerpted).select(".elsewhere"), page_of(closest).select(".elsewhere")
    assert one.has_attr("open")
    assert not three.has_attr("open")
    assert [link.get_text() for link in one.select("a")] == ["Caching responses"]
    assert len(three.select("li")) == 3


def test_the_closest_passages_are_cards_that_assert_nothing(closest: TestClient) -> None:
    page = page_of(closest)
    assert words(page, ".verdict") == ["The knowledge base may not answer this. Closest passages"]
    assert words(page, ".card .place") == ["Retrying requests safely › Choosing what to retry", "Writing useful logs"]
    assert words(page, ".card mark.key") == ["Send the key with every attempt."]
    assert len(page.select(".card ol li")) == 3
    assert page.select("a.cite, .sources, .confidence") == []


def test_the_closest_passages_are_judged_by_a_form_of_their_own(closest: TestClient) -> None:
    page = page_of(closest)
    assert words(page, ".feedback button") == ["Yes", "Report missing topic"]
    helped, missing = page.select(".feedback form")
    assert helped.select("input") == []
    assert missing.select("input[name=reason]")[0]["value"] == "missing topic"
    given = closest.post(str(helped["action"]), data={"helpful": "1"}, headers={"accept": "application/json"})
    assert "Thank you." in given.text


def test_an_export_quotes_the_closest_passages_with_their_addresses(closest: TestClient) -> None:
    conversation = closest.post("/api/v1/ask", json=ASK).json()["conversation_id"]
    text = closest.get(f"/conversations/{conversation}.md").text
    assert f"\n{CLOSEST}\n" in text
    assert "> 2. Send the key with every attempt.\n" in text
    assert "> [Retrying requests safely › Choosing what to retry](<http://testserver/articles/retries?cite=" in text
    assert "Other places that may answer:\n\n- [Rotating refresh tokens](<http://testserver/articles/tokens" in text


def test_only_the_closest_passages_is_a_figure_and_a_gap(tiny_site: Site) -> None:
    with scripted_client(tiny_site, closest_answer(tiny_site.services.store.current())) as client:
        local = TestClient(client.app, "http://127.0.0.1:8000", client=("127.0.0.1", 5000))
        local.post("/api/v1/ask", json={"question": "Which zebra retries?"})
        page = BeautifulSoup(local.get("/insights?days=7").text, "html.parser")
        (tile,) = [tile for tile in page.select(".tiles > div") if "Closest only" in tile.get_text()]
        assert "%" in tile.get_text()
        rows = csv.reader(io.StringIO(local.get("/insights/gaps.csv?days=7").text))
        assert [row[-1] for row in rows if row[1] == "Which zebra retries?"] == ["closest"]


# What changes after an answer


def test_a_closest_passage_is_found_where_it_has_moved_to(site: Site) -> None:
    with scripted_client(site, closest_answer(site.services.store.current())) as client:
        answer = client.post("/api/v1/ask", json=ASK).json()
        moved = TINY["retries"].replace("A client retries", "Read this first. A client retries")
        write_articles(site.source, {"retries": moved, "logging": TINY["logging"].replace("per line", "a line")})
        site.ingest()
        page = BeautifulSoup(client.get(f"/answers/{answer['answer_id']}").text, "html.parser")
    start, end = (answer["closest"][0][name] + len("Read this first. ") for name in ("start", "end"))
    assert f"?cite={start}-{end}&" in str(page.select(".card a")[0]["href"])
    assert words(page, ".card mark.key") == ["Send the key with every attempt."]
    assert "no longer in it" in words(page, ".card")[1]
    assert page.select(".card")[1].select("a")[0]["href"] == "/articles/logging"


def test_another_section_of_an_article_that_is_gone_is_named_no_more(site: Site) -> None:
    with scripted_client(site, excerpt_answer(site.services.store.current())) as client:
        answer = client.post("/api/v1/ask", json=ASK).json()
        (site.source / "caching.md").unlink()
        site.ingest()
        page = BeautifulSoup(client.get(f"/answers/{answer['answer_id']}").text, "html.parser")
    assert page.select(".excerpts mark.key")
    assert page.select(".elsewhere") == []


@pytest.mark.parametrize("restricted", ["logging", "guides/deploying"], ids=["closest", "elsewhere"])
def test_an_answer_is_hidden_from_whoever_may_no_longer_read_what_it_shows(site: Site, restricted: str) -> None:
    with scripted_client(site, closest_answer(site.services.store.current())) as client:
        answer = client.post("/api/v1/ask", json=ASK).json()
        local = TestClient(client.app, "http://127.0.0.1:8000", client=("127.0.0.1", 5000))
        assert ASK["question"] in local.get("/insights/gaps.csv?days=7").text
        body = TINY[restricted].removeprefix("---\n").partition("---\n")
        text = f"---\ntitle: Other\naudience: [sre]\n---\n{body[2] or body[0]}"
        write_articles(site.source, {restricted: text})
        site.ingest()
        assert client.get(f"/answers/{answer['answer_id']}").status_code == 404
        assert client.get(f"/api/v1/conversations/{answer['conversation_id']}").status_code == 404
        assert ASK["question"] not in local.get("/insights/gaps.csv?days=7").text


def test_an_answer_that_was_shown_to_a_group_stays_with_it(tiny_site: Site) -> None:
    answer = replace(closest_answer(tiny_site.services.store.current()), audiences=(("sre",),))
    with scripted_client(tiny_site, answer) as client:
        given = client.post("/api/v1/ask", json=ASK).json()
        assert client.get(f"/answers/{given['answer_id']}").status_code == 404
