"""Short names of types: ``string``, ``list of Port``, ``map of string``, ``HostConfig``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dynadock.spec.schema import flatten, reference_name

if TYPE_CHECKING:
    from collections.abc import Mapping

_DEEPEST = 5
"""Lists of lists that are named."""


def word_for_schema(
    schema: Mapping[str, Any] | None, definitions: Mapping[str, Any], depth: int = _DEEPEST
) -> str:
    """Name a schema's type: ``string``, ``list of Port``, ``map of string``, ``HostConfig``."""
    if not schema:
        return "any"
    if depth == 0:
        # A list may have itself for its items.
        return "…"
    name = reference_name(schema)
    if name is not None:
        return name
    flat = flatten(dict(schema), definitions)
    kind = flat.get("type", "object" if "properties" in flat else "any")
    if kind == "array":
        return f"list of {word_for_schema(flat.get('items'), definitions, depth - 1)}"
    others = flat.get("additionalProperties")
    if kind == "object" and isinstance(others, dict):
        return f"map of {word_for_schema(others, definitions, depth - 1)}"
    return " or ".join(kind) if isinstance(kind, list) else str(kind)
