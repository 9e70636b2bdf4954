"""Bytes and tar archives as they come."""

from __future__ import annotations

import os
from io import BytesIO
from typing import IO, TYPE_CHECKING, Literal

from dynadock.atomic import replacing
from dynadock.call.interpret import decoded_headers
from dynadock.errors import TransportError
from dynadock.streams.stream import Stream
from dynadock.wire.coding import too_large
from dynadock.wire.messages import Reply

if TYPE_CHECKING:
    import tarfile
    from collections.abc import Iterator

    from dynadock.streams.flow import Origin, Source
    from dynadock.wire.messages import Headers


class ByteStream(Stream):
    """Bytes, read like a binary file; iterating yields them block by block, as they come."""

    def __init__(self, source: Source, origin: Origin) -> None:
        super().__init__(source, origin)
        self._left = memoryview(b"")

    def _forget(self) -> None:
        self._left = memoryview(b"")

    def __iter__(self) -> Iterator[bytes]:
        while block := self.read1():
            yield block

    def __next__(self) -> bytes:
        for block in self:
            return block
        raise StopIteration

    def read1(self, size: int = -1) -> bytes:
        """Return some bytes as soon as there are any, at most ``size``; none at the end."""
        if not size:
            return b""
        block = self._left or memoryview(self._receive())
        self._left = block[size:] if 0 < size < len(block) else memoryview(b"")
        return bytes(block[:size] if size > 0 else block)

    def read(self, size: int | None = -1) -> bytes:
        """Return ``size`` bytes, fewer only at the end; all that come without a size.

        Raises TooLarge where all that come are more than the option ``limit``.
        """
        if size is None or size < 0:
            return self._read_all()
        block = self.read1(size)
        if len(block) in (0, size):
            return block
        blocks = BytesIO()
        left = size - blocks.write(block)
        while left and (block := self.read1(left)):
            left -= blocks.write(block)
        return blocks.getvalue()

    def _read_all(self) -> bytes:
        blocks, limit = BytesIO(), self._origin.limit
        with self._within_limit():
            while block := self.read1():
                blocks.write(block)
                if limit is not None and blocks.tell() > limit:
                    raise too_large(limit, of="what is read of the stream")
        return blocks.getvalue()

    def copy_to(self, file: IO[bytes]) -> int:
        """Read to the end, write everything to ``file``, and return the number of bytes."""
        size = 0
        with self:
            for block in self:
                file.write(block)
                size += len(block)
        return size


class Download(ByteStream):
    """A file as the engine sends it, for instance in answer to an export."""

    @property
    def headers(self) -> Headers:
        """The reply's headers; those that carry encoded objects are decoded."""
        reply = Reply(self.status, self._source.headers, b"")
        return decoded_headers(self._origin.operation, reply, self._origin.host)

    def save(self, path: str | os.PathLike[str]) -> int:
        """Read to the end into the file at ``path``, and return its size in bytes.

        The file appears only when it is complete: the bytes go to a new file beside it, which
        replaces it at the end. The new file gets the old one's permissions and (if we are allowed
        to) its owner, and meanwhile nobody can read it who cannot read the old one. A symlink is
        followed; a device or pipe is written to directly. Raises OSError if that fails, ValueError
        for a path that no system accepts, and whatever reading raises; then nothing is left behind.
        """
        from dynadock.archive.names import usable_path

        with self:
            usable_path(path, "path")
            is_device = os.path.exists(path) and not os.path.isfile(path)
            with open(path, "wb") if is_device else replacing(path) as file:
                return self.copy_to(file)


class TarStream(Download):
    """A tar archive as it comes: read it, save it, look through it or extract it."""

    def members(self) -> Iterator[tuple[tarfile.TarInfo, IO[bytes] | None]]:
        """Yield each member with its content, an open file, or None if it has no content.

        The content can be read until the next member is asked for. Raises MalformedStream if the
        bytes are not a tar archive, or have more than 1 MiB of headers (names, extended attributes)
        before a member; TruncatedStream if they end too early.
        """
        from dynadock.archive.unpack import members

        try:
            yield from members(_AsItComes(self))
        except TransportError as fault:
            self._fail(self._placed(fault))

    def extract(
        self, folder: str | os.PathLike[str], *, unsafe: Literal["refuse", "skip"] = "refuse"
    ) -> list[str]:
        """Write the archive's members into ``folder``, which is created if it is missing.

        Owners are not kept, nor the setuid and setgid bits. UnsafeMember is raised for members that
        would be written outside the folder, links that lead out of it, devices, and members below
        more than 200 folders or with names of more than 4095 bytes. With ``unsafe="skip"`` these
        are left out instead, and their names returned. Also raises what `members` does, OSError if
        the file system refuses, and ValueError for a path that no system accepts.
        """
        from dynadock.archive.unpack import extract

        with self:
            try:
                return extract(_AsItComes(self), folder, unsafe=unsafe)
            except TransportError as fault:
                self._fail(self._placed(fault))


class _AsItComes:
    """A stream whose ``read`` returns as soon as there are some bytes, as ``read1`` does."""

    def __init__(self, stream: ByteStream) -> None:
        self.read = stream.read1
