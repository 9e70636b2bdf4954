"""What a file system is made of: folders, files, links, devices and fifos.

Trees share their nodes. A node bears the mark of the tree that made it, and only that tree changes
it; any other makes a copy first. So a tree that gives up its mark has become read-only, at no cost.
"""

from __future__ import annotations

import errno
import os
import stat
from typing import ClassVar, NamedTuple, TypeAlias

FOLDER_SIZE = 4096
"""What a folder's size is said to be, as on most of Linux' file systems."""


class Stat(NamedTuple):
    """What is known of a file: ``kind`` is "file", "folder", "link", "device" or "fifo".

    ``mode`` has the bits of 07777, ``mtime`` is in nanoseconds, ``target`` is a symbolic link's.
    ``links`` counts the names; ``device`` has a device's major and minor number, and ``is_block``
    says whether it is one of blocks.
    """

    kind: str
    mode: int
    size: int
    mtime: int
    uid: int
    gid: int
    target: str = ""
    links: int = 1
    device: tuple[int, int] = (0, 0)
    is_block: bool = False


class Mark:
    """Whose a node is: nothing but an identity."""

    __slots__ = ()


class Node:
    """What all of them have; times in nanoseconds."""

    __slots__ = ("gid", "links", "mark", "mode", "mtime", "uid")
    kind: ClassVar[str]

    def __init__(self, mark: Mark, mode: int, mtime: int) -> None:
        self.mark = mark
        self.mode = mode
        self.mtime = mtime
        self.uid = 0
        self.gid = 0
        self.links = 1

    @property
    def size(self) -> int:
        """How many bytes it has, of which those of files and links take room."""
        return 0

    def copy(self, mark: Mark) -> Node:
        """Return the same node under another mark, sharing what is in it."""
        raise NotImplementedError

    def stat(self) -> Stat:
        """Return what is known of it."""
        size, links = self.size, self.links
        return Stat(self.kind, self.mode, size, self.mtime, self.uid, self.gid, "", links)

    def _owned_as(self, other: Node) -> None:
        self.uid = other.uid
        self.gid = other.gid
        self.links = other.links


class SharedFile:
    """What stands in folders for a file with several names; the tree knows the file itself."""

    __slots__ = ()


Entry: TypeAlias = "Node | SharedFile"


class Folder(Node):
    """Names, and what they are the names of."""

    __slots__ = ("entries",)
    kind = "folder"

    def __init__(self, mark: Mark, mode: int, mtime: int) -> None:
        super().__init__(mark, mode, mtime)
        # Its own name, `.` in it, and a `..` in each folder in it.
        self.links = 2
        self.entries: dict[str, Entry] = {}

    @property
    def size(self) -> int:
        """The same for all folders."""
        return FOLDER_SIZE

    def copy(self, mark: Mark) -> Folder:
        """Return a folder of its own, with the same entries."""
        copied = Folder(mark, self.mode, self.mtime)
        copied.entries = self.entries.copy()
        copied._owned_as(self)
        return copied

    def put(self, name: str, entry: Entry) -> None:
        """Give something a name in it that nothing has."""
        self.entries[name] = entry
        self.links += isinstance(entry, Folder)

    def take(self, name: str) -> Entry:
        """Remove what has a name in it, and return that."""
        entry = self.entries.pop(name)
        self.links -= isinstance(entry, Folder)
        return entry


class File(Node):
    """Bytes, which copies of it share until one of them gets others."""

    __slots__ = ("_data", "_grows")
    kind = "file"

    def __init__(self, mark: Mark, mode: int, mtime: int, data: bytes | bytearray = b"") -> None:
        super().__init__(mark, mode, mtime)
        self._data = data
        self._grows = False

    @property
    def size(self) -> int:
        """How many bytes are in it."""
        return len(self._data)

    def copy(self, mark: Mark) -> File:
        """Return a file of its own, sharing the bytes."""
        copied = File(mark, self.mode, self.mtime, self._data)
        copied._owned_as(self)
        return copied

    def read(self) -> bytes:
        """Return all of it."""
        return bytes(self._data)

    def read_at(self, offset: int, size: int) -> bytes:
        """Return up to ``size`` bytes from ``offset`` on, none at the end."""
        return bytes(self._data[offset : offset + size])

    def replace(self, data: bytes) -> None:
        """Make these bytes all that is in it."""
        self._data = data
        self._grows = False

    def append(self, data: bytes) -> None:
        """Add bytes at its end, in time that goes by these, not by what was there."""
        if not self._data:
            self.replace(data)
        else:
            if not self._grows:
                self._data = bytearray(self._data)
                self._grows = True
            self._data += data


class Link(Node):
    """A symbolic link."""

    __slots__ = ("target",)
    kind = "link"

    def __init__(self, mark: Mark, mtime: int, target: str) -> None:
        super().__init__(mark, 0o777, mtime)
        self.target = target

    @property
    def size(self) -> int:
        """How many bytes its target's path has."""
        return len(self.target.encode("utf-8", "surrogateescape"))

    def copy(self, mark: Mark) -> Link:
        """Return a link of its own."""
        copied = Link(mark, self.mtime, self.target)
        copied._owned_as(self)
        return copied

    def stat(self) -> Stat:
        """Return what is known of it."""
        return super().stat()._replace(target=self.target)


class Fifo(Node):
    """A named pipe, which nobody listens at."""

    __slots__ = ()
    kind = "fifo"

    def copy(self, mark: Mark) -> Fifo:
        """Return a fifo of its own."""
        copied = Fifo(mark, self.mode, self.mtime)
        copied._owned_as(self)
        return copied


class Device(Node):
    """A device, of which Linux' devices for memory (major number 1) do what they do on Linux."""

    __slots__ = ("is_block", "number")
    kind = "device"

    ZERO, FULL, RANDOM = (1, 5), (1, 7), ((1, 8), (1, 9))

    def __init__(
        self, mark: Mark, mode: int, mtime: int, number: tuple[int, int], *, is_block: bool = False
    ) -> None:
        super().__init__(mark, mode, mtime)
        self.number = number
        self.is_block = is_block

    def copy(self, mark: Mark) -> Device:
        """Return a device of its own, with the same number."""
        copied = Device(mark, self.mode, self.mtime, self.number, is_block=self.is_block)
        copied._owned_as(self)
        return copied

    def stat(self) -> Stat:
        """Return what is known of it."""
        return super().stat()._replace(device=self.number, is_block=self.is_block)

    def read(self, size: int) -> bytes:
        """Return ``size`` bytes of an endless device, none of others; OSError if there is none."""
        if self.is_block:
            raise OSError(errno.ENXIO, os.strerror(errno.ENXIO))
        if self.number in self.RANDOM:
            return os.urandom(size)
        return bytes(size) if self.number in (self.ZERO, self.FULL) else b""

    def check_writable(self) -> None:
        """Raise the OSError that writing to it gives; what is written to others is gone."""
        if self.is_block:
            raise OSError(errno.ENXIO, os.strerror(errno.ENXIO))
        if self.number == self.FULL:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


PERMISSIONS = stat.S_ISUID | stat.S_ISGID | stat.S_ISVTX | 0o777
