"""Python functions as programs: one thread for each that runs, which takes turns with the engine.

The function never touches the engine's state. What it wants (input, time to pass, a file) it asks
of its steps, which are the program as the engine knows it: they do it when the engine gives them a
turn, and then wait for the function to come to its next wish. So a function's output has the times
of the engine's clock, whoever moves that, and the same order each time. A function that takes long
between two wishes is not waited for: it goes on beside the engine, and its next wish comes when it
comes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from threading import Lock, Thread, current_thread, get_ident
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from dynadock.simulation.clock import SECOND
from dynadock.simulation.programs.canned import as_bytes
from dynadock.simulation.programs.process import STDERR, STDOUT, write_all

if TYPE_CHECKING:
    from dynadock.simulation.files.files import Files
    from dynadock.simulation.programs.process import Process, Program, Steps, Waiting
    from dynadock.simulation.state.state import State

T = TypeVar("T")
Function = Callable[["RunningProgram"], object]

LONGEST_TURN = 0.25
"""Seconds that the engine waits for a function to come to its next wish."""

SHORT_TURN = 0.001
"""The same for one that took longer the last time."""

CRASHED = 1
"""The exit code of a function that raised an exception, as of a Python program."""

MOST_ERRORS = 100
"""Exceptions of functions that are kept."""

_OF_SIGNALS = 128
_DEADLY = {"HUP": 1, "INT": 2, "QUIT": 3, "USR1": 10, "USR2": 12, "TERM": 15}
"""Signals that end a function which has not asked for them. The kernel would keep them from a
container's first process, which then has to be killed, ten seconds later."""

_BLOCK = 64 * 1024
_SOON = 0.001
_PAUSE = 0.05


class _Ended(BaseException):
    """The container has ended: what a function's wish raises, so that it ends too."""


class Input:
    """A program's stdin: bytes, as they come."""

    def __init__(self, link: _Link) -> None:
        self._link = link
        self._ahead = b""

    def read(self, size: int = -1) -> bytes:
        """Return ``size`` bytes, fewer at the end; all up to the end without a size."""
        blocks, missing = [], size
        while missing:
            block = self.read1(missing)
            if not block:
                break
            blocks.append(block)
            missing -= len(block) if size > 0 else 0
        return b"".join(blocks)

    def read1(self, size: int = _BLOCK) -> bytes:
        """Return some bytes as soon as there are any, none at the end."""
        wanted = _BLOCK if size < 0 else size
        if not self._ahead:
            return self._link.ask(lambda process: _read(process, wanted))
        data, self._ahead = self._ahead[:wanted], self._ahead[wanted:]
        return data

    def readline(self) -> bytes:
        """Return a line with its end, the rest without one at the end, then nothing."""
        whole = bytearray()
        while b"\n" not in whole:
            block = self.read1()
            if not block:
                break
            whole += block
        end = whole.find(b"\n") + 1 or len(whole)
        self._ahead = bytes(whole[end:]) + self._ahead
        return bytes(whole[:end])

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readline, b"")


class Output:
    """A program's stdout or stderr: takes text, in UTF-8, and bytes; ``print(..., file=it)``.

    Text goes out by lines, and what is left before anything else is waited for.
    """

    def __init__(self, link: _Link, channel: int) -> None:
        self._link = link
        self._channel = channel

    def write(self, data: str | bytes) -> int:
        """Write all of it, waiting while a slow reader has to take something first."""
        self._link.write(self._channel, as_bytes(data))
        if not isinstance(data, str) or data.endswith("\n"):
            self._link.flush()
        return len(data)

    def flush(self) -> None:
        """Let out what has been written."""
        self._link.flush()


class ProgramFiles:
    """The files of a program's container. Errors are OSErrors, as on Linux."""

    def __init__(self, link: _Link) -> None:
        self._link = link

    def _use(self, use: Callable[[Files], T]) -> T:
        return self._link.ask(lambda process: _used(process, use))

    def read(self, path: str) -> bytes:
        """Return what is in a file."""
        return self._use(lambda files: files.read(path))

    def write(self, path: str, data: str | bytes, *, append: bool = False) -> None:
        """Make a file or change what is in it; text is written in UTF-8."""
        whole = as_bytes(data)
        self._use(lambda files: files.write(path, whole, append=append))

    def exists(self, path: str) -> bool:
        """Tell whether something is there."""
        return self._use(lambda files: files.exists(path))

    def names(self, path: str) -> list[str]:
        """Return the names in a folder, sorted."""
        return self._use(lambda files: files.names(path))

    def make_folder(self, path: str) -> None:
        """Make a folder, and those above it, unless they are there."""
        self._use(lambda files: files.make_folder(path, parents=True))

    def remove(self, path: str) -> None:
        """Remove a file, or a folder with all that is in it."""
        self._use(lambda files: files.remove_tree(path))


class RunningProgram:
    """What a Python function sees of the process that it is.

    ``args`` is the whole command, whose first word is the program; ``env`` its variables; ``cwd``,
    ``user``, ``hostname``, ``is_tty`` and ``pid`` are what they say. ``stdin``, ``stdout`` and
    ``stderr`` are files of bytes, ``files`` the container's. Whatever it waits for may raise what
    ends the function, as its container has ended; ``finally`` still runs.
    """

    def __init__(self, process: Process, link: _Link) -> None:
        self.args = list(process.argv)
        self.env = dict(process.env)
        self.cwd = process.cwd
        self.user = process.user
        self.hostname = process.hostname
        self.is_tty = process.is_tty
        self.pid = process.pid
        self.stdin = Input(link)
        self.stdout = Output(link, STDOUT)
        self.stderr = Output(link, STDERR)
        self.files = ProgramFiles(link)
        self._link = link

    def now(self) -> float:
        """Return the engine's time in seconds since the epoch."""
        return self._link.ask(_now) / SECOND

    def sleep(self, seconds: float) -> None:
        """Let time pass on the engine's clock."""
        self._link.ask(lambda process: _sleep(process, int(seconds * SECOND)))

    def handle(self, *signals: str) -> None:
        """Take these signals (``"TERM"``) itself, by `wait_signal`: they no longer end it."""
        names = {name.upper().removeprefix("SIG") for name in signals}
        self._link.ask(lambda process: self._link.handle(process, names))

    def wait_signal(self, timeout: float | None = None) -> str | None:
        """Return the next of the signals that it handles, None after ``timeout`` seconds."""
        return self._link.ask(lambda process: self._link.next_signal(process, timeout))


def _now(process: Process) -> Waiting[int]:
    yield from ()
    return process.now()


def _read(process: Process, size: int) -> Waiting[bytes]:
    while (data := process.read(size)) is None:
        yield None
    return data


def _sleep(process: Process, nanoseconds: int) -> Waiting[None]:
    end = process.now() + nanoseconds
    while process.now() < end:
        yield end


def _used(process: Process, use: Callable[[Files], T]) -> Waiting[T]:
    yield from ()
    return use(process.files)


class _Wish(Generic[T]):
    """Something that a function waits for: the steps to it, then what they brought."""

    def __init__(self, begin: Callable[[Process], Waiting[T]]) -> None:
        self.begin = begin
        self.result: T | None = None
        self.error: BaseException | None = None
        self.is_granted = False


class _Link:
    """Between a function's thread and its steps, which have turns of the engine.

    Only one of the two does something at a time, unless the function is ``alone``: then nobody
    waits for its next wish, and it has to come back by itself.
    """

    def __init__(self, state: State, process: Process) -> None:
        self._state = state
        self._process = process
        self._order = Lock()
        self._wish: _Wish[Any] | None = None
        self._exit_code: int | None = None
        self._is_alone = False
        self._is_over = False
        self._due: int | None = None
        self._unwritten: tuple[int, bytes] | None = None
        self._news = _taken_lock()
        self._came = _taken_lock()
        self._patience = LONGEST_TURN
        self._handled: set[str] = set()
        self._signals: deque[str] = deque()
        self._thread: Thread | None = None

    # The function's side, in its thread

    def write(self, channel: int, data: bytes) -> None:
        """Keep output until it is flushed."""
        if self._unwritten and self._unwritten[0] != channel:
            self.flush()
        earlier = self._unwritten[1] if self._unwritten else b""
        self._unwritten = (channel, earlier + data)

    def flush(self) -> None:
        """Wait until all output is written."""
        if self._unwritten is not None:
            (channel, whole), self._unwritten = self._unwritten, None
            blocks = [whole[start : start + _BLOCK] for start in range(0, len(whole), _BLOCK)]
            self._ask(lambda process: write_all(process, channel, blocks))

    def ask(self, begin: Callable[[Process], Waiting[T]]) -> T:
        """Wait until a wish is granted; raises what ends the function if its container ended."""
        self.flush()
        return self._ask(begin)

    def _ask(self, begin: Callable[[Process], Waiting[T]]) -> T:
        wish = _Wish(begin)
        with self._order:
            if self._is_over:
                raise _Ended
            self._wish = wish
        self._come()
        self._wait(wish)
        if self._is_over:
            raise _Ended
        if wish.error is not None:
            raise wish.error
        return cast("T", wish.result)

    def finish(self, exit_code: int) -> None:
        """Say that the function has ended."""
        self.flush()
        self._exit_code = exit_code
        self._come()

    def _come(self) -> None:
        with self._order:
            if not self._is_alone:
                _release(self._came)
                return
        self._have_turn(wake=True)

    def _wait(self, wish: _Wish[Any]) -> None:
        """Wait until a wish is granted, letting time pass where nobody else does."""
        clock = self._state.clock
        while not (wish.is_granted or self._is_over):
            due = self._due
            left = None if due is None else clock.seconds_until(due)
            if left != 0:
                self._news.acquire(timeout=-1 if left is None else left)
            else:
                self._have_turn(wake=False)
                if not wish.is_granted:
                    self._news.acquire(timeout=_PAUSE)

    def _have_turn(self, *, wake: bool) -> None:
        """Have the engine do what is to be done, unless somebody else does.

        Who has the engine's lock may be waiting for this function, so this must not wait for it.
        """
        state, wish = self._state, self._wish
        while not state.lock.acquire(timeout=_SOON):
            if self._is_over or (wish is not None and wish.is_granted):
                return
        try:
            if wake:
                self._process.wake()
            state.settle()
            state.notify()
        finally:
            state.lock.release()

    def step_aside(self) -> None:
        """Let the engine not wait for this function, which is about to wait for the engine."""
        with self._order:
            if not self._is_alone:
                _release(self._came)

    # The steps' side, under the engine's lock

    def run(self, thread: Thread) -> Steps:
        """Grant wishes until the function has ended, and return its exit code."""
        self._thread = thread
        process = self._process
        process.handle(*_DEADLY)
        thread.start()
        self._wait_for_wish()
        while True:
            deadly = self._take_signals()
            if deadly is not None:
                return deadly
            if self._wish is not None:
                deadly = yield from self._grant(self._wish)
                if deadly is not None:
                    return deadly
                self._wait_for_wish()
            elif self._exit_code is not None:
                return self._exit_code
            elif thread.is_alive():
                yield None
            else:
                # It is a process's that was forked meanwhile.
                return CRASHED

    def _grant(self, wish: _Wish[Any]) -> Waiting[int | None]:
        """Bring what is wished for; return an exit code if a signal ends the function first."""
        steps = wish.begin(self._process)
        while True:
            deadly = self._take_signals()
            if deadly is not None:
                return deadly
            try:
                due = next(steps)
            except StopIteration as done:
                wish.result = done.value
                break
            except Exception as error:  # noqa: BLE001 - it is raised where the wish was made
                wish.error = error
                break
            if due != self._due:
                self._due = due
                _release(self._news)
            yield due
        self._due = None
        self._wish = None
        self._is_alone = False
        wish.is_granted = True
        _release(self._news)
        return None

    def _wait_for_wish(self) -> None:
        """Wait until the function comes with its next wish, but not for long."""
        assert self._thread is not None
        is_its_own = get_ident() == self._thread.ident
        came = self._came.acquire(timeout=0 if is_its_own else self._patience)
        with self._order:
            came = came or self._came.acquire(blocking=False)
            self._is_alone = self._wish is None and self._exit_code is None
        if not is_its_own:
            self._patience = LONGEST_TURN if came else SHORT_TURN

    def _take_signals(self) -> int | None:
        """Keep the signals that have come; return an exit code if one of them ends the function."""
        while (signal := self._process.take_signal()) is not None:
            if signal not in self._handled:
                return _OF_SIGNALS + _DEADLY[signal]
            self._signals.append(signal)
        return None

    def handle(self, process: Process, signals: set[str]) -> Waiting[None]:
        """Let these signals wait for the function."""
        yield from ()
        process.handle(*signals)
        self._handled |= signals

    def next_signal(self, process: Process, timeout: float | None) -> Waiting[str | None]:
        """Wait for a signal that the function handles."""
        end = None if timeout is None else process.now() + int(timeout * SECOND)
        while not self._signals:
            if end is not None and process.now() >= end:
                return None
            yield end
            self._take_signals()
        return self._signals.popleft()

    def end(self) -> None:
        """Let the function end at its next wish, or at the one that it waits for."""
        with self._order:
            self._is_over = True
            self._is_alone = False
        _release(self._news)


def _taken_lock() -> Any:
    lock = Lock()
    lock.acquire()
    return lock


def _release(lock: Any) -> None:
    """Release a lock that stands for something to have come, which it may have twice."""
    # Two may come here at once.
    with suppress(RuntimeError):
        lock.release()


def _checked_code(code: object) -> int:
    if code is not None and (not isinstance(code, int) or isinstance(code, bool)):
        raise TypeError(f"a program returns its exit code or None, not {code!r}")
    return (code or 0) & 0xFF


class Functions:
    """The Python functions that run as programs of one engine.

    ``errors`` are the exceptions that they raised, the newest ones.
    """

    def __init__(self, state: State) -> None:
        self.errors: deque[BaseException] = deque(maxlen=MOST_ERRORS)
        self._state = state
        self._running: dict[Thread, _Link] = {}

    def program(self, function: Function) -> Program:
        """Return the program that calls a function, with a `RunningProgram`, in its own thread.

        What the function returns is the exit code, None is 0; an exception is a traceback on stderr
        and 1, and SystemExit what it is in Python.
        """

        def run(process: Process) -> Steps:
            link = _Link(self._state, process)
            name = getattr(function, "__name__", type(function).__name__)
            thread = Thread(
                target=self._call,
                args=(function, RunningProgram(process, link), link),
                name=f"dynadock program {name}",
                daemon=True,
            )
            self._running[thread] = link
            try:
                return (yield from link.run(thread))
            finally:
                link.end()

        return run

    def _call(self, function: Function, running: RunningProgram, link: _Link) -> None:
        beside, number = self._state.beside, get_ident()
        beside[number] = link.step_aside
        try:
            link.finish(self._exit_code(function, running))
        except _Ended:
            pass
        finally:
            self._running.pop(current_thread(), None)
            beside.pop(number, None)

    def _exit_code(self, function: Function, running: RunningProgram) -> int:
        try:
            return _checked_code(function(running))
        except SystemExit as error:
            if error.code is None or isinstance(error.code, int):
                return (error.code or 0) & 0xFF
            running.stderr.write(f"{error.code}\n")
            return CRASHED
        except _Ended:
            raise
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is the program's
            from traceback import format_exception

            self.errors.append(error)
            running.stderr.write("".join(format_exception(error)))
            return CRASHED

    def close(self, seconds: float) -> list[str]:
        """End all functions; return the names of those that have not ended after some seconds."""
        from time import monotonic

        with self._state.lock:
            for link in self._running.values():
                link.end()
        end = monotonic() + seconds
        threads = list(self._running)
        for thread in threads:
            thread.join(max(end - monotonic(), 0))
        return [each.name for each in threads if each.is_alive()]
