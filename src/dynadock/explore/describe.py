"""What an operation is, as plain text: the card as ``help()`` shows it."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from dynadock.explore.card import card_of
from dynadock.explore.example import example_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dynadock.explore.card import Card, Part, Row
    from dynadock.spec.model import Operation

BODY_DEPTH = 2
"""Levels of a body's fields that help shows."""

BODY_NAME = "body"
"""The argument that every body may be given as."""

WIDTH = 92
_TEXT_INDENT = 6


def describe(operation: Operation, *, depth: int = BODY_DEPTH) -> str:
    """Return what help shows: summary, call, parameters, body and reply to ``depth`` levels.

    Then errors and an example. What there are no texts for is left out.
    """
    return "\n".join(_lines(operation, card_of(operation, depth=depth), depth))


def _lines(operation: Operation, card: Card, depth: int) -> Iterator[str]:
    if card.summary:
        yield card.summary
        yield ""
    where = ", ".join(filter(None, [f"API {card.version}", card.tag, *card.notes]))
    yield f"{card.method} {card.path} ({where})"
    if card.about:
        yield ""
        yield from textwrap.wrap(card.about, WIDTH)
    if card.parameters:
        yield ""
        yield "Parameters:"
        yield from _rows(card.parameters)
    if card.body is not None:
        yield ""
        yield from _body(operation, card.body, depth)
    yield ""
    yield f"Reply: {card.reply.type}"
    yield from _wrapped(card.reply.text, 2)
    yield from _wrapped(card.reply.use, 2)
    yield from _rows(card.reply.rows)
    yield ""
    if card.errors:
        yield "Errors: " + ", ".join(f"{code} {name}" for code, name in card.errors)
        yield ""
    yield "Example:"
    yield textwrap.indent(str(example_of(operation)), "  ")


def _body(operation: Operation, part: Part, depth: int) -> Iterator[str]:
    yield f"Body: {part.name} ({part.type}; {', '.join(part.notes)})"
    yield from _wrapped(part.text, 2)
    has_this_name = operation.is_body(BODY_NAME)
    if operation.body is not None and operation.body.kind == "object":
        also = f" (also {BODY_NAME}=)" if has_this_name else ""
        yield f"  as one value{also}, or its fields as arguments:"
    elif has_this_name and part.name != BODY_NAME:
        yield f"  also as {BODY_NAME}="
    yield from _rows(part.rows)
    if part.is_cut:
        yield f"  … and deeper ones: client.{operation.operation_id}.describe(depth={depth + 1})"


def _rows(rows: tuple[Row, ...]) -> Iterator[str]:
    """Yield a line of facts for each row, and our words below it."""
    if not rows:
        return
    first = max(len(row.name) + 2 * row.depth for row in rows)
    second = min(max(len(row.type) for row in rows), _TEXT_INDENT * 5)
    for row in rows:
        indent = "  " * row.depth
        facts = f"{indent + row.name:{first}}  {row.type:{second}}  {', '.join(row.notes)}"
        yield f"  {facts}".rstrip()
        yield from _wrapped(row.text, _TEXT_INDENT + 2 * row.depth)


def _wrapped(text: str, indent: int) -> list[str]:
    margin = " " * indent
    return textwrap.wrap(text, WIDTH, initial_indent=margin, subsequent_indent=margin)
