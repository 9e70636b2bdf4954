"""Full-text search of operations, tolerant of typing errors; the best matches come first.

How an operation ranks:

1. What is a name as a whole comes first: of an operation, of the docker command or of docker-py
   (``docker rmi``, ``exec_create``), of an option (``--cpus``) or of a definition.
2. Every word of the query counts by where the operation has it (its name before its summary, these
   before fields and texts), by how exactly (itself, a beginning, a synonym, a misspelling), and by
   how few operations have it. Ordinary words do not count; a word that nothing has is passed over.
3. A phrase of ``asked`` in ``specs/thesaurus.yaml`` counts in addition if the query has all of it.
4. What has more of the query ranks higher, and so does what is about a thing that the query names
   (operations on containers before one that only mentions them) or does what it says. What does the
   opposite ranks lower; a word for a state (``paused containers``) is no wish to do it.
"""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, NamedTuple

from dynadock.explore.index import (
    OF_NAME,
    PARAMETER,
    index_of,
    phrase_stems,
    questions,
    stem,
    stems,
)
from dynadock.explore.likeness import (
    ALIKE,
    SAME,
    in_our_words,
    opposite_stems,
    things_of,
    words_like,
    words_of_past,
)
from dynadock.explore.texts import BODY, REPLY
from dynadock.spec import elsewhere
from dynadock.spec.elsewhere import folded, words_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from dynadock.explore.index import Index
    from dynadock.spec.model import Operation, Spec

    Scores = dict[str, float]

PHRASE = 8.0
"""The weight of a word in a phrase of `asked` that is in the query as a whole."""

QUESTION = 0.5
"""What counts as the rarity of a word that asks (why, when) in such a phrase."""

NAMED = 40.0
"""What the name of an option or a definition, or a name of a single word, adds to a score."""

PAIRED = 5.0
"""What a score gains if two words of the query are the operation's name."""

ITS_THING = 1.5
OTHER_THING = 0.7
"""Factors for operations that are about what the query names, and about something else."""

ITS_VERB = 1.3
"""The factor of an operation whose name has a word of the query that is no thing."""

AGAINST = 0.7
"""The factor of an operation that does the opposite of what the query says."""

STRONG = 5
"""The least weight of what tells what an operation is about: its name and summary, `asked`."""

WITHOUT_COVER = 0.3
"""The factor of an operation that has next to nothing of the query; 1 has all of it."""

LEAST = 0.3
"""The least share of the best score; what has less is not found."""

_MOST_PLACES = 6
_MOST_NAMED = 4
_LONGEST_COMMAND = 4
"""Words of a name of the docker command, or of docker-py."""

_MOST_PAIRED = 10
"""Words of a query that are tried as names, two by two."""

_LONGEST = 1000
"""Letters of a query that are looked at."""


class Place(NamedTuple):
    """A parameter or field that a search found.

    ``name`` leads to it (``HostConfig.NanoCpus``); ``part`` is ``parameter``, ``body`` or
    ``reply``; ``operations`` are the operationIds that have it there.
    """

    name: str
    part: str
    operations: tuple[str, ...]

    def __str__(self) -> str:
        """Say where it is, without its name."""
        where = "parameter" if self.part == PARAMETER else f"in the {self.part}"
        named = ", ".join(self.operations[:_MOST_NAMED])
        more = len(self.operations) - _MOST_NAMED
        return f"{where} of {named}" + (f" and {more} more" if more > 0 else "")


class Answer(NamedTuple):
    """What a search found, the best first: operations, places in them, names of definitions."""

    operations: list[Operation]
    places: tuple[Place, ...] = ()
    definitions: tuple[str, ...] = ()


def search(spec: Spec, words: str) -> Answer:
    """Return what matches ``words``, best first; all operations for no words.

    Searched are names, paths, tags, parameters, fields of bodies and replies, and our words about
    these. A word matches its stem (``removing`` is ``remove``), the beginning or a part of one, a
    synonym (``delete``), or a similar spelling. Not every word has to match.
    """
    words = words.strip()[:_LONGEST]
    if not words:
        return Answer([spec[operation_id] for operation_id in sorted(spec)])
    query = _Query(spec, words)
    found = query.operations()
    return Answer([spec[name] for name in found], query.places(found), query.definitions())


class _Query:
    """One search in one version."""

    def __init__(self, spec: Spec, text: str) -> None:
        self.spec = spec
        self.text = text
        self.index = index_of(spec)
        self.said = in_our_words(text)
        # Of an option and its value the name counts: --cpus 2.
        self.name = text.split(maxsplit=1)[0] if text.startswith("-") else text
        self.likes = words_like(self.index, self.said)
        self.things = self._things()
        self.states = self._states()

    def operations(self) -> list[str]:
        """Return the operationIds, best first."""
        scores = self._by_words()
        least = LEAST * max(scores.values(), default=0)
        named = self._named()
        for operation_id, bonus in self._bonuses(named):
            scores[operation_id] = scores.get(operation_id, 0) + bonus
        if len(self.likes) == 1 and named != self._at_path():
            named = []
        if self.text.startswith("-"):
            # What is written as an option means nothing else.
            owners = {*self._of_options(), *(name for _, _, name in self._whole())}
            scores = {name: scores[name] for name in owners} or scores
        found = [name for name, score in scores.items() if score >= least and name not in named]
        return [*named, *sorted(found, key=lambda name: (-scores[name], name))]

    def _bonuses(self, named: list[str]) -> Iterator[tuple[str, float]]:
        """Yield what names of definitions, options, parameters and fields add to operations."""
        for name in self.definitions():
            for rank, operation_id in enumerate(self.index.definitions[name]):
                yield operation_id, NAMED / (1 + rank)
        for operation_id in named:
            yield operation_id, NAMED
        for operation_id in self._paired():
            yield operation_id, PAIRED
        if self.things.issuperset(self.likes):
            # `image` is a field too, but the images are meant.
            return
        nearest: Scores = dict.fromkeys(self._of_options(), NAMED)
        for name, part, operation_id in self._whole():
            bonus = NAMED / (1 + name.count(".") + 2 * (part == REPLY))
            nearest[operation_id] = max(nearest.get(operation_id, 0), bonus)
        yield from nearest.items()

    def _called(self, words: Iterable[str]) -> list[str]:
        """Return the operations that go by a name, given in words."""
        return self.index.names.get("".join(words), [])

    def _paired(self) -> set[str]:
        """Return the operations whose names are made of two words of the query: stop, container."""
        words = [word for word in words_of(self.said) if stems(word)][:_MOST_PAIRED]
        pairs = [(one, other) for one in words for other in words if one != other]
        return {name for pair in pairs for name in self._called(pair)}

    def _at_path(self) -> list[str]:
        """Return the operations whose path, with or without their method, is the query."""
        if "/" not in self.text:
            return []
        found = [each for each in self.spec.values() if each.path in self.text.split()]
        exact = [each for each in found if each.method in self.text.split()]
        return [each.operation_id for each in exact or found]

    def _named(self) -> list[str]:
        """Return the operations that go by the query as a whole, or by the command in it."""
        at_path = self._at_path()
        if at_path:
            return at_path
        words = words_of(self.said)
        command = elsewhere.without_said_first(words)
        if command != words:
            return next(filter(None, self._by_command(command)), [])
        return self._called([word for word in words if stems(word)])

    def _by_command(self, command: tuple[str, ...]) -> Iterator[list[str]]:
        """Yield the operations of a command, the longest first, of a thing named behind it."""
        for end in range(min(len(command), _LONGEST_COMMAND), 0, -1):
            for word in command[end : end + _MOST_PAIRED]:
                if stem(word) in self.things:
                    yield self._called((word, *command[:end]))
            yield self._called(command[:end])

    def _by_words(self) -> Scores:
        scores: Scores = {}
        covered: Scores = {}
        matched: Scores = {}
        for word, stems_alike in self.likes.items():
            hits = _hits(self.index, stems_alike)
            if not hits:
                continue
            # A word that most operations have says little about any of them.
            rarity = math.log(1 + len(self.spec) / len(hits))
            matched[word] = rarity * min(1, max(hits.values()) / STRONG)
            if word in self.states:
                hits = {name: min(weight, STRONG) for name, weight in hits.items()}
            for name, weight in hits.items():
                scores[name] = scores.get(name, 0) + weight * rarity
                covered[name] = covered.get(name, 0) + rarity * min(1, weight / STRONG)
        for name, bonus in self._asked(matched).items():
            scores[name] = scores.get(name, 0) + bonus
        doing = self._doing()
        against = self._against()
        for name in scores:
            cover = covered.get(name, 0) / sum(matched.values())
            scores[name] *= WITHOUT_COVER + (1 - WITHOUT_COVER) * cover
            scores[name] *= self._nearness(name) * (ITS_VERB if name in doing else 1)
            scores[name] *= AGAINST if name in against else 1
        return scores

    def _doing(self) -> set[str]:
        """Return the operations that do, by their names, what the query says."""
        likes = self.likes.items()
        verbs = [alike for word, alike in likes if word not in self.things | self.states]
        return {
            name
            for alike in verbs
            for name, weight in _hits(self.index, alike).items()
            if weight >= OF_NAME * SAME
        }

    def _against(self) -> set[str]:
        """Return the operations that do, by their names, the opposite of what the query says."""
        done = self.likes.keys() - self.states
        undone = {other for word in done for other in opposite_stems().get(word, ())}
        return {
            name
            for word in undone.difference(self.likes)
            for name, weight in self.index.hits.get(word, {}).items()
            if weight >= OF_NAME
        }

    def _states(self) -> set[str]:
        """Return the words that say how a thing is, not what to do: `attached containers`."""
        words = self.said.lower().split()
        happened = not words_of_past().isdisjoint(words)
        return {
            stem(word)
            for word, after in itertools.pairwise([*words, ""])
            if word.endswith("ed") and (happened or stem(after) in self.things)
        }

    def _nearness(self, name: str) -> float:
        """Return the factor of an operation for being about what the query names."""
        if not self.things:
            return 1.0
        if not self.things.isdisjoint(self.index.things[name]):
            return ITS_THING
        tells = any(self.index.hits[each].get(name, 0) >= STRONG for each in self.things)
        return 1.0 if tells else OTHER_THING

    def _asked(self, matched: Scores) -> Scores:
        """Return what phrases that the query holds add; of an operation the best phrase counts."""
        asks = questions() & {*phrase_stems(self.said)}
        worth: Scores = dict.fromkeys(asks, QUESTION)
        for word, rarity in matched.items():
            for each, likeness in self.likes[word].items():
                if likeness > ALIKE:
                    worth[each] = max(worth.get(each, 0), rarity * likeness)
        found: Scores = {}
        for name, phrase in self.index.asked:
            if all(each in worth for each in phrase):
                bonus = PHRASE * sum(worth[each] for each in phrase)
                found[name] = max(found.get(name, 0), bonus)
        return found

    def _things(self) -> set[str]:
        """Return what the query names of the things that operations are about."""
        things = things_of(self.index)
        return {
            each
            for stems_alike in self.likes.values()
            for each, likeness in stems_alike.items()
            if likeness > ALIKE and each in things
        }

    def _of_options(self) -> Iterator[str]:
        name = folded(self.name)
        for operation_id, rows in elsewhere.arguments().items():
            if operation_id in self.spec and name in rows:
                yield operation_id

    def places(self, found: list[str]) -> tuple[Place, ...]:
        """Return the parameters and fields of what was found that the query names."""
        first = {*found[: 2 * _MOST_PLACES]}
        grouped: dict[tuple[str, str], dict[str, None]] = {}
        for name, part, operation_id in [*self._meant(), *self._whole()]:
            if operation_id in first:
                grouped.setdefault((name, part), {})[operation_id] = None
        ranked = sorted(grouped, key=lambda each: (_PARTS.index(each[1]), each[0].count(".")))
        return tuple(Place(*each, tuple(grouped[each])) for each in ranked[:_MOST_PLACES])

    def _whole(self) -> Iterator[tuple[str, str, str]]:
        """Yield the places whose name, or the whole way to them, is the query."""
        wanted, last = folded(self.name), folded(self.name.rpartition(".")[2])
        for place, part, operation_ids in self.index.places.get(last, ()):
            if wanted in (last, folded(place)):
                for operation_id in operation_ids:
                    yield place, part, operation_id

    def _meant(self) -> Iterator[tuple[str, str, str]]:
        from dynadock.call.hints import places_meant

        for operation_id in self._of_options():
            operation = self.spec[operation_id]
            for place in places_meant(operation, self.name):
                yield place, PARAMETER if place in operation.by_name else BODY, operation_id

    def definitions(self) -> tuple[str, ...]:
        """Return the definitions whose name is the query, in any spelling."""
        wanted = folded(self.name)
        return tuple(each for each in self.index.definitions if folded(each) == wanted)


_PARTS = (PARAMETER, BODY, REPLY)


def _hits(index: Index, like: Mapping[str, float]) -> Scores:
    """Return the weight of each operation that a word matches."""
    best: Scores = {}
    for each, likeness in like.items():
        for name, weight in index.hits.get(each, {}).items():
            if weight * likeness > best.get(name, 0):
                best[name] = weight * likeness
    return best
