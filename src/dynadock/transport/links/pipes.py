"""What `npipe` needs of Windows' named pipes: all that only Windows can do, and no more."""

from __future__ import annotations

from typing import Protocol

NOT_FOUND, ACCESS_DENIED, ALL_BUSY = 2, 5, 231
BROKEN, CLOSING, NOT_CONNECTED = 109, 232, 233
"""Windows' codes for a pipe whose peer has closed it."""

ABORTED = 995


class PipeFault(OSError):
    """An error of Windows: its code, and its message."""

    def __init__(self, code: int, words: str) -> None:
        super().__init__(code, f"{words} (Windows error {code})")
        self.code = code


class Pending(Protocol):
    """A read, a write or a flush that has begun."""

    def wait(self, seconds: float | None) -> bool:
        """Wait so many seconds for its end, None for ever; False after these or an interrupt."""

    def cancel(self) -> None:
        """Ask for its end; it may be done all the same."""

    def result(self) -> bytes:
        """Return what was read, once it has ended; PipeFault, `ABORTED` where it was cancelled."""


class Pipe(Protocol):
    """The client's end of a pipe: one operation of each kind at a time."""

    takes_messages: bool
    """Whether messages keep their boundaries, so that there are empty ones."""

    def read(self, size: int) -> Pending:
        """Begin to read up to ``size`` bytes."""

    def write(self, data: bytes) -> Pending:
        """Begin to write all of ``data``, as one message."""

    def flush(self) -> Pending:
        """Begin to wait until the peer has read everything."""

    def waiting(self) -> int:
        """Return how many bytes there are to be read at once; PipeFault where it has ended."""

    def interrupt(self) -> None:
        """End every wait, present and future."""

    def close(self) -> None:
        """Give the pipe back to Windows; nothing is pending any more."""


class Pipes(Protocol):
    """Where pipes come from."""

    def open(self, path: str) -> Pipe:
        r"""Open ``\\.\pipe\name``; PipeFault."""
