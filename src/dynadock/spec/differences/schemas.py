"""Schemas of two documents compared in pairs, each pair of definitions once.

A pair's own differences are its rows; its links lead to the pairs of definitions below it. So what
operations share is compared and told once, circles end, and an operation's differences are those of
all pairs that its links lead to.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple

from dynadock.errors import SpecError
from dynadock.spec.differences.values import Found, value_differences
from dynadock.spec.schema import flatten, reference_name, types_of
from dynadock.spec.words import word_for_schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from dynadock.spec.schema import Schema

MOST_PAIRS = 200_000
"""Pairs of schemas that two documents may have; published ones have some hundreds."""


class Home(NamedTuple):
    """Where a pair's rows are told: a definition, or a part of an operation; and the path there."""

    definition: str
    part: str
    path: str

    def place(self, below: str) -> str:
        """Return the place of what stands ``below``."""
        path = self.path + below
        if self.definition:
            return self.definition + path
        return f"{self.part} {path.removeprefix('.')}".rstrip()


class Row(NamedTuple):
    """A difference at a place below its pair."""

    below: str
    found: Found


class Link(NamedTuple):
    """Where a pair has another one below it, all but the properties that are ``hidden`` there."""

    below: str
    pair: Pair
    hidden: frozenset[str]


class Pair:
    """Two schemas that stand for the same thing in both documents."""

    __slots__ = ("home", "links", "new", "old", "rows")

    def __init__(self, old: Schema, new: Schema, home: Home) -> None:
        self.old = old
        self.new = new
        self.home = home
        self.rows: list[Row] = []
        self.links: list[Link] = []


class _Declared(NamedTuple):
    """A schema without ``$ref`` and ``allOf`` at its top, and what is known of its parts.

    ``branches`` are the definitions that its ``allOf`` names, ``homes`` leads from a property to
    the one of them that has the last word on it, "" for what is no definition's.
    """

    flat: Schema
    branches: tuple[str, ...]
    homes: Mapping[str, str]


class Pairs:
    """All pairs of two documents' schemas that were asked for, and those below them."""

    def __init__(self, old: Mapping[str, Schema], new: Mapping[str, Schema]) -> None:
        self._old = old
        self._new = new
        self._pairs: dict[tuple[str | int, str | int], Pair] = {}
        self._waiting: deque[Pair] = deque()

    def root(self, old: Schema, new: Schema, part: str) -> Pair:
        """Return the pair of a body's or a reply's two schemas, all below it compared."""
        top = Pair(old, new, Home("", part, ""))
        self._place(top, "", old, new)
        while self._waiting:
            pair = self._waiting.popleft()
            self._compare(pair)
        return top

    def _linked(
        self,
        pair: Pair,
        below: str,
        old: Schema,
        new: Schema,
        hidden: frozenset[str] = frozenset(),
    ) -> None:
        """Link to the pair of two schemas, at least one of which is a definition."""
        names = reference_name(old), reference_name(new)
        key = (names[0] or id(old), names[1] or id(new))
        found = self._pairs.get(key)
        if found is None:
            if len(self._pairs) == MOST_PAIRS:
                raise SpecError(
                    f"the documents differ in more than {MOST_PAIRS:,} pairs of schemas"
                )
            home = pair.home._replace(path=pair.home.path + below)
            if names[0] and names[1]:
                home = Home(names[1], "", "")
            found = self._pairs[key] = Pair(old, new, home)
            self._waiting.append(found)
        pair.links.append(Link(below, found, hidden))

    def _compare(self, pair: Pair) -> None:
        names = reference_name(pair.old), reference_name(pair.new)
        if names[0] and names[1]:
            self._place(pair, "", self._old[names[0]], self._new[names[1]])
        else:
            self._values(pair, "", pair.old, pair.new)

    def _place(self, pair: Pair, below: str, old: Schema, new: Schema) -> None:
        """Compare what stands at one place; a definition is left to its own pair."""
        old_null, new_null = _is_nullable(old), _is_nullable(new)
        old, new = _unwrapped(old), _unwrapped(new)
        names = reference_name(old), reference_name(new)
        if not (names[0] and names[1]):
            # A definition's own word is the place's, where only one document has a definition.
            old_null = old_null or _is_nullable(flatten(old, self._old))
            new_null = new_null or _is_nullable(flatten(new, self._new))
        if old_null != new_null:
            kind = "became-nullable" if new_null else "became-not-nullable"
            pair.rows.append(Row(below, Found(kind, None, None)))
        if names[0] or names[1]:
            self._linked(pair, below, old, new)
        else:
            self._values(pair, below, old, new)

    def _values(self, pair: Pair, below: str, old: Schema, new: Schema) -> None:
        before, after = _declared(old, self._old), _declared(new, self._new)
        shared = [name for name in before.branches if name in after.branches]
        told = set()
        for name in shared:
            reference = {"$ref": f"#/definitions/{name}"}
            both = flatten(reference, self._old), flatten(reference, self._new)
            hidden = frozenset(
                each
                for flat in both
                for each in flat.get("properties", ())
                if {before.homes.get(each, name), after.homes.get(each, name)} != {name}
            )
            self._linked(pair, below, reference, reference, hidden)
            told |= {repr(found) for found in self._own(*both)}
        for found in self._own(before.flat, after.flat):
            if repr(found) not in told:
                pair.rows.append(Row(below, found))
        if _is_entered(before.flat, after.flat):
            self._fields(pair, below, before, after, {*shared})
            self._inside(pair, below, before.flat, after.flat)

    def _own(self, old: Schema, new: Schema) -> Iterator[Found]:
        """Yield what differs between two flat schemas themselves."""
        types = _types(old), _types(new)
        words = word_for_schema(old, self._old), word_for_schema(new, self._new)
        if types[0] == types[1]:
            yield from _shapes(old, new, *words)
            yield from value_differences(old, new)
        elif not types[0] or not types[1]:
            yield Found("type-described" if types[1] else "type-opened", *words)
        elif _is_wider(types[1], types[0]):
            yield Found("type-widened", *words)
        elif _is_wider(types[0], types[1]):
            yield Found("type-narrowed", *words)
        else:
            yield Found("type-changed", *words)

    def _fields(
        self, pair: Pair, below: str, before: _Declared, after: _Declared, shared: set[str]
    ) -> None:
        olds, news = (each.flat.get("properties", {}) for each in (before, after))
        required = [{*each.flat.get("required", ())} for each in (before, after)]
        by_home = {
            name: [
                {*flatten(each[name], each).get("required", ())} for each in (self._old, self._new)
            ]
            for name in shared
        }
        for name in dict.fromkeys([*olds, *news]):
            place = f"{below}.{name}"
            homes = {each.homes[name] for each in (before, after) if name in each.homes}
            was, is_ = (name in each for each in required)
            if len(homes) == 1 and homes <= shared:
                # Its definition's pair tells it, but for who requires it.
                (home,) = homes
                was_there, is_there = (name in each for each in by_home[home])
                if (was_there, is_there) == (was, is_) or name not in olds or name not in news:
                    continue
                self._required(pair, place, was=was, is_=is_)
            elif name not in news:
                word = word_for_schema(olds[name], self._old)
                pair.rows.append(Row(place, Found("field-removed", word, None)))
            elif name not in olds:
                kind = "required-field-added" if is_ else "field-added"
                word = word_for_schema(news[name], self._new)
                pair.rows.append(Row(place, Found(kind, None, word)))
            else:
                self._required(pair, place, was=was, is_=is_)
                self._place(pair, place, olds[name], news[name])

    def _required(self, pair: Pair, place: str, *, was: bool, is_: bool) -> None:
        if was != is_:
            kind = "became-required" if is_ else "became-optional"
            pair.rows.append(Row(place, Found(kind, None, None)))

    def _inside(self, pair: Pair, below: str, old: Schema, new: Schema) -> None:
        for keyword, mark in (("items", "[]"), ("additionalProperties", "{}")):
            inner = [_as_schema(each.get(keyword)) for each in (old, new)]
            if inner[0] is not None or inner[1] is not None:
                self._place(pair, below + mark, inner[0] or {}, inner[1] or {})


def _unwrapped(schema: Schema) -> Schema:
    """Return the definition that a schema is nothing but, with words of its own; else itself."""
    branches = schema.get("allOf", ())
    if len(branches) == 1 and reference_name(branches[0]) and {*schema} <= {"allOf", "x-nullable"}:
        inner: Schema = branches[0]
        return inner
    return schema


def _is_nullable(schema: Schema) -> bool:
    return bool(schema.get("x-nullable")) or "null" in types_of(schema)


def _declared(schema: Schema, definitions: Mapping[str, Schema]) -> _Declared:
    flat = flatten(schema, definitions)
    while (name := reference_name(schema)) is not None:
        schema = definitions[name]
    branches = tuple(filter(None, map(reference_name, schema.get("allOf", ()))))
    homes = dict.fromkeys(flat.get("properties", ()), "")
    for branch in (*schema.get("allOf", ()), schema):
        home = reference_name(branch) or ""
        properties = flatten(branch, definitions) if branch is not schema else schema
        homes |= dict.fromkeys(properties.get("properties", ()), home)
    return _Declared(flat, branches, homes)


def _types(flat: Schema) -> tuple[str, ...]:
    return tuple(sorted(each for each in types_of(flat) if each != "null"))


def _is_wider(types: Iterable[str], others: Iterable[str]) -> bool:
    found = {*types}
    if "number" in found:
        found.add("integer")
    return {*others} < found


FREE, MAP, OBJECT = "free", "map", "object"


def _shape(flat: Schema) -> str:
    """Tell objects with fields, maps and those of which nothing is said from each other."""
    if "properties" in flat:
        return OBJECT
    return MAP if isinstance(flat.get("additionalProperties"), dict) else FREE


def _shapes(old: Schema, new: Schema, old_word: str, new_word: str) -> Iterator[Found]:
    """Yield what became of an object as a whole, so that its fields need no rows."""
    if "object" not in types_of(new):
        return
    shapes = _shape(old), _shape(new)
    words = _object_in_words(old, old_word), _object_in_words(new, new_word)
    if shapes[0] == shapes[1]:
        return
    if FREE in shapes:
        yield Found("type-opened" if shapes[1] == FREE else "type-described", *words)
    else:
        yield Found("type-changed", *words)


MOST_NAMED = 5
"""Fields of an object that are named where it is told as a whole."""


def _object_in_words(flat: Schema, word: str) -> str:
    names = [*flat.get("properties", ())]
    if not names:
        return word
    more = f", … {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return f"object with {', '.join(names[:MOST_NAMED])}{more}"


def _is_entered(old: Schema, new: Schema) -> bool:
    """Tell whether what is inside of two flat schemas is compared too."""
    types = {*types_of(old)} & {*types_of(new)}
    return "array" in types or ("object" in types and _shape(old) == _shape(new))


def _as_schema(inner: Any) -> Schema | None:
    """Return what ``items`` or ``additionalProperties`` says, None where it says nothing."""
    if isinstance(inner, dict):
        return inner
    return {} if inner is True else None
