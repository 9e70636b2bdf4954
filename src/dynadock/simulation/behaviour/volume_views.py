"""Volumes, and containers' mounts, as replies show them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dynadock.simulation.clock import SECOND, rfc3339
from dynadock.simulation.state.mounts import VOLUME
from dynadock.simulation.state.volumes import LOCAL

if TYPE_CHECKING:
    from dynadock.simulation.state.container import Container
    from dynadock.simulation.state.mounts import Mount
    from dynadock.simulation.state.volumes import Volume


def volume_settings(volume: Volume) -> dict[str, Any]:
    """Return a volume as VolumeInspect has it."""
    return {
        "CreatedAt": rfc3339(volume.created - volume.created % SECOND),
        "Driver": LOCAL,
        "Labels": None if volume.labels is None else dict(volume.labels),
        "Mountpoint": volume.source,
        "Name": volume.name,
        "Options": None if volume.options is None else dict(volume.options),
        "Scope": "local",
    }


def volume_usage(volume: Volume) -> dict[str, Any]:
    """Return a volume with what SystemDataUsage adds: how big it is, and in how many containers."""
    usage = {"RefCount": len(volume.users), "Size": volume.files.size()}
    return {**volume_settings(volume), "UsageData": usage}


def mounts_of(container: Container) -> list[dict[str, Any]]:
    """Return a container's mounts, as inspecting it and lists show them."""
    return [_mount(each) for each in container.mounts if each.is_shown]


def _mount(mount: Mount) -> dict[str, Any]:
    shown: dict[str, Any] = {"Type": mount.kind}
    if mount.volume is not None:
        shown["Name"] = mount.volume.name
    shown |= {"Source": mount.source, "Destination": mount.destination}
    if mount.kind == VOLUME:
        shown["Driver"] = LOCAL
    return {
        **shown,
        "Mode": mount.mode,
        "RW": mount.is_writable,
        "Propagation": mount.propagation,
    }
