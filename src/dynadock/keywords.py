"""Arguments that a function takes as ``*args`` and ``**keywords``, shown as if it named each."""

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
    """A function with ``**keywords`` that help, inspect and completion show one by one.

    ``keywords`` is called to get them when somebody looks. In all else it acts as the function: a
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


class SharesArguments(partial[Any]):
    """A method of something callable that takes the same arguments, and shows them as its own.

    A partial for the same reason as `ShowsKeywords`.
    """

    def __new__(cls, function: Callable[..., Any]) -> Self:
        """Wrap a function whose first argument is its object."""
        made = super().__new__(cls, function)
        update_wrapper(made, function)
        return made

    def __get__(self, instance: object, _owner: object = None) -> Any:
        """Give a method; by this pydoc takes it for one."""
        if instance is None:
            return self
        method = partial.__new__(_Sharing, self.func)
        # Not wrapped once more, which takes as long as to prepare a request.
        vars(method).update(vars(self), owner=instance)
        return MethodType(method, instance)


class _Sharing(SharesArguments):
    """Such a method of one object, its ``owner``, so that it knows whose arguments it shows."""

    owner: Any

    @property
    def __signature__(self) -> Signature:
        from inspect import signature

        own = signature(self.func)
        first, *_ = own.parameters.values()
        shown = signature(self.owner).parameters.values()
        return own.replace(parameters=[first, *shown])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Sharing) and self.func is other.func

    def __hash__(self) -> int:
        return hash(self.func)
