"""Where other trees are mounted in a tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dynadock.simulation.files.nodes import Folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dynadock.simulation.files.nodes import Node
    from dynadock.simulation.files.tree import Tree


class Mount:
    """A tree, or what ``subpath`` names in it, mounted somewhere.

    One ``for_programs`` is the runtime's, for those that run: engines' archives do not have it.
    """

    __slots__ = ("for_programs", "parts", "read_only", "tree")

    def __init__(
        self,
        tree: Tree,
        *,
        read_only: bool = False,
        subpath: str = "/",
        for_programs: bool = False,
    ) -> None:
        self.tree = tree
        self.read_only = read_only
        self.parts = [part for part in subpath.split("/") if part not in ("", ".")]
        self.for_programs = for_programs

    def copy(self, tree: Tree) -> Mount:
        """Return the same mount of another tree."""
        copied = Mount(tree, read_only=self.read_only, for_programs=self.for_programs)
        copied.parts = self.parts
        return copied

    def top(self) -> Node | None:
        """Return what is mounted; None if it was removed meanwhile."""
        node: Node | None = self.tree.root
        for part in self.parts:
            entry = node.entries.get(part) if isinstance(node, Folder) else None
            node = None if entry is None else self.tree.node(entry)
        return node


class Point:
    """A path on which something is mounted, or below which: its next parts, and what is mounted."""

    __slots__ = ("below", "mount")

    def __init__(self) -> None:
        self.below: dict[str, Point] = {}
        self.mount: Mount | None = None

    def copy(self, replaced: Callable[[Mount], Mount | None]) -> Point:
        """Return the same points with other mounts, by those of this one."""
        copied = Point()
        copied.below = {name: point.copy(replaced) for name, point in self.below.items()}
        copied.mount = None if self.mount is None else replaced(self.mount)
        return copied

    def mounts(self) -> Iterator[Mount]:
        """Yield what is mounted here and below."""
        if self.mount is not None:
            yield self.mount
        for below in self.below.values():
            yield from below.mounts()
