"""Lists of records as tables, with the columns that ``specs/tables.yaml`` gives an operation."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple

from dynadock.show.counts import counted
from dynadock.show.tree import html_tree, rich_tree
from dynadock.spec.data import bundled_data

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from rich.table import Table
    from rich.tree import Tree

FILE = "tables.yaml"

_SHORT_ID = 12
_KILO = 1000
_MOST_BYTES = 2**64


class Column(NamedTuple):
    """A column: its title, its fields (the first that has a value is shown), and its form."""

    title: str
    fields: tuple[str, ...]
    form: str


def columns_of(operation_id: str) -> tuple[Column, ...]:
    """Return the columns of an operation's list; none for an operation that has no table."""
    rows = bundled_data(FILE).get(operation_id, ())
    return tuple(Column(row["title"], tuple(row["from"]), row.get("form", "text")) for row in rows)


def cells_of(records: Sequence[Mapping[str, Any]], columns: Sequence[Column]) -> list[list[str]]:
    """Return the text of every cell, row by row."""
    return [[_cell(record, column) for column in columns] for record in records]


def rich_list(records: Sequence[Any], operation_id: str) -> Table | Tree:
    """Return an operation's list as rich's Table; as a Tree if it has no columns."""
    columns = columns_of(operation_id)
    return rich_table(records, columns) if columns else rich_tree(records, operation_id or "list")


def html_list(records: Sequence[Any], operation_id: str) -> str:
    """Return an operation's list as a table in HTML; as nested lists if it has no columns."""
    columns = columns_of(operation_id)
    return html_table(records, columns) if columns else html_tree(records, operation_id or "list")


def rich_table(records: Sequence[Mapping[str, Any]], columns: Sequence[Column]) -> Table:
    """Return records as rich's Table; rich has to be installed (the extra ``rich``)."""
    # rich is an extra.
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column.title, overflow="fold")
    for row in cells_of(records, columns):
        table.add_row(*map(Text, row))
    return table


def html_table(records: Sequence[Mapping[str, Any]], columns: Sequence[Column]) -> str:
    """Return records as a table in HTML."""
    head = "".join(f"<th>{escape(column.title)}</th>" for column in columns)
    rows = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>"
        for row in cells_of(records, columns)
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _cell(record: Mapping[str, Any], column: Column) -> str:
    for path in column.fields:
        value = _at(record, path)
        if value not in (None, "", [], {}):
            return printable(_FORMS[column.form](value))
    return ""


def printable(text: str) -> str:
    """Escape control characters, which a terminal would obey: commands and labels are untrusted."""
    return "".join(
        each if each.isprintable() or each == "\n" else repr(each)[1:-1] for each in text
    )


def _at(record: Any, path: str) -> Any:
    for name in path.split("."):
        if not isinstance(record, dict):
            return None
        record = record.get(name)
    return record


def _text(value: Any) -> str:
    if isinstance(value, list):
        return "\n".join(map(_text, value))
    if isinstance(value, dict):
        return "\n".join(f"{name}={_text(each)}" for name, each in value.items())
    return str(value)


def _names(value: Any) -> str:
    if isinstance(value, list):
        value = [_text(name).removeprefix("/") for name in value]
    return _text(value)


def _id(value: Any) -> str:
    return str(value).removeprefix("sha256:")[:_SHORT_ID]


def _image(value: Any) -> str:
    """Write a container's image: its name, or its id if no name is left."""
    return _id(value) if str(value).startswith("sha256:") else str(value)


def _bytes(value: Any) -> str:
    if not isinstance(value, (int, float)) or not abs(value) < _MOST_BYTES:
        return _text(value)
    size = float(value)
    for unit in ("B", "kB", "MB", "GB"):
        if size < _KILO:
            return f"{size:.3g} {unit}"
        size /= _KILO
    return f"{size:.3g} TB"


def _ago(value: Any) -> str:
    """Write how long ago a moment was: UNIX seconds, or RFC 3339 with up to nanoseconds."""
    try:
        if isinstance(value, (int, float)):
            then = datetime.fromtimestamp(value, UTC)
        else:
            then = datetime.fromisoformat(value)
    except (TypeError, ValueError, OverflowError, OSError):
        return _text(value)
    if then.tzinfo is None:
        then = then.replace(tzinfo=UTC)
    passed = datetime.now(UTC) - then
    for unit, length in _UNITS:
        count = int(passed / length)
        if count:
            return f"{counted(count, unit)} ago"
    return "just now"


_UNITS = (
    ("year", timedelta(days=365)),
    ("month", timedelta(days=30)),
    ("day", timedelta(days=1)),
    ("hour", timedelta(hours=1)),
    ("minute", timedelta(minutes=1)),
    ("second", timedelta(seconds=1)),
)


def _ports(value: Any) -> str:
    return "\n".join(map(_port, value)) if isinstance(value, list) else _text(value)


def _port(port: Any) -> str:
    if not isinstance(port, dict):
        return _text(port)
    inside = f"{port.get('PrivatePort', '')}/{port.get('Type', '')}"
    if "PublicPort" not in port:
        return inside
    host = str(port.get("IP", ""))
    host = f"[{host}]" if ":" in host else host
    return f"{host}:{port['PublicPort']}->{inside}"


_FORMS: Mapping[str, Callable[[Any], str]] = {
    "text": _text,
    "names": _names,
    "id": _id,
    "image": _image,
    "bytes": _bytes,
    "ago": _ago,
    "ports": _ports,
}
