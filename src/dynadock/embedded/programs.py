"""From what a user says of a program to the program."""

from __future__ import annotations

from inspect import isasyncgenfunction, iscoroutinefunction, isgeneratorfunction
from typing import TYPE_CHECKING, Any, NamedTuple

from dynadock.simulation.programs.canned import (
    OBEDIENT,
    Line,
    Script,
    as_bytes,
    as_seconds,
    canned,
    lines_of,
)
from dynadock.simulation.programs.process import STDERR, STDOUT
from dynadock.simulation.state.signals import SIGNALS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from dynadock.simulation.programs.function import Functions
    from dynadock.simulation.programs.process import Program

RUNS = ("once", "forever")


class Told(NamedTuple):
    """What a user says of a canned program; see `dynadock.embedded.engine.Engine.program`."""

    stdout: str | bytes
    stderr: str | bytes
    lines: Iterable[tuple[float, str, str | bytes]]
    exit_code: int
    after: float
    runs: str
    signals: Mapping[str, int | None] | None

    def program(self) -> Program:
        """Return the program; TypeError or ValueError for what makes none."""
        if self.runs not in RUNS:
            raise ValueError(f"runs: expected {' or '.join(map(repr, RUNS))}, got {self.runs!r}")
        at_once = ((STDOUT, as_bytes(self.stdout)), (STDERR, as_bytes(self.stderr)))
        written = [Line(0, channel, data) for channel, data in at_once if data]
        seconds = as_seconds("after", self.after)
        return canned(
            Script(
                (*written, *lines_of(self.lines)),
                self.exit_code,
                None if self.runs == "forever" else seconds,
                OBEDIENT if self.signals is None else _named(self.signals),
            )
        )


def _named(signals: Mapping[str, int | None]) -> dict[str, int | None]:
    named = {name.upper().removeprefix("SIG"): code for name, code in signals.items()}
    for name in named:
        if name not in SIGNALS or name in ("KILL", "STOP"):
            raise ValueError(f"signals: no program handles {name!r}")
    return named


def program_of(function: Callable[..., Any], functions: Functions) -> Program:
    """Return the program that a function is; TypeError for one that is async, or none."""
    if not callable(function) or iscoroutinefunction(function) or isasyncgenfunction(function):
        raise TypeError(f"program: expected a function that is not async, got {function!r}")
    return function if isgeneratorfunction(function) else functions.program(function)
