"""The HTTP contract over the whole application, on tiny articles."""

from __future__ import annotations

import pytest

from tests.conftest import Site, write_articles
from tests.web.bodies import NO_OBJECTS

ANSWER_FIELDS = {
    "answer_id",
    "conversation_id",
    "question",
    "standalone_question",
    "answered",
    "confidence",
    "text",
    "writer",
    "citations",
    "passages",
    "related",
    "degraded",
    "took_ms",
}


def test_ask_answers_with_every_field_of_the_contract(tiny_site: Site) -> None:
    answer = tiny_site.client.post("/api/v1/ask", json={"question": "  How long does an access token live?  "}).json()
    assert answer.keys() >= ANSWER_FIELDS
    assert answer["question"] == "How long does an access token live?"
    assert answer["answered"] is True
    assert 0.5 <= answer["confidence"] <= 1
    assert answer["writer"] == "extractive"
    assert answer["degraded"] == []
    assert answer["citations"][0].keys() == {
        "n",
        "article_id",
        "title",
        "url",
        "heading",
        "quote",
        "start",
        "end",
        "key",
    }
    assert answer["passages"][0].keys() == {"article_id", "title", "url", "heading", "text", "start", "end", "score"}
    assert answer["related"][0].keys() >= {"article_id", "title", "url", "reason"}


def test_quotes_and_passages_are_slices_of_the_article_as_served(tiny_site: Site) -> None:
    answer = tiny_site.client.post("/api/v1/ask", json={"question": "What are the steps to retry a payment?"}).json()
    for place in [*answer["citations"], *answer["passages"]]:
        markdown = tiny_site.client.get(f"/api/v1/articles/{place['article_id']}").json()["markdown"]
        assert markdown[place["start"] : place["end"]] == place.get("quote", place.get("text"))


def test_a_citation_opens_the_article_page_at_the_passage(tiny_site: Site) -> None:
    answer = tiny_site.client.post("/api/v1/ask", json={"question": "How long does an access token live?"}).json()
    page = tiny_site.client.get(answer["citations"][0]["url"])
    assert page.status_code == 200
    assert 'id="cited"' in page.text


def test_a_follow_up_in_a_conversation_needs_no_history_from_the_client(tiny_site: Site) -> None:
    first = tiny_site.client.post("/api/v1/ask", json={"question": "How are refresh tokens rotated?"}).json()
    body = {"question": "and when one is used twice?", "conversation_id": first["conversation_id"]}
    second = tiny_site.client.post("/api/v1/ask", json=body).json()
    assert second["conversation_id"] == first["conversation_id"]
    assert second["standalone_question"].startswith("How are refresh tokens rotated?")


def test_a_stateless_client_sends_the_history_itself(tiny_site: Site) -> None:
    history = [{"role": "user", "text": "How are refresh tokens rotated?"}, {"role": "assistant", "text": "…"}]
    answer = tiny_site.client.post("/api/v1/ask", json={"question": "and when used twice?", "history": history}).json()
    assert answer["standalone_question"].startswith("How are refresh tokens rotated?")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "question"),
        ({"question": "   "}, "question"),
        ({"question": "x" * 4001}, "question"),
        ({"question": "a\x00b"}, "question"),
        ({"question": 7}, "question"),
        ({"question": "x", "limit": 0}, "limit"),
        ({"question": "x", "limit": 51}, "limit"),
        ({"question": "x", "tag_mode": "some"}, "tag_mode"),
        ({"question": "x", "tags": ["auht"]}, "tags"),
        ({"question": "x", "history": [{"role": "system", "text": "x"}]}, "history.0.role"),
        ({"question": "x", "colour": "red"}, "colour"),
    ],
)
def test_a_request_that_is_not_valid_names_the_field_and_echoes_nothing(
    tiny_site: Site, body: dict[str, object], field: str
) -> None:
    response = tiny_site.client.post("/api/v1/ask", json=body)
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem.keys() >= {"type", "title", "status", "detail", "errors"}
    assert field in [error["field"] for error in problem["errors"]]
    assert "x" * 4001 not in response.text


def test_an_unpaired_surrogate_is_a_422_and_no_500(tiny_site: Site) -> None:
    response = tiny_site.client.post(
        "/api/v1/ask", content=b'{"question": "\\ud800"}', headers={"content-type": "application/json"}
    )
    assert response.status_code == 422


@pytest.mark.parametrize("content", NO_OBJECTS)
def test_a_body_that_is_no_object_is_a_clear_client_error(tiny_site: Site, content: bytes) -> None:
    response = tiny_site.client.post("/api/v1/ask", content=content, headers={"content-type": "application/json"})
    assert 400 <= response.status_code < 500
    assert response.headers["content-type"] == "application/problem+json"


def test_a_question_of_a_megabyte_is_refused_unread(tiny_site: Site) -> None:
    response = tiny_site.client.post("/api/v1/ask", json={"question": "x" * 1_000_000})
    assert response.status_code == 413
    assert response.headers["content-type"] == "application/problem+json"


def test_an_unknown_tag_names_near_tags(tiny_site: Site) -> None:
    response = tiny_site.client.post("/api/v1/ask", json={"question": "x", "tags": ["resilence"]})
    assert response.status_code == 422
    assert "'resilience'" in response.json()["detail"]


def test_conversation_and_history_together_are_refused(tiny_site: Site) -> None:
    body = {"question": "x", "conversation_id": "c", "history": [{"role": "user", "text": "y"}]}
    assert tiny_site.client.post("/api/v1/ask", json=body).status_code == 422


def test_an_unknown_conversation_is_not_found(tiny_site: Site) -> None:
    assert tiny_site.client.post("/api/v1/ask", json={"question": "x", "conversation_id": "c"}).status_code == 404


def test_search_lists_passages_best_first_up_to_its_limit(tiny_site: Site) -> None:
    found = tiny_site.client.get("/api/v1/search", params={"q": "canary release", "limit": 2}).json()
    assert found.keys() >= {"items", "total", "next_cursor"}
    assert len(found["items"]) == 2
    assert found["items"][0]["article_id"] == "guides/deploying"
    assert found["items"][0]["score"] >= found["items"][1]["score"]


def test_search_within_a_tag_finds_what_is_there_however_poor_the_match(tiny_site: Site) -> None:
    found = tiny_site.client.get("/api/v1/search", params={"q": "canary release", "tag": "http"}).json()
    assert {item["article_id"] for item in found["items"]} == {"caching"}


def test_the_listing_puts_featured_first_and_counts_tags_of_all_matches(tiny_site: Site) -> None:
    listing = tiny_site.client.get("/api/v1/articles", params={"limit": 1}).json()
    assert [a["id"] for a in listing["items"]] == ["tokens"]
    assert listing["total"] == 5
    assert {"tag": "auth", "count": 2} in listing["tags"]
    fields = {"id", "title", "summary", "tags", "featured", "views", "updated", "type", "category", "url"}
    assert listing["items"][0].keys() >= fields
    assert listing["items"][0]["updated"] == "2026-03-30"


def test_a_list_can_be_followed_by_its_cursor_to_the_end(tiny_site: Site) -> None:
    seen: list[str] = []
    cursor = None
    while True:
        params = {"limit": "2", "sort": "title", **({"cursor": cursor} if cursor else {})}
        page = tiny_site.client.get("/api/v1/articles", params=params).json()
        seen += [a["title"] for a in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == sorted(seen)
    assert len(seen) == page["total"] == 5


def test_a_cursor_from_elsewhere_is_refused(tiny_site: Site) -> None:
    for cursor in ("x", "bzE_", "////", "b" * 50):
        assert tiny_site.client.get("/api/v1/articles", params={"cursor": cursor}).status_code == 422


def test_the_listing_filters_by_tag_words_and_featured(tiny_site: Site) -> None:
    def ids(**params: str | list[str]) -> set[str]:
        return {a["id"] for a in tiny_site.client.get("/api/v1/articles", params=params).json()["items"]}

    assert ids(tag="auth") == {"tokens", "retries"}
    assert ids(tag=["auth", "resilience"], tag_mode="all") == {"retries"}
    assert ids(featured="true") == {"tokens"}
    assert ids(q="jitter BACKOFF") == {"retries"}
    assert ids(q="nothing has this") == set()


def test_an_article_comes_with_markdown_and_headings_and_ids_may_have_slashes(tiny_site: Site) -> None:
    article = tiny_site.client.get("/api/v1/articles/guides/deploying").json()
    assert article["title"] == "Deploying the service"
    assert "canary" in article["markdown"]
    assert {"level": 2, "text": "Rolling back", "anchor": "rolling-back"} in article["headings"]


def test_an_unknown_article_is_a_404_with_near_ids(tiny_site: Site) -> None:
    response = tiny_site.client.get("/api/v1/articles/token")
    assert response.status_code == 404
    assert "tokens" in response.json()["detail"]


def test_related_articles_have_a_score_and_a_reason_and_are_never_the_article_itself(tiny_site: Site) -> None:
    related = tiny_site.client.get("/api/v1/articles/tokens/related", params={"limit": 3}).json()["items"]
    assert "tokens" not in [r["article_id"] for r in related]
    assert related[0]["article_id"] == "retries"
    assert related[0]["reason"] == "same topic: auth"
    assert tiny_site.client.get("/api/v1/articles/nonesuch/related").status_code == 404


def test_tags_are_listed_with_counts(tiny_site: Site) -> None:
    tags = tiny_site.client.get("/api/v1/tags").json()
    assert tags["items"][0] == {"tag": "auth", "count": 2}
    assert tags["total"] == 5


def test_status_and_health_say_what_is_served(tiny_site: Site) -> None:
    assert tiny_site.client.get("/livez").json()["status"] == "ok"
    assert tiny_site.client.get("/readyz").status_code == 200
    status = tiny_site.client.get("/api/v1/status").json()
    assert (status["articles"], status["generation"], status["degraded"]) == (5, "000001", [])
    assert status["embedding_model"].startswith("all-MiniLM-L6-v2+")


def test_unknown_routes_and_methods_are_problems_too(tiny_site: Site) -> None:
    for response in (tiny_site.client.get("/api/v1/nope"), tiny_site.client.get("/api/v1/ask")):
        assert response.status_code in (404, 405)
        assert response.headers["content-type"] == "application/problem+json"


def test_a_question_is_measured_without_the_blanks_around_it_as_the_document_says(tiny_site: Site) -> None:
    padded, long = "\n" * 5_000 + "How long does an access token live?", "x" * 4_001
    for text, status in ((padded, 200), (long, 422)):
        assert tiny_site.client.post("/api/v1/ask", json={"question": text}).status_code == status
        assert tiny_site.client.get("/api/v1/search", params={"q": text}).status_code == status
    document = tiny_site.client.get("/openapi.json").json()
    question = document["components"]["schemas"]["AskIn"]["properties"]["question"]
    assert "maxLength" not in question
    assert "4,000 characters, not counting blanks" in question["description"]


def test_the_openapi_document_describes_the_routes(tiny_site: Site) -> None:
    paths = tiny_site.client.get("/openapi.json").json()["paths"]
    assert {
        "/api/v1/ask",
        "/api/v1/search",
        "/api/v1/articles",
        "/api/v1/tags",
        "/api/v1/status",
        "/livez",
    } <= paths.keys()


def test_every_response_carries_the_security_headers(tiny_site: Site) -> None:
    for path in ("/livez", "/api/v1/nope", "/browse"):
        headers = tiny_site.client.get(path).headers
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert headers["x-content-type-options"] == "nosniff"


def test_an_article_that_is_gone_vanishes_from_every_route_with_the_next_snapshot(site: Site) -> None:
    (site.source / "caching.md").unlink()
    report = site.ingest()
    assert report.removed == ("caching",)
    assert report.embedded == 0
    client = site.client
    assert client.get("/api/v1/articles/caching").status_code == 404
    assert client.get("/articles/caching").status_code == 404
    assert client.get("/api/v1/articles").json()["total"] == 4
    assert "http" not in [t["tag"] for t in client.get("/api/v1/tags").json()["items"]]
    assert "caching" not in [
        p["article_id"] for p in client.get("/api/v1/search", params={"q": "ETag cache"}).json()["items"]
    ]
    answer = client.post("/api/v1/ask", json={"question": "How long may a response be cached?"}).json()
    assert "caching" not in [p["article_id"] for p in answer["passages"]]
    assert "caching" not in [r["article_id"] for r in client.get("/api/v1/articles/tokens/related").json()["items"]]


def test_a_new_article_is_answered_from_without_a_restart(site: Site) -> None:
    write_articles(
        site.source, {"mesh": "# Service mesh\n\nA sidecar proxy encrypts traffic between services with mutual TLS.\n"}
    )
    site.ingest()
    answer = site.client.post("/api/v1/ask", json={"question": "What encrypts traffic between services?"}).json()
    assert answer["citations"][0]["article_id"] == "mesh"
