"""What a forked child inherits: connections of its parent's, to be neither used nor ended by it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Protocol
from weakref import WeakSet

if TYPE_CHECKING:
    import socket


class Inherited(Protocol):
    """Something that a child of fork has no right to."""

    def let_go(self) -> None:
        """Let go of what is the parent's; called in the child, where no other thread runs.

        No lock may be taken: a thread that there is no more may have held it at the fork.
        """


_INHERITED: WeakSet[Inherited] = WeakSet()


def note(thing: Inherited) -> None:
    """Have a child of this process let go of ``thing``, for as long as it is there."""
    _INHERITED.add(thing)


def drop_socket(connection: socket.socket) -> None:
    """Close this process's copy of a socket: the parent's stays connected, and nobody is told.

    A socket's own ``close`` may do more: shut down, or end the program behind it.
    """
    descriptor = connection.detach()
    if descriptor >= 0:
        os.close(descriptor)


def _let_go_of_all() -> None:
    for thing in [*_INHERITED]:
        thing.let_go()


# Windows has no fork.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_go_of_all)
