"""The files that the engine itself writes into a container's /etc: hosts, hostname, resolv.conf."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from dynadock.simulation.refusal import Refused
from dynadock.simulation.state.networks import CONTAINER_MODE, PREDEFINED

if TYPE_CHECKING:
    from dynadock.simulation.state.container import Container
    from dynadock.simulation.state.state import State

_NAMES = ("hostname", "hosts", "resolv.conf")

_NAMESERVER = "192.0.2.53"
_INNER_NAMESERVER = "127.0.0.11"
"""Who knows the names in the networks that users make."""

_ALWAYS = (
    "127.0.0.1\tlocalhost",
    "::1\tlocalhost ip6-localhost ip6-loopback",
    "fe00::0\tip6-localnet",
    "ff00::0\tip6-mcastprefix",
    "ff02::1\tip6-allnodes",
    "ff02::2\tip6-allrouters",
)


def write(state: State, container: Container) -> None:
    """Write the files of a container that starts, and mount them: those of whose network it is."""
    mode = str(container.host_config["NetworkMode"])
    own = container
    if mode.startswith(CONTAINER_MODE):
        own = state.containers.find(mode.removeprefix(CONTAINER_MODE))
    else:
        hostname = str(container.config.get("Hostname") or "")
        container.etc.write("/hostname", f"{hostname}\n".encode())
        container.etc.write("/resolv.conf", _resolver(container, mode).encode())
        write_hosts(state, container)
    with suppress(OSError):
        for name in _NAMES:
            container.files.mount(f"/etc/{name}", own.etc, subpath=f"/{name}")


def write_hosts(state: State, container: Container) -> None:
    """Write the addresses that a container has now, and those that it was told of."""
    lines = [*_ALWAYS]
    gateway = next(pool.gateway for pool in state.networks.find(PREDEFINED[0]).pools)
    for text in container.host_config["ExtraHosts"] or ():
        name, _, address = text.partition(":")
        lines.append(f"{gateway if address == 'host-gateway' else address}\t{name}")
    lines += _links(state, container)
    hostname = str(container.config.get("Hostname") or "")
    domain = container.config.get("Domainname")
    names = f"{hostname}.{domain} {hostname}" if domain else hostname
    for endpoint in container.endpoints.values():
        found = (endpoint.address, endpoint.address6)
        lines += [f"{address}\t{names}" for address in found if address]
    container.etc.write("/hosts", "".join(f"{line}\n" for line in lines).encode())


def _links(state: State, container: Container) -> list[str]:
    """Return the lines of the containers that one is linked to in the engine's own bridge."""
    lines = []
    for text in container.host_config["Links"] or ():
        name, _, alias = text.partition(":")
        try:
            other = state.containers.find(name)
        except Refused:
            continue
        endpoint = other.endpoints.get(PREDEFINED[0])
        if endpoint is not None and endpoint.address:
            names = f"{alias or other.name} {other.config['Hostname']} {other.name}"
            lines.append(f"{endpoint.address}\t{names}")
    return lines


def _resolver(container: Container, mode: str) -> str:
    host_config = container.host_config
    is_inner = mode not in PREDEFINED
    servers = [_INNER_NAMESERVER] if is_inner else (host_config["Dns"] or [_NAMESERVER])
    lines = [f"nameserver {each}" for each in servers]
    if host_config["DnsSearch"]:
        lines.append(f"search {' '.join(host_config['DnsSearch'])}")
    options = host_config["DnsOptions"] or (["ndots:0"] if is_inner else [])
    if options:
        lines.append(f"options {' '.join(options)}")
    return "".join(f"{line}\n" for line in lines)
