"""Schemas as values are walked by: what each field is, where it is filed, and what is unknown."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any

from dynadock.contract.finding import shortened
from dynadock.secret import is_secret_name
from dynadock.spec.fields import ROOT, parts
from dynadock.spec.schema import types_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from dynadock.spec.fields import Home
    from dynadock.spec.schema import Schema

Steps = tuple[Any, ...]
"""What leads into a value: keys of objects and numbers in lists, as jsonschema has them."""

_MARKS = ("[]", "{}")
"""How a place is written whose steps anybody may choose: an item of a list, a value in a map."""

_SECRET_FIELDS = ("Env",)
"""Fields that often hold secrets, without a word about it in their names."""


class Node:
    """A schema, with all that it is made of in one.

    ``home`` is what it is filed under where it stands, ``inside`` what its own fields are: those of
    a definition where it refers to one. ``is_nullable`` is None where the document is silent;
    ``is_open`` tells that it may have fields which the document does not name; ``choices`` are its
    enum, empty where it has none.
    """

    __slots__ = (
        "_below",
        "_fields",
        "_folded",
        "_items",
        "_nodes",
        "_others",
        "choices",
        "home",
        "inside",
        "is_nullable",
        "is_open",
        "is_secret",
    )

    def __init__(self, nodes: Nodes, schema: Schema, home: Home) -> None:
        self._nodes = nodes
        self.home = self.inside = home
        self.is_nullable: bool | None = None
        self.is_secret = False
        self.choices: tuple[Any, ...] = ()
        self._folded: dict[str, str] = {}
        self._below: dict[str, Node] = {}
        self._fields: dict[str, tuple[Schema, Home]] = {}
        self._items: tuple[Schema, Home] | None = None
        self._others: tuple[Schema, Home] | None = None
        may_be_else = False
        for part, part_home, _ in parts(schema, nodes.definitions, home):
            self._take(part, part_home)
            may_be_else = may_be_else or bool(part.get("additionalProperties"))
            may_be_else = may_be_else or {"object"} < {*types_of(part)} - {"null"}
        # What stands beside a $ref is about this field, whatever the definition says of itself.
        self.is_nullable = schema.get("x-nullable", self.is_nullable)
        self.is_open = may_be_else or not self._fields

    def _take(self, part: Schema, home: Home) -> None:
        self.is_nullable = part.get("x-nullable", self.is_nullable)
        if "null" in types_of(part):
            self.is_nullable = True
        self.is_secret = self.is_secret or bool(part.get("x-secret"))
        self.choices = tuple(part.get("enum", self.choices))
        if "properties" in part or home.path == "":
            self.inside = home
        for name, inner in part.get("properties", {}).items():
            self._fields[name] = (inner, home.below(name))
        for keyword, mark in (("items", "[]"), ("additionalProperties", "{}")):
            inner = part.get(keyword)
            if isinstance(inner, dict):
                inside = (inner, home._replace(path=home.path + mark))
                if keyword == "items":
                    self._items = inside
                else:
                    self._others = inside

    @property
    def names(self) -> Collection[str]:
        """The names of the fields that the document has."""
        return self._fields

    def has_field(self, name: str) -> bool:
        """Tell whether the document knows a field by that name; any is known of what is open."""
        return name in self._fields or self.is_open

    def spelt(self, name: str) -> str:
        """Return a field's name as the document spells it, in which Go reads any letters."""
        if name in self._fields:
            return name
        if not self._folded:
            for each in self._fields:
                self._folded.setdefault(each.casefold(), each)
        return self._folded.get(name.casefold(), name)

    def field(self, name: str) -> Node | None:
        """Return what describes a field, or an entry of a map; None if nothing does."""
        found = self._below.get(name)
        if found is None and name in self._fields:
            found = self._below[name] = self._nodes.of(*self._fields[name])
        if found is None and self._others is not None:
            return self._nodes.of(*self._others)
        return found

    def item(self) -> Node | None:
        """Return what describes a list's items; None if nothing does."""
        return None if self._items is None else self._nodes.of(*self._items)

    def step(self, step: Any) -> tuple[str, Node | None]:
        """Return what a step into a value of this is called in a place, and where it leads."""
        if isinstance(step, int):
            return "[]", self.item()
        if step in self._fields or not self.is_open:
            return shortened(step), self.field(step)
        return "{}", self.field(step)


class Nodes:
    """The nodes of one document, each made when a value leads there."""

    def __init__(self, definitions: Mapping[str, Schema]) -> None:
        self.definitions = definitions
        self._made: dict[tuple[int, Home], Node] = {}

    def of(self, schema: Schema, home: Home = ROOT) -> Node:
        """Return the node of a schema of the document."""
        key = (id(schema), home)
        found = self._made.get(key)
        return found if found is not None else self._made.setdefault(key, Node(self, schema, home))


def unknown_fields(root: Node, value: Any) -> Iterator[tuple[Steps, str]]:
    """Yield each field of a value that the document does not know, with the steps to its object."""
    # Each with the trail that leads there: the one around it, and a step.
    waiting: list[tuple[Node, Any, Any]] = [(root, value, None)]
    while waiting:
        node, value, trail = waiting.pop()
        if isinstance(value, dict):
            for name, inner in value.items():
                below = node.field(name)
                if below is not None:
                    if inner and isinstance(inner, (dict, list)):
                        waiting.append((below, inner, (trail, name)))
                elif not node.has_field(name):
                    yield _steps(trail), name
        elif isinstance(value, list) and (below := node.item()) is not None:
            waiting += (
                (below, inner, (trail, number))
                for number, inner in enumerate(value)
                if inner and isinstance(inner, (dict, list))
            )


def _steps(trail: Any) -> Steps:
    found = []
    while trail is not None:
        trail, step = trail
        found.append(step)
    return tuple(reversed(found))


class Spot:
    """Where steps into a value lead.

    ``place`` is that in words (``Mounts[].Mode``, ``{}`` for what a map holds), ``home`` the
    definition and field, ``node`` what describes it, None if nothing does. ``is_secret`` tells that
    what stands there, or around it, is secret.
    """

    __slots__ = ("home", "is_secret", "node", "place")

    def __init__(self, root: Node, steps: Iterable[Any]) -> None:
        self.place = ""
        self.node: Node | None = root
        self.home = root.inside
        self.is_secret = root.is_secret
        for step in steps:
            self._enter(step)

    @property
    def filed(self) -> dict[str, str]:
        """The definition and field, as a `Finding` has them; nothing if there is no definition."""
        home = self.home
        return {"definition": home.definition, "field": home.path} if home.definition else {}

    def below(self, name: str) -> Spot:
        """Return where a field leads from here."""
        made = copy(self)
        made._enter(name)  # noqa: SLF001 - another one of these
        return made

    def _enter(self, step: Any) -> None:
        mark, below = (_mark(step), None) if self.node is None else self.node.step(step)
        around = self.home if self.node is None else self.node.inside
        if mark in _MARKS:
            self.place += mark
            self.home = around._replace(path=around.path + mark)
        else:
            self.place += f".{mark}" if self.place else mark
            self.home = around.below(mark)
        self.node = below
        if below is not None:
            self.home = below.home
        is_secret = mark in _SECRET_FIELDS or (mark not in _MARKS and is_secret_name(mark))
        self.is_secret = self.is_secret or is_secret or bool(below and below.is_secret)


def _mark(step: Any) -> str:
    """Return how a step is written where no schema says whether it is a field or a map's key."""
    return "[]" if isinstance(step, int) else "{}"
