"""What the clients of a test have called, and what deviated, as plain values for its report."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dynadock.client import Client

MOST_ROWS = 300
"""Rows of exchanges, and of deviations, that the report of one test carries."""


class Watch:
    """What a client has called since the last time; others of its engine are counted with it.

    The client looks at its exchanges (the option ``contract``).
    """

    def __init__(self, client: Client) -> None:
        self._deviations = client.deviations
        self._seen = 0
        self._counts: Counter[int] = Counter()
        self.is_over = False

    def last_call(self) -> tuple[str, str] | None:
        """Return operationId and version of the newest call since the last time."""
        if sum(self._deviations.calls.values()) == self._seen:
            return None
        newest = self._deviations.exchanges[-1]
        return newest.operation_id, newest.version

    def exchanges(self) -> list[dict[str, Any]]:
        """Return the exchanges since the last time; those that are alike are one row."""
        total = sum(self._deviations.calls.values())
        kept = [*self._deviations.exchanges]
        new = kept[max(len(kept) - (total - self._seen), 0) :]
        self._seen = total
        rows: dict[Any, dict[str, Any]] = {}
        for each in new:
            key = (each.operation_id, each.version, each.method, each.target, each.status)
            row = rows.get(key)
            if row is not None:
                row["count"] += 1
            elif len(rows) < MOST_ROWS:
                rows[key] = {
                    "operation_id": each.operation_id,
                    "version": each.version,
                    "method": each.method,
                    "target": each.target,
                    "status": each.status,
                    "milliseconds": each.milliseconds,
                    "count": 1,
                }
        return [*rows.values()]

    def deviations(self) -> list[dict[str, Any]]:
        """Return the deviations since the last time, each with how often it came."""
        rows: list[dict[str, Any]] = []
        for place, each in enumerate(self._deviations):
            new = each.count - self._counts[place]
            if new and len(rows) < MOST_ROWS:
                self._counts[place] = each.count
                said = {"count": new, "is_failing": each.is_failing, "words": str(each)}
                rows.append(each.as_dict() | said)
        return rows
