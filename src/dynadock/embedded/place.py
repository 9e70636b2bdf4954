"""A socket of its own for an embedded engine, at which it may be, or not be, for others."""

from __future__ import annotations

from tempfile import TemporaryDirectory
from threading import Thread
from typing import TYPE_CHECKING

from dynadock.embedded.server import Server

if TYPE_CHECKING:
    from dynadock.simulation.engine import SimulatedEngine


class SocketPlace:
    """A path in a folder that only this user can enter; ``url`` is its address."""

    def __init__(self, engine: SimulatedEngine) -> None:
        self._engine = engine
        self._folder = TemporaryDirectory(prefix="dynadock-")
        self.url = f"unix://{self._folder.name}/engine.sock"
        self._server: Server | None = None
        self._leaving: Thread | None = None

    def open(self) -> None:
        """Serve the engine there, if it is not served."""
        self._finish_leaving()
        if self._server is None:
            self._server = Server(self._engine, self.url)

    def close(self) -> None:
        """Serve it no more, and end all connections."""
        self._finish_leaving()
        if self._server is not None:
            self._server.close()
            self._server = None

    def leave(self) -> None:
        """Close soon: whoever calls this serves a connection itself."""
        if self._server is not None and self._leaving is None:
            self._leaving = Thread(target=self._server.close, name="dynadock leaving", daemon=True)
            self._leaving.start()

    def _finish_leaving(self) -> None:
        leaving, self._leaving = self._leaving, None
        if leaving is not None:
            leaving.join()
            self._server = None

    def remove(self) -> None:
        """Close, and remove the path."""
        self.close()
        self._folder.cleanup()
