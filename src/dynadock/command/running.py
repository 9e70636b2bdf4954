"""Running one command that finds an engine, in place of this process as far as can be."""

from __future__ import annotations

import os
import shlex
import signal
import sys
import warnings
from typing import TYPE_CHECKING, Any, TypeVar

import click

from dynadock.errors import DynadockError
from dynadock.spec.versions import parse_range

if TYPE_CHECKING:
    from collections.abc import Callable
    from subprocess import Popen
    from types import FrameType

T = TypeVar("T")

NOT_EXECUTABLE = 126
NOT_FOUND = 127
FIRST_OF_SIGNALS = 128
"""Exit codes as shells have them; a command that a signal ended has the signal's number added."""

ENDING = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
_FORWARDED = {*ENDING, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2}
_OF_THE_TERMINAL = {signal.SIGINT, signal.SIGQUIT}
"""What a terminal sends to all of its foreground: the command has had it already."""

_CONTEXT = "DOCKER_CONTEXT"
"""The variable that would lead clients to another engine."""

_TLS = ("DOCKER_TLS", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH")
"""Variables that have clients want TLS."""

listening_address = click.option(
    "-H",
    "--host",
    "address",
    metavar="ADDRESS",
    help="Where to listen: unix:///path or tcp://127.0.0.1:2375 (port 0 picks one). By default a"
    " unix socket in a new folder.",
)
"""The option of commands that listen for clients."""


def or_say(make: Callable[[], T]) -> T:
    """Return what is made, or end with what is wrong; warnings are shown as lines."""
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            made = make()
        except (DynadockError, OSError) as error:
            raise click.ClickException(str(error)) from error
    for each in warned:
        click.echo(f"Warning: {each.message}", err=True)
    return made


def serve_until_told(url: str) -> None:
    """Print the line that makes clients find an engine, and wait for Ctrl-C."""
    click.echo(f"export DOCKER_HOST={shlex.quote(url)}")
    sys.stdout.flush()
    signal.sigwait(ENDING)


def leave_signals_to_waiting() -> None:
    """Before there are threads, which would take these signals otherwise."""
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)


def read_range(_ctx: click.Context, _param: click.Parameter, text: str | None) -> Any:
    """Read a range of API versions."""
    try:
        return None if text is None else parse_range(text)
    except DynadockError as error:
        raise click.BadParameter(str(error)) from error


def run(command: tuple[str, ...], url: str, *, keeps_tls: bool = False) -> int:
    """Run a command that finds an engine, and return its exit code as a shell has it.

    ``keeps_tls`` leaves what its environment says of TLS, for an engine that wants it.
    """
    import subprocess

    dropped = (_CONTEXT,) if keeps_tls else (_CONTEXT, *_TLS)
    environment = {name: text for name, text in os.environ.items() if name not in dropped}
    environment["DOCKER_HOST"] = url
    forwarding = _Forwarding()
    try:
        process = subprocess.Popen(command, env=environment)  # noqa: S603 - the user's own command
    except FileNotFoundError:
        click.echo(f"{command[0]}: there is no such command", err=True)
        return NOT_FOUND
    except OSError as error:
        click.echo(f"{command[0]}: {error.strerror}", err=True)
        return NOT_EXECUTABLE
    forwarding.begin(process)
    code = process.wait()
    return code if code >= 0 else FIRST_OF_SIGNALS - code


class _Forwarding:
    """Hands signals on to a command, those too that come before it is there."""

    def __init__(self) -> None:
        self._process: Popen[bytes] | None = None
        self._early: list[int] = []
        for each in _FORWARDED:
            if signal.getsignal(each) is not signal.SIG_IGN:
                signal.signal(each, self._take)

    def begin(self, process: Popen[bytes]) -> None:
        """Hand on what has come and what comes."""
        self._process = process
        for number in self._early:
            process.send_signal(number)

    def _take(self, number: int, _frame: FrameType | None) -> None:
        if self._process is None:
            self._early.append(number)
        elif number not in _OF_THE_TERMINAL or not _is_in_foreground():
            self._process.send_signal(number)


def _is_in_foreground() -> bool:
    """Tell whether a terminal's Ctrl-C reaches this process's group, and the command in it."""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)
