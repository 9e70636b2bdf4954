"""Everything that one engine knows, under one lock, and waiting for it to change."""

from __future__ import annotations

import time
from collections import deque
from threading import TIMEOUT_MAX, Lock, RLock, get_ident
from typing import TYPE_CHECKING, Any, TypeVar

from dynadock.simulation.interruptions import interrupts
from dynadock.simulation.programs.programs import Programs
from dynadock.simulation.state.containers import Containers
from dynadock.simulation.state.events import Events
from dynadock.simulation.state.execs import Execs
from dynadock.simulation.state.images import Images
from dynadock.simulation.state.mounts import Mounts
from dynadock.simulation.state.networks import Networks
from dynadock.simulation.state.ports import Ports
from dynadock.simulation.state.seeds import seed_busybox
from dynadock.simulation.state.volumes import Volumes

if TYPE_CHECKING:
    from collections.abc import Callable

    from dynadock.simulation.clock import Clock
    from dynadock.simulation.ids import Ids
    from dynadock.spec.versions import VersionRange

T = TypeVar("T")

_LONGEST_WORK = 0.005
"""Seconds that programs may compute before whoever asks gets an answer."""

_LONGEST_CATCHING_UP = 1.0
"""Seconds that they may compute at all the moments that have gone by since somebody asked."""

_NEXT_TURN = 0.0005
"""Seconds between two turns of programs that always have something to do."""


_WORKINGS = frozenset({"lock", "changed", "clock", "ids", "beside", "_bells", "_turns", "_busy"})
"""Attributes of a state that are not what an engine knows."""


class State:
    """One engine's memory.

    Whatever reads or changes it holds ``lock``. No thread makes time pass: `settle` does what has
    become due, and `wait_for` sleeps until something changes or becomes due. ``versions`` are those
    that the engine speaks, ``identity`` what it is called by those who see several.

    A signal handler may raise an exception between any two steps of Python. So the lock is one that
    ``with`` itself takes and gives back, which nothing can come between, and no condition: who
    waits holds nothing meanwhile.
    """

    def __init__(self, clock: Clock, ids: Ids, versions: VersionRange) -> None:
        self.lock = RLock()
        self.changed = self.lock
        self.beside: dict[int, Callable[[], None]] = {}
        self._bells: set[Any] = set()
        self.clock = clock
        self.ids = ids
        self.versions = versions
        self.identity = _grouped(ids.draw())
        self.began = clock.now()
        self._turns: deque[Callable[[], None]] = deque()
        self._busy: list[Callable[[], None]] = []
        self.events = Events(self)
        self.programs = Programs()
        self.images = Images(self)
        self.networks = Networks(self)
        self.ports = Ports()
        self.volumes = Volumes(self)
        self.mounts = Mounts(self)
        self.containers = Containers(self)
        self.execs = Execs(self)
        seed_busybox(self)

    def __deepcopy__(self, _memo: object) -> State:
        """Return itself: what is copied of it (see `stores`) belongs to the same engine."""
        return self

    def stores(self) -> dict[str, Any]:
        """Return everything that it knows, by name: what is not about how it works."""
        return {name: value for name, value in vars(self).items() if name not in _WORKINGS}

    def step_aside(self) -> None:
        """Let the engine not wait for the calling thread, if that is one of its own programs'.

        ``beside`` has the numbers of these threads, with what tells the engine so. Whoever is about
        to wait for the lock calls this first.
        """
        if self.beside and (tell := self.beside.get(get_ident())) is not None:
            tell()

    def soon(self, act: Callable[[], None]) -> None:
        """Have something done when the present work is finished, and before anything else."""
        self._turns.append(act)

    def next_time(self, act: Callable[[], None]) -> None:
        """Have something done when somebody asks again: it always has something to do."""
        self._busy.append(act)

    def settle(self) -> None:
        """Do everything that is due, and let every program that can go on have its turn.

        Programs that always have something to do have some turns at each moment, for no longer than
        `_LONGEST_WORK`, at all moments together no longer than `_LONGEST_CATCHING_UP`; they go on
        when somebody asks the next time.
        """
        clock, turns = self.clock, self._turns
        until = clock.present()
        end = last = 0.0
        doing: list[Callable[[], None]] = []
        try:
            while True:
                while turns:
                    # Held before it is taken away: see below.
                    doing.append(turns[0])
                    turns.popleft()
                    doing[-1]()
                    doing.pop()
                is_late = clock.is_due(until)
                if self._busy and (clock.is_past or not is_late):
                    now = time.monotonic()
                    last = last or now + _LONGEST_CATCHING_UP
                    end = end or min(now + _LONGEST_WORK, last)
                    if now < end:
                        turns += self._busy
                        self._busy.clear()
                        continue
                if not is_late:
                    return
                timer = clock.begin_next()
                end = 0.0
                doing.append(timer.act)
                timer.cancel()
                doing[-1]()
                doing.pop()
        except BaseException as error:
            if interrupts(error):
                # It is nothing of what is being done, which goes on later.
                turns.extendleft(doing)
            raise
        finally:
            clock.leave()

    def notify(self) -> None:
        """Wake everybody who waits for a change."""
        # A signal handler may raise between any two steps, and nobody may sleep on for that.
        for bell in tuple(self._bells):
            if bell.locked():
                bell.release()
        self._bells.clear()

    def wait_for(self, ready: Callable[[], T | None], seconds: float | None) -> T:
        """Return what ``ready`` gives once that is not None.

        It is asked under the lock, whenever something has changed. TimeoutError after ``seconds``
        of the computer's time; None waits for ever. Whoever waits must not hold the lock.
        """
        end = None if seconds is None else time.monotonic() + seconds
        self.step_aside()
        while True:
            with self.lock:
                # What is there is taken before time goes on: so no program runs far ahead of a
                # reader.
                came = ready()
                if came is not None:
                    return came
                self.settle()
                came = ready()
                if came is not None:
                    return came
                left = None if end is None else end - time.monotonic()
                if left is not None and left <= 0:
                    raise TimeoutError("the engine has not answered in the time allowed")
                wait = self._shorter(left)
                bell = Lock()
                bell.acquire()
                self._bells.add(bell)
            if not bell.acquire(timeout=-1 if wait is None else min(wait, TIMEOUT_MAX)):
                with self.lock:
                    self._bells.discard(bell)

    def _shorter(self, left: float | None) -> float | None:
        """Return how long to sleep: no longer than until something is due."""
        if self._turns or self._busy:
            return _NEXT_TURN if left is None else min(_NEXT_TURN, left)
        when = self.clock.next()
        due = None if when is None else self.clock.seconds_until(when)
        if due is None:
            return left
        return due if left is None else min(due, left)

    def advance(self, seconds: float) -> None:
        """Put the clock forward, doing what becomes due on the way at its own moment."""
        with self.changed:
            self.settle()
            self.clock.move(int(seconds * 1_000_000_000))
            self.settle()
            self.notify()


def _grouped(drawn: bytes) -> str:
    """Write bytes as a UUID is written."""
    text = drawn.hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:32]))
