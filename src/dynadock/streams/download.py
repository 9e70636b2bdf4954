"""Bytes and tar archives as they come."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Literal

from dynadock.call.interpret import Reply, decoded_headers
from dynadock.streams.stream import Stream

if TYPE_CHECKING:
    import tarfile
    from collections.abc import Iterator

    from dynadock.call.record import Headers
    from dynadock.streams.stream import Origin, Source


class ByteStream(Stream):
    """Bytes, to be read as a binary file is; iterating gives them block by block, as they come."""

    def __init__(self, source: Source, origin: Origin) -> None:
        super().__init__(source, origin)
        self._left = memoryview(b"")

    def _forget(self) -> None:
        self._left = memoryview(b"")

    def __iter__(self) -> Iterator[bytes]:
        while block := self.read1():
            yield block

    def read1(self, size: int = -1) -> bytes:
        """Return some bytes as soon as there are any, at most ``size``; none at the end."""
        block = bytes(self._left) if self._left else self._receive()
        if 0 <= size < len(block):
            self._left = memoryview(block)[size:]
            return block[:size]
        self._left = memoryview(b"")
        return block

    def read(self, size: int | None = -1) -> bytes:
        """Return ``size`` bytes, fewer only at the end; all that come without a size."""
        wanted = -1 if size is None else size
        blocks = []
        while wanted and (block := self.read1(wanted)):
            blocks.append(block)
            wanted -= len(block) if wanted > 0 else 0
        return b"".join(blocks)

    def readable(self) -> bool:
        """Tell that this can be read, as files do."""
        return True

    def copy_to(self, file: IO[bytes]) -> int:
        """Read to the end, write everything to ``file``, and return how many bytes that were."""
        size = 0
        with self:
            for block in self:
                file.write(block)
                size += len(block)
        return size


class Download(ByteStream):
    """A file's worth of bytes: what the engine sends in answer to an export."""

    @property
    def headers(self) -> Headers:
        """The reply's headers; those that carry encoded objects are decoded."""
        reply = Reply(self.status, self._source.headers, b"")
        return decoded_headers(self._origin.operation, reply, self._origin.host)

    def save(self, path: str | os.PathLike[str]) -> int:
        """Read to the end into the file at ``path``, and return its size in bytes.

        The file is there when it is whole and not before: bytes go to a new file beside it, which
        takes its place at the end. Raises OSError where that cannot be written, and what reading
        raises; nothing is left behind then.
        """
        # Imported here for start-up time: few streams are saved.
        import tempfile  # noqa: PLC0415

        target = Path(path)
        new_file = partial(tempfile.NamedTemporaryFile, dir=target.parent, delete=False)
        with self, new_file(prefix=f".{target.name}.", suffix=".part") as part:
            try:
                size = self.copy_to(part)
                part.close()
                Path(part.name).chmod(0o666 & ~_umask())
                Path(part.name).replace(target)
            except BaseException:
                part.close()
                Path(part.name).unlink(missing_ok=True)
                raise
        return size


class TarStream(Download):
    """A tar archive as it comes: to be read, saved, looked through or extracted."""

    def members(self) -> Iterator[tuple[tarfile.TarInfo, IO[bytes] | None]]:
        """Yield each member with its content, an open file, None for what has none.

        The content can be read until the next member is asked for. Raises MalformedStream for what
        is no tar archive, TruncatedStream where it ends too early.
        """
        # Imported here for start-up time: few streams are looked through.
        from dynadock.archive.unpack import members  # noqa: PLC0415

        return members(_AsItComes(self))

    def extract(
        self, folder: str | os.PathLike[str], *, unsafe: Literal["refuse", "skip"] = "refuse"
    ) -> list[str]:
        """Write the archive's members into ``folder``, which is made if it is missing.

        Owners are not kept, nor the bits that give a program its owner's rights. Members that
        would be written outside the folder, links that lead out of it, and devices raise
        UnsafeMember, or are left out with ``unsafe="skip"``; their names are returned.
        """
        # Imported here for start-up time: few streams are extracted.
        from dynadock.archive.unpack import extract  # noqa: PLC0415

        with self:
            return extract(_AsItComes(self), folder, unsafe=unsafe)


class _AsItComes:
    """A stream whose ``read`` does not wait for more than there is."""

    def __init__(self, stream: ByteStream) -> None:
        self.read = stream.read1


def _umask() -> int:
    """Return the process's mask of permissions, which can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
