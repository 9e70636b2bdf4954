"""Tar archives written: a member's header as bytes, and the pieces of an archive as blocks."""

from __future__ import annotations

import tarfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

BLOCK = 64 * 1024
"""Bytes read at a time; the blocks that are yielded are less than twice as long."""

END = bytes(2 * tarfile.BLOCKSIZE)
"""What stands behind the last member."""


def header(member: tarfile.TarInfo) -> bytes:
    """Return what stands before a member's contents."""
    # GNU's format has names of any bytes and sizes of any magnitude, and Go reads it.
    return member.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape")


def padding(size: int) -> bytes:
    """Return what stands behind contents of so many bytes."""
    return bytes(-size % tarfile.BLOCKSIZE)


def gathered(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Join small pieces, as of many small files, into blocks; pass large ones on."""
    waiting: list[bytes] = []
    size = 0
    for piece in pieces:
        if len(piece) < BLOCK:
            waiting.append(piece)
            size += len(piece)
            if size < BLOCK:
                continue
        if waiting:
            yield b"".join(waiting)
            waiting.clear()
            size = 0
        if len(piece) >= BLOCK:
            yield piece
    if waiting:
        yield b"".join(waiting)
