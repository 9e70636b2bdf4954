"""A container's files by their paths: what programs and engines do with them, as on Linux.

Paths are absolute. Every symbolic link is followed by our own steps, from the root that the
container has: none leads out of it. All errors are the OSErrors that Python raises on Linux.
Permissions are kept and not enforced, as for root.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any

from dynadock.simulation.files.changes import changes, size_of_changes
from dynadock.simulation.files.mounts import Mount, Point
from dynadock.simulation.files.nodes import (
    PERMISSIONS,
    Device,
    Fifo,
    File,
    Folder,
    Link,
    Node,
    Stat,
)
from dynadock.simulation.files.paths import (
    LONGEST_NAME,
    LONGEST_PATH,
    check_path,
    failure,
    size_of,
)
from dynadock.simulation.files.tree import FOLDER_MODE, LARGEST, MOST_ENTRIES, Tree
from dynadock.simulation.files.way import Step, Way, entered, joined

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dynadock.simulation.files.changes import Change
    from dynadock.simulation.files.layer import Layer
    from dynadock.simulation.files.nodes import Entry, Mark

_SURELY_SHORT = LONGEST_PATH // 4
_SURELY_SHORT_STEPS = LONGEST_PATH // (LONGEST_NAME + 1)
_SET_ID = 0o6000
_FOLDER_MODES = PERMISSIONS & ~_SET_ID
_GROUP_RUNS = 0o010


class Files:
    """The files of a container, or of a volume.

    They begin as those of ``base``, an image's layer, or with an empty root folder. ``now`` tells
    the time, in nanoseconds, that changed files get. More bytes than ``limit``, or more than
    ``most_entries`` files, folders and so on, are refused: OSError, ENOSPC. If ``read_only`` is
    set, whatever would change something that is not on a mount raises OSError, EROFS.
    """

    def __init__(
        self,
        base: Layer | None = None,
        *,
        now: Callable[[], int],
        limit: int = LARGEST,
        most_entries: int = MOST_ENTRIES,
    ) -> None:
        self._now = now
        self.tree = Tree(
            base, now=0 if base is not None else now(), limit=limit, most_entries=most_entries
        )
        self._mount = Mount(self.tree)
        self._points = Point()

    @property
    def read_only(self) -> bool:
        """Whether nothing may be changed but what is on mounts."""
        return self._mount.read_only

    @read_only.setter
    def read_only(self, is_read_only: bool) -> None:
        self._mount.read_only = is_read_only

    # What is there

    def stat(self, path: str, *, follow: bool = True) -> Stat:
        """Return what is known of a file, or, if not to ``follow``, of the link that it is."""
        return self._node(path, follow=follow).stat()

    def exists(self, path: str) -> bool:
        """Return whether something is there, and not only a link that leads nowhere."""
        try:
            self._node(path)
        except OSError:
            return False
        return True

    def read(self, path: str) -> bytes:
        """Return all of a file; nothing for a device, OSError, EFBIG, for one without an end."""
        node = self._node(path)
        if isinstance(node, File):
            return node.read()
        if self._read_other(node, path, 1):
            raise failure(errno.EFBIG, path)
        return b""

    def read_at(self, path: str, offset: int, size: int) -> bytes:
        """Return up to ``size`` bytes of a file from ``offset`` on, none at its end."""
        node = self._node(path)
        if isinstance(node, File):
            return node.read_at(offset, size)
        return self._read_other(node, path, size)

    @staticmethod
    def _read_other(node: Node, path: str, size: int) -> bytes:
        if isinstance(node, Device):
            return node.read(size)
        raise failure(errno.EISDIR if isinstance(node, Folder) else errno.ENXIO, path)

    def names(self, path: str) -> list[str]:
        """Return the names in a folder, sorted."""
        node = self._node(path)
        if not isinstance(node, Folder):
            raise failure(errno.ENOTDIR, path)
        return sorted(node.entries)

    def resolve(self, path: str, *, last: bool = True) -> str:
        """Return the real path of a file, all links followed.

        Without ``last``, a link with the path's last name is not followed, and nothing needs to
        have that name.
        """
        return joined(self._walk(path, follow=last, creating=not last))

    def walk(self, path: str, *, follow: bool = False) -> Iterator[tuple[str, Node]]:
        """Yield what is at a path and all that is below, mounts too, as it is now.

        Each comes with its path relative to the first one, which is empty for that itself; folders
        come before what is in them, and names in the order of their bytes. Files may be changed
        meanwhile: what was not yet come to is shown as it then is.
        """
        waiting = [("", self._walk(path, follow=follow)[-1])]
        while waiting:
            where, found = waiting.pop()
            node = found.node
            if node is None:
                continue
            yield where, node
            if isinstance(node, Folder):
                above = f"{where}/" if where else ""
                names = sorted(node.entries, key=_as_bytes, reverse=True)
                waiting += [(above + name, entered(found, name)) for name in names]

    # What changes it

    def write(self, path: str, data: bytes, *, append: bool = False, mode: int = 0o644) -> None:
        """Make these bytes a file's, or add them at its end; a file that is new gets ``mode``."""
        ours = None if self.read_only else self._plain(path, self.tree.mark)
        if isinstance(ours, File):
            self._refill(self.tree, ours, data, append=append, path=path)
            return
        if path.endswith("/"):
            self._walk(_bare(path), follow=False, creating=True)
            raise failure(errno.EISDIR, path)
        steps = self._walk(path, creating=True)
        node = steps[-1].node
        if isinstance(node, Device):
            node.check_writable()
        elif node is None:
            self._check_room(steps, len(data), 1, path)
            tree = steps[-1].mount.tree
            self._add(steps, File(tree.mark, mode & PERMISSIONS, self._now(), bytes(data)), path)
        elif isinstance(node, File):
            file = self._own(steps, path)
            assert isinstance(file, File)
            self._refill(steps[-1].mount.tree, file, data, append=append, path=path)
        else:
            raise failure(errno.EISDIR if isinstance(node, Folder) else errno.ENXIO, path)

    def _refill(self, tree: Tree, file: File, data: bytes, *, append: bool, path: str) -> None:
        if append and not data:
            return
        grown = len(data) - (0 if append else file.size)
        tree.check_room(grown, 0, path)
        if append:
            file.append(bytes(data))
        else:
            file.replace(bytes(data))
        file.mtime = self._now()
        tree.size += grown

    def check_room(self, path: str, size: int) -> None:
        """Raise OSError, ENOSPC, if a file at a path could not become so much longer."""
        self._check_room(self._walk(path), size, 0, path)

    def make_folder(self, path: str, mode: int = FOLDER_MODE, *, parents: bool = False) -> None:
        """Make a folder; with ``parents``, those above it too, and none where there is one."""
        steps = self._walk(_bare(path), follow=parents, creating=True, making=parents)
        found = steps[-1]
        if found.node is None:
            self._add_folder(steps, mode, path)
        elif not (parents and isinstance(found.node, Folder)):
            raise failure(errno.EEXIST, path)

    def make_link(self, target: str, path: str) -> None:
        """Make a symbolic link, whatever its target is."""
        check_path(target)
        steps = self._new(path, size_of(target))
        self._add(steps, Link(steps[-1].mount.tree.mark, self._now(), target), path)

    def make_hard_link(self, existing: str, path: str) -> None:
        """Give an existing file, which must be no folder, one more name."""
        first = self._walk(existing, follow=False)
        steps = self._new(path)
        if steps[-1].mount is not first[-1].mount:
            raise failure(errno.EXDEV, path)
        if isinstance(first[-1].node, Folder):
            raise failure(errno.EPERM, path)
        folder = self._own_folder(steps, path)
        tree = steps[-1].mount.tree
        tree.add_name(folder, steps[-1].name, (self._own_folder(first, existing), first[-1].name))
        folder.mtime = self._now()

    def make_fifo(self, path: str, mode: int = 0o644) -> None:
        """Make a named pipe; opening it is OSError, ENXIO."""
        steps = self._new(path)
        self._add(steps, Fifo(steps[-1].mount.tree.mark, mode & PERMISSIONS, self._now()), path)

    def make_device(
        self, path: str, number: tuple[int, int], mode: int = 0o666, *, is_block: bool = False
    ) -> None:
        """Make a device of these major and minor numbers."""
        steps = self._new(path)
        mark, now = steps[-1].mount.tree.mark, self._now()
        self._add(steps, Device(mark, mode & PERMISSIONS, now, number, is_block=is_block), path)

    def remove(self, path: str) -> None:
        """Remove a file, a link or an empty folder."""
        steps = self._removable(path)
        node = steps[-1].node
        if isinstance(node, Folder) and node.entries:
            raise failure(errno.ENOTEMPTY, path)
        self._remove(steps, path)

    def remove_tree(self, path: str) -> None:
        """Remove a file, a link or a folder with all that is in it."""
        self._remove(self._removable(path), path)

    def rename(self, old: str, new: str) -> None:
        """Give a file or folder another path, replacing a file or an empty folder that has it."""
        first = self._walk(_bare(old), follow=False, creating=True)
        steps = self._walk(_bare(new), follow=False, creating=True)
        _check_movable(first, old)
        _check_movable(steps, new)
        node, replaced = first[-1].node, steps[-1].node
        if node is None:
            raise failure(errno.ENOENT, old)
        if not isinstance(node, Folder) and (old.endswith("/") or new.endswith("/")):
            raise failure(errno.ENOTDIR, old)
        if steps[-1].mount is not first[-1].mount:
            raise failure(errno.EXDEV, new)
        if any(step.node is node for step in steps[:-1]):
            raise failure(errno.EINVAL, new)
        if replaced is not None and any(step.node is replaced for step in first[:-1]):
            raise failure(errno.ENOTEMPTY, new)
        if replaced is node:
            return
        _check_replaceable(node, replaced, new)
        self._check_depth(first, steps, new)
        self._move(first, steps, new)

    def _move(self, first: list[Step], steps: list[Step], path: str) -> None:
        tree = steps[-1].mount.tree
        source = self._own_folder(first, path)
        target = self._own_folder(steps, path)
        if steps[-1].node is not None:
            tree.forget([target.take(steps[-1].name)])
        target.put(steps[-1].name, source.take(first[-1].name))
        source.mtime = target.mtime = self._now()

    def set_mode(self, path: str, mode: int) -> None:
        """Set permissions, setuid, setgid and the sticky bit; of a link, those of its target."""
        self._own(self._walk(path), path).mode = mode & PERMISSIONS

    def set_owner(self, path: str, uid: int, gid: int, *, follow: bool = True) -> None:
        """Set user and group, of which -1 stays as it is; a file loses setuid and setgid."""
        node = self._own(self._walk(path, follow=follow), path)
        node.uid = node.uid if uid == -1 else uid
        node.gid = node.gid if gid == -1 else gid
        if isinstance(node, File):
            node.mode &= ~(_SET_ID if node.mode & _GROUP_RUNS else 0o4000)

    def describe(self, path: str, mode: int | None, mtime: int, owner: tuple[int, int]) -> None:
        """Set what is known of a file, or of the link that it is, at once.

        ``mode`` None leaves the permissions, as links have none of their own.
        """
        node = self._own(self._walk(path, follow=False), path)
        node.uid, node.gid = owner
        node.mtime = mtime
        if mode is not None:
            node.mode = mode & PERMISSIONS

    def touch(self, path: str, mtime: int | None = None, *, follow: bool = True) -> None:
        """Set the time of the last change, in nanoseconds, else to now; make a missing file."""
        steps = self._walk(path, follow=follow, creating=True)
        if steps[-1].node is None:
            self._check_room(steps, 0, 1, path)
            self._add(steps, File(steps[-1].mount.tree.mark, 0o644, self._now()), path)
            steps = self._walk(path, follow=follow)
        self._own(steps, path).mtime = self._now() if mtime is None else mtime

    # Mounts

    def mount(
        self,
        path: str,
        files: Files,
        *,
        read_only: bool = False,
        subpath: str = "/",
        for_programs: bool = False,
    ) -> None:
        """Let a path be what ``subpath`` is in other files, from now on shared with them.

        What is missing of the path is made: folders, or an empty file where a file is mounted.
        What is mounted in those other files is not seen here. What is mounted only
        ``for_programs``, such as /dev, is not in the archives that engines make.
        """
        where = files.resolve(subpath)
        mount = Mount(files.tree, read_only=read_only, subpath=where, for_programs=for_programs)
        top = mount.top()
        steps = self._walk(path, creating=True, making=True, forced=True)
        found = steps[-1]
        if len(steps) == 1:
            raise failure(errno.EBUSY, path)
        if found.node is None:
            made = Folder if isinstance(top, Folder) else File
            mode = FOLDER_MODE if made is Folder else 0o644
            self._check_room(steps, 0, 1, path)
            self._add(steps, made(found.mount.tree.mark, mode, self._now()), path, forced=True)
        elif isinstance(found.node, Folder) != isinstance(top, Folder):
            raise failure(errno.ENOTDIR, path)
        point = self._points
        for step in steps[1:]:
            point = point.below.setdefault(step.name, Point())
        point.mount = mount

    def unmount(self, path: str) -> None:
        """Let a path be again what it was; OSError, EINVAL, if nothing is mounted there."""
        steps = self._walk(path)
        chain = [self._points]
        chain += [step.point for step in steps[1:] if step.point is not None]
        if len(chain) != len(steps) or chain[-1].mount is None:
            raise failure(errno.EINVAL, path)
        chain[-1].mount = None
        for above, step in zip(chain[-2::-1], steps[:0:-1], strict=True):
            point = above.below[step.name]
            if point.below or point.mount is not None:
                break
            del above.below[step.name]

    def is_mounted(self, path: str) -> bool:
        """Return whether a path leads to something that is mounted, or to what is in it."""
        return self._walk(path)[-1].mount is not self._mount

    def is_read_only(self, path: str) -> bool:
        """Return whether what a path leads to is on something that may not be changed."""
        return self._walk(path)[-1].mount.read_only

    # All of it

    def changes(self) -> list[Change]:
        """Return what differs from the base, as (kind, path): 0 changed, 1 added, 2 deleted.

        Nothing is said of what is on mounts. See `changes.changes`.
        """
        return changes(self.tree)

    def size(self) -> int:
        """Return the bytes of all files and links that are not on mounts."""
        return self.tree.size

    def size_of_changes(self) -> int:
        """Return how many of these bytes are not the base's."""
        return size_of_changes(self.tree)

    def freeze(self) -> Layer:
        """Return all that is not on mounts, as it is now, for others to begin with."""
        return self.tree.freeze(self.size_of_changes())

    def snapshot(
        self, copies: dict[Tree, Tree] | None = None, *, now: Callable[[], int] | None = None
    ) -> Files:
        """Return an independent copy, which shares what does not change; of what is mounted, too.

        Files that are mounted in several others are copied once if all of these, and they
        themselves, are given the same ``copies``. The copy may have a clock of its own.
        """
        trees = {} if copies is None else copies
        for tree in {self.tree, *(mount.tree for mount in self._points.mounts())} - trees.keys():
            trees[tree] = tree.copy()
        points = self._points.copy(lambda mount: mount.copy(trees[mount.tree]))
        return self._like(trees[self.tree], points, now or self._now)

    def without_mounts(self) -> Files:
        """Return the same files, which go on being shared, but nothing that is mounted."""
        return self._like(self.tree, Point(), self._now)

    def for_engines(self) -> Files:
        """Return the same files, which go on being shared, without mounts for programs alone."""
        points = self._points.copy(lambda mount: None if mount.for_programs else mount)
        return self._like(self.tree, points, self._now)

    def _like(self, tree: Tree, points: Point, now: Callable[[], int]) -> Files:
        copied = object.__new__(Files)
        copied._now = now
        copied.tree = tree
        copied._mount = Mount(tree, read_only=self.read_only)
        copied._points = points
        return copied

    def __deepcopy__(self, memo: dict[Any, Any]) -> Files:
        """Return a snapshot; files that others share are shared by their copies."""
        return self.snapshot(memo.setdefault(Tree, {}))

    # Paths

    def _node(self, path: str, *, follow: bool = True) -> Node:
        """Return what is at a path, by the shortest way if nothing is special about it."""
        entry = self._plain(path)
        if isinstance(entry, File | Folder) or (isinstance(entry, Link) and not follow):
            return entry
        found = self._walk(path, follow=follow)[-1].node
        assert found is not None
        return found

    def _plain(self, path: str, mark: Mark | None = None) -> Entry | None:
        """Return what is at a path that is nothing but names, none of a link or mount on the way.

        None if it is not found so; and, with a mark, if it bears another one. What bears ours is in
        folders that do.
        """
        if not path or len(path) > _SURELY_SHORT:
            return None
        below = self._points.below
        entry: Entry | None = self.tree.root
        for part in path.split("/"):
            if not isinstance(entry, Folder) or (below and part in below):
                return None
            if part:
                entry = entry.entries.get(part)
                below = {}
        if mark is not None and isinstance(entry, Node) and entry.mark is not mark:
            return None
        return entry

    def _walk(
        self,
        path: str,
        *,
        follow: bool = True,
        creating: bool = False,
        making: bool = False,
        forced: bool = False,
    ) -> list[Step]:
        """Return all steps from the root to what is at a path, links followed.

        If ``creating``, nothing needs to have the last name; if ``making``, missing folders above
        it are made, even on what is read-only if ``forced``.
        """
        way = Way(Step(self.tree.root, "", self._mount, self._points), path)
        while way.go(follow=follow):
            if making and way.is_on_link:
                # What would be made has the link's name, which exists.
                raise failure(errno.EEXIST, path)
            if not (creating if way.is_at_end else making):
                raise failure(errno.ENOENT, path)
            if way.is_at_end:
                break
            self._add_folder(way.steps, FOLDER_MODE, path, forced=forced)
        return way.steps

    def _new(self, path: str, size: int = 0) -> list[Step]:
        """Return the steps to a name that is free, and for which there is room."""
        steps = self._walk(_bare(path), follow=False, creating=True)
        if steps[-1].node is not None:
            raise failure(errno.EEXIST, path)
        if path.endswith("/"):
            raise failure(errno.ENOENT, path)
        self._check_room(steps, size, 1, path)
        return steps

    def _removable(self, path: str) -> list[Step]:
        usual = _bare(path)
        steps = self._walk(usual, follow=False)
        if usual.endswith(("/.", "/..")):
            raise failure(errno.EINVAL if usual.endswith("/.") else errno.ENOTEMPTY, path)
        if path.endswith("/") and not isinstance(steps[-1].node, Folder):
            raise failure(errno.ENOTDIR, path)
        _check_movable(steps, path)
        return steps

    # Changes to what the last of some steps leads to

    def _own(self, steps: list[Step], path: str, *, forced: bool = False) -> Node:
        """Return the node that the steps lead to, which may be changed now."""
        mount = steps[-1].mount
        if mount.read_only and not forced:
            raise failure(errno.EROFS, path)
        place = len(steps) - 1
        while place and steps[place - 1].mount is mount:
            place -= 1
        node: Node = mount.tree.own_root()
        for part in mount.parts:
            assert isinstance(node, Folder)
            node = mount.tree.own(node, part)
        steps[place] = steps[place]._replace(node=node)
        for below in range(place + 1, len(steps)):
            assert isinstance(node, Folder)
            node = mount.tree.own(node, steps[below].name)
            steps[below] = steps[below]._replace(node=node)
        return node

    def _own_folder(self, steps: list[Step], path: str, *, forced: bool = False) -> Folder:
        """Return the folder that the last step but one leads to, which may be changed now."""
        above = steps[:-1]
        folder = self._own(above, path, forced=forced)
        steps[:-1] = above
        assert isinstance(folder, Folder)
        return folder

    @staticmethod
    def _check_room(steps: list[Step], size: int, entries: int, path: str) -> None:
        steps[-1].mount.tree.check_room(size, entries, path)

    def _add(self, steps: list[Step], node: Node, path: str, *, forced: bool = False) -> None:
        if len(steps) > _SURELY_SHORT_STEPS and size_of(joined(steps)) > LONGEST_PATH:
            raise failure(errno.ENAMETOOLONG, path)
        folder = self._own_folder(steps, path, forced=forced)
        steps[-1].mount.tree.add(folder, steps[-1].name, node)
        folder.mtime = node.mtime
        steps[-1] = steps[-1]._replace(node=node)

    def _add_folder(self, steps: list[Step], mode: int, path: str, *, forced: bool = False) -> None:
        self._check_room(steps, 0, 1, path)
        mark = steps[-1].mount.tree.mark
        self._add(steps, Folder(mark, mode & _FOLDER_MODES, self._now()), path, forced=forced)

    def _remove(self, steps: list[Step], path: str) -> None:
        folder = self._own_folder(steps, path)
        steps[-1].mount.tree.forget([folder.take(steps[-1].name)])
        folder.mtime = self._now()

    @staticmethod
    def _check_depth(first: list[Step], steps: list[Step], path: str) -> None:
        """Refuse to move a folder to where the paths in it became longer than any may be."""
        above = size_of(joined(steps))
        if above <= size_of(joined(first)):
            return
        waiting: list[tuple[int, Entry | None]] = [(above, first[-1].node)]
        while waiting:
            length, node = waiting.pop()
            if length > LONGEST_PATH:
                raise failure(errno.ENAMETOOLONG, path)
            if isinstance(node, Folder):
                waiting += [
                    (length + 1 + size_of(name), entry) for name, entry in node.entries.items()
                ]


def _bare(path: str) -> str:
    """Return a path without the slashes at its end, which would make it mean a link's target."""
    return path.rstrip("/") or path[:1]


def _check_movable(steps: list[Step], path: str) -> None:
    """Raise OSError if a path is no name of its own, or something is mounted there or below."""
    if _bare(path).endswith(("/.", "/..")) or len(steps) == 1 or steps[-1].point is not None:
        raise failure(errno.EBUSY, path)


def _as_bytes(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")


def _check_replaceable(node: Node | None, replaced: Node | None, path: str) -> None:
    """Raise OSError if what has a name already cannot be replaced by what gets that name."""
    if replaced is None:
        return
    if isinstance(node, Folder):
        if not isinstance(replaced, Folder):
            raise failure(errno.ENOTDIR, path)
        if replaced.entries:
            raise failure(errno.ENOTEMPTY, path)
    elif isinstance(replaced, Folder):
        raise failure(errno.EISDIR, path)
