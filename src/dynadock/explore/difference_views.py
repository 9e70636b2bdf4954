"""Differences as text for people: for a terminal, and in Markdown."""

from __future__ import annotations

import re
import shutil
import textwrap
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from dynadock.spec.differences.rows import REPLY, REQUEST
from dynadock.spec.differences.severities import SEVERITIES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dynadock.explore.differences import Differences
    from dynadock.spec.differences.rows import Difference

WIDEST, NARROWEST = 100, 50
WIDEST_NAME = 32
"""Characters of a name with which its words still stand beside it."""

MOST_OPERATIONS = 3
"""Operations that are named where more have the same definition."""

MEANINGS = {
    "breaking": "what was right is refused, means something else, or is not there to be read",
    "risky": "may go unnoticed, and mean something else",
    "harmless": "a program for the older version does not notice",
}

_NO_ROW = "no difference"


class Group(NamedTuple):
    """Rows of one operation or definition: its name, where it is met, and the rows."""

    name: str
    where: str
    rows: tuple[Difference, ...]


def title_of(differences: Differences) -> str:
    """Return the two versions, and what is looked at, as one line."""
    about = f", {differences.about}" if differences.about else ""
    raw = " (documents as they are)" if differences.is_raw else ""
    return f"API {differences.old} to {differences.new}{about}{raw}"


def counts_of(differences: Differences) -> str:
    """Return how many differences there are, as words."""
    counts = [f"{count} {severity}" for severity, count in differences.counts.items() if count]
    return ", ".join(counts) or _NO_ROW


def groups_of(rows: Iterable[Difference]) -> Iterator[Group]:
    """Yield rows by operations, then by definitions, both in the order of their names."""
    ordered = sorted(rows, key=lambda row: (bool(row.definition), _owner(row), name_of(row)))
    for owner, some in groupby(ordered, key=_owner):
        members = (*some,)
        yield Group(owner, _where(members), members)


def _owner(row: Difference) -> str:
    return row.definition or ", ".join(row.operations)


def name_of(row: Difference) -> str:
    """Return a row's name within its group: ``query all``, ``Init``; empty for the group itself."""
    if row.definition:
        return row.place.removeprefix(row.definition).removeprefix(".")
    return "" if row.place in row.operations else row.place


def sign_of(row: Difference) -> str:
    """Return ``+`` for what is new, ``-`` for what is gone, ``~`` for what is different."""
    if row.kind.endswith("-added"):
        return "+"
    return "-" if row.kind.endswith("-removed") else "~"


def _where(rows: tuple[Difference, ...]) -> str:
    """Say in which operations a definition is met, empty for an operation."""
    if not rows[0].definition:
        return ""
    phrases = []
    for direction, words in ((REQUEST, "sent to"), (REPLY, "in replies of")):
        uses = (use for row in rows for use in row.uses)
        names = sorted({use.operation_id for use in uses if use.direction == direction})
        if names:
            phrases.append(f"{words} {_listed(names)}")
    return "; ".join(phrases)


def _listed(names: list[str]) -> str:
    shown = names[:MOST_OPERATIONS]
    if len(names) > MOST_OPERATIONS:
        return f"{', '.join(shown)} and {len(names) - len(shown)} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if shown[1:] else shown)


def as_text(differences: Differences, width: int | None = None, most: int | None = None) -> str:
    """Return rows as text, ``most`` of them, grouped by severity, then by what they are part of."""
    if width is None:
        width = min(shutil.get_terminal_size((WIDEST, 0)).columns, WIDEST)
    width = max(width, NARROWEST)
    lines = textwrap.wrap(f"{title_of(differences)}: {counts_of(differences)}", width)
    left = shown = len(differences) if most is None else min(most, len(differences))
    for severity in SEVERITIES:
        rows = differences.only(severity)
        if rows and left > 0:
            lines += ["", *textwrap.wrap(f"{severity.capitalize()}: {MEANINGS[severity]}", width)]
            for group in groups_of(rows[:left]):
                lines += _group_lines(group, differences, width)
            left -= len(rows)
    if shown < len(differences):
        lines += ["", f"… {len(differences) - shown} more; text() has them all"]
    return "\n".join(lines)


def _group_lines(group: Group, differences: Differences, width: int) -> Iterator[str]:
    head = " ".join(filter(None, [_plain(group.name), group.where and f"({group.where})"]))
    yield ""
    yield from textwrap.wrap(head, width, initial_indent="  ", subsequent_indent="    ")
    names = [_plain(name_of(row)) for row in group.rows]
    widest = min(WIDEST_NAME, width // 3)
    room = max((len(name) for name in names if len(name) <= widest), default=0)
    for row, name in zip(group.rows, names, strict=True):
        start = f"    {sign_of(row)} {name:{room}}".rstrip()
        margin = " " * (8 + room) if room else " " * 6
        words = _plain(row.words)
        if len(name) > widest:
            yield from textwrap.wrap(
                start, width, initial_indent="    ", subsequent_indent="      "
            )
            start = margin[:-1]
        else:
            start = f"{start:{len(margin) - 1}}"
        yield from _wrapped(f"{start} ", words, margin, width)
        text = differences.text_about(row)
        if text:
            yield from _wrapped(margin, _plain(text), margin, width)


def _wrapped(start: str, text: str, margin: str, width: int) -> Iterator[str]:
    room = max(width - len(margin), 20)
    for number, line in enumerate(textwrap.wrap(text, room) or [""]):
        yield (margin if number else start) + line


_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def _plain(text: str) -> str:
    """Return a document's text as one line that moves no cursor: a name may contain anything."""
    return _CONTROLS.sub("�", text)


def as_markdown(differences: Differences) -> str:
    """Return a document with a table for each severity."""
    lines = [f"# {_escaped(title_of(differences))}", "", f"{counts_of(differences)}."]
    for severity in SEVERITIES:
        rows = differences.only(severity)
        if not rows:
            continue
        lines += ["", f"## {severity.capitalize()}", "", f"{MEANINGS[severity].capitalize()}.", ""]
        lines += ["| | Where | What | Operations |", "|---|---|---|---|"]
        for group in groups_of(rows):
            lines += [_table_row(row, differences) for row in group.rows]
    return "\n".join(lines) + "\n"


def _table_row(row: Difference, differences: Differences) -> str:
    text = differences.text_about(row)
    words = _escaped(row.words) + (f". {_escaped(text)}" if text else "")
    operations = ", ".join(map(_escaped, row.operations))
    return f"| {sign_of(row)} | {_code(row.place)} | {words} | {operations} |"


_SPECIAL = re.compile(r"([\\`*_\[\]<>|~#!&])")


def _escaped(text: str) -> str:
    """Return text that Markdown shows as it is, in a table too."""
    return _SPECIAL.sub(r"\\\1", _plain(text))


def _code(text: str) -> str:
    """Return text as code; what would end a cell or the code itself is no code."""
    text = _plain(text)
    return _escaped(text) if "`" in text or "|" in text or "\\" in text else f"`{text}`"
