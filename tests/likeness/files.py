"""Calls about files in containers and volumes."""

from __future__ import annotations

import io
import tarfile
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from dynadock import APIError, Client
from likeness.containers import CONTAINERS, VOLUMES
from likeness.pair import LABEL, Pair

PATHS = st.sampled_from(
    ["/tmp/a.txt", "/tmp/sub", "/tmp/", "/srv", "/nothing/here", "/", "/vol", "/vol/shared", "tmp"]
)


class Files(Pair):
    """Rules about archives, changes and volumes."""

    @rule(short=CONTAINERS, path=PATHS)
    def look_at_file(self, short: str, path: str) -> None:
        """Compare what is said of a file."""
        self.look("ContainerArchiveInfo", self.name(short), path=path)

    @rule(
        short=CONTAINERS,
        path=st.sampled_from(["/tmp", "/srv", "/etc/passwd", "/none", "/vol", "/scratch"]),
        keep=st.booleans(),
        broken=st.sampled_from([False, False, False, True]),
    )
    def put_file(self, short: str, path: str, keep: bool, broken: bool) -> None:
        """Put a file and a folder into a container."""
        body = _archive()[:700] if broken else _archive()
        self.both(
            "PutContainerArchive",
            self.name(short),
            path=path,
            noOverwriteDirNonDir="true" if keep else None,
            body=body,
        )

    @rule(
        short=CONTAINERS,
        path=st.sampled_from(
            ["/tmp/a.txt", "/tmp/sub", "/tmp/sub/.", "/none", "/vol", "/vol/a.txt", "/srv/deep"]
        ),
    )
    def get_file(self, short: str, path: str) -> None:
        """Compare the names, kinds, modes and contents of what comes out of a container."""
        self.each_until_alike(
            f"get_file {short} {path}", lambda client: self._archived(client, short, path)
        )

    def _archived(self, client: Client, short: str, path: str) -> Any:
        try:
            with client.ContainerArchive(self.name(short), path=path) as archive:
                return _members(archive.read())
        except APIError as error:
            return error.status, self.comparable("", error.explanation)

    @rule(short=CONTAINERS)
    def changes(self, short: str) -> None:
        """Compare what a container has changed; the order is that of a walk through a disk.

        Whether there was a folder for the init is the image's.
        """
        self.each_until_alike(
            f"ContainerChanges {short}", lambda client: self._changed(client, short)
        )

    def _changed(self, client: Client, short: str) -> Any:
        kind, value, *more = self.outcome(client, "ContainerChanges", self.name(short))
        if kind != "fine":
            return kind, value, *more
        return kind, sorted(str(each) for each in value or () if each["Path"] != "/sbin")

    # Volumes

    @rule(short=VOLUMES, labels=st.sampled_from([{}, {"tier": "web"}]))
    def create_volume(self, short: str, labels: Any) -> None:
        """Make a volume, or find that it is there."""
        labels = {**labels, LABEL: self.prefix}
        self.both("VolumeCreate", Name=self.name(short), Labels=labels)

    @rule(short=VOLUMES)
    def inspect_volume(self, short: str) -> None:
        """Compare all that is known of a volume."""
        self.look("VolumeInspect", self.name(short))

    @rule(short=VOLUMES, force=st.booleans())
    def delete_volume(self, short: str, force: bool) -> None:
        """Delete a volume, which may be in use."""
        self.both("VolumeDelete", self.name(short), force=force)

    @rule(
        filters=st.fixed_dictionaries(
            {},
            optional={
                "dangling": st.sampled_from([["true"], ["false"], ["odd"]]),
                "label": st.just(["tier=web"]),
                "driver": st.sampled_from([["local"], ["nobody"]]),
            },
        )
    )
    def list_volumes(self, filters: Any) -> None:
        """Compare lists of volumes; engines sort them each in a way of its own."""
        filters = {"name": [self.prefix], **filters}
        self.each_until_alike(
            f"VolumeList {filters}", lambda client: self._volumes(client, filters)
        )

    def _volumes(self, client: Client, filters: Any) -> Any:
        came = self.outcome(client, "VolumeList", filters=filters)
        if came[0] == "fine":
            came[1]["Volumes"] = sorted(came[1]["Volumes"] or (), key=lambda each: each["Name"])
        return came

    @rule(label=st.sampled_from(["tier=web", LABEL]))
    def prune_volumes(self, label: str) -> None:
        """Remove all of ours that nobody uses."""
        filters = {"label": [f"{LABEL}={self.prefix}", label]}
        if self.api >= (1, 42):
            filters["all"] = ["true"]
        self.each("VolumePrune", lambda client: self._pruned(client, filters))

    def _pruned(self, client: Client, filters: Any) -> Any:
        came = self.outcome(client, "VolumePrune", filters=filters)
        if came[0] == "fine":
            came[1]["VolumesDeleted"] = sorted(came[1]["VolumesDeleted"] or ())
        return came


def _archive() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        folder = tarfile.TarInfo("sub")
        folder.type, folder.mode = tarfile.DIRTYPE, 0o750
        archive.addfile(folder)
        for path, content in (("a.txt", b"put here\n"), ("sub/b.txt", b"deeper\n")):
            member = tarfile.TarInfo(path)
            member.size, member.mode, member.mtime = len(content), 0o640, 1_700_000_000
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def _members(data: bytes) -> list[tuple[Any, ...]]:
    """Return what an archive holds; what lies beside each other has an order by chance."""
    members = []
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        for each in archive:
            file = archive.extractfile(each) if each.isfile() else None
            content = file.read() if file else b""
            members.append((each.name, each.type, oct(each.mode), each.uid, each.gid, content))
    return [*members[:1], *sorted(members[1:])]
