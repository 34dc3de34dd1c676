"""Marks become links where they are marks, and nowhere else."""

from __future__ import annotations

from dataclasses import replace

from qa.types import CLOSEST, Answer, AnswerKind, Citation, Related
from web.rendering.marks import linked, pieces

CITATION = Citation(1, "a", "A", "/articles/a?cite=0-5#cited", (), "Words", 0, 5)
ANSWER = Answer(
    "id",
    "Q",
    "Q",
    AnswerKind.ANSWERED,
    0.9,
    "",
    "extractive",
    (),
    (CITATION, replace(CITATION, n=2)),
    (),
    (),
    (),
    "0",
    1.0,
)


def text(markdown: str) -> str:
    return linked(replace(ANSWER, text=markdown), "https://kb.example/")


def test_a_mark_becomes_a_link_with_a_full_address() -> None:
    assert text("Words. [1]") == "Words. [1](https://kb.example/articles/a?cite=0-5#cited)"


def test_what_looks_like_a_mark_in_code_or_is_escaped_or_cites_nothing_stays() -> None:
    for untouched in ("`args[1]`", "```\nargs[1]\n```", "~~~\n[2]\n~~~", "``a ` [1]``", r"\[1\]", r"\[1]", "[3]"):
        assert text(untouched) == untouched


def test_an_address_that_is_full_already_stays() -> None:
    full = replace(CITATION, url="https://kb.example/articles/a#cited")
    assert linked(replace(ANSWER, text="[1]", citations=(full,)), "http://127.0.0.1/") == f"[1]({full.url})"


def test_the_articles_that_a_refusal_names_have_full_addresses() -> None:
    near = Related("a", "A", "/articles/a", 0.5, "")
    text = "No. The nearest:\n\n- [A](/articles/a)"
    refusal = replace(ANSWER, kind=AnswerKind.REFUSED, citations=(), related=(near,), text=text)
    assert linked(refusal, "http://kb.example:8000/").endswith("[A](http://kb.example:8000/articles/a)")


def test_the_closest_passages_have_full_addresses_and_what_they_quote_stays() -> None:
    text = f"{CLOSEST}\n\n> See [b](/articles/b).\n\n[A › Part]({CITATION.url})"
    closest = replace(ANSWER, kind=AnswerKind.CLOSEST, citations=(), closest=(CITATION,), text=text)
    assert linked(closest, "http://kb.example/") == text.replace(CITATION.url, f"http://kb.example{CITATION.url}")


def test_pieces_end_after_marks_and_make_the_text_again() -> None:
    whole = text("One. [1] Two. [2]\n\nThree, uncited.")
    assert "".join(pieces(whole)) == whole
    assert [piece.split()[0] for piece in pieces(whole)] == ["One.", "Two.", "Three,"]
