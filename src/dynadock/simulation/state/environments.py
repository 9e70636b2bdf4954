"""The variables of processes: what is set on top of others."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def changed_environment(env: Mapping[str, str], texts: Iterable[str]) -> dict[str, str]:
    """Return variables with others on top: ``NAME=value``; ``NAME`` alone takes one away (26.1)."""
    changed = dict(env)
    for text in texts:
        name, equals, value = text.partition("=")
        if equals:
            changed[name] = value
        else:
            changed.pop(name, None)
    return changed
