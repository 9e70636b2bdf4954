"""Keywords that a function takes as ``**keywords``, shown as if it named each of them."""

from __future__ import annotations

from functools import cached_property, update_wrapper
from types import MethodType
from typing import TYPE_CHECKING, Any

from dynadock.secret import hidden

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
        args, kwargs = hidden(args, kwargs)
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
