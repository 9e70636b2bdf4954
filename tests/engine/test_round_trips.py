"""What an engine says of a thing makes another one like it: inspect, then create.

The checks before sending refuse nothing of what engines say, but for keys that are newer than the
client's version; those are told to have arrived in a later one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from dynadock import ValidationError
from dynadock.spec.versions import parse_range
from engine.things import IMAGE, LABELS, MIB, known, new_name

if TYPE_CHECKING:
    from dynadock import BoundOperation, Client
    from engine.answers import Expected
    from engine.engines import Engine

every_version = pytest.mark.api("all")


@pytest.fixture(scope="module")
def newest(engine: Engine, client: Client) -> Client:
    """A client of the engine's newest version, to make things with all that it knows."""
    return client.at(str(engine.main_versions[-1]))


def refused(operation: BoundOperation, **arguments: Any) -> list[str]:
    """Return what the checks refuse, but for what they know to be of a later version."""
    try:
        operation.prepare(**arguments)
    except ValidationError as error:
        return [str(fault) for fault in error.faults if "arrived in" not in fault.problem]
    return []


def make_network(client: Client) -> str:
    name = new_name("rich")
    number = 1 + int(name.rpartition("-")[2]) % 250
    ranges = {"Subnet": f"10.214.{number}.0/24", "Gateway": f"10.214.{number}.1"}
    client.NetworkCreate(
        Name=name,
        Driver="bridge",
        Internal=True,
        Labels=LABELS,
        Options={"com.docker.network.driver.mtu": "1400"},
        IPAM={"Driver": "default", "Config": [ranges]},
    )
    return name


@pytest.fixture(scope="module")
def network(newest: Client) -> str:
    """The name of a network with much to say."""
    return make_network(newest)


@pytest.fixture(scope="module")
def volume(newest: Client) -> str:
    """The name of a volume with much to say."""
    name = new_name("rich")
    options = {"type": "tmpfs", "device": "tmpfs"}
    newest.VolumeCreate(Name=name, Driver="local", DriverOpts=options, Labels=LABELS)
    return name


@pytest.fixture(scope="module")
def container(newest: Client, image: str, network: str, volume: str) -> str:
    """The name of a container with much to say."""
    name = new_name("rich")
    newest.ContainerCreate(
        name=name,
        body={
            "Image": image,
            "Hostname": "rich",
            "Domainname": "example.org",
            "User": "0:0",
            "Env": ["COLOUR=red", "SHAPE"],
            "Entrypoint": ["sh", "-c"],
            "Cmd": ["sleep 600"],
            "WorkingDir": "/tmp",
            "Labels": LABELS,
            "ExposedPorts": {"80/tcp": {}, "53/udp": {}},
            "StopSignal": "SIGKILL",
            "StopTimeout": 3,
            "Healthcheck": {"Test": ["CMD", "true"], "Interval": 10**10, "Retries": 2},
            "OpenStdin": True,
            "Tty": True,
            "HostConfig": {
                "Memory": 64 * MIB,
                "MemorySwap": 128 * MIB,
                "CpuShares": 512,
                "CpuPeriod": 100_000,
                "CpuQuota": 50_000,
                "PidsLimit": 100,
                "Binds": [f"{volume}:/data:ro"],
                "Tmpfs": {"/scratch": "size=1m"},
                "PortBindings": {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "0"}]},
                "NetworkMode": network,
                "CapAdd": ["NET_ADMIN"],
                "CapDrop": ["MKNOD"],
                "Dns": ["192.0.2.53"],
                "DnsSearch": ["example.org"],
                "ExtraHosts": ["other:192.0.2.1"],
                "SecurityOpt": ["no-new-privileges"],
                "Ulimits": [{"Name": "nofile", "Soft": 512, "Hard": 1024}],
                "Sysctls": {"net.ipv4.ip_forward": "1"},
                "RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 3},
                "LogConfig": {"Type": "", "Config": {}},
                "MemorySwappiness": -1,
                "CgroupnsMode": "",
                "ReadonlyRootfs": True,
                "Init": True,
                "ShmSize": 8 * MIB,
            },
            "NetworkingConfig": {"EndpointsConfig": {network: {"Aliases": ["rich"]}}},
        },
    )
    return name


def container_like(seen: Any) -> dict[str, Any]:
    return {
        **seen.Config,
        "HostConfig": seen.HostConfig,
        "NetworkingConfig": {"EndpointsConfig": seen.NetworkSettings.Networks},
    }


def network_like(seen: Any) -> dict[str, Any]:
    results = ("Id", "Created", "Containers")
    return {key: value for key, value in seen.items() if key not in results}


def volume_like(seen: Any) -> dict[str, Any]:
    return {
        "Name": seen.Name,
        "Driver": seen.Driver,
        "DriverOpts": seen.Options,
        "Labels": seen.Labels,
    }


@every_version
def test_checks_of_a_container(client: Client, container: str) -> None:
    body = container_like(client.ContainerInspect(container))
    assert refused(client.ContainerCreate, name=new_name("again"), body=body) == []


@every_version
def test_checks_of_an_update(client: Client, container: str) -> None:
    host_config = client.ContainerInspect(container).HostConfig
    fields = client.ContainerUpdate.body.properties
    body = {key: value for key, value in host_config.items() if key in fields}
    assert refused(client.ContainerUpdate, id=container, body=body) == []


@every_version
def test_checks_of_a_network(client: Client, network: str) -> None:
    body = network_like(client.NetworkInspect(network))
    assert refused(client.NetworkCreate, body=body) == []


@every_version
def test_checks_of_a_connection(client: Client, container: str, network: str) -> None:
    endpoint = client.ContainerInspect(container).NetworkSettings.Networks[network]
    body = {"Container": container, "EndpointConfig": endpoint}
    assert refused(client.NetworkConnect, id=network, body=body) == []


@every_version
def test_checks_of_a_volume(client: Client, volume: str) -> None:
    assert refused(client.VolumeCreate, body=volume_like(client.VolumeInspect(volume))) == []


def test_container(client: Client, expected: Expected, container: str) -> None:
    name = new_name("again")
    body = container_like(client.ContainerInspect(container))
    with expected("ContainerCreate: of what another is like"):
        client.with_options(unknown="send").ContainerCreate(name=name, body=body)
        again = client.ContainerInspect(name)
        assert again.Config.Env == body["Env"]
        assert again.HostConfig.PortBindings == body["HostConfig"]["PortBindings"]


def test_network(client: Client, newest: Client) -> None:
    name = make_network(newest)
    seen = client.NetworkInspect(name)
    client.NetworkDelete(name)
    client.with_options(unknown="send").NetworkCreate(body=network_like(seen))
    again = client.NetworkInspect(name)
    assert again.IPAM == seen.IPAM
    assert again.Options == seen.Options
    assert again.Labels == seen.Labels


def test_volume(client: Client, volume: str) -> None:
    seen = client.VolumeInspect(volume)
    again = client.VolumeCreate(body={**volume_like(seen), "Name": new_name("again")})
    assert again.Options == seen.Options
    assert again.Labels == seen.Labels


@pytest.mark.each_engine
def test_service(client: Client, engine: Engine, expected: Expected, swarm: None) -> None:
    with expected("ServiceCreate"):
        made = client.ServiceCreate(body=SERVICE | {"Name": new_name("rich")}).ID
        for version in engine.versions(parse_range("all")):
            other = client.at(str(version))
            spec = _service(other, made)
            assert refused(other.ServiceCreate, body=spec) == [], version
        spec = {**_service(client, made), "Name": new_name("again")}
        again = client.ServiceCreate(body=spec).ID
        assert _service(client, again).TaskTemplate == spec["TaskTemplate"]


def _service(client: Client, name: str) -> Any:
    return client.ServiceInspect(name, **known(client.ServiceInspect, insertDefaults=True)).Spec


SERVICE: dict[str, Any] = {
    "Labels": LABELS,
    "Mode": {"Replicated": {"Replicas": 0}},
    "UpdateConfig": {
        "Parallelism": 2,
        "Delay": 10**9,
        "FailureAction": "pause",
        "Order": "stop-first",
    },
    "RollbackConfig": {"Parallelism": 1, "FailureAction": "pause", "MaxFailureRatio": 0.5},
    "EndpointSpec": {"Mode": "dnsrr"},
    "TaskTemplate": {
        "ContainerSpec": {
            "Image": IMAGE,
            "Command": ["sleep"],
            "Args": ["600"],
            "Env": ["COLOUR=red"],
            "Hostname": "rich",
            "Labels": LABELS,
            "StopGracePeriod": 10**9,
            "StopSignal": "SIGKILL",
            "HealthCheck": {"Test": ["CMD", "true"], "Interval": 10**10},
            "Hosts": ["192.0.2.1 other"],
            "DNSConfig": {"Nameservers": ["192.0.2.53"], "Search": ["example.org"]},
            "Mounts": [{"Type": "tmpfs", "Target": "/scratch", "TmpfsOptions": {"SizeBytes": MIB}}],
            "Privileges": {"CredentialSpec": None, "SELinuxContext": {"Disable": True}},
            "Sysctls": {"net.ipv4.ip_forward": "1"},
            "CapabilityAdd": ["CAP_NET_ADMIN"],
            "Ulimits": [{"Name": "nofile", "Soft": 512, "Hard": 1024}],
            "Init": True,
            "Isolation": "default",
        },
        "Resources": {
            "Limits": {"NanoCPUs": 10**9, "MemoryBytes": 64 * MIB, "Pids": 100},
            "Reservations": {"NanoCPUs": 10**8, "MemoryBytes": 8 * MIB},
        },
        "RestartPolicy": {"Condition": "on-failure", "Delay": 10**9, "MaxAttempts": 3},
        "Placement": {
            "Constraints": ["node.role==manager"],
            "Preferences": [{"Spread": {"SpreadDescriptor": "node.labels.zone"}}],
            "MaxReplicas": 4,
        },
        "LogDriver": {"Name": "json-file", "Options": {"max-file": "3"}},
        "ForceUpdate": 0,
    },
}
