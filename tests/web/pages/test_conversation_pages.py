"""Conversations and single answers at their addresses, without JavaScript."""

from __future__ import annotations

from bs4 import BeautifulSoup

from tests.conftest import Site

TOKENS = "How long does an access token live?"


def read(site: Site, url: str) -> BeautifulSoup:
    response = site.client.get(url)
    assert response.status_code == 200, url
    return BeautifulSoup(response.text, "html.parser")


def ask(site: Site, question: str) -> tuple[str, str]:
    """The ids of the conversation and of the answer."""
    asked = site.client.post("/api/v1/ask", json={"question": question}).json()
    return asked["conversation_id"], asked["answer_id"]


def test_asking_leads_to_a_page_that_can_be_reloaded(tiny_site: Site) -> None:
    response = tiny_site.client.post("/", data={"question": TOKENS})
    assert [step.status_code for step in response.history] == [303]
    assert response.request.url.path.startswith("/conversations/")
    assert "An access token lives for 10 minutes." in read(tiny_site, response.request.url.path).get_text()


def test_a_permalink_tells_nothing_of_the_conversation_around_it(tiny_site: Site) -> None:
    conversation, answer = ask(tiny_site, TOKENS)
    shown = tiny_site.client.get(f"/answers/{answer}").text
    assert "An access token lives for 10 minutes." in shown
    assert conversation not in shown


def test_a_footnote_leads_back_to_its_answer(tiny_site: Site) -> None:
    _, answer = ask(tiny_site, TOKENS)
    chip = read(tiny_site, f"/answers/{answer}").select_one("a.cite")
    assert chip
    back = read(tiny_site, str(chip["href"]).partition("#")[0]).select_one("a.back")
    assert back
    assert back["href"] == f"/answers/{answer}"


def test_a_conversation_can_be_exported_with_its_sources(tiny_site: Site) -> None:
    conversation, _ = ask(tiny_site, "Why [x](y) <b>, and how long does an access token live?")
    response = tiny_site.client.get(f"/conversations/{conversation}.md")
    assert response.headers["content-type"] == "text/markdown; charset=utf-8"
    lines = response.text.splitlines()
    assert lines[0] == r"## Why \[x\](y) \<b\>, and how long does an access token live?"
    assert any(
        line.startswith(r"- \[1\] [Rotating refresh tokens](<http://testserver/articles/tokens?") for line in lines
    )


def test_an_answer_follows_its_words_when_the_article_changes(site: Site) -> None:
    _, answer = ask(site, TOKENS)
    article = site.source / "tokens.md"
    moved = article.read_text().replace(
        "A refresh token is exchanged", "New words before. A refresh token is exchanged"
    )
    article.write_text(moved)
    site.ingest()
    chip = read(site, f"/answers/{answer}").select_one("a.cite")
    assert chip
    mark = read(site, str(chip["href"]).partition("#")[0]).select_one("mark#cited")
    assert mark
    assert "An access token lives for 10 minutes." in mark.get_text()
    article.write_text(moved.replace("An access token lives for 10 minutes.", "It lives briefly."))
    site.ingest()
    shown = read(site, f"/answers/{answer}")
    assert "these words are no longer in it" in shown.select(".sources li")[0].get_text()
    assert "An access token lives for 10 minutes." in shown.select_one(".turn").get_text()  # type: ignore[union-attr]
    article.unlink()
    site.ingest()
    assert "An access token lives for 10 minutes." in read(site, f"/answers/{answer}").get_text()


def test_what_may_be_asked_next_is_answered_by_the_same_article(kb_site: Site) -> None:
    conversation, _ = ask(kb_site, "What happens when a refresh token is used twice?")
    buttons = read(kb_site, f"/conversations/{conversation}").select(".suggestions button")
    assert 1 <= len(buttons) <= 3
    for button in buttons:
        body = {"question": button["value"], "conversation_id": conversation}
        answer = kb_site.client.post("/api/v1/ask", json=body).json()
        assert answer["answered"]
        assert "jwt-authentication-implementation-and-security-patterns" in {
            c["article_id"] for c in answer["citations"]
        }
