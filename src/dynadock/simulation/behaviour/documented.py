"""Fields that only some versions' documents have, and that engines show in these alone."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from dynadock.spec.schema import flatten

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dynadock.spec.model import Operation


def documented(
    operation: Operation, shown: Mapping[str, Any], doubtful: Iterable[str]
) -> dict[str, Any]:
    """Return a reply, or an item of one, without those doubtful fields that its document lacks."""
    lacking = {name for name in doubtful if name not in _fields_of(operation)}
    return {name: value for name, value in shown.items() if name not in lacking}


@lru_cache(maxsize=256)
def _fields_of(operation: Operation) -> frozenset[str]:
    definitions = operation.spec.definitions
    schema = flatten(operation.reply.schema or {}, definitions)
    item = flatten(schema.get("items", schema), definitions)
    return frozenset(item.get("properties", ()))
