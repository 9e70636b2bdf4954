"""A pause behind a reply's head, for clients that read it with a buffer and lose what came with it.

docker-py does so where the connection is handed over.
"""

from __future__ import annotations

import sys
import time
from fcntl import ioctl
from termios import TIOCOUTQ

GAP = 0.01
"""Seconds between such a head and the first output."""

_LONGEST_GAP = 1.0
"""Seconds for a peer that has other things to do before it reads the head."""


def wait_for_reader(descriptor: int, at_least: float = GAP) -> None:
    """Wait until a peer has read what was sent, if that can be told, but not for ever."""
    end = time.monotonic() + _LONGEST_GAP
    time.sleep(at_least)
    while _unread(descriptor) and time.monotonic() < end:
        time.sleep(GAP / 10)


def _unread(descriptor: int) -> int:
    """Return how many bytes are on their way: for a unix socket on Linux until they are read."""
    try:
        return int.from_bytes(ioctl(descriptor, TIOCOUTQ, bytes(4)), sys.byteorder)
    except (OSError, ValueError):
        return 0
