"""Files that anybody may have put there: only regular ones are read, and only up to a bound."""

from __future__ import annotations

import errno
import os
import stat

# Windows has neither of them; there a path never leads to what waits for another process.
_WITHOUT_WAITING = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
_NOT_A_LINK = getattr(os, "O_NOFOLLOW", 0)
_FLAGS = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0) | _WITHOUT_WAITING

LARGEST_DOCUMENT = 16 * 2**20
"""Bytes of a document; the published ones have some 500,000."""

_WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH


class Refused(OSError):
    """A file that is not read; ``strerror`` says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(errno.EINVAL, reason)


def read_regular(path: str, most: int, *, own: bool = False) -> bytes:
    """Return a file's content, which has at most ``most`` bytes.

    ``own`` wants a file that only this user can have written: it is theirs, nobody else may change
    it, and ``path`` is no symlink. Raises `Refused`, another OSError, or ValueError (a NUL in the
    path).
    """
    # Asked before it is opened too: opening alone makes a tape rewind.
    _check(os.lstat(path) if own else os.stat(path), most, own=own)
    descriptor = os.open(path, _FLAGS | _NOT_A_LINK if own else _FLAGS)
    with open(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        _check(status, most, own=own)
        content = file.read(status.st_size + 1)
        if len(content) > status.st_size:
            # It has grown meanwhile, or is one of /proc, which do not know their size.
            content += file.read(most + 1 - len(content))
    if len(content) > most:
        raise _too_large(most)
    return content


def is_private(status: os.stat_result) -> bool:
    """Tell whether what has this status is this user's and nobody else may change it.

    Windows keeps users apart by the folder's own rules, which a status does not show.
    """
    if not hasattr(os, "geteuid"):
        return True
    return status.st_uid == os.geteuid() and not status.st_mode & _WRITABLE_BY_OTHERS


def _check(status: os.stat_result, most: int, *, own: bool) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise Refused("it is a directory")
    if not stat.S_ISREG(status.st_mode):
        raise Refused("it is not a regular file")
    if own and not is_private(status):
        raise Refused("another user may have written it")
    if status.st_size > most:
        raise _too_large(most)


def _too_large(most: int) -> Refused:
    return Refused(f"it is larger than {most // 2**20} MiB")
