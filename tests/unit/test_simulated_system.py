"""What the simulated engine says of itself."""

from __future__ import annotations

import pytest

from documents import NEWEST, OLDEST, VERSIONS, numbers_of
from dynadock import BadRequest, NotFound, load
from dynadock.spec.loader import load_spec
from samples import least_arguments
from simulated import conforms

every_version = pytest.mark.parametrize("version", VERSIONS)


def client(version=NEWEST):
    return load(version, host="embedded://")


@every_version
def test_what_it_says_of_itself_is_what_the_document_of_the_version_says(version):
    docker = client(version)
    for operation in ("SystemVersion", "SystemInfo"):
        conforms(docker, operation, docker.operations[operation]())


def test_it_says_which_versions_it_speaks():
    version = client().SystemVersion()
    assert (version.MinAPIVersion, version.ApiVersion) == (OLDEST, NEWEST)
    details = version.Components[0].Details
    assert (details.MinAPIVersion, details.ApiVersion) == (OLDEST, NEWEST)


def test_the_text_of_its_own_version_begins_with_digits_and_says_that_it_is_embedded():
    info = client().SystemInfo()
    assert info.ServerVersion == client().SystemVersion().Version
    assert info.ServerVersion[:1].isdecimal()
    assert "embedded" in info.ServerVersion


def test_a_ping_says_what_it_speaks():
    docker = client(OLDEST)
    assert docker.SystemPing() == "OK"
    reply = docker.SystemPing.raw()
    assert reply.headers["Api-Version"] == NEWEST
    assert reply.headers["Swarm"] == "inactive"
    assert reply.headers["Docker-Experimental"] == "false"
    assert reply.headers["Builder-Version"] == "1"
    assert "embedded" in reply.headers["Server"]


def test_a_ping_by_head_has_the_same_headers_and_no_text():
    docker = client()
    head = docker.SystemPingHead.raw()
    assert head.content == b""
    text = docker.SystemPing.raw()
    assert {**text.headers, "Content-Length": "0"} == head.headers


def test_refusals_say_whose_they_are_too():
    with pytest.raises(NotFound) as caught:
        client().ContainerInspect("none")
    assert caught.value.status == 404
    reply = client().ContainerInspect.raw("none")
    assert reply.headers["Api-Version"] == NEWEST


def test_containers_are_counted_by_what_they_do():
    docker = client()
    for name in ("one", "two", "three", "four"):
        docker.ContainerCreate(name=name, Image="busybox", Cmd=["sleep", "60"])
    policy = {"Name": "always", "MaximumRetryCount": 0}
    docker.ContainerCreate(
        name="five", Image="busybox", Cmd=["false"], HostConfig={"RestartPolicy": policy}
    )
    docker.ContainerStart("five")
    for name in ("one", "two", "three"):
        docker.ContainerStart(name)
    docker.ContainerPause("two")
    docker.ContainerKill("three")
    info = docker.SystemInfo()
    counts = info.ContainersRunning, info.ContainersPaused, info.ContainersStopped
    assert docker.ContainerInspect("five").State.Status == "restarting"
    assert (info.Containers, *counts) == (5, 1, 1, 3)
    assert info.Images >= 1


@every_version
def test_other_answers_are_what_the_document_says(version):
    docker = client(version)
    conforms(docker, "PluginList", docker.PluginList())
    conforms(docker, "SystemAuth", docker.SystemAuth(username="ann", password="made-up-secret"))


def test_whoever_has_an_account_is_let_in():
    reply = client().SystemAuth(username="ann", password="made-up-secret")
    assert reply == {"Status": "Login Succeeded", "IdentityToken": ""}


SWARM = sorted(
    each.operation_id
    for each in load_spec(NEWEST).values()
    if each.tag in ("Config", "Node", "Secret", "Service", "Swarm", "Task")
)


@pytest.mark.parametrize("operation_id", SWARM)
def test_there_is_no_swarm(operation_id):
    least = least_arguments(load_spec(NEWEST)[operation_id])
    reply = client().operations[operation_id].raw(**least)
    if operation_id in ("SwarmInit", "SwarmJoin"):
        assert reply.status_code == 501
        assert operation_id in reply.json()["message"]
    else:
        assert reply.status_code == 503
        assert reply.json()["message"].startswith("This node is not ")


def test_there_are_no_plugins():
    docker = client()
    assert docker.PluginList() == []
    with pytest.raises(NotFound, match='plugin "none" not found'):
        docker.PluginInspect("none")
    with pytest.raises(BadRequest, match="invalid filter 'kind'"):
        docker.PluginList(filters={"kind": ["x"]})


@every_version
def test_what_takes_room_is_what_the_document_says(version):
    docker = client(version)
    docker.ContainerCreate(
        Image="busybox", Cmd=["true"], HostConfig={"Binds": ["data:/data"]}, Labels={"k": "v"}
    )
    conforms(docker, "SystemDataUsage", docker.SystemDataUsage())
    if numbers_of(version) >= (1, 52):
        conforms(docker, "SystemDataUsage", docker.SystemDataUsage(verbose=True))


def writing(docker, name, text):
    docker.ContainerCreate(name=name, Image="busybox", Cmd=["sh", "-c", f"echo {text} > /file"])
    docker.ContainerStart(name)
    docker.ContainerWait(name)


def test_images_and_containers_take_room():
    docker = client("1.45")
    writing(docker, "one", "hello")
    usage = docker.SystemDataUsage()
    (image,) = (each for each in usage.Images if "busybox:latest" in each.RepoTags)
    assert image.Containers == 1
    assert 0 < image.Size <= usage.LayersSize
    (container,) = usage.Containers
    assert (container.Names, container.SizeRw) == (["/one"], len("hello\n"))
    assert container.SizeRootFs >= image.Size + container.SizeRw
    assert usage.BuildCache == []


def test_volumes_take_room():
    docker = client("1.45")
    docker.VolumeCreate(Name="data")
    docker.VolumeCreate(Name="idle")
    docker.ContainerCreate(
        name="one",
        Image="busybox",
        Cmd=["sh", "-c", "echo hello > /data/file"],
        HostConfig={"Binds": ["data:/data"]},
    )
    docker.ContainerStart("one")
    docker.ContainerWait("one")
    usage = {each.Name: each.UsageData for each in docker.SystemDataUsage().Volumes}
    assert usage == {
        "data": {"RefCount": 1, "Size": len("hello\n")},
        "idle": {"RefCount": 0, "Size": 0},
    }
    volumes = docker.at(NEWEST).SystemDataUsage().VolumeUsage
    assert (volumes.ActiveCount, volumes.TotalCount, volumes.TotalSize) == (1, 2, len("hello\n"))
    assert volumes.Reclaimable == 0


def test_only_types_that_are_asked_for_are_measured():
    docker = client("1.45")
    docker.ContainerCreate(Image="busybox")
    usage = docker.SystemDataUsage(type=["container"])
    assert (usage.LayersSize, usage.Images, usage.Volumes, usage.BuildCache) == (0, *[None] * 3)
    assert len(usage.Containers) == 1
    both = docker.SystemDataUsage(type=["image", "build-cache"])
    assert (both.Containers, both.BuildCache) == (None, [])
    assert both.LayersSize > 0


def test_summaries_have_their_items_only_when_asked():
    docker = client(NEWEST)
    writing(docker, "one", "hello")
    writing(docker, "two", "hello!")
    docker.ContainerCreate(name="run", Image="busybox", Cmd=["sleep", "60"])
    docker.ContainerStart("run")
    usage = docker.SystemDataUsage()
    written = len("hello\n") + len("hello!\n")
    assert usage.ContainerUsage == {
        "ActiveCount": 1,
        "TotalCount": 3,
        "Reclaimable": written,
        "TotalSize": written,
    }
    assert "Containers" not in usage
    assert usage.ImageUsage.ActiveCount == 1
    verbose = docker.SystemDataUsage(verbose=True)
    assert [each.Names[0] for each in verbose.ContainerUsage["Items"]] == ["/run", "/two", "/one"]
    assert set(docker.SystemDataUsage(type=["volume"])) == {"VolumeUsage"}
