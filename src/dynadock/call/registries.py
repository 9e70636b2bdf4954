"""Which registries' credentials a call wants, told from its arguments by the overlay's rules.

A parameter's ``x-credentials`` is one of

- ``{image: place}``: those for the registry of the image reference that stands there,
- ``{term: place}``: those for the registry that a search for what stands there asks,
- ``{registries: all}``: all that there are, as a build may need any of them.

``place`` is a parameter of the path or the query, or a field of the body (``A.B.C``). ``unless``
names parameters with which the engine takes credentials from elsewhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dynadock.call.reference import registry_of_image, registry_of_term

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dynadock.call.bind import Bound

ALL = "*"
"""Stands for every registry; none has this name."""

_READERS: Mapping[str, Callable[[str], str]] = {
    "image": registry_of_image,
    "term": registry_of_term,
}


def wanted_registry(bound: Bound, rule: Mapping[str, Any]) -> str:
    """Return the registry whose credentials a call wants, `ALL` for all, "" if it wants none.

    A text that is no image reference wants none: what the engine makes of it is not known here.
    """
    if any(parameter.name in rule.get("unless", ()) for parameter in bound.given):
        return ""
    if "registries" in rule:
        return ALL
    for kind, registry_of in _READERS.items():
        if kind in rule:
            text = bound.value(rule[kind])
            return registry_of(text) if text and isinstance(text, str) else ""
    return ""
