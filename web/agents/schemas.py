"""The arguments and results of the tools. Descriptions are read by agents."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from indexes.types import TagMode
from qa.types import AnswerKind
from web.api.schemas import CitationOut, QuestionText, SectionOut, TagName, Text

Tags: TypeAlias = Annotated[
    list[TagName], Field(max_length=50, description="Only articles with these tags. Leave it out to use all articles.")
]
Mode: TypeAlias = Annotated[TagMode, Field(description="With several tags: articles with any or with all of them.")]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SearchIn(_In):
    query: Annotated[QuestionText, Field(description="What to look for: a question or a few words.")]
    tags: Tags = []
    tag_mode: Mode = "any"
    limit: Annotated[int, Field(ge=1, le=20, description="The most articles to return.")] = 8


class ResultOut(BaseModel):
    id: Annotated[str, Field(description="Id of the article, for `fetch`.")]
    title: str
    url: Annotated[str, Field(description="Address of the article's page at the passage, to cite.")]
    text: Annotated[str, Field(description="The article's best passage, as Markdown.")]
    heading: Annotated[list[str], Field(description="The headings above the passage.")]


class SearchOut(BaseModel):
    results: Annotated[list[ResultOut], Field(description="Articles, best first; empty where nothing matches.")]


class FetchIn(_In):
    id: Annotated[Text, Field(min_length=1, max_length=1_000, description="Id of an article, from `search` or `ask`.")]
    start: Annotated[
        int, Field(ge=0, description="Character to read from: `metadata.next_start` of the part before.")
    ] = 0


class MetadataOut(BaseModel):
    summary: str
    tags: list[str]
    category: str
    type: str
    updated: Annotated[str | None, Field(description="Day of the last change, ISO 8601.")]
    source: Annotated[str | None, Field(description="Where the article was taken from.")]
    characters: Annotated[int, Field(description="Length of the whole article.")]
    next_start: Annotated[int | None, Field(description="Where the rest begins, if this is not all: `start` of it.")]


class FetchOut(BaseModel):
    id: str
    title: str
    text: Annotated[str, Field(description="The article, as Markdown.")]
    url: Annotated[str, Field(description="Address of the article's page, to cite.")]
    metadata: MetadataOut


class AskToolIn(_In):
    question: Annotated[QuestionText, Field(description="One question, in plain words.")]
    tags: Tags = []
    tag_mode: Mode = "any"
    conversation: Annotated[
        Annotated[Text, Field(max_length=100)] | None,
        Field(description="For a follow-up: `conversation` of the answer before."),
    ] = None


class NearOut(BaseModel):
    id: str
    title: str
    url: str


class AskOut(BaseModel):
    answered: Annotated[bool, Field(description="false: the knowledge base does not say. Do not guess then.")]
    kind: Annotated[
        AnswerKind,
        Field(
            description="`answered`; `closest`: no answer, but passages that may help; `refused`: neither; "
            "`courtesy`: a word returned to a greeting."
        ),
    ]
    text: Annotated[str, Field(description="The answer as Markdown; each footnote is a link to the passage.")]
    confidence: Annotated[float, Field(description="Of answers given at 0.8, about 80 % are right.")]
    citations: Annotated[list[CitationOut], Field(description="The footnotes: each quotes an article word for word.")]
    closest: Annotated[
        list[CitationOut],
        Field(
            description="Where `kind` is `closest`: passages near the question. They do not answer it: never state "
            "them as the answer; offer them as places to look, with their links."
        ),
    ]
    elsewhere: Annotated[
        list[SectionOut], Field(description="Other sections that may answer, best first; to look further.")
    ]
    missing: Annotated[list[str], Field(description="What the answer leaves open.")]
    related: Annotated[list[NearOut], Field(description="Articles to read on; without an answer, the nearest ones.")]
    conversation: Annotated[str, Field(description="Send it with a follow-up question.")]
