"""Which operation was probably meant by a name that no operation has.

A name is looked up among all that operations go by: the names of the docker command and of
docker-py (``specs/elsewhere.yaml``), their own names, and both with words of the same meaning in
place of their own (``same`` in ``specs/thesaurus.yaml``), the last word in front too. Only if it is
none of these is it taken for a misspelling, and compared with them letter by letter. What destroys
something is then guessed only if a letter is missing, too many or swapped, and never the opposite
of what was said.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

from dynadock.spec import elsewhere, history
from dynadock.spec.data import bundled_data
from dynadock.spec.elsewhere import Meaning, words_of
from dynadock.spec.names import snake_case

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dynadock.spec.model import Spec

Words = tuple[str, ...]

THESAURUS = "thesaurus.yaml"

_LONGEST = 60
"""Letters of a name that is still looked at; no operation has as many."""

_LONG = 8
"""Letters of a name in which two may be wrong, and not just one."""

_MOST_VARIED = 4
"""Words of a name of which each may be another; with more there would be too many names."""

_LIKENESS = 0.7
"""The least likeness of those words in which a misspelt name differs, from 0 to 1."""

_MOST_NAMED = 3
"""Operations that a misspelt name may stand for; of more it stands for none."""


class _Name(NamedTuple):
    """A name that operations go by; ``is_own`` unless words of it are only synonyms."""

    words: Words
    meaning: Meaning
    is_own: bool

    def is_risky(self, spec: Spec) -> bool:
        """Tell whether only a slip may be taken for it: a synonym, and what destroys something."""
        verbs = {*bundled_data(THESAURUS).get("destructive", ())}
        return not self.is_own or any(
            not verbs.isdisjoint(words_of(each)) or (each in spec and spec[each].method == "DELETE")
            for each in self.meaning.means
        )


def hint_for_operation(spec: Spec, name: str) -> str:
    """Say what was probably meant by a name that is no operation, or how to search for it."""
    meaning = meant_by(spec, name)
    if meaning is None:
        wanted = " ".join(words_of(name)) if len(name) <= _LONGEST else "…"
        return f"client.find({wanted or name!r}) searches"
    is_snake = "_" in name and name == name.lower()
    names = [_introduced(spec, each, is_snake=is_snake) for each in meaning.means]
    return f"did you mean {', '.join(names)}{meaning.remark}?"


def _introduced(spec: Spec, operation_id: str, *, is_snake: bool) -> str:
    snake = snake_case(operation_id)
    # Where two have the same one, neither goes by it.
    goes_by_it = operation_id not in spec or spec.names.get(snake) == operation_id
    name = snake if is_snake and goes_by_it else operation_id
    lifetime = None if operation_id in spec else history.of_operation(operation_id)
    return name if lifetime is None else f"{name} ({lifetime.relative_to(spec.version)})"


def meant_by(spec: Spec, name: str) -> Meaning | None:
    """Return the operations that were probably meant by a name, None for none."""
    words = words_of(name)
    letters = "".join(words)
    if not 0 < len(letters) <= _LONGEST:
        return None
    names = _names(spec)
    known = names.get(letters)
    if known is None:
        words = elsewhere.without_said_first(words)
        known = names.get("".join(words))
    return _misspelt(spec, names, words) if known is None else known.meaning


def names_of(spec: Spec) -> dict[str, list[str]]:
    """Return this version's operations by the letters of all names that they go by."""
    found = {
        letters: [each for each in name.meaning.means if each in spec]
        for letters, name in _names(spec).items()
    }
    return {letters: names for letters, names in found.items() if names}


@lru_cache(maxsize=2)
def _names(spec: Spec) -> dict[str, _Name]:
    """Return all names that operations go by, by their letters."""
    rows, own = dict(_rows(spec)), dict(_own(spec))
    varied: dict[Words, tuple[str, ...]] = {}
    for words, meaning in own.items():
        for variant in _variants(words):
            varied[variant] = tuple(dict.fromkeys((*varied.get(variant, ()), *meaning.means)))
    synonyms = {words: Meaning(means, "") for words, means in varied.items()}
    of_rows = {
        variant: meaning
        for words, meaning in rows.items()
        if len(words) > 1
        for variant in _variants(words)
    }
    # The last ones win: what stands in a row or is an operation's own name is no synonym.
    names = {**of_rows, **synonyms, **own, **rows}
    sure = {*own, *rows}
    return {"".join(words): _Name(words, names[words], words in sure) for words in names}


def _own(spec: Spec) -> Iterator[tuple[Words, Meaning]]:
    """Yield the operations' own names; those of other versions where this one lacks them."""
    for lifetime in history.operations():
        yield words_of(lifetime.name), Meaning((lifetime.name,), "")
    for name, operation_id in spec.names.items():
        yield words_of(name), Meaning((operation_id,), "")
    alike: dict[Words, tuple[str, ...]] = {}
    for operation_id in spec:
        words = words_of(operation_id)
        alike[words] = (*alike.get(words, ()), operation_id)
    for words, operation_ids in alike.items():
        yield words, Meaning(operation_ids, "")


def _rows(spec: Spec) -> Iterator[tuple[Words, Meaning]]:
    """Yield the names from elsewhere of what this version, or another, has."""
    known = {*spec, *(lifetime.name for lifetime in history.operations())}
    for words, (means, note) in elsewhere.operations().items():
        there = [spec.names.get(each, each) for each in means]
        if known.issuperset(there):
            yield words, Meaning(tuple(there), note)


def _variants(words: Words) -> Iterator[Words]:
    """Yield a name with words of the same meaning, also with its last word in front."""
    if len(words) > _MOST_VARIED:
        yield words
        return
    same = bundled_data(THESAURUS).get("same", {})
    for variant in product(*((word, *same.get(word, ())) for word in words)):
        yield variant
        yield (variant[-1], *variant[:-1])


def _misspelt(spec: Spec, names: Mapping[str, _Name], words: Words) -> Meaning | None:
    """Return what the nearest names mean, None for none, too many or a dangerous one."""
    from rapidfuzz import process
    from rapidfuzz.distance import OSA

    letters = "".join(words)
    most_wrong = 2 if len(letters) >= _LONG else 1
    found = process.extract(
        letters, [*names], scorer=OSA.distance, score_cutoff=most_wrong, limit=None
    )
    fitting = [
        (distance, names[near])
        for near, distance, _ in found
        if _is_alike(letters, names[near].words)
        and not are_opposite(words, names[near].words)
        and (is_slip(near, letters) or not names[near].is_risky(spec))
    ]
    least = min((distance for distance, _ in fitting), default=0)
    near = [name for distance, name in fitting if distance == least]
    if any(are_opposite(one.words, other.words) for one in near for other in near):
        return None
    means = tuple(dict.fromkeys(each for name in near for each in name.meaning.means))
    if len(near) == 1:
        return near[0].meaning
    return Meaning(means, "") if 0 < len(means) <= _MOST_NAMED else None


def _is_alike(letters: str, words: Words) -> bool:
    """Tell whether a name is like another without the words that both begin or end with."""
    from rapidfuzz.distance import OSA

    first, last = 0, len(words)
    while first < last - 1 and letters.startswith(words[first]):
        letters = letters[len(words[first]) :]
        first += 1
    while first < last - 1 and letters.endswith(words[last - 1]):
        letters = letters[: -len(words[last - 1])]
        last -= 1
    rest = "".join(words[first:last])
    return bool(OSA.normalized_similarity(letters, rest) >= _LIKENESS)


def are_opposite(words: Words, others: Words) -> bool:
    """Tell whether one of two names says the opposite of the other."""
    pairs = bundled_data(THESAURUS).get("opposites", ())
    return any(
        (one in words and other in others) or (other in words and one in others)
        for one, other in pairs
    )


def is_slip(word: str, typed: str) -> bool:
    """Tell whether letters are only missing, too many or swapped, but the first."""
    from rapidfuzz.distance import Indel

    is_swapped = sorted(word) == sorted(typed)
    is_cut = Indel.distance(word, typed) == abs(len(word) - len(typed))
    return word[:1] == typed[:1] and (is_swapped or is_cut)
