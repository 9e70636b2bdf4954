"""Connections through the user's own ssh to ``docker system dial-stdio`` on the other machine.

That is how the docker command does it, so keys, agents, jump hosts and ``~/.ssh/config`` work as
they do there. ssh has one end of a socket pair as its input and output, and the other end is the
connection: a half-close of it is the end of ssh's input, which ssh passes on.
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
_GRACE = 2.0
"""Seconds for ssh to write why it failed, and to end when it is asked to."""

_LONGEST_STDERR = 4096


class Tunnel(socket.socket):
    """A socket whose other end is ssh; ssh ends when it is closed."""

    def __init__(self, command: Sequence[str]) -> None:
        ours, theirs = socket.socketpair()
        # A file: a pipe may be kept open by a child of ssh (a jump host, a shared connection).
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - closed by the watcher
        try:
            with ours, theirs:
                # The command is a list, and whatever is in it an argument: no shell reads it here.
                # A session of its own, as the docker command starts it: Ctrl-C is for the caller.
                self.process = subprocess.Popen(  # noqa: S603
                    command,
                    stdin=theirs.fileno(),
                    stdout=theirs.fileno(),
                    stderr=self._stderr,
                    start_new_session=True,
                )
                super().__init__(fileno=ours.detach())
        except BaseException:
            self._stderr.close()
            raise
        self._said = ""
        self._has_received = False
        self._killer: threading.Timer | None = None
        # It waits for ssh's end and reads what ssh wrote to stderr.
        self._watcher = threading.Thread(target=self._watch, name="dynadock ssh", daemon=True)
        self._watcher.start()

    def _watch(self) -> None:
        with self._stderr as written:
            self.process.wait()
            if self._killer is not None:
                self._killer.cancel()
            written.seek(0)
            said = written.read(_LONGEST_STDERR).decode("utf-8", "replace")
            # ssh ends some of its lines with CRLF.
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
        """Raise what ssh wrote in place of the error of a broken connection to it."""
        try:
            yield
        except ConnectionError:
            self._raise_if_failed()
            raise

    def _raise_if_failed(self) -> None:
        """Raise what ssh said, if it is ssh that ended and not the engine's connection."""
        self._watcher.join(_GRACE)
        if self.process.returncode:
            said = self._said or f"it ended with code {self.process.returncode}"
            words = f"{PROGRAM}: {said}"
            raise ConnectionResetError(words) if self._has_received else NeverReached(words)

    def close(self) -> None:
        """Close as sockets do, and end ssh."""
        super().close()
        if self.fileno() < 0 and hasattr(self, "_watcher") and self.process.returncode is None:
            # ssh may wait for something else than the connection: a password, a dead network.
            self._killer = threading.Timer(_GRACE, self.process.kill)
            self._killer.name, self._killer.daemon = "dynadock ssh", True
            self._killer.start()
            self.process.terminate()


def dial_ssh(endpoint: Endpoint, timeout: float | None) -> Tunnel:
    """Start ssh; if it cannot connect, the first receive raises NeverReached.

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
