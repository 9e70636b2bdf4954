"""Which of an index's stems a word of a query matches, and how well."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from dynadock.explore.index import stem, stems
from dynadock.spec.data import bundled_data
from dynadock.spec.elsewhere import folded
from dynadock.spec.hints import THESAURUS, is_slip

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from dynadock.explore.index import Index

EXACT = 1.0
SAME = 0.9
BEGINNING = 0.8
MISSPELT = 0.7
ALIKE = 0.5
PART = 0.4
"""The factor of each kind of match in an operation's score."""

_SHORTEST_BEGINNING = 3
_SHORTEST_PART = 4
_SHORTEST_MISSPELT = 4
_LIKENESS = 0.75
"""The least similarity of a misspelt word, from 0 to 1: of four letters one may be wrong, missing,
or swapped with its neighbour."""


def in_our_words(text: str) -> str:
    """Return a query with one of our words in place of what people say in several."""
    pattern, said = _phrases()
    return pattern.sub(lambda found: said[found[0].lower()], text)


@cache
def _phrases() -> tuple[re.Pattern[str], Mapping[str, str]]:
    said: dict[str, str] = bundled_data(THESAURUS).get("phrases", {})
    longest_first = sorted(said, key=len, reverse=True)
    alternatives = "|".join(map(re.escape, longest_first)) or "(?!)"
    return re.compile(rf"\b(?:{alternatives})\b", re.IGNORECASE), said


def stems_of(index: Index, token: str) -> list[str]:
    """Return the stems of one token: the whole of a name if it is known, else its words."""
    found = stems(token)
    whole = folded(token)
    return [whole] if len(found) > 1 and whole in index.hits else [*found]


def like(index: Index, word: str) -> dict[str, float]:
    """Return the stems that a word matches, with a factor; similar ones only if it is unknown."""
    found: dict[str, float] = {}
    for each, likeness in _matches(index, word):
        found[each] = max(found.get(each, 0), likeness)
    if all(likeness <= PART for likeness in found.values()) and len(word) >= _SHORTEST_MISSPELT:
        for each, likeness in _misspelt(index, word):
            found[each] = max(found.get(each, 0), likeness)
    return found


def _matches(index: Index, word: str) -> Iterator[tuple[str, float]]:
    for factor, words in ((ALIKE, _alike()), (SAME, _same())):
        for each in words.get(word, ()):
            yield each, factor
    for each in index.hits:
        if each == word:
            yield each, EXACT
        elif len(word) >= _SHORTEST_BEGINNING and each.startswith(word):
            # The less of a word is there, the less it says: `web` may be no websocket.
            yield each, max(BEGINNING * (len(word) / len(each)) ** 0.5, PART)
        elif len(word) >= _SHORTEST_PART and word in each:
            yield each, PART


def _misspelt(index: Index, word: str) -> Iterator[tuple[str, float]]:
    from rapidfuzz import process
    from rapidfuzz.distance import OSA

    known = sorted({*index.hits, *_alike(), *_same()})
    for meant, likeness, _ in process.extract(
        word, known, scorer=OSA.normalized_similarity, score_cutoff=_LIKENESS, limit=5
    ):
        if len(word) == _SHORTEST_MISSPELT and not is_slip(meant, word):
            continue
        for each, factor in _matches(index, meant):
            if factor >= SAME:
                yield each, MISSPELT * likeness * factor


@cache
def _alike() -> dict[str, set[str]]:
    """Return by stem those that tend to be about the same."""
    return _grouped(bundled_data(THESAURUS).get("groups", ()))


@cache
def _same() -> dict[str, set[str]]:
    """Return by stem those that mean the same."""
    same = bundled_data(THESAURUS).get("same", {})
    return _grouped([*map(stem, (word, *others))] for word, others in same.items())


def _grouped(groups: Iterable[Iterable[str]]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for group in groups:
        members = {*group}
        for each in members:
            found.setdefault(each, set()).update(members - {each})
    return found
