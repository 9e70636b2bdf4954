"""The search index of a version: the stems of its operations' words, and where they come from."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakKeyDictionary

from dynadock.explore.texts import BODY, FILE, REPLY, bundled_texts
from dynadock.spec import elsewhere, hints
from dynadock.spec.cache import code_state, digest, read_compiled, write_compiled
from dynadock.spec.data import bundled_data
from dynadock.spec.elsewhere import folded
from dynadock.spec.fields import fields
from dynadock.spec.hints import THESAURUS
from dynadock.spec.library import bundled_content

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dynadock.spec.fields import Field
    from dynadock.spec.model import Operation, Spec

BODY_DEPTH = 4
REPLY_DEPTH = 2
"""Levels of fields that are indexed."""

OF_NAME = 8
"""The weight of a word in an operation's name."""

PARAMETER = "parameter"

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^\W\d_A-Za-z]+")
_NAME = re.compile(r"[\w-]+")
_SEPARATOR = re.compile("[-_]")
_ENDINGS = ("ies", "ing", "ed", "es", "e", "s")
_DOUBLING = ("ing", "ed")
_DOUBLED = re.compile(r"[a-z]{2}([bdgmnprt])\1$")
_SHORTEST_STEM = 3


class Index(NamedTuple):
    """What a version's words lead to; all of it is plain data, since it is kept in the cache.

    ``hits`` has by stem the operationIds that have it, and its weight for each; ``asked`` the
    phrases of ``specs/thesaurus.yaml`` as stems, each with its operation; ``names`` all names that
    operations go by (see `called`); ``places`` the parameters and fields by their own names,
    `folded`, as ``[name, part, operationIds]`` with ``parameter``, ``body`` or ``reply`` for the
    part; ``definitions`` the operations that have a definition in their bodies, or else in their
    replies; ``things`` the stems of what an operation is about.
    """

    hits: Mapping[str, Mapping[str, float]]
    asked: list[list[Any]]
    names: Mapping[str, list[str]]
    places: Mapping[str, list[list[Any]]]
    definitions: Mapping[str, list[str]]
    things: Mapping[str, list[str]]


_indexes: WeakKeyDictionary[Spec, Index] = WeakKeyDictionary()


def index_of(spec: Spec) -> Index:
    """Return the index of a spec, made at its first use and then stored in the cache folder."""
    index = _indexes.get(spec)
    if index is None:
        index = _indexes[spec] = _cached(spec) if spec.key else _made(spec)
    return index


def _cached(spec: Spec) -> Index:
    data = map(bundled_content, (FILE, THESAURUS, elsewhere.FILE))
    code = (code_state(__file__), code_state(hints.__file__))
    key = digest(b"index", spec.key.encode(), *code, *data)
    kept = read_compiled(key)
    if kept is not None:
        return Index(**kept)
    index = _made(spec)
    write_compiled(key, index._asdict())
    return index


def _made(spec: Spec) -> Index:
    hits: dict[str, dict[str, float]] = {}
    places: dict[tuple[str, str], list[str]] = {}
    users: dict[str, list[str]] = {}
    for operation in spec.values():
        name = operation.operation_id
        for weight, text in _texts(operation):
            for each in stems(text):
                found = hits.setdefault(each, {})
                if weight > found.get(name, 0):
                    found[name] = round(weight, 3)
        for place, part in _places(operation):
            places.setdefault((place, part), []).append(name)
    for part in (BODY, REPLY):
        for operation in spec.values():
            for definition in _definitions(operation, part):
                users.setdefault(definition, []).append(operation.operation_id)
    definitions = {each: users.get(each, [])[:5] for each in spec.definitions}
    tags = {word for operation in spec.values() for word in stems(operation.tag)}
    things = {
        each.operation_id: sorted({*stems(each.tag), *(tags & {*stems(each.operation_id)})})
        for each in spec.values()
    }
    # A phrase that only names a thing ("which nodes") says nothing about one of its operations.
    asked = [each for each in _asked(spec) if not tags.issuperset(each[1])]
    by_name: dict[str, list[list[Any]]] = {}
    for (place, part), names in places.items():
        own_name = folded(place.rpartition(".")[2])
        by_name.setdefault(own_name, []).append([place, part, [*dict.fromkeys(names)]])
    return Index(hits, asked, hints.names_of(spec), by_name, definitions, things)


def _texts(operation: Operation) -> Iterator[tuple[float, str]]:
    texts = bundled_texts()
    yield OF_NAME, operation.operation_id
    yield 6, texts.of_operation(operation, "summary")
    yield 5, asked_of(operation.operation_id)
    yield 4, operation.tag
    yield 4, f"{operation.method} {operation.path}"
    yield 2, texts.of_operation(operation, "about")
    for parameter in operation.parameters:
        yield 3.5 if parameter.required else 3, parameter.name
        yield 1, texts.of_parameter(operation, parameter.name)
    for field in _body_fields(operation):
        yield 3 / (1 + field.depth), field.name
        yield 1 / (1 + field.depth), _text(operation, BODY, field)
    for field in _reply_fields(operation):
        yield 1 / (1 + field.depth), field.name
        yield 0.5 / (1 + field.depth), _text(operation, REPLY, field)


def _places(operation: Operation) -> Iterator[tuple[str, str]]:
    for parameter in operation.parameters:
        yield parameter.python_name, PARAMETER
    for field in _body_fields(operation):
        yield field.path, BODY
    for field in _reply_fields(operation):
        yield field.path.removeprefix("[]."), REPLY


def _definitions(operation: Operation, part: str) -> dict[str, None]:
    found = _body_fields(operation) if part == BODY else _reply_fields(operation, BODY_DEPTH)
    return dict.fromkeys(field.home.definition for field in found if field.home.definition)


def _body_fields(operation: Operation) -> Iterator[Field]:
    if operation.body is not None:
        yield from fields(operation.body.schema, operation.spec.definitions, depth=BODY_DEPTH)


def _reply_fields(operation: Operation, depth: int = REPLY_DEPTH) -> Iterator[Field]:
    yield from fields(operation.reply.schema or {}, operation.spec.definitions, depth=depth)


def _text(operation: Operation, part: str, field: Field) -> str:
    return bundled_texts().of_field(operation, part, field.home)


def asked_of(operation_id: str) -> str:
    """Return what people say who want an operation, from ``specs/thesaurus.yaml``."""
    text: str = bundled_data(THESAURUS).get("asked", {}).get(operation_id, "")
    return text


def _asked(spec: Spec) -> Iterator[list[Any]]:
    for name in spec:
        # An older name of an operation is asked for as its newer one is.
        newer = (other for other, own in spec.names.items() if own == name)
        text = asked_of(name) or next(filter(None, map(asked_of, newer)), "")
        for phrase in text.split(","):
            words = [*phrase_stems(phrase)]
            if words:
                yield [name, words]


@lru_cache(maxsize=8192)
def stems(text: str) -> tuple[str, ...]:
    """Return the stems of a text's words, in lower case and without the common ones.

    Names are split at separators and capitals (``HostConfig`` is ``host``, ``config``), and count
    as a whole as well: ``X-Registry-Auth`` is also ``xregistryauth``.
    """
    found = dict.fromkeys(map(stem, map(str.lower, _WORD.findall(text))))
    if len(found) > 1 and _NAME.fullmatch(text):
        found[_SEPARATOR.sub("", text).lower()] = None
    return tuple(word for word in found if word not in _common())


def phrase_stems(text: str) -> tuple[str, ...]:
    """Return the stems of a text's words, and also those of its questions (why, when)."""
    found = dict.fromkeys(map(stem, map(str.lower, _WORD.findall(text))))
    return tuple(word for word in found if word not in _common() or word in questions())


def stem(word: str) -> str:
    """Return a word without an ending: ``removing``, ``removes`` and ``removed`` are one.

    A letter that was doubled before the ending counts once: ``stopping`` is ``stop``.
    """
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST_STEM:
            rest = word[: -len(ending)]
            return rest[:-1] if ending in _DOUBLING and _DOUBLED.search(rest) else rest
    return word


@cache
def questions() -> frozenset[str]:
    """Return the stems of the words that ask."""
    return frozenset(map(stem, bundled_data(THESAURUS).get("questions", "").split()))


@cache
def _common() -> frozenset[str]:
    """Return the stems of the words that say nothing about an operation."""
    return frozenset(map(stem, bundled_data(THESAURUS).get("common", "").split()))
