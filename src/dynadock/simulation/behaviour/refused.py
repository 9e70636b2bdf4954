"""Operations that are refused whatever they are asked, as data has it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from dynadock.simulation.refusal import Refused
from dynadock.spec.data import bundled_data

if TYPE_CHECKING:
    from dynadock.simulation.asked import Asked

Row = Mapping[str, Any]


def refusal_of(asked: Asked) -> Refused | None:
    """Return why engines refuse an operation, None if they would do something for it."""
    row = row_of(asked.operation.operation_id, asked.operation.tag)
    if row is None:
        return None
    message = row["message"].replace("{name}", str(asked.get("name")))
    return Refused(message, row["status"])


def row_of(operation_id: str, tag: str) -> Row | None:
    """Return the status and the message with which an operation is refused, None if it is not."""
    by_operation, by_tag = _rows()
    row = by_operation.get(operation_id) or by_tag.get(tag)
    return row if row is not None and row.get("simulated", True) else None


@cache
def _rows() -> tuple[dict[str, Row], dict[str, Row]]:
    rows = bundled_data("embedded.yaml")["Refused"]
    by_operation = {name: row for row in rows["operations"] for name in row["operations"]}
    return by_operation, {tag: row for row in rows["tags"] for tag in row["tags"]}
