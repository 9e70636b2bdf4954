"""A simulated engine at an address, for clients of any kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from dynadock.embedded.accepting import MOST_CONNECTIONS, Door
from dynadock.embedded.connections import Connection
from dynadock.embedded.incoming import MOST_AT_A_TIME, Patience, Room

if TYPE_CHECKING:
    from dynadock.simulation.engine import SimulatedEngine


class Server:
    """A simulated engine that is reached by sockets, until it is closed.

    ``address`` and ``allow_remote`` are as for a `Door`, whose exceptions this raises; ``url`` is
    where it is. ``patience`` is what peers have to say something; ``most_connections`` and
    ``most_bytes`` (of bodies) are served at a time.

    Each connection has a thread, and one more thread watches for new ones and for peers that hang
    up. `close` ends them all, streams too.
    """

    def __init__(
        self,
        engine: SimulatedEngine,
        address: str,
        *,
        allow_remote: bool = False,
        patience: Patience | None = None,
        most_connections: int = MOST_CONNECTIONS,
        most_bytes: int = MOST_AT_A_TIME,
    ) -> None:
        self._engine = engine
        patience = patience or Patience()
        room = Room(most_bytes)
        self._door = door = Door(address, allow_remote=allow_remote, most=most_connections)
        self.url = door.url
        door.open(lambda sock: Connection(engine, sock, door.watcher, patience, room))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let nobody in any more and end all connections; may be called again."""
        self._door.close(self._wake)

    def _wake(self) -> None:
        with self._engine.state.changed:
            self._engine.state.notify()
