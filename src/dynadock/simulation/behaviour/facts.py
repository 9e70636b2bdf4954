"""What the data says of the engine, as a version of the API has it."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from dynadock.simulation.state.configs import copied
from dynadock.spec.data import bundled_data
from dynadock.spec.versions import parse_range

if TYPE_CHECKING:
    from dynadock.spec.versions import Version

_DATA = "embedded.yaml"


def facts(name: str, version: Version) -> dict[str, Any]:
    """Return a section of the data, the caller's own, with what that version has otherwise."""
    found: dict[str, Any] = copied(_merged(name, version))
    return found


@cache
def _merged(name: str, version: Version) -> dict[str, Any]:
    data = bundled_data(_DATA)
    found: dict[str, Any] = copied(data[name])
    for row in data["Versions"].get(name, ()):
        if version in parse_range(row["versions"]):
            _merge(found, row["fields"])
    return found


def _merge(into: dict[str, Any], fields: dict[str, Any]) -> None:
    for name, value in fields.items():
        if isinstance(value, dict) and isinstance(into.get(name), dict):
            _merge(into[name], value)
        else:
            into[name] = copied(value)
