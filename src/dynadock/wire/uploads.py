"""Request bodies that are read and sent block by block: files, and iterators of bytes."""

from __future__ import annotations

import contextlib
import os
import stat
from functools import cached_property
from io import BufferedRandom, BufferedReader, FileIO
from os import PathLike
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

OpenFile = FileIO | BufferedReader | BufferedRandom
"""What `open` returns for a file in binary mode."""

CHUNK = 64 * 1024
"""Bytes of a file that are read and sent at a time.

More is slower: beyond 128 KiB the allocator gives each block's pages back and faults them in again,
which doubles the time of a transfer (bench/).
"""


class Measured:
    """An iterator over the rest of a file, in blocks, with its ``length`` in bytes.

    Engines take a body of a known length a fifth faster than one in chunks (bench/). The length is
    fixed when it is first asked for, which is when the request is sent: what is appended later is
    not sent. Iterating raises OSError if the file has become shorter.
    """

    def __init__(self, file: PathLike[str] | OpenFile) -> None:
        self._file = file
        self._blocks = self._read()

    @cached_property
    def length(self) -> int:
        """Bytes from the file's current position to its end."""
        if isinstance(self._file, PathLike):
            return os.stat(self._file).st_size
        return os.fstat(self._file.fileno()).st_size - self._file.tell()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        return next(self._blocks)

    def _read(self) -> Iterator[bytes]:
        left = self.length
        with _opened(self._file) as file:
            while left and (block := file.read(min(CHUNK, left))):
                left -= len(block)
                yield block
        if left:
            name = getattr(self._file, "name", self._file)
            raise OSError(
                f"{name} became shorter while it was sent: {left} of its {self.length} bytes are"
                " missing, and the engine got no whole body"
            )


def why_not_sent(source: Any) -> str:
    """Say why nothing, or nothing but an error, would be sent of a file or a generator, else "".

    Of a pipe, a socket or another iterator that cannot be known before it is read. What is empty
    from its beginning on is sent: that may be meant.
    """
    if getattr(source, "gi_frame", source) is None:
        return "the generator has ended already; make another one"
    return _why_not_read(source) if hasattr(source, "read") else ""


def _why_not_read(file: Any) -> str:
    if getattr(file, "closed", False) is True:
        return "the file is closed"
    if hasattr(file, "readable") and not file.readable():
        return "the file is not open for reading"
    if hasattr(file, "encoding"):
        return "the file gives text; open it in binary mode ('rb')"
    return "the file is at its end; seek(0) goes back to its beginning" if _is_at_end(file) else ""


def _is_at_end(file: Any) -> bool:
    """Tell whether a file was read, or written, to its end; False where it cannot go back."""
    try:
        place = file.tell() if hasattr(file, "seekable") and file.seekable() else 0
    except (OSError, ValueError):
        # It does not know its place, and may be read all the same.
        return False
    if place == 0:
        return False
    if hasattr(file, "peek"):
        return not file.peek(1)
    following = file.read(1)
    file.seek(place)
    return not following


def blocks_of(body: Any) -> bytes | Iterator[bytes]:
    """Return a binary body as it is sent: bytes, or an iterator of bytes that reads when asked.

    A regular file that is larger than a block becomes a `Measured`: smaller ones gain nothing by
    it, and the kernel's own files (/proc, /sys) report sizes that are not theirs. An iterator that
    yields anything but bytes raises TypeError then.
    """
    if isinstance(body, bytes):
        return body
    if _has_known_length(body):
        return Measured(body)
    if isinstance(body, PathLike):
        return _read_path(body)
    return _checked(_read(body) if hasattr(body, "read") else body)


def _has_known_length(body: Any) -> bool:
    if isinstance(body, PathLike):
        status = os.stat(body)
        size = status.st_size
    elif _is_file(body):
        status = os.fstat(body.fileno())
        size = status.st_size - (body.tell() if stat.S_ISREG(status.st_mode) else 0)
    else:
        return False
    return stat.S_ISREG(status.st_mode) and size > CHUNK


def _is_file(body: Any) -> bool:
    # Exactly these types: others have a file's descriptor, but give other bytes (gzip.GzipFile).
    raw = body.raw if type(body) in (BufferedReader, BufferedRandom) else body
    return type(raw) is FileIO


def _opened(
    file: PathLike[str] | OpenFile,
) -> contextlib.AbstractContextManager[Any]:
    """Open a path, and close it in the end; a file that is open already stays open."""
    if isinstance(file, PathLike):
        return open(file, "rb", buffering=0)
    return contextlib.nullcontext(file)


def _read_path(path: PathLike[str]) -> Iterator[bytes]:
    with _opened(path) as file:
        yield from _read(file)


def _read(file: Any) -> Iterator[Any]:
    while block := file.read(CHUNK):
        yield block


def _checked(blocks: Iterable[Any]) -> Iterator[bytes]:
    for block in blocks:
        if not isinstance(block, (bytes, bytearray, memoryview)):
            raise TypeError(f"expected an iterator of bytes, it gave a {type(block).__name__}")
        if block:
            yield bytes(block)
