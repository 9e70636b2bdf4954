"""Places of differences from the names that people give to definitions and their fields."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dynadock.spec.fields import Home, fields
from dynadock.spec.schema import references_in

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from dynadock.spec.model import Spec


def split_name(name: str, definitions: Collection[str]) -> tuple[str, str] | None:
    """Split ``HostConfig.Memory`` into a definition's name and a path, "" for all of it.

    None if it begins with no definition's name.
    """
    for end in range(len(name), 0, -1):
        if name[:end] in definitions and (end == len(name) or name[end] in ".[{"):
            return name[:end], name[end:].removeprefix(".")
    return None


def homes_of(spec: Spec, name: str) -> Iterator[str]:
    """Yield the places of `Difference` of a definition (``HostConfig``) or a field of one.

    A field is where it is declared: ``HostConfig.Memory`` is ``Resources.Memory``.
    """
    split = split_name(name, spec.definitions)
    if split is None:
        return
    definition, path = split
    if not path:
        yield definition
        return
    schema = spec.definitions[definition]
    for field in fields(schema, spec.definitions, home=Home(definition, "")):
        if field.path == path and field.home.definition:
            yield f"{field.home.definition}.{field.home.path}"


def names_inside(spec: Spec, name: str) -> set[str]:
    """Return the names of the definitions that one is made of, or that a field of one is."""
    split = split_name(name, spec.definitions)
    if split is None:
        return set()
    definition, path = split
    schema = spec.definitions[definition]
    found = {definition} if not path else set()
    if path:
        below = fields(schema, spec.definitions, home=Home(definition, ""))
        schema = next((field.schema for field in below if field.path == path), {})
    waiting = [*references_in(schema)]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += references_in(spec.definitions[name])
    return found
