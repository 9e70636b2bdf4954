"""Windows' named pipes by pywin32, with overlapped operations: what `npipe` uses.

It takes no decisions, as it can be tested on Windows only.
"""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Any

import pywintypes
import win32event
import win32file
import win32pipe

from dynadock.transport.links.pipes import ABORTED, PipeFault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dynadock.transport.links.pipes import Pending

_OVERLAPPED = 0x40000000
_ANONYMOUS = 0x00100000
"""The engine is not to act in this user's name (SECURITY_SQOS_PRESENT, SECURITY_ANONYMOUS)."""

_READ_WRITE = 0xC0000000
_OPEN_EXISTING = 3
_TYPE_MESSAGE = 4
_FOR_EVER = -1
_LONGEST = 2**31 - 1
"""Milliseconds."""


@contextlib.contextmanager
def _faults() -> Iterator[None]:
    try:
        yield
    except pywintypes.error as error:
        raise PipeFault(error.winerror, error.strerror) from error


def _milliseconds(seconds: float | None) -> int:
    return _FOR_EVER if seconds is None else min(round(seconds * 1000), _LONGEST)


class Win32Pipes:
    """Where pipes come from."""

    def open(self, path: str) -> Win32Pipe:
        """Open a pipe; PipeFault."""
        with _faults():
            handle = win32file.CreateFile(
                path, _READ_WRITE, 0, None, _OPEN_EXISTING, _OVERLAPPED | _ANONYMOUS, None
            )
            return Win32Pipe(handle)


class Win32Pipe:
    """The client's end of a pipe."""

    def __init__(self, handle: Any) -> None:
        self._handle = handle
        self._interrupted = win32event.CreateEvent(None, True, False, None)
        flags = win32pipe.GetNamedPipeInfo(handle)[0]
        self.takes_messages = bool(flags & _TYPE_MESSAGE)

    def read(self, size: int) -> Pending:
        """Begin to read up to ``size`` bytes."""
        buffer = win32file.AllocateReadBuffer(size)
        overlapped = _overlapped()
        with _faults():
            win32file.ReadFile(self._handle, buffer, overlapped)
        return _Overlapped(self._handle, overlapped, self._interrupted, buffer)

    def write(self, data: bytes) -> Pending:
        """Begin to write all of ``data``, as one message."""
        overlapped = _overlapped()
        with _faults():
            win32file.WriteFile(self._handle, data, overlapped)
        return _Overlapped(self._handle, overlapped, self._interrupted, data)

    def flush(self) -> Pending:
        """Begin to wait until the peer has read everything."""
        return _Flush(self._handle, self._interrupted)

    def waiting(self) -> int:
        """Return how many bytes there are to be read at once."""
        with _faults():
            return win32pipe.PeekNamedPipe(self._handle, 0)[1]

    def interrupt(self) -> None:
        """End every wait, present and future."""
        win32event.SetEvent(self._interrupted)

    def close(self) -> None:
        """Give the pipe back to Windows."""
        self._handle.Close()


def _overlapped() -> Any:
    overlapped = pywintypes.OVERLAPPED()
    overlapped.hEvent = win32event.CreateEvent(None, True, False, None)
    return overlapped


def _wait(done: Any, interrupted: Any, seconds: float | None) -> bool:
    # Of two set events Windows reports the first: done counts, even if interrupted as well.
    events = [done, interrupted]
    found = win32event.WaitForMultipleObjects(events, False, _milliseconds(seconds))
    return bool(found == win32event.WAIT_OBJECT_0)


class _Overlapped:
    """An overlapped operation, and the memory that it reads to or writes from."""

    def __init__(self, handle: Any, overlapped: Any, interrupted: Any, buffer: Any) -> None:
        self._handle = handle
        self._overlapped = overlapped
        self._interrupted = interrupted
        self._buffer = buffer

    def wait(self, seconds: float | None) -> bool:
        """Wait for its end."""
        return _wait(self._overlapped.hEvent, self._interrupted, seconds)

    def cancel(self) -> None:
        """Ask for its end: CancelIo is for what this thread began, as this was."""
        with _faults():
            win32file.CancelIo(self._handle)

    def result(self) -> bytes:
        """Return what was read or written, once it has ended."""
        with _faults():
            size = win32file.GetOverlappedResult(self._handle, self._overlapped, True)
        return bytes(self._buffer[:size])


class _Flush:
    """A flush, for which Windows has no overlapped form: a thread of its own waits."""

    def __init__(self, handle: Any, interrupted: Any) -> None:
        self._handle = handle
        self._interrupted = interrupted
        self._done = win32event.CreateEvent(None, True, False, None)
        self._fault: PipeFault | None = None
        self._is_cancelled = False
        threading.Thread(target=self._flush, name="dynadock flush", daemon=True).start()

    def _flush(self) -> None:
        try:
            with _faults():
                win32file.FlushFileBuffers(self._handle)
        except PipeFault as fault:
            self._fault = fault
        finally:
            win32event.SetEvent(self._done)

    def wait(self, seconds: float | None) -> bool:
        """Wait for its end."""
        return _wait(self._done, self._interrupted, seconds)

    def cancel(self) -> None:
        """Leave the thread to itself: it ends with the pipe."""
        self._is_cancelled = True

    def result(self) -> bytes:
        """Return nothing, once it has ended."""
        if self._is_cancelled:
            raise PipeFault(ABORTED, "the flush was given up")
        if self._fault is not None:
            raise self._fault
        return b""
