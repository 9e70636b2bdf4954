"""The examples that operations give: an engine really accepts them.

Accepted is an example whose call raises nothing: no error status came (a 400 for a malformed
request above all), and what streams was read to its end, or closed where it has none or is an
archive. Names that stand for something of the caller's own (web, data, backend, hello, an exec's
id, the registry) are exchanged for those of this run's things; all else is sent as it is.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from documents import all_operations
from dynadock import Client, Duplex, FrameStream, JsonStream, RawDuplex, Stream, load
from dynadock.spec.versions import VersionRange
from engine.engines import MAIN_VERSION, REGISTRY, engines
from engine.things import IMAGE, LABELS, PREFIX, new_name
from engine.tidy import tidy, tidy_registry
from lacking import give_up

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TABLE = Path(__file__).with_name("examples.yaml")

MAIN = VersionRange(MAIN_VERSION, MAIN_VERSION)
SPEAKERS = [each for each in engines() if each.kind == "docker" and each.versions(MAIN)]

Names = dict[str, Any]


@cache
def table() -> dict[str, Any]:
    """Read what becomes of each example."""
    content: dict[str, Any] = yaml.safe_load(TABLE.read_text(encoding="utf-8"))
    return content


CALLED = [(need, name) for need, names in table()["called"].items() for name in names]
LEFT_OUT = [name for row in table()["left_out"] for name in row["operations"]]


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    """A client of the first Docker Engine that speaks the main version, at its newest."""
    if not SPEAKERS:
        give_up(f"no Docker Engine that speaks API {MAIN_VERSION}")
    with load(host=SPEAKERS[0].address) as client:
        yield client
        tidy(client)
        # What examples make has their labels and none of ours.
        for network in client.NetworkList(filters={"name": PREFIX}):
            client.NetworkDelete(network.Id)
        for volume in client.VolumeList(filters={"name": PREFIX}).Volumes or ():
            client.VolumeDelete(volume.Name)


@pytest.fixture
def registry() -> Iterator[str]:
    """The address of an open registry, which the engine reaches too."""
    address = os.environ.get(REGISTRY)
    if not address:
        give_up(f"{REGISTRY} names no registry")
    yield address
    tidy_registry(address)


def nothing(_client: Client) -> Names:
    return {}


def new_names(_client: Client) -> Names:
    return {name: new_name(name) for name in ("web", "hello", "data", "backend")}


def a_container(client: Client, **fields: Any) -> Names:
    body = {"Image": IMAGE, "Cmd": ["sleep", "600"], "StopSignal": "SIGKILL", "Labels": LABELS}
    names = new_names(client)
    client.ContainerCreate(name=names["web"], body={**body, **fields})
    return {**names, "web-old": new_name("old")}


def a_running_container(client: Client, **fields: Any) -> Names:
    names = a_container(client, Tty=True, **fields)
    client.ContainerStart(names["web"])
    return names


def an_ending_container(client: Client) -> Names:
    again = {"RestartPolicy": {"Name": "always"}}
    return a_running_container(client, Cmd=["sleep", "1"], HostConfig=again)


def a_paused_container(client: Client) -> Names:
    names = a_running_container(client)
    client.ContainerPause(names["web"])
    return names


def a_command(client: Client) -> Names:
    names = a_running_container(client)
    command = client.ContainerExec(names["web"], Cmd=["sleep", "1"], AttachStdout=True)
    return {**names, "the-exec-id": command.Id}


def a_running_command(client: Client) -> Names:
    names = a_running_container(client)
    command = client.ContainerExec(names["web"], Cmd=["sleep", "600"], Tty=True)
    client.ExecStart(command.Id, Detach=True)
    return {**names, "the-exec-id": command.Id}


def a_volume(client: Client) -> Names:
    names = new_names(client)
    client.VolumeCreate(Name=names["data"], Labels=LABELS)
    return names


def a_network(client: Client) -> Names:
    names = new_names(client)
    client.NetworkCreate(Name=names["backend"], Labels=LABELS)
    return names


def a_network_and_a_container(client: Client) -> Names:
    return {**a_container(client), "backend": a_network(client)["backend"]}


def a_connected_container(client: Client) -> Names:
    names = a_network_and_a_container(client)
    client.NetworkConnect(names["backend"], Container=names["web"])
    return names


def a_tagged_image(client: Client) -> Names:
    names = new_names(client)
    client.ImageTag(IMAGE, repo=names["hello"])
    return {**names, "localhost:5000/hello": f"localhost:5000/{names['hello']}"}


MAKERS: dict[str, Callable[..., Names]] = {
    "nothing": nothing,
    "names that nothing has yet": new_names,
    "a created container": a_container,
    "a running container": a_running_container,
    "a container that ends again and again": an_ending_container,
    "a paused container": a_paused_container,
    "a prepared command": a_command,
    "a running command": a_running_command,
    "a volume": a_volume,
    "a network": a_network,
    "a network and a container": a_network_and_a_container,
    "a connected container": a_connected_container,
    "a tagged image": a_tagged_image,
}


@pytest.fixture
def an_image_in_the_registry(client: Client, registry: str) -> Names:
    name = f"{registry}/{PREFIX}"
    client.ImageTag(IMAGE, repo=name, tag="latest")
    client.ImagePush(name, tag="latest").wait()
    return {
        "localhost:5000": registry,
        "localhost:5000/hello": name,
        "localhost:5000/hello:latest": f"{name}:latest",
    }


@pytest.fixture
def a_saved_image(client: Client, tmp_path: Path) -> Names:
    archive = tmp_path / "image.tar"
    client.ImageGet(IMAGE).save(archive)
    return {Path(): archive}


@pytest.fixture
def make(client: Client, request: pytest.FixtureRequest) -> Callable[[str], Names]:
    """Make what an example needs and return what stands for what in it."""

    def make(need: str) -> Names:
        if need in MAKERS:
            return MAKERS[need](client)
        names: Names = request.getfixturevalue(need.replace(" ", "_"))
        return names

    return make


def exchanged(value: Any, names: Names) -> Any:
    """Return an example's value with the names of this run's things in it."""
    if isinstance(value, dict):
        return {key: exchanged(each, names) for key, each in value.items()}
    if isinstance(value, list):
        return [exchanged(each, names) for each in value]
    return names.get(value, value) if isinstance(value, (str, Path)) else value


def see_out(value: Any) -> None:
    """Read a stream to its end where it comes to one by itself, and close it."""
    if isinstance(value, JsonStream):
        value.wait()
    elif isinstance(value, FrameStream) and not isinstance(value, Duplex):
        value.collect()
    elif isinstance(value, (Stream, RawDuplex)):
        value.close()


@pytest.mark.parametrize(
    ("need", "operation_id"), CALLED, ids=[operation_id for _, operation_id in CALLED]
)
def test_an_engine_accepts_it(
    client: Client, make: Callable[[str], Names], need: str, operation_id: str
) -> None:
    if operation_id not in client.operations:
        pytest.skip(f"API {client.version} has no {operation_id}")
    names = make(need)
    operation = client.operations[operation_id]
    see_out(operation(**exchanged(operation.example(), names)))


def test_every_operation_is_called_or_left_out_with_a_reason(client: Client) -> None:
    named = [operation_id for _, operation_id in CALLED] + LEFT_OUT
    assert len(named) == len(set(named))
    assert set(client.operations) <= set(named) <= all_operations()
    assert all(row["why"] for row in table()["left_out"])
