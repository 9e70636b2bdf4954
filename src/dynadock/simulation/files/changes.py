"""What a tree has become since it began: what `docker diff` says, and how many bytes that takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from dynadock.simulation.files.nodes import File, Folder, Link

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dynadock.simulation.files.nodes import Node
    from dynadock.simulation.files.tree import Tree

CHANGED: Final = 0
ADDED: Final = 1
DELETED: Final = 2

Change = tuple[int, str]


def changes(tree: Tree) -> list[Change]:
    """Return the kinds and paths of what differs from the tree's base, in the order of the paths.

    A folder in which something was added, changed or deleted counts as changed, and so do those
    above it, but the root is never listed. What was deleted is listed without what was in it.
    This is Docker's way where the file system does not tell (``Changes`` of its archive package);
    its order is by chance, ours by the paths.
    """
    found = [(kind, path) for kind, path, _ in _differences(tree)]
    changed = {path for _, path in found}
    for _, path in list(found):
        above = path.rpartition("/")[0]
        while above and above not in changed:
            changed.add(above)
            found.append((CHANGED, above))
            above = above.rpartition("/")[0]
    return sorted(found, key=lambda change: change[1])


def size_of_changes(tree: Tree) -> int:
    """Return the bytes of all files and links that are not the base's own, each counted once."""
    nodes = {node for _, _, node in _differences(tree) if isinstance(node, File | Link)}
    return sum(node.size for node in nodes)


def _differences(tree: Tree) -> Iterator[tuple[int, str, Node | None]]:
    """Yield the kind, path and node of all that differs by itself, not only in what is in it."""
    base = tree.base
    shared = {} if base is None else base.shared
    waiting = [("", None if base is None else base.root, tree.root)]
    while waiting:
        path, before, after = waiting.pop()
        earlier = {} if before is None else before.entries
        for name, entry in after.entries.items():
            node = tree.node(entry)
            old = earlier.get(name)
            was = shared.get(old, old)  # type: ignore[arg-type]
            # Trees share what is the same, so that only what somebody touched is looked at.
            if was is node:
                continue
            here = f"{path}/{name}"
            if was is None:
                yield ADDED, here, node
            elif not _alike(was, node):
                yield CHANGED, here, node
            if isinstance(node, Folder):
                waiting.append((here, was if isinstance(was, Folder) else None, node))
        yield from ((DELETED, f"{path}/{name}", None) for name in earlier.keys() - after.entries)


def _alike(before: Node, after: Node) -> bool:
    """Return whether engines see no difference, which go by what is known of files.

    Two files of one size and time are compared, too: on a clock that stands still, all that is
    written has one time. The time of a folder says only that names in it came or went.
    """
    if isinstance(before, Folder) and isinstance(after, Folder):
        return _owned(before) == _owned(after)
    if before.stat()._replace(links=0) != after.stat()._replace(links=0):
        return False
    return not isinstance(before, File) or before.read() == cast("File", after).read()


def _owned(node: Node) -> tuple[int, int, int]:
    return node.mode, node.uid, node.gid
