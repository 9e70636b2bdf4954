"""Volumes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dynadock import Conflict, NotFound
from engine.things import LABELS, MINE, PREFIX, new_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from dynadock import Client

    NewContainer = Callable[..., str]


@pytest.fixture
def volume(client: Client) -> str:
    """The name of a volume of the test's own."""
    name = new_name("volume")
    client.VolumeCreate(Name=name, Labels=LABELS)
    return name


def test_create_and_inspect(client: Client) -> None:
    name = new_name("volume")
    options = {"type": "tmpfs", "device": "tmpfs"}
    made = client.VolumeCreate(Name=name, Driver="local", DriverOpts=options, Labels=LABELS)
    seen = client.VolumeInspect(name)
    assert (made.Name, seen.Name) == (name, name)
    assert (seen.Driver, seen.Scope) == ("local", "local")
    assert dict(seen.Options) == options
    assert dict(seen.Labels) == LABELS


def test_create_without_a_name(client: Client) -> None:
    made = client.VolumeCreate(Labels=LABELS)
    assert client.VolumeInspect(made.Name).Mountpoint == made.Mountpoint


def test_create_without_anything(client: Client) -> None:
    made = client.VolumeCreate()
    assert client.VolumeDelete(made.Name) is None


def test_list(client: Client, volume: str) -> None:
    def names(**arguments: object) -> set[str]:
        return {each.Name for each in client.VolumeList(**arguments).Volumes or ()}

    assert volume in names()
    assert volume in names(filters={**MINE, "driver": "local"})
    assert names(filters={"name": [volume]}) == {volume}
    assert names(filters={"label": f"nothing={PREFIX}"}) == set()


def test_delete(client: Client, volume: str) -> None:
    assert client.VolumeDelete(volume) is None
    with pytest.raises(NotFound) as caught:
        client.VolumeInspect(volume)
    assert "no such volume" in caught.value.explanation


def test_delete_what_is_in_use(client: Client, volume: str, new_container: NewContainer) -> None:
    container = new_container(HostConfig={"Binds": [f"{volume}:/data"]})
    with pytest.raises(Conflict):
        client.VolumeDelete(volume)
    client.ContainerDelete(container, v=True)


def test_prune(client: Client) -> None:
    # A volume without a name: from 1.42 on, others are pruned only with all=true.
    label = f"dynadock.prune={new_name('prune')}"
    key, value = label.split("=")
    made = client.VolumeCreate(Labels={**LABELS, key: value})
    assert client.VolumePrune(filters={"label": label}).VolumesDeleted == [made.Name]
