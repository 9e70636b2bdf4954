"""What is mounted in a container: volumes, folders of the engine's machine, and files in memory."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from dynadock.simulation.files.files import Files
from dynadock.simulation.refusal import Refused, not_found, server_error
from dynadock.simulation.state.volumes import LOCAL
from dynadock.spec.data import bundled_data

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dynadock.simulation.state.container import Container
    from dynadock.simulation.state.state import State
    from dynadock.simulation.state.volumes import Volume

BIND, VOLUME, TMPFS = "bind", "volume", "tmpfs"

USUAL_MODE = 0o1777
"""The permissions of files in memory."""

_OPTIONS = frozenset(
    (
        *("ro", "rw", "exec", "noexec", "suid", "nosuid", "dev", "nodev", "sync", "async"),
        *("atime", "noatime", "diratime", "nodiratime", "relatime", "norelatime", "strictatime"),
        *("private", "rprivate", "shared", "rshared", "slave", "rslave", "remount"),
        *("mode", "uid", "gid", "nr_inodes", "nr_blocks", "mpol", "size"),
    )
)
"""What may be said of files in memory (Linux's mount, tmpfs)."""


class Mount(NamedTuple):
    """A mount in a container; ``kind`` is the documents' word.

    ``source`` is a path on the engine's machine. ``owns`` tells of a volume that has no name of its
    own, and goes with its container. ``is_shown`` is not for files in memory that were asked for in
    the older way.
    """

    kind: str
    destination: str
    source: str = ""
    volume: Volume | None = None
    mode: str = ""
    is_writable: bool = True
    propagation: str = ""
    subpath: str = ""
    permissions: int = USUAL_MODE
    options: str = ""
    owns: bool = False
    copies: bool = False
    is_shown: bool = True

    def taken_over(self, *, is_writable: bool) -> Mount:
        """Return the same for another container."""
        writable = self.is_writable and is_writable
        return self._replace(mode="", is_writable=writable, copies=False)


class Mounts:
    """The folders of an engine's machine that containers may see, and the mounting."""

    def __init__(self, state: State) -> None:
        self._state = state
        self.machine = Files(now=state.clock.now)
        for path in bundled_data("embedded.yaml")["Machine"]["Folders"]:
            self.machine.make_folder(path, parents=True)

    def has_folder(self, path: str) -> bool:
        """Tell whether something is on the engine's machine."""
        return self.machine.exists(path)

    def take(self, container: Container) -> None:
        """Let a new container use its volumes; they are mounted when it is needed first.

        What an image has at such a place is copied into a volume that is empty.
        """
        for mount in sorted(container.mounts, key=_depth):
            container.unplaced.append(mount)
            if mount.volume is not None:
                mount.volume.users[container.id] = None
            if mount.volume is not None and mount.copies and not mount.subpath:
                _fill(mount.volume, container.files, mount.destination)

    def begin(self, container: Container) -> None:
        """Tell that a container that starts has its volumes."""
        for mount in container.mounts:
            self._tell(container, mount)

    def place(self, container: Container) -> None:
        """Mount in a container that starts what is not mounted."""
        self._mount_all(container, container.unplaced)

    def _mount_all(self, container: Container, mounts: list[Mount]) -> None:
        for mount in mounts:
            with suppress(OSError):
                container.files.unmount(mount.destination)
            self._mount(container, mount)
        container.unplaced = [
            each for each in container.unplaced if each not in mounts or _is_new_each_time(each)
        ]

    def _mount(self, container: Container, mount: Mount) -> None:
        files, subpath = self._files_of(mount)
        try:
            if mount.kind == BIND:
                self.machine.make_folder(mount.source, parents=True)
            container.files.mount(
                mount.destination, files, read_only=not mount.is_writable, subpath=subpath
            )
        except OSError as error:
            raise server_error(
                "failed to create task for container: failed to create shim task: OCI runtime"
                " create failed: runc create failed: unable to start container process: error"
                f' during container init: error mounting "{mount.source}" to rootfs at'
                f' "{mount.destination}": {(error.strerror or "").lower()}: unknown'
            ) from None

    def _files_of(self, mount: Mount) -> tuple[Files, str]:
        if mount.kind == TMPFS:
            _check_options(mount.options)
            files = Files(now=self._state.clock.now)
            files.set_mode("/", mount.permissions)
            return files, "/"
        if mount.volume is None:
            return self.machine, mount.source
        if mount.subpath and not mount.volume.files.exists(f"/{mount.subpath}"):
            path = f"{mount.source}/{mount.subpath}"
            raise not_found(f"cannot access path {path}: lstat {path}: no such file or directory")
        return mount.volume.files, f"/{mount.subpath}"

    def end(self, container: Container) -> None:
        """Tell that a container has its volumes no more, or could not start to have them.

        Docker tells this of volumes that it has not mounted, too (26.1).
        """
        for mount in container.mounts:
            if mount.volume is not None:
                attributes = {"container": container.id, "driver": LOCAL}
                self._state.events.add("volume", "unmount", mount.volume.name, attributes)

    @contextmanager
    def seen(self, container: Container) -> Iterator[None]:
        """Tell of volumes as of mounted ones while somebody looks into a container's files.

        Docker mounts them for this, even where they are mounted already (26.1).
        """
        with suppress(Refused):
            lasting = [each for each in container.unplaced if not _is_new_each_time(each)]
            self._mount_all(container, lasting)
        self.begin(container)
        try:
            yield
        finally:
            self.end(container)

    def _tell(self, container: Container, mount: Mount) -> None:
        if mount.volume is None:
            return
        attributes = {
            "container": container.id,
            "destination": mount.destination,
            "driver": LOCAL,
            "propagation": mount.propagation,
            "read/write": "true" if mount.is_writable else "false",
        }
        self._state.events.add("volume", "mount", mount.volume.name, attributes)

    def release(self, container: Container, *, with_volumes: bool) -> None:
        """Let a container that is removed have no volumes; its own go too, if nobody else's."""
        for mount in container.mounts:
            volume = mount.volume
            if volume is None:
                continue
            volume.users.pop(container.id, None)
            is_there = self._state.volumes.by_name.get(volume.name) is volume
            if with_volumes and mount.owns and not volume.users and is_there:
                self._state.volumes.remove(volume)


def _check_options(options: str) -> None:
    for option in options.split(",") if options else ():
        if option.partition("=")[0] not in _OPTIONS:
            raise server_error(f'invalid tmpfs option "{option.partition("=")[0]}"')


def _is_new_each_time(mount: Mount) -> bool:
    return mount.kind == TMPFS or bool(mount.subpath)


def _fill(volume: Volume, files: Files, path: str) -> None:
    # What cannot be copied cannot be mounted either: the start is refused for that.
    with suppress(OSError):
        if not volume.files.names("/"):
            copy_into(volume.files, files, path)


def _depth(mount: Mount) -> int:
    return mount.destination.rstrip("/").count("/")


def copy_into(target: Files, files: Files, path: str) -> None:
    """Copy what is in a folder, if there is one, to the root of other files."""
    if not files.exists(path) or files.stat(path).kind != "folder":
        return
    for where, node in files.walk(path, follow=True):
        _copy(target, f"/{where}", node)


def _copy(target: Files, path: str, node: Any) -> None:
    stat = node.stat()
    if stat.kind == "folder":
        target.make_folder(path, parents=True)
    elif stat.kind == "link":
        target.make_link(stat.target, path)
    elif stat.kind == "file":
        target.write(path, node.read())
    else:
        return
    if stat.kind != "link":
        target.set_owner(path, stat.uid, stat.gid)
        target.set_mode(path, stat.mode)
