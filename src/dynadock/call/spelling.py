"""Keys of a body in the document's spelling: engines obey them in any letters, documents do not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dynadock.call.values import place_of
from dynadock.spec.names import closest
from dynadock.spec.schema import flatten

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dynadock.call.values import Path, Step
    from dynadock.spec.model import Body
    from dynadock.spec.schema import Schema


class Spelling:
    """A body as the document spells it, once that is corrected, and how its caller did.

    ``misspelt`` maps the places of what was corrected, in the document's spelling, to the caller's
    keys.
    """

    def __init__(self, value: Any) -> None:
        self.value = value
        self.misspelt: dict[Path, str] = {}
        self._definitions: Mapping[str, Schema] = {}
        self._nearly = False

    def correct(self, body: Body, *, nearly: bool) -> None:
        """Put the document's keys in place of those that differ in case.

        With ``nearly`` also in place of such that are near to a required key which is missing.
        """
        self._definitions = body.definitions
        self._nearly = nearly
        self.value = self._spelt(self.value, body.schema, ())

    def at(self, path: Path) -> Any:
        """Return what stands at a path in ``value``."""
        found = self.value
        for step in path:
            found = found[step]
        return found

    def path_of(self, path: Iterable[Step]) -> Path:
        """Return a path as the caller spells it."""
        path = (*path,)
        ends = range(1, len(path) + 1)
        return tuple(self.misspelt.get(path[:end], path[end - 1]) for end in ends)

    def place_of(self, path: Iterable[Step]) -> str:
        """Write a path as the caller spells it."""
        return place_of(self.path_of(path))

    def _spelt(self, value: Any, schema: Schema, path: Path) -> Any:
        if not isinstance(value, (dict, list)):
            return value
        flat = flatten(schema, self._definitions)
        if isinstance(value, list):
            inner = flat.get("items", {})
            return [self._spelt(each, inner, (*path, n)) for n, each in enumerate(value)]
        known: dict[str, Any] = flat.get("properties", {})
        others = flat.get("additionalProperties")
        names = self._names(value, flat) if known and not others else {}
        spelt = {}
        for key, each in value.items():
            name = str(names.get(key, key))
            if name != key:
                self.misspelt[(*path, name)] = key
            inner = known.get(name, others if isinstance(others, dict) else {})
            spelt[name] = self._spelt(each, inner, (*path, name))
        return spelt

    def _names(self, value: dict[str, Any], flat: Schema) -> dict[str, str]:
        """Return the document's names for those keys of an object that it spells otherwise."""
        known = flat["properties"]
        absent = {name.casefold(): name for name in reversed(known) if name not in value}
        names: dict[str, str] = {}
        strange = [key for key in value if key not in known]
        for key in strange:
            if key.casefold() in absent:
                names[key] = absent.pop(key.casefold())
        lacking = {*flat.get("required", ())}.difference(value, names.values())
        if self._nearly and lacking:
            for key in strange:
                meant = closest(key, known) if key not in names and value[key] else None
                if meant is not None and meant in lacking:
                    names[key] = meant
                    lacking.discard(meant)
        return names
