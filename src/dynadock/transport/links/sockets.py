"""Sockets as links: how they are connected, to a path here or to a host's port, and used."""

from __future__ import annotations

import contextlib
import errno
import os
import select
import socket
import time
from typing import TYPE_CHECKING

from dynadock.deadline import Deadline
from dynadock.transport import forks
from dynadock.transport.faults import NeverReached
from dynadock.transport.links.link import READ

if TYPE_CHECKING:
    from dynadock.wire.messages import Data

_PAUSE = 0.01

_LISTEN_AFTER = 1024 * 1024
"""Bytes that are sent before a look at what the peer sends meanwhile."""

_LONGEST_POLL = 2**31 - 1
"""Milliseconds; poll takes no more."""

_HAS_POLL = hasattr(select, "poll")
"""Windows has none, and cannot wait to send and to receive at once."""


def dial_tcp(host: str, port: int, timeout: float | None) -> socket.socket:
    """Connect to a host's port, trying its addresses in turn."""
    try:
        connection = socket.create_connection((host, port), timeout)
    except UnicodeError as error:
        # The DNS has no such names: a label is empty, or too long.
        raise NeverReached(f"{host!r} is not a host name: {error}") from error
    # Without Nagle's algorithm, by which a keystroke waits until the last one is acknowledged.
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def dial_unix(path: str, timeout: float | None) -> socket.socket:
    """Connect to a unix socket; one whose backlog is full refuses at once, so this retries."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(timeout)
        _connect(connection, path, Deadline(timeout or 0))
    except BaseException:
        connection.close()
        raise
    return connection


def _connect(connection: socket.socket, path: str, deadline: Deadline) -> None:
    while True:
        try:
            connection.connect(path)
        except BlockingIOError:
            if deadline.is_over():
                raise TimeoutError("the socket's queue is full") from None
            time.sleep(_PAUSE)
        else:
            return


class SocketLink:
    """A plain socket as a `Link`."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._seconds = connection.gettimeout()
        self._readable: select.poll | None = None
        self._either: select.poll | None = None
        self._unheard = 0  # bytes sent since the last look at what comes
        forks.note(self)

    def let_go(self) -> None:
        """Leave the parent's socket: nothing that is done here may reach its connection."""
        connection, self._socket = self._socket, socket.socket()
        self._socket.close()
        forks.drop_socket(connection)

    def allow(self, seconds: float | None) -> None:
        """Set the longest wait of each later step, None for ever."""
        if seconds != self._seconds:
            self._socket.settimeout(seconds)
            self._seconds = seconds

    def receive(self) -> bytes:
        """Return some bytes as soon as there are any, none at the end."""
        return self._socket.recv(READ)

    def send(self, data: Data) -> None:
        """Send all of ``data``."""
        self._socket.sendall(data)

    def offer(self, data: Data) -> tuple[int, bytes]:
        """Send some of ``data``, or receive what the peer sends before it takes any.

        It looks for what comes only where sending would block, and now and then: a look each time
        would cost a third of the throughput (bench/).
        """
        if not _HAS_POLL:
            self._socket.sendall(data)
            return len(data), b""
        if self._unheard < _LISTEN_AFTER:
            try:
                sent = self._send_now(data)
            except BlockingIOError:
                pass
            else:
                self._unheard += sent
                return sent, b""
        self._unheard = 0
        if self._wait_to_send() & select.POLLIN:
            if came := self._socket.recv(READ):
                return 0, came
            raise ConnectionResetError("the other side hung up")
        return 0, b""

    def _send_now(self, data: Data) -> int:
        """Send what can be sent without waiting; BlockingIOError if that is nothing."""
        if self._seconds is None:
            return self._socket.send(data, socket.MSG_DONTWAIT)
        # The descriptor does not block, but a socket object with a timeout would wait for it.
        return os.write(self._socket.fileno(), data)

    def _wait_to_send(self) -> int:
        if self._either is None:
            self._either = self._poll_for(select.POLLOUT | select.POLLIN)
        events = self._either.poll(_milliseconds(self._seconds))
        if not events:
            raise TimeoutError("timed out")
        return events[0][1]

    def is_idle(self) -> bool:
        """Tell whether nothing is there to be received, not even the peer's close; never blocks."""
        return not self._has_come()

    def _has_come(self) -> bool:
        """Tell whether the socket has something to read, or has ended or broken."""
        return self._is_readable_within(0)

    def _wait_to_receive(self, seconds: float | None) -> None:
        if not self._is_readable_within(seconds):
            raise TimeoutError("timed out")

    def _is_readable_within(self, seconds: float | None) -> bool:
        if not _HAS_POLL:
            return bool(select.select([self._socket], [], [], seconds)[0])
        if self._readable is None:
            self._readable = self._poll_for(select.POLLIN)
        return bool(self._readable.poll(_milliseconds(seconds)))

    def _poll_for(self, events: int) -> select.poll:
        poll = select.poll()
        try:
            poll.register(self._socket, events)
        except ValueError:
            raise OSError(errno.EBADF, "the socket is closed") from None
        return poll

    def close_sending(self) -> None:
        """Half-close: tell the peer that nothing more will be sent; it may go on sending."""
        try:
            self._socket.shutdown(socket.SHUT_WR)
        except OSError as error:
            # The peer has closed already.
            if error.errno != errno.ENOTCONN:
                raise

    def close(self) -> None:
        """Close for good, which unblocks other threads; may be called again."""
        # Closing alone would leave another thread blocked in recv.
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def fileno(self) -> int:
        """Return the descriptor to poll, -1 once closed."""
        return self._socket.fileno()


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else min(seconds * 1000, _LONGEST_POLL)
