"""Draws ``specs/history.json`` and ``specs/changes.json`` out of the specs of all versions.

The first is for errors and for help, which only ask since when something is there, the second for
histories, which tell everything that changed.
"""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from dynadock.spec.differences.comparison import compare
from dynadock.spec.schema import places_of_references

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dynadock.spec.differences.rows import Difference
    from dynadock.spec.model import Operation, Spec
    from dynadock.spec.versions import Version

Names = dict[str, set[str]]
"""What one version knows of one operation: its ``parameters`` and its body's ``fields``."""


def draw_history(specs: Iterable[Spec]) -> dict[str, Any]:
    """Return which versions know what; what all of them know is left out.

    ``{"operations": {operationId: ranges}, "parameters": {operationId: {name: ranges}}, "fields":
    {operationId: {path: ranges}}}``; ranges as ``1.27,1.30-``, open where the oldest or the newest
    version is in. Parameters and fields are compared among the versions that have the operation.
    """
    known = {spec.version: _names_in(spec) for spec in specs}
    versions = sorted(known)
    tree: dict[str, Any] = {"operations": {}, "parameters": {}, "fields": {}}
    for operation_id in sorted({each for names in known.values() for each in names}):
        having = [version for version in versions if operation_id in known[version]]
        if having != versions:
            tree["operations"][operation_id] = ranges_of(having, versions)
        for section in ("parameters", "fields"):
            parts = {version: known[version][operation_id][section] for version in having}
            drawn = _draw_parts(parts, versions)
            if drawn:
                tree[section][operation_id] = drawn
    return tree


def draw_changes(specs: Iterable[Spec]) -> dict[str, Any]:
    """Return all differences between neighbouring versions, and how definitions hang together.

    ``{"changes": {version: rows}, "definitions": {name: ranges}, "links": {name: {path: names}}}``:
    rows of `Difference` without their severities by the newer version; the versions that have a
    definition; and the definitions that one leads to directly in any version, by their paths in it
    (``""`` for what it is made of). Of links there are those to definitions that have changed.
    """
    ordered = sorted(specs, key=lambda spec: spec.version)
    changes = {str(new.version): _rows(compare(old, new)) for old, new in pairwise(ordered)}
    links = _links(ordered)
    told = _leading_to({row[1] for rows in changes.values() for row in rows}, links)
    having: dict[str, list[Version]] = {}
    for spec in ordered:
        for name in spec.definitions:
            having.setdefault(name, []).append(spec.version)
    versions = [spec.version for spec in ordered]
    return {
        "changes": {version: rows for version, rows in changes.items() if rows},
        "definitions": {name: ranges_of(having[name], versions) for name in sorted(having)},
        "links": {
            name: {path: kept for path, below in paths.items() if (kept := sorted(below & told))}
            for name, paths in sorted(links.items())
            if name in told and any(below & told for below in paths.values())
        },
    }


def _rows(differences: Iterable[Difference]) -> list[list[Any]]:
    return [
        [row.place, row.definition, row.kind, row.old, row.new, row.uses] for row in differences
    ]


def _links(specs: Iterable[Spec]) -> dict[str, dict[str, set[str]]]:
    links: dict[str, dict[str, set[str]]] = {}
    for spec in specs:
        for name, schema in spec.definitions.items():
            paths = links.setdefault(name, {})
            for path, below in places_of_references(schema):
                paths.setdefault(path, set()).add(below)
    return links


def _leading_to(names: set[str], links: Mapping[str, Mapping[str, set[str]]]) -> set[str]:
    """Return ``names`` and all definitions that lead to one of them."""
    above: dict[str, set[str]] = {}
    for name, paths in links.items():
        for below in set().union(*paths.values()):
            above.setdefault(below, set()).add(name)
    found, waiting = {*names}, [*names]
    while waiting:
        new = above.get(waiting.pop(), set()) - found
        found |= new
        waiting += new
    return found


def dump_changes(tree: Mapping[str, Any]) -> bytes:
    """Write changes as the bundled file has them: one row a line, always the same bytes."""
    lines = []
    for version, rows in tree["changes"].items():
        inner = ",\n".join(_line(row) for row in rows)
        lines.append(f"{_line(version)}:[\n{inner}\n]")
    rest = [f'"{key}":{{\n{_members(tree[key])}\n}}' for key in ("definitions", "links")]
    changes = ",\n".join(lines)
    return f'{{"changes":{{\n{changes}\n}},\n{rest[0]},\n{rest[1]}}}\n'.encode()


def _members(mapping: Mapping[str, Any]) -> str:
    return ",\n".join(f"{_line(key)}:{_line(value)}" for key, value in mapping.items())


def _line(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def dump_history(tree: Mapping[str, Any]) -> bytes:
    """Write a history as the bundled file has it: one entry a line, always the same bytes."""
    return (json.dumps(tree, indent=1, ensure_ascii=False) + "\n").encode()


def _names_in(spec: Spec) -> dict[str, Names]:
    return {operation_id: _names_of(operation) for operation_id, operation in spec.items()}


def _names_of(operation: Operation) -> Names:
    body = operation.body
    fields = set() if body is None else {field.path for field in body.fields()}
    return {"parameters": {each.name for each in operation.parameters}, "fields": fields}


def _draw_parts(parts: Mapping[Version, set[str]], versions: list[Version]) -> dict[str, str]:
    drawn = {}
    for name in sorted(set().union(*parts.values())):
        present = [version for version in parts if name in parts[version]]
        if len(present) < len(parts):
            drawn[name] = ranges_of(present, versions)
    return drawn


def ranges_of(present: Iterable[Version], versions: list[Version]) -> str:
    """Write versions as ranges among all ``versions`` (sorted): ``-1.26,1.28-``."""
    wanted = set(present)
    runs: list[list[Version]] = []
    previous_is_in = False
    for version in versions:
        if version in wanted:
            if previous_is_in:
                runs[-1].append(version)
            else:
                runs.append([version])
        previous_is_in = version in wanted
    return ",".join(_range(run, versions) for run in runs)


def _range(run: list[Version], versions: list[Version]) -> str:
    first = "" if run[0] == versions[0] else str(run[0])
    last = "" if run[-1] == versions[-1] else str(run[-1])
    return first if first == last and first else f"{first}-{last}"
