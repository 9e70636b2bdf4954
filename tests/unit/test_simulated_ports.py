"""Published ports of simulated containers: facts that are shown, and conflicts, as Docker 26.1."""

from __future__ import annotations

import pytest

from documents import VERSIONS
from dynadock import BadRequest, NotFound, ServerError, load
from simulated import conforms

every_version = pytest.mark.parametrize("version", VERSIONS)
pytestmark = pytest.mark.filterwarnings("ignore::dynadock.DoubtfulArgumentWarning")

ANY = "0.0.0.0"
FAILED = "driver failed programming external connectivity on endpoint"


@pytest.fixture
def client():
    with load("1.45", host="embedded://", timeout=10) as made:
        yield made


@pytest.fixture
def create(client):
    """Create a container that publishes, and give its name."""

    def make(name="box", bindings=None, exposed=None, **host_config):
        exposed = bindings if exposed is None else exposed
        client.ContainerCreate(
            name=name,
            Image="busybox",
            Cmd=["sleep", "600"],
            ExposedPorts={port: {} for port in exposed or ()},
            HostConfig={"PortBindings": bindings or {}, **host_config},
        )
        return name

    return make


@pytest.fixture
def start(client, create):
    """Create and start a container that publishes, and give its name."""

    def begin(*arguments, **fields):
        name = create(*arguments, **fields)
        client.ContainerStart(name)
        return name

    return begin


def shown(client, name="box"):
    return client.ContainerInspect(name).NetworkSettings.Ports


def listed(client, name="box"):
    (line,) = client.ContainerList(all=True, filters={"name": [f"^/{name}$"]})
    return line.Ports


def on(*numbers, host=(ANY, "::")):
    return [{"HostIp": each, "HostPort": str(number)} for number in numbers for each in host]


def port(number, host=""):
    return {"HostIp": host, "HostPort": str(number)}


@every_version
def test_replies_are_what_the_document_of_the_version_says(version):
    with load(version, host="embedded://", timeout=10) as client:
        client.ContainerCreate(
            name="box",
            Image="busybox",
            Cmd=["sleep", "9"],
            ExposedPorts={"80/tcp": {}, "53/udp": {}},
            HostConfig={"PortBindings": {"80/tcp": [{"HostPort": "8080"}]}},
        )
        client.ContainerStart("box")
        conforms(client, "ContainerInspect", client.ContainerInspect("box"))
        conforms(client, "ContainerList", client.ContainerList())


def test_a_fixed_port_is_published_while_the_container_runs(client, start):
    start("box", {"80/tcp": [{"HostPort": "8080"}]})
    assert client.ContainerInspect("box").HostConfig.PortBindings == {"80/tcp": [port(8080)]}
    assert shown(client) == {"80/tcp": on(8080)}
    lines = [
        {"IP": each, "PrivatePort": 80, "PublicPort": 8080, "Type": "tcp"} for each in (ANY, "::")
    ]
    assert listed(client) == lines
    client.ContainerKill("box")
    assert (shown(client), listed(client)) == ({}, [])


def test_exposed_ports_are_shown_while_it_runs(client, create):
    create("box", exposed=["80/tcp", "53/udp", "70"])
    assert (shown(client), listed(client)) == ({}, [])
    client.ContainerStart("box")
    assert shown(client) == {"53/udp": None, "70/tcp": None, "80/tcp": None}
    assert {(each.PrivatePort, each.Type) for each in listed(client)} == {
        (53, "udp"),
        (70, "tcp"),
        (80, "tcp"),
    }


def test_what_is_not_exposed_is_not_published(client, start):
    start("box", {"80/tcp": [{"HostPort": "8080"}]}, exposed=[])
    assert shown(client) == {}


def test_ports_that_nobody_chose_begin_at_32768_and_are_not_used_again_soon(client, start):
    start("one", {"80/tcp": [{}], "81/tcp": [{"HostPort": ""}], "82/tcp": [{"HostPort": "0"}]})
    assert shown(client, "one") == {
        "80/tcp": on(32770),
        "81/tcp": on(32769),
        "82/tcp": on(32768),
    }
    client.ContainerDelete("one", force=True)
    start("two", exposed=["80/tcp", "53/udp"], PublishAllPorts=True)
    assert shown(client, "two") == {"80/tcp": on(32771), "53/udp": on(32768)}
    client.ContainerRestart("two", t=0)
    assert shown(client, "two")["80/tcp"] == on(32772)


BOUND = [
    ([port(8080, "127.0.0.1")], on(8080, host=["127.0.0.1"])),
    ([port(8080, "::1")], on(8080, host=["::1"])),
    ([port(8080), port(8081)], on(8081, 8080)),
    ([port("8080-8082")], on(8080)),
    ([port(8080, "no address")], on(8080)),
]


@pytest.mark.parametrize(("asked", "bound"), BOUND)
def test_addresses_several_ports_and_ranges(client, start, asked, bound):
    start("box", {"80/tcp": asked})
    assert shown(client) == {"80/tcp": bound}


def test_protocols_do_not_stand_in_each_others_way(client, start):
    start("box", {"80/tcp": [{"HostPort": "8080"}], "80/udp": [{"HostPort": "8080"}]})
    assert shown(client) == {"80/tcp": on(8080), "80/udp": on(8080)}


def test_ports_of_a_range_are_used_in_turn(client, start):
    for name, number in (("one", 8080), ("two", 8081), ("three", 8080)):
        start(name, {"80/tcp": [{"HostPort": "8080-8081"}]})
        assert shown(client, name) == {"80/tcp": on(number)}
        client.ContainerKill(name)


def test_ranges_are_shared(client, start):
    rows = [{"HostPort": "8080-8081"}]
    start("one", {"80/tcp": rows, "81/tcp": rows})
    assert shown(client, "one") == {"80/tcp": on(8081), "81/tcp": on(8080)}
    with pytest.raises(ServerError, match=rf"{FAILED} two \([0-9a-f]{{64}}\): all ports are alloc"):
        start("two", {"80/tcp": rows})


TAKEN = [
    (port(8080), port(8080), rf"Bind for {ANY}:8080 failed: port is already allocated"),
    (port(8080, "127.0.0.1"), port(8080, "127.0.0.1"), "Bind for 127.0.0.1:8080 failed: port is"),
    (
        port(8080),
        port(8080, "127.0.0.1"),
        "Error starting userland proxy: listen tcp4 127.0.0.1:8080: bind: address already in use",
    ),
    (port(8080, "127.0.0.1"), port(8080), f"proxy: listen tcp4 {ANY}:8080: bind: address already"),
]


@pytest.mark.parametrize("case", TAKEN)
def test_a_port_is_published_once(client, start, create, case):
    first, second, words = case
    start("first", {"80/tcp": [first]})
    create("second", {"80/tcp": [second]})
    with pytest.raises(ServerError, match=words):
        client.ContainerStart("second")
    found = client.ContainerInspect("second")
    assert (found.State.Status, found.State.ExitCode) == ("created", 128)
    assert FAILED in found.State.Error
    assert found.NetworkSettings.Networks["bridge"].IPAddress == ""
    client.ContainerKill("first")
    client.ContainerStart("second")


def test_who_waits_for_what_cannot_be_published_hears_128(client, start, create):
    start("first", {"80/tcp": [port(8080)]})
    create("second", {"80/tcp": [port(8080)]})
    with pytest.raises(ServerError):
        client.ContainerStart("second")
    answer = client.ContainerWait("second")
    assert answer.StatusCode == 128
    assert FAILED in answer.Error.Message


def test_different_addresses_may_have_the_same_port(client, start):
    start("one", {"80/tcp": [port(8080, "127.0.0.1")]})
    start("two", {"80/tcp": [port(8080, "127.0.0.2")]})
    start("three", {"80/tcp": [port(8080, "::1")]})
    assert shown(client, "three") == {"80/tcp": on(8080, host=["::1"])}


def test_a_container_that_could_not_publish_all_keeps_nothing(client, start):
    start("first", {"80/tcp": [port(8080)]})
    with pytest.raises(ServerError, match="already allocated"):
        start("second", {"80/tcp": [port(8080)], "81/tcp": [port(9090)]})
    start("third", {"81/tcp": [port(9090)]})


def test_it_goes_where_its_container_goes(client, start):
    with pytest.raises(ServerError):
        start("first", {"80/tcp": [port(8080)], "81/tcp": [port(8080)]}, AutoRemove=True)
    with pytest.raises(NotFound):
        client.ContainerInspect("first")
    start("second", {"80/tcp": [port(8080)]}, AutoRemove=True)
    client.ContainerKill("second")
    start("third", {"80/tcp": [port(8080)]})


REFUSED = [
    ("80/tcp", "zz", "zz"),
    ("80/tcp", "99999", "99999"),
    ("80/tcp", "8090-8080", "8090-8080"),
    ("zz/tcp", "1", "zz"),
    ("99999/tcp", "1", "99999"),
]


@pytest.mark.parametrize(("inner", "outer", "word"), REFUSED)
def test_what_is_no_port(create, inner, outer, word):
    with pytest.raises(BadRequest, match=f'invalid port specification: "{word}"'):
        create("box", {inner: [{"HostPort": outer}]})


def test_a_protocol_that_is_none(start):
    with pytest.raises(ServerError, match="invalid transport protocol: 0"):
        start("box", {"80/zz": [{"HostPort": "8080"}]})


@pytest.mark.parametrize("mode", ["none", "host", "inside"])
def test_networks_that_lead_nowhere_publish_nothing(client, start, mode):
    client.NetworkCreate(Name="inside", Internal=True)
    start("box", {"80/tcp": [port(8080)]}, NetworkMode=mode)
    assert shown(client) == {}


def test_ports_come_and_go_with_the_last_network_that_leads_outside(client, start):
    client.NetworkCreate(Name="inside", Internal=True)
    start("box", {"80/tcp": [port(8080)]})
    client.NetworkConnect("inside", Container="box")
    client.NetworkDisconnect("bridge", Container="box")
    assert shown(client) == {}
    start("other", {"80/tcp": [port(8080)]})
    with pytest.raises(ServerError, match="port is already allocated"):
        client.NetworkConnect("bridge", Container="box")
    assert set(client.ContainerInspect("box").NetworkSettings.Networks) == {"inside"}
    client.ContainerKill("other")
    client.NetworkConnect("bridge", Container="box")
    assert shown(client) == {"80/tcp": on(8080)}
