"""Names: of the wire, of Python, and which known name was probably meant."""

from __future__ import annotations

import re
from itertools import chain, count
from keyword import iskeyword
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

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

    Python's keywords get a ``_`` behind, leading digits one before. Letters are in the form in
    which Python reads them in a program (NFKC).
    """
    name = re.sub(_NOT_A_WORD, "_", as_read(wire_name))
    if not name.isascii():
        # Some digits, such as those in circles, are part of words but not of Python's names.
        name = "".join(each if f"_{each}".isidentifier() else "_" for each in name)
    if iskeyword(name):
        return f"{name}_"
    return name if name.isidentifier() else f"_{name}"


def as_read(name: str) -> str:
    """Return a name as Python reads it in a program, where ``ﬁ`` is ``fi``."""
    if name.isascii():
        return name
    from unicodedata import normalize

    return normalize("NFKC", name)


def distinct_names(arguments: list[tuple[str, str]]) -> list[str]:
    """Return a Python name for each of an operation's arguments, no name twice.

    An argument is a wire name and its location. Of those that would have the same name, one whose
    name is the wire's own comes first, then one of the path; another gets its location behind its
    name (``id_header``), and a number where that is taken too.
    """
    plain = [python_name(wire_name) for wire_name, _ in arguments]

    def rank(place: int) -> tuple[bool, bool, bool]:
        wire_name, location = arguments[place]
        return (location == "body", plain[place] != wire_name, location != "path")

    taken: dict[str, int] = {}
    order = sorted(range(len(arguments)), key=rank)
    left = [place for place in order if taken.setdefault(plain[place], place) != place]
    numbers: dict[str, Iterator[int]] = {}
    for place in left:
        longer = f"{plain[place]}_{arguments[place][1]}"
        numbered = (f"{longer}_{n}" for n in numbers.setdefault(longer, count(2)))
        taken[next(name for name in chain([longer], numbered) if name not in taken)] = place
    return sorted(taken, key=taken.__getitem__)


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
