"""The one thread that looks at exchanges, while nobody waits for that."""

from __future__ import annotations

import logging
from threading import Event, Thread
from time import sleep
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dynadock.compat.notebook import Notebook
    from dynadock.compat.tapes import Queue

_log = logging.getLogger("dynadock.watch")

_ROUND = 0.02
"""Seconds between two rounds: what passes in that time is looked at in one go."""

_AT_A_TIME = 0.02
"""Seconds in which exchanges are held against their documents before the next round."""

_PATIENCE = 60.0
"""Seconds to catch up with everything that passed."""


class Reader:
    """Takes exchanges off the queue, and notes them.

    Between two of them it steps aside for whoever passes bytes on. They are held against their
    documents only while nothing passes, or when too many wait for it.
    """

    def __init__(self, queue: Queue, notebook: Notebook) -> None:
        self._queue = queue
        self._notebook = notebook
        self._is_closing = False
        self._waiters: list[Event] = []
        self._thread = Thread(target=self._run, name="dynadock reading", daemon=True)
        self._thread.start()

    def catch_up(self) -> None:
        """Wait until all that has passed is looked at."""
        done = Event()
        self._waiters.append(done)
        self._queue.wake.set()
        if self._thread.is_alive():
            done.wait(_PATIENCE)

    def close(self) -> None:
        """Look at the rest, and end."""
        self._is_closing = True
        self._queue.wake.set()
        self._thread.join()

    def _run(self) -> None:
        judge = self._notebook.judge
        while True:
            waiters, self._waiters = self._waiters, []
            is_closing = self._is_closing
            has_noted = self._note_all()
            if waiters or is_closing:
                while judge.has_work:
                    judge.work(_AT_A_TIME)
                for each in waiters:
                    each.set()
            elif not has_noted or judge.is_behind:
                judge.work(_AT_A_TIME)
            if is_closing:
                return
            self._pause(is_idle=not (has_noted or judge.has_work))

    def _pause(self, *, is_idle: bool) -> None:
        if self._waiters or self._is_closing:
            return
        if is_idle:
            self._queue.wake.wait()
            self._queue.wake.clear()
        if not (self._waiters or self._is_closing):
            sleep(_ROUND)

    def _note_all(self) -> bool:
        # Those that are there now: a busy client must not keep others waiting.
        count = len(self._queue)
        for _ in range(count):
            found = self._queue.take()
            try:
                if isinstance(found, str):
                    self._notebook.note_noise(found)
                else:
                    self._notebook.note(found)
            except Exception:  # noqa: BLE001 - one exchange must not end the reading of others
                _log.exception("an exchange could not be noted")
            sleep(0)
        return count > 0
