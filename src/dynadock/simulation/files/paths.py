"""Which paths and names a file system takes, and the errors that it gives: Linux' limits and words.

Paths are text; bytes that are no UTF-8 are written as Python writes them (surrogateescape).
"""

from __future__ import annotations

import errno
import os

LONGEST_NAME = 255
"""Bytes of a name (Linux' NAME_MAX)."""

LONGEST_PATH = 4095
"""Bytes of a path (Linux' PATH_MAX, less the zero byte at the end)."""

MOST_LINKS = 40
"""Symbolic links followed on one path, as by Linux."""


def failure(code: int, path: str) -> OSError:
    """Return what Python raises for an errno, FileNotFoundError for one, with strerror's words."""
    return OSError(code, os.strerror(code), path)


def check_path(path: str) -> None:
    """Raise OSError for a path that Linux refuses whatever is there."""
    if not path:
        raise failure(errno.ENOENT, path)
    if len(path) > LONGEST_PATH or (not path.isascii() and size_of(path) > LONGEST_PATH):
        raise failure(errno.ENAMETOOLONG, path)
    if "\0" in path:
        raise failure(errno.EINVAL, path)


def check_name(name: str, path: str) -> None:
    """Raise OSError for a name, a part of ``path``, that no file can have."""
    if len(name) > LONGEST_NAME or (not name.isascii() and size_of(name) > LONGEST_NAME):
        raise failure(errno.ENAMETOOLONG, path)


def size_of(text: str) -> int:
    """Return how many bytes a path or a name has; OSError if it is none."""
    try:
        return len(text.encode("utf-8", "surrogateescape"))
    except UnicodeEncodeError:
        raise failure(errno.EILSEQ, text) from None
