"""What real engines list, shown as tables by rich and in notebooks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Console

from engine.things import LABELS, new_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from dynadock import Client


def shown(value: Any) -> str:
    console = Console(width=300, color_system=None)
    with console.capture() as captured:
        console.print(value)
    return captured.get()


def test_containers(client: Client, new_container: Callable[..., str]) -> None:
    name = new_container(Cmd=["sleep", "601"])
    listed = client.ContainerList(all=True)
    table = shown(listed)
    row = next(line for line in table.splitlines() if name in line)
    assert "sleep 601" in row
    assert client.ContainerInspect(name).Id[:12] in row
    assert f"<td>{name}</td>" in listed._repr_mimebundle_()["text/html"]
    assert name in repr(client.ContainerList(all=True, filters={"name": name}))


def test_images_and_networks(client: Client, image: str) -> None:
    assert image in shown(client.ImageList())
    network = new_name("network")
    client.NetworkCreate(Name=network, Driver="bridge", Labels=LABELS)
    assert network in shown(client.NetworkList())


def test_volumes(client: Client) -> None:
    name = client.VolumeCreate(Name=new_name("volume"), Labels=LABELS).Name
    listed = client.VolumeList()
    assert name in shown(listed.Volumes)
    assert f"<td>{name}</td>" in listed.Volumes._repr_mimebundle_()["text/html"]
    assert name in shown(listed)
    assert "Mountpoint" in shown(listed)


def test_a_record(client: Client, running: str) -> None:
    record = client.ContainerInspect(running)
    assert "Pid" in shown(record)
    assert "…" in repr(record)
    assert len(repr(record).splitlines()) < 400
