"""What a client has beside operations, which people call as if it were one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable


def not_callable(name: str, what: str) -> Callable[..., NoReturn]:
    """Return the ``__call__`` of a client's attribute: TypeError says what it is."""

    def refuse(_self: object, /, *_args: Any, **_kwargs: Any) -> NoReturn:
        raise TypeError(f"client.{name} is not an operation but {what}, to be used without ()")

    return refuse
