"""What `npipe` needs of Windows' named pipes: all that only Windows can do, and no more."""

from __future__ import annotations

from typing import Protocol

NOT_FOUND, ACCESS_DENIED, ALL_BUSY = 2, 5, 231
BROKEN, CLOSING, NOT_CONNECTED = 109, 232, 233
"""What Windows says of a pipe whose other side has hung up."""

ABORTED = 995


class PipeFault(OSError):
    """What Windows says no to: its own code, and its words."""

    def __init__(self, code: int, words: str) -> None:
        super().__init__(code, f"{words} (Windows error {code})")
        self.code = code


class Pending(Protocol):
    """A read, a write or a flush that has begun."""

    def wait(self, seconds: float | None) -> bool:
        """Wait for its end, None for ever; False if time is over, or the pipe is interrupted."""

    def cancel(self) -> None:
        """Ask for its end; it may have been done at the last moment."""

    def result(self) -> bytes:
        """Return what was read, once it has ended; PipeFault, `ABORTED` where it was cancelled."""


class Pipe(Protocol):
    """The client's end of a pipe: one operation of each kind at a time."""

    takes_messages: bool
    """Whether its messages have borders, so that there are some of no bytes."""

    def read(self, size: int) -> Pending:
        """Begin to read up to ``size`` bytes."""

    def write(self, data: bytes) -> Pending:
        """Begin to write all of ``data``, as one message."""

    def flush(self) -> Pending:
        """Begin to wait until the other side has read everything."""

    def waiting(self) -> int:
        """Return how many bytes there are to be read at once; PipeFault where it has ended."""

    def interrupt(self) -> None:
        """End every wait, those to come too."""

    def close(self) -> None:
        """Give the pipe back to Windows; nothing is pending any more."""


class Pipes(Protocol):
    """Where pipes come from."""

    def open(self, path: str) -> Pipe:
        r"""Open ``\\.\pipe\name``; PipeFault."""
