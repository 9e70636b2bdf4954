"""Containers as replies show them: one whole, or a line of a list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dynadock.simulation.behaviour.durations import in_words
from dynadock.simulation.behaviour.image_views import places_of_container
from dynadock.simulation.behaviour.network_views import endpoint_settings, places
from dynadock.simulation.behaviour.volume_views import mounts_of
from dynadock.simulation.clock import SECOND, rfc3339

if TYPE_CHECKING:
    from dynadock.simulation.state.container import Container
    from dynadock.simulation.state.state import State
    from dynadock.spec.versions import Version


def inspected(container: Container, version: Version, *, with_size: bool) -> dict[str, Any]:
    """Return everything about a container, as ContainerInspect has it."""
    command = container.command
    layers = places_of_container(container.id, container.image)
    shown = {
        "Id": container.id,
        "Created": rfc3339(container.created),
        "Path": command[0],
        "Args": command[1:],
        "State": _state_of(container),
        "Image": container.image.id if container.image else "",
        "ResolvConfPath": _own_file(container, "resolv.conf"),
        "HostnamePath": _own_file(container, "hostname"),
        "HostsPath": _own_file(container, "hosts"),
        "LogPath": "",
        "Name": f"/{container.name}",
        "RestartCount": container.restart_count,
        "Driver": "overlay2",
        "Platform": "linux",
        "MountLabel": "",
        "ProcessLabel": "",
        "AppArmorProfile": "",
        "ExecIDs": [each.id for each in container.execs.values() if each.is_running] or None,
        "HostConfig": container.host_config,
        "GraphDriver": {"Name": "overlay2", "Data": layers},
        "Mounts": mounts_of(container),
        "Config": container.config,
        "NetworkSettings": _network_settings(container, version),
    }
    if with_size:
        shown["SizeRw"] = container.files.size_of_changes()
        shown["SizeRootFs"] = container.files.size()
    return shown


def _state_of(container: Container) -> dict[str, Any]:
    status = container.status
    shown = {
        "Status": status,
        "Running": container.is_running or status == "restarting",
        "Paused": container.is_paused,
        "Restarting": status == "restarting",
        "OOMKilled": container.was_killed_for_memory,
        "Dead": status == "dead",
        "Pid": container.pid,
        "ExitCode": container.exit_code,
        "Error": container.error,
        "StartedAt": rfc3339(container.started),
        "FinishedAt": rfc3339(container.finished),
    }
    health = container.health.as_json()
    if health is not None:
        shown["Health"] = health
    return shown


def _own_file(container: Container, name: str) -> str:
    """Return where a file that the engine writes is on its machine, once it has been written."""
    return f"/var/lib/docker/containers/{container.id}/{name}" if container.started else ""


def _network_settings(container: Container, version: Version) -> dict[str, Any]:
    networks = places(container, version)
    on_bridge = networks.get("bridge", _OF_THE_BRIDGE)
    sandbox = container.sandbox
    is_hosts = container.host_config["NetworkMode"] == "host"
    where = "default" if is_hosts else sandbox[:12]
    return {
        "Bridge": "",
        "SandboxID": sandbox,
        "SandboxKey": f"/var/run/docker/netns/{where}" if sandbox else "",
        "Ports": container.ports,
        "HairpinMode": False,
        "LinkLocalIPv6Address": "",
        "LinkLocalIPv6PrefixLen": 0,
        "SecondaryIPAddresses": None,
        "SecondaryIPv6Addresses": None,
        **{name: on_bridge[name] for name in _OF_THE_BRIDGE},
        "Networks": networks,
    }


_OF_THE_BRIDGE: dict[str, Any] = {
    "EndpointID": "",
    "Gateway": "",
    "GlobalIPv6Address": "",
    "GlobalIPv6PrefixLen": 0,
    "IPAddress": "",
    "IPPrefixLen": 0,
    "IPv6Gateway": "",
    "MacAddress": "",
}


def listed(state: State, container: Container, *, with_size: bool) -> dict[str, Any]:
    """Return a container as a line of ContainerList."""
    shown = {
        "Id": container.id,
        "Names": [f"/{container.name}"],
        "Image": container.image_name,
        "ImageID": container.image.id if container.image else "",
        "Command": _in_one_line(container.command),
        "Created": container.created // SECOND,
        "Ports": ports(container),
        "Labels": dict(container.labels),
        "State": container.status,
        "Status": status_words(container, state.clock.now()),
        "HostConfig": {"NetworkMode": container.host_config["NetworkMode"]},
        "NetworkSettings": {
            "Networks": {
                name: endpoint_settings(container.endpoints[name])
                for name in sorted(container.endpoints)
            }
        },
        "Mounts": mounts_of(container),
    }
    if with_size:
        sizes = (container.files.size_of_changes(), container.files.size())
        # Go leaves out what is 0.
        shown |= {
            name: size for name, size in zip(("SizeRw", "SizeRootFs"), sizes, strict=True) if size
        }
    return shown


def _in_one_line(command: list[str]) -> str:
    # Docker puts quotes around arguments with blanks, whatever else is in them (26.1).
    path, *arguments = command
    return " ".join([path, *(f"'{each}'" if " " in each else each for each in arguments)])


def ports(container: Container) -> list[dict[str, Any]]:
    """Return a container's ports as lists show them: published ones with their addresses."""
    shown = []
    for port, bindings in container.ports.items():
        number, _, kind = port.partition("/")
        shown += [
            {
                "IP": each["HostIp"],
                "PrivatePort": int(number),
                "PublicPort": int(each["HostPort"]),
                "Type": kind,
            }
            for each in bindings or ()
        ]
        if not bindings:
            shown.append({"PrivatePort": int(number), "Type": kind})
    return shown


def status_words(container: Container, now: int) -> str:
    """Return what a list says of a container's state, in words."""
    status = container.status
    ago = f"{in_words(now - container.finished)} ago"
    if status == "created":
        return "Created"
    if status == "restarting":
        return f"Restarting ({container.exit_code}) {ago}"
    if status == "dead":
        return "Dead"
    if status == "exited":
        return f"Exited ({container.exit_code}) {ago}"
    health = container.health.status
    words = {"": "", "starting": " (health: starting)"}.get(health, f" ({health})")
    paused = " (Paused)" if container.is_paused else ""
    return f"Up {in_words(now - container.started)}{paused or words}"
