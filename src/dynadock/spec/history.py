"""Which API versions know an operation, a parameter or a body field.

Read from ``specs/history.json``, which is drawn from the bundled documents and the overlay by
``tools/draw_history.py`` and lists only what some of them lack.
"""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from dynadock.spec.library import bundled_content
from dynadock.spec.names import python_name, snake_case
from dynadock.spec.versions import Version, VersionRange, parse_range

if TYPE_CHECKING:
    from collections.abc import Iterator

FILE = "history.json"


class Lifetime(NamedTuple):
    """The versions that know a thing called ``name``, as ranges, oldest first."""

    ranges: tuple[VersionRange, ...]
    name: str

    @property
    def since(self) -> Version | None:
        """The version it arrived in; None if the oldest document has it."""
        return self.ranges[0].first

    def relative_to(self, version: Version) -> str:
        """Say where it is to be found, for one who looks for it at ``version``."""
        later = next((r.first for r in self.ranges if r.first and r.first > version), None)
        if later is not None:
            return f"it arrived in {later}"
        last = self.ranges[-1].last
        return f"its last version is {last}" if last else f"it is known in {self}"

    def __str__(self) -> str:
        return ", ".join(str(each) for each in self.ranges)


def of_operation(name: str) -> Lifetime | None:
    """Return the lifetime of an operationId (or its snake_case), None if it is in all or none."""
    operations = _history()["operations"]
    for operation_id, ranges in operations.items():
        if name in (operation_id, snake_case(operation_id)):
            return _lifetime(ranges, operation_id)
    return None


def operations() -> Iterator[Lifetime]:
    """Yield the lifetimes of the operations that not all versions have."""
    for operation_id, ranges in _history()["operations"].items():
        yield _lifetime(ranges, operation_id)


def of_parameter(operation_id: str, name: str) -> Lifetime | None:
    """Return the lifetime of a parameter by either of its names, None if it is in all or none."""
    for wire_name in _history()["parameters"].get(operation_id, {}):
        if name in (wire_name, python_name(wire_name)):
            return _part("parameters", operation_id, wire_name)
    return None


def of_field(operation_id: str, path: str) -> Lifetime | None:
    """Return the lifetime of a body field (``HostConfig.Init``), None if it is in all or none."""
    return _part("fields", operation_id, path)


def parameters_of(operation_id: str) -> Iterator[Lifetime]:
    """Yield the lifetimes of an operation's parameters that not all versions have."""
    yield from _parts("parameters", operation_id)


def fields_of(operation_id: str) -> Iterator[Lifetime]:
    """Yield the lifetimes of an operation's body fields that not all versions have."""
    yield from _parts("fields", operation_id)


def _parts(section: str, operation_id: str) -> Iterator[Lifetime]:
    for name, ranges in _history()[section].get(operation_id, {}).items():
        yield _lifetime(ranges, name)


def _part(section: str, operation_id: str, name: str) -> Lifetime | None:
    ranges = _history()[section].get(operation_id, {}).get(name)
    return None if ranges is None else _lifetime(ranges, name)


def _lifetime(ranges: str, name: str) -> Lifetime:
    return Lifetime(tuple(parse_range(each) for each in ranges.split(",")), name)


@cache
def _history() -> dict[str, Any]:
    content = bundled_content(FILE)
    if not content:
        return {"operations": {}, "parameters": {}, "fields": {}}
    tree: dict[str, Any] = json.loads(content)
    return tree
