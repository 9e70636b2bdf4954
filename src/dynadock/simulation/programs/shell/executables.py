"""Which program a command's name means: an applet of busybox, or a script with an interpreter."""

from __future__ import annotations

import errno
import posixpath
from typing import TYPE_CHECKING, NamedTuple

from dynadock.simulation.programs.shell.commands import is_applet
from dynadock.simulation.programs.shell.descriptors import failure

if TYPE_CHECKING:
    from dynadock.simulation.programs.shell.disk import Disk

BINARY = b"\x7fELF"
"""What a compiled program begins with."""

_MOST_INTERPRETERS = 4
_PROGRAM_FOLDERS = {"/bin", "/sbin", "/usr/bin", "/usr/sbin"}


class Executable(NamedTuple):
    """The applet that does it, and its whole command line."""

    applet: str
    words: list[str]


def find_executable(disk: Disk, path: str, words: list[str]) -> Executable:
    """Return what a shell runs for a command line; applets come before what PATH holds.

    Raises:
        OSError: There is none (ENOENT), or it is no program (EACCES, ENOEXEC).

    """
    for _ in range(_MOST_INTERPRETERS):
        name = words[0]
        if "/" not in name and is_applet(name):
            return Executable(name, words)
        found = disk.path(name) if "/" in name else _in_path(disk, path, name)
        check_executable(disk, found)
        beginning = disk.files.read_at(found, 0, 256)
        if beginning.startswith(b"#!"):
            first_line = beginning[2:].split(b"\n")[0].decode("utf-8", "surrogateescape")
            words = [*first_line.strip().split(None, 1), found, *words[1:]]
            if words[0] == found:
                raise failure(errno.ENOENT)
            continue
        applet = _applet_of(disk, found, beginning)
        if applet:
            return Executable(applet, words)
        if beginning.startswith(BINARY):
            raise failure(errno.ENOEXEC)
        return Executable("sh", ["sh", found, *words[1:]])
    raise failure(errno.ELOOP)


def check_executable(disk: Disk, path: str) -> None:
    """Check that a path may be executed.

    Raises:
        FileNotFoundError: There is nothing.
        PermissionError: It is a folder, or has no such permission.

    """
    stat = disk.files.stat(path)
    if stat.kind == "folder" or not stat.mode & 0o111:
        raise failure(errno.EACCES)


def _in_path(disk: Disk, path: str, name: str) -> str:
    problem = errno.ENOENT
    for folder in path.split(":"):
        candidate = disk.path(posixpath.join(folder or ".", name)) if name else ""
        try:
            check_executable(disk, candidate)
        except PermissionError:
            problem = errno.EACCES
        except OSError:
            continue
        else:
            return candidate
    raise failure(problem)


def _applet_of(disk: Disk, path: str, beginning: bytes) -> str:
    folder, name = posixpath.split(path)
    is_program = beginning.startswith(BINARY) or (not beginning and folder in _PROGRAM_FOLDERS)
    if not is_program:
        return ""
    if is_applet(name):
        return name
    real = posixpath.basename(disk.files.resolve(path))
    return real if is_applet(real) else ""
