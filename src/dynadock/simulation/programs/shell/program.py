"""The program that a container of busybox runs: an applet, the shell, or a script."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from dynadock.simulation.programs.shell.descriptors import descriptors_of
from dynadock.simulation.programs.shell.disk import Disk
from dynadock.simulation.programs.shell.executables import find_executable
from dynadock.simulation.programs.shell.interpreter import Shell
from dynadock.simulation.programs.shell.jobs import Coroutine, Jobs
from dynadock.simulation.programs.shell.scripts import run_shell

if TYPE_CHECKING:
    from collections.abc import Generator

    from dynadock.simulation.programs.process import Process


def run_busybox(process: Process) -> Generator[int | None, None, int]:
    """Run what ``process.argv`` names, over the process's files, input and output.

    A name without a slash is an applet or a file in PATH; a path is a file that is an applet (by
    its name), or a script. 127 if there is none, 126 if it may not be executed.
    """
    jobs = Jobs(process)
    descriptors = descriptors_of(process)
    shell = Shell(jobs, descriptors, _clean(process.env))
    shell.files = Disk(process.files, process.cwd or "/")
    words = [_text(word) for word in process.argv] or ["sh"]
    task = jobs.start(" ".join(words), _run(shell, words), descriptors)
    shell.task = task
    task.receives = shell.receive
    return (yield from jobs.run())


def _run(shell: Shell, words: list[str]) -> Coroutine[int]:
    try:
        found = find_executable(shell.files, shell.value("PATH") or "", words)
    except (OSError, ValueError) as error:
        is_denied = getattr(error, "errno", 0) in {errno.EACCES, errno.ENOEXEC}
        text = "Permission denied" if is_denied else "not found"
        yield from shell.write(2, f"sh: {words[0]}: {text}\n")
        return 126 if is_denied else 127
    if found.applet in {"sh", "ash"}:
        return (yield from run_shell(shell, found.words))
    return (yield from shell.execute(words, shell.environment(), replaces=True))


def _clean(env: dict[str, str]) -> dict[str, str]:
    return {_text(name): _text(value) for name, value in env.items()}


def _text(text: str) -> str:
    """Return a text that can be written: JSON may hold halves of characters, and no NUL fits."""
    data = text.encode("utf-8", "surrogatepass").replace(b"\0", b"")
    return data.decode("utf-8", "surrogateescape")
