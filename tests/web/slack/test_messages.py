"""Whatever an answer holds, Slack takes the message."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from indexes.types import Filter
from qa.conversations import UNKEPT
from qa.corpus import Corpus
from qa.links import Links
from qa.types import CLOSEST, Answer, AnswerKind, Citation, Passage, Question, Related, Segment
from tests.conftest import KB, ROOT, Site
from tests.scripted import closest_answer
from tests.web.slack import schema
from web.slack import mrkdwn
from web.slack.answer_messages import MORE, SHARE, More, answer_message, reasons_message
from web.slack.messages import Message, plain_message
from web.slack.paragraphs import paragraphs

LINKS = Links("https://kb.example")


def shown(message: Message) -> str:
    return "\n".join(schema.texts(list(message.blocks)))


def taken(message: Message) -> None:
    """Slack takes it, and reads all of it as it is meant."""
    payload = message.payload()
    assert schema.problems(payload) == []
    for text in (payload["text"], *schema.texts(payload["blocks"])):
        assert schema.misread(text) == [], text
    json.dumps(payload).encode()


def citation(n: int, quote: str = "Quoted.") -> Citation:
    url = LINKS.passage("tokens", n, n + 1)
    return Citation(n, "tokens", f"Title {n} <&>" + "x" * 300, url, ("Heading", "Deeper"), quote, n, n + 1)


def answer(*segments: Segment, citations: int = 1, missing: tuple[str, ...] = ()) -> Answer:
    return Answer(
        "a" * 32,
        "Why & <how>? " + "really " * 400,
        "Why?",
        AnswerKind.ANSWERED,
        0.9,
        "Text [1]",
        "extractive",
        segments,
        tuple(citation(n + 1) for n in range(citations)),
        (),
        (),
        ("vectors",),
        "1",
        1.0,
        missing,
    )


@pytest.fixture(scope="module")
def snapshot(tiny_site: Site) -> Corpus:
    return tiny_site.services.store.current()


def questions(name: str) -> list[str]:
    lines = (ROOT / "tests" / "quality" / name).read_text(encoding="utf-8").splitlines()
    return [str(json.loads(line)["question"]) for line in lines]


@pytest.mark.parametrize("name", ["questions.jsonl", "unanswerable.jsonl"])
def test_what_the_bundled_kb_answers_is_taken(kb_site: Site, name: str) -> None:
    site = kb_site.services
    for question in questions(name):
        given = site.answerer.ask(Question(question))
        found = site.answerer.search(question, Filter(), 15).passages
        more = More(given.elsewhere, found[:5], given.related)
        taken(answer_message(given, site.store.current(), LINKS, question=question, buttons=(SHARE, MORE)))
        taken(answer_message(given, site.store.current(), LINKS, question=question, shared_by="U0ASKER", more=more))


@pytest.mark.parametrize("path", sorted(KB.glob("*.md")), ids=lambda path: path.stem[:30])
def test_every_article_of_the_bundled_kb_can_be_written_and_cut(path: Path) -> None:
    text = path.read_text(encoding="utf-8").partition("\n---\n")[2]
    for most in (2_100, 2_900):
        for piece in mrkdwn.fitted(paragraphs(text), most):
            assert schema.length(piece) <= most
            assert schema.misread(piece) == []


def test_an_endless_answer_ends_with_a_word(snapshot: Corpus) -> None:
    segments = [
        Segment("sentence", f"A sentence & its <end> number {n} " + "word " * 40, (n % 40 + 1,)) for n in range(200)
    ]
    message = answer_message(answer(*segments, citations=40), snapshot, LINKS, question="Why?", buttons=(SHARE, MORE))
    taken(message)
    assert "longer than this message may be" in shown(message)
    assert "and 30 more" in shown(message)
    assert shown(message).count("*Sources*") == 1


def test_a_message_with_everything_at_its_longest_is_taken(snapshot: Corpus, kb_site: Site) -> None:
    segments = [Segment("code", "```\n" + "a && b\n" * 2_000 + "```", (1,)), Segment("table", TABLE, (2,))]
    passages = kb_site.services.answerer.search("tokens and retries", Filter(), 15).passages
    long: tuple[Passage, ...] = tuple(replace(p, heading=("h & " * 100,), end=p.start + 4_000) for p in passages)
    related = tuple(Related(f"r{n}", "title <" * 60, LINKS.article(f"r{n}"), 1.0, "reason & " * 60) for n in range(9))
    more = More((), long[:5], related)
    whole = answer(*segments, citations=40, missing=("The articles do not say x." * 20,) * 3)
    taken(
        answer_message(
            whole, snapshot, LINKS, question=whole.question, shared_by="U0ASKER", more=more, buttons=(SHARE, MORE)
        )
    )


TABLE = "| a | b |\n| - | - |\n" + "".join(f"| {'x & y ' * 20} | <{n}> |\n" for n in range(200))


def test_items_quoted_one_by_one_are_a_list_again(snapshot: Corpus) -> None:
    segments = (Segment("list", "1. First.", (1,)), Segment("list", "2. Second.", (1,)))
    assert "1. First.\n2. Second.\n<https" in shown(answer_message(answer(*segments), snapshot, LINKS))


def test_an_excerpt_stands_under_its_place(snapshot: Corpus) -> None:
    given = answer(Segment("sentence", "One.", (1,)), Segment("sentence", "Two.", (1,)))
    place, mark, *_ = schema.links(shown(answer_message(given, snapshot, LINKS)))
    assert place[1].startswith("Title 1")
    assert (place[0], mark[1]) == (mark[0], "[1]")


def test_the_closest_passages_are_quoted_under_a_word_that_asserts_nothing(snapshot: Corpus) -> None:
    given = linked(closest_answer(snapshot))
    message = answer_message(given, snapshot, LINKS, question="Why?", buttons=(SHARE, MORE))
    taken(message)
    text = shown(message)
    assert f"*{CLOSEST}*" in text
    assert "> Create an idempotency key for the payment. Send the key with every attempt." in text
    assert "*Sources*" not in text
    assert "*Other places that may answer*" in text
    assert [label for _, label in schema.links(text)][:2] == [
        "Retrying requests safely › Choosing what to retry",
        "Writing useful logs",
    ]
    (actions,) = [block for block in message.blocks if block["type"] == "actions"]
    assert [button["action_id"] for button in actions["elements"]] == ["share", "more", "helpful", "missing"]


def test_the_longest_closest_passages_are_taken(snapshot: Corpus) -> None:
    given = linked(closest_answer(snapshot))
    (first, _), (section, *_) = given.closest, given.elsewhere
    longest = replace(first, quote="word & <word> " * 1_000, heading=("h & " * 100,), url=first.url + "x" * 200)
    whole = replace(given, closest=(longest,) * 3, elsewhere=(replace(section, heading=("h & " * 100,)),) * 5)
    more = More(whole.elsewhere, (), tuple(Related("r", "t <" * 60, first.url, 1.0, "r & " * 60) for _ in range(9)))
    taken(answer_message(whole, snapshot, LINKS, question="q & " * 100, buttons=(SHARE, MORE)))
    taken(answer_message(whole, snapshot, LINKS, question="q & " * 100, shared_by="U0ASKER", more=more))


def linked(given: Answer) -> Answer:
    """The answer with the full addresses that Slack needs."""
    return replace(
        given,
        closest=tuple(replace(c, url=f"https://kb.example{c.url}") for c in given.closest),
        elsewhere=tuple(replace(s, url=f"https://kb.example{s.url}") for s in given.elsewhere),
    )


def test_what_is_missing_and_what_was_unavailable_is_said(snapshot: Corpus) -> None:
    given = answer(Segment("sentence", "Quoted.", (1,)), missing=("The articles do not mention *Quagga*.",))
    text = shown(answer_message(given, snapshot, LINKS))
    assert "The articles do not mention _Quagga_." in text
    assert "Confidence 90 % · Search by meaning is unavailable" in text


def test_an_answer_that_was_not_kept_has_no_buttons_that_would_not_work(snapshot: Corpus) -> None:
    given = replace(answer(Segment("sentence", "Quoted.", (1,))), degraded=(UNKEPT,))
    message = answer_message(given, snapshot, LINKS, buttons=(SHARE, MORE))
    assert [block["type"] for block in message.blocks if block["type"] == "actions"] == []
    assert "could not be saved" in shown(message)


def test_without_an_address_footnotes_are_numbers(snapshot: Corpus) -> None:
    given = answer(Segment("sentence", "Quoted.", (1,)))
    local = replace(given, citations=(replace(given.citations[0], url="/articles/tokens"),))
    text = shown(answer_message(local, snapshot, Links()))
    assert "Quoted. [1]" in text
    assert schema.links(text) == []


@pytest.mark.parametrize(
    "message", [plain_message("<!channel> & *all*"), reasons_message("a" * 32)], ids=["said", "why"]
)
def test_plain_words_are_taken_too(message: Message) -> None:
    taken(message)


def test_notifications_have_a_text_without_blocks() -> None:
    assert plain_message("a < b").payload()["text"] == "a &lt; b"
