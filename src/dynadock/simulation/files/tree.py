"""A tree of nodes that begins as another's and shares with it whatever stays the same.

Knows no paths: who changes something goes down from the root, making each node its own on the way.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from dynadock.simulation.files.layer import Layer
from dynadock.simulation.files.nodes import File, Folder, Link, Mark, SharedFile
from dynadock.simulation.files.paths import failure

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dynadock.simulation.files.nodes import Entry, Node

LARGEST = 512 * 1024 * 1024
"""Bytes of all files and links of a tree, unless another limit is set."""

MOST_ENTRIES = 250_000
"""Files, folders and so on of a tree: what each takes besides its bytes is bounded by that."""

FOLDER_MODE = 0o755


class Tree:
    """A root folder, what is counted of all that is in it, and what it was at first, its ``base``.

    ``size`` and ``entries`` never exceed their limits: `check_room` is asked first.
    """

    def __init__(
        self,
        base: Layer | None,
        *,
        now: int,
        limit: int = LARGEST,
        most_entries: int = MOST_ENTRIES,
    ) -> None:
        self.base = base
        self.limit = limit
        self.most_entries = most_entries
        self._mark = Mark()
        self._has_own_shared = base is None
        self._shared: dict[SharedFile, Node] = {}
        self.entries = 0
        self.size = 0
        if base is None:
            self.root = Folder(self._mark, FOLDER_MODE, now)
        else:
            self.root = base.root
            self.entries = base.entries
            self.size = base.size

    @property
    def mark(self) -> Mark:
        """What new nodes of this tree bear."""
        return self._mark

    @property
    def shared(self) -> Mapping[SharedFile, Node]:
        """The files that have several names."""
        return self._shared if self._has_own_shared or self.base is None else self.base.shared

    def node(self, entry: Entry) -> Node:
        """Return what an entry of a folder is."""
        return self.shared[entry] if isinstance(entry, SharedFile) else entry

    def own_root(self) -> Folder:
        """Return the root folder, which may be changed now."""
        if self.root.mark is not self._mark:
            self.root = self.root.copy(self._mark)
        return self.root

    def own(self, folder: Folder, name: str) -> Node:
        """Return what has this name in a folder of our own; it may be changed now."""
        entry = folder.entries[name]
        node = self.node(entry)
        if node.mark is not self._mark:
            node = node.copy(self._mark)
            if isinstance(entry, SharedFile):
                self._own_shared()[entry] = node
            else:
                folder.entries[name] = node
        return node

    def check_room(self, size: int, entries: int, path: str) -> None:
        """Raise OSError, ENOSPC, if so much more would be too much."""
        if self.size + size > self.limit or self.entries + entries > self.most_entries:
            raise failure(errno.ENOSPC, path)

    def add(self, folder: Folder, name: str, node: Node) -> None:
        """Put a new node, an empty folder or no folder at all, into a folder of our own."""
        folder.put(name, node)
        self.entries += 1
        if isinstance(node, File | Link):
            self.size += node.size

    def add_name(self, folder: Folder, name: str, place: tuple[Folder, str]) -> None:
        """Give the file that is at a place, in a folder of our own, one more name."""
        above, first = place
        entry = above.entries[first]
        node = self.own(above, first)
        if not isinstance(entry, SharedFile):
            entry = above.entries[first] = SharedFile()
            self._own_shared()[entry] = node
        node.links += 1
        folder.put(name, entry)
        self.entries += 1

    def forget(self, removed: Iterable[Entry]) -> None:
        """Count what was removed from its folder, with all that is in it, no longer."""
        waiting = list(removed)
        while waiting:
            entry = waiting.pop()
            self.entries -= 1
            if isinstance(entry, SharedFile):
                self._forget_name(entry)
            elif isinstance(entry, Folder):
                waiting += entry.entries.values()
            elif isinstance(entry, File | Link):
                self.size -= entry.size

    def _forget_name(self, entry: SharedFile) -> None:
        shared = self._own_shared()
        file = shared[entry]
        if file.links == 1:
            del shared[entry]
            if isinstance(file, File | Link):
                self.size -= file.size
            return
        if file.mark is not self._mark:
            file = shared[entry] = file.copy(self._mark)
        file.links -= 1

    def _own_shared(self) -> dict[SharedFile, Node]:
        if not self._has_own_shared:
            self._shared = dict(self.shared)
            self._has_own_shared = True
        return self._shared

    def freeze(self, size_of_changes: int) -> Layer:
        """Return all there is as a layer; this tree goes on, and copies what it changes."""
        self._mark = Mark()
        return Layer(
            self.root,
            dict(self.shared),
            self.base,
            entries=self.entries,
            size=self.size,
            size_of_changes=size_of_changes,
        )

    def copy(self) -> Tree:
        """Return an independent tree; both share what neither of them changes."""
        copied = Tree(self.base, now=0, limit=self.limit, most_entries=self.most_entries)
        self._mark = Mark()
        copied.root = self.root
        copied.size = self.size
        copied.entries = self.entries
        if self._has_own_shared:
            copied._shared = dict(self._shared)
            copied._has_own_shared = True
        return copied
