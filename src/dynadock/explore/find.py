"""Full-text search of operations, tolerant of typing errors; the best matches come first."""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING

from dynadock.explore.index import THESAURUS, index_of, stems
from dynadock.spec.data import bundled_data

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dynadock.explore.index import Hits
    from dynadock.spec.model import Operation, Spec

EXACT = 1.0
BEGINNING = 0.8
MISSPELT = 0.7
ALIKE = 0.6
PART = 0.5
"""The factor of each kind of match in an operation's score."""

_SHORTEST_PART = 4
_SHORTEST_MISSPELT = 3
_LIKENESS = 0.75
"""The least similarity of a misspelt word, from 0 to 1: of four letters one may be wrong, missing,
or swapped with its neighbour."""

_ENOUGH = 0.6
"""The share of a long query's words that has to match, where no operation matches all of them."""

_LONG = 3
"""Words of a long query."""


def find_operations(spec: Spec, words: str) -> list[Operation]:
    """Return the operations that match ``words``, best first; all of them for no words.

    Searched are names, paths, tags, parameters, fields of bodies and replies, and the texts of
    ``specs/reference.yaml`` about these. A word matches its stem (``removing`` is ``remove``), the
    beginning or a part of one, a synonym (``delete``), or a similar spelling. Every word has to
    match; of three and more words most of them, if no operation matches all.
    """
    if not words.strip():
        return [spec[operation_id] for operation_id in sorted(spec)]
    index = index_of(spec)
    wanted = dict.fromkeys(stem for word in words.split() for stem in stems(word))
    scores: dict[str, float] = {}
    counts: dict[str, int] = {}
    for word in wanted:
        found = _hits(index, word)
        # A word that most operations have says little about any of them.
        rarity = math.log(1 + len(spec) / (len(found) or 1))
        for name, weight in found.items():
            scores[name] = scores.get(name, 0) + weight * rarity
            counts[name] = counts.get(name, 0) + 1
    has_all = max(counts.values(), default=0) == len(wanted)
    enough = len(wanted) * (1 if has_all or len(wanted) < _LONG else _ENOUGH)
    fitting = [name for name, count in counts.items() if count >= enough]
    fitting.sort(key=lambda name: (-counts[name], -scores[name], name))
    return [spec[name] for name in fitting]


def _hits(index: Hits, word: str) -> dict[str, float]:
    """Return the score of each operation that a word matches."""
    best: dict[str, float] = {}
    for stem, likeness in _like(index, word):
        for name, weight in index[stem].items():
            if weight * likeness > best.get(name, 0):
                best[name] = weight * likeness
    return best


def _like(index: Hits, word: str) -> Iterator[tuple[str, float]]:
    """Yield the stems that a word matches, with a factor; similar ones only if it is unknown."""
    is_known = False
    for stem in index:
        if stem == word:
            is_known = True
            yield stem, EXACT
        elif stem.startswith(word):
            is_known = True
            yield stem, BEGINNING
        elif len(word) >= _SHORTEST_PART and word in stem:
            yield stem, PART
    for stem in _thesaurus().get(word, ()):
        is_known = True
        if stem in index:
            yield stem, ALIKE
    if not is_known and len(word) >= _SHORTEST_MISSPELT:
        yield from _misspelt(index, word)


def _misspelt(index: Hits, word: str) -> Iterator[tuple[str, float]]:
    from rapidfuzz import process
    from rapidfuzz.distance import OSA

    known = [*{*index, *_thesaurus()}]
    for meant, likeness, _ in process.extract(
        word, known, scorer=OSA.normalized_similarity, score_cutoff=_LIKENESS, limit=5
    ):
        for stem in {meant, *_thesaurus().get(meant, ())} & index.keys():
            yield stem, (MISSPELT if stem == meant else ALIKE) * likeness


@cache
def _thesaurus() -> dict[str, set[str]]:
    """Return the synonyms of each stem that is in a group."""
    alike: dict[str, set[str]] = {}
    for group in bundled_data(THESAURUS).get("groups", ()):
        for stem in group:
            alike.setdefault(stem, set()).update(set(group) - {stem})
    return alike
