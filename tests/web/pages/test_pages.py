"""The pages over the whole application, as a browser without JavaScript sees them."""

from __future__ import annotations

import re
from datetime import datetime
from typing import cast
from urllib.parse import quote

import pytest
from bs4 import BeautifulSoup, Tag
from fastapi import FastAPI
from httpx2 import Response

from tests.conftest import Site, write_articles
from web.middleware.headers import HEADERS

TOKENS = "How long does an access token live?"


def page(site: Site, url: str, status: int = 200) -> BeautifulSoup:
    response = site.client.get(url)
    assert response.status_code == status
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    return BeautifulSoup(response.text, "html.parser")


def asked(site: Site, question: str, status: int = 200, **fields: str | list[str]) -> BeautifulSoup:
    response = site.client.post("/", data={"question": question, **fields})
    assert response.status_code == status
    return BeautifulSoup(response.text, "html.parser")


def words(element: Tag | None) -> str:
    assert element is not None
    return " ".join(element.get_text().split())


def titles(listing: BeautifulSoup) -> list[str]:
    return [words(heading) for heading in listing.select(".articles h2")]


# Every page


@pytest.mark.parametrize(
    ("url", "status"), [("/", 200), ("/browse", 200), ("/articles/tokens?cite=0-10", 200), ("/articles/gone", 404)]
)
def test_every_page_has_one_heading_a_skip_link_and_says_how_old_the_index_is(
    tiny_site: Site, url: str, status: int
) -> None:
    shown = page(tiny_site, url, status)
    assert len(shown.select("h1")) == 1
    skip = shown.select_one("a.skip")
    main = shown.main
    assert skip
    assert main
    assert skip["href"] == f"#{main['id']}"
    updated = shown.select_one("footer time")
    assert updated
    assert datetime.fromisoformat(str(updated["datetime"])).tzinfo
    assert "generation 000001" in words(shown.footer)


@pytest.mark.parametrize("url", ["/", "/browse", "/articles/tokens?cite=0-10", "/articles/gone"])
def test_no_page_needs_what_the_content_security_policy_forbids(tiny_site: Site, url: str) -> None:
    shown = BeautifulSoup(tiny_site.client.get(url).text, "html.parser")
    assert shown.select("style, [style], [onclick], img") == []
    for linked in shown.select("link[rel=stylesheet], link[rel=icon], script"):
        assert not linked.get_text()
        address = str(linked["src" if linked.name == "script" else "href"])
        assert address.startswith("/static/")
        assert tiny_site.client.get(address).status_code == 200


def test_ids_on_a_page_are_unique(tiny_site: Site) -> None:
    for url in ("/", "/browse", "/articles/tokens?cite=0-10"):
        ids = [element["id"] for element in page(tiny_site, url).select("[id]")]
        assert len(ids) == len(set(ids))


# Chat


def test_the_empty_chat_says_what_it_knows_and_offers_questions(tiny_site: Site) -> None:
    shown = page(tiny_site, "/")
    assert "5 articles in" in words(shown.select_one(".lead"))
    assert "updated Mar 30, 2026" in words(shown.select_one(".lead"))
    examples = shown.select(".examples a")
    assert words(examples[0]) == "What should I know about Rotating refresh tokens?"
    assert words(page(tiny_site, str(examples[0]["href"])).textarea) == words(examples[0])


def test_the_examples_are_questions_that_the_bundled_kb_answers(kb_site: Site) -> None:
    examples = [words(link) for link in page(kb_site, "/").select(".examples a")]
    assert len(examples) == 4
    for question in examples:
        assert asked(kb_site, question).select("a.cite"), question


def test_an_address_can_fill_in_the_question_and_its_tags(tiny_site: Site) -> None:
    shown = page(tiny_site, "/?q=%3C%2Ftextarea%3Ewhy&tags=auth")
    assert words(shown.textarea) == "</textarea>why"
    assert [box["value"] for box in shown.select("input[name=tags][checked]")] == ["auth"]


def test_an_answer_is_footnoted_and_each_footnote_opens_the_article_at_its_passage(tiny_site: Site) -> None:
    shown = asked(tiny_site, TOKENS)
    chips = shown.select(".turn .prose a.cite")
    assert "An access token lives for 10 minutes." in words(shown.select_one(".turn .prose"))
    assert chips
    sources = {str(link["href"]) for link in shown.select(".sources a")}
    for chip in chips:
        assert str(chip["href"]) in sources
        cited = page(tiny_site, str(chip["href"]).partition("#")[0])
        assert cited.select_one("mark#cited")
        assert words(cited.select_one(".citing .back")) == "← Back to answer"


def test_an_answer_names_its_sources_how_sure_it_is_and_what_is_related(tiny_site: Site) -> None:
    shown = asked(tiny_site, TOKENS)
    assert words(shown.select_one(".sources a")) == "Rotating refresh tokens"
    assert "An access token lives for 10 minutes." in words(shown.select_one(".sources blockquote"))
    assert re.fullmatch(r"Confidence \d+ %(: check the sources)?", words(shown.select_one(".confidence")))
    assert [words(link) for link in shown.select(".related a")]
    assert "same topic" in words(shown.select_one(".related .path"))


def test_no_answer_is_said_plainly_with_the_nearest_articles(tiny_site: Site) -> None:
    shown = asked(tiny_site, "What is the capital of Mongolia?")
    assert words(shown.select_one(".verdict")) == "The knowledge base does not say."
    assert shown.select(".refusal ul.plain a")
    assert shown.select(".confidence, a.cite, .sources") == []


def test_a_greeting_is_returned_not_refused(tiny_site: Site) -> None:
    shown = asked(tiny_site, "Hello!")
    assert "Hello." in words(shown.select_one(".turn .prose"))
    assert shown.select(".verdict") == []


def test_a_follow_up_keeps_the_conversation_and_shows_what_was_said(tiny_site: Site) -> None:
    first = asked(tiny_site, "How are refresh tokens rotated?")
    hidden = first.select_one("input[name=conversation_id]")
    assert hidden
    second = asked(tiny_site, "And when one is presented twice?", conversation_id=str(hidden["value"]))
    assert [words(heading) for heading in second.select(".question")] == [
        "How are refresh tokens rotated?",
        "And when one is presented twice?",
    ]
    assert "revoke the whole token family" in words(second.select(".turn .prose")[-1])
    kept = second.select_one("input[name=conversation_id]")
    assert kept
    assert kept["value"] == hidden["value"]


def test_the_chosen_tags_restrict_the_answer_and_stay_chosen(tiny_site: Site) -> None:
    shown = asked(tiny_site, TOKENS, tags=["http"])
    assert {str(link["href"]) for link in shown.select(".refusal ul.plain a")} <= {"/articles/caching"}
    assert [box["value"] for box in shown.select("input[name=tags][checked]")] == ["http"]


@pytest.mark.parametrize(
    ("question", "fields", "status", "error"),
    [
        ("  ", {}, 422, "Please type a question first."),
        ("x" * 4001, {}, 422, "This question is too long: please keep it under 4,000 characters."),
        ("a\x00b", {}, 422, "This question holds characters that cannot be read: please remove them."),
        ("why <b>?", {"tags": "authz"}, 422, "No article carries the tag “authz”. Did you mean “auth”?"),
        ("why <b>?", {"conversation_id": "gone"}, 404, "This conversation is no longer there."),
        ("why <b>?", {"conversation_id": "x" * 200}, 422, "The form was not complete (conversation_id)"),
    ],
)
def test_what_was_wrong_is_said_beside_the_question_which_is_kept(
    tiny_site: Site, question: str, fields: dict[str, str], status: int, error: str
) -> None:
    shown = asked(tiny_site, question, status, **fields)
    assert words(shown.select_one("[role=alert]")).startswith(error)
    area = shown.textarea
    assert area
    assert area.get_text() == f"\n{question}"  # a browser drops the first line break
    assert area["aria-describedby"] == "error"
    assert all(field.get("value") != "gone" for field in shown.select("input[name=conversation_id]"))


def test_a_question_with_line_breaks_is_counted_as_it_was_typed(tiny_site: Site) -> None:
    asked(tiny_site, "why\r\n" * 900)


# Browse


def test_browse_shows_the_whole_category_with_the_featured_articles_first(kb_site: Site) -> None:
    shown = page(kb_site, "/browse")
    assert words(shown.h1) == "Product Engineering"
    assert "APIs, dashboards, CI/CD, observability, and full-stack delivery." in words(shown.select_one(".lead"))
    assert words(shown.select_one("[role=status]")) == "52 results"
    assert words(shown.select_one(".eyebrow a")) == "Main site"
    featured = [bool(row.select(".featured")) for row in shown.select(".articles > li")]
    assert featured == [True] * 11 + [False] * 9


def test_every_article_is_on_one_of_the_numbered_pages(kb_site: Site) -> None:
    numbers = page(kb_site, "/browse").select(".pages a")
    listed = [title for link in numbers for title in titles(page(kb_site, str(link["href"])))]
    assert len(listed) == len(set(listed)) == 52


def test_a_row_shows_what_the_listing_knows_of_an_article(site: Site) -> None:
    row = page(site, "/browse").select(".articles > li")[0]
    assert words(row.select_one(".kind")) == "Article ★ Featured"
    link = row.select_one("h2 a")
    assert link
    assert (link["href"], words(link)) == ("/articles/tokens", "Rotating refresh tokens")
    assert words(row.select_one(".summary")) == "How refresh tokens are rotated and revoked."
    assert [words(tag) for tag in row.select(".chips a")] == ["auth", "tokens"]
    assert words(row.select_one(".facts")) == "3 views · Mar 30, 2026"
    time = row.select_one("time")
    assert time
    assert time["datetime"] == "2026-03-30"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("sort=title&q=re", ["Caching responses", "Retrying requests safely", "Rotating refresh tokens"]),
        ("tag=auth&sort=title", ["Retrying requests safely", "Rotating refresh tokens"]),
        ("tag=AUTH&tag=resilience&tag_mode=all", ["Retrying requests safely"]),
        ("featured=1", ["Rotating refresh tokens"]),
        ("sort=newest&tag=http&tag=observability", ["Writing useful logs", "Caching responses"]),
        ("page=99&q=logs", ["Writing useful logs"]),
    ],
)
def test_the_address_says_what_is_listed_and_how(tiny_site: Site, query: str, expected: list[str]) -> None:
    shown = page(tiny_site, f"/browse?{query}")
    assert titles(shown) == expected
    count = len(expected)
    assert words(shown.select_one("[role=status]")) == f"{count} result{'s' if count > 1 else ''}"


@pytest.mark.parametrize("query", ["sort=best", "page=-1", "page=two", "page=0", "tag_mode=some", "featured=7", "tag="])
def test_what_makes_no_sense_in_the_address_is_ignored(tiny_site: Site, query: str) -> None:
    assert words(page(tiny_site, f"/browse?{query}").select_one("[role=status]")) == "5 results"


def test_filters_in_use_can_be_taken_off_one_by_one(tiny_site: Site) -> None:
    shown = page(tiny_site, "/browse?q=re&tag=auth&featured=1&sort=title")
    assert [str(link["href"]) for link in shown.select(".chosen a")] == [
        "/browse?tag=auth&featured=1&sort=title",
        "/browse?q=re&tag=auth&sort=title",
        "/browse?q=re&featured=1&sort=title",
    ]


def test_tags_are_offered_with_how_many_articles_they_would_show(tiny_site: Site) -> None:
    labels = [words(label) for label in page(tiny_site, "/browse?tag=http").select(".choices label")]
    assert labels[:2] == ["http 1", "auth 2"]
    narrowed = page(tiny_site, "/browse?tag=auth&tag_mode=all").select(".choices label")
    assert [words(label) for label in narrowed] == ["auth 2", "resilience 1", "tokens 1"]


def test_nothing_found_offers_to_ask_instead(tiny_site: Site) -> None:
    shown = page(tiny_site, "/browse?q=zebra+%26+co")
    link = shown.select_one(".nothing a.button")
    assert link
    assert words(page(tiny_site, str(link["href"])).textarea) == "zebra & co"


def test_an_unknown_tag_is_named_with_near_ones(tiny_site: Site) -> None:
    shown = page(tiny_site, "/browse?tag=authz", 422)
    assert words(shown.select_one("[role=alert]")) == "No article carries the tag “authz”. Did you mean “auth”?"


# Article


def test_an_article_shows_its_facts_contents_and_what_is_related(site: Site) -> None:
    shown = page(site, "/articles/tokens")
    assert words(shown.h1) == "Rotating refresh tokens"
    assert words(shown.select_one(".facts")) == "1 min read · 4 views · updated Mar 30, 2026"
    assert [str(link["href"]) for link in shown.select(".contents a")] == [
        "#detecting-reuse",
        "#configuring-the-lifetime",
    ]
    assert [str(link["href"]) for link in shown.select(".chips a")] == ["/browse?tag=auth", "/browse?tag=tokens"]
    assert "same topic: auth" in [words(reason) for reason in shown.select(".related .path")]
    canonical = shown.select_one("link[rel=canonical]")
    assert canonical
    assert canonical["href"] == "/articles/tokens"
    ask = shown.select_one(".further a.button")
    assert ask
    assert words(page(site, str(ask["href"])).textarea) == "What does “Rotating refresh tokens” say about"


def test_the_anchors_of_a_page_are_those_the_api_gives(kb_site: Site) -> None:
    for article in kb_site.client.get("/api/v1/articles?limit=200").json()["items"]:
        headings = kb_site.client.get(f"/api/v1/articles/{article['id']}").json()["headings"]
        shown = page(kb_site, article["url"])
        assert [heading["id"] for heading in shown.select(".prose .heading :is(h2, h3, h4)")] == [
            heading["anchor"] for heading in headings
        ]


def test_the_title_of_an_imported_article_is_shown_once(tiny_site: Site) -> None:
    shown = page(tiny_site, "/articles/guides/deploying")
    assert [words(heading) for heading in shown.select("h1, .prose h2")] == ["Deploying the service", "Rolling back"]


def test_an_article_links_to_the_pages_of_others(site: Site) -> None:
    link = next(link for link in page(site, "/articles/tokens").select(".prose a") if words(link) == "retries")
    assert link["href"] == "/articles/retries"
    (site.source / "retries.md").unlink()
    site.ingest()
    assert all(words(link) != "retries" for link in page(site, "/articles/tokens").select(".prose a"))


@pytest.mark.parametrize("cite", ["", "5", "x-y", "9-3", "3-3", "0-99999", "-1-5", "0-1-2", "١-٣", "9" * 5000 + "-3"])
def test_a_passage_that_is_none_is_ignored(tiny_site: Site, cite: str) -> None:
    shown = page(tiny_site, f"/articles/tokens?cite={quote(cite)}")
    assert shown.select("mark, .citing, #cited") == []


def test_the_address_with_md_gives_the_markdown(tiny_site: Site) -> None:
    response = tiny_site.client.get("/articles/guides/deploying.md")
    assert response.headers["content-type"] == "text/markdown; charset=utf-8"
    assert response.text == tiny_site.client.get("/api/v1/articles/guides/deploying").json()["markdown"]


def test_an_article_whose_id_ends_in_md_has_a_page_all_the_same(site: Site) -> None:
    write_articles(site.source, {"notes.md": "# Notes\n\nSome notes about notes."})
    site.ingest()
    assert words(page(site, "/articles/notes.md").h1) == "Notes"
    assert site.client.get("/articles/notes.md.md").text == "# Notes\n\nSome notes about notes."


def test_an_unknown_article_is_a_page_that_names_near_ones(tiny_site: Site) -> None:
    shown = page(tiny_site, "/articles/token", 404)
    assert [(link["href"], words(link)) for link in shown.select(".related a")] == [
        ("/articles/tokens", "Rotating refresh tokens")
    ]
    assert page(tiny_site, "/articles/%3Cscript%3E.md", 404).select("script:not([src])") == []


# Errors

BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.mark.parametrize(
    ("method", "url", "status", "title"),
    [
        ("GET", "/nowhere", 404, "There is no page here"),
        ("GET", "/static/gone.css", 404, "There is no page here"),
        ("DELETE", "/browse", 405, "This page cannot be used like that"),
    ],
)
def test_a_browser_is_told_of_an_error_in_a_page(
    tiny_site: Site, method: str, url: str, status: int, title: str
) -> None:
    assert_error_page(tiny_site.client.request(method, url, headers=BROWSER), status, title)


def test_a_form_that_cannot_be_read_or_is_too_large_is_answered_with_a_page(tiny_site: Site) -> None:
    upload = tiny_site.client.post("/", files={"question": ("a.txt", b"why?")}, headers=BROWSER)
    assert_error_page(upload, 422, "This request is not valid")
    large = tiny_site.client.post("/", data={"question": "x" * 1_000_000}, headers=BROWSER)
    assert_error_page(large, 413, "That was too much at once")
    assert "larger than 262144 bytes" in large.text


def test_a_fault_of_ours_is_a_page_too_and_says_nothing_of_its_cause(site: Site) -> None:
    cast(FastAPI, site.client.app).state.services = None
    assert_error_page(site.client.get("/", headers=BROWSER), 500, "Something went wrong")
    response = site.client.get("/api/v1/status", headers=BROWSER)
    assert response.status_code == 500
    assert_a_problem(response)


@pytest.mark.parametrize("url", ["/api/v1/nowhere", "/api/v1/ask", "/api/nowhere", "/livez/on", "/api"])
def test_the_addresses_for_programs_answer_a_browser_too_with_a_problem(tiny_site: Site, url: str) -> None:
    assert_a_problem(tiny_site.client.get(url, headers=BROWSER))


def test_a_program_that_does_not_ask_for_html_gets_no_page(tiny_site: Site) -> None:
    for accept in ("*/*", "application/json", ""):
        assert_a_problem(tiny_site.client.get("/nowhere", headers={"accept": accept}))


def test_what_a_page_refuses_says_what_it_allows(tiny_site: Site) -> None:
    assert tiny_site.client.delete("/browse", headers=BROWSER).headers["allow"] == "GET, HEAD"


def assert_error_page(response: Response, status: int, title: str) -> None:
    assert response.status_code == status
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers.items() >= HEADERS.items()
    shown = BeautifulSoup(response.text, "html.parser")
    assert [words(heading) for heading in shown.select("h1")] == [title]
    assert [link["href"] for link in shown.select(".ways a")] == ["/", "/browse"]


def assert_a_problem(response: Response) -> None:
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers.items() >= HEADERS.items()
    assert response.json()["status"] == response.status_code
