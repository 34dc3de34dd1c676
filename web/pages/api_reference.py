"""The OpenAPI document in a form that a template can lay out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

Schema: TypeAlias = Mapping[str, Any]

_METHODS = ("get", "post", "put", "patch", "delete")
_SERVER = "http://127.0.0.1:8000"  # of the examples
_DEEPEST = 4  # fields inside fields; what lies deeper is in the document itself


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter or a field of a body; `name` shows where it lies, as in `citations[].n`."""

    name: str
    type: str
    required: bool
    about: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One route: what it takes and what it gives."""

    anchor: str
    method: str
    path: str
    summary: str
    about: str
    parameters: tuple[Field, ...]
    body: tuple[Field, ...]
    answer: tuple[Field, ...]
    example: str


def operations(document: Schema) -> dict[str, list[Operation]]:
    """The operations of an OpenAPI document by their tag, in its order."""
    by_tag: dict[str, list[Operation]] = {}
    for path, methods in document["paths"].items():
        for method in _METHODS:
            if method in methods:
                operation = methods[method]
                tag = (operation.get("tags") or ["other"])[0]
                by_tag.setdefault(tag, []).append(_operation(document, path, method, operation))
    return by_tag


def _operation(document: Schema, path: str, method: str, operation: Schema) -> Operation:
    parameters = tuple(_parameter(document, entry) for entry in operation.get("parameters", ()))
    sent = _schema(document, operation.get("requestBody", {}))
    given: Schema = next((r for code, r in operation.get("responses", {}).items() if code.startswith("2")), {})
    about = str(operation.get("description", ""))
    first, _, rest = about.partition("\n\n")
    return Operation(
        anchor=str(operation.get("operationId", f"{method}{path}")),
        method=method.upper(),
        path=path.replace(":path}", "}"),
        summary=first or str(operation.get("summary", "")),
        about=rest,
        parameters=parameters,
        body=tuple(_fields(document, sent)),
        answer=tuple(_fields(document, _schema(document, given))),
        example=_example(document, path, method, sent),
    )


def _parameter(document: Schema, entry: Schema) -> Field:
    about = [entry.get("description", ""), "Part of the path." if entry.get("in") == "path" else ""]
    schema = _resolved(document, entry.get("schema", {}))
    return Field(
        str(entry["name"]),
        _type(document, schema),
        bool(entry.get("required")),
        " ".join(part for part in (*about, _limits(schema)) if part),
    )


def _schema(document: Schema, holder: Schema) -> Schema:
    content = holder.get("content", {})
    media: Schema = content.get("application/json") or next(iter(content.values()), {})
    return _resolved(document, media.get("schema", {}))


def _resolved(document: Schema, schema: Schema) -> Schema:
    """What a `$ref` points to; of several allowed kinds, the one that is not null."""
    if reference := schema.get("$ref"):
        target: Any = document
        for part in str(reference).removeprefix("#/").split("/"):
            target = target[part]
        return _resolved(document, target)
    kinds = [kind for kind in schema.get("anyOf", ()) if kind.get("type") != "null"]
    return {**_resolved(document, kinds[0]), **_own(schema)} if len(kinds) == 1 else schema


def _own(schema: Schema) -> Schema:
    return {name: value for name, value in schema.items() if name in ("default", "description")}


def _fields(document: Schema, schema: Schema, under: str = "", depth: int = 0) -> Iterator[Field]:
    required = schema.get("required", ())
    for name, entry in schema.get("properties", {}).items():
        resolved = _resolved(document, entry)
        about = " ".join(part for part in (str(resolved.get("description", "")), _limits(resolved)) if part)
        yield Field(
            f"{under}{name}", _type(document, resolved), name in required, about if "properties" not in resolved else ""
        )
        inside, mark = (_resolved(document, resolved.get("items", {})), "[]") if "items" in resolved else (resolved, "")
        if depth + 1 < _DEEPEST and "properties" in inside:
            yield from _fields(document, inside, f"{under}{name}{mark}.", depth + 1)


def _type(document: Schema, schema: Schema) -> str:
    if "items" in schema:
        return f"list of {_type(document, _resolved(document, schema['items']))}"
    if "enum" in schema:
        return " | ".join(json.dumps(value) for value in schema["enum"])
    if "const" in schema:
        return json.dumps(schema["const"])
    if "anyOf" in schema:
        return " | ".join(_type(document, _resolved(document, kind)) for kind in schema["anyOf"])
    kind = str(schema.get("type", "object"))
    return f"{kind} ({schema['format']})" if "format" in schema else kind


def _limits(schema: Schema) -> str:
    """Bounds and default in words."""
    words = []
    for low, high, unit in (
        ("minimum", "maximum", ""),
        ("minLength", "maxLength", " characters"),
        ("minItems", "maxItems", " entries"),
    ):
        if low in schema and high in schema:
            words.append(f"{schema[low]:g} to {schema[high]:g}{unit}.")
        elif high in schema:
            words.append(f"At most {schema[high]:g}{unit}.")
    if schema.get("default") not in (None, "", []):
        words.append(f"Default: {json.dumps(schema['default'])}.")
    return " ".join(words)


def _example(document: Schema, path: str, method: str, sent: Schema) -> str:
    """A request for curl, with what it cannot do without."""
    target = path.replace(":path}", "}")
    lines = [f"curl{' -X ' + method.upper() if method not in ('get', 'post') else ''} {_SERVER}{target}"]
    fields = {
        name: _sample(_resolved(document, entry))
        for name, entry in sent.get("properties", {}).items()
        if name in sent.get("required", ())
    }
    if fields:
        lines += ["-H 'content-type: application/json'", f"-d '{json.dumps(fields, ensure_ascii=False)}'"]
    return " \\\n  ".join(lines)


def _sample(schema: Schema) -> object:
    if schema.get("examples"):
        return schema["examples"][0]
    samples: dict[str, object] = {"boolean": True, "integer": 1, "number": 1.0, "array": [], "object": {}}
    return samples.get(str(schema.get("type")), "…")
