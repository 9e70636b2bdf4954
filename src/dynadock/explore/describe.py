"""What an operation is, as text: drawn from the facts in its document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dynadock.explore.types import word_for_parameter, word_for_reply, word_for_schema
from dynadock.spec import history

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dynadock.spec.history import Lifetime
    from dynadock.spec.model import Body, Operation, Parameter
    from dynadock.spec.schema import Field

BODY_DEPTH = 2
"""Levels of a body's fields that help shows."""


def describe(operation: Operation, *, depth: int = BODY_DEPTH) -> str:
    """Return what help shows: parameters, body fields to ``depth`` levels, reply, error codes."""
    return "\n".join(_lines(operation, depth))


def _lines(operation: Operation, depth: int) -> Iterator[str]:
    since = _since(history.of_operation(operation.operation_id))
    tag = f", {operation.tag}" if operation.tag else ""
    since += ", deprecated" if operation.deprecated else ""
    yield f"{operation.method} {operation.path} (API {operation.version}{tag}{since})"
    if operation.parameters:
        yield ""
        yield "Parameters:"
        yield from _table([_parameter_row(operation, each) for each in operation.parameters])
    if operation.body is not None:
        yield ""
        yield from _body_lines(operation, operation.body, depth)
    yield ""
    yield f"Reply: {word_for_reply(operation)}"
    errors = [code for code in operation.reply.codes if code >= "4"]
    if errors:
        yield f"Errors: {', '.join(errors)}"


def _parameter_row(operation: Operation, parameter: Parameter) -> tuple[str, str, str]:
    notes = [parameter.location]
    if parameter.required and parameter.send is None:
        notes.append("required")
    if parameter.enum:
        notes.append("one of " + ", ".join(map(repr, parameter.enum)))
    if parameter.pattern:
        notes.append(f"matches {parameter.pattern}")
    if parameter.default not in (None, ""):
        notes.append(f"the engine assumes {parameter.default!r}")
    lifetime = history.of_parameter(operation.operation_id, parameter.name)
    notes_text = ", ".join(notes) + _since(lifetime)
    return parameter.python_name, word_for_parameter(parameter), notes_text


def _body_lines(operation: Operation, body: Body, depth: int) -> Iterator[str]:
    needed = "required" if body.required else "optional"
    yield f"Body: {body.python_name} ({word_for_schema(body.schema, body.definitions)}, {needed})"
    if body.kind == "object":
        yield "  as one value (also body=), or its fields as arguments:"
    rows = [_field_row(operation, body, each) for each in body.fields(depth)]
    yield from _table(rows)


def _field_row(operation: Operation, body: Body, field: Field) -> tuple[str, str, str]:
    indent = "  " * field.depth
    notes = ["required"] if field.required else []
    enum = field.schema.get("enum")
    if enum:
        notes.append("one of " + ", ".join(map(repr, enum)))
    lifetime = history.of_field(operation.operation_id, field.path)
    note = ", ".join(notes) + _since(lifetime)
    return (
        indent + field.name,
        word_for_schema(field.schema, body.definitions),
        note.removeprefix(", "),
    )


def _since(lifetime: Lifetime | None) -> str:
    if lifetime is None:
        return ""
    return ", " + ", ".join(each.in_words for each in lifetime.ranges)


def _table(rows: list[tuple[str, str, str]]) -> Iterator[str]:
    if rows:
        first = max(len(row[0]) for row in rows)
        second = max(len(row[1]) for row in rows)
        for name, word, note in rows:
            yield f"  {name:{first}}  {word:{second}}  {note}".rstrip()
