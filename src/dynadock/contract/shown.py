"""Deviations as people see them: as text, as rich's table, in a notebook."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from dynadock.contract.finding import said
from dynadock.contracts import CLASSES, FAILING
from dynadock.show.counts import counted
from dynadock.show.table import Column, html_table, rich_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Group

    from dynadock.contract.deviations import Deviation, Deviations

MOST_SHOWN = 40
_MOST_OPERATIONS = 3

_COLUMNS = tuple(
    Column(title, (field,), "text")
    for title, field in (
        ("class", "kind"),
        ("field", "field"),
        ("deviation", "said"),
        ("operations", "operations"),
        ("count", "count"),
        ("first seen", "first"),
    )
)


def text_of(deviations: Deviations) -> str:
    """Return deviations as text: those that fail one by one, the others counted."""
    rows = _rows(deviations)
    lines = [f"{row.kind:11}  {row.words}  ({_operations(row)}, {row.count}x)" for row in rows]
    return "\n".join([*lines, *_notes(deviations, rows)])


def rich_of(deviations: Deviations) -> Group:
    """Return deviations as rich's table, with what is to be said below it."""
    # rich is an extra.
    from rich.console import Group
    from rich.text import Text

    rows = _rows(deviations)
    table = [rich_table([*map(_record, rows)], _COLUMNS)] if rows else []
    return Group(*table, *map(Text, _notes(deviations, rows)))


def html_of(deviations: Deviations) -> str:
    """Return deviations as a table in HTML, with what is to be said below it."""
    rows = _rows(deviations)
    table = html_table([*map(_record, rows)], _COLUMNS) if rows else ""
    return table + "".join(f"<p>{escape(note)}</p>" for note in _notes(deviations, rows))


def _rows(deviations: Deviations) -> list[Deviation]:
    kept = [*deviations] if deviations.is_part else [*deviations.failing]
    return kept[:MOST_SHOWN]


def _record(row: Deviation) -> dict[str, Any]:
    return {
        "kind": row.kind,
        "field": f"{row.home or row.place or 'body'}",
        "said": said(row),
        "operations": _operations(row),
        "count": row.count,
        "first": row.first,
    }


def _operations(row: Deviation) -> str:
    names = [*row.operations]
    more = f" and {len(names) - _MOST_OPERATIONS} more" if len(names) > _MOST_OPERATIONS else ""
    return ", ".join(names[:_MOST_OPERATIONS]) + more


def _notes(deviations: Deviations, shown: list[Deviation]) -> Iterator[str]:
    if deviations.is_part:
        hidden = len(deviations) - len(shown)
        if hidden:
            yield f"… {hidden} more"
        elif not shown:
            yield "no deviations"
        return
    if not deviations.calls and not deviations:
        yield "nothing was checked yet; with_options(contract='record') lets calls be"
        return
    total = deviations.calls.total()
    hidden = len(deviations.failing) - len(shown)
    if hidden > 0:
        yield f"… {hidden} more"
    counts = deviations.counts
    quiet = [f"{counts[kind]} {kind}" for kind in CLASSES if kind not in FAILING and counts[kind]]
    allowed = sum(1 for each in deviations if each.allowed)
    if allowed:
        quiet.append(f"{allowed} allowed")
    exchanges = counted(total, "exchange")
    failing = len(deviations.failing)
    how_many = counted(failing, "deviation") if failing else "no deviations"
    also = f"; besides: {', '.join(quiet)} (.of('zero') and so on list them)" if quiet else ""
    yield f"{how_many} in {exchanges}{also}"
    if deviations.left_out:
        yield f"{deviations.left_out} further findings were too many to keep"
    if deviations.unchecked:
        reasons = ", ".join(f"{count} ({why})" for why, count in deviations.unchecked.items())
        yield f"not checked: {reasons}"
    for row in deviations.unmet():
        yield f"allowed, and not met: {row}"
