"""Which of an index's stems a word of a query matches, and how well."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

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

_WORD = re.compile(r"-?\w+(?:['-]\w+)*")
_SHORTEST_BEGINNING = 3
_SHORTEST_PART = 4
_SHORTEST_MISSPELT = 4
_MOST_BETWEEN = 4
"""Words between a verb and its particle."""

_LIKENESS = 0.75
"""The least similarity of a misspelt word, from 0 to 1: of four letters one may be wrong, missing,
or swapped with its neighbour."""


def in_our_words(text: str) -> str:
    """Return a query with one of our words in place of what people say in several."""
    said, longest = _phrases()
    words = [*_WORD.finditer(text)]
    parts: list[str] = []
    done = first = 0
    while first < len(words):
        start = words[first].start()
        for last in range(min(first + longest, len(words)) - 1, first - 1, -1):
            end = words[last].end()
            ours = said.get(text[start:end].lower())
            if ours is not None:
                parts += text[done:start], ours
                done, first = end, last
                break
        first += 1
    return _put_together("".join(parts) + text[done:])


def _put_together(text: str) -> str:
    """Return a query with our words for verbs whose particle stands apart: turn a plugin off."""
    said, _ = _phrases()
    words = text.split()
    particles = {
        place: word
        for place, word in enumerate(each.strip(".,;!?").lower() for each in words)
        if word in _particles()
    }
    for place, particle in particles.items():
        for verb in range(max(place - 1 - _MOST_BETWEEN, 0), place - 1):
            ours = said.get(f"{words[verb].lower()} {particle}")
            if ours is not None:
                words[verb], words[place] = ours, ""
                break
    return " ".join(words) if "" in words else text


@cache
def words_of_past() -> frozenset[str]:
    """Return the words with which a query asks for what was done."""
    return frozenset(bundled_data(THESAURUS).get("happened", "").split())


@cache
def _particles() -> frozenset[str]:
    return frozenset(bundled_data(THESAURUS).get("particles", "").split())


@cache
def _phrases() -> tuple[Mapping[str, str], int]:
    """Return our words by what people say for them, and of how many words that is at most.

    This is no regular expression: one of that many alternatives takes longer to compile than all
    the rest of a search.
    """
    words = bundled_data(THESAURUS)
    said = {**_overviews(words.get("overview")), **words.get("phrases", {})}
    return said, max((len(_WORD.findall(each)) for each in said), default=0)


def _overviews(rule: Mapping[str, Any] | None) -> dict[str, str]:
    """Return what is said to see all things of a kind, in our words."""
    if not rule:
        return {}
    return {f"{say} {of}": f"{rule['mean']} {of}" for say in rule["say"] for of in rule["of"]}


def words_like(index: Index, text: str) -> dict[str, dict[str, float]]:
    """Return by each stem of a query, in its order, the index's stems that it matches."""
    found: dict[str, dict[str, float]] = {}
    for token in text.split():
        own = _stems_of(index, token)
        for word in own:
            if word not in found:
                # A slip may be in the ending: `taks` is no plural.
                found[word] = _like(index, word, folded(token) if len(own) == 1 else word)
    return found


def _stems_of(index: Index, token: str) -> list[str]:
    """Return the stems of one token: the whole of a name if it is known, else its words."""
    found = stems(token)
    whole = folded(token)
    return [whole] if len(found) > 1 and whole in index.hits else [*found]


def _like(index: Index, word: str, written: str) -> dict[str, float]:
    """Return the stems that a word matches, with a factor; similar ones only if it is unknown."""
    # What a query is about counts most, even if the slip is a word too: `taks` is no `take`.
    things = {each: SAME for each in things_of(index) if _is_swapped(each, written)}
    if things and word not in things:
        return things
    found: dict[str, float] = {}
    for each, likeness in _matches(index, word):
        found[each] = max(found.get(each, 0), likeness)
    if all(likeness <= PART for likeness in found.values()):
        for spelling in dict.fromkeys((word, written)):
            for each, likeness in _misspelt(index, spelling):
                found[each] = max(found.get(each, 0), likeness)
    return found


def _is_swapped(word: str, typed: str) -> bool:
    return word != typed and sorted(word) == sorted(typed) and is_slip(word, typed)


def things_of(index: Index) -> set[str]:
    """Return the stems of all that operations are about."""
    return {each for own in index.things.values() for each in own}


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
    if len(word) < _SHORTEST_MISSPELT:
        return
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


@cache
def opposite_stems() -> dict[str, set[str]]:
    """Return by stem those that mean the opposite."""
    pairs = bundled_data(THESAURUS).get("opposites", ())
    return _grouped([stem(str(word)) for word in pair] for pair in pairs)


def _grouped(groups: Iterable[Iterable[str]]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for group in groups:
        members = {*group}
        for each in members:
            found.setdefault(each, set()).update(members - {each})
    return found
