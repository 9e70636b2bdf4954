"""Open files: what a descriptor of the shell reads from and writes to, none of which ever waits."""

from __future__ import annotations

import errno
import os
from collections import deque
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from dynadock.simulation.files.files import Files
    from dynadock.simulation.programs.process import Process

BLOCK = 64 * 1024
"""Bytes read or written at a time, and what a pipe holds."""

_ZEROS = bytes(BLOCK)


def failure(number: int) -> OSError:
    """Return the error with this number and the system's words for it."""
    return OSError(number, os.strerror(number))


class Stream:
    """One open file, which several descriptors may share; the last one to leave closes it."""

    is_terminal = False
    can_rewind = True
    """Whether what was read too far can be given back, as in a file."""

    def __init__(self) -> None:
        self.users = 0

    def peek(self, most: int = BLOCK) -> bytes | None:  # noqa: ARG002
        """Return some of what can be read; ``b""`` at the end, None if there is nothing yet.

        Raises:
            OSError: It cannot be read from.

        """
        raise failure(errno.EBADF)

    def skip(self, count: int) -> None:  # noqa: ARG002
        """Take that much of what `peek` showed."""
        raise failure(errno.EBADF)

    def write(self, data: bytes) -> int:  # noqa: ARG002
        """Write some of ``data`` and return how much; 0 if there is no room now.

        Raises:
            BrokenPipeError: Nobody reads any more.
            OSError: It cannot be written to.

        """
        raise failure(errno.EBADF)

    def leave(self) -> None:
        """Close one of the descriptors that share it."""
        self.users -= 1
        if self.users == 0:
            self.close()

    def close(self) -> None:
        """Nobody holds it any more."""

    def read(self, size: int) -> bytes | None:
        """Take up to ``size`` bytes, as `peek` shows them."""
        piece = self.peek(size)
        if piece:
            self.skip(len(piece))
        return piece


class _Buffered(Stream):
    """A stream for reading that keeps a block of what it got from its source."""

    def __init__(self) -> None:
        super().__init__()
        self._block = b""
        self._offset = 0

    def fetch(self) -> bytes | None:
        """Return the next block of the source, as `peek` does."""
        raise NotImplementedError

    def peek(self, most: int = BLOCK) -> bytes | None:
        """Return the rest of the block, or another one."""
        if self._offset >= len(self._block):
            self._offset = 0
            self._block = b""
            piece = self.fetch()
            if not piece:
                return piece
            self._block = piece
        return self._block[self._offset : self._offset + most]

    def skip(self, count: int) -> None:
        """Take that much of the block."""
        self._offset += count


class Given(_Buffered):
    """Bytes that are there already, as a here document's are."""

    def __init__(self, data: bytes) -> None:
        super().__init__()
        self._block = data

    def fetch(self) -> bytes:
        """Return the end."""
        return b""


class ProcessInput(_Buffered):
    """The process's own input."""

    def __init__(self, process: Process) -> None:
        super().__init__()
        self._process = process
        self.is_terminal = self.can_rewind = process.is_tty

    def fetch(self) -> bytes | None:
        """Return what has come."""
        return self._process.read(BLOCK)

    def write(self, data: bytes) -> int:
        """Write to the terminal, whose descriptors are all the same."""
        if not self.is_terminal:
            raise failure(errno.EBADF)
        return ProcessOutput(self._process, 1).write(data)


class ProcessOutput(Stream):
    """The process's own output or errors."""

    def __init__(self, process: Process, channel: int) -> None:
        super().__init__()
        self._process = process
        self._channel = channel
        self.is_terminal = process.is_tty

    def write(self, data: bytes) -> int:
        """Write all, unless what was written before waits to be taken."""
        if self._process.is_full:
            return 0
        self._process.write(self._channel, bytes(data))
        return len(data)


class FileInput(_Buffered):
    """A file's content from its beginning."""

    def __init__(self, files: Files, path: str) -> None:
        super().__init__()
        self._files = files
        self._path = path
        self._read = 0

    def fetch(self) -> bytes:
        """Return the next block of the file as it is now."""
        block = self._files.read_at(self._path, self._read, BLOCK)
        self._read += len(block)
        return block


class FileOutput(Stream):
    """What is added to a file's end."""

    def __init__(self, files: Files, path: str) -> None:
        super().__init__()
        self._files = files
        self._path = path

    def write(self, data: bytes) -> int:
        """Write all."""
        self._files.write(self._path, bytes(data), append=True)
        return len(data)


class Null(Stream):
    """``/dev/null``."""

    def peek(self, most: int = BLOCK) -> bytes:  # noqa: ARG002
        """Return the end."""
        return b""

    def write(self, data: bytes) -> int:
        """Drop all."""
        return len(data)


class Zero(Null):
    """``/dev/zero``: it never ends."""

    def peek(self, most: int = BLOCK) -> bytes:
        """Return zeros."""
        return _ZEROS[:most]

    def skip(self, count: int) -> None:
        """Take some, which makes no difference."""


class Full(Zero):
    """``/dev/full``: it has no room."""

    def write(self, data: bytes) -> int:  # noqa: ARG002
        """Refuse.

        Raises:
            OSError: Always.

        """
        raise failure(errno.ENOSPC)


class Noticed(Protocol):
    """Whoever has to know that something happened, so that others look again."""

    def notice(self) -> None:
        """Something happened."""


class Pipe:
    """Up to 64 KiB between two ends."""

    def __init__(self, noticed: Noticed) -> None:
        self._noticed = noticed
        self.blocks: deque[bytes] = deque()
        self.size = 0
        self.offset = 0
        self.reader = PipeReader(self)
        self.writer = PipeWriter(self)
        self.has_reader = self.has_writer = True

    def notice(self) -> None:
        """Wake the other end."""
        self._noticed.notice()


class PipeReader(Stream):
    """The end that reads."""

    can_rewind = False

    def __init__(self, pipe: Pipe) -> None:
        super().__init__()
        self._pipe = pipe

    def peek(self, most: int = BLOCK) -> bytes | None:
        """Return the oldest block; the end once no writer is left."""
        pipe = self._pipe
        if pipe.blocks:
            return pipe.blocks[0][pipe.offset : pipe.offset + most]
        return None if pipe.has_writer else b""

    def skip(self, count: int) -> None:
        """Take from the oldest block."""
        pipe = self._pipe
        pipe.offset += count
        pipe.size -= count
        if pipe.offset >= len(pipe.blocks[0]):
            pipe.blocks.popleft()
            pipe.offset = 0
        pipe.notice()

    def close(self) -> None:
        """Break the pipe."""
        self._pipe.has_reader = False
        self._pipe.blocks.clear()
        self._pipe.notice()


class PipeWriter(Stream):
    """The end that writes."""

    def __init__(self, pipe: Pipe) -> None:
        super().__init__()
        self._pipe = pipe

    def write(self, data: bytes) -> int:
        """Write as much as there is room for."""
        pipe = self._pipe
        if not pipe.has_reader:
            raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))
        room = BLOCK - pipe.size
        if room <= 0:
            return 0
        piece = bytes(data[:room])
        pipe.blocks.append(piece)
        pipe.size += len(piece)
        pipe.notice()
        return len(piece)

    def close(self) -> None:
        """End what is read."""
        self._pipe.has_writer = False
        self._pipe.notice()


class Descriptors:
    """Which stream is behind which number."""

    def __init__(self) -> None:
        self._streams: dict[int, Stream] = {}

    def __getitem__(self, number: int) -> Stream:
        """Return the stream.

        Raises:
            OSError: It is closed.

        """
        stream = self._streams.get(number)
        if stream is None:
            raise failure(errno.EBADF)
        return stream

    def get(self, number: int) -> Stream | None:
        """Return the stream, or None if it is closed."""
        return self._streams.get(number)

    def put(self, number: int, stream: Stream | None) -> None:
        """Let a number mean this stream from now on; None closes it."""
        if stream is not None:
            stream.users += 1
        before = self._streams.pop(number, None)
        if stream is not None:
            self._streams[number] = stream
        if before is not None:
            before.leave()

    def copy(self) -> Descriptors:
        """Return the same streams for a child."""
        other = Descriptors()
        for number, stream in self._streams.items():
            other.put(number, stream)
        return other

    def close(self) -> None:
        """Leave all of them."""
        for number in [*self._streams]:
            self.put(number, None)


def descriptors_of(process: Process) -> Descriptors:
    """Return what a process begins with."""
    found = Descriptors()
    found.put(0, ProcessInput(process))
    found.put(1, ProcessOutput(process, 1))
    found.put(2, ProcessOutput(process, 2))
    return found
