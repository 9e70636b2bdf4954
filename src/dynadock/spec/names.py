"""Names: of the wire, of Python, and which known name was probably meant."""

from __future__ import annotations

import re
from keyword import iskeyword
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

# Compiled when they are first asked for: a start need not wait.
_HUMP = r"(?<=[a-z0-9])([A-Z])"
_NOT_A_WORD = r"\W"

_LIKENESS = 0.7
"""The least similarity of a near name, from 0 to 1: how much of both names' letters they share."""


def snake_case(operation_id: str) -> str:
    """Turn ``ContainerList`` into ``container_list``, as OpenAPI generators do."""
    return re.sub(_HUMP, r"_\1", operation_id).lower()


def python_name(wire_name: str) -> str:
    """Turn a wire name into an argument's name: ``X-Registry-Auth`` is ``X_Registry_Auth``.

    Python's keywords get a ``_`` behind, leading digits one before.
    """
    name = re.sub(_NOT_A_WORD, "_", wire_name)
    if iskeyword(name):
        return f"{name}_"
    return name if name.isidentifier() else f"_{name}"


def closest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that was probably meant: the same in other letters, or a near one."""
    known = list(known)
    same = respelt(name, known)
    if same is not None:
        return same
    from rapidfuzz import process
    from rapidfuzz.distance import Indel

    by_fold = {candidate.casefold(): candidate for candidate in known}
    near = process.extractOne(
        name.casefold(),
        by_fold.keys(),
        scorer=Indel.normalized_similarity,
        score_cutoff=_LIKENESS,
    )
    return by_fold[near[0]] if near else None


def respelt(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that differs only in case, hyphens and underscores."""
    folded = _folded(name)
    return next((candidate for candidate in known if _folded(candidate) == folded), None)


def _folded(name: str) -> str:
    return name.replace("_", "").replace("-", "").casefold()
