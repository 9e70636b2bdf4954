"""HTTP connections for urllib3's pools: what urllib3 and http.client leave to be desired."""

from __future__ import annotations

import io
from http.client import HTTPException, HTTPResponse, RemoteDisconnected
from typing import TYPE_CHECKING, Any

from urllib3.connection import HTTPConnection

from dynadock.call.chunks import LONGEST_TRAILERS
from dynadock.call.http1 import LONGEST_HEAD
from dynadock.options import CONNECT_TIMEOUT
from dynadock.transport import forks
from dynadock.transport.distrust import check_plain

if TYPE_CHECKING:
    import socket

    from urllib3.response import HTTPResponse as PoolResponse

    from dynadock.transport.bounded import Slots


class NothingCame(RemoteDisconnected):
    """The connection ended before any byte of the reply."""


class Stale(NothingCame):
    """A connection that had served before ended before any byte of the reply.

    The engine most likely closed it while it was idle, though this is no proof.
    """


class _WholeLines(io.BufferedReader):
    """Refuses a line that the connection's end cuts short, and more lines than are allowed.

    http.client takes a head that ends anywhere for a whole one, and what it lacks for empty. It
    reads interim heads and trailers without an end.
    """

    _left: int | None = None

    def allow(self, size: int | None) -> None:
        """Set how many bytes of lines may still be read, None for any."""
        self._left = size

    def readline(self, size: int | None = -1, /) -> bytes:
        line = super().readline(size)
        if not line.endswith(b"\n") and len(line) != size:
            check_plain(line)
            raise RemoteDisconnected("it ended in the middle of a line")
        if self._left is not None:
            self._left -= len(line)
            if self._left < 0:
                raise HTTPException("its head or trailers have no end")
        return line


class _Response(HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self._lines = self.fp = _WholeLines(self.fp.detach())

    def begin(self) -> None:
        self._check_beginning()
        self._lines.allow(LONGEST_HEAD)
        super().begin()
        self._lines.allow(None)

    def _check_beginning(self) -> None:
        try:
            if self._lines.peek(1):
                return
        except ConnectionError as error:
            raise NothingCame(str(error)) from error
        raise NothingCame("it ended before any reply")

    def _read_and_discard_trailer(self) -> None:
        self._lines.allow(LONGEST_TRAILERS)
        super()._read_and_discard_trailer()  # type: ignore[misc] # typeshed leaves it out


class TcpConnection(HTTPConnection):
    """A connection that something else makes (`_open`).

    Connecting has a limit of its own; the caller's is for sending and receiving.
    """

    response_class = _Response

    slots: Slots | None = None
    """Where the place was taken that this connection has while it is in use."""

    _has_served = False
    _is_answered = False

    def _new_conn(self) -> socket.socket:
        allowed = self.timeout
        self.timeout = time_to_connect(allowed)
        try:
            connection = self._open()
        finally:
            self.timeout = allowed
        connection.settimeout(allowed)
        self._has_served = False
        forks.note(self)
        return connection

    def _open(self) -> socket.socket:
        """Connect within ``self.timeout``."""
        raise NotImplementedError

    def getresponse(self) -> PoolResponse:  # type: ignore[override] # as urllib3 has it
        """Return the reply once its head has come; Stale where a kept connection brings none."""
        self._is_answered = True
        try:
            response = super().getresponse()
        except NothingCame as error:
            raise (Stale(*error.args) if self._has_served else error) from error.__cause__
        finally:
            self._is_answered = False
        self._has_served = True
        return response

    def close(self) -> None:
        """Close; the place goes back unless the socket has only been handed on to a reply."""
        super().close()
        if self.slots is not None and not self._is_answered:
            slots, self.slots = self.slots, None
            slots.give_back()

    def let_go(self) -> None:
        """Leave a socket that is a parent's: the next request opens another."""
        connection, self.sock = self.sock, None
        if connection is not None:
            forks.drop_socket(connection)


def time_to_connect(allowed: float | None) -> float:
    """Return the seconds in which a call that waits ``allowed`` seconds has to be connected."""
    return CONNECT_TIMEOUT if allowed is None else min(allowed, CONNECT_TIMEOUT)
