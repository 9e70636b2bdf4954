"""Networks of simulated engines, and the places that containers have in them, as Docker 26.1."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from documents import VERSIONS
from dynadock import AccessDenied, BadRequest, Conflict, NotFound, ServerError, load
from dynadock.simulation import registry
from dynadock.simulation.engine import SimulatedEngine
from dynadock.simulation.refusal import Refused
from dynadock.simulation.state.addresses import Defaults, Pool, read_pools
from simulated import conforms

every_version = pytest.mark.parametrize("version", VERSIONS)
CHOSEN = {"Config": [{"Subnet": "10.91.0.0/24"}]}


@pytest.fixture
def engine():
    return SimulatedEngine(manual_clock=True)


@pytest.fixture
def host(engine):
    name = registry.add(engine)
    yield f"embedded://{name}"
    registry.forget(name)


@pytest.fixture
def client(host):
    with load("1.45", host=host, timeout=10) as made:
        yield made


@pytest.fixture
def create(client):
    """Create a container, and give its name."""

    def make(name="box", mode="", endpoints=None, command=("sleep", "600"), **fields):
        host_config = {"NetworkMode": mode, **fields.pop("HostConfig", {})}
        client.ContainerCreate(
            name=name,
            Image="busybox",
            Cmd=[*command],
            HostConfig=host_config,
            NetworkingConfig={"EndpointsConfig": endpoints or {}},
            **fields,
        )
        return name

    return make


@pytest.fixture
def start(client, create):
    """Create and start a container, and give its name."""

    def begin(name="box", *arguments, **fields):
        client.ContainerStart(create(name, *arguments, **fields))
        return name

    return begin


def settings(client, name="box"):
    return client.ContainerInspect(name).NetworkSettings


def place(client, network, name="box"):
    return settings(client, name).Networks[network]


def text_of(client, path, name="box"):
    """Return a file as a program in the container sees it."""
    exec_id = client.ContainerExec(name, AttachStdout=True, Cmd=["cat", path]).Id
    with client.ExecStart(exec_id) as stream:
        return b"".join(chunk.data for chunk in stream).decode()


def names(client, **filters):
    return {each.Name for each in client.NetworkList(filters=filters)}


def network_events(client, engine):
    """Return what happened to networks until now."""
    engine.state.advance(2)
    now = engine.state.clock.now() // 10**9
    return [*client.SystemEvents(since=1, until=now, filters={"type": ["network"]})]


def happenings(client, engine):
    events = network_events(client, engine)
    return [(each.Action, each.Actor.Attributes["name"]) for each in events]


def test_three_are_there_from_the_beginning(client):
    assert names(client) == {"bridge", "host", "none"}
    bridge = client.NetworkInspect("bridge")
    assert bridge.IPAM.Config[0] == {"Subnet": "172.17.0.0/16", "Gateway": "172.17.0.1"}
    assert bridge.Options["com.docker.network.bridge.name"] == "docker0"


@every_version
def test_replies_are_what_the_document_of_the_version_says(version):
    with load(version, host="embedded://", timeout=10) as client:
        made = client.NetworkCreate(Name="mine", IPAM=CHOSEN)
        conforms(client, "NetworkCreate", made)
        client.ContainerCreate(name="box", Image="busybox", Cmd=["sleep", "9"])
        client.ContainerStart("box")
        client.NetworkConnect("mine", Container="box", EndpointConfig={"Aliases": ["db"]})
        conforms(client, "NetworkInspect", client.NetworkInspect("mine"))
        conforms(client, "NetworkList", client.NetworkList())
        conforms(client, "ContainerInspect", client.ContainerInspect("box"))
        conforms(client, "ContainerList", client.ContainerList())
        conforms(client, "NetworkPrune", client.NetworkPrune())


# Made, found and removed


def test_a_network_gets_the_next_subnet_that_is_free(client):
    for number in range(18, 32):
        client.NetworkCreate(Name=f"n{number}")
        config = client.NetworkInspect(f"n{number}").IPAM.Config
        assert config == [{"Subnet": f"172.{number}.0.0/16", "Gateway": f"172.{number}.0.1"}]
    client.NetworkCreate(Name="next")
    assert client.NetworkInspect("next").IPAM.Config[0].Subnet == "192.168.0.0/20"


def test_a_subnet_is_used_again_only_when_all_others_were(client):
    client.NetworkCreate(Name="one")
    client.NetworkDelete("one")
    client.NetworkCreate(Name="two")
    assert client.NetworkInspect("two").IPAM.Config[0].Subnet == "172.19.0.0/16"


def test_a_network_is_shown_as_it_was_asked_for(client):
    asked = {
        "Driver": "bridge",
        "Internal": True,
        "Attachable": True,
        "EnableIPv6": True,
        "Labels": {"a": "1"},
        "Options": {"com.docker.network.bridge.name": "br9"},
        "IPAM": {
            "Driver": "default",
            "Options": {"o": "p"},
            "Config": [
                {
                    "Subnet": "10.99.1.0/24",
                    "IPRange": "10.99.1.128/25",
                    "Gateway": "10.99.1.254",
                    "AuxiliaryAddresses": {"host": "10.99.1.130"},
                },
                {"Subnet": "fd00:99::/64"},
            ],
        },
    }
    client.NetworkCreate(Name="mine", **asked)
    shown = client.NetworkInspect("mine")
    assert {name: shown[name] for name in asked} == asked


def test_a_network_is_found_by_name_id_and_the_beginning_of_its_id(client):
    made = client.NetworkCreate(Name="mine").Id
    assert {client.NetworkInspect(name).Id for name in ("mine", made, made[:12])} == {made}


def test_a_beginning_that_several_ids_have_is_ambiguous(client):
    made = [client.NetworkCreate(Name=f"n{number}").Id for number in range(17)]
    first = max((each[0] for each in made), key=[each[0] for each in made].count)
    complaint = f"matches found based on ID prefix: network {first} is ambiguous"
    with pytest.raises(BadRequest, match=complaint):
        client.NetworkInspect(first)
    with pytest.raises(BadRequest, match=rf"network {first} is ambiguous \(\d+ matches found"):
        client.NetworkDelete(first)


REFUSED = [
    ({"Name": "mine"}, Conflict, "network with name mine already exists"),
    ({"Name": "mine", "CheckDuplicate": False}, Conflict, "already exists"),
    ({"Name": "  "}, BadRequest, "invalid name:   "),
    ({"Name": "host"}, AccessDenied, "operation is not permitted on predefined host network"),
    ({"Name": "default"}, AccessDenied, "predefined default network"),
    ({"Driver": "nonesuch"}, NotFound, 'plugin "nonesuch" not found'),
    ({"Driver": "host"}, AccessDenied, 'only one instance of "host" network is allowed'),
    ({"Driver": "overlay"}, AccessDenied, "This node is not a swarm manager"),
    ({"Scope": "swarm"}, AccessDenied, "cannot create a swarm scoped network"),
    ({"IPAM": {"Driver": "nonesuch"}}, NotFound, 'plugin "nonesuch" not found'),
    ({"EnableIPv6": True}, NotFound, "could not find an available, non-overlapping IPv6"),
    ({"ConfigFrom": {"Network": "mine"}}, AccessDenied, "is not a configuration network"),
]


@pytest.mark.parametrize(("fields", "error", "words"), REFUSED)
def test_what_engines_refuse(client, fields, error, words):
    client.NetworkCreate(Name="mine")
    with pytest.raises(error, match=re.escape(words)):
        client.NetworkCreate(**{"Name": "other", **fields})
    assert names(client) == {"bridge", "host", "none", "mine"}


RANGES = [
    (
        [{"Subnet": "172.17.5.0/24"}],
        AccessDenied,
        "Pool overlaps with other one on this address space",
    ),
    (
        [{"Subnet": "10.1.0.0/16"}, {"Subnet": "10.2.0.0/16"}],
        AccessDenied,
        "support multiple subnets",
    ),
    ([{"Subnet": "10.1.0.0/16"}, {"Subnet": "10.1.0.0/16"}], AccessDenied, "Pool overlaps"),
    (
        [{"Subnet": "x"}],
        BadRequest,
        "invalid network config:\ninvalid subnet x: invalid CIDR block",
    ),
    (
        [{"Subnet": "10.9.1.5/24"}],
        BadRequest,
        "invalid subnet 10.9.1.5/24: it should be 10.9.1.0/24",
    ),
    ([{"Gateway": "10.9.1.1"}], BadRequest, "invalid subnet : invalid CIDR block notation"),
    (
        [{"Subnet": "10.9.1.0/24", "Gateway": "10.8.0.1"}],
        BadRequest,
        "invalid gateway 10.8.0.1: parent subnet 10.9.1.0/24 doesn't contain this address",
    ),
    (
        [{"Subnet": "10.9.1.0/24", "Gateway": "zz"}],
        BadRequest,
        "invalid gateway zz: invalid address",
    ),
    (
        [{"Subnet": "10.9.1.0/24", "IPRange": "10.8.0.0/25"}],
        BadRequest,
        "invalid ip-range 10.8.0.0/25: parent subnet 10.9.1.0/24 doesn't contain ip-range",
    ),
    (
        [{"Subnet": "10.9.1.0/24", "IPRange": "10.9.1.5/25"}],
        BadRequest,
        "invalid ip-range 10.9.1.5/25: it should be 10.9.1.0/25",
    ),
    (
        [{"Subnet": "10.9.1.0/24", "IPRange": "q", "Gateway": "q"}],
        BadRequest,
        "config:\n* invalid ip-range q: invalid CIDR block notation\n* invalid gateway q: invalid",
    ),
]


@pytest.mark.parametrize(("rows", "error", "words"), RANGES)
def test_ranges_that_engines_refuse(client, rows, error, words):
    with pytest.raises(error, match=re.escape(words)):
        client.NetworkCreate(Name="other", IPAM={"Config": rows})


def test_newer_versions_find_ranges_of_ipv6_addresses_too(host):
    with load("1.48", host=host, timeout=10) as newer:
        newer.NetworkCreate(Name="both", EnableIPv6=True)
        newer.NetworkCreate(Name="six", EnableIPv4=False, EnableIPv6=True)
        both, six = (newer.NetworkInspect(name) for name in ("both", "six"))
        assert [row.Gateway.count(":") > 0 for row in both.IPAM.Config] == [False, True]
        assert (both.EnableIPv4, six.EnableIPv4) == (True, False)
        newer.ContainerCreate(
            name="box",
            Image="busybox",
            Cmd=["sleep", "9"],
            NetworkingConfig={"EndpointsConfig": {"six": {"GwPriority": 5}}},
        )
        newer.ContainerStart("box")
        found = place(newer, "six")
        assert (found.IPAddress, found.GwPriority) == ("", 5)
        assert re.fullmatch("02:42(:[0-9a-f]{2}){4}", found.MacAddress)
        assert found.GlobalIPv6Address == six.IPAM.Config[0].Gateway.removesuffix("1") + "2"
        with pytest.raises(BadRequest, match="IPv4 or IPv6 must be enabled"):
            newer.NetworkCreate(Name="none-of-both", EnableIPv4=False)


def test_a_configuration_is_taken_over(client):
    client.NetworkCreate(Name="plan", ConfigOnly=True, IPAM=CHOSEN)
    client.NetworkCreate(Name="built", ConfigFrom={"Network": "plan"})
    plan, built = client.NetworkInspect("plan"), client.NetworkInspect("built")
    assert (plan.Driver, plan.ConfigOnly) == ("null", True)
    assert (built.ConfigFrom.Network, built.IPAM.Config) == ("plan", plan.IPAM.Config)
    with pytest.raises(AccessDenied, match='configuration network "plan" is in use'):
        client.NetworkDelete("plan")


def test_only_networks_that_nobody_is_in_are_removed(client, start):
    client.NetworkCreate(Name="mine")
    start("box", "mine")
    with pytest.raises(AccessDenied, match=r"network mine id [0-9a-f]{64} has active endpoints"):
        client.NetworkDelete("mine")
    client.ContainerKill("box")
    client.NetworkDelete("mine")
    with pytest.raises(NotFound, match="network mine not found"):
        client.NetworkInspect("mine")
    with pytest.raises(AccessDenied, match="none is a pre-defined network and cannot be removed"):
        client.NetworkDelete("none")


FILTERS = [
    ({"name": ["in", "oth"]}, {"mine", "other"}),
    ({"name": ["^o.her$"]}, {"other"}),
    ({"driver": ["bridge", "null"]}, {"bridge", "none", "mine", "other"}),
    ({"type": ["builtin"]}, {"bridge", "host", "none"}),
    ({"type": ["custom"]}, {"mine", "other"}),
    ({"scope": ["local"], "name": ["mine"]}, {"mine"}),
    ({"scope": ["swarm"]}, set()),
    ({"dangling": ["true"]}, {"mine", "other"}),
    ({"dangling": ["0"]}, {"bridge", "host", "none"}),
    ({"label": ["a"]}, {"mine"}),
    ({"label": ["a=2"]}, set()),
    ({"label": ["a=1", "b"]}, {"mine"}),
    ({"id": ["zz"]}, set()),
]


@pytest.mark.parametrize(("filters", "found"), FILTERS)
def test_filters_have_their_meaning(client, filters, found):
    client.NetworkCreate(Name="mine", Labels={"a": "1", "b": ""})
    client.NetworkCreate(Name="other")
    assert names(client, **filters) == found


@pytest.mark.parametrize(
    ("filters", "error", "words"),
    [
        ({"nonesuch": ["x"]}, BadRequest, "invalid filter 'nonesuch'"),
        ({"type": ["x"]}, ServerError, "invalid filter: 'type'='x'"),
        ({"dangling": ["x"]}, BadRequest, "invalid value for filter 'dangling'"),
        ({"dangling": ["true", "false"]}, BadRequest, "got more than one value for filter key"),
    ],
)
def test_filters_that_engines_refuse(client, filters, error, words):
    with pytest.raises(error, match=words):
        client.NetworkList(filters=filters)


def test_pruning_leaves_what_is_used_what_is_young_and_what_filters_leave_out(client, start):
    for name, labels in (("used", {}), ("kept", {"keep": ""}), ("gone", {})):
        client.NetworkCreate(Name=name, Labels=labels)
    start("box", "used")
    assert client.NetworkPrune(filters={"until": ["1h"]}).NetworksDeleted is None
    assert client.NetworkPrune(filters={"label!": ["keep"]}).NetworksDeleted == ["gone"]
    assert names(client, type=["custom"]) == {"used", "kept"}
    with pytest.raises(BadRequest, match="failed to parse value as time or duration"):
        client.NetworkPrune(filters={"until": ["zz"]})


# Containers' places


def test_a_container_is_in_the_bridge_unless_somebody_says_otherwise(client, create):
    create()
    created = place(client, "bridge")
    assert (created.IPAddress, created.NetworkID, created.EndpointID) == ("", "", "")
    client.ContainerStart("box")
    found = settings(client)
    assert (found.IPAddress, found.Gateway, found.IPPrefixLen) == ("172.17.0.2", "172.17.0.1", 16)
    assert found.Networks["bridge"].MacAddress == found.MacAddress == "02:42:ac:11:00:02"
    assert found.Networks["bridge"].DNSNames is None
    assert len(found.SandboxID) == 64
    members = client.NetworkInspect("bridge").Containers
    assert [(each.Name, each.IPv4Address) for each in members.values()] == [
        ("box", "172.17.0.2/16")
    ]
    client.ContainerKill("box")
    stopped = place(client, "bridge")
    assert (stopped.IPAddress, stopped.MacAddress, len(stopped.NetworkID)) == ("", "", 64)
    assert client.NetworkInspect("bridge").Containers == {}


def test_the_lowest_address_that_is_free_is_handed_out(client, start):
    for name in ("one", "two", "three"):
        start(name)
    client.ContainerDelete("two", force=True)
    assert settings(client, start("four")).IPAddress == "172.17.0.3"
    assert settings(client, start("five")).IPAddress == "172.17.0.5"


def test_a_range_is_handed_out_from_its_beginning_without_what_is_reserved(client, start):
    rows = [
        {
            "Subnet": "10.96.0.0/24",
            "IPRange": "10.96.0.64/30",
            "AuxiliaryAddresses": {"x": "10.96.0.65"},
        }
    ]
    client.NetworkCreate(Name="mine", IPAM={"Config": rows})
    found = place(client, "mine", start("one", "mine"))
    assert (found.IPAddress, found.Gateway) == ("10.96.0.66", "10.96.0.64")
    start("two", "mine")
    complaint = (
        r"no available IPv4 addresses on this network's address pools: mine \([0-9a-f]{64}\)"
    )
    with pytest.raises(ServerError, match=complaint):
        start("three", "mine")
    assert client.ContainerInspect("three").State.ExitCode == 128


def test_ipv6_addresses_as_far_as_a_range_is_there(client, start):
    rows = [*CHOSEN["Config"], {"Subnet": "fd00:92::/64"}]
    client.NetworkCreate(Name="six", EnableIPv6=True, IPAM={"Config": rows})
    found = place(client, "six", start("box", "six"))
    assert (found.IPv6Gateway, found.GlobalIPv6Address) == ("fd00:92::1", "fd00:92::2")
    assert found.GlobalIPv6PrefixLen == 64
    (member,) = client.NetworkInspect("six").Containers.values()
    assert (member.IPv4Address, member.IPv6Address) == ("10.91.0.2/24", "fd00:92::2/64")
    assert "fd00:92::2\t" in text_of(client, "/etc/hosts")


def test_what_is_asked_for_is_given(client, start):
    client.NetworkCreate(Name="mine", IPAM=CHOSEN)
    asked = {
        "IPAMConfig": {"IPv4Address": "10.91.0.77"},
        "Aliases": ["db"],
        "MacAddress": "02:42:0a:5b:00:99",
        "DriverOpts": {"a": "b"},
    }
    found = place(client, "mine", start("box", "mine", {"mine": asked}))
    assert {name: found[name] for name in asked} == asked
    assert found.IPAddress == "10.91.0.77"
    assert found.DNSNames == ["box", "db", client.ContainerInspect("box").Id[:12]]
    with pytest.raises(AccessDenied, match="Address already in use"):
        start("other", "mine", {"mine": asked})
    client.ContainerDelete("box", force=True)
    client.ContainerStart("other")


SETTINGS = [
    (
        "mine",
        {"IPAMConfig": {"IPv4Address": "10.1.0.7"}},
        "no configured subnet or ip-range contain",
    ),
    ("mine", {"IPAMConfig": {"IPv4Address": "x"}}, "* invalid IPv4 address: x\n* no configured"),
    (
        "mine",
        {"IPAMConfig": {"IPv6Address": "fd00::7"}},
        "only when connecting to networks with user",
    ),
    (
        "auto",
        {"IPAMConfig": {"IPv4Address": "172.18.0.7"}},
        "networks with user configured subnets",
    ),
    (
        "bridge",
        {"IPAMConfig": {"IPv4Address": "172.17.0.7"}},
        "on user defined networks only\n* user",
    ),
    ("bridge", {"Aliases": ["x"]}, "network-scoped alias is supported only for containers in user"),
    ("mine", {"MacAddress": "x"}, "invalid MAC address x"),
]


@pytest.mark.parametrize(("network", "asked", "words"), SETTINGS)
def test_what_cannot_be_asked_of_a_network(client, create, network, asked, words):
    client.NetworkCreate(Name="mine", IPAM=CHOSEN)
    client.NetworkCreate(Name="auto")
    with pytest.raises(BadRequest, match=re.escape(words)) as refused:
        create("box", network, {network: asked})
    assert f"invalid config for network {network}: invalid " in str(refused.value)
    create("box", "mine" if network != "mine" else "auto")
    with pytest.raises(BadRequest, match=re.escape(words)):
        client.NetworkConnect(network, Container="box", EndpointConfig=asked)


def test_a_network_has_to_be_there_only_when_the_container_starts(client, create):
    create("box", "later")
    with pytest.raises(NotFound, match="network later not found"):
        client.ContainerStart("box")
    client.NetworkCreate(Name="later")
    client.ContainerStart("box")
    assert place(client, "later").IPAddress == "172.18.0.2"


def test_a_network_is_remembered_by_its_id(client, start):
    made = client.NetworkCreate(Name="mine").Id
    start("box", made[:12])
    assert client.ContainerInspect("box").HostConfig.NetworkMode == made
    client.ContainerKill("box")
    client.NetworkDelete("mine")
    client.NetworkCreate(Name="mine")
    with pytest.raises(NotFound, match=f"network {made} not found"):
        client.ContainerStart("box")


def test_several_networks_at_creation_as_versions_have_it(client, engine, host, create):
    for name in ("one", "two"):
        client.NetworkCreate(Name=name)
    create("box", "one", {"one": {}, "two": {"Aliases": ["x"]}})
    client.ContainerStart("box")
    assert set(settings(client).Networks) == {"one", "two"}
    assert happenings(client, engine)[-2:] == [("connect", "one"), ("connect", "two")]
    with (
        load("1.43", host=host) as older,
        pytest.raises(
            BadRequest, match="cannot be created with multiple network endpoints: one, two"
        ),
    ):
        older.ContainerCreate(
            Image="busybox", NetworkingConfig={"EndpointsConfig": {"two": {}, "one": {}}}
        )


def test_aliases_have_the_short_id_in_older_versions(client, host, start):
    client.NetworkCreate(Name="mine")
    start("box", "mine", {"mine": {"Aliases": ["x"]}})
    short = client.ContainerInspect("box").Id[:12]
    assert place(client, "mine").Aliases == ["x"]
    with load("1.44", host=host) as older:
        assert place(older, "mine").Aliases == ["x", short]


def test_lists_of_older_versions_have_members(client, host, start):
    start()
    for version, count in (("1.27", 1), ("1.28", 0)):
        with load(version, host=host) as older:
            (bridge,) = older.NetworkList(filters={"name": ["bridge"]})
            assert len(bridge.Containers) == count


def test_modes_without_addresses(client, start):
    for mode in ("host", "none"):
        start(mode, mode)
        assert place(client, mode, mode).IPAddress == ""
    assert settings(client, "host").SandboxKey.endswith("/default")
    assert (
        text_of(client, "/etc/hostname", "none").strip() == client.ContainerInspect("none").Id[:12]
    )


def test_a_container_in_the_network_of_another(client, start, create):
    start("first")
    start("second", "container:first")
    identity = client.ContainerInspect("first").Id
    second = client.ContainerInspect("second")
    assert second.HostConfig.NetworkMode == f"container:{identity}"
    assert second.NetworkSettings.Networks == {}
    assert text_of(client, "/etc/hosts", "second") == text_of(client, "/etc/hosts", "first")
    client.ContainerKill("first")
    create("third", "container:first")
    with pytest.raises(
        Conflict, match=f"cannot join network of a non running container: {identity}"
    ):
        client.ContainerStart("third")
    create("itself", "container:itself")
    with pytest.raises(ServerError, match="cannot join own network"):
        client.ContainerStart("itself")
    create("fourth", "container:nobody")
    with pytest.raises(NotFound, match="No such container: nobody"):
        client.ContainerStart("fourth")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"Hostname": "h"}, "hostname and the network mode"),
        ({"ExposedPorts": {"80/tcp": {}}}, "port exposing and the container type network mode"),
        ({"HostConfig": {"PublishAllPorts": True}}, "port publishing and the container type"),
    ],
)
def test_what_does_not_go_with_the_network_of_another(create, fields, words):
    create("first")
    with pytest.raises(BadRequest, match=f"conflicting options: {words}"):
        create("second", "container:first", **fields)


def test_published_ports_in_the_hosts_network_are_warned_of(client):
    made = client.ContainerCreate(
        Image="busybox",
        ExposedPorts={"80/tcp": {}},
        HostConfig={"NetworkMode": "host", "PortBindings": {"80/tcp": [{"HostPort": "8080"}]}},
    )
    assert made.Warnings == ["Published ports are discarded when using host network mode"]


# Connect and disconnect


def test_a_running_container_is_connected_at_once(client, engine, start):
    client.NetworkCreate(Name="mine", IPAM=CHOSEN)
    start()
    asked = {"Aliases": ["db"], "IPAMConfig": {"IPv4Address": "10.91.0.77"}}
    client.NetworkConnect("mine", Container="box", EndpointConfig=asked)
    assert place(client, "mine").IPAddress == "10.91.0.77"
    assert "10.91.0.77\t" in text_of(client, "/etc/hosts")
    with pytest.raises(AccessDenied, match="endpoint with name box already exists in network mine"):
        client.NetworkConnect("mine", Container="box")
    client.NetworkDisconnect("mine", Container="box")
    assert set(settings(client).Networks) == {"bridge"}
    assert "10.91.0.77" not in text_of(client, "/etc/hosts")
    with pytest.raises(ServerError, match="is not connected to network mine"):
        client.NetworkDisconnect("mine", Container="box")
    assert happenings(client, engine) == [
        ("create", "mine"),
        ("connect", "bridge"),
        ("connect", "mine"),
        ("disconnect", "mine"),
        ("disconnect", "mine"),
    ]


def test_a_connection_that_fails_leaves_nothing(client, start):
    client.NetworkCreate(Name="mine", IPAM=CHOSEN)
    asked = {"IPAMConfig": {"IPv4Address": "10.91.0.77"}}
    start("first", "mine", {"mine": asked})
    start("second")
    with pytest.raises(AccessDenied, match="Address already in use"):
        client.NetworkConnect("mine", Container="second", EndpointConfig=asked)
    assert set(settings(client, "second").Networks) == {"bridge"}
    assert len(client.NetworkInspect("mine").Containers) == 1


@pytest.mark.parametrize("is_new", [True, False])
def test_a_container_that_does_not_run_is_connected_when_it_starts(client, create, is_new):
    client.NetworkCreate(Name="mine", IPAM=CHOSEN)
    create()
    if not is_new:
        client.ContainerStart("box")
        client.ContainerKill("box")
    client.NetworkConnect("mine", Container="box", EndpointConfig={"Aliases": ["first"]})
    client.NetworkConnect("mine", Container="box", EndpointConfig={"Aliases": ["second"]})
    waiting = place(client, "mine")
    assert (waiting.Aliases, waiting.IPAddress) == (["first"], "")
    client.ContainerStart("box")
    assert place(client, "mine").IPAddress == "10.91.0.2"
    client.ContainerKill("box")
    client.NetworkDisconnect("mine", Container="box")
    with pytest.raises(ServerError, match="is not connected to the network mine"):
        client.NetworkDisconnect("mine", Container="box")


MODES = [
    (
        "host",
        "mine",
        "container sharing network namespace with another container or host cannot be",
    ),
    ("none", "mine", r"with one of the networks in private \(none\) mode"),
    ("bridge", "none", r"with one of the networks in private \(none\) mode"),
    ("bridge", "host", "container cannot be disconnected from host network or connected to host"),
    (
        "container:first",
        "mine",
        "container sharing network namespace with another container or host",
    ),
]


@pytest.mark.parametrize(("mode", "network", "words"), MODES)
def test_modes_that_allow_no_connection(client, start, mode, network, words):
    client.NetworkCreate(Name="mine")
    start("first")
    start("box", mode)
    with pytest.raises(BadRequest, match=words):
        client.NetworkConnect(network, Container="box")


def test_who_and_what_is_missing(client, create):
    client.ContainerStart(create())
    with pytest.raises(NotFound, match="No such container: nobody"):
        client.NetworkConnect("bridge", Container="nobody")
    with pytest.raises(NotFound, match="network nowhere not found"):
        client.NetworkConnect("nowhere", Container="box")
    with pytest.raises(BadRequest, match="invalid name or ID supplied"):
        client.NetworkConnect("bridge", Container="")
    with pytest.raises(NotFound, match="endpoint nobody not found"):
        client.NetworkDisconnect("bridge", Container="nobody", Force=True)
    with pytest.raises(NotFound, match="network nowhere not found"):
        client.NetworkDisconnect("nowhere", Container="box")
    with pytest.raises(ServerError, match="is not connected to the network nowhere"):
        client.NetworkDisconnect("nowhere", Container="box", Force=True)


def test_a_running_container_stays_in_the_network_of_the_host(client, start):
    start("box", "host")
    with pytest.raises(BadRequest, match="cannot be disconnected from host network"):
        client.NetworkDisconnect("host", Container="box")
    client.ContainerKill("box")
    client.NetworkDisconnect("host", Container="box")


def test_an_inner_network_has_no_way_out(client, start):
    client.NetworkCreate(Name="inside", Internal=True, IPAM=CHOSEN)
    found = place(client, "inside", start("box", "inside"))
    assert (found.IPAddress, found.Gateway) == ("10.91.0.2", "")


def test_all_that_cannot_be_asked_of_networks_is_said_at_once(create):
    wrong = {"Aliases": ["x"], "IPAMConfig": {"IPv4Address": "10.1.0.7"}}
    with pytest.raises(BadRequest) as refused:
        create("box", "bridge", {"none": {"Aliases": ["x"]}, "bridge": wrong})
    assert str(refused.value).endswith(
        "* invalid config for network bridge: invalid endpoint settings:\n"
        "\t* user specified IP address is supported on user defined networks only\n"
        "\t* network-scoped alias is supported only for containers in user defined networks\n"
        "\t* user specified IP address is supported only when connecting to networks with user"
        " configured subnets\n"
        "* invalid config for network none: invalid endpoint settings:\n"
        "\tnetwork-scoped alias is supported only for containers in user defined networks"
    )


def test_a_container_that_does_not_run_may_be_in_networks_that_are_not_there(client, create):
    client.NetworkConnect("later", Container=create())
    with pytest.raises(NotFound, match="network later not found"):
        client.ContainerStart("box")
    client.NetworkDisconnect("later", Container="box")
    with pytest.raises(ServerError, match="is not connected to the network later"):
        client.NetworkDisconnect("later", Container="box")
    client.ContainerStart("box")


def test_what_was_asked_of_a_network_that_was_not_there_is_checked_at_last(client, create):
    asked = {"IPAMConfig": {"IPv4Address": "no address"}}
    client.NetworkConnect("later", Container=create(), EndpointConfig=asked)
    client.NetworkCreate(Name="later", IPAM=CHOSEN)
    with pytest.raises(BadRequest, match="invalid IPv4 address: no address"):
        client.ContainerStart("box")


def test_the_network_of_the_mode_has_to_be_there_too(client, create):
    client.NetworkCreate(Name="mine")
    create("box", "later", {"mine": {}})
    with pytest.raises(NotFound, match="could not find a network matching network mode later"):
        client.ContainerStart("box")


def test_a_running_container_is_found_by_its_new_name(client, start):
    client.NetworkCreate(Name="mine")
    start("box", "mine")
    client.ContainerRename("box", name="chest")
    assert place(client, "mine", "chest").DNSNames[0] == "chest"
    (member,) = client.NetworkInspect("mine").Containers.values()
    assert member.Name == "chest"


def test_events_of_a_network_and_of_a_container_in_it(client, engine, start):
    client.NetworkCreate(Name="mine")
    start("box", "mine")
    client.ContainerKill("box")
    client.NetworkDelete("mine")
    client.NetworkPrune()
    events = network_events(client, engine)
    identity = client.ContainerInspect("box").Id
    assert [each.Action for each in events] == [
        "create",
        "connect",
        "disconnect",
        "destroy",
        "prune",
    ]
    assert events[0].Actor.Attributes == {"name": "mine", "type": "bridge"}
    connected = {"container": identity, "name": "mine", "type": "bridge"}
    assert events[1].Actor.Attributes == events[2].Actor.Attributes == connected
    assert events[4].Actor.Attributes == {"reclaimed": "0"}


# What programs see of it


def test_a_program_sees_its_names_and_those_it_was_told(client, start):
    client.NetworkCreate(Name="mine", IPAM=CHOSEN)
    told = {"ExtraHosts": ["db:1.2.3.4", "gw:host-gateway"], "DnsSearch": ["a.b"]}
    start("box", "mine", Hostname="web", Domainname="shop", HostConfig=told)
    hosts = text_of(client, "/etc/hosts").splitlines()
    assert hosts[0] == "127.0.0.1\tlocalhost"
    assert hosts[-3:] == ["1.2.3.4\tdb", "172.17.0.1\tgw", "10.91.0.2\tweb.shop web"]
    assert text_of(client, "/etc/hostname") == "web\n"
    resolver = text_of(client, "/etc/resolv.conf").splitlines()
    assert resolver == ["nameserver 127.0.0.11", "search a.b", "options ndots:0"]
    assert client.ContainerChanges("box") is None


def test_a_linked_container_is_in_hosts(client, start):
    start("first")
    start("second", HostConfig={"Links": ["first:db"]})
    short = client.ContainerInspect("first").Id[:12]
    assert f"172.17.0.2\tdb {short} first" in text_of(client, "/etc/hosts", "second")


# Pools


def test_addresses_that_were_never_out_are_not_handed_out_twice():
    (pool,) = read_pools(CHOSEN["Config"])
    pool.give_back("10.91.0.9")
    assert len({pool.take() for _ in range(253)}) == 253


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 30))))
def test_a_pool_gives_the_lowest_address_that_is_free(steps):
    (pool,) = read_pools([{"Subnet": "10.0.0.0/27"}])
    taken = {0, 1, 31}
    for gives_back, number in steps:
        address = f"10.0.0.{number}"
        if gives_back and number in taken - {1}:
            pool.give_back(address)
            taken.remove(number)
        elif not gives_back and (free := set(range(32)) - taken):
            assert pool.take() == f"10.0.0.{min(free)}"
            taken.add(min(free))


def test_subnets_are_used_up_at_last():
    defaults = Defaults()
    pools: list[Pool] = []
    for _ in range(31):
        pools.append(defaults.take(pools))
    assert len({pool.subnet for pool in pools}) == len(pools)
    with pytest.raises(Refused, match="non-overlapping IPv4"):
        defaults.take(pools)
