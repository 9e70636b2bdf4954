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


DECODER = json.JSONDecoder(object_hook=Record)
"""Reads JSON, whose objects become Records; to make one takes as long as to read a short text."""


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


def _no_key(record: dict[str, Any], name: str) -> str:
    folded = name.replace("_", "").casefold()
    for key in record:
        if isinstance(key, str) and key.casefold() == folded:
            return f"there is no key {name!r}; did you mean {key!r}?"
    return f"there is no key {name!r}"
