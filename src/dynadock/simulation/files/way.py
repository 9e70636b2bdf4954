"""The way along a path, from the root to what is there: through mounts and links, never above."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, NamedTuple

from dynadock.simulation.files.nodes import Folder, Link
from dynadock.simulation.files.paths import MOST_LINKS, check_name, check_path, failure

if TYPE_CHECKING:
    from dynadock.simulation.files.mounts import Mount, Point
    from dynadock.simulation.files.nodes import Node


class Step(NamedTuple):
    """What is there, None if nothing is; its name; the mount it is on; what is mounted below."""

    node: Node | None
    name: str
    mount: Mount
    point: Point | None


class Way:
    """The steps taken so far, the first one the root; OSError where there is no way."""

    def __init__(self, root: Step, path: str) -> None:
        check_path(path)
        self.steps = [root]
        self._path = path
        self._waiting = path.split("/")[::-1]
        self._links = 0
        # How many parts wait when all those that links have brought are done.
        self._own = len(self._waiting)

    @property
    def is_at_end(self) -> bool:
        """Whether all parts of the path are done."""
        return not self._waiting

    @property
    def is_on_link(self) -> bool:
        """Whether the last step comes from a link's target, not from the path itself."""
        return len(self._waiting) >= self._own

    def go(self, *, follow: bool) -> bool:
        """Go on to the end, or to a name that nothing has; return whether it is such a name.

        Without ``follow``, a link is not followed if the path ends with it.
        """
        while self._waiting:
            part = self._waiting.pop()
            here = self.steps[-1]
            if not isinstance(here.node, Folder):
                raise failure(errno.ENOTDIR, self._path)
            if part in ("", "."):
                continue
            if part == "..":
                del self.steps[max(len(self.steps) - 1, 1) :]
                continue
            step = entered(here, part)
            if isinstance(step.node, Link) and (follow or self._waiting):
                self._follow(step.node.target)
                continue
            self.steps.append(step)
            if step.node is None:
                check_name(part, self._path)
                return True
        return False

    def _follow(self, target: str) -> None:
        self._links += 1
        if self._links > MOST_LINKS:
            raise failure(errno.ELOOP, self._path)
        if target.startswith("/"):
            del self.steps[1:]
        self._own = min(self._own, len(self._waiting))
        self._waiting += target.split("/")[::-1]


def entered(here: Step, name: str) -> Step:
    """Return the step from a folder to what has a name in it."""
    point = here.point.below.get(name) if here.point is not None else None
    if point is not None and point.mount is not None:
        return Step(point.mount.top(), name, point.mount, point)
    assert isinstance(here.node, Folder)
    entry = here.node.entries.get(name)
    node = None if entry is None else here.mount.tree.node(entry)
    return Step(node, name, here.mount, point)


def joined(steps: list[Step]) -> str:
    """Return the path that some steps make."""
    return "/" + "/".join([step.name for step in steps[1:]])
