"""Records: JSON objects from replies, with attribute access; and lists of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Iterable


class Record(dict[str, Any]):
    """A dict whose keys are attributes too: ``record.State.Pid`` is ``record["State"]["Pid"]``.

    In everything else it is a dict: equality, JSON, pickle, copies, iteration. A key that is also
    the name of a dict method (``items``, ``keys``, …) can be read only as ``record["items"]``.
    Objects inside a reply are Records; a dict put in later stays a dict.
    """

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        # Python itself looks such names up (copy: __deepcopy__), and does not mean a key.
        if name.startswith("__"):
            raise AttributeError(_no_key(self, name))
        try:
            return self[name]
        except KeyError:
            raise AttributeError(_no_key(self, name)) from None

    def __setattr__(self, name: str, value: Any) -> None:
        if hasattr(dict, name):
            raise AttributeError(f"{name!r} is a dict's own; write record[{name!r}] = …")
        self[name] = value

    def __delattr__(self, name: str) -> None:
        try:
            del self[name]
        except KeyError:
            raise AttributeError(_no_key(self, name)) from None

    def __dir__(self) -> list[str]:
        names = (key for key in self if isinstance(key, str) and key.isidentifier())
        return [*super().__dir__(), *names]

    def __ior__(self, other: Any) -> Self:  # type: ignore[override]
        self.update(other)
        return self

    def copy(self) -> Self:
        """Return a shallow copy of the same kind."""
        return type(self)(self)

    def __or__(self, other: Any) -> Any:
        merged = self.copy()
        merged.update(other)
        return merged

    def __repr__(self) -> str:
        if not self:
            return f"{type(self).__name__}()"
        from dynadock.show.layout import laid_out

        return laid_out(self, type(self).__name__)

    def _ipython_key_completions_(self) -> list[str]:
        return [*self]

    def __rich__(self) -> Any:
        from dynadock.show.tree import rich_tree

        return rich_tree(self, type(self).__name__)

    def _repr_mimebundle_(self, **_options: Any) -> dict[str, str]:
        from dynadock.show.tree import html_tree

        return {"text/plain": repr(self), "text/html": html_tree(self, type(self).__name__)}


DEEPEST = 100
"""Levels of objects and lists inside each other that are read of JSON.

Engines' replies have about ten. What is deeper than some hundreds can be neither copied nor pickled
by Python without a RecursionError, so that it is refused on its way in.
"""


class NestedTooDeeply(ValueError):
    """JSON has more than `DEEPEST` levels."""

    def __init__(self) -> None:
        super().__init__(f"it is nested deeper than {DEEPEST} levels")


LONGEST_SHALLOW = 2 * DEEPEST
"""Characters of a JSON value that cannot have more levels, as each has two brackets."""

DECODER = json.JSONDecoder(object_hook=Record)
"""Reads JSON, whose objects become Records; to make one takes as long as to read a short text."""

_LONGEST_COUNTED = 16 * 1024
"""Bytes of a whole reply whose levels are counted.

To count those of a long list takes an eighth of the time in which it is read. It is only refused if
Python itself cannot read it, which is at some 900 levels.
"""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_ONE_KIND_OF_BRACKET = bytes.maketrans(b"{}", b"[]")
_NO_MARKS = bytes(each for each in range(256) if each not in b'[]{}"')


def read_json(data: bytes) -> Any:
    """Return the value of a JSON text in UTF-8, its objects as Records.

    ValueError for what is not JSON, NestedTooDeeply for what is not read.
    """
    # Between programs JSON is UTF-8 (RFC 8259, section 8.1); json.loads would guess.
    text = data.removeprefix(_BYTE_ORDER_MARK).decode("utf-8", "surrogatepass")
    if len(data) <= _LONGEST_COUNTED:
        check_depth(data)
    try:
        return DECODER.decode(text)
    except RecursionError:
        raise NestedTooDeeply from None


def check_depth(data: bytes) -> None:
    """Raise NestedTooDeeply for JSON of more than `DEEPEST` levels.

    To count them one by one would take as long as to read the text. So all but brackets and quotes
    is dropped, then what is quoted, and then the innermost pairs of brackets as often as there may
    be levels: if there are pairs left, there are more.
    """
    if len(data) <= LONGEST_SHALLOW:
        return
    if b"\\" in data:
        data = data.replace(b"\\\\", b"").replace(b'\\"', b"")
    marks = data.translate(_ONE_KIND_OF_BRACKET, _NO_MARKS)
    if marks.count(b"[") <= DEEPEST:
        return
    if 2 * marks.count(b'""') == marks.count(b'"'):
        # No quote stands alone before a bracket: none of these is in a text.
        brackets = marks.translate(None, b'"')
    else:
        brackets = b"".join(marks.split(b'"')[::2])
    for _ in range(DEEPEST):
        outer = brackets.replace(b"[]", b"")
        if len(outer) == len(brackets):
            break
        brackets = outer
    # Those that have no partner, in what is not JSON, must not be too many either.
    if brackets.count(b"[") > DEEPEST or b"[]" in brackets:
        raise NestedTooDeeply


class Records(list[Any]):
    """The list that an operation returns; rich and notebooks show it as a table.

    ``operation_id`` names that operation, and decides which columns the table has.
    """

    __slots__ = ("operation_id",)

    def __init__(self, values: Iterable[Any] = (), operation_id: str = "") -> None:
        super().__init__(values)
        self.operation_id = operation_id

    def __repr__(self) -> str:
        from dynadock.show.layout import laid_out

        return laid_out(self)

    def __rich__(self) -> Any:
        from dynadock.show.table import rich_list

        return rich_list(self, self.operation_id)

    def _repr_mimebundle_(self, **_options: Any) -> dict[str, str]:
        from dynadock.show.table import html_list

        return {"text/plain": repr(self), "text/html": html_list(self, self.operation_id)}

    def __reduce__(self) -> tuple[Any, ...]:
        return (Records, ([*self], self.operation_id))


def plain(reply: Any) -> Any:
    """Return a reply as plain dicts and lists, all through: a copy that other libraries know.

    ``reply`` is a Record, a list, headers, or an item of a stream, of which those with names for
    their parts (`Frame`, `Line`, `Output`) become dicts too. Other values, bytes among them, stay
    what they are. However deep it goes; what stands in two places does so in the copy.
    """
    copies: dict[int, tuple[Any, Any]] = {}
    waiting: list[tuple[Any, Any]] = []

    def begun(value: Any) -> Any:
        if isinstance(value, str):
            return str(value)
        if not isinstance(value, (dict, list, tuple)):
            return value
        if id(value) not in copies:
            is_named = isinstance(value, dict) or hasattr(value, "_fields")
            # With the original, whose id is no other's as long as it is kept.
            copies[id(value)] = (value, {} if is_named else [])
            waiting.append(copies[id(value)])
        return copies[id(value)][1]

    copy = begun(reply)
    while waiting:
        value, made = waiting.pop()
        if isinstance(value, dict):
            made.update((key, begun(each)) for key, each in value.items())
        elif isinstance(made, dict):
            made.update(zip(value._fields, map(begun, value), strict=True))
        else:
            made.extend(map(begun, value))
    return copy


def _no_key(record: dict[str, Any], name: str) -> str:
    folded = name.replace("_", "").casefold()
    for key in record:
        if isinstance(key, str) and key.casefold() == folded:
            return f"there is no key {name!r}; did you mean {key!r}?"
    return f"there is no key {name!r}"
