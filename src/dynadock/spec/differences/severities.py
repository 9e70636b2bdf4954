"""Kinds of differences, read from ``specs/severities.yaml``: how bad each is, and its words."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

from dynadock.spec.data import bundled_data

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

FILE = "severities.yaml"
BREAKING, RISKY, HARMLESS = SEVERITIES = ("breaking", "risky", "harmless")
"""From the worst."""

LONGEST_VALUE = 80
"""Characters of a value that a sentence shows."""


@cache
def kinds() -> Mapping[str, Mapping[str, str]]:
    """Return the table: ``request``, ``reply``, ``words`` and ``why`` by kind."""
    table: Mapping[str, Mapping[str, str]] = bundled_data(FILE)["kinds"]
    return table


def severity_of(kind: str, directions: Iterable[str]) -> str:
    """Return the worst that a kind means in any of the directions; harmless where in none."""
    row = kinds()[kind]
    return min((row[each] for each in directions), key=SEVERITIES.index, default=HARMLESS)


def words_of(kind: str, old: Any, new: Any) -> str:
    """Say what a difference of that kind is."""
    words = kinds()[kind]["words"]
    if "{" not in words:
        return words
    named = {"old": _text(old), "new": _text(new)}
    if "_value}" in words:
        named |= {"old_value": _value(old), "new_value": _value(new)}
    return words.format_map(named)


def _text(value: Any) -> str:
    if isinstance(value, list):
        return _short(", ".join(json.dumps(each, ensure_ascii=False) for each in value))
    return _short(value if isinstance(value, str) else _value(value))


def _value(value: Any) -> str:
    return "none" if value is None else _short(json.dumps(value, ensure_ascii=False))


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 1]}…"
