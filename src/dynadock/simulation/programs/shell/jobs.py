"""What runs at the same time within one process: pipelines' parts, subshells, background jobs.

Each is a task: a generator that yields what a program yields (a time, or None), or another
generator, whose result it is then sent. So calls within a script may go deep while Python's own
stack stays flat.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from dynadock.simulation.programs.process import Process
    from dynadock.simulation.programs.shell.descriptors import Descriptors

Result = TypeVar("Result")
Coroutine: TypeAlias = Generator[Any, Any, Result]

BROKEN_PIPE = 141
"""The status of what wrote to a pipe that nobody reads: 128 and SIGPIPE."""

MOST_TASKS = 500
"""Tasks of one process at a time: what a container's limit of processes is for."""

ROUNDS = 32
"""Rounds of all tasks before other processes get a turn."""

STEPS = 128
"""Commands of all tasks before other processes get a turn."""

_SIGNALS = """
EXIT HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP
TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH POLL PWR SYS
"""
NUMBERS = {name: number for number, name in enumerate(_SIGNALS.split())}
"""Signals' numbers on Linux."""

HARMLESS = {"CHLD", "CONT", "URG", "WINCH", "STOP", "TSTP", "TTIN", "TTOU"}
"""Signals that end nobody; nothing is ever stopped here."""


def call(generator: Coroutine[Result]) -> Coroutine[Result]:
    """Run a generator on the task's own stack instead of Python's."""
    result: Result = yield generator
    return result


class Task:
    """One thing that runs; its status is None until it has ended."""

    def __init__(
        self, pid: int, command: str, body: Coroutine[int], descriptors: Descriptors
    ) -> None:
        self.pid = pid
        self.command = command
        self.descriptors = descriptors
        self.status: int | None = None
        self.receives: Callable[[str], bool] | None = None
        self.thrown: BaseException | None = None
        self.killed_by = ""
        self._is_running = False
        self._stack: list[Coroutine[Any]] = [body]

    def resume(self) -> int | None:
        """Run until it waits, and return for what; its status is set if it has ended."""
        self._is_running = True
        try:
            return self._go_on()
        finally:
            self._is_running = False

    def _go_on(self) -> int | None:
        value: Any = None
        error, self.thrown = self.thrown, None
        while self._stack:
            top = self._stack[-1]
            try:
                got = top.throw(error) if error is not None else top.send(value)
            except StopIteration as stop:
                self._stack.pop()
                value, error = stop.value, None
            except BrokenPipeError:
                self.end(BROKEN_PIPE)
                return None
            except Exception as raised:  # noqa: BLE001 - handed to its caller, as Python would
                self._stack.pop()
                error = raised
            else:
                value, error = None, None
                if isinstance(got, Generator):
                    self._stack.append(got)
                elif self.killed_by:
                    self.end(128 + NUMBERS[self.killed_by])
                    return None
                else:
                    return got  # type: ignore[no-any-return]
        if error is not None:
            raise error
        self.end(value)
        return None

    def kill(self, signal: str) -> None:
        """End it, now or, if it is itself that asks, when it waits next."""
        self.killed_by = signal
        if not self._is_running:
            self.end(128 + NUMBERS[signal])

    def close(self) -> None:
        """End it without a word."""
        if self.status is None:
            self.end(0)

    def end(self, status: int) -> None:
        """Let it have ended with this status."""
        self.status = status
        while self._stack:
            self._stack.pop().close()
        self.descriptors.close()


class Jobs:
    """All tasks of a process; the first one is the process's own program."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.tasks: deque[Task] = deque()
        self._last_pid = process.pid
        self._happened = 0
        self._steps = 0

    def notice(self) -> None:
        """Let all tasks look again: something happened."""
        self._happened += 1

    def new_pid(self) -> int:
        """Return the number of a new process."""
        self._last_pid += 1
        return self._last_pid

    def start(self, command: str, body: Coroutine[int], descriptors: Descriptors) -> Task:
        """Begin a task, which runs from the next round on.

        Raises:
            BlockingIOError: There are too many.

        """
        if len(self.tasks) >= MOST_TASKS:
            body.close()
            descriptors.close()
            raise BlockingIOError(11, "Resource temporarily unavailable")
        task = Task(self.new_pid() if self.tasks else self.process.pid, command, body, descriptors)
        self.tasks.append(task)
        self.notice()
        return task

    def signal(self, pid: int, signal: str) -> bool:
        """Send a signal to a task; False if there is none with this number."""
        for task in self.tasks:
            if task.pid == pid:
                self._deliver(task, signal)
                return True
        return False

    def _deliver(self, task: Task, signal: str) -> None:
        self.notice()
        if task.receives is not None and signal != "KILL" and task.receives(signal):
            return
        is_protected = task.pid == 1
        if signal != "EXIT" and signal not in HARMLESS and not is_protected:
            task.kill(signal)

    def step(self) -> bool:
        """Count a command, and tell whether it is time to give others a turn."""
        self._steps += 1
        return self._steps >= STEPS

    def run(self) -> Generator[int | None, None, int]:
        """Run all until the first one ends, and return its status."""
        first = self.tasks[0]
        try:
            while first.status is None:
                yield self._turn(first)
                while (signal := self.process.take_signal()) is not None:
                    self._deliver(first, signal)
        finally:
            for task in self.tasks:
                task.close()
        return first.status & 255

    def _turn(self, first: Task) -> int | None:
        """Run until all wait, and return until when; or for as long as one turn may take."""
        self._steps = 0
        for _ in range(ROUNDS):
            before = self._happened
            soonest = self._round()
            if first.status is not None or self._steps >= STEPS:
                break
            if self._happened == before:
                return soonest
        return self.process.now()

    def _round(self) -> int | None:
        """Resume each task once, in turn; return the soonest time that any of them waits for."""
        soonest: int | None = None
        now = self.process.now()
        for _ in range(len(self.tasks)):
            task = self.tasks[0]
            self.tasks.rotate(-1)
            due = task.resume()
            if task.status is not None:
                self.tasks.remove(task)
                self.notice()
            elif due is not None:
                soonest = due if soonest is None else min(due, soonest)
                self._steps += STEPS if due <= now else 0
            if self._steps >= STEPS:
                break
        return soonest
