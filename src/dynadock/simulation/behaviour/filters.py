"""Filters as engines read them, whatever they filter."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from dynadock.call.moments import moment_of
from dynadock.simulation.refusal import bad_request
from dynadock.spec.patterns import read_pattern

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    Filters = Mapping[str, list[str]]

_FLAGS = {"1": True, "true": True, "0": False, "false": False}


def check_names(filters: Filters, known: Iterable[str]) -> None:
    """Refuse filters whose names are not known, in the words of engines."""
    for name in filters:
        if name not in known:
            raise bad_request(f"invalid filter '{name}'")


def flag(filters: Filters, name: str) -> bool | None:
    """Return what a filter says that is yes or no, None if it says nothing; Refused for both."""
    wanted = filters.get(name)
    if not wanted:
        return None
    found = {_FLAGS.get(text) for text in wanted}
    if len(found) != 1 or None in found:
        raise bad_request(f"invalid filter '{name}=[{' '.join(sorted(wanted))}]'")
    return found.pop()


def has_labels(labels: Mapping[str, str], wanted: Iterable[str]) -> bool:
    """Tell whether all wanted labels are there: ``name`` or ``name=value``."""
    pairs = (text.partition("=") for text in wanted)
    return all(
        name in labels and (not equals or labels[name] == value) for name, equals, value in pairs
    )


def has_any_label(labels: Mapping[str, str], unwanted: Iterable[str]) -> bool:
    """Tell whether one of the labels is there that ``label!`` leaves out."""
    return any(has_labels(labels, [text]) for text in unwanted)


def moment_until(filters: Filters, now: int) -> int | None:
    """Return the moment that the filter ``until`` means, None without it; Refused for two."""
    wanted = filters.get("until") or ()
    if len(wanted) > 1:
        raise bad_request("more than one until filter specified")
    return moment_of(wanted[0], now) if wanted else None


def is_pruned(labels: Mapping[str, str], filters: Filters) -> bool:
    """Tell whether the filters ``label`` and ``label!`` let something with these labels go."""
    return has_labels(labels, filters.get("label", ())) and not has_any_label(
        labels, filters.get("label!", ())
    )


LONGEST_NAME = 250
"""Characters of a name that are compared with patterns."""

_QUANTIFIER = re.compile(r"[*+?{]")
_NOT_RUN = re.compile(r"\)[*+{]|\[\[|--|&&|~~|\|\|")
"""Groups that repeat, and what Python warns of that it may read in another way some day."""

_MOST_QUANTIFIERS = 2


def fits_name(name: str, wanted: Iterable[str]) -> bool:
    """Tell whether a name is one of the texts, or one of them is a pattern that matches in it.

    What is no pattern fits nothing else (26.1). Refused for a pattern that could take for ever
    here.
    """
    return any(name == text or _matches(text, name[:LONGEST_NAME]) for text in wanted)


def _matches(pattern: str, name: str) -> bool:
    expression = _expression(pattern)
    return expression is not None and expression.search(name) is not None


@lru_cache(maxsize=256)
def _expression(pattern: str) -> re.Pattern[str] | None:
    known = read_pattern(pattern).expression
    if known is not None:
        return known
    if len(_QUANTIFIER.findall(pattern)) > _MOST_QUANTIFIERS or _NOT_RUN.search(pattern):
        raise bad_request(f"the embedded engine does not run the pattern {pattern!r}")
    try:
        return re.compile(pattern)
    except (re.error, OverflowError):
        return None
