"""Our own descriptions of operations, parameters and fields, from ``specs/reference.yaml``.

One text serves all versions; where a meaning changed, there is one for each range of versions. For
anything else (a user's own document, an operation newer than the texts) the text is empty.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

from dynadock.spec.data import bundled_data
from dynadock.spec.fields import Home
from dynadock.spec.versions import parse_range

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dynadock.spec.versions import Version

FILE = "reference.yaml"

OPERATIONS = "operations"
DEFINITIONS = "definitions"
TAGS = "tags"
BODY = "body"
REPLY = "reply"
PARAMETERS = "parameters"
FIELDS = "fields"


class Named(Protocol):
    """An operation as texts know it: by its name, at a version."""

    @property
    def operation_id(self) -> str:
        """The operationId."""

    @property
    def version(self) -> Version:
        """The version whose text is wanted."""


class Texts:
    """The contents of ``specs/reference.yaml``.

    Under ``operations`` an operation has ``summary``, ``about``, ``parameters`` (by their names on
    the wire), ``body`` and ``reply``, and ``body_fields`` and ``reply_fields`` (by their paths) for
    fields that are in no definition; under ``definitions`` a definition has its ``fields``, and
    under ``tags`` are the texts about these. Missing texts are taken from the names that ``like``
    (``body_like``, ``reply_like``) refers to.
    """

    def __init__(self, tree: Mapping[str, Any]) -> None:
        self._operations: Mapping[str, Any] = tree.get(OPERATIONS, {})
        self._definitions: Mapping[str, Any] = tree.get(DEFINITIONS, {})
        self._tags: Mapping[str, str] = tree.get(TAGS, {})

    def of_operation(self, operation: Named, key: str) -> str:
        """Return an operation's ``summary``, ``about``, ``body`` or ``reply``."""
        nodes = self._nodes(self._operations, operation.operation_id)
        return _first(operation.version, (node.get(key) for node in nodes))

    def of_parameter(self, operation: Named, name: str) -> str:
        """Return the text about a parameter, by its name on the wire."""
        nodes = self._nodes(self._operations, operation.operation_id)
        return _first(operation.version, (node.get(PARAMETERS, {}).get(name) for node in nodes))

    def of_field(self, operation: Named, part: str, home: Home) -> str:
        """Return the text about a field at ``home`` in an operation's ``body`` or ``reply``."""
        if home.definition:
            return self.of_definition(operation.version, home)
        nodes = [*self._nodes(self._operations, operation.operation_id)]
        own = _first(
            operation.version, (n.get(f"{part}_{FIELDS}", {}).get(home.path) for n in nodes)
        )
        if own:
            return own
        path = home.path.removeprefix("[].").removeprefix("{}.")
        likes = (name for node in nodes for name in _names(node.get(f"{part}_like")))
        found = (self.of_definition(operation.version, Home(name, path)) for name in likes)
        return next(filter(None, found), "")

    def of_definition(self, version: Version, home: Home) -> str:
        """Return the text about a definition's field."""
        nodes = self._nodes(self._definitions, home.definition)
        return _first(version, (node.get(FIELDS, {}).get(home.path) for node in nodes))

    def of_tag(self, name: str) -> str:
        """Return the text about a tag."""
        return self._tags.get(name, "")

    def _nodes(self, section: Mapping[str, Any], name: str) -> Iterator[Mapping[str, Any]]:
        """Yield the entry of a name, and those of the names that its ``like`` refers to."""
        waiting, seen = [name], set()
        while waiting:
            name = waiting.pop(0)
            node = section.get(name)
            if node is not None and name not in seen:
                seen.add(name)
                yield node
                waiting += _names(node.get("like"))


def _names(like: str | list[str] | None) -> list[str]:
    if like is None:
        return []
    return [like] if isinstance(like, str) else like


def _first(version: Version, entries: Iterator[Any]) -> str:
    """Return the first text that is for a version, empty if there is none."""
    for entry in entries:
        if isinstance(entry, str):
            return entry
        for ranged in entry or ():
            if version in parse_range(ranged["versions"]):
                return str(ranged["text"])
    return ""


@cache
def bundled_texts() -> Texts:
    """Return the texts that come with the package, read at their first use."""
    return Texts(bundled_data(FILE))
