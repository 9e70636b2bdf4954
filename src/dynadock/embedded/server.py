"""A simulated engine at an address, for clients of any kind: the only place that listens."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from socket import IPPROTO_TCP, TCP_NODELAY, socket
from typing import TYPE_CHECKING, Self

from dynadock.embedded.connections import Connection
from dynadock.embedded.hangups import Watcher, after
from dynadock.embedded.incoming import MOST_AT_A_TIME, Patience, Room
from dynadock.embedded.listening import listen
from dynadock.simulation.answers import refusal
from dynadock.simulation.sending import beginning

if TYPE_CHECKING:
    from dynadock.simulation.engine import SimulatedEngine

MOST_CONNECTIONS = 512
"""Connections at a time, each of which has a thread; further ones are refused (503)."""

_UNAVAILABLE = 503
_PAUSE = 0.1
"""Seconds until a connection is accepted again after one could not be, for want of descriptors."""
_TO_END = 1.0
"""Seconds that connections have to end when the server is closed."""


class Server:
    """A simulated engine that is reached by sockets, until it is closed.

    ``address`` is ``unix:///path``, for this user alone, or ``tcp://127.0.0.1:port``, for this
    machine; port 0 picks one. ``url`` is where it is then. EndpointError says what is wrong with an
    address; other machines are let in only with ``allow_remote``, and a warning.

    ``patience`` is what peers have to say something; ``most_connections`` and ``most_bytes`` (of
    bodies) are served at a time.

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
        self._patience = patience or Patience()
        self._most = most_connections
        self._room = Room(most_bytes)
        self._lock = threading.Lock()
        self._serving: dict[Connection, threading.Thread] = {}
        self._is_closed = False
        self._listener = listen(address, allow_remote=allow_remote)
        self.url = self._listener.url
        self._listener.sock.setblocking(False)
        self._watcher = Watcher()
        self._watcher.watch(self._listener.sock, self._accept)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let nobody in any more and end all connections; may be called again."""
        with self._lock:
            was_closed, self._is_closed = self._is_closed, True
        if was_closed:
            return
        self._watcher.forget(self._listener.sock)
        self._listener.close()
        with self._lock:
            serving = dict(self._serving)
        for connection in serving:
            connection.abandon()
        with self._engine.state.changed:
            self._engine.state.notify()
        end = time.monotonic() + _TO_END
        for thread in serving.values():
            thread.join(max(0.0, end - time.monotonic()))
        self._watcher.close()

    def _accept(self, _is_over: bool) -> None:
        try:
            sock, _ = self._listener.sock.accept()
        except BlockingIOError:
            return
        except OSError:
            self._watcher.put_off(self._listener.sock, after(_PAUSE))
            return
        with self._lock:
            has_room = len(self._serving) < self._most and not self._is_closed
            if has_room:
                self._begin(sock)
        if not has_room:
            self._turn_away(sock)

    def _begin(self, sock: socket) -> None:
        with suppress(OSError):
            # It may be gone already, which whoever reads from it finds out.
            sock.setblocking(True)
            if self._listener.is_tcp:
                sock.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
        connection = Connection(self._engine, sock, self._watcher, self._patience, self._room)
        thread = threading.Thread(
            target=self._serve, args=(connection,), name="dynadock connection", daemon=True
        )
        self._serving[connection] = thread
        try:
            thread.start()
        except RuntimeError:
            # The system has no more threads.
            del self._serving[connection]
            sock.close()

    def _serve(self, connection: Connection) -> None:
        try:
            connection.run()
        finally:
            with self._lock:
                self._serving.pop(connection, None)

    def _turn_away(self, sock: socket) -> None:
        answer = refusal(_UNAVAILABLE, f"there are {self._most} connections already")
        with sock, suppress(OSError):
            sock.setblocking(False)
            sock.sendall(beginning(answer, "", {"Connection": "close"}, can_chunk=False))
