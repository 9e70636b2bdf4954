"""Connections through the user's own ssh to ``docker system dial-stdio`` on the other machine.

That is how the docker command does it, so keys, agents, jump hosts and ``~/.ssh/config`` work as
they do there. ssh speaks over one end of a socket pair, and the other end is the connection: what
is half-closed here, ssh hands on as the end of its input.
"""

from __future__ import annotations

import contextlib
import shlex
import socket
import subprocess
import tempfile
import threading
from typing import TYPE_CHECKING, Any

from dynadock.transport.faults import NeverReached

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dynadock.transport.endpoint import Endpoint

PROGRAM = "ssh"
_LAST_WORDS = 2.0
"""Seconds that ssh is given to say why it ended, and to end when it is asked to."""

_MOST_WORDS = 4096


class Tunnel(socket.socket):
    """A socket whose other end is ssh; ssh ends when it is closed."""

    def __init__(self, command: Sequence[str]) -> None:
        ours, theirs = socket.socketpair()
        # A file and not a pipe: a child of ssh (a jump, a shared connection) may keep that open.
        self._words = tempfile.TemporaryFile()  # noqa: SIM115 - closed by the attendant
        try:
            with ours, theirs:
                # The command is a list, and whatever is in it an argument: no shell reads it here.
                # A session of its own, as the docker command starts it: Ctrl-C is for the caller.
                self.process = subprocess.Popen(  # noqa: S603
                    command,
                    stdin=theirs.fileno(),
                    stdout=theirs.fileno(),
                    stderr=self._words,
                    start_new_session=True,
                )
                super().__init__(fileno=ours.detach())
        except BaseException:
            self._words.close()
            raise
        self._said = ""
        self._has_received = False
        self._killer: threading.Timer | None = None
        # It takes in what ssh has to say, and ends with it.
        self._attendant = threading.Thread(target=self._attend, name="dynadock ssh", daemon=True)
        self._attendant.start()

    def _attend(self) -> None:
        with self._words as words:
            self.process.wait()
            if self._killer is not None:
                self._killer.cancel()
            words.seek(0)
            said = words.read(_MOST_WORDS).decode("utf-8", "replace")
            # ssh ends some of its lines as terminals want them.
            self._said = said.replace("\r\n", "\n").strip()

    def recv(self, *arguments: Any) -> bytes:
        """Receive as sockets do; NeverReached where ssh has ended by itself."""
        with self._explained():
            data = super().recv(*arguments)
        self._note_received(len(data))
        return data

    def sendall(self, *arguments: Any) -> None:
        """Send as sockets do; NeverReached where ssh has ended by itself."""
        with self._explained():
            super().sendall(*arguments)

    def _note_received(self, size: int) -> None:
        if size:
            self._has_received = True
        else:
            self._raise_if_failed()

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        """Have what ssh said take the place of a broken connection to it."""
        try:
            yield
        except ConnectionError:
            self._raise_if_failed()
            raise

    def _raise_if_failed(self) -> None:
        """Raise what ssh said, if it is ssh that ended and not the engine's connection."""
        self._attendant.join(_LAST_WORDS)
        if self.process.returncode:
            said = self._said or f"it ended with code {self.process.returncode}"
            words = f"{PROGRAM}: {said}"
            raise ConnectionResetError(words) if self._has_received else NeverReached(words)

    def close(self) -> None:
        """Close as sockets do, and end ssh."""
        super().close()
        if self.fileno() < 0 and hasattr(self, "_attendant") and self.process.returncode is None:
            # ssh may wait for something else than the connection: a password, a dead network.
            self._killer = threading.Timer(_LAST_WORDS, self.process.kill)
            self._killer.name, self._killer.daemon = "dynadock ssh", True
            self._killer.start()
            self.process.terminate()


def dial_ssh(endpoint: Endpoint, timeout: float | None) -> Tunnel:
    """Start ssh; what hinders it is raised (NeverReached) when something is to be received.

    ``timeout`` are the seconds in which ssh has to be connected.
    """
    command = ssh_command(endpoint, timeout)
    try:
        tunnel = Tunnel(command)
    except FileNotFoundError:
        raise NeverReached(f"there is no program {PROGRAM!r} in PATH") from None
    except OSError as error:
        raise NeverReached(f"{PROGRAM} cannot be run: {error.strerror}") from error
    tunnel.settimeout(timeout)
    return tunnel


def ssh_command(endpoint: Endpoint, timeout: float | None) -> list[str]:
    """Return the command that the docker command runs for such an address."""
    command = [PROGRAM, "-T"]
    if timeout is not None:
        command += ["-o", f"ConnectTimeout={max(round(timeout), 1)}"]
    if endpoint.user:
        command += ["-l", endpoint.user]
    if endpoint.port:
        command += ["-p", str(endpoint.port)]
    remote = ["docker"]
    if endpoint.path:
        remote += ["--host", f"unix://{endpoint.path}"]
    return [*command, "--", endpoint.host, shlex.join([*remote, "system", "dial-stdio"])]
