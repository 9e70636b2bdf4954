"""How a server ends a connection."""

from __future__ import annotations

import socket
import time
from contextlib import suppress

_LINGERS = 2.0
"""Seconds that a peer has to take the last of an answer before the connection is gone."""

_BLOCK = 64 * 1024
_MOST_UNREAD = 16 * 2**20


def cut(sock: socket.socket) -> None:
    """Make an end of both directions, which wakes whoever uses the socket."""
    with suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)


def linger(sock: socket.socket) -> None:
    """Let the peer take the last of an answer, and hang up first; OSError if it is gone.

    A socket that is closed with something unread throws away what its peer has not read yet.
    """
    sock.shutdown(socket.SHUT_WR)
    end = time.monotonic() + _LINGERS
    left = _MOST_UNREAD
    while left > 0 and (seconds := end - time.monotonic()) > 0:
        sock.settimeout(seconds)
        came = len(sock.recv(_BLOCK))
        if not came:
            return
        left -= came
