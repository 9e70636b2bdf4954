"""Draws ``specs/history.json`` out of the specs of all versions, for `dynadock.spec.history`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

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
