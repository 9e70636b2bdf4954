"""One connection as streams use it: bytes in, bytes out, and the end of either."""

from __future__ import annotations

import contextlib
import errno
import os
import select
import socket
from typing import TYPE_CHECKING, Protocol

from dynadock.transport import forks

if TYPE_CHECKING:
    from dynadock.call.request import Data

READ = 64 * 1024
"""Bytes to receive at a time: the allocator is slow with blocks beyond 128 KiB (bench/)."""

_LISTEN_AFTER = 1024 * 1024
"""Bytes sent without listening for what the other side says meanwhile."""

_LONGEST_POLL = 2**31 - 1
"""Milliseconds; poll takes no more."""


class Link(Protocol):
    """What an exchange needs of a connection, whatever it is made of.

    Every method raises OSError when the connection breaks, TimeoutError (an OSError) when the time
    allowed is over. One thread may receive while another sends, and `close` ends both.
    """

    def allow(self, seconds: float | None) -> None:
        """Set the longest wait of each later step, None for ever."""

    def receive(self) -> bytes:
        """Return some bytes as soon as there are any, none at the end."""

    def send(self, data: Data) -> None:
        """Send all of ``data``."""

    def offer(self, data: memoryview) -> tuple[int, bytes]:
        """Send some of ``data``, or receive what comes before it is taken.

        Return how much was sent, and what came.
        """

    def close_sending(self) -> None:
        """Tell the other side that nothing more will be sent; it may go on sending."""

    def close(self) -> None:
        """Close for good, ending what other threads wait for; may be called again."""

    def fileno(self) -> int:
        """Return the descriptor to wait at, -1 once closed."""


class SocketLink:
    """A plain socket as a `Link`."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._poll: select.poll | None = None
        self._unheard = 0  # bytes sent since this last listened
        forks.note(self)

    def let_go(self) -> None:
        """Leave a socket that is a parent's, so that neither reading nor closing reaches it."""
        connection, self._socket = self._socket, socket.socket()
        self._socket.close()
        forks.drop_socket(connection)

    def allow(self, seconds: float | None) -> None:
        """Set the longest wait of each later step, None for ever."""
        self._socket.settimeout(seconds)

    def receive(self) -> bytes:
        """Return some bytes as soon as there are any, none at the end."""
        return self._socket.recv(READ)

    def send(self, data: Data) -> None:
        """Send all of ``data``."""
        self._socket.sendall(data)

    def offer(self, data: memoryview) -> tuple[int, bytes]:
        """Send some of ``data``, or receive what comes before it is taken.

        Listened for is where sending has to wait, and now and then: each time would cost a third of
        a transfer's speed (bench/).
        """
        if not hasattr(select, "poll"):
            # Windows cannot wait for both at once.
            self._socket.sendall(data)
            return len(data), b""
        if self._unheard < _LISTEN_AFTER:
            with contextlib.suppress(BlockingIOError):
                sent = self._send_now(data)
                self._unheard += sent
                return sent, b""
        self._unheard = 0
        if self._wait_to_send() & select.POLLIN:
            if came := self._socket.recv(READ):
                return 0, came
            raise ConnectionResetError("the other side hung up")
        return 0, b""

    def _send_now(self, data: memoryview) -> int:
        """Send what can be sent without waiting; BlockingIOError if that is nothing."""
        if self._socket.gettimeout() is None:
            return self._socket.send(data, socket.MSG_DONTWAIT)
        # The descriptor does not block, but a socket object with a timeout would wait for it.
        return os.write(self._socket.fileno(), data)

    def _wait_to_send(self) -> int:
        if self._poll is None:
            self._poll = select.poll()
            self._poll.register(self._socket, select.POLLOUT | select.POLLIN)
        seconds = self._socket.gettimeout()
        events = self._poll.poll(None if seconds is None else min(seconds * 1000, _LONGEST_POLL))
        if not events:
            raise TimeoutError("timed out")
        return events[0][1]

    def close_sending(self) -> None:
        """Tell the other side that nothing more will be sent; it may go on sending."""
        try:
            self._socket.shutdown(socket.SHUT_WR)
        except OSError as error:
            # The other side has closed already, so that there is nobody to tell.
            if error.errno != errno.ENOTCONN:
                raise

    def close(self) -> None:
        """Close for good, ending what other threads wait for; may be called again."""
        # Closing alone would leave another thread waiting in recv.
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def fileno(self) -> int:
        """Return the descriptor to wait at, -1 once closed."""
        return self._socket.fileno()
