"""Running a program as a process: turns, signals, pauses, and its end."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from dynadock.simulation.interruptions import interrupts
from dynadock.simulation.state.signals import FIRST_OF_SIGNALS, IGNORED, SIGNALS
from dynadock.simulation.state.terminals import Terminal

if TYPE_CHECKING:
    from collections.abc import Callable

    from dynadock.simulation.clock import Timer
    from dynadock.simulation.programs.process import Process, Program
    from dynadock.simulation.state.sessions import Session
    from dynadock.simulation.state.state import State

CRASHED = 139
"""The exit code of a program that raised an exception; the engine's own sign for it."""


class Run:
    """A process under way: the generator of its program, and who takes what it writes.

    ``ended`` is called with the exit code, once.
    """

    def __init__(
        self,
        state: State,
        process: Process,
        program: Program,
        ended: Callable[[int], None],
        *,
        is_protected: bool,
    ) -> None:
        self.process = process
        self.sessions: list[Session] = []
        self.exit_code: int | None = None
        self.is_paused = False
        self.pid = state.ids.new_pid()
        self.began = state.clock.now()
        self._state = state
        self._steps = program(process)
        self._ended = ended
        # The kernel does nothing to a container's first process that this has not asked for.
        self._is_protected = is_protected
        self._is_queued = False
        self._has_ended = False
        self._timer: Timer | None = None
        self._terminal = Terminal(process.stdin, self._write_echo, self.kill)
        process.is_blocked = self._is_blocked
        process.took_input = state.notify
        process.wake = self.wake

    def begin(self) -> None:
        """Let the program have its first turn soon."""
        self.wake()

    def wake(self) -> None:
        """Let the program look again, as something happened to it."""
        if self.exit_code is None and not self._is_queued:
            self._state.soon(self._turn)
            self._is_queued = True
            self._state.notify()

    def _write_echo(self, data: bytes) -> None:
        # What the process writes gets its line ends from whoever takes its output.
        self.process.write(1, data.replace(b"\r\n", b"\n"))

    def type_in(self, data: bytes) -> None:
        """Give the process input, through its terminal if it has one."""
        if self.process.is_tty:
            self._terminal.type_in(data)
        else:
            self.process.stdin.feed(data)
        self.wake()

    def end_input(self) -> None:
        """Let no more input come."""
        self.process.stdin.end()
        self.wake()

    def output(self, channel: int, data: bytes) -> None:
        """Hand output to everybody who is attached."""
        for session in self.sessions:
            session.output(channel, data)

    def _is_blocked(self) -> bool:
        return any(session.is_full for session in self.sessions)

    def _turn(self) -> None:
        self._is_queued = False
        if self.exit_code is not None:
            self.end(self.exit_code)
        elif not self.is_paused:
            self._go_on()

    def _go_on(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        try:
            until = next(self._steps)
        except StopIteration as done:
            self.end(int(done.value or 0))
            return
        except BaseException as error:
            if interrupts(error):
                # It is the caller's, but ends the program that it came in the midst of.
                self._state.soon(lambda: self.end(CRASHED))
                raise
            self._crash(error)
            return
        if until is None:
            return
        if until <= self._state.clock.now():
            self._state.next_time(self.wake)
        else:
            self._timer = self._state.clock.at(until, self.wake)

    def _crash(self, error: BaseException) -> None:
        from traceback import format_exception

        text = "".join(format_exception(error))
        self.process.write(2, text.encode(errors="replace"))
        self.end(CRASHED)

    def end(self, exit_code: int) -> None:
        """End the process, whatever it is doing; nothing happens to one that has ended.

        If a signal handler's exception comes between, another call goes on from there.
        """
        if self._has_ended:
            return
        if self.exit_code is None:
            self.exit_code = exit_code
        self._stop()
        self._ended(self.exit_code)
        for session in self.sessions:
            session.finish()
        self.sessions = []
        self._has_ended = True
        self._state.notify()

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        # What a program raises when it is closed, or that it goes on, is its own trouble.
        with suppress(Exception):
            self._steps.close()

    def drop(self) -> None:
        """End the process and tell only those who are attached: all around it goes as well."""
        if self.exit_code is None:
            self.exit_code = CRASHED
            self._stop()
        self._has_ended = True
        for session in self.sessions:
            session.finish()
        self.sessions = []

    def pause(self) -> None:
        """Let the program have no turn until it goes on."""
        self.is_paused = True

    def unpause(self) -> None:
        """Go on."""
        self.is_paused = False
        self.wake()

    def kill(self, signal: str) -> None:
        """Send a signal, as ``kill`` does; TERM without SIG."""
        if self._has_ended:
            return
        if self.process.handles(signal) and signal not in ("KILL", "STOP"):
            self.process.signal(signal)
            self.wake()
        elif signal == "KILL" or not (self._is_protected or signal in IGNORED):
            self._state.soon(lambda: self.end(FIRST_OF_SIGNALS + SIGNALS[signal]))
            self._state.notify()

    def attach(self, session: Session) -> None:
        """Give somebody what the process writes from now on, and take its input."""
        self.sessions.append(session)
        session.on_leave = self.detach
        session.join(self)

    def resize(self, rows: int, columns: int) -> None:
        """Tell the process's terminal its new size."""
        self.process.rows, self.process.columns = rows, columns
        if self.process.handles("WINCH"):
            self.kill("WINCH")

    def detach(self, session: Session) -> None:
        """Forget a session whose caller is gone."""
        if session in self.sessions:
            self.sessions.remove(session)
