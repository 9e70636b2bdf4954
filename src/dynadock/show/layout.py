"""Values as text for a prompt: on one line where they fit, else indented and shortened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

WIDTH = 100
DEEPEST = 4
MOST_MEMBERS = 40
MOST_ITEMS = 6
LONGEST_TEXT = 76
"""Characters; an id with its algorithm still fits."""

_ELLIPSIS = "…"


def laid_out(value: Any, name: str = "") -> str:
    """Return a value made of dicts, lists and plain values as text, with ``name`` as ``name(…)``.

    A value that fits on one line is written as by ``repr``. Others have a line for each member;
    deep levels, long texts and long lists are cut, with ``…`` in their place.
    """
    opening, closing = (f"{name}(", ")") if name else ("", "")
    line = _on_one_line(value, WIDTH - len(name) - 2)
    if line is None:
        line = "\n".join(_lines(value, 0))
    return f"{opening}{line}{closing}"


def _on_one_line(value: Any, width: int) -> str | None:
    """Write a value on one line, None if it does not fit."""
    if isinstance(value, (dict, list)) and len(value) > width:
        return None
    if isinstance(value, dict):
        members = [(f"{key!r}: ", each) for key, each in value.items()]
        line = _joined(members, "{}", width)
    elif isinstance(value, list):
        line = _joined([("", each) for each in value], "[]", width)
    else:
        line = repr(value)
    return line if line is not None and len(line) <= width else None


def _joined(members: list[tuple[str, Any]], brackets: str, width: int) -> str | None:
    """Write members on one line, None as soon as one of them does not fit."""
    parts = []
    for label, each in members:
        # Without the brackets around it, so that depth ends as width does.
        part = _on_one_line(each, width - len(label) - len(brackets))
        if part is None:
            return None
        parts.append(label + part)
    return f"{brackets[0]}{', '.join(parts)}{brackets[1]}"


def _lines(value: Any, level: int) -> Iterator[str]:
    """Yield the lines of a value that does not fit on one; the first has no indent."""
    if not isinstance(value, (dict, list)):
        yield _shortened(value)
        return
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    if level >= DEEPEST:
        yield f"{opening}{_ELLIPSIS} {len(value)}{closing}"
        return
    indent = "  " * (level + 1)
    yield opening
    members = [("", each) for each in value]
    most = MOST_ITEMS
    if isinstance(value, dict):
        members = [(f"{key!r}: ", each) for key, each in value.items()]
        most = MOST_MEMBERS
    for label, each in members[:most]:
        yield from _member(label, each, indent, level)
    if len(members) > most:
        yield f"{indent}{_ELLIPSIS} {len(members) - most} more"
    yield "  " * level + closing


def _member(label: str, value: Any, indent: str, level: int) -> Iterator[str]:
    line = _on_one_line(value, WIDTH - len(indent) - len(label) - 1)
    first, *others = [line] if line is not None else _lines(value, level + 1)
    if not others:
        yield f"{indent}{label}{first},"
        return
    yield f"{indent}{label}{first}"
    yield from others[:-1]
    yield f"{others[-1]},"


def _shortened(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= LONGEST_TEXT else f"{text[: LONGEST_TEXT - 1]}{_ELLIPSIS}"
