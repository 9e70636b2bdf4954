"""Two Specs compared: their operations, one by one, and the schemas that these have."""

from __future__ import annotations

import re
from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple

from dynadock.errors import SpecError
from dynadock.spec.differences.rows import REPLY, REQUEST, Difference, Use
from dynadock.spec.differences.schemas import Pairs
from dynadock.spec.differences.severities import severity_of
from dynadock.spec.differences.values import Found, value_differences
from dynadock.spec.kinds import KINDS
from dynadock.spec.words import word_for_schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from dynadock.spec.differences.schemas import Pair, Row
    from dynadock.spec.model import Body, Operation, Parameter, Reply, Spec

MOST_USES = 1_000_000
"""Places of differences in operations, all together; published documents have some thousands."""

FIRST_ERROR = "4"

_FIRST_NAME = re.compile(r"[.\[{]")
_BRACES = re.compile(r"\{[^{}]*\}")


def compare(old: Spec, new: Spec) -> list[Difference]:
    """Return what differs, operations first, then definitions; `rows` has a table of the kinds.

    Operations are the same by their operationIds; by an alias of the overlay, which makes one a
    renamed one; or by method and path. A definition has rows if an operation of both has it in its
    body or its reply. Raises SpecError for documents with too many differences to list.
    """
    return _Comparison(old, new).rows()


def compare_definition(old: Spec, new: Spec, name: str) -> list[Difference]:
    """Return what differs in a definition of both, and in those below it; no operation has them."""
    pairs = Pairs(old.definitions, new.definitions)
    reference = {"$ref": f"#/definitions/{name}"}
    top = pairs.root(reference, reference, "")
    told = {id(pair): pair for pair, *_ in _below(top, {*_told(top)})}
    return [
        _difference(pair.home.place(row.below), pair.home.definition, row.found, ())
        for pair in told.values()
        for row in pair.rows
    ]


class _Twins(NamedTuple):
    """One operation in both versions, and how the newer one is found."""

    old: Operation
    new: Operation
    renamed: str


class _Comparison:
    """Compares two Specs once."""

    def __init__(self, old: Spec, new: Spec) -> None:
        self._old = old
        self._new = new
        self._pairs = Pairs(old.definitions, new.definitions)
        self._own: list[Difference] = []
        self._roots: list[tuple[str, str, str, Pair]] = []

    def rows(self) -> list[Difference]:
        """Return all differences."""
        twins = [*_twins(self._old, self._new)]
        gone = {*self._old} - {each.old.operation_id for each in twins}
        come = {*self._new} - {each.new.operation_id for each in twins}
        for each in twins:
            self._compare(each)
        for kind, names in (("operation-removed", gone), ("operation-added", come)):
            for name in names:
                self._note(Use(name, REQUEST, ""), name, Found(kind, None, None))
        own = sorted(self._own, key=lambda row: (row.operations, _order(row)))
        return own + sorted(self._shared(), key=lambda row: (bool(row.definition), _order(row)))

    def _note(self, use: Use, place: str, found: Found) -> None:
        self._own.append(_difference(place, "", found, (use,)))

    def _compare(self, twins: _Twins) -> None:
        old, new, renamed = twins
        name = new.operation_id
        whole = Use(name, REQUEST, "")
        if renamed:
            self._note(whole, name, Found(renamed, old.operation_id, name))
        routes = [f"{each.method} {each.path}" for each in (old, new)]
        if _BRACES.sub("{}", routes[0]) != _BRACES.sub("{}", routes[1]):
            self._note(whole, name, Found("operation-moved", *routes))
        if old.deprecated != new.deprecated:
            kind = "deprecated" if new.deprecated else "undeprecated"
            self._note(whole, name, Found(kind, None, None))
        for place, found in _parameters(old.parameters, new.parameters):
            self._note(Use(name, REQUEST, place), place, found)
        for found in self._bodies(name, old.body, new.body):
            self._note(Use(name, REQUEST, "body"), "body", found)
        for place, found in self._replies(name, old.reply, new.reply):
            self._note(Use(name, REPLY, place), place, found)

    def _bodies(self, name: str, old: Body | None, new: Body | None) -> Iterator[Found]:
        if old is None or new is None:
            if new is not None:
                kind = "required-body-added" if new.required else "body-added"
                yield Found(kind, None, word_for_schema(new.schema, self._new.definitions))
            if old is not None:
                word = word_for_schema(old.schema, self._old.definitions)
                yield Found("body-removed", word, None)
            return
        yield from _required(was=old.required, is_=new.required)
        yield from _media_types(old.media_types, new.media_types)
        pair = self._pairs.root(old.schema, new.schema, "body")
        self._roots.append((name, REQUEST, "body", pair))

    def _replies(self, name: str, old: Reply, new: Reply) -> Iterator[tuple[str, Found]]:
        if old.kind != new.kind:
            words = (KINDS[each.kind].words for each in (old, new))
            yield "reply", Found("reply-kind-changed", *words)
        yield from _codes(old.codes, new.codes)
        for found in _media_types(old.media_types, new.media_types):
            yield "reply", found
        yield from self._responses(name, old, new)
        if old.schema is not None and new.schema is not None:
            pair = self._pairs.root(old.schema, new.schema, "reply")
            self._roots.append((name, REPLY, "reply", pair))
        elif new.schema is not None:
            word = word_for_schema(new.schema, self._new.definitions)
            yield "reply", Found("reply-added", None, word)
        elif old.schema is not None:
            word = word_for_schema(old.schema, self._old.definitions)
            yield "reply", Found("reply-removed", word, None)

    def _responses(self, name: str, old: Reply, new: Reply) -> Iterator[tuple[str, Found]]:
        """Compare what each status of both brings, but for the schema of the call's value."""
        success = _success(old), _success(new)
        for code in [each for each in old.codes if each in new.responses]:
            part = "reply" if code in success else f"reply {code}"
            before, after = old.responses[code], new.responses[code]
            yield from _headers(before.get("headers", {}), after.get("headers", {}), part)
            if code not in success and "schema" in before and "schema" in after:
                pair = self._pairs.root(before["schema"], after["schema"], part)
                self._roots.append((name, REPLY, part, pair))

    def _shared(self) -> Iterator[Difference]:
        """Yield the rows of all pairs that operations lead to, each once."""
        told = {*_told(*(pair for *_, pair in self._roots))}
        found: dict[int, tuple[Pair, dict[tuple[str, str], list[_Met]]]] = {}
        count = 0
        for name, direction, part, root in self._roots:
            for pair, path, hidden in _below(root, told):
                uses = found.setdefault(id(pair), (pair, {}))[1]
                use = Use(name, direction, f"{part} {path}")
                uses.setdefault((name, direction), []).append(_Met(use, hidden))
                # Each of its rows gets this use.
                count += 1 + len(pair.rows)
                if count > MOST_USES:
                    raise SpecError(f"the documents differ in more than {MOST_USES:,} places")
        for pair, uses in found.values():
            for row in pair.rows:
                shown = [met for some in uses.values() if (met := _first_shown(row, some))]
                if shown:
                    yield _row(pair, row, shown)


class _Met(NamedTuple):
    """Where an operation has a pair, and which of its properties something there hides."""

    use: Use
    hidden: frozenset[str]


def _first_shown(row: Row, met: Iterable[_Met]) -> Use | None:
    """Return where an operation has a row first, None if all that has it hides it."""
    return next((use for use, hidden in met if not _is_below(row, hidden)), None)


def _row(pair: Pair, row: Row, uses: Iterable[Use]) -> Difference:
    each = (use._replace(path=_tidy(use.path + row.below)) for use in uses)
    return _difference(pair.home.place(row.below), pair.home.definition, row.found, tuple(each))


def _is_below(row: Row, names: frozenset[str]) -> bool:
    """Tell if a row is about one of these properties of its pair, or something in it."""
    return bool(names) and _FIRST_NAME.split(row.below.removeprefix("."), 1)[0] in names


def _tidy(path: str) -> str:
    """Return ``body A.B`` for ``body .A.B``."""
    part, _, below = path.partition(" ")
    return f"{part} {below.removeprefix('.')}".rstrip()


def _difference(place: str, definition: str, found: Found, uses: tuple[Use, ...]) -> Difference:
    severity = severity_of(found.kind, (use.direction for use in uses))
    return Difference(place, definition, found.kind, severity, found.old, found.new, uses)


def _order(row: Difference) -> tuple[str, ...]:
    return (row.place, row.kind, repr(row.old), repr(row.new))


def _told(*roots: Pair) -> Iterator[int]:
    """Yield the ids of the pairs that have rows, or lead to some that have."""
    above: dict[int, list[Pair]] = {}
    waiting = [*roots]
    known = {id(each): each for each in roots}
    while waiting:
        pair = waiting.pop()
        for _, inner, _ in pair.links:
            above.setdefault(id(inner), []).append(pair)
            if id(inner) not in known:
                known[id(inner)] = inner
                waiting.append(inner)
    waiting = [each for each in known.values() if each.rows]
    found = {id(each) for each in waiting}
    while waiting:
        for pair in above.get(id(waiting.pop()), ()):
            if id(pair) not in found:
                found.add(id(pair))
                waiting.append(pair)
    yield from found


def _below(root: Pair, told: set[int]) -> Iterator[tuple[Pair, str, frozenset[str]]]:
    """Yield the pairs below one that are told, with the shortest ways, and what is hidden there."""
    nothing: frozenset[str] = frozenset()
    waiting, seen = deque([(root, "", nothing)]), {id(root): nothing}
    while waiting:
        pair, path, hidden = waiting.popleft()
        yield pair, path, hidden
        for below, inner, hidden in pair.links:
            if id(inner) in told and not seen.get(id(inner), hidden | {""}) <= hidden:
                # Once more only if something is shown that was hidden where it was met before.
                seen[id(inner)] = hidden & seen.get(id(inner), hidden)
                waiting.append((inner, path + below, hidden))


def _twins(old: Spec, new: Spec) -> Iterator[_Twins]:
    """Yield the operations that both have."""
    for name in old:
        if name in new:
            yield _Twins(old[name], new[name], "")
    come = {name: new[name] for name in new if name not in old}
    by_route = {_route(operation): name for name, operation in come.items()}
    by_alias = {name: old.names[name] for name in come if name in old.names}
    older = {old_name: name for name, old_name in by_alias.items()}
    for name in [each for each in old if each not in new]:
        alias = older.get(name) or new.names.get(name)
        if alias in come:
            yield _Twins(old[name], come.pop(alias), "operation-renamed")
            continue
        found = by_route.get(_route(old[name]))
        if found in come:
            yield _Twins(old[name], come.pop(found), "operation-id-changed")


def _route(operation: Operation) -> str:
    return f"{operation.method} {_BRACES.sub('{}', operation.path)}"


def _required(*, was: bool, is_: bool) -> Iterator[Found]:
    if was != is_:
        yield Found("became-required" if is_ else "became-optional", None, None)


def _codes(old: tuple[str, ...], new: tuple[str, ...]) -> Iterator[tuple[str, Found]]:
    gone, come = _changed(old, new)
    for code in gone:
        yield f"status {code}", Found(f"{_class_of(code)}-removed", code, None)
    for code in come:
        yield f"status {code}", Found(f"{_class_of(code)}-added", None, code)


def _changed(old: Iterable[str], new: Iterable[str]) -> tuple[list[str], list[str]]:
    """Return what only the older one has, and what only the newer one has, in their orders."""
    olds, news = dict.fromkeys(old), dict.fromkeys(new)
    return [each for each in olds if each not in news], [each for each in news if each not in olds]


def _class_of(code: str) -> str:
    # "default" stands for failures in the API's documents, as everywhere.
    return "success" if code < FIRST_ERROR else "error"


def _success(reply: Reply) -> str:
    """Return the status whose schema is that of a call's value, "" if there is none."""
    codes = [each for each in reply.codes if _class_of(each) == "success"]
    having = (each for each in codes if reply.responses[each].get("schema") == reply.schema)
    return next(having, "")


def _media_types(old: tuple[str, ...], new: tuple[str, ...]) -> Iterator[Found]:
    if not old or not new:
        # What an operation does not say itself, its document says for all of them.
        return
    gone, come = _changed(old, new)
    yield from (Found("media-type-removed", each, None) for each in gone)
    yield from (Found("media-type-added", None, each) for each in come)


def _headers(
    old: Mapping[str, Any], new: Mapping[str, Any], part: str
) -> Iterator[tuple[str, Found]]:
    for name in dict.fromkeys([*old, *new]):
        place = f"{part} header {name}"
        before, after = old.get(name), new.get(name)
        if before is None or after is None:
            if after is not None:
                yield place, Found("header-added", None, after.get("type", "string"))
            if before is not None:
                yield place, Found("header-removed", before.get("type", "string"), None)
        elif before.get("type") != after.get("type"):
            yield place, Found("type-changed", before.get("type"), after.get("type"))
        else:
            yield from ((place, each) for each in value_differences(before, after))


def _parameters(old: Iterable[Parameter], new: Iterable[Parameter]) -> Iterator[tuple[str, Found]]:
    olds, news = ({(each.location, each.name): each for each in some} for some in (old, new))
    for key in dict.fromkeys([*olds, *news]):
        before, after = olds.get(key), news.get(key)
        place = " ".join(key)
        if before is None and after is not None:
            kind = "required-parameter-added" if after.required else "parameter-added"
            yield place, Found(kind, None, _word(after))
        elif before is not None and after is None:
            yield place, Found("parameter-removed", _word(before), None)
        elif before is not None and after is not None:
            yield from (
                (place, each) for each in _required(was=before.required, is_=after.required)
            )
            yield from _values(before, after, place)


def _values(old: Parameter, new: Parameter, place: str) -> Iterator[tuple[str, Found]]:
    if old.type != new.type:
        yield place, Found("type-changed", _word(old), _word(new))
        return
    if old.collection != new.collection:
        yield place, Found("collection-changed", old.collection, new.collection)
    yield from ((place, each) for each in value_differences(_keywords(old), _keywords(new)))
    if old.items is not None and new.items is not None:
        yield from _values(old.items, new.items, f"{place}[]")


def _keywords(parameter: Parameter) -> Mapping[str, Any]:
    found: dict[str, Any] = {"type": parameter.type, **parameter.bounds}
    found |= {"enum": [*parameter.enum], "pattern": parameter.pattern}
    return found | {"default": parameter.default}


def _word(parameter: Parameter) -> str:
    """Name the type that the document gives a parameter."""
    if parameter.items is not None:
        return f"list of {_word(parameter.items)}"
    return parameter.type
