"""Files as a command sees them: names beside a working folder, devices, patterns."""

from __future__ import annotations

import errno
import posixpath
import re
from typing import TYPE_CHECKING

from dynadock.simulation.programs.shell import patterns
from dynadock.simulation.programs.shell.descriptors import (
    FileInput,
    FileOutput,
    Full,
    Null,
    Stream,
    Zero,
    failure,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dynadock.simulation.files.files import Files
    from dynadock.simulation.programs.shell.descriptors import Descriptors

MOST_MATCHES = 100_000
"""Names that one pattern may become."""

_DEVICES = {"/dev/null": Null, "/dev/zero": Zero, "/dev/full": Full}
_OWN = re.compile(r"/dev/fd/(\d{1,6})|/proc/(?:self|1)/fd/(\d{1,6})")
_STANDARD = {"/dev/stdin": 0, "/dev/stdout": 1, "/dev/stderr": 2, "/dev/tty": 0}


class Disk:
    """Files, beside a working folder."""

    def __init__(self, files: Files, folder: str) -> None:
        self.files = files
        self.folder = folder

    def path(self, name: str) -> str:
        """Return where a name is.

        Raises:
            FileNotFoundError: The name is empty.

        """
        if not name:
            raise failure(errno.ENOENT)
        return name if name.startswith("/") else posixpath.join(self.folder, name)

    def exists(self, name: str) -> bool:
        """Tell whether there is something with this name, links followed."""
        return self.kind(name) != ""

    def kind(self, name: str, *, follow: bool = True) -> str:
        """Return what a name is: ``file``, ``folder``, ``link``; empty if there is nothing."""
        try:
            return self.files.stat(self.path(name), follow=follow).kind
        except (OSError, ValueError):
            return ""

    def reader(self, name: str, descriptors: Descriptors) -> Stream:
        """Open a file for reading.

        Raises:
            OSError: It cannot be.

        """
        path = self.path(name)
        special = _special(path, descriptors)
        if special is not None:
            return special
        self.files.stat(path)
        return FileInput(self.files, path)

    def writer(
        self, name: str, descriptors: Descriptors, *, append: bool = False, mode: int = 0o644
    ) -> Stream:
        """Open a file for writing, which makes it, and empties it unless it is added to.

        Raises:
            OSError: It cannot be.

        """
        path = self.path(name)
        special = _special(path, descriptors)
        if special is not None:
            return special
        self.files.write(path, b"", append=append, mode=mode)
        return FileOutput(self.files, path)

    def matching(self, pattern: str) -> list[str]:
        """Return the names that match a pattern, sorted; none if there are none."""
        steps = re.split("/+", pattern)
        found = [""]
        if pattern.startswith("/"):
            steps, found = steps[1:], ["/"]
        for index, step in enumerate(steps):
            is_last = index == len(steps) - 1
            found = [name for base in found for name in self._step(base, step, is_last=is_last)][
                :MOST_MATCHES
            ]
        return sorted(found)

    def _step(self, base: str, step: str, *, is_last: bool) -> Iterator[str]:
        behind = "" if is_last else "/"
        if not patterns.MAGIC.search(re.sub(r"\\.", "", step)):
            name = base + patterns.unescape(step)
            if (step == "" and is_last) or self.kind(name or ".", follow=False):
                yield name + behind
            return
        for name in self._names(base or ".", hidden=step.startswith((".", "\\."))):
            if patterns.is_match(step, name) and (is_last or self.kind(base + name) == "folder"):
                yield base + name + behind

    def _names(self, folder: str, *, hidden: bool) -> list[str]:
        try:
            names = self.files.names(self.path(folder))
        except OSError:
            return []
        names = [".", "..", *names] if hidden else names
        return [name for name in names if hidden or not name.startswith(".")]


def _special(path: str, descriptors: Descriptors) -> Stream | None:
    """Return the device that a path names, which may be one of the process's own descriptors."""
    path = posixpath.normpath(path)
    device = _DEVICES.get(path)
    if device is not None:
        return device()
    if path in _STANDARD:
        return descriptors[_STANDARD[path]]
    own = _OWN.fullmatch(path)
    return descriptors[int(own[1] or own[2])] if own else None
