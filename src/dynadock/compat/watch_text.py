"""What was watched, as text for a terminal: control characters are escaped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dynadock.show.counts import counted
from dynadock.show.table import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_MOST_ROWS = 60
"""Rows of a part; further ones are counted."""


def text_of(known: Mapping[str, Any], usage: str, deviations: str) -> str:
    """Return the report out of `Watch.as_dict`, and of usage and deviations as text."""
    parts = [_head(known)]
    if known["operations"]:
        parts.append(_titled("Operations", _columns(map(_operation, known["operations"]))))
    parts.append(_titled("What is used, and which versions have it", usage.splitlines()))
    # What is HTTP, and no operation, is told there.
    if noise := [row for row in known["unrecognised"] if not row["method"]]:
        parts.append(_titled("Not read", _columns(map(_unread, noise))))
    parts.append(_titled("Deviations from the documents", deviations.splitlines()))
    return printable("\n\n".join(parts))


def _head(known: Mapping[str, Any]) -> str:
    engine = known["engine"]
    names = [known["to"]]
    if engine["server"]:
        names.append(f"{engine['server']}, API {engine['newest'] or 'unknown'}")
    lines = [f"{counted(known['requests'], 'request')} to {', '.join(names)}"]
    if known["pin"]:
        lines.append(f"as if it spoke no newer version than {known['pin']}")
    if known["versions"]:
        asked = ", ".join(f"{each or 'none'} ({n})" for each, n in known["versions"].items())
        lines.append(f"versions asked for: {asked}")
    if known["broken"]:
        lines.append(f"{counted(known['broken'], 'exchange')} broke off or could not be read")
    if known["left_out"]:
        lines.append(f"{counted(known['left_out'], 'exchange')} came too fast to be looked at")
    if known["unreached"]:
        lines.append(f"{counted(known['unreached'], 'connection')} found no engine")
    return "\n".join(lines)


def _operation(row: Mapping[str, Any]) -> Sequence[str]:
    statuses = ", ".join(
        status if count == row["count"] else f"{status} ({count})"
        for status, count in row["statuses"].items()
    )
    return row["operation"], row["version"], f"{row['count']}x", statuses


def _unread(row: Mapping[str, Any]) -> Sequence[str]:
    return f"{row['count']}x", row["why"]


def _columns(rows: Iterable[Sequence[str]]) -> list[str]:
    """Lay rows out in columns."""
    cells = [[printable(each).replace("\n", "\\n") for each in row] for row in rows]
    shown = cells[:_MOST_ROWS]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in shown
    ]
    if len(cells) > len(shown):
        lines.append(f"and {len(cells) - len(shown)} more")
    return lines


def _titled(title: str, lines: Iterable[str]) -> str:
    return "\n".join([title, *(f"  {line}" for line in lines)])
