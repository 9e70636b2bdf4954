"""Which versions have not all that is used, what they lack, and when that arrived or left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from dynadock.contract.newer import counterpart
from dynadock.contract.nodes import Nodes
from dynadock.errors import SpecError
from dynadock.spec.library import available_versions
from dynadock.spec.loader import load_version

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from dynadock.contract.nodes import Node
    from dynadock.spec.model import Operation, Parameter
    from dynadock.spec.versions import Version

    Used = tuple[Operation, Iterable["Thing"]]
    """An operation, as one version has it, and what is used of it."""

Steps = tuple[str, ...]
"""The way to a field: names as documents spell them, ``[]`` for items, ``{}`` for maps' values."""

_MARKS = ("[]", "{}")


class Thing(NamedTuple):
    """What may be used of an operation: the operation itself where all but ``location`` is empty.

    ``location`` is query, header or body; ``name`` a parameter's, ``steps`` lead to a body's field;
    ``value`` is one of a documented enum, else None.
    """

    location: str = ""
    name: str = ""
    steps: Steps = ()
    value: str | None = None

    @property
    def shown(self) -> str:
        """The name, or the steps as a place: ``HostConfig.Mounts[].Type``."""
        text = self.name
        for step in self.steps:
            text += step if step in _MARKS or not text else f".{step}"
        return text


class Missing(NamedTuple):
    """What a version lacks: ``kind`` is operation, parameter, field or value.

    ``place`` is an operationId, ``ContainerCreate.platform``, ``HostConfig.Init`` (by its
    definition, else by its operation), or one of these with ``=value``; ``operations`` are those
    that use it, ``reason`` says when it arrived or left.
    """

    place: str
    kind: str
    operations: tuple[str, ...]
    reason: str

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {**self._asdict(), "operations": [*self.operations]}


_OPERATION = Thing()


class Lacking:
    """Holds what is used against the documents of versions, each read when it is needed."""

    def __init__(self, used: Iterable[Used]) -> None:
        self._used = [(operation, [_OPERATION, *things]) for operation, things in used]
        self._known = available_versions()
        self._present: dict[Version, dict[tuple[str, Thing], str]] = {}

    def _there(self, version: Version) -> Mapping[tuple[str, Thing], str]:
        """Return what a version has, by operationId, with what it is called there."""
        if version not in self._present:
            self._present[version] = dict(self._look(version))
        return self._present[version]

    def _look(self, version: Version) -> Iterator[tuple[tuple[str, Thing], str]]:
        try:
            spec = load_version(version)
        except SpecError:
            # What cannot be read has nothing.
            return
        nodes = Nodes(spec.definitions)
        for operation, things in self._used:
            found = counterpart(operation, spec)
            if found is not None:
                here = _Here(found, nodes)
                for thing in things:
                    if (place := here.place_of(thing)) is not None:
                        yield (operation.operation_id, thing), place

    def at(self, version: Version) -> list[Missing]:
        """Return what a version lacks, without what is inside of something that it lacks."""
        there = self._there(version)
        found: dict[tuple[str, str, str], list[str]] = {}
        for operation, things in self._used:
            name = operation.operation_id
            lacking = {each for each in things if (name, each) not in there}
            for thing in things:
                if thing in lacking and lacking.isdisjoint(_around(thing)):
                    place, reason = self._elsewhere(version, (name, thing))
                    found.setdefault((place, _kind(thing), reason), []).append(name)
        return [
            Missing(place, kind, tuple(names), reason)
            for (place, kind, reason), names in found.items()
        ]

    def _elsewhere(self, version: Version, key: tuple[str, Thing]) -> tuple[str, str]:
        """Return what a thing is called in the newest version that has it, and why not in this."""
        having = [each for each in self._known if key in self._there(each)]
        if not having:
            return f"{key[0]}.{key[1].shown}", "no version has it"
        later = next((each for each in having if each > version), None)
        reason = f"its last version is {having[-1]}" if later is None else f"arrived in {later}"
        return self._there(having[-1])[key], reason


def choices_of(parameter: Parameter) -> tuple[Any, ...]:
    """Return the values that a document allows a parameter, or its members; none for all."""
    return parameter.enum or (parameter.items.enum if parameter.items else ())


def _around(thing: Thing) -> Iterator[Thing]:
    """Yield what a thing is a part of."""
    if thing != _OPERATION:
        yield _OPERATION
    if thing.value is not None:
        yield thing._replace(value=None)
    for end in range(1, len(thing.steps)):
        yield Thing(thing.location, steps=thing.steps[:end])


def _kind(thing: Thing) -> str:
    if thing.value is not None:
        return "value"
    if thing.steps:
        return "field"
    return "parameter" if thing.name else "operation"


class _Here:
    """An operation as one version has it."""

    def __init__(self, operation: Operation, nodes: Nodes) -> None:
        self._operation = operation
        body = operation.body
        has_fields = body is not None and body.kind != "binary"
        self._root = nodes.of(body.schema) if body is not None and has_fields else None

    def place_of(self, thing: Thing) -> str | None:
        """Return what a thing is called here, None where it is not there."""
        if thing == _OPERATION:
            return self._operation.operation_id
        place = self._field(thing) if thing.location == "body" else self._parameter(thing)
        return place if place is None or thing.value is None else f"{place}={thing.value}"

    def _parameter(self, thing: Thing) -> str | None:
        in_query = thing.location == "query"
        known = self._operation.in_query if in_query else self._operation.in_headers
        parameter = known.get(thing.name)
        if parameter is None:
            return None
        choices = choices_of(parameter)
        if thing.value is not None and choices and thing.value not in choices:
            return None
        return f"{self._operation.operation_id}.{thing.name}"

    def _field(self, thing: Thing) -> str | None:
        node = self._root
        for step in thing.steps:
            if node is None:
                # Inside what may hold anything.
                break
            node, is_there = _step(node, step)
            if not is_there:
                return None
        choices = () if node is None else node.choices
        if thing.value is not None and choices and thing.value not in choices:
            return None
        home = None if node is None else node.home
        if home is None or not home.definition:
            return f"{self._operation.operation_id}.{thing.shown}"
        return f"{home.definition}.{home.path}" if home.path else home.definition


def _step(node: Node, step: str) -> tuple[Node | None, bool]:
    """Return where a step leads, and whether the document has it."""
    if step == "[]":
        return node.item(), True
    name = node.spelt(step)
    if name in node.names:
        return node.field(name), True
    return node.field(step), node.is_open
