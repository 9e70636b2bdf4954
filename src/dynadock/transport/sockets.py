"""Sockets that the system itself connects: to a path here, to a host's port."""

from __future__ import annotations

import socket
import time

from dynadock.transport.faults import NeverReached

_PAUSE = 0.01


def dial_tcp(host: str, port: int, timeout: float | None) -> socket.socket:
    """Connect to a host's port, trying its addresses in turn."""
    try:
        connection = socket.create_connection((host, port), timeout)
    except UnicodeError as error:
        # What cannot be written as a name of the DNS: a part is empty, or too long.
        raise NeverReached(f"{host!r} is no host name: {error}") from error
    # A keystroke is not to wait for the answer to the one before it.
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def dial_unix(path: str, timeout: float | None) -> socket.socket:
    """Connect to a unix socket; one whose queue is full refuses at once, so this tries again."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(timeout)
        _connect(connection, path, time.monotonic() + (timeout or 0))
    except BaseException:
        connection.close()
        raise
    return connection


def _connect(connection: socket.socket, path: str, deadline: float) -> None:
    while True:
        try:
            connection.connect(path)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise TimeoutError("the socket's queue is full") from None
            time.sleep(_PAUSE)
        else:
            return
