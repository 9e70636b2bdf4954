"""What a program uses of the API, and which versions have all of it.

It is fed with requests. Of these it keeps names that documents have (operations, parameters,
fields) and the values of documented enums, and counts them; of what no document knows, the name.
Other values are never kept. Names are bounded in number and length, and what is beyond is counted.

A field that is null, false, 0, or has nothing in it says what an engine assumes without it: it is
counted, and stands in no version's way. So is a parameter without a text.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, Any

from dynadock.call.json_text import read_json_body
from dynadock.call.reading import texts_in
from dynadock.call.received import LONGEST_BODY
from dynadock.call.values import Refused
from dynadock.compat.lacking import Lacking, Thing, choices_of
from dynadock.compat.recognition import Recogniser
from dynadock.contract.newer import counterpart
from dynadock.contract.nodes import Nodes
from dynadock.show.counts import counted
from dynadock.simulation.routes import read_target
from dynadock.spec.loader import load_version

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from dynadock.compat.lacking import Missing, Steps
    from dynadock.contract.nodes import Node
    from dynadock.spec.model import Operation, Spec
    from dynadock.spec.versions import Version

MOST_NAMES = 10_000
"""Distinct names, values and statuses that are kept."""

MOST_UNRECOGNISED = 200
"""Distinct requests that are no operation."""

LONGEST_NAME = 250
"""Characters of a name; documents have none that are longer."""

_MOST_SHOWN = 5
_ITEM, _ENTRY = "[]", "{}"


@dataclass(frozen=True)
class Used:
    """What is used of one operation, each with the number of requests that did.

    ``parameters`` by name; ``fields`` by place (``HostConfig.Mounts[].Type``), ``empty`` those that
    never had anything in them; ``values`` of documented enums by parameter or place; ``unknown``
    what no document has. ``unreadable`` counts queries and bodies that no engine reads.
    """

    count: int
    statuses: Mapping[str, int]
    parameters: Mapping[str, int]
    fields: Mapping[str, int]
    empty: Mapping[str, int]
    values: Mapping[str, Mapping[str, int]]
    unknown: Mapping[str, int]
    unreadable: int

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        return asdict(self)


class _Uses:
    """What is counted of one operation."""

    def __init__(self, operation: Operation) -> None:
        self.operation = operation
        self.count = 0
        self.unreadable = 0
        self.statuses: Counter[str] = Counter()
        self.things: Counter[Thing] = Counter()
        self.empty: Counter[Thing] = Counter()
        self.unknown: Counter[str] = Counter()


class Usage:
    """Counts what requests use; several threads may add and look.

    ``versions`` are those that are looked at; ``left_out`` counts what was more than is kept.
    """

    def __init__(self, versions: Iterable[Version]) -> None:
        self._versions = sorted({*versions})
        self._recogniser = Recogniser()
        self._lock = Lock()
        self._uses: dict[str, _Uses] = {}
        self._unrecognised: Counter[tuple[str, str, str]] = Counter()
        self._nodes: dict[Version, Nodes] = {}
        self._names = 0
        self.requests = 0
        self.left_out = 0
        self._lacking: tuple[int, dict[str, list[Missing]]] = (-1, {})

    def add(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str],
        body: bytes | None,
        status: int | None,
    ) -> None:
        """Take a request and the status of its reply; whatever it holds, nothing is raised.

        A request without a version is one of the newest. ``body`` may be missing where it was not
        kept.
        """
        found = self._recogniser.find(method, target)
        if found.operation is None:
            self._add_unrecognised(method, target, found.why)
            return
        request = _Request(found.operation, self._newest_of(found.operation), self._root)
        request.read(read_target(target).query, headers, body)
        with self._lock:
            self.requests += 1
            uses = self._uses.setdefault(found.operation.operation_id, _Uses(found.operation))
            uses.count += 1
            uses.unreadable += request.unreadable
            self._count(uses.statuses, ["no reply" if status is None else str(status)])
            self._count(uses.things, request.things)
            self._count(uses.empty, request.empty)
            self._count(uses.unknown, request.unknown)

    def _count(self, counter: Counter[Any], names: Iterable[Any]) -> None:
        for name in names:
            if name in counter or self._names < MOST_NAMES:
                self._names += name not in counter
                counter[name] += 1
            else:
                self.left_out += 1

    def _add_unrecognised(self, method: str, target: str, why: str) -> None:
        path = target.partition("?")[0]
        key = (method[:LONGEST_NAME], path[:LONGEST_NAME], why)
        with self._lock:
            self.requests += 1
            if key in self._unrecognised or len(self._unrecognised) < MOST_UNRECOGNISED:
                self._unrecognised[key] += 1
            else:
                self.left_out += 1

    def _newest_of(self, operation: Operation) -> Operation | None:
        return counterpart(operation, self._newest)

    @cached_property
    def _newest(self) -> Spec:
        # Kept: to load a version is to read its document, to see whether it is still the same.
        return load_version(self._recogniser.newest)

    def _root(self, operation: Operation | None) -> Node | None:
        """Return what describes the body of an operation, None where it is no JSON."""
        if operation is None or operation.body is None or operation.body.kind == "binary":
            return None
        body = operation.body
        nodes = self._nodes.get(operation.version)
        if nodes is None:
            nodes = self._nodes.setdefault(operation.version, Nodes(body.definitions))
        return nodes.of(body.schema)

    @property
    def operations(self) -> dict[str, Used]:
        """What is used of each operation, by operationId, in the order in which they came."""
        with self._lock:
            return {name: _used(uses) for name, uses in self._uses.items()}

    @property
    def unrecognised(self) -> list[dict[str, Any]]:
        """Requests that are no operation: method, path without its query, why, and how many."""
        with self._lock:
            return [
                {"method": method, "path": path, "why": why, "count": count}
                for (method, path, why), count in self._unrecognised.items()
            ]

    def versions(self) -> dict[str, list[Missing]]:
        """Return for each version, by its text, what is used and it does not have.

        What is below something that is missing is not told again.
        """
        with self._lock:
            requests, used = (
                self.requests,
                [(uses.operation, [*uses.things]) for uses in self._uses.values()],
            )
            done, found = self._lacking
        if done != requests:
            lacking = Lacking(used)
            found = {str(each): lacking.at(each) for each in self._versions}
            self._lacking = (requests, found)
        return {version: [*missing] for version, missing in found.items()}

    def as_dict(self) -> dict[str, Any]:
        """Return everything as plain values."""
        return {
            "requests": self.requests,
            "operations": {name: used.as_dict() for name, used in self.operations.items()},
            "unrecognised": self.unrecognised,
            "left_out": self.left_out,
            "versions": {
                version: [each.as_dict() for each in missing]
                for version, missing in self.versions().items()
            },
        }

    @property
    def text(self) -> str:
        """What is used and which versions have it, for people."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        operations = self.operations
        yield f"{counted(self.requests, 'request')}, {counted(len(operations), 'operation')}"
        for name, used in operations.items():
            yield f"  {name}  {used.count}x"
            for kind in ("parameters", "fields", "unknown"):
                if names := getattr(used, kind):
                    yield f"    {kind}: {', '.join(names)}"
        for each in self.unrecognised:
            yield f"  {each['method']} {each['path']}  {each['count']}x  {each['why']}"
        if self.left_out:
            yield f"  and {self.left_out} more that are not kept"
        yield from _runs(self.versions())

    def __repr__(self) -> str:
        asked, used = counted(self.requests, "request"), counted(len(self._uses), "operation")
        return f"<Usage of {asked}, {used}>"

    def __str__(self) -> str:
        return self.text


def _runs(versions: Mapping[str, list[Missing]]) -> Iterator[str]:
    """Yield a line for neighbouring versions that lack the same."""
    runs: list[tuple[list[Missing], list[str]]] = []
    for version, missing in versions.items():
        if runs and runs[-1][0] == missing:
            runs[-1][1].append(version)
        else:
            runs.append((missing, [version]))
    for missing, members in runs:
        span = members[0] if len(members) == 1 else f"{members[0]} to {members[-1]}"
        if not missing:
            yield f"{span}: everything is there"
            continue
        words = ", ".join(f"{each.place} ({each.reason})" for each in missing[:_MOST_SHOWN])
        more = len(missing) - _MOST_SHOWN
        yield f"{span}: lacks {words}" + (f", and {more} more" if more > 0 else "")


def _used(uses: _Uses) -> Used:
    parameters: dict[str, int] = {}
    fields: dict[str, int] = {}
    values: dict[str, dict[str, int]] = {}
    for thing, count in uses.things.items():
        if thing.value is not None:
            values.setdefault(thing.shown, {})[thing.value] = count
        elif thing.steps:
            fields[thing.shown] = count
        else:
            parameters[thing.name] = count
    return Used(
        count=uses.count,
        statuses=dict(uses.statuses),
        parameters=parameters,
        fields=fields,
        empty={each.shown: count for each, count in uses.empty.items() if each not in uses.things},
        values=values,
        unknown=dict(uses.unknown),
        unreadable=uses.unreadable,
    )


class _Request:
    """Reads one request: ``things`` that it uses, ``empty`` fields, and what is ``unknown``.

    Names are looked up in the document of the request's version, then in the newest one.
    """

    def __init__(self, operation: Operation, newest: Operation | None, root_of: Any) -> None:
        self._operations = [each for each in (operation, newest) if each is not None]
        self._root_of = root_of
        self.things: dict[Thing, None] = {}
        self.empty: dict[Thing, None] = {}
        self.unknown: dict[str, None] = {}
        self.unreadable = 0

    def read(self, query: str, headers: Mapping[str, str], body: bytes | None) -> None:
        try:
            self._read_query(texts_in(query) if query else {})
        except Refused:
            self.unreadable += 1
        self._read_headers({name.lower() for name in headers})
        roots = [self._root_of(each) for each in self._operations]
        nodes = [each for each in roots if each is not None]
        if not body or not nodes or len(body) > LONGEST_BODY:
            return
        try:
            value = read_json_body(body)
        except Refused:
            self.unreadable += 1
        else:
            self._walk(nodes, value, ())

    def _read_query(self, texts: Mapping[str, list[str]]) -> None:
        for name, came in texts.items():
            known = [each.in_query[name] for each in self._operations if name in each.in_query]
            if not known:
                self._note_unknown(f"query {name}")
            elif any(came):
                self.things[Thing("query", name)] = None
                for text in came:
                    if any(text in choices_of(each) for each in known):
                        self.things[Thing("query", name, value=text)] = None

    def _read_headers(self, came: set[str]) -> None:
        for operation in self._operations:
            for name in operation.in_headers:
                # It says how a body is written, for every client.
                if name.lower() in came and name.lower() != "content-type":
                    self.things[Thing("header", name)] = None

    def _note_unknown(self, name: str) -> None:
        self.unknown[name[:LONGEST_NAME]] = None

    def _walk(self, nodes: list[Node], value: Any, steps: Steps) -> bool:
        """Note what a value uses; tell whether there is anything in it."""
        if isinstance(value, dict):
            # Not with any(): all of them are to be walked.
            return sum([self._enter(nodes, key, inner, steps) for key, inner in value.items()]) > 0
        if isinstance(value, list):
            items = [each for each in (node.item() for node in nodes) if each is not None]
            for inner in value:
                self._walk(items, inner, (*steps, _ITEM))
            return bool(value)
        if isinstance(value, str) and value and any(value in node.choices for node in nodes):
            self.things[Thing("body", steps=steps, value=value)] = None
        return bool(value)

    def _enter(self, nodes: list[Node], key: str, value: Any, steps: Steps) -> bool:
        if not nodes:
            # Inside what may hold anything.
            return True
        spelt = next((n.spelt(key) for n in nodes if n.spelt(key) in n.names), None)
        if spelt is None:
            if any(node.is_open for node in nodes):
                entries = [e for e in (n.field(key) for n in nodes if n.is_open) if e is not None]
                self._walk(entries, value, (*steps, _ENTRY))
                return True
            self._note_unknown(Thing("body", steps=(*steps, key)).shown)
            return bool(value)
        below = [n.field(n.spelt(key)) for n in nodes if n.spelt(key) in n.names]
        inside = (*steps, spelt)
        is_filled = self._walk([each for each in below if each is not None], value, inside)
        (self.things if is_filled else self.empty)[Thing("body", steps=inside)] = None
        return is_filled
