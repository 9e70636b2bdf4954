"""``serve``: an engine in memory at a socket, for any client, or for one command."""

from __future__ import annotations

import os
import shlex
import signal
import sys
import warnings
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, TypeVar

import click

from dynadock.embedded.server import Server
from dynadock.errors import DynadockError
from dynadock.simulation.engine import SimulatedEngine
from dynadock.spec.versions import VersionRange, parse_range

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from subprocess import Popen
    from types import FrameType

T = TypeVar("T")

NOT_EXECUTABLE = 126
NOT_FOUND = 127
FIRST_OF_SIGNALS = 128
"""Exit codes as shells have them; a command that a signal ended has the signal's number added."""

_ENDING = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
_FORWARDED = {*_ENDING, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2}
_OF_THE_TERMINAL = {signal.SIGINT, signal.SIGQUIT}
"""What a terminal sends to all of its foreground: the command has had it already."""

_ELSEWHERE = ("DOCKER_CONTEXT", "DOCKER_TLS", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH")
"""Variables that would lead clients to another engine, or have them want TLS."""


def _versions(_ctx: click.Context, _param: click.Parameter, text: str | None) -> Any:
    """Read a range of API versions."""
    try:
        return None if text is None else parse_range(text)
    except DynadockError as error:
        raise click.BadParameter(str(error)) from error


@click.command(
    context_settings={"allow_interspersed_args": False},
    short_help="Serve an engine that lives in memory.",
)
@click.option(
    "--api",
    "versions",
    callback=_versions,
    metavar="FIRST-LAST",
    help="API versions that the engine speaks, such as 1.30-1.45 or 1.41; all by default.",
)
@click.option(
    "-H",
    "--host",
    "address",
    metavar="ADDRESS",
    help="Where to listen: unix:///path or tcp://127.0.0.1:2375 (port 0 picks one). By default a"
    " unix socket in a new folder.",
)
@click.option("--seed", metavar="TEXT", help="Make ids and names the same each time.")
@click.option(
    "--strict",
    is_flag=True,
    help="Refuse what the API's documents do not know or do not allow, to test a client.",
)
@click.option(
    "--allow-remote",
    is_flag=True,
    help="Listen at addresses that other machines can reach. Whoever reaches the engine may do"
    " anything with it.",
)
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def serve(
    *,
    versions: VersionRange | None,
    address: str | None,
    seed: str | None,
    strict: bool,
    allow_remote: bool,
    command: tuple[str, ...],
) -> None:
    """Serve an engine that lives in memory, for the docker command and any other client.

    It needs no Docker and no rights, knows a small busybox, and forgets everything when it ends.
    Without COMMAND it prints the line that makes clients find it, and serves until Ctrl-C. With
    COMMAND it runs that with DOCKER_HOST set, and ends with its exit code:

        python -m dynadock serve -- docker run busybox echo hello
    """
    if not command:
        # Before there are threads, which would take these signals otherwise.
        signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
    engine = _or_say(lambda: SimulatedEngine(versions=versions, seed=seed, strict=strict))
    with _serving(engine, address, allow_remote=allow_remote) as server:
        if command:
            sys.exit(_run(command, server.url))
        click.echo(f"export DOCKER_HOST={shlex.quote(server.url)}")
        sys.stdout.flush()
        signal.sigwait(_ENDING)


@contextmanager
def _serving(
    engine: SimulatedEngine, address: str | None, *, allow_remote: bool
) -> Iterator[Server]:
    with TemporaryDirectory(prefix="dynadock-") as folder:
        where = address or f"unix://{folder}/engine.sock"
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            server = _or_say(lambda: Server(engine, where, allow_remote=allow_remote))
        for each in warned:
            click.echo(f"Warning: {each.message}", err=True)
        with server:
            yield server


def _or_say(make: Callable[[], T]) -> T:
    """Return what is made, or end with what is wrong."""
    try:
        return make()
    except DynadockError as error:
        raise click.ClickException(str(error)) from error


def _run(command: tuple[str, ...], url: str) -> int:
    """Run a command that finds the engine, and return its exit code as a shell has it."""
    import subprocess

    environment = {name: text for name, text in os.environ.items() if name not in _ELSEWHERE}
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
