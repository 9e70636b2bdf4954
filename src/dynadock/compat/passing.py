"""Bytes of one connection passed on to another, both ways, and each end of a direction as one."""

from __future__ import annotations

from contextlib import suppress
from threading import Thread
from typing import TYPE_CHECKING, Protocol

from dynadock.embedded.hangups import has_hung_up

if TYPE_CHECKING:
    from collections.abc import Callable

    from dynadock.embedded.hangups import Watcher
    from dynadock.transport.links.link import Link


class Between(Protocol):
    """What stands in the way of the bytes. Each method is called by one thread at a time."""

    def sent(self, data: bytes, to_engine: Callable[[bytes], None]) -> None:
        """Pass on what the client sent."""

    def received(self, data: bytes, to_client: Callable[[bytes], None]) -> None:
        """Pass on what the engine sent."""

    def end_of_sent(self, close: Callable[[], None]) -> None:
        """Pass on that the client sends no more."""

    def end_of_received(self, close: Callable[[], None]) -> None:
        """Pass on that the engine sends no more."""


class Passage:
    """A client's connection and the engine's, with what passes between them.

    `run` passes everything on until both directions have ended, and closes both connections;
    `abandon` makes an end from outside. A peer that hangs up altogether ends both, as far as that
    can be told: if it only sends no more, the other direction goes on.
    """

    def __init__(self, client: Link, engine: Link, between: Between, watcher: Watcher) -> None:
        self._client = client
        self._engine = engine
        self._between = between
        self._watcher = watcher

    def run(self) -> None:
        """Pass on; never raises for what peers do."""
        back = Thread(target=self._pass_back, name="dynadock passing", daemon=True)
        try:
            back.start()
        except RuntimeError:
            # The system has no more threads.
            self.abandon()
            return
        try:
            self._pass_there()
        finally:
            back.join()
            self.abandon()

    def abandon(self) -> None:
        """Close both connections; may be called again."""
        self._watcher.close_all(self._engine, self._client)

    def _pass_there(self) -> None:
        # A peer that is gone ends one direction; what it sent before may be on its way.
        with suppress(OSError):
            receive, sent, send = self._client.receive, self._between.sent, self._engine.send
            while data := receive():
                sent(data, send)
        self._between.end_of_sent(lambda: self._end(self._client, self._engine))

    def _pass_back(self) -> None:
        with suppress(OSError):
            receive, came, send = self._engine.receive, self._between.received, self._client.send
            while data := receive():
                came(data, send)
        self._between.end_of_received(lambda: self._end(self._engine, self._client))

    def _end(self, source: Link, target: Link) -> None:
        """Pass on that nothing more comes; the peer may hang up altogether now or later."""
        if has_hung_up(source):
            self.abandon()
            return
        # OSError too where it is closed already.
        with suppress(OSError):
            target.close_sending()
        self._watcher.watch(source, self._note)
        self._watcher.only_hang_up(source)

    def _note(self, is_over: bool) -> None:
        if is_over:
            self.abandon()
