"""Programs that only play: output at its times, an exit code, and what they do when told to end."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from dynadock.simulation.clock import SECOND
from dynadock.simulation.programs.process import STDERR, STDOUT, write_all

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from dynadock.simulation.programs.process import Process, Program, Steps, Waiting

CHANNELS = {"stdout": STDOUT, "stderr": STDERR}

OBEDIENT: Mapping[str, int | None] = {"TERM": 0, "INT": 0, "QUIT": 0}
"""What a well-behaved server does: it ends when it is told to, and nothing is wrong with that."""

_BLOCK = 64 * 1024


class Line(NamedTuple):
    """Output at a time: seconds since the program began, a channel's number, bytes."""

    seconds: float
    channel: int
    data: bytes


class Script(NamedTuple):
    """What a canned program does.

    It writes ``lines`` at their times and ends with ``exit_code``, ``seconds`` after it began, but
    not before its last line; None for these seconds is never. ``signals`` are those that it handles
    (names without SIG), with the exit code of whom they end, None where they do nothing. What else
    is sent to it is the kernel's affair.
    """

    lines: tuple[Line, ...] = ()
    exit_code: int = 0
    seconds: float | None = 0
    signals: Mapping[str, int | None] = OBEDIENT


def canned(script: Script) -> Program:
    """Return the program that plays a script."""

    def play(process: Process) -> Steps:
        return (yield from _play(script, process))

    return play


FOREVER = canned(Script(seconds=None))
"""Writes nothing, and runs until it is told to end."""


def _play(script: Script, process: Process) -> Steps:
    process.handle(*script.signals)
    began = process.now()
    for line in script.lines:
        ended = yield from _wait(script, process, began + int(line.seconds * SECOND))
        if ended is not None:
            return ended
        yield from write_all(process, line.channel, _blocks(line.data))
    end = None if script.seconds is None else began + int(script.seconds * SECOND)
    ended = yield from _wait(script, process, end)
    return script.exit_code if ended is None else ended


def _wait(script: Script, process: Process, until: int | None) -> Waiting[int | None]:
    """Wait for a moment, or for ever; return an exit code if a signal comes that ends it."""
    while True:
        while (signal := process.take_signal()) is not None:
            code = script.signals[signal]
            if code is not None:
                return code
        if until is not None and process.now() >= until:
            return None
        yield until


def _blocks(data: bytes) -> Iterator[bytes]:
    return (data[start : start + _BLOCK] for start in range(0, len(data), _BLOCK))


def lines_of(given: Iterable[tuple[float, str, str | bytes]]) -> tuple[Line, ...]:
    """Return lines as (seconds, "stdout" or "stderr", text or bytes), in the order of their times.

    Raises TypeError or ValueError, which says what was expected.
    """
    lines = []
    for each in given:
        if not isinstance(each, tuple | list) or len(each) != len(Line._fields):
            raise TypeError(f"lines: expected (seconds, channel, text), got {each!r}")
        seconds, channel, output = each
        if channel not in CHANNELS:
            raise ValueError(f"lines: expected 'stdout' or 'stderr' for a channel, got {channel!r}")
        lines.append(Line(as_seconds("lines", seconds), CHANNELS[channel], as_bytes(output)))
    return tuple(sorted(lines, key=lambda line: line.seconds))


def as_bytes(output: str | bytes) -> bytes:
    """Return output, text in UTF-8; TypeError if it is neither text nor bytes."""
    if isinstance(output, str):
        return output.encode("utf-8", "surrogateescape")
    if not isinstance(output, bytes | bytearray | memoryview):
        raise TypeError(f"output: expected text or bytes, got {type(output).__name__}")
    return bytes(output)


def as_seconds(name: str, value: object) -> float:
    """Return a number of seconds; TypeError or ValueError, which names it, for anything else."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise TypeError(f"{name}: expected seconds as a number, got {value!r}")
    if not 0 <= value < float("inf"):
        raise ValueError(f"{name}: expected seconds, 0 or more, got {value!r}")
    return value
