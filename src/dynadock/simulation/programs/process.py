"""What a program sees of the process that it is: arguments, files, input, output, signals.

A program is a generator that never blocks. It yields where it has to wait: a moment at the latest
(in nanoseconds, as `Process.now` gives them), or None for as long as nothing happens. It goes on
when input, its end, a signal or room for output came, or at that moment, and looks again; whoever
has nothing to wait for yields `Process.now`, to give others a turn. What it returns is its exit
code. When it is killed, it is closed: `finally` runs, and it yields no more.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dynadock.simulation.files.files import Files

Result = TypeVar("Result")
Waiting = Generator[int | None, None, Result]
Steps = Waiting[int]
Program = Callable[["Process"], Steps]

USUAL_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Where commands are looked for if neither image nor container say anything else."""

STDOUT = 1
STDERR = 2

MOST_INPUT = 1024 * 1024
"""Bytes of input that wait for a program; more has to wait outside."""


class ProcessEntry(NamedTuple):
    """A line of ``ps``: numbers, user, command line, and the moment of its start."""

    pid: int
    parent: int
    user: str
    command: str
    started: int
    is_tty: bool


class Stdin:
    """A process's input: what has come, and whether more may come."""

    def __init__(self) -> None:
        self._blocks: deque[bytes] = deque()
        self._size = 0
        self.is_ended = False

    def feed(self, data: bytes) -> None:
        """Add input; after the end it is lost, as with a pipe that nobody reads."""
        if data and not self.is_ended:
            self._blocks.append(data)
            self._size += len(data)

    def feed_end(self) -> None:
        """Let a reader come to an end once, as ^D does; more may follow."""
        if not self.is_ended:
            self._blocks.append(b"")

    def end(self) -> None:
        """Let no more come."""
        self.is_ended = True

    @property
    def is_full(self) -> bool:
        """Whether as much waits as may."""
        return self._size >= MOST_INPUT

    def read(self, size: int) -> bytes | None:
        """Return at most ``size`` bytes, none at the end; None if nothing is there yet."""
        if not self._blocks:
            return b"" if self.is_ended else None
        block = self._blocks.popleft()
        if len(block) > size:
            self._blocks.appendleft(block[size:])
            block = block[:size]
        self._size -= len(block)
        return block


class Process:
    """One run of a program: a container's main process, or that of an exec.

    ``pid`` is its number inside the container, 1 for the main process. ``rows`` and ``columns`` are
    the terminal's, 0 where unknown. ``kill`` sends a signal to another process of the container,
    and tells whether there is one of that number. ``is_full`` says that output waits to be taken.
    """

    def __init__(
        self,
        *,
        argv: list[str],
        env: dict[str, str],
        cwd: str,
        user: str,
        hostname: str,
        files: Files,
        now: Callable[[], int],
        output: Callable[[int, bytes], None],
        is_tty: bool = False,
        pid: int = 1,
        listed: Callable[[], list[ProcessEntry]] = list,
    ) -> None:
        self.argv = argv
        self.env = env
        self.cwd = cwd
        self.user = user
        self.hostname = hostname
        self.files = files
        self.is_tty = is_tty
        self.pid = pid
        self.rows = 0
        self.columns = 0
        self.stdin = Stdin()
        self.is_blocked: Callable[[], bool] = bool
        self.took_input: Callable[[], None] = lambda: None
        self.wake: Callable[[], None] = lambda: None
        self.kill: Callable[[int, str], bool] = lambda _pid, _signal: False
        self._now = now
        self._output = output
        self._listed = listed
        self._handled: set[str] = set()
        self._signals: deque[str] = deque()

    def now(self) -> int:
        """Return the moment, in nanoseconds since the epoch."""
        return self._now()

    def read(self, size: int) -> bytes | None:
        """Return some input, none at its end, None if nothing is there yet."""
        came = self.stdin.read(size)
        if came:
            self.took_input()
        return came

    def write(self, fd: int, data: bytes) -> None:
        """Write to stdout (1) or stderr (2); it is taken at once."""
        if data:
            self._output(fd, data)

    @property
    def is_full(self) -> bool:
        """Whether output waits for a slow reader, so that a program should wait as well."""
        return self.is_blocked()

    def handle(self, *signals: str) -> None:
        """Take these signals (``TERM``, without SIG) itself, by `take_signal`."""
        self._handled.update(signals)

    def unhandle(self, *signals: str) -> None:
        """Leave these signals to the kernel again."""
        self._handled.difference_update(signals)

    def handles(self, signal: str) -> bool:
        """Tell whether the program takes that signal itself."""
        return signal in self._handled

    def signal(self, name: str) -> None:
        """Have a signal that it handles wait for it."""
        self._signals.append(name)

    def take_signal(self) -> str | None:
        """Return the next of the signals that it handles, None if none has come."""
        return self._signals.popleft() if self._signals else None

    def processes(self) -> list[ProcessEntry]:
        """List all processes of the container."""
        return self._listed()


def sleep(process: Process, seconds: float) -> Waiting[None]:
    """Wait for that long, whatever comes meanwhile."""
    end = process.now() + int(seconds * 1_000_000_000)
    while process.now() < end:
        yield end


def read_all(process: Process) -> Waiting[bytes]:
    """Wait for all input up to its end."""
    blocks: list[bytes] = []
    while (block := process.read(64 * 1024)) != b"":
        if block is None:
            yield None
        else:
            blocks.append(block)
    return b"".join(blocks)


def write_all(process: Process, fd: int, blocks: Iterable[bytes]) -> Waiting[None]:
    """Write blocks, no faster than they are taken."""
    for block in blocks:
        while process.is_full:
            yield None
        process.write(fd, block)
