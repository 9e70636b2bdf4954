"""Create, inspect, list, update and delete, at every version from 1.30 to 1.42 an engine speaks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dynadock import NotFound
from engine.things import LABELS, MIB, MINE, new_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from dynadock import Client
    from engine.answers import Expected
    from engine.engines import Target

    NewContainer = Callable[..., str]

pytestmark = pytest.mark.api("1.30-1.42")


def test_container(client: Client, expected: Expected, new_container: NewContainer) -> None:
    name = new_container(
        Env=["COLOUR=red"],
        HostConfig={"Memory": 64 * MIB, "RestartPolicy": {"Name": "no"}},
    )
    seen = client.ContainerInspect(name)
    assert "COLOUR=red" in seen.Config.Env
    assert seen.HostConfig.Memory == 64 * MIB
    listed = client.ContainerList(all=True, filters={**MINE, "name": [name]})
    assert [each.Id for each in listed] == [seen.Id]
    with expected("ContainerUpdate"):
        client.ContainerUpdate(name, CpuShares=512)
        assert client.ContainerInspect(name).HostConfig.CpuShares == 512
    assert client.ContainerDelete(name, v=True) is None
    with pytest.raises(NotFound):
        client.ContainerInspect(name)


def test_volume(client: Client) -> None:
    # There is nothing of a volume to update but what VolumeUpdate (1.42) does in a swarm.
    name = new_name("volume")
    made = client.VolumeCreate(Name=name, Driver="local", Labels=LABELS)
    seen = client.VolumeInspect(name)
    assert (seen.Name, seen.Mountpoint) == (name, made.Mountpoint)
    assert dict(seen.Labels) == LABELS
    assert [each.Name for each in client.VolumeList(filters={"name": [name]}).Volumes] == [name]
    assert client.VolumeDelete(name) is None
    with pytest.raises(NotFound):
        client.VolumeInspect(name)


def test_network(client: Client, new_container: NewContainer) -> None:
    name, container = new_name("network"), new_container()
    made = client.NetworkCreate(Name=name, Internal=True, Labels=LABELS)
    seen = client.NetworkInspect(name)
    assert (seen.Id, seen.Internal) == (made.Id, True)
    assert [each.Id for each in client.NetworkList(filters={"name": [name]})] == [made.Id]
    client.NetworkConnect(name, Container=container)
    assert name in client.ContainerInspect(container).NetworkSettings.Networks
    client.NetworkDisconnect(name, Container=container, Force=True)
    assert name not in client.ContainerInspect(container).NetworkSettings.Networks
    client.ContainerDelete(container)
    assert client.NetworkDelete(name) is None
    with pytest.raises(NotFound):
        client.NetworkInspect(name)


def test_image(client: Client, image: str) -> None:
    # An image does not change; it gets a second name, and loses it.
    name = f"{new_name('image')}:one"
    repository, tag = name.split(":")
    client.ImageTag(image, repo=repository, tag=tag)
    seen = client.ImageInspect(name)
    assert seen.Id == client.ImageInspect(image).Id
    assert [each.Id for each in client.ImageList(filters={"reference": [name]})] == [seen.Id]
    deleted = client.ImageDelete(name)
    assert any(name in each.get("Untagged", "") for each in deleted)
    with pytest.raises(NotFound):
        client.ImageInspect(name)


def test_commit(client: Client, new_container: NewContainer) -> None:
    name, container = f"{new_name('commit')}:one", new_container()
    repository, tag = name.split(":")
    made = client.ImageCommit(container=container, repo=repository, tag=tag, pause=False)
    assert made.Id.removeprefix("sha256:") == client.ImageInspect(name).Id.removeprefix("sha256:")
    client.ContainerDelete(container)
    assert client.ImageDelete(name, force=True)


def test_engine_knows_the_version(client: Client, target: Target) -> None:
    assert client.version == str(target.version)
    assert client.SystemPing() == "OK"
    assert client.SystemVersion().ApiVersion == str(target.engine.newest)
