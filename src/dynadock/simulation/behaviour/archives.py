"""Files into containers and out of them as archives, and what has changed in them."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any

from dynadock.call.values import compact_json
from dynadock.simulation.behaviour.table import behaviour
from dynadock.simulation.files.tar import (
    ArchiveRefused,
    cleaned,
    export,
    pack,
    path_stat,
    unpack,
)
from dynadock.simulation.programs.shell.users import number_of, rows_of
from dynadock.simulation.refusal import bad_request, not_found, server_error
from dynadock.simulation.replies import TAR, Blocks, OnlyHeaders, Streaming

if TYPE_CHECKING:
    from collections.abc import Callable

    from dynadock.simulation.asked import Asked
    from dynadock.simulation.state.container import Container
    from dynadock.simulation.state.state import State

_PATH_STAT = "X-Docker-Container-Path-Stat"
_BYTES = "application/octet-stream"


@behaviour
def ContainerChanges(state: State, asked: Asked) -> Any:
    """What differs from the image, folders above it too; nothing of what is on volumes."""
    container = state.containers.find(asked.get("id"))
    changes = container.files.changes()
    if not changes:
        # Not an empty list: engines answer null.
        return Streaming(Blocks(iter([b"null\n"])))
    return [{"Path": path, "Kind": kind} for kind, path in changes]


@behaviour
def ContainerExport(state: State, asked: Asked) -> Any:
    """The whole file system, without volumes, as it is when it is asked for."""
    container = state.containers.find(asked.get("id"))
    container.tell("export")
    return Streaming(Blocks(export(container.files)), _BYTES)


@behaviour
def ContainerArchiveInfo(state: State, asked: Asked) -> Any:
    """A path's name, size, mode as Go has it, time, and where a link leads."""
    container = state.containers.find(asked.get("id"))
    path = _path(asked)
    with state.mounts.seen(container):
        return _tried(asked, path, lambda: OnlyHeaders(_said(container, path)))


@behaviour
def ContainerArchive(state: State, asked: Asked) -> Any:
    """A file, or a folder with all that is in it, volumes too, as it is when it is asked for."""
    container = state.containers.find(asked.get("id"))
    path = _path(asked)

    def packed() -> Streaming:
        # In this order: what is missing is found out before anything is sent.
        said, blocks = _said(container, cleaned(path)), pack(container.files, path)
        return Streaming(Blocks(blocks), TAR, said)

    with state.mounts.seen(container):
        reply = _tried(asked, path, packed)
        container.tell("archive-path")
    return reply


@behaviour
def PutContainerArchive(state: State, asked: Asked) -> Any:
    """Plain, gzip, bzip2, xz; owners, modes, times and links; nothing gets out of the folder."""
    container = state.containers.find(asked.get("id"))
    path = _path(asked)
    with state.mounts.seen(container):
        _tried(
            asked,
            path,
            lambda: unpack(
                container.files,
                path,
                [asked.body or b""],
                no_overwrite_dir_non_dir=bool(asked.get("noOverwriteDirNonDir")),
                owner=_owner(container) if asked.get("copyUIDGID") else None,
            ),
        )
        container.tell("extract-to-dir")
    return None


def _path(asked: Asked) -> str:
    path: str = asked.get("path") or ""
    if not path:
        raise bad_request("bad parameter: pathcannot be empty")
    return path


def _said(container: Container, path: str) -> dict[str, str]:
    said = compact_json(path_stat(container.files, path))
    return {_PATH_STAT: b64encode(said.encode()).decode()}


def _owner(container: Container) -> tuple[int, int] | None:
    """Return the numbers of the container's user and group, None if it has none of its own."""
    user, _, group = (container.config.get("User") or "").partition(":")
    if not user:
        return None
    files = container.files
    rows = rows_of(files, "/etc/passwd")
    row = next((row for row in rows if user in (row[0], row[2])), ["", "", user, "0"])
    uid = number_of(files, "/etc/passwd", row[2])
    gid = number_of(files, "/etc/group", group or row[3])
    if uid is None or gid is None:
        raise server_error(f"unable to find user {container.config['User']}")
    return uid, gid


def _tried(asked: Asked, path: str, act: Callable[[], Any]) -> Any:
    """Do something with a container's files; refused in the engine's words if that fails."""
    try:
        return act()
    except FileNotFoundError:
        missing = f"Could not find the file {path} in container {asked.get('id')}"
        raise not_found(missing) from None
    except ArchiveRefused as refused:
        raise server_error(str(refused)) from None
