"""What differs between two values' own keywords: enum, format, bounds, pattern, default.

Both are mappings of the keywords of Swagger 2.0, of a flat schema or of a parameter.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from dynadock.spec.schema import bounds_of_format, types_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Node = Mapping[str, Any]


class Found(NamedTuple):
    """A difference without its place."""

    kind: str
    old: Any
    new: Any


_SIZES = {
    "minLength": (1, "at least {} characters"),
    "maxLength": (-1, "at most {} characters"),
    "minItems": (1, "at least {} items"),
    "maxItems": (-1, "at most {} items"),
    "uniqueItems": (1, "no item twice"),
    "minProperties": (1, "at least {} entries"),
    "maxProperties": (-1, "at most {} entries"),
}
"""Which way each bound is tighter, and its words."""

_WHOLE = "int64"
"""What an integer without a format is: JSON numbers are decoded into this type."""


def value_differences(old: Node, new: Node) -> Iterator[Found]:
    """Yield what differs in the keywords of two values of one type."""
    yield from _enums(old.get("enum"), new.get("enum"))
    yield from _ranges(old, new)
    for keyword, (tighter, words) in _SIZES.items():
        yield from _sizes(old.get(keyword), new.get(keyword), tighter, words)
    yield from _multiples(old.get("multipleOf"), new.get("multipleOf"))
    yield from _patterns(old.get("pattern"), new.get("pattern"))
    if not is_same(old.get("default"), new.get("default")):
        yield Found("default-changed", old.get("default"), new.get("default"))
    if bool(old.get("deprecated")) != bool(new.get("deprecated")):
        yield Found("deprecated" if new.get("deprecated") else "undeprecated", None, None)


def is_same(one: Any, other: Any) -> bool:
    """Tell whether two plain values are the same in JSON, where 1 is not true."""
    return _as_text(one) == _as_text(other)


def _as_text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _enums(old: list[Any] | None, new: list[Any] | None) -> Iterator[Found]:
    if not old or not new:
        if new:
            yield Found("enum-introduced", None, new)
        if old:
            yield Found("enum-dropped", old, None)
        return
    before, after = ({_as_text(each): each for each in values} for values in (old, new))
    for text, value in before.items():
        if text not in after:
            yield Found("enum-value-removed", value, None)
    for text, value in after.items():
        if text not in before:
            yield Found("enum-value-added", None, value)


class _Range(NamedTuple):
    """The numbers that are allowed, None for an open side; a bound with its exclusiveness."""

    lowest: tuple[float, bool] | None
    highest: tuple[float, bool] | None

    def holds(self, other: _Range) -> bool:
        """Tell whether every number of another range is in this one."""
        return _is_below(self.lowest, other.lowest, 1) and _is_below(
            self.highest, other.highest, -1
        )


def _is_below(bound: tuple[float, bool] | None, other: tuple[float, bool] | None, way: int) -> bool:
    if bound is None or other is None:
        return bound is None
    return (way * bound[0], bound[1]) <= (way * other[0], other[1])


def _ranges(old: Node, new: Node) -> Iterator[Found]:
    before, after = _range(old), _range(new)
    if before == after:
        if old.get("format") != new.get("format"):
            yield Found("format-changed", old.get("format"), new.get("format"))
        return
    kind = "bound-loosened" if after.holds(before) else "bound-tightened"
    yield Found(kind, _range_in_words(old, before), _range_in_words(new, after))


def _range(node: Node) -> _Range:
    bounds: dict[str, Any] = {}
    if types_of(node) == ["integer"]:
        bounds = bounds_of_format({"type": "integer", "format": _WHOLE})
        bounds |= bounds_of_format({"type": "integer", "format": node.get("format")})
    bounds |= {key: node[key] for key in ("minimum", "maximum") if key in node}
    lowest, highest = bounds.get("minimum"), bounds.get("maximum")
    return _Range(
        None if lowest is None else (lowest, node.get("exclusiveMinimum", False)),
        None if highest is None else (highest, node.get("exclusiveMaximum", False)),
    )


def _range_in_words(node: Node, numbers: _Range) -> str:
    plain = not {"minimum", "maximum"} & {*node}
    if plain and types_of(node) == ["integer"]:
        return str(node.get("format") or "integer")
    words = []
    if "minimum" in node and numbers.lowest:
        words.append(f"{'above' if numbers.lowest[1] else 'from'} {numbers.lowest[0]}")
    if "maximum" in node and numbers.highest:
        words.append(f"{'below' if numbers.highest[1] else 'up to'} {numbers.highest[0]}")
    return " ".join(words) or "any number"


def _sizes(old: Any, new: Any, tighter: int, words: str) -> Iterator[Found]:
    loosest = 0 if tighter > 0 else float("inf")
    before, after = (loosest if each is None else each for each in (old, new))
    if before == after:
        return
    kind = "bound-tightened" if (after - before) * tighter > 0 else "bound-loosened"
    yield Found(kind, *(_size_in_words(each, loosest, words) for each in (before, after)))


def _size_in_words(size: float, loosest: float, words: str) -> str:
    return "without a bound" if size == loosest else words.format(size)


def _multiples(old: Any, new: Any) -> Iterator[Found]:
    if old == new:
        return
    is_looser = new is None or (old is not None and (old / new).is_integer())
    kind = "bound-loosened" if is_looser else "bound-tightened"
    yield Found(
        kind, *("any number" if each is None else f"multiples of {each}" for each in (old, new))
    )


def _patterns(old: str | None, new: str | None) -> Iterator[Found]:
    if old == new:
        return
    if new is None:
        yield Found("bound-loosened", f"of the pattern {old}", "any text")
    elif old is None:
        yield Found("bound-tightened", "any text", f"of the pattern {new}")
    else:
        yield Found("pattern-changed", old, new)
