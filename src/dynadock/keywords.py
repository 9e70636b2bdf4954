"""Arguments that a function takes as ``*args`` and ``**keywords``, shown as if it named each."""

from __future__ import annotations

from functools import cached_property, update_wrapper
from types import MethodType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from inspect import Signature

    Keyword = tuple[str, str, Any]
    """A keyword as it is shown: its name, its type in words, its default."""


class ShowsKeywords:
    """A function with ``**keywords`` that shows which there are to help, inspect and completion.

    ``keywords`` is called for them when somebody looks. It does all else as the function does.
    """

    def __init__(
        self, function: Callable[..., Any], keywords: Callable[[], Iterable[Keyword]]
    ) -> None:
        update_wrapper(self, function)
        self._function = function
        self._keywords = keywords

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        """Call the function."""
        return self._function(*args, **kwargs)

    def __get__(self, instance: object, _owner: object = None) -> Any:
        """Give a method, as a function does; by this pydoc takes it for one."""
        return self if instance is None else MethodType(self, instance)

    @cached_property
    def __signature__(self) -> Signature:
        from inspect import Parameter, signature

        own = signature(self._function)
        *named, _rest = own.parameters.values()
        shown = [
            Parameter(name, Parameter.KEYWORD_ONLY, annotation=annotation, default=default)
            for name, annotation, default in self._keywords()
        ]
        return own.replace(parameters=[*named, *shown])

    def __reduce__(self) -> str:
        """Pickle as a function is pickled: by its name."""
        return self._function.__qualname__


class SharesArguments:
    """A method of something callable that takes the same arguments, and shows them as its own."""

    def __init__(self, function: Callable[..., Any]) -> None:
        update_wrapper(self, function)
        self._function = function

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        """Call the function, whose first argument is its object."""
        return self._function(*args, **kwargs)

    def __get__(self, instance: object, _owner: object = None) -> Any:
        """Give a method; by this pydoc takes it for one."""
        return (
            self if instance is None else MethodType(_Sharing(self._function, instance), instance)
        )


class _Sharing(SharesArguments):
    """Such a method of one object, so that it knows whose arguments it shows."""

    def __init__(self, function: Callable[..., Any], owner: Any) -> None:
        super().__init__(function)
        self._owner = owner

    @property
    def __signature__(self) -> Signature:
        from inspect import signature

        own = signature(self._function)
        first, *_ = own.parameters.values()
        shown = signature(self._owner).parameters.values()
        return own.replace(parameters=[first, *shown])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Sharing) and self._function is other._function

    def __hash__(self) -> int:
        return hash(self._function)
