"""Kept connections to one engine: how many may be in use, whose turn it is, which is taken.

Nothing here takes a lock. An exception out of a signal handler may come between any two steps, and
neither ``with lock`` nor ``try``/``finally`` survives that: a place is lost, or the lock stays held
and every later call waits for ever. A handler may also call the client itself, in the midst of what
the interrupted call was doing here. So

- every step is one operation of a dict or a deque, which the interpreter does not interrupt;
- places in use are those whose calls are alive: a call that ended, in whatever way, has dropped its
  `Place`, and a call that would have to wait counts the places again first;
- a link belongs to one owner at a time, a call or the deque of kept ones.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import time
import weakref
from collections import deque
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from dynadock.deadline import Deadline
from dynadock.options import CONNECTIONS
from dynadock.transport import forks
from dynadock.transport.faults import exhausted

if TYPE_CHECKING:
    from dynadock.transport.endpoint import Endpoint
    from dynadock.transport.links.link import Link

LOG = logging.getLogger("dynadock.transport")

KEPT_SECONDS = 90.0
"""How long a connection is kept that no call takes; looked at whenever a call is made."""

_RECOUNT = 0.25
"""Seconds after which a waiting call counts again, in case nobody was left to wake it."""

Kept = deque[tuple["Link", float]]
"""Kept-alive links, each with the time since when it is idle; the latest is last."""


class Place:
    """One call's place in the queue for the connections of a pool."""

    __slots__ = ("__weakref__", "_kept", "_pool", "bell", "number")

    def __init__(self, pool: Pool, number: int, kept: Kept) -> None:
        self._pool = pool
        self._kept = kept
        self.number = number
        self.bell: SimpleQueue[None] | None = None
        """What wakes the call, once it waits."""

    def keep(self, link: Link) -> None:
        """Keep a link for a later call; it is closed if the pool was closed meanwhile."""
        self._pool.keep(link, self._kept)

    def leave(self) -> None:
        """Let the next call have the place; may be called again."""
        self._pool.leave(self.number)


class Pool:
    """The kept connections to one endpoint, shared by every client made from the same one.

    ``count`` bounds how many calls are under way at a time: others wait, first come first served.
    Of kept connections the last one is taken first, so that those which are not needed grow old.
    """

    def __init__(self, endpoint: Endpoint, count: int = CONNECTIONS) -> None:
        self.endpoint = endpoint
        self.count = count
        self._numbers = itertools.count()
        # Calls in the order of their coming: the first ``count`` of them have a connection.
        self._places: dict[int, weakref.ref[Place]] = {}
        # In a list, so that what closes them when the pool is gone knows the latest.
        self._held: list[Kept] = [deque()]
        weakref.finalize(self, _close_held, self._held)
        forks.note(self)

    @property
    def _kept(self) -> Kept:
        return self._held[0]

    def let_go(self) -> None:
        """Forget the parent's connections, and the places of its calls."""
        self._places = {}
        self._held[0] = deque()

    def enter(self, seconds: float) -> Place:
        """Take a place, waiting for one up to ``seconds``; TimedOut where none comes free."""
        place = Place(self, next(self._numbers), self._kept)
        self._places[place.number] = weakref.ref(place)
        if len(self._places) > self.count:
            self._wait(place, seconds)
        return place

    def _wait(self, place: Place, seconds: float) -> None:
        self._recount()
        if self._has_turn(place):
            return
        LOG.info("%s: all %d connections are in use, a call waits", self.endpoint, self.count)
        deadline = Deadline(seconds)
        bell: SimpleQueue[None] = SimpleQueue()
        place.bell = bell
        while not self._has_turn(place):
            if deadline.is_over():
                place.leave()
                raise exhausted(self.endpoint, self.count, seconds)
            try:
                bell.get(timeout=deadline.left(_RECOUNT))
            except Empty:
                self._recount()
        place.bell = None

    def _has_turn(self, place: Place) -> bool:
        return place.number in self._first()

    def _first(self) -> list[int]:
        # A copy, made in one step: an iterator fails if another thread enters or leaves meanwhile.
        return list(self._places)[: self.count]

    def _recount(self) -> None:
        """Free the places of calls that ended without leaving."""
        for number in list(self._places):
            reference = self._places.get(number)
            if reference is not None and reference() is None:
                self.leave(number)

    def leave(self, number: int) -> None:
        """Give up a place, and wake who has it next."""
        if self._places.pop(number, None) is not None and len(self._places) >= self.count:
            self._wake_the_first()

    def _wake_the_first(self) -> None:
        for number in self._first():
            reference = self._places.get(number)
            place = None if reference is None else reference()
            if place is not None and place.bell is not None:
                place.bell.put(None)

    def take(self) -> Link | None:
        """Return a kept link on which nothing has come since, None if there is none."""
        kept = self._kept
        while kept:
            try:
                link, since = kept.pop()
            except IndexError:
                # Another thread took the last one meanwhile.
                break
            if time.monotonic() - since < KEPT_SECONDS and link.is_idle():
                if kept:
                    self._close_old_ones(kept)
                return link
            link.close()
        return None

    def _close_old_ones(self, kept: Kept) -> None:
        with contextlib.suppress(IndexError):
            while time.monotonic() - kept[0][1] >= KEPT_SECONDS:
                kept.popleft()[0].close()

    def keep(self, link: Link, kept: Kept) -> None:
        """Keep a link among ``kept``, unless these are closed already."""
        kept.append((link, time.monotonic()))
        if kept is not self._kept:
            _close_all(kept)

    def close(self) -> None:
        """Close idle connections, and those in use when their calls are done.

        A later request opens new ones.
        """
        kept, self._held[0] = self._held[0], deque()
        _close_all(kept)


def _close_held(held: list[Kept]) -> None:
    _close_all(held[0])


def _close_all(kept: Kept) -> None:
    with contextlib.suppress(IndexError):
        while True:
            kept.pop()[0].close()
