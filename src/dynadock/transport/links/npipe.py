"""Windows' named pipes, used like sockets.

They are used as by go-winio, which both the docker command and engines use: a busy pipe is tried
again, and in a pipe of messages an empty message is the end of what its side sends.

What only Windows can do stands behind the protocols of `pipes`, which `win32_pipes` implements with
pywin32; what is here is tested on any system.
"""

from __future__ import annotations

import contextlib
import errno
import socket
import sys
import threading
import time
from typing import TYPE_CHECKING, cast

from dynadock.deadline import Deadline
from dynadock.errors import Unsupported
from dynadock.transport.links.pipes import (
    ABORTED,
    ACCESS_DENIED,
    ALL_BUSY,
    BROKEN,
    CLOSING,
    NOT_CONNECTED,
    NOT_FOUND,
    PipeFault,
)
from dynadock.transport.links.sockets import SocketLink

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dynadock.transport.endpoint import Endpoint
    from dynadock.transport.links.pipes import Pending, Pipe, Pipes
    from dynadock.wire.messages import Data

_HUNG_UP = (BROKEN, CLOSING, NOT_CONNECTED)
_PAUSE = 0.01
_BLOCK = 64 * 1024


def system_pipes() -> Pipes:
    """Return Windows' own pipes; Unsupported elsewhere."""
    if sys.platform != "win32":
        raise Unsupported(
            "npipe:// addresses are Windows' own; here it is unix://, tcp:// or ssh://"
        )
    # There is pywin32 on Windows only.
    from dynadock.transport.links.win32_pipes import Win32Pipes

    return Win32Pipes()


def dial_pipe(endpoint: Endpoint, timeout: float | None) -> socket.socket:
    """Open a pipe within ``timeout`` seconds: nearly a socket (see `PipeSocket`).

    OSError where that fails: FileNotFoundError, PermissionError, TimeoutError or another.
    """
    pipes = system_pipes()
    path = endpoint.path.replace("/", "\\")
    deadline = Deadline(timeout)
    while True:
        try:
            pipe = pipes.open(path)
        except PipeFault as fault:
            if fault.code == NOT_FOUND:
                raise FileNotFoundError(errno.ENOENT, str(fault)) from fault
            if fault.code == ACCESS_DENIED:
                raise PermissionError(errno.EACCES, str(fault)) from fault
            if fault.code != ALL_BUSY:
                raise
        else:
            break
        if deadline.is_over():
            raise TimeoutError("all instances of the pipe are busy")
        time.sleep(_PAUSE)
    connection = PipeSocket(pipe)
    connection.settimeout(timeout)
    return cast("socket.socket", connection)


class PipeSocket:
    """What a `SocketLink` wants of a socket, over a pipe.

    One thread may receive while another sends; `shutdown` of both directions unblocks them.
    """

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe
        self._timeout: float | None = None
        self._has_ended = False
        self._sends = True
        # The pipe is given back when it has no owner and nothing is pending.
        self._lock = threading.Lock()
        self._is_owned = True
        self._pending = 0
        self._is_down = False
        self._is_given_back = False

    def settimeout(self, seconds: float | None) -> None:
        """Set the longest wait of each later step, None for ever."""
        self._timeout = seconds

    def gettimeout(self) -> float | None:
        """Return the longest wait of each step."""
        return self._timeout

    def recv(self, size: int) -> bytes:
        """Return some bytes as soon as there are any, none at the end."""
        if self._has_ended:
            return b""
        with self._in_use():
            try:
                data = self._finish(self._pipe.read(size))
            except PipeFault as fault:
                if fault.code not in _HUNG_UP:
                    raise
                data = b""
        # An empty message: the peer sends no more.
        self._has_ended = not data
        return data

    def sendall(self, data: Data) -> None:
        """Send all of ``data``."""
        view = memoryview(data).cast("B")
        if view and not self._sends:
            raise BrokenPipeError(errno.EPIPE, "the sending side is closed")
        with self._in_use():
            # No data is no write: an empty message would be the end.
            for start in range(0, len(view), _BLOCK):
                self._write(bytes(view[start : start + _BLOCK]))

    def _write(self, data: bytes) -> None:
        try:
            self._finish(self._pipe.write(data))
        except PipeFault as fault:
            if fault.code in _HUNG_UP:
                raise BrokenPipeError(errno.EPIPE, str(fault)) from fault
            raise

    def _finish(self, pending: Pending) -> bytes:
        """Wait for an operation; TimeoutError, or ConnectionAbortedError after a shutdown."""
        if not pending.wait(self._timeout):
            pending.cancel()
        try:
            # It may have been done before it was cancelled: what was read must not be lost.
            return pending.result()
        except PipeFault as fault:
            if fault.code != ABORTED:
                raise
            if self._is_down:
                raise ConnectionAbortedError(errno.ECONNABORTED, "the pipe was closed") from None
            raise TimeoutError("timed out") from None

    def shutdown(self, how: int) -> None:
        """End sending (SHUT_WR), or every operation, also those that wait (SHUT_RDWR).

        Unsupported for SHUT_WR where the engine made a pipe without messages.
        """
        if how == socket.SHUT_WR:
            self._end_sending()
        else:
            with self._lock:
                self._is_down = True
                if not self._is_given_back:
                    self._pipe.interrupt()

    def _end_sending(self) -> None:
        if not self._pipe.takes_messages:
            raise Unsupported(
                "this pipe is one of bytes, so that input cannot end while output goes on"
            )
        if self._sends:
            self._sends = False
            with self._in_use():
                # A peer that reads bytes does not notice an empty message behind unread ones.
                self._finish(self._pipe.flush())
                self._write(b"")

    def is_idle(self) -> bool:
        """Tell whether there is nothing to be read, not even the end: then it can be used again."""
        if self._is_down or self._has_ended:
            return False
        try:
            return self._pipe.waiting() == 0
        except PipeFault:
            return False

    def close(self) -> None:
        """Close; may be called again."""
        with self._lock:
            self._is_owned = False
            self._give_back()

    def fileno(self) -> int:
        """Return -1: a pipe has no descriptor that could be polled."""
        return -1

    @contextlib.contextmanager
    def _in_use(self) -> Iterator[None]:
        with self._lock:
            if self._is_down or self._is_given_back:
                raise OSError(errno.EBADF, "the pipe is closed")
            self._pending += 1
        try:
            yield
        finally:
            with self._lock:
                self._pending -= 1
                self._give_back()

    def _give_back(self) -> None:
        """Close the pipe if it has no owner and nothing is pending; the lock is held."""
        if self._is_owned or self._is_given_back:
            return
        if self._pending:
            # What is pending when the owner closes is not wanted any more.
            self._is_down = True
            self._pipe.interrupt()
            return
        self._is_given_back = True
        self._pipe.close()


class PipeLink(SocketLink):
    """A pipe as a `Link`."""

    def offer(self, data: Data) -> tuple[int, bytes]:
        """Send ``data`` without looking for what comes: Windows cannot wait for both at once."""
        self.send(data)
        return len(data), b""

    def is_idle(self) -> bool:
        """Tell whether nothing is there to be received, not even the peer's close; never blocks."""
        return cast("PipeSocket", self._socket).is_idle()
