"""The search index of a spec: the stems of its operations' words, each with its weight."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from dynadock.explore.texts import BODY, FILE, REPLY, bundled_texts
from dynadock.spec.cache import code_state, digest, read_compiled, write_compiled
from dynadock.spec.data import bundled_data
from dynadock.spec.fields import fields
from dynadock.spec.library import bundled_content

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dynadock.spec.fields import Field
    from dynadock.spec.model import Operation, Spec

THESAURUS = "thesaurus.yaml"

BODY_DEPTH = 4
REPLY_DEPTH = 2
"""Levels of fields that are indexed."""

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^\W\d_A-Za-z]+")
_NAME = re.compile(r"[\w-]+")
_SEPARATOR = re.compile("[-_]")
_ENDINGS = ("ies", "ing", "ed", "es", "e", "s")
_DOUBLING = ("ing", "ed")
_DOUBLED = re.compile(r"[a-z]{2}([bdgmnprt])\1$")
_SHORTEST_STEM = 3

Hits = Mapping[str, Mapping[str, float]]
"""By stem, the operationIds that have it, and its weight for each of them."""


_indexes: WeakKeyDictionary[Spec, Hits] = WeakKeyDictionary()


def index_of(spec: Spec) -> Hits:
    """Return the index of a spec, made at its first use and then stored in the cache folder."""
    hits = _indexes.get(spec)
    if hits is None:
        hits = _indexes[spec] = _cached(spec) if spec.key else _made(spec)
    return hits


def _cached(spec: Spec) -> Hits:
    code = code_state(__file__)
    key = digest(b"index", spec.key.encode(), code, *map(bundled_content, (FILE, THESAURUS)))
    hits = read_compiled(key)
    if hits is None:
        hits = _made(spec)
        write_compiled(key, hits)
    return hits


def _made(spec: Spec) -> dict[str, dict[str, float]]:
    hits: dict[str, dict[str, float]] = {}
    for operation in spec.values():
        for weight, text in _texts(operation):
            for stem in stems(text):
                found = hits.setdefault(stem, {})
                if weight > found.get(operation.operation_id, 0):
                    found[operation.operation_id] = round(weight, 3)
    return hits


def _texts(operation: Operation) -> Iterator[tuple[float, str]]:
    texts = bundled_texts()
    yield 8, operation.operation_id
    yield 6, texts.of_operation(operation, "summary")
    yield 4, operation.tag
    yield 4, f"{operation.method} {operation.path}"
    yield 2, texts.of_operation(operation, "about")
    for parameter in operation.parameters:
        yield 3, parameter.name
        yield 1, texts.of_parameter(operation, parameter.name)
    definitions = operation.spec.definitions
    if operation.body is not None:
        for field in fields(operation.body.schema, definitions, depth=BODY_DEPTH):
            yield 3 / (1 + field.depth), field.name
            yield 1 / (1 + field.depth), _text(operation, BODY, field)
    for field in fields(operation.reply.schema or {}, definitions, depth=REPLY_DEPTH):
        yield 1 / (1 + field.depth), field.name
        yield 0.5 / (1 + field.depth), _text(operation, REPLY, field)


def _text(operation: Operation, part: str, field: Field) -> str:
    return bundled_texts().of_field(operation, part, field.home)


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
def _common() -> frozenset[str]:
    """Return the words that say nothing about an operation."""
    return frozenset(bundled_data(THESAURUS).get("common", "").split())
