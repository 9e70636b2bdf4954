"""Compiled documents in the user's cache folder: a document is compiled once.

A file's name holds a digest of all that its content follows from, its first line a mark and a
digest of name and content. So a stale one is never asked for, a damaged one is noticed, and two
processes that write the same one at once write the same bytes, each into a file of its own that is
then renamed.

Whoever can write into the cache decides what a call sends. So only files are read that nobody but
this user can have written, whatever folder they are in; nothing is written into a folder that
others may change; and only files are removed that were made here.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import stat
import time
from typing import Any

from dynadock import __version__
from dynadock.spec.files import is_private, read_regular
from dynadock.spec.folders import CACHE, folder_of_user

try:
    # What hashlib takes it from. hashlib itself loads OpenSSL, which takes milliseconds.
    from _blake2 import blake2b
except ImportError:
    from hashlib import blake2b

CACHE_VARIABLE = "DYNADOCK_CACHE"
KEPT_SECONDS = 90 * 24 * 3600
LARGEST_TEXT = 64 * 2**20
"""Bytes of what is kept; what has more is made again each time."""

_SUFFIX = ".json"
_MARK = b"dynadock "
_OURS = r"[0-9a-f]{64}\.json|\.[0-9a-f]{64}\.json\.[0-9a-f]{16}\.tmp"
"""The names of what is made here: whole files, and those that were left half-written."""


def cache_folder() -> str:
    """Return where compiled documents are kept.

    ``compiled`` in ``$DYNADOCK_CACHE``, or in the platform's folder for what a program can make
    again.
    """
    return os.path.join(folder_of_user(CACHE, CACHE_VARIABLE), "compiled")


def digest(*parts: bytes) -> str:
    """Return one digest of ``parts``; where one ends and the next begins counts too."""
    state = blake2b(digest_size=32)
    for part in parts:
        state.update(len(part).to_bytes(8, "big"))
        state.update(part)
    return state.hexdigest()


def code_state(module: str) -> bytes:
    """Tell one state of a module (its ``__file__``) and of those beside it from another.

    After an update nothing that is stale is asked for.
    """
    with os.scandir(os.path.dirname(module)) as entries:
        files = sorted((each.name, each.stat()) for each in entries if each.name.endswith(".py"))
    states = (f"{name} {status.st_size} {status.st_mtime_ns}" for name, status in files)
    return "\n".join([__version__, *states]).encode()


def read_compiled(key: str) -> dict[str, Any] | None:
    """Return the mapping kept under ``key``, None if there is none or it is damaged."""
    text = read_text(key)
    return None if text is None else json.loads(text)


def write_compiled(key: str, compiled: dict[str, Any]) -> None:
    """Keep a mapping that JSON can hold, as `write_text` does."""
    write_text(key, json.dumps(compiled, separators=(",", ":")).encode())


def read_text(key: str) -> bytes | None:
    """Return the text kept under ``key``, None if there is none, or another's, or a damaged one."""
    try:
        content = read_regular(_path(key), LARGEST_TEXT, own=True)
    except OSError:
        return None
    head, _, text = content.partition(b"\n")
    return text if head == _head(key, text) else None


def write_text(key: str, text: bytes) -> None:
    """Keep a text; a folder that cannot be written (a read-only home) costs only time.

    So does one that is another's, or that others may write into.
    """
    from dynadock.atomic import replacing

    head = _head(key, text) + b"\n"
    if len(head) + len(text) > LARGEST_TEXT:
        return
    with contextlib.suppress(OSError):
        path = _path(key)
        folder = os.path.dirname(path)
        _make_private(folder)
        status = os.lstat(folder)
        if not stat.S_ISDIR(status.st_mode) or not is_private(status):
            return
        with replacing(path, mode=0o600, anew=True) as file:
            file.write(head + text)
        _forget_old(folder)


def _path(key: str) -> str:
    return os.path.join(cache_folder(), key + _SUFFIX)


def _head(key: str, text: bytes) -> bytes:
    return _MARK + digest(key.encode(), text).encode()


def _make_private(folder: str) -> None:
    """Make a folder, and those around it, for this user alone (XDG Base Directory Specification).

    `os.makedirs` would leave those around it to the umask.
    """
    around = os.path.dirname(folder)
    if around and not os.path.isdir(around):
        _make_private(around)
    with contextlib.suppress(FileExistsError):
        os.mkdir(folder, 0o700)


def _forget_old(folder: str) -> None:
    """Remove what was made here long ago; what is still in use is made again when asked for."""
    ours = re.compile(_OURS)
    oldest = time.time() - KEPT_SECONDS
    with os.scandir(folder) as entries:
        named = [each.path for each in entries if ours.fullmatch(each.name)]
    for path in named:
        # Another process may be at it too.
        with contextlib.suppress(OSError):
            if os.lstat(path).st_mtime < oldest and _has_mark(path):
                os.unlink(path)


def _has_mark(path: str) -> bool:
    content = read_regular(path, LARGEST_TEXT, own=True)
    # What was never written, by a process that was killed, is empty.
    return content.startswith(_MARK) or not content
