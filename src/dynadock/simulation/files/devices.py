"""The folder /dev of a container: what engines mount there, whatever the image has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dynadock.simulation.files.files import Files

if TYPE_CHECKING:
    from collections.abc import Callable

_DEVICES = {
    "null": (1, 3),
    "zero": (1, 5),
    "full": (1, 7),
    "random": (1, 8),
    "urandom": (1, 9),
    "tty": (5, 0),
}
_LINKS = {
    "core": "/proc/kcore",
    "fd": "/proc/self/fd",
    "ptmx": "pts/ptmx",
    "stderr": "/proc/self/fd/2",
    "stdin": "/proc/self/fd/0",
    "stdout": "/proc/self/fd/1",
}
_FOLDERS = {"mqueue": 0o1777, "pts": 0o755, "shm": 0o1777}


def device_files(now: Callable[[], int]) -> Files:
    """Return files to be mounted at /dev, for programs: those that every container has.

    The links to /proc lead nowhere: who runs programs knows what /dev/stdout is to each.
    """
    files = Files(now=now)
    for name, number in _DEVICES.items():
        files.make_device(f"/{name}", number)
    for name, target in _LINKS.items():
        files.make_link(target, f"/{name}")
    for name, mode in _FOLDERS.items():
        files.make_folder(f"/{name}", mode)
    return files
