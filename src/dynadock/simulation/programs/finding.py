"""From a command to the program that it runs: what the kernel, and runc before it, look for."""

from __future__ import annotations

import errno
import os
import stat
from posixpath import join, normpath
from typing import TYPE_CHECKING

from dynadock.simulation.programs.process import STDERR, USUAL_PATH
from dynadock.simulation.programs.shell.commands import is_applet

if TYPE_CHECKING:
    from dynadock.simulation.files.files import Files
    from dynadock.simulation.programs.process import Process, Program, Steps

APPLET = b"\x7fELF: an applet of the small busybox\n"
"""What a file of the seeded image holds whose name is an applet's."""


NOT_FOUND = 127
NOT_EXECUTABLE = 126


class NoProgram(Exception):
    """A command runs nothing: the complaint in runc's words, and the exit code for it.

    ``behind`` is what engines add at the complaint's end.
    """

    def __init__(self, complaint: str, exit_code: int, behind: str = "") -> None:
        super().__init__(complaint)
        self.complaint = complaint
        self.exit_code = exit_code
        self.behind = behind


def find_program(files: Files, command: list[str], env: dict[str, str], cwd: str) -> Program:
    """Return what a command runs; NoProgram if that is nothing."""
    name = command[0]
    if "/" in name:
        path = normpath(join(cwd, name))
        _check(files, path, f'exec: "{name}": ', f"stat {name}: no such file or directory")
        return _program(files, path)
    denied = False
    for folder in env.get("PATH", USUAL_PATH).split(":"):
        path = join(folder or ".", name)
        try:
            found = files.stat(path)
        except OSError:
            continue
        if found.kind == "file" and found.mode & 0o111:
            return _program(files, path)
        denied = denied or found.kind == "file"
    if denied:
        raise NoProgram(f'exec: "{name}": permission denied', NOT_EXECUTABLE)
    raise NoProgram(f'exec: "{name}": executable file not found in $PATH', NOT_FOUND)


def _check(files: Files, path: str, beginning: str, missing: str) -> None:
    try:
        found = files.stat(path)
    except OSError:
        raise NoProgram(beginning + missing, NOT_FOUND) from None
    if found.kind == "folder":
        raise NoProgram(f"{beginning}is a directory", NOT_EXECUTABLE, ": permission denied")
    if not stat.S_IMODE(found.mode) & 0o111:
        raise NoProgram(f"{beginning}permission denied", NOT_EXECUTABLE)


def _program(files: Files, path: str) -> Program:
    beginning = files.read_at(path, 0, 256)
    if beginning.startswith(b"\x7fELF"):
        return _busybox
    if beginning.startswith(b"#!"):
        words = beginning[2:].split(b"\n")[0].decode(errors="replace").split()
        interpreter = words[0].rpartition("/")[2] if words else ""
        if is_applet(interpreter):
            return _script(words, path)
    raise NoProgram(f"exec {path}: exec format error", 1)


def _busybox(process: Process) -> Steps:
    # Not before something runs: the shell takes longer to load than all the rest of an engine.
    from dynadock.simulation.programs.shell.program import run_busybox

    return run_busybox(process)


def _script(words: list[str], path: str) -> Program:
    def run(process: Process) -> Steps:
        process.argv = [*words, path, *process.argv[1:]]
        return (yield from _busybox(process))

    return run


def init_without_program(exit_code: int) -> Program:
    """Return what an init does that cannot begin its program: it runs, complains and ends."""
    why = os.strerror(errno.ENOENT if exit_code == NOT_FOUND else errno.EACCES)

    def complain(process: Process) -> Steps:
        text = f"[FATAL tini (7)] exec {process.argv[0]} failed: {why}\n"
        process.write(STDERR, text.encode())
        yield process.now()
        return exit_code

    return complain
