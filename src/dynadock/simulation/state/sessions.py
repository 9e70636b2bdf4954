"""Sessions: who is attached to a process, takes its output and may give it input."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from dynadock.simulation.framing import frame
from dynadock.simulation.programs.process import MOST_INPUT
from dynadock.simulation.state.detaching import KeyWatch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from dynadock.simulation.state.logs import Entry
    from dynadock.simulation.state.runs import Run

MOST_OUTPUT = 1024 * 1024
"""Bytes that wait for a slow reader; a program that writes more has to wait as well."""

_BLOCK = 64 * 1024


class Session:
    """One attachment to a process.

    ``channels`` are those whose output is wanted. Output is in frames unless ``is_raw``, and begins
    with ``backlog``, entries of a log. With ``wants_input`` the caller's input goes to the process,
    and with ``ends_input`` its end does as well; without that it ends the session, as on engines.
    ``keys`` are those that leave a terminal: `on_detach` is called when they are pressed.
    """

    def __init__(
        self,
        channels: frozenset[int],
        *,
        is_raw: bool,
        changed: Callable[[], None],
        wants_input: bool = False,
        ends_input: bool = True,
        keys: bytes = b"",
        backlog: Iterable[Entry] = (),
    ) -> None:
        self.channels = channels
        self.is_raw = is_raw
        self.wants_input = wants_input
        self.ends_input = ends_input
        self.is_gone = False
        self.on_leave: Callable[[Session], None] = _nothing
        self.on_detach: Callable[[Session], None] = Session.finish
        self._changed = changed
        self._backlog: Iterator[Entry] | None = iter(backlog)
        self._blocks: deque[bytes] = deque()
        self._size = 0
        self._is_over = False
        self._run: Run | None = None
        self._early = bytearray()
        self._is_half_closed = False
        self._keys = KeyWatch(keys)

    def join(self, run: Run) -> None:
        """Give the process what was typed before it began, and all that follows."""
        self._run = run
        early, self._early = bytes(self._early), bytearray()
        if early:
            run.type_in(early)
        if self._is_half_closed:
            self._pass_on_end(run)

    # What the process does

    def output(self, channel: int, data: bytes) -> None:
        """Keep output for the caller to take."""
        if channel in self.channels:
            self.say(channel, data)

    def say(self, channel: int, data: bytes) -> None:
        """Keep what the caller is told in any case."""
        if not (self.is_gone or self._is_over):
            block = self._written(channel, data)
            self._blocks.append(block)
            self._size += len(block)

    def _written(self, channel: int, data: bytes) -> bytes:
        return data if self.is_raw else frame(channel, data)

    def finish(self) -> None:
        """Let nothing more come."""
        self._is_over = True
        self._run = None
        self._changed()

    @property
    def is_full(self) -> bool:
        """Whether the caller has to take something first."""
        return self._size >= MOST_OUTPUT

    # What the caller does

    def take(self) -> bytes | None:
        """Return output, none at the end, None if nothing is there yet."""
        backlog = self._from_backlog()
        if backlog:
            return backlog
        if not self._blocks:
            return b"" if self._is_over else None
        taken: list[bytes] = []
        size = 0
        while self._blocks and size < _BLOCK:
            taken.append(self._blocks.popleft())
            size += len(taken[-1])
        was_full = self.is_full
        self._size -= size
        if was_full and not self.is_full:
            self._wake()
        return taken[0] if len(taken) == 1 else b"".join(taken)

    def _from_backlog(self) -> bytes:
        taken: list[bytes] = []
        size = 0
        for entry in self._backlog or ():
            if entry.channel in self.channels:
                taken.append(self._written(entry.channel, entry.data))
                size += len(taken[-1])
                if size >= _BLOCK:
                    break
        else:
            self._backlog = None
        return b"".join(taken)

    @property
    def takes_input(self) -> bool:
        """Whether input may be given now, without more waiting than is allowed."""
        if self._is_over or not self.wants_input:
            return True
        if self._run is None:
            return len(self._early) < MOST_INPUT
        return not self._run.process.stdin.is_full

    def feed(self, data: bytes) -> None:
        """Give input; what nobody wants is lost, as on engines."""
        if not self.wants_input or self._is_over or self._is_half_closed:
            return
        data = self._keys.passed(data)
        if self._run is None:
            self._early += data
        elif data:
            self._run.type_in(data)
        if self._keys.is_pressed:
            self._wake()
            self.on_leave(self)
            self.on_detach(self)

    def end(self) -> None:
        """Half-close: no more input comes."""
        if self.wants_input and not (self._is_half_closed or self._is_over):
            self._is_half_closed = True
            if self._run is not None:
                self._pass_on_end(self._run)

    def _pass_on_end(self, run: Run) -> None:
        if self.ends_input:
            run.end_input()
        else:
            # Engines close all ways of whoever's input ends while the process's goes on (26.1).
            self.on_leave(self)
            self.finish()

    def _wake(self) -> None:
        if self._run is not None:
            self._run.wake()

    def leave(self) -> None:
        """Hang up: the caller is gone."""
        if not self.is_gone:
            self.end()
            self.is_gone = True
            self._blocks.clear()
            self._backlog = None
            self._size = 0
            self._wake()
            self.on_leave(self)


def _nothing(_session: Session) -> None:
    """Do nothing about a session that is left."""
