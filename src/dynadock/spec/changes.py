"""What changed between neighbouring versions: all differences of the bundled documents.

Read from ``specs/changes.json``, which ``tools/draw_history.py`` draws with `dynadock.spec.draw`:
so a history needs no document.
"""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

from dynadock.spec.differences.rows import Difference, Use, is_inside
from dynadock.spec.differences.severities import severity_of
from dynadock.spec.history import Lifetime
from dynadock.spec.library import bundled_content
from dynadock.spec.versions import parse_range, parse_version

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dynadock.spec.versions import Version

FILE = "changes.json"

RENAMED = ("operation-renamed", "operation-id-changed")


@cache
def all_changes() -> tuple[tuple[Version, Difference], ...]:
    """Return all differences, each with the version that it came with, oldest first."""
    found = []
    for version, rows in _changes()["changes"].items():
        came = parse_version(version)
        for *row, uses in rows:
            place, definition, kind, old, new = row
            there = tuple(Use(*use) for use in uses)
            severity = severity_of(kind, (use.direction for use in there))
            found.append((came, Difference(place, definition, kind, severity, old, new, there)))
    return tuple(sorted(found, key=lambda each: each[0]))


def names_of_operation(operation_id: str) -> tuple[str, ...]:
    """Return an operationId with all that the same operation is called in other versions."""
    found = {operation_id}
    # Each pass goes through all versions, so the second one finds what is left.
    for pair in (*_renamed(), *reversed(_renamed())):
        if found & {*pair}:
            found |= {*pair}
    return tuple(sorted(found))


@cache
def _renamed() -> tuple[tuple[str, str], ...]:
    return tuple((row.old, row.new) for _, row in all_changes() if row.kind in RENAMED)


def changes_of(operation_id: str) -> Iterator[tuple[Version, Difference]]:
    """Yield what changed for one operation, under all of its names."""
    for name in names_of_operation(operation_id):
        for version, row in _by_operation().get(name, ()):
            found = row.within(name)
            if found is not None:
                yield version, found


@cache
def _by_operation() -> dict[str, list[tuple[Version, Difference]]]:
    found: dict[str, list[tuple[Version, Difference]]] = {}
    for version, row in all_changes():
        for name in row.operations:
            found.setdefault(name, []).append((version, row))
    return found


def definitions() -> Mapping[str, str]:
    """Return the ranges of versions that have each definition."""
    ranges: Mapping[str, str] = _changes()["definitions"]
    return ranges


def of_definition(name: str) -> Lifetime | None:
    """Return the lifetime of a definition, None if no version has it."""
    ranges = definitions().get(name)
    if ranges is None:
        return None
    return Lifetime(tuple(map(_range, ranges.split(","))), name)


def _range(text: str) -> Any:
    return parse_range("all" if text == "-" else text)


def definitions_inside(name: str) -> set[str]:
    """Return the definitions with changes that one leads to in any version, and itself."""
    links = _changes()["links"]
    found, waiting = {name}, [name]
    while waiting:
        for below in links.get(waiting.pop(), {}).values():
            new = {*below} - found
            found |= new
            waiting += new
    return found


def homes_of(definition: str, path: str) -> set[tuple[str, str]]:
    """Return the definitions, with paths, that may have a field that is asked for by its way.

    ``Mounts[].Type`` of HostConfig is ``Type`` of Mount, ``Memory`` may be that of Resources.
    """
    links = _changes()["links"]
    found, waiting = {(definition, path)}, [(definition, path)]
    while waiting:
        name, rest = waiting.pop()
        for way, below in links.get(name, {}).items():
            if way and not is_inside(rest, way):
                continue
            inner = rest.removeprefix(way).removeprefix(".")
            new = {(each, inner) for each in below} - found
            found |= new
            waiting += new
    return found


@cache
def _changes() -> dict[str, Any]:
    content = bundled_content(FILE)
    if not content:
        return {"changes": {}, "definitions": {}, "links": {}}
    tree: dict[str, Any] = json.loads(content)
    return tree
