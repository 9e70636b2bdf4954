"""What a forked child inherits: its parent's connections, which it may neither use nor end."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Protocol
from weakref import WeakSet

if TYPE_CHECKING:
    import socket


class Inherited(Protocol):
    """Something that belongs to the parent process alone after a fork."""

    def let_go(self) -> None:
        """Forget what is the parent's; called in the child, where no other thread runs.

        It must take no lock: a thread that the child does not have may have held it at the fork.
        """


_INHERITED: WeakSet[Inherited] = WeakSet()


def note(thing: Inherited) -> None:
    """Have ``thing.let_go`` called in each forked child, as long as the thing exists."""
    _INHERITED.add(thing)


def drop_socket(connection: socket.socket) -> None:
    """Close this process's copy of a socket; the parent's stays connected, the peer sees nothing.

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
