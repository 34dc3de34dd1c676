"""Renders an answer as HTML: its excerpts, each under its place, with the words that answer marked, and footnoted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import TypeAlias

from markdown_it.token import Token
from markupsafe import Markup

from indexes.types import Article
from qa.excerpts import Excerpt, excerpts, place_of
from qa.types import Answer, Citation, Segment
from web.rendering import markdown
from web.rendering.highlighting import Marking
from web.rendering.markdown import Attributes, element
from web.rendering.quotations import Quotation
from web.rendering.sanitising import absolute_target

ArticleOf: TypeAlias = Callable[[str], Article | None]  # by its id

_SEPARATORS = {  # plain text in place of the tokens that end a piece
    "paragraph_close": " ",
    "heading_close": " ",
    "softbreak": " ",
    "hardbreak": " ",
    "th_close": " · ",
    "td_close": " · ",
}
_NO_ARTICLES: Mapping[str, Article] = {}


def answer(answer: Answer, label: str = "", article_of: ArticleOf = _NO_ARTICLES.get) -> Markup:
    """An answer's excerpts. `label` prefixes the names of its boxes."""
    tokens: list[Token] = []
    for excerpt in excerpts(answer):
        if excerpt.place:
            tokens += _place(excerpt.place, excerpt.citations[0].url)
        tokens += _excerpt_tokens(excerpt, article_of)
    return markdown.render(tokens, _footnote_target(answer.citations), label)


def quotation(citation: Citation, article: Article | None, label: str = "") -> Markup:
    """A quotation on its own, with the words that answer marked."""
    return markdown.render(_quotation_tokens(Quotation.of(citation, article), ()), _no_target, label)


def plain_text(text: str, most: int) -> str:
    """The words of Markdown without its markup, cut after about `most` characters."""
    words = _words(markdown.parse(text[: most * 4]))
    return words if len(words) <= most else f"{words[:most].rsplit(' ', 1)[0]} …"


def _words(tokens: Sequence[Token]) -> str:
    return " ".join("".join(token.content for token in _leaf_tokens(tokens)).split())


def _leaf_tokens(tokens: Sequence[Token]) -> Iterator[Token]:
    for token in tokens:
        if token.type == "inline":
            yield from _leaf_tokens(token.children or [])
        elif token.type not in ("html_block", "html_inline"):
            yield token if token.content else Token("text", "", 0, content=_SEPARATORS.get(token.type, ""))


def _no_target(target: str) -> None:
    """No link of an article leads out of a quotation: an answer links to what it cites, nothing else."""


def _footnote_target(citations: Sequence[Citation]) -> Callable[[str], str | None]:
    urls = {citation.url for citation in citations}
    return lambda target: absolute_target(target) if target in urls else None


# Excerpts


def _excerpt_tokens(excerpt: Excerpt, article_of: ArticleOf) -> list[Token]:
    written = _written_tokens(excerpt)
    if len(excerpt.citations) != 1:
        return written
    (citation,) = excerpt.citations
    quoted = Quotation.of(citation, article_of(citation.article_id))
    kinds = [segment.kind for segment in excerpt.segments]
    tokens = _quotation_tokens(quoted, kinds)
    # The quotation can be marked, but stands for the text only where it has the same words.
    if _squeezed(tokens) != _squeezed(_unfootnoted_tokens(excerpt)):
        return written
    return _with_footnotes(tokens, excerpt.citations)


def _squeezed(tokens: Sequence[Token]) -> str:
    return "".join(_words(tokens).split())


def _quotation_tokens(quoted: Quotation, kinds: Sequence[str]) -> list[Token]:
    """The tokens of a quotation. One of sentences alone is text, even if it begins like a list."""
    if set(kinds) != {"sentence"}:
        return markdown.parse(quoted.text, _key(quoted))
    paragraphs = [markdown.parse_inline(part.text, _key(part)) for part in quoted.paragraphs()]
    return [token for children in paragraphs for token in _paragraph_tokens(children, {})]


def _key(quoted: Quotation) -> Marking | None:
    return Marking("key", quoted.key) if quoted.key else None


def _with_footnotes(tokens: list[Token], cited: Sequence[Citation]) -> list[Token]:
    """The tokens with their footnotes: at the end of a last paragraph, below any other block."""
    if tokens and tokens[-1].type == "paragraph_close" and tokens[-1].level == 0:
        tokens[-2].children = [*(tokens[-2].children or []), *_footnotes(cited)]
        return tokens
    return [*tokens, *_paragraph_tokens(_footnotes(cited), {"class": "after"})]


# Text as it was written


def _written_tokens(excerpt: Excerpt) -> list[Token]:
    """The segments, a footnote after each sentence and each run of blocks of a kind."""
    tokens: list[Token] = []
    for kind, run in groupby(excerpt.segments, key=lambda segment: segment.kind):
        tokens_of = _sentence_tokens if kind == "sentence" else _block_tokens
        tokens += tokens_of(list(run), excerpt.citations)
    return tokens


def _unfootnoted_tokens(excerpt: Excerpt) -> list[Token]:
    return _written_tokens(Excerpt(excerpt.segments, (), ""))


def _sentence_tokens(run: Sequence[Segment], cited: Sequence[Citation]) -> list[Token]:
    children: list[Token] = []
    for segment in run:
        children += [Token("text", "", 0, content=" ")] if children else []
        children += [*markdown.parse_inline(segment.text), *_footnotes(cited)]
    return _paragraph_tokens(children, {})


def _block_tokens(run: Sequence[Segment], cited: Sequence[Citation]) -> list[Token]:
    # The items of a list are cited one by one; joined they render as one list again.
    between = "\n" if run[0].kind == "list" else "\n\n"
    blocks = markdown.parse(between.join(segment.text for segment in run))
    return [*blocks, *_paragraph_tokens(_footnotes(cited), {"class": "after"})]


def _paragraph_tokens(children: list[Token], attrs: Attributes) -> list[Token]:
    inline = Token("inline", "", 0, children=children)
    return [Token("paragraph_open", "p", 1, attrs=attrs), inline, Token("paragraph_close", "p", -1, block=True)]


def _place(place: str, url: str) -> list[Token]:
    return _paragraph_tokens(element("a", {"href": url}, place), {"class": "place"})


def _footnotes(cited: Sequence[Citation]) -> list[Token]:
    return [token for citation in cited for token in _footnote(citation)]


def _footnote(citation: Citation) -> list[Token]:
    path = place_of(citation)
    attrs: Attributes = {
        "class": "cite",
        "href": citation.url,
        "title": path,
        "aria-label": f"Source {citation.n}: {path}",
    }
    return element("a", attrs, f"[{citation.n}]")
