"""Compiled documents in the user's cache folder: a document is compiled once.

A file's name holds a digest of all that its content follows from, its first line a digest of the
content. So a stale one is never asked for, a damaged one is noticed, and two processes that write
the same one at once write the same bytes, each into a file of its own that is then renamed.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from typing import Any

from dynadock import __version__
from dynadock.spec.folders import CACHE, folder_of_user

try:
    # What hashlib takes it from. hashlib itself loads OpenSSL, which takes milliseconds.
    from _blake2 import blake2b
except ImportError:
    from hashlib import blake2b

CACHE_VARIABLE = "DYNADOCK_CACHE"
KEPT_SECONDS = 90 * 24 * 3600
_SUFFIX = ".json"


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
    """Return the text kept under ``key``, None if there is none or it is damaged."""
    try:
        with open(os.path.join(cache_folder(), key + _SUFFIX), "rb") as file:
            content = file.read()
    except OSError:
        return None
    checksum, _, text = content.partition(b"\n")
    return text if checksum == digest(text).encode() else None


def write_text(key: str, text: bytes) -> None:
    """Keep a text; a folder that cannot be written (a read-only home) costs only time."""
    from dynadock.atomic import UNFINISHED, replacing

    with contextlib.suppress(OSError):
        folder = cache_folder()
        os.makedirs(folder, exist_ok=True)
        # Not with the old one's mode: it may be here because the old one cannot be read.
        with replacing(os.path.join(folder, key + _SUFFIX), mode=0o666) as file:
            file.write(digest(text).encode() + b"\n" + text)
        _forget_old(folder, (_SUFFIX, UNFINISHED))


def _forget_old(folder: str, endings: tuple[str, ...]) -> None:
    """Remove what was made long ago; what is still in use is made again when it is asked for."""
    oldest = time.time() - KEPT_SECONDS
    with os.scandir(folder) as entries:
        ours = [each for each in entries if each.name.endswith(endings)]
    for each in ours:
        if each.stat().st_mtime < oldest:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(each)
