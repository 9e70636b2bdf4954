"""Keywords that a function takes as ``**keywords``, shown as if it named each of them."""

from __future__ import annotations

from functools import cached_property, partial, update_wrapper
from types import MethodType
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from inspect import Signature

    Keyword = tuple[str, str, Any]
    """A keyword as it is shown: its name, its type in words, its default."""


class ShowsKeywords(partial[Any]):
    """A function with ``**keywords`` that shows which there are to help, inspect and completion.

    ``keywords`` is called for them when somebody looks. It does all else as the function does: a
    partial without arguments of its own, so that a call adds no lines to a traceback, where the
    arguments would be shown once more.
    """

    _keywords: Callable[[], Iterable[Keyword]]

    def __new__(
        cls, function: Callable[..., Any], keywords: Callable[[], Iterable[Keyword]]
    ) -> Self:
        """Wrap a function."""
        made = super().__new__(cls, function)
        made._keywords = keywords
        update_wrapper(made, function)
        return made

    def __get__(self, instance: object, _owner: object = None) -> Any:
        """Give a method, as a function does; by this pydoc takes it for one."""
        return self if instance is None else MethodType(self, instance)

    @cached_property
    def __signature__(self) -> Signature:
        from inspect import Parameter, signature

        own = signature(self.func)
        *named, _rest = own.parameters.values()
        shown = [
            Parameter(name, Parameter.KEYWORD_ONLY, annotation=annotation, default=default)
            for name, annotation, default in self._keywords()
        ]
        return own.replace(parameters=[*named, *shown])

    def __reduce__(self) -> str:
        """Pickle as a function is pickled: by its name."""
        return self.func.__qualname__
