"""The pages people read: chat, browse, article. Whole without JavaScript; errors are pages too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, cast, get_args
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, PlainTextResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from pydantic import ValidationError
from starlette.datastructures import QueryParams

from indexes.articles import Sort
from indexes.snapshot import Snapshot
from indexes.types import Article, Category, Filter, Heading, TagMode
from qa.answering import REFUSAL, known_filter
from qa.errors import UnknownConversation, UnknownTag
from qa.related import related
from qa.types import Answer, Citation, Question, Turn
from web import rendering
from web.highlighting import Span
from web.problems import NoSuchArticle
from web.routes.articles import find_article
from web.schemas import MOST_CHARACTERS, AskIn
from web.services import Services, Use

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

_PAGE_SIZE = 20
_TOP_TAGS = 12
_EARLIER = 5  # exchanges of a conversation shown above a new answer
_RELATED = 5
_WORDS_A_MINUTE = 200
_EXCERPT = 220  # characters of a quotation in the list of sources
_LONGEST_CONTENTS = 100
_SORTS: dict[Sort, str] = {"featured": "Featured first", "newest": "Newest", "views": "Most viewed", "title": "Title"}
_NO_CATEGORY = Category("Knowledge base")
_DEGRADED = {
    "vectors": "Search by meaning is unavailable, so this rests on matching words alone.",
    "llm": "The language model is unavailable, so the answer is quoted instead of written.",
}
_EXAMPLES = (  # asked of the bundled knowledge base; shown only where the article that answers is there
    ("api-idempotency-safe-retries-for-mutations", "Which HTTP methods are idempotent?"),
    ("jwt-authentication-implementation-and-security-patterns", "How long should an access token live?"),
    ("sql-query-optimisation-indexes-execution-plans-and-n-plus-1", "How do I find and fix an N+1 query?"),
    (
        "resilience-patterns-circuit-breaker-retry-bulkhead-and-timeout",
        "How do I stop one slow dependency from taking everything down?",
    ),
)


# Chat


@dataclass(frozen=True, slots=True)
class Draft:
    """What the asker has typed, and what was wrong with it."""

    question: str = ""
    tags: tuple[str, ...] = ()
    conversation_id: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Earlier:
    question: str
    html: str


@router.get("/")
def chat(use: Use, q: str = "", tags: Annotated[list[str], Query()] = []) -> Response:
    """The empty chat; `q` fills in the question, `tags` chooses tags."""
    return _chat(use, Draft(_typed(q), tuple(tags)))


@router.post("/")
def ask(
    use: Use,
    question: Annotated[str, Form()] = "",
    conversation_id: Annotated[str, Form()] = "",
    tags: Annotated[list[str], Form()] = [],
) -> Response:
    """The chat with an answer, or with what was wrong and the question as it was typed."""
    question = question.replace("\r\n", "\n")  # forms send line breaks as two characters, the limit counts one
    draft = Draft(question, tuple(tags), conversation_id)
    try:
        asked = AskIn(question=question, tags=tags, conversation_id=conversation_id or None)
        turns = use.conversations.turns(conversation_id) if conversation_id else ()
        exchange = use.conversations.ask(Question(asked.question, Filter(tuple(asked.tags))), asked.conversation_id)
    except ValidationError as error:
        return _chat(use, replace(draft, error=_wrong_with(error)), status=422)
    except UnknownTag as error:
        known = tuple(tag for tag in tags if tag != error.tag)
        return _chat(use, replace(draft, tags=known, error=_no_tag(error)), status=422)
    except UnknownConversation:
        gone = "This conversation is no longer there. Ask again to start a new one."
        return _chat(use, replace(draft, conversation_id="", error=gone), status=404)
    next_draft = Draft(tags=draft.tags, conversation_id=exchange.conversation_id)
    return _chat(use, next_draft, _earlier(turns), exchange.answer)


def _chat(
    use: Services, draft: Draft, earlier: Sequence[Earlier] = (), answer: Answer | None = None, status: int = 200
) -> Response:
    snapshot = use.store.current()
    table = snapshot.articles
    tags = [tag for tag, _ in table.tag_counts()[:_TOP_TAGS]]
    newest = table.listing(sort="newest", limit=1).articles
    return _page(
        "chat.html", snapshot, status, nav="ask", draft=draft, earlier=earlier, most=MOST_CHARACTERS,
        category=_category(snapshot), newest=newest[0].updated if newest else None, examples=_examples(snapshot),
        tags=[*tags, *(tag for tag in draft.tags if tag not in tags)], answer=answer, **_answered(answer),
    )  # fmt: skip


def _answered(answer: Answer | None) -> dict[str, Any]:
    if answer is None:
        return {}
    return {
        "html": rendering.answer(answer),
        "refusal": REFUSAL,
        "confidence": _confidence(answer.confidence),
        "sources": [_source(citation) for citation in answer.citations],
        "degraded": [_DEGRADED.get(part, f"Unavailable: {part}.") for part in answer.degraded],
    }


def _confidence(confidence: float) -> str:
    if confidence >= 0.8:
        return "Well supported"
    return "Partly supported — check the sources" if confidence >= 0.5 else "Weakly supported — check the sources"


def _source(citation: Citation) -> dict[str, object]:
    excerpt = rendering.plain(citation.quote, _EXCERPT)
    return {
        "n": citation.n,
        "url": citation.url,
        "title": citation.title,
        "heading": citation.heading,
        "quote": excerpt,
    }


def _earlier(turns: Sequence[Turn]) -> list[Earlier]:
    exchanges = list(zip(turns[::2], turns[1::2], strict=False))
    shown = enumerate(exchanges, start=1)
    return [
        Earlier(question.text, rendering.text(answer.text, f"Earlier answer {number}, "))
        for number, (question, answer) in shown
    ][-_EARLIER:]


def _examples(snapshot: Snapshot) -> list[str]:
    """Questions that this knowledge base can answer."""
    known = [question for id, question in _EXAMPLES if snapshot.articles.article(id) is not None]
    titles = [article.title for article in snapshot.articles.listing(limit=len(_EXAMPLES)).articles]
    return known or [f"What should I know about {title}?" for title in titles]


def _typed(text: str) -> str:
    return text[:MOST_CHARACTERS]


def _wrong_with(error: ValidationError) -> str:
    first = error.errors()[0]
    if first["loc"][0] != "question":
        return f"The form was not complete ({first['loc'][0]}): please ask again."
    match first["type"]:
        case "string_too_short":
            return "Please type a question first."
        case "string_too_long":
            return f"This question is too long: please keep it under {MOST_CHARACTERS:,} characters."
    return "This question holds characters that cannot be read: please remove them."


def _no_tag(error: UnknownTag) -> str:
    near = f" Did you mean {' or '.join(f'“{tag}”' for tag in error.near)}?" if error.near else ""
    return f"No article carries the tag “{error.tag}”.{near}"


# Browse


@dataclass(frozen=True, slots=True)
class Browsing:
    """What the address of the listing says. What makes no sense in it is ignored, never an error."""

    q: str
    tags: tuple[str, ...]
    tag_mode: TagMode
    featured: bool
    sort: Sort
    page: int

    @classmethod
    def read(cls, params: QueryParams) -> Browsing:
        sort, page = params.get("sort", ""), params.get("page", "")
        return cls(
            q=params.get("q", "")[:400],
            tags=tuple(dict.fromkeys(tag for tag in params.getlist("tag")[:50] if tag.strip())),
            tag_mode="all" if params.get("tag_mode") == "all" else "any",
            featured=params.get("featured", "") in ("1", "true", "on"),
            sort=cast(Sort, sort) if sort in get_args(Sort) else "featured",
            page=int(page) if page.isascii() and page.isdecimal() and 0 < len(page) < 7 else 1,
        )

    def url(self, **changes: Any) -> str:
        """The address of this listing with `changes`; without a `page` among them, from its first page on."""
        state = replace(self, **{"page": 1, **changes})
        pairs = [("q", state.q), *(("tag", tag) for tag in state.tags)]
        pairs += [("tag_mode", "all" if state.tag_mode == "all" else ""), ("featured", "1" if state.featured else "")]
        pairs += [
            ("sort", "" if state.sort == "featured" else state.sort),
            ("page", str(state.page) if state.page > 1 else ""),
        ]
        query = urlencode([(name, value) for name, value in pairs if value])
        return f"/browse?{query}" if query else "/browse"

    def without(self, tag: str) -> str:
        return self.url(tags=tuple(own for own in self.tags if own != tag))


@router.get("/browse")
def browse(use: Use, request: Request) -> Response:
    """The listing of the knowledge base, searched, filtered and sorted as its address says."""
    snapshot, state = use.store.current(), Browsing.read(request.query_params)
    try:
        filter = known_filter(snapshot, Filter(state.tags, state.tag_mode))
    except UnknownTag as error:
        return _browse(use, snapshot, state, Filter(state.tags, "all"), _no_tag(error))
    return _browse(use, snapshot, replace(state, tags=filter.tags), filter)


def _browse(use: Services, snapshot: Snapshot, state: Browsing, filter: Filter, error: str = "") -> Response:
    table, words, featured = snapshot.articles, state.q.split(), state.featured or None
    total = table.listing(filter, featured=featured, words=words, limit=0).total
    pages = max(1, -(-total // _PAGE_SIZE))
    state = replace(state, page=min(state.page, pages))
    offset = (state.page - 1) * _PAGE_SIZE
    found = table.listing(filter, featured=featured, words=words, sort=state.sort, limit=_PAGE_SIZE, offset=offset)
    # With "any", one more tag adds articles: its count is not among those already chosen.
    counted = filter if filter.mode == "all" else Filter()
    return _page(
        "browse.html", snapshot, 422 if error else 200, nav="browse", state=state, error=error, total=total,
        pages=range(1, pages + 1), articles=found.articles, sorts=_SORTS, links=use.links,
        tags=_offered(state, table.tag_counts(counted, featured=featured, words=words)),
        category=_category(snapshot), categories=table.categories(),
    )  # fmt: skip


def _offered(state: Browsing, counts: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
    """Tags to filter by: those chosen first, then the most frequent."""
    known = dict(counts)
    chosen = [(tag, known.get(tag, 0)) for tag in state.tags]
    return [*chosen, *((tag, count) for tag, count in counts if tag not in state.tags)]


# Article


@router.get("/articles/{article_id:path}")
def article(use: Use, article_id: str, cite: str = "") -> Response:
    """An article, with the passage `cite` (as START-END) marked; as Markdown where the address ends in `.md`."""
    snapshot = use.store.current()
    found = snapshot.articles.article(article_id)
    if found is not None:
        return _article(use, snapshot, found, cite)
    source = snapshot.articles.article(article_id.removesuffix(".md"))
    if source is not None:
        return PlainTextResponse(source.markdown, media_type="text/markdown; charset=utf-8")
    return _missing(use, snapshot, article_id)


def _article(use: Services, snapshot: Snapshot, article: Article, cite: str) -> Response:
    table = snapshot.articles
    headings, passage = table.headings(article.id), _cited(cite, article.markdown)
    body = rendering.article(article, headings, lambda id: table.article(id) is not None, use.links, passage)
    return _page(
        "article.html", snapshot, nav="", article=article, body=body, passage=passage,
        url=use.links.article(article.id), contents=_contents(article, headings),
        minutes=max(1, round(len(article.markdown.split()) / _WORDS_A_MINUTE)),
        related=related(snapshot, article, _RELATED, use.links), category=_category(snapshot),
    )  # fmt: skip


def _cited(cite: str, markdown: str) -> Span | None:
    """The passage that START-END names, if the article has one there."""
    start, _, end = cite.partition("-")
    if not all(part.isascii() and part.isdecimal() and len(part) < 10 for part in (start, end)):
        return None
    span = int(start), int(end)
    return span if span[0] < span[1] <= len(markdown) and markdown[slice(*span)].strip() else None


def _contents(article: Article, headings: Sequence[Heading]) -> list[Heading]:
    listed = [h for h in headings if h.level <= 3 and h.text and not rendering.is_title(h, article)]
    return listed[:_LONGEST_CONTENTS] if len(listed) > 1 else []


def _missing(use: Services, snapshot: Snapshot, article_id: str) -> Response:
    near: Sequence[str] = ()
    try:
        find_article(snapshot, article_id.removesuffix(".md"))
    except NoSuchArticle as error:
        near = error.near
    titles = [(use.links.article(found.id), found.title) for id in near if (found := snapshot.articles.article(id))]
    words = " ".join(article_id.removesuffix(".md").rsplit("/", 1)[-1].replace("-", " ").split())
    return _page("missing.html", snapshot, 404, nav="", near=titles, words=words[:200])


# All pages


def _day(day: date) -> str:
    return f"{day:%b} {day.day}, {day.year}"


def _time(moment: str) -> str:
    parsed = datetime.fromisoformat(moment)
    return f"{_day(parsed)}, {parsed:%H:%M} UTC"


def _query(path: str, values: Mapping[str, str]) -> str:
    return f"{path}?{urlencode(values)}"


def _templates() -> Environment:
    folder = Path(__file__).parent.parent / "templates"
    environment = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"day": _day, "time": _time}
    environment.globals["query"] = _query
    return environment


_TEMPLATES = _templates()


def _page(template: str, snapshot: Snapshot, status: int = 200, **values: Any) -> HTMLResponse:
    manifest = snapshot.manifest
    return HTMLResponse(_TEMPLATES.get_template(template).render(manifest=manifest, **values), status)


def _category(snapshot: Snapshot) -> Category:
    """What the knowledge base is called: its category, or all of them."""
    categories = snapshot.articles.categories()
    if len(categories) == 1:
        return categories[0]
    return replace(_NO_CATEGORY, description=" · ".join(category.name for category in categories))
