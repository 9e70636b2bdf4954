"""What passes over a connection, read beside passing it on: where messages begin and end, no more.

That takes microseconds and bounded memory. Everything else about an exchange is done later, by the
thread that takes it off the queue.
"""

from __future__ import annotations

import logging
from collections import deque
from threading import Event, Lock
from typing import TYPE_CHECKING

from dynadock.compat.exchanges import Passed, Reading

if TYPE_CHECKING:
    from collections.abc import Callable

    from dynadock.compat.exchanges import Keeping

MOST_WAITING = 10_000
"""Exchanges that wait for being looked at; further ones are only counted."""

_log = logging.getLogger("dynadock.watch")


class Queue:
    """Exchanges that wait, and why connections were no HTTP; ``wake`` is set when there is one."""

    def __init__(self) -> None:
        self.wake = Event()
        self.left_out = 0
        self._waiting: deque[Passed | str] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, found: Passed | str) -> None:
        """Add one, if there is room."""
        if len(self._waiting) < MOST_WAITING:
            self._waiting.append(found)
        else:
            self.left_out += 1
            if isinstance(found, Passed):
                found.drop()
        if not self.wake.is_set():
            self.wake.set()

    def take(self) -> Passed | str:
        """Return the first one."""
        return self._waiting.popleft()


class Tape:
    """Stands `Between` a client and an engine: passes everything on, and reads it.

    Behind a head that hands the connection over nothing more is sent before the client has taken
    that: some read it with a buffer, and lose what came with it. Engines leave a gap there, which
    passing on must not close. ``wait_for_client`` waits.
    """

    def __init__(
        self, queue: Queue, number: int, keeping: Keeping, wait_for_client: Callable[[], None]
    ) -> None:
        self._wait_for_client = wait_for_client
        self._reading: Reading | None = Reading(number, keeping, queue.put, queue.put)
        # Of both directions; the order of what is read is that in which it is passed on.
        self._lock = Lock()
        # What counts bytes that nobody looks at, without the lock and as fast as can be: a large
        # body takes a fifth of the time like this. Each counter is one thread's.
        self._skim_received: Callable[[bytes], int] | None = None
        self._skim_sent: Callable[[bytes], int] | None = None
        self._received = 0
        self._sent = 0
        self._noted = {True: 0, False: 0}

    def sent(self, data: bytes, to_engine: Callable[[bytes], None]) -> None:
        """Pass on what the client sent."""
        skim = self._skim_sent
        if skim is None or (size := skim(data)) < 0:
            self.put(True, data)
        else:
            self._sent += size
        to_engine(data)

    def received(self, data: bytes, to_client: Callable[[bytes], None]) -> None:
        """Pass on what the engine sent."""
        skim = self._skim_received
        if skim is not None and (size := skim(data)) >= 0:
            self._received += size
            to_client(data)
            return
        behind = self.put(False, data)
        if behind is None:
            to_client(data)
            return
        end = len(data) - behind
        to_client(data[:end])
        self._wait_for_client()
        if behind:
            to_client(data[end:])

    def put(self, is_sent: bool, data: bytes) -> int | None:
        """Read bytes that are about to be passed on, none at a direction's end; never raises.

        Where the head of a reply ends in them that hands the connection over, return how many are
        behind it, else None.
        """
        with self._lock:
            reading = self._reading
            if reading is None:
                return None
            try:
                self._read(reading, is_sent, data)
            except Exception:  # noqa: BLE001 - what reads must not disturb what passes
                self._give_up()
                _log.exception("a connection could not be read")
                return None
            return reading.handed_over

    def _read(self, reading: Reading, is_sent: bool, data: bytes) -> None:
        for direction, total in ((True, self._sent), (False, self._received)):
            reading.skimmed(direction, total - self._noted[direction])
            self._noted[direction] = total
        reading.feed(is_sent, data)
        if reading.is_over:
            self._give_up()
        else:
            # What comes in one direction may end a message in the other.
            self._skim_sent, self._skim_received = reading.skim(True), reading.skim(False)

    def _give_up(self) -> None:
        self._reading = self._skim_sent = self._skim_received = None

    def end_of_sent(self, close: Callable[[], None]) -> None:
        """Pass on that the client sends no more."""
        self.put(True, b"")
        close()

    def end_of_received(self, close: Callable[[], None]) -> None:
        """Pass on that the engine sends no more."""
        self.put(False, b"")
        close()
