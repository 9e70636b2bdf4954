"""Small things that the tests make: names, archives, and patience."""

from __future__ import annotations

import io
import itertools
import tarfile
import time
import uuid
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from dynadock import BoundOperation

PREFIX = f"dynadock-{uuid.uuid4().hex[:8]}"
"""Begins the name of everything that this run makes."""

LABEL = "dynadock.tests"
LABELS = {LABEL: PREFIX}
MINE = {"label": f"{LABEL}={PREFIX}"}
"""The filter that finds what this run made."""

IMAGE = "busybox:latest"

SWARM_ADDRESS = "127.0.0.1:23777"
"""Where an engine under test listens for the other nodes of a swarm, which never come."""

MIB = 1024 * 1024

_numbers = itertools.count(1)


def new_name(what: str) -> str:
    """Return a name that nothing else has."""
    return f"{PREFIX}-{what}-{next(_numbers)}"


def known(operation: BoundOperation, **arguments: Any) -> dict[str, Any]:
    """Return those arguments that the operation takes at its client's version."""
    names = {each.name for each in operation.parameters}
    return {name: value for name, value in arguments.items() if name in names}


def tar_of(files: dict[str, bytes], *, mode: int = 0o644) -> bytes:
    """Return a tar archive of files by their paths; their folders are made."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path, content in files.items():
            for folder in _folders(path):
                if folder not in archive.getnames():
                    archive.addfile(_folder(folder))
            member = tarfile.TarInfo(path)
            member.size, member.mode = len(content), mode
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def _folders(path: str) -> list[str]:
    parts = path.split("/")[:-1]
    return ["/".join(parts[: depth + 1]) for depth in range(len(parts))]


def _folder(path: str) -> tarfile.TarInfo:
    member = tarfile.TarInfo(path)
    member.type, member.mode = tarfile.DIRTYPE, 0o755
    return member


def eventually(ask: Callable[[], Any], *, within: float = 30.0) -> Any:
    """Ask again and again until the answer is true, and return it."""
    end = time.monotonic() + within
    while not (answer := ask()):
        assert time.monotonic() < end, f"not within {within:g} s"
        time.sleep(0.05)
    return answer
