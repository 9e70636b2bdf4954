"""Definitions: the named schemas of a version, with our texts, as ``client.schema`` shows them."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from dynadock.errors import SpecError
from dynadock.explore.card import field_row
from dynadock.explore.texts import bundled_texts
from dynadock.spec.fields import Home, fields
from dynadock.spec.names import closest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dynadock.explore.card import Row
    from dynadock.explore.differences import Differences, Side
    from dynadock.spec.model import Spec
    from dynadock.spec.schema import Schema

WIDTH = 92
DEPTH = 2
_NAME_WIDTH = 30


class Definition:
    """A named schema: ``name``, ``version``, ``schema`` (the corrected JSON Schema, a dict).

    ``rows`` are its fields, printed as a tree of ``depth`` levels; ``tree`` prints more or fewer.
    """

    def __init__(self, spec: Spec, name: str) -> None:
        self.name = name
        self.version = str(spec.version)
        self._spec = spec

    @property
    def schema(self) -> Schema:
        """The schema itself, with ``$ref`` into its document's definitions."""
        schema: dict[str, Any] = self._spec.definitions[self.name]
        return schema

    def rows(self, depth: int = DEPTH) -> Iterator[Row]:
        """Yield the fields, ``depth`` levels of them."""
        definitions, version = self._spec.definitions, self._spec.version
        for field in fields(self.schema, definitions, depth=depth, home=Home(self.name, "")):
            text = bundled_texts().of_definition(version, field.home)
            yield field_row(field, definitions, text)

    def tree(self, depth: int = DEPTH) -> str:
        """Return the fields as text, ``depth`` levels of them."""
        lines = [f"{self.name} (API {self.version})"]
        for row in self.rows(depth):
            indent = "  " * (row.depth + 1)
            facts = ", ".join([row.type, *row.notes])
            lines.append(f"{indent + row.name:{_NAME_WIDTH}}  {facts}")
            margin = indent + "    "
            lines += textwrap.wrap(row.text, WIDTH, initial_indent=margin, subsequent_indent=margin)
        return "\n".join(lines)

    def diff(self, old: Side) -> Differences:
        """Return what differs in it, and in what is inside it, from another version to this one.

        ``old`` is a version, a path, a document or a client, see `dynadock.diff`. SpecError if the
        other one does not have it.
        """
        from dynadock.explore.differences import diff_of_definition, spec_of

        definition_of(spec_of(old), self.name)
        return diff_of_definition(old, self._spec, self.name)

    def __repr__(self) -> str:
        return self.tree()


def definition_of(spec: Spec, name: str) -> Definition:
    """Return a version's definition; SpecError, which suggests a name, if there is none."""
    if name not in spec.definitions:
        meant = closest(name, spec.definitions)
        hint = f"; did you mean {meant}?" if meant else ""
        raise SpecError(f"API {spec.version} has no definition {name!r}{hint}")
    return Definition(spec, name)
