"""The JSON schemas of the OpenAI-compatible API, after OpenAI's reference of chat completions.

Parameters that tune sampling are ignored, because answers are quoted and not sampled; those whose meaning would be lost
are refused, so that nobody relies on them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from indexes.types import TagMode
from qa.types import AnswerKind
from web.api.schemas import CitationOut, Closest, TagName, Text

MODEL = "footnote"

IgnoredParameter: TypeAlias = Annotated[Any, Field(description="Accepted, and changes nothing.")]
ModelName: TypeAlias = Annotated[
    Text,
    StringConstraints(min_length=1, max_length=2_000),
    Field(json_schema_extra={"pattern": rf"^{MODEL}(:[^\x00]*)?$"}, examples=[MODEL]),  # `tags_of_model` checks
]


def _only(*allowed: object, message: str) -> BeforeValidator:
    """Refuses every value but `allowed`, with `message`."""

    def check(value: object) -> object:
        if value not in allowed:
            raise ValueError(message)
        return value

    return BeforeValidator(check)


# Asking


class TextPart(BaseModel):
    type: Annotated[Literal["text"], _only("text", message="only text is read here: leave out images, audio and files")]
    text: Text


def _parts(content: object) -> object:
    """The content of a message as a list of parts, whichever form it was sent in."""
    if content is None:
        return []
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


MessageRole: TypeAlias = Literal["system", "developer", "user", "assistant"]
_ROLES = "only system, developer, user and assistant messages are read here: there are no tools to hear from"


class MessageIn(BaseModel):
    """A message. Its other fields change nothing: clients send answers back with all that these came with."""

    role: Annotated[MessageRole, _only("system", "developer", "user", "assistant", message=_ROLES)]
    content: Annotated[list[TextPart], BeforeValidator(_parts, json_schema_input_type=str | list[TextPart] | None)] = []

    @property
    def text(self) -> str:
        return "\n".join(part.text for part in self.content).strip()


class TextFormat(BaseModel):
    type: Annotated[Literal["text"], _only("text", message="an answer is Markdown with quotations, never JSON")]


class StreamOptions(BaseModel):
    include_usage: bool = False
    include_obfuscation: IgnoredParameter = None


_MESSAGES = [{"role": "user", "content": "What happens when a refresh token is used twice?"}]
_TOOLS = "no tool is ever called here: leave it out, or say auto or none"


class CompletionIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    model: Annotated[
        ModelName,
        Field(
            description="`footnote`, or `footnote:TAG` (several: `footnote:TAG,TAG`) for articles with a tag",
            examples=[MODEL],
        ),
    ]
    messages: Annotated[list[MessageIn], Field(min_length=1, max_length=2_000, examples=[_MESSAGES])]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_completion_tokens: Annotated[
        int | None, Field(ge=1, description="the answer ends before the sentence that would exceed this")
    ] = None
    max_tokens: Annotated[int | None, Field(ge=1, description="the old name of `max_completion_tokens`")] = None
    tags: Annotated[list[TagName], Field(max_length=50, description="only articles with these tags")] = []
    tag_mode: TagMode = "any"

    n: Annotated[Literal[1] | None, _only(None, 1, message="a question has one answer: leave it out")] = None
    response_format: TextFormat | None = None
    tool_choice: Annotated[Literal["auto", "none"] | None, _only(None, "auto", "none", message=_TOOLS)] = None
    function_call: Annotated[Literal["auto", "none"] | None, _only(None, "auto", "none", message=_TOOLS)] = None
    stop: Annotated[
        list[str] | Literal[""] | None, _only(None, "", [], message="quotations are not cut short: leave it out")
    ] = None
    logprobs: Annotated[Literal[False] | None, _only(None, False, message="quotations have no probabilities")] = None
    top_logprobs: Annotated[Literal[0] | None, _only(None, 0, message="quotations have no probabilities")] = None
    modalities: Annotated[list[Literal["text"]] | None, _only(None, ["text"], message="answers are text")] = None
    audio: Annotated[None, _only(None, message="answers are text")] = None
    web_search_options: Annotated[None, _only(None, message="nothing but the knowledge base is searched")] = None
    moderation: Annotated[None, _only(None, message="nothing is moderated here")] = None

    frequency_penalty: IgnoredParameter = None
    functions: IgnoredParameter = None
    logit_bias: IgnoredParameter = None
    metadata: IgnoredParameter = None
    min_p: IgnoredParameter = None
    parallel_tool_calls: IgnoredParameter = None
    prediction: IgnoredParameter = None
    presence_penalty: IgnoredParameter = None
    prompt_cache_key: IgnoredParameter = None
    prompt_cache_options: IgnoredParameter = None
    prompt_cache_retention: IgnoredParameter = None
    reasoning_effort: IgnoredParameter = None
    repetition_penalty: IgnoredParameter = None
    safety_identifier: IgnoredParameter = None
    seed: IgnoredParameter = None
    service_tier: IgnoredParameter = None
    store: IgnoredParameter = None
    temperature: IgnoredParameter = None
    tools: IgnoredParameter = None
    top_k: IgnoredParameter = None
    top_p: IgnoredParameter = None
    user: IgnoredParameter = None
    verbosity: IgnoredParameter = None

    @model_validator(mode="after")
    def tags_in_one_place(self) -> Self:
        if self.tags and self.model != MODEL:
            raise ValueError("name tags either in model or in tags")
        return self

    @property
    def most_tokens(self) -> int | None:
        limits = [limit for limit in (self.max_completion_tokens, self.max_tokens) if limit is not None]
        return min(limits, default=None)


# Answering


class UsageOut(BaseModel):
    """Tokens of the text of all messages, and of the answer, in OpenAI's encoding cl100k_base."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int

    @classmethod
    def of(cls, count: Callable[[str], int], messages: list[MessageIn], answer: str) -> Self:
        prompt, completion = sum(count(message.text) for message in messages), count(answer)
        return cls(prompt_tokens=prompt, completion_tokens=completion, total_tokens=prompt + completion)


FinishReason: TypeAlias = Literal["stop", "length"]


class MessageOut(BaseModel):
    role: Literal["assistant"] = "assistant"
    content: Annotated[str, Field(description="Markdown; the footnotes are links")]
    refusal: None = None
    citations: list[CitationOut]
    closest: Closest


class ChoiceOut(BaseModel):
    index: Literal[0] = 0
    message: MessageOut
    logprobs: None = None
    finish_reason: FinishReason


class CompletionOut(BaseModel):
    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: Annotated[int, Field(description="seconds since 1970")]
    model: str
    choices: list[ChoiceOut]
    usage: UsageOut
    citations: list[CitationOut]
    closest: Closest
    answer_id: Annotated[str, Field(description="for `POST /api/v1/feedback`")]
    answered: Annotated[bool, Field(description="false: the knowledge base does not say")]
    kind: AnswerKind
    confidence: Annotated[float, Field(ge=0, le=1)]


class ModelOut(BaseModel):
    id: str
    object: Literal["model"] = "model"
    created: Annotated[int, Field(description="when the index was built, seconds since 1970")]
    owned_by: Literal["footnote"] = "footnote"


class ModelsOut(BaseModel):
    object: Literal["list"] = "list"
    data: list[ModelOut]
