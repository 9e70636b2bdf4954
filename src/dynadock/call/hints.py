"""What was probably meant by an argument, or a field of a body, that an operation does not have.

Looked at in this order: the same name in another version; the same in other letters; the same at
another place of the call (a field inside another, a parameter); a name of the docker command or of
docker-py (``specs/elsewhere.yaml``); a misspelling; the same name in other operations.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from dynadock.options import OPTIONS
from dynadock.spec import elsewhere, history
from dynadock.spec.elsewhere import folded, words_of
from dynadock.spec.fields import fields
from dynadock.spec.hints import are_opposite
from dynadock.spec.names import closest, respelt

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dynadock.spec.elsewhere import Meaning
    from dynadock.spec.history import Lifetime
    from dynadock.spec.model import Operation, Spec

_MOST_NAMED = 3
"""Places, or operations, that a hint names."""


class _Place(NamedTuple):
    """A field of a body, ``path`` leading to it, or a parameter."""

    path: str
    is_field: bool

    @property
    def name(self) -> str:
        """The last step."""
        return self.path.rpartition(".")[2]

    @property
    def level(self) -> int:
        """How many fields are around it."""
        return self.path.count(".")


def hint_for_argument(operation: Operation, name: str) -> str:
    """Say what was probably meant by an argument that the operation does not have."""
    known = [parameter.python_name for parameter in operation.parameters]
    if operation.body is not None:
        known += [operation.body.python_name, *operation.body.properties]
    lifetime = history.of_parameter(operation.operation_id, name)
    if lifetime is not None and respelt(name, known) is None:
        return f"; {lifetime.relative_to(operation.version)}"
    # docker-py's `volumes` are not the engine's Volumes.
    row = _from_elsewhere(operation, name) if name.islower() else ""
    if not row and name in OPTIONS and respelt(name, known) is None:
        return f"; it is an option: with_options({name}=…)"
    return row or hint_for_field(operation, known, name, name)


def hint_for_field(operation: Operation, known: Iterable[str], key: str, path: str) -> str:
    """Say what was probably meant by a key that is unknown at ``path``, beside ``known`` ones.

    ``path`` is written as the history does: ``[]`` for items, ``{}`` for a map's values.
    """
    known = list(known)
    same = respelt(key, known)
    if same is not None:
        return _did_you_mean([same])
    lifetime = history.of_field(operation.operation_id, path)
    if lifetime is not None:
        return f"; {lifetime.relative_to(operation.version)}"
    places = _places(operation.spec, operation.operation_id).get(folded(key), [])
    exact = [place for place in places if place.name == key]
    return (
        _at_another_place(exact, path)
        or _from_elsewhere(operation, key)
        or _at_another_place(places, path)
        or _in_another_version(operation, key)
        or _misspelt(operation, known, key)
        or _of_others(operation, key)
        or f"; client.find({key!r}) searches"
    )


def places_meant(operation: Operation, name: str) -> list[str]:
    """Return the parameters and fields that a name from elsewhere means, empty for none."""
    meaning = elsewhere.arguments().get(operation.operation_id, {}).get(folded(name))
    means = () if meaning is None else meaning.means
    return [place for each in means if (place := _resolved(operation, each))]


def _did_you_mean(places: Iterable[str], remark: str = "") -> str:
    named = " or ".join(repr(place) for place in places)
    return f"; did you mean {named}{remark}?"


def _from_elsewhere(operation: Operation, name: str) -> str:
    meaning = elsewhere.arguments().get(operation.operation_id, {}).get(folded(name))
    return "" if meaning is None else _explained(operation, meaning)


def _explained(operation: Operation, meaning: Meaning) -> str:
    if not meaning.means:
        return f"; {meaning.note}"
    there = [place for each in meaning.means if (place := _resolved(operation, each))]
    if there:
        return _did_you_mean(there, meaning.remark)
    lifetimes = (history.of_field(operation.operation_id, place) for place in meaning.means)
    return next((_of_another_version(operation, each) for each in lifetimes if each), "")


def _resolved(operation: Operation, place: str) -> str | None:
    """Return what of a place the operation has: all of it, or its end; None for nothing."""
    parameter = operation.by_name.get(place)
    if parameter is not None:
        return parameter.python_name
    body = operation.body
    if body is None:
        return None
    if place == "body":
        return body.python_name
    there = {
        each.path for each in _places(operation.spec, operation.operation_id).get(_of(place), ())
    }
    while place not in there and "." in place:
        place = place.partition(".")[2]
    return place if place in there else None


def _of(place: str) -> str:
    return folded(place.rpartition(".")[2])


def _at_another_place(places: list[_Place], path: str) -> str:
    """Say where else in the call a name stands: below the place, else as near the top as it is."""
    around = path.rpartition(".")[0]
    found = [each for each in places if not (each.is_field and each.path == path)]
    if not found:
        return ""
    first = min(found, key=lambda each: (not each.path.startswith(around), each.level))
    if not first.is_field:
        return f"; did you mean the parameter {first.path!r}, beside the body?"
    alike = [each.path for each in found if each.is_field and each.level == first.level]
    top = ", at the top of the body" if around and not first.level else ""
    return _did_you_mean(alike[:_MOST_NAMED], top)


def _in_another_version(operation: Operation, key: str) -> str:
    for lifetime in history.fields_of(operation.operation_id):
        if _of(lifetime.name) == folded(key):
            return _of_another_version(operation, lifetime)
    return ""


def _of_another_version(operation: Operation, lifetime: Lifetime) -> str:
    return _did_you_mean([lifetime.name], f" ({lifetime.relative_to(operation.version)})")


def _misspelt(operation: Operation, known: list[str], key: str) -> str:
    words = words_of(key)
    meant = closest(key, [each for each in known if not are_opposite(words, words_of(each))])
    if meant is not None:
        return _did_you_mean([meant])
    rows = elsewhere.arguments().get(operation.operation_id, {})
    row = closest(folded(key), rows)
    return "" if row is None else _explained(operation, rows[row])


def _of_others(operation: Operation, key: str) -> str:
    """Say which other operations have the name; those on the same kind of thing, if they do."""
    owners = _owners(operation.spec).get(folded(key), {})
    akin = {each: place for each, place in owners.items() if _tag(operation, each)}
    named = akin or owners
    if not 0 < len(named) <= _MOST_NAMED:
        return ""
    places = [f"{each} ({place.path!r})" for each, place in named.items()]
    return f"; it belongs to {', '.join(places)}"


def _tag(operation: Operation, other: str) -> bool:
    return operation.spec[other].tag == operation.tag


@lru_cache(maxsize=64)
def _places(spec: Spec, operation_id: str) -> Mapping[str, list[_Place]]:
    """Return the fields and parameters of an operation by their own names, `folded`."""
    operation = spec[operation_id]
    found: dict[str, list[_Place]] = {}
    if operation.body is not None:
        for field in fields(operation.body.schema, spec.definitions):
            found.setdefault(folded(field.name), []).append(_Place(field.path, is_field=True))
    for each in operation.parameters:
        found.setdefault(folded(each.name), []).append(_Place(each.python_name, is_field=False))
    return found


@lru_cache(maxsize=4)
def _owners(spec: Spec) -> Mapping[str, Mapping[str, _Place]]:
    """Return by `folded` names the operations that have them, each with its topmost place."""
    found: dict[str, dict[str, _Place]] = {}
    for operation_id in spec:
        for name, places in _places(spec, operation_id).items():
            topmost = min(places, key=lambda each: each.level)
            found.setdefault(name, {})[operation_id] = topmost
    return found
