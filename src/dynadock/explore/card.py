"""All that is known of an operation, as plain data: what help, pages and pictures are made from."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from dynadock.call.interpret import error_class
from dynadock.explore.texts import BODY, REPLY, bundled_texts
from dynadock.explore.types import (
    use_of_reply,
    word_for_body,
    word_for_parameter,
    word_for_reply,
)
from dynadock.spec import history
from dynadock.spec.fields import fields
from dynadock.spec.patterns import read_pattern
from dynadock.spec.schema import flatten, names_in
from dynadock.spec.words import word_for_schema
from dynadock.wire.messages import FIRST_ERROR

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from dynadock.spec.fields import Field
    from dynadock.spec.history import Lifetime
    from dynadock.spec.model import Operation, Parameter

REPLY_DEPTH = 2
"""Levels of a reply's fields that there are words for."""


LONGEST_PATTERN = 100
"""Characters of a pattern that are shown."""


class Row(NamedTuple):
    """A parameter or a field.

    ``name`` is the argument's or the field's, ``path`` leads to a field from the root, ``depth`` is
    how many fields are around it, ``type`` a short word, ``notes`` what is to be kept to (required,
    choices, since when) and ``text`` our words about it, empty where there are none.
    """

    name: str
    path: str
    depth: int
    type: str
    notes: tuple[str, ...]
    text: str


class Part(NamedTuple):
    """A body or a reply: what it is called ("" for a reply), its type, words, and its fields.

    ``is_cut`` tells whether there are fields below those, ``use`` what to do with a reply that is a
    stream.
    """

    name: str
    type: str
    notes: tuple[str, ...]
    text: str
    rows: tuple[Row, ...]
    is_cut: bool = False
    use: str = ""


class Card(NamedTuple):
    """An operation: its call on the wire, its words, arguments, reply, and errors.

    ``errors`` are pairs of a status and the exception that it raises.
    """

    operation_id: str
    method: str
    path: str
    version: str
    tag: str
    notes: tuple[str, ...]
    summary: str
    about: str
    parameters: tuple[Row, ...]
    body: Part | None
    reply: Part
    errors: tuple[tuple[str, str], ...]


def card_of(operation: Operation, *, depth: int) -> Card:
    """Return what is known of an operation; fields of body and reply to ``depth`` levels."""
    texts = bundled_texts()
    notes = _since(history.of_operation(operation.operation_id))
    return Card(
        operation_id=operation.operation_id,
        method=operation.method,
        path=operation.path,
        version=str(operation.version),
        tag=operation.tag,
        notes=(*notes, "deprecated") if operation.deprecated else notes,
        summary=texts.of_operation(operation, "summary"),
        about=texts.of_operation(operation, "about"),
        parameters=tuple(_parameter(operation, each) for each in operation.parameters),
        body=_body(operation, depth),
        reply=_reply(operation, min(depth, REPLY_DEPTH)),
        errors=tuple(
            (code, error_class(int(code)).__name__)
            for code in sorted(operation.reply.codes)
            if code.isdecimal() and int(code) >= FIRST_ERROR
        ),
    )


def _parameter(operation: Operation, parameter: Parameter) -> Row:
    notes = [parameter.location]
    if parameter.required and parameter.send is None:
        notes.append("required")
    if parameter.enum:
        notes.append(_choices(parameter.enum))
    members = parameter.items.pattern if parameter.items else None
    notes += [_matched(pattern) for pattern in (parameter.pattern, members) if pattern]
    if parameter.default not in (None, ""):
        notes.append(f"the engine assumes {parameter.default!r}")
    if parameter.credentials:
        notes.append("else from the docker command's configuration")
    return Row(
        name=parameter.python_name,
        path=parameter.name,
        depth=0,
        type=word_for_parameter(parameter),
        notes=(*notes, *_since(history.of_parameter(operation.operation_id, parameter.name))),
        text=bundled_texts().of_parameter(operation, parameter.name),
    )


def _body(operation: Operation, depth: int) -> Part | None:
    body = operation.body
    if body is None:
        return None
    found = [*fields(body.schema, body.definitions, depth=depth + 1)]
    shown = [field for field in found if field.depth < depth]
    return Part(
        name=body.python_name,
        type=word_for_body(body),
        notes=("required" if body.required else "optional",),
        text=bundled_texts().of_operation(operation, BODY),
        rows=tuple(map(partial(_field, operation, BODY), shown)),
        is_cut=len(shown) < len(found),
    )


def _reply(operation: Operation, depth: int) -> Part:
    schema = operation.reply.schema or {}
    # Replies have words for so many levels and no more; what they hold below is to be looked at.
    found = fields(schema, operation.spec.definitions, depth=depth)
    return Part(
        name="",
        type=word_for_reply(operation),
        notes=(),
        text=bundled_texts().of_operation(operation, REPLY),
        rows=tuple(map(partial(_field, operation, REPLY), found)),
        use=use_of_reply(operation),
    )


def _field(operation: Operation, part: str, field: Field) -> Row:
    lifetime = history.of_field(operation.operation_id, field.path) if part == BODY else None
    notes = _since(lifetime)
    if part == BODY and field.depth == 0 and operation.is_argument(field.name):
        notes = ("not as an argument of its own", *notes)
    return field_row(
        field,
        operation.spec.definitions,
        bundled_texts().of_field(operation, part, field.home),
        notes,
    )


def field_row(
    field: Field, definitions: Mapping[str, Any], text: str, more: tuple[str, ...] = ()
) -> Row:
    """Return the row of a field, with ``more`` notes."""
    return Row(
        name=field.name,
        path=field.path,
        depth=field.depth,
        type=word_for_schema(field.schema, definitions),
        notes=(*_limits(field, definitions), *more),
        text=text,
    )


def _limits(field: Field, definitions: Mapping[str, Any]) -> Iterator[str]:
    if field.required:
        yield "required"
    if enum := field.schema.get("enum"):
        yield _choices(enum)
    yield from map(_matched, _patterns(field.schema, definitions))
    if unit := field.schema.get("x-unit"):
        yield unit


def _patterns(schema: Any, definitions: Mapping[str, Any]) -> Iterator[str]:
    """Yield the patterns of a field's text, or of the texts in its lists and maps."""
    around: frozenset[str] = frozenset()
    while isinstance(schema, dict) and schema:
        names = names_in(schema, definitions)
        if not names.isdisjoint(around):
            return
        around |= names
        flat = flatten(schema, definitions)
        if "pattern" in flat:
            yield flat["pattern"]
        schema = flat.get("items") or flat.get("additionalProperties")


def _matched(pattern: str) -> str:
    """Say what a pattern asks for, and why the engine alone looks at it where that is so."""
    reason = read_pattern(pattern).reason
    shown = pattern if len(pattern) <= LONGEST_PATTERN else f"{pattern[:LONGEST_PATTERN]}…"
    return f"pattern not checked here, as {reason}: {shown}" if reason else f"matches {shown}"


def _choices(values: Any) -> str:
    return "one of " + ", ".join(map(repr, values))


def _since(lifetime: Lifetime | None) -> tuple[str, ...]:
    return () if lifetime is None else tuple(each.in_words for each in lifetime.ranges)
