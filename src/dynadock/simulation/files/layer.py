"""A tree that nobody changes any more, which others begin with: an image, or a step of one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dynadock.simulation.files.files import Files
    from dynadock.simulation.files.nodes import Folder, Node, SharedFile


class Layer:
    """A whole tree, of which whatever is the same as in ``base`` is shared with it.

    ``size`` counts the bytes of all files and links, ``size_of_changes`` those that it does not
    share with its base, and ``entries`` everything in it. ``container`` has the files of which
    each new container's are a copy, once there was one.
    """

    __slots__ = ("base", "container", "entries", "root", "shared", "size", "size_of_changes")

    def __init__(
        self,
        root: Folder,
        shared: Mapping[SharedFile, Node],
        base: Layer | None,
        *,
        entries: int,
        size: int,
        size_of_changes: int,
    ) -> None:
        self.root = root
        self.shared = shared
        self.base = base
        self.container: Files | None = None
        self.entries = entries
        self.size = size
        self.size_of_changes = size_of_changes

    def __deepcopy__(self, _memo: object) -> Layer:
        """Return itself, as nobody changes it."""
        return self
