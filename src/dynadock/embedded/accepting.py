"""Connections let in at an address: how many there are, a thread for each, and their end."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from socket import IPPROTO_TCP, TCP_NODELAY, socket
from typing import TYPE_CHECKING, Protocol

from dynadock.embedded.hangups import Watcher, after
from dynadock.embedded.listening import listen
from dynadock.simulation.answers import refusal
from dynadock.simulation.sending import beginning

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_CONNECTIONS = 512
"""Connections at a time; further ones are refused (503)."""

_UNAVAILABLE = 503
_PAUSE = 0.1
"""Seconds until a connection is accepted again after one could not be, for want of descriptors."""
_TO_END = 1.0
"""Seconds that connections have to end when the door is closed."""


class Served(Protocol):
    """What becomes of a connection that was accepted."""

    def run(self) -> None:
        """Serve it to its end, and close it; never raises."""

    def abandon(self) -> None:
        """Have `run` end soon; called by another thread."""


class Door:
    """Lets connections in at an address, each of which gets a thread, until it is closed.

    ``address`` is ``unix:///path``, for this user alone, or ``tcp://127.0.0.1:port``, for this
    machine; port 0 picks one. ``url`` is where it is then. EndpointError says what is wrong with an
    address; other machines are let in only with ``allow_remote``, and a warning. ``most`` are
    served at a time; its length is how many there are. ``watcher`` may be used for their sockets.
    """

    def __init__(
        self, address: str, *, allow_remote: bool = False, most: int = MOST_CONNECTIONS
    ) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._serving: dict[Served, threading.Thread] = {}
        self._is_closed = False
        self._serve: Callable[[socket], Served]
        self._listener = listen(address, allow_remote=allow_remote)
        self.url = self._listener.url
        self._listener.sock.setblocking(False)
        self.watcher = Watcher()

    def __len__(self) -> int:
        return len(self._serving)

    def open(self, serve: Callable[[socket], Served]) -> None:
        """Let in whoever comes; ``serve`` makes a connection of an accepted socket."""
        self._serve = serve
        self.watcher.watch(self._listener.sock, self._accept)

    def close(self, wake: Callable[[], None] = lambda: None) -> None:
        """Let nobody in any more and end all connections; may be called again.

        ``wake`` is called once they are abandoned, for those that wait for something else.
        """
        with self._lock:
            was_closed, self._is_closed = self._is_closed, True
        if was_closed:
            return
        self.watcher.forget(self._listener.sock)
        self._listener.close()
        with self._lock:
            serving = dict(self._serving)
        for connection in serving:
            connection.abandon()
        wake()
        end = time.monotonic() + _TO_END
        for thread in serving.values():
            thread.join(max(0.0, end - time.monotonic()))
        self.watcher.close()

    def _accept(self, _is_over: bool) -> None:
        try:
            sock, _ = self._listener.sock.accept()
        except BlockingIOError:
            return
        except OSError:
            self.watcher.put_off(self._listener.sock, after(_PAUSE))
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
        connection = self._serve(sock)
        thread = threading.Thread(
            target=self._run, args=(connection,), name="dynadock connection", daemon=True
        )
        self._serving[connection] = thread
        try:
            thread.start()
        except RuntimeError:
            # The system has no more threads.
            del self._serving[connection]
            sock.close()

    def _run(self, connection: Served) -> None:
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
