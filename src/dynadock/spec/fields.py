"""Schemas walked field by field, each with the definition and path that its text is filed under."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from dynadock.spec.schema import flatten, reference_name, schema_at

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dynadock.spec.schema import Schema


class Home(NamedTuple):
    """What a field's text is filed under: a definition's name and the field's path in it.

    The name is "" for a schema that is written in the operation itself. So one text about
    ``HostConfig`` serves every operation and version that has it.
    """

    definition: str
    path: str

    def below(self, name: str) -> Home:
        """Return the home of a property called ``name``."""
        return self._replace(path=f"{self.path}.{name}" if self.path else name)


ROOT = Home("", "")


class Field(NamedTuple):
    """One field of a body or a reply.

    ``path`` leads to it from the root, with dots, ``[]`` for items and ``{}`` for a map's values;
    ``name`` is its own, ``depth`` the number of fields around it, ``home`` what its text is filed
    under.
    """

    path: str
    name: str
    depth: int
    schema: Schema
    required: bool
    home: Home


def fields(
    schema: Schema, definitions: Mapping[str, Schema], *, depth: int = 20, home: Home = ROOT
) -> Iterator[Field]:
    """Yield every field below ``schema``, parents before children, at most ``depth`` levels down.

    A definition inside itself is named once and not entered again.
    """
    return _Fields(definitions, depth).below(schema, "", 0, home, ())


class _Fields(NamedTuple):
    """Walks the fields of a schema, ``deepest`` levels down."""

    definitions: Mapping[str, Schema]
    deepest: int

    def below(
        self, schema: Schema, place: str, level: int, home: Home, trail: tuple[str, ...]
    ) -> Iterator[Field]:
        """Yield the fields below ``place``; ``trail`` are the definitions that lead there."""
        if level == self.deepest or reference_name(schema) in trail:
            return
        made_of = [*parts(schema, self.definitions, home, trail)]
        found = {
            name: (inner, part_home.below(name), part_trail)
            for part, part_home, part_trail in made_of
            for name, inner in part.get("properties", {}).items()
        }
        required = {name for part, *_ in made_of for name in part.get("required", ())}
        for name, (inner, inner_home, inner_trail) in found.items():
            path = f"{place}.{name}" if place else name
            yield Field(path, name, level, inner, name in required, inner_home)
            yield from self.below(inner, path, level + 1, inner_home, inner_trail)
        for part, part_home, part_trail in made_of:
            for keyword, mark in (("items", "[]"), ("additionalProperties", "{}")):
                inner = part.get(keyword)
                if isinstance(inner, dict):
                    inside = part_home._replace(path=part_home.path + mark)
                    yield from self.below(inner, place + mark, level, inside, part_trail)


def parts(
    schema: Schema,
    definitions: Mapping[str, Schema],
    home: Home = ROOT,
    trail: tuple[str, ...] = (),
) -> Iterator[tuple[Schema, Home, tuple[str, ...]]]:
    """Yield the schemas that one is made of, without ``$ref`` and ``allOf`` at their tops.

    With the home of each, and ``trail`` with the definitions that lead there, none of them twice.
    """
    name = reference_name(schema)
    if name is not None:
        if name not in trail:
            yield from parts(definitions[name], definitions, Home(name, ""), (*trail, name))
        return
    for branch in schema.get("allOf", ()):
        yield from parts(branch, definitions, home, trail)
    yield schema, home, trail


def touches_secret(
    schema: Schema, definitions: Mapping[str, Schema], path: tuple[Any, ...]
) -> bool:
    """Tell whether what stands at ``path`` is secret, lies in a secret or holds one."""
    around = (path[:end] for end in range(len(path) + 1))
    if any(schema_at(schema, definitions, each).get("x-secret") for each in around):
        return True
    below = fields(schema_at(schema, definitions, path), definitions)
    return any(flatten(field.schema, definitions).get("x-secret") for field in below)
