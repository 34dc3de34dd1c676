"""Which sentences and blocks of hand-written articles answer a question: the rules that read, and the writer."""

from __future__ import annotations

from indexes.types import Article
from ingest.chunking import Chunker
from ingest.structure import outline
from qa.reading.reading import SearchedQuestion
from qa.reading.rule_scorer import RuleScorer
from qa.retrieval import Retrieved
from qa.types import Passage, Probe, Standalone
from qa.writing.extractive import ExtractiveWriter
from qa.writing.statements import Quote

CHUNKER = Chunker(185)

ROTATION = """## Rotating a key

A signing key is rotated every quarter so that a stolen one is soon worthless.

Use these steps to rotate a signing key:

1. Create the new key beside the old one.
2. Sign with the new key from now on.
3. Remove the old key a day later.

The snippet names both keys:

```yaml
signing: new
verifying: [new, old]
```
"""


class EqualTerms:
    """A vocabulary in which every term occurs and none is rarer than another."""

    def occurs(self, term: str) -> bool:
        return True

    def rarity(self, term: str) -> float:
        return 1.0


def passages(*articles: str) -> tuple[Passage, ...]:
    """The chunks of articles, in order, all as close to the question."""
    found: list[Passage] = []
    for number, markdown in enumerate(articles):
        article = Article(f"article-{number}", "Keys", "", (), False, 0, None, "Article", "KB", None, markdown)
        for chunk in CHUNKER.chunk(article, outline(markdown, article.title)):
            place = (chunk.start, chunk.end, chunk.quotables)
            found.append(Passage(len(found), article, chunk.heading, chunk.context, *place, score=1.0, similarity=0.6))
    return tuple(found)


def written(text: str, *articles: str) -> list[Quote]:
    """The quotations of the statements that answer `text` from articles, as the rules read them."""
    retrieved = Retrieved((), passages(*articles), (), similarity=0.6)
    standalone = Standalone(text, (Probe(text, 1.0),))
    question = SearchedQuestion(text, standalone, retrieved, (), EqualTerms(), chunk_count=len(retrieved.passages))
    reading = RuleScorer().score(question, retrieved.passages)
    return [quote for statement in ExtractiveWriter().write(question, reading) for quote in statement.quotes]


def quoted(text: str, *articles: str) -> list[str]:
    return [quote.text for quote in written(text, *articles)]


def test_the_sentence_with_the_words_of_the_question_is_quoted() -> None:
    article = "A cache keeps responses. A canary release gets five percent of the traffic. Logs are JSON."
    assert quoted("How much traffic does a canary release get?", article) == [
        "A canary release gets five percent of the traffic."
    ]


def test_a_question_for_steps_prefers_the_list_which_comes_with_the_sentence_that_introduces_it() -> None:
    texts = quoted("What are the steps to rotate a signing key?", ROTATION)
    steps = texts.index(
        "1. Create the new key beside the old one.\n"
        "2. Sign with the new key from now on.\n"
        "3. Remove the old key a day later."
    )
    assert texts[steps - 1] == "Use these steps to rotate a signing key:"


def test_a_question_for_a_reason_prefers_a_sentence() -> None:
    first, *others = quoted("Why is a signing key rotated every quarter?", ROTATION)
    assert first == "A signing key is rotated every quarter so that a stolen one is soon worthless."
    assert not any(text.startswith("1.") for text in others)


def test_a_question_for_configuration_prefers_code_which_comes_with_its_introduction() -> None:
    texts = quoted("Which config snippet names both signing keys?", ROTATION)
    code = texts.index("```yaml\nsigning: new\nverifying: [new, old]\n```")
    assert texts[code - 1] == "The snippet names both keys:"


def test_a_question_that_compares_prefers_the_table() -> None:
    table = "| Lock | Waits |\n| --- | --- |\n| Optimistic lock | never |\n| Pessimistic lock | always |"
    article = f"Locks keep writers apart.\n\nBoth kinds of lock side by side:\n\n{table}"
    texts = quoted("What is the difference between an optimistic and a pessimistic lock?", article)
    assert texts == ["Both kinds of lock side by side:", table]


def test_a_question_for_an_amount_prefers_the_sentence_with_a_number() -> None:
    article = "The access token lives briefly at the gateway. The access token lives 10 minutes at the gateway."
    assert quoted("How long does the access token live?", article)[0].endswith("10 minutes at the gateway.")


def test_a_question_for_a_definition_is_answered_by_how_its_section_opens() -> None:
    article = "A saga is a chain of local transactions. Teams often discuss what a saga is."
    assert quoted("What is a saga?", article)[0] == "A saga is a chain of local transactions."


def test_a_sentence_that_only_points_elsewhere_is_not_quoted() -> None:
    article = "Retry budgets are described in the next article. A retry budget allows one retry in ten requests."
    assert quoted("What does a retry budget allow?", article) == ["A retry budget allows one retry in ten requests."]


def test_a_sentence_that_points_back_comes_with_the_one_before_it() -> None:
    article = "A stale replica serves old rows. It is removed from rotation by the health check within seconds."
    assert quoted("Who removes a replica from rotation by the health check?", article) == [
        "A stale replica serves old rows.",
        "It is removed from rotation by the health check within seconds.",
    ]


def test_what_two_articles_say_alike_is_quoted_once() -> None:
    article = "A refresh token is revoked with its whole family when it is used twice."
    assert quoted("When is a refresh token revoked?", article, article.replace("revoked", "revoked at once")) == [
        article
    ]


def test_a_section_on_what_goes_wrong_yields_to_one_on_how_it_is_done() -> None:
    wrong = "## Common mistakes\n\nTeams store the deployment password in the repository of the service."
    right = "## Storage\n\nTeams store the deployment password in the vault of the company."
    question = "Where do teams store the deployment password?"
    assert quoted(question, wrong, right)[0].endswith("in the vault of the company.")
    assert quoted(question.replace("?", " by mistake?"), wrong, right)[0].endswith("in the repository of the service.")


def test_quotations_of_an_article_stand_in_the_order_they_are_read_in() -> None:
    article = (
        "Circuit breakers open after five failures. Bulkheads split the pool of connections. "
        "Timeouts end a call after two seconds."
    )
    texts = quoted("When do timeouts end a call, and when do circuit breakers open after failures?", article)
    assert texts == ["Circuit breakers open after five failures.", "Timeouts end a call after two seconds."]


def test_where_nothing_can_be_quoted_nothing_is() -> None:
    assert quoted("What is a saga?") == []
    assert quoted("What is a saga?", "## Sagas\n\nThe kinds of saga are:") == []


def test_every_quotation_is_exactly_its_place() -> None:
    for quote in written("How do I rotate a signing key?", ROTATION):
        assert ROTATION[quote.start : quote.end] == quote.text
