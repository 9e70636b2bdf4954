"""Differences between two versions as parts of pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dynadock.pages.markup import Content, Markup, element
from dynadock.pages.parts import Badge, code
from dynadock.spec.differences.rows import BOTH
from dynadock.spec.differences.severities import SEVERITIES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dynadock.spec.differences.rows import Difference

BADGES = {
    "breaking": Badge("breaking", "bad", "✗"),
    "risky": Badge("risky", "warn", "!"),
    "harmless": Badge("harmless", "good", "✓"),
}
"""How severities are shown."""


def difference_list(differences: Iterable[Difference]) -> Markup:
    """Return differences as a list, the worst first: severity, place, and what became of it."""
    rows = sorted(differences, key=lambda row: SEVERITIES.index(row.severity))
    return element("ul", map(_item, rows), class_="rows")


def in_words(direction: str) -> str:
    """Return a direction as a reader wants it."""
    return "request and reply" if direction == BOTH else direction


def direction(row: Difference) -> Content:
    """Return whether it is sent or read, small."""
    words = in_words(row.direction)
    if words and row.place.partition(" ")[0] == words:
        return None  # The place says it.
    return element("span", words, class_="quiet") if words else None


def _item(row: Difference) -> Markup:
    line = [BADGES[row.severity].markup(), direction(row), code(row.place) if row.place else None]
    return element(
        "li", element("div", line, class_="line"), element("p", row.words), class_="change"
    )
