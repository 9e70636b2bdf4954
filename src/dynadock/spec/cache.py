"""Compiled documents in the user's cache folder: a document is compiled once.

A file's name holds a digest of all that its content follows from, its first line a digest of the
content. So a stale one is never asked for, a damaged one is noticed, and two processes that write
the same one at once write the same bytes, each into a file of its own that is then renamed.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dynadock import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable

CACHE_VARIABLE = "DYNADOCK_CACHE"
KEPT_SECONDS = 90 * 24 * 3600


def cache_folder() -> Path:
    """Return where compiled documents are kept.

    ``compiled`` in ``$DYNADOCK_CACHE``, or in the platform's folder for what a program can make
    again.
    """
    chosen = os.environ.get(CACHE_VARIABLE)
    if chosen:
        return Path(chosen) / "compiled"
    # Imported here for start-up time: only a call without the variable needs it.
    from platformdirs import user_cache_path  # noqa: PLC0415

    try:
        return user_cache_path("dynadock", appauthor=False) / "compiled"
    except RuntimeError:
        # A user without a home (no passwd entry, as in many containers) has no folder either.
        return Path(os.devnull) / "compiled"


def digest(*parts: bytes) -> str:
    """Return one digest of ``parts``; where one ends and the next begins counts too."""
    state = hashlib.sha256()
    for part in parts:
        state.update(len(part).to_bytes(8, "big"))
        state.update(part)
    return state.hexdigest()


def code_state(files: Iterable[Path]) -> bytes:
    """Tell one state of code from another: after an update nothing that is stale is asked for."""
    states = [__version__]
    for path in sorted(files):
        status = path.stat()
        states.append(f"{path.name} {status.st_size} {status.st_mtime_ns}")
    return "\n".join(states).encode()


def read_compiled(key: str) -> dict[str, Any] | None:
    """Return the compiled form kept under ``key``, None if there is none or it is damaged."""
    try:
        content = (cache_folder() / f"{key}.json").read_bytes()
    except OSError:
        return None
    checksum, _, text = content.partition(b"\n")
    if checksum != digest(text).encode():
        return None
    compiled: dict[str, Any] = json.loads(text)
    return compiled


def write_compiled(key: str, compiled: dict[str, Any]) -> None:
    """Keep a compiled form; a folder that cannot be written (a read-only home) costs only time."""
    text = json.dumps(compiled, separators=(",", ":")).encode()
    with contextlib.suppress(OSError):
        folder = cache_folder()
        _replace(folder / f"{key}.json", digest(text).encode() + b"\n" + text)
        _forget_old(folder)


def _forget_old(folder: Path) -> None:
    """Remove what was made long ago; what is still in use is made again when it is asked for."""
    oldest = time.time() - KEPT_SECONDS
    for path in [*folder.glob("*.json"), *folder.glob(".*.tmp")]:
        if path.stat().st_mtime < oldest:
            path.unlink(missing_ok=True)


def _replace(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # A name of its own, so that no other process writes into it. (tempfile takes long to import.)
    temporary = path.with_name(f".{path.stem}.{os.urandom(8).hex()}.tmp")
    try:
        with temporary.open("xb") as file:
            file.write(content)
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
