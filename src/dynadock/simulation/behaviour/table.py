"""One table: operationId to behaviour. A function registers itself under its own name."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from dynadock.simulation.asked import Asked
    from dynadock.simulation.state.state import State
    from dynadock.spec.model import Operation

    Behaviour = Callable[[State, Asked], Any]

Function = TypeVar("Function", bound=Callable[..., Any])

_MODULES = {
    "Container": ("archives", "containers", "output", "processes", "pruning", "stats", "updating"),
    "Exec": ("execs",),
    "Image": ("images",),
    "Network": ("networks",),
    "Volume": ("volumes",),
    "System": ("events", "system", "usage"),
    "Plugin": ("plugins",),
}
"""The modules of behaviours by their operations' tag, loaded when one of them is asked for."""

_TABLE: dict[str, Callable[..., Any]] = {}


def behaviour(function: Function) -> Function:
    """Let a function be what the operation of its name does."""
    _TABLE[function.__name__] = function
    return function


def behaviour_of(operation: Operation) -> Behaviour | None:
    """Return what an operation does, None if that is not simulated.

    Its behaviour may have the name that newer documents give it.
    """
    found = _TABLE.get(operation.operation_id)
    if found is None and operation.tag in _MODULES:
        _load(operation.tag)
        found = next((_TABLE[name] for name in names_of(operation) if name in _TABLE), None)
    return found


def names_of(operation: Operation) -> list[str]:
    """Return the operationId, and what newer documents call the operation."""
    others = operation.spec.names.items()
    own = operation.operation_id
    return [own, *(name for name, operation_id in others if operation_id == own)]


def _load(tag: str) -> None:
    for name in _MODULES[tag]:
        import_module(f"dynadock.simulation.behaviour.{name}")


def simulated() -> dict[str, str]:
    """Return every operation that has a behaviour, with the first line of what is said of it."""
    for tag in _MODULES:
        _load(tag)
    return {name: (each.__doc__ or "").partition("\n")[0] for name, each in sorted(_TABLE.items())}
