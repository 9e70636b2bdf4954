"""The files of a new container: its image's, and what engines put into every container."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dynadock.simulation.files.devices import device_files
from dynadock.simulation.files.files import Files

if TYPE_CHECKING:
    from collections.abc import Callable

    from dynadock.simulation.files.layer import Layer

_FOLDERS = ("/dev/pts", "/dev/shm", "/etc", "/proc", "/sys")  # noqa: S108 - not of this machine
NETWORK_FILES = ("/etc/hostname", "/etc/hosts", "/etc/resolv.conf")
"""Files that are a container's own: who writes them mounts them."""

_FILES = ("/.dockerenv", "/dev/console", *NETWORK_FILES)
_MOUNTS = "/etc/mtab"
_ENGINE_MODE = 0o755


def container_files(image: Layer | None, now: Callable[[], int]) -> Files:
    """Return files for a new container, in which nothing has changed yet.

    What an engine adds is not among the changes (Docker 26.1, seen in an export): empty files and
    folders to mount on, /etc/mtab, /.dockerenv. /dev is mounted for programs alone.
    """
    if image is None:
        return _made(None, now)
    if image.container is None:
        image.container = _made(image, now)
    return image.container.snapshot(now=now)


def _made(image: Layer | None, now: Callable[[], int]) -> Files:
    files = Files(_completed(Files(image, now=now)).freeze(), now=now)
    files.mount("/dev", device_files(now), for_programs=True)
    return files


def _completed(files: Files) -> Files:
    for path in _FOLDERS:
        if not _is_there(files, path):
            files.make_folder(path, parents=True)
    for path in _FILES:
        if not _is_there(files, path):
            files.write(path, b"", mode=_ENGINE_MODE)
    if not _is_there(files, _MOUNTS):
        files.make_link("/proc/mounts", _MOUNTS)
    return files


def _is_there(files: Files, path: str) -> bool:
    try:
        files.stat(path, follow=False)
    except OSError:
        return False
    return True
