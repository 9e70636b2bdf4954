"""What the containers of a machine take: a small tool that is to work on many engines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dynadock import run

if TYPE_CHECKING:
    from dynadock import Client


def size_of_image(client: Client, name: str) -> int:
    """Return the bytes that an image takes, with all of its layers."""
    size: int = client.ImageInspect(name).VirtualSize
    return size


def named_by_label(client: Client, labels: dict[str, str]) -> list[str]:
    """Return the names of running containers that have these labels, sorted."""
    wanted = [f"{key}={value}" for key, value in labels.items()]
    found = client.ContainerList(filters={"label": wanted, "status": "running"})
    return sorted(each.Names[0].removeprefix("/") for each in found)


def free_space(client: Client, volume: str, image: str = "busybox") -> int:
    """Return the kilobytes that are free where a volume is."""
    done = run(client, image, ["df", "-Pk", "/data"], HostConfig={"Binds": [f"{volume}:/data"]})
    return int(done.stdout.decode().splitlines()[-1].split()[3])


def is_private(client: Client, container: str) -> bool:
    """Tell whether a container has a tree of cgroups of its own."""
    return bool(client.ContainerInspect(container).HostConfig.CgroupnsMode == "private")
