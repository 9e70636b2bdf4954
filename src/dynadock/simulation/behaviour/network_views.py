"""Networks, and containers' places in them, as replies show them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dynadock.simulation.behaviour.facts import facts
from dynadock.simulation.clock import rfc3339
from dynadock.simulation.state.configs import copied
from dynadock.simulation.state.networks import PREDEFINED
from dynadock.simulation.state.ports import ANY

if TYPE_CHECKING:
    from dynadock.simulation.state.container import Container
    from dynadock.simulation.state.endpoints import Endpoint
    from dynadock.simulation.state.networks import Network
    from dynadock.simulation.state.state import State
    from dynadock.spec.versions import Version

_SHORT = 12


def network_settings(
    state: State, network: Network, version: Version, *, with_members: bool
) -> dict[str, Any]:
    """Return a network as NetworkInspect has it; a list of newer versions has it without members.

    A range that somebody asked for is shown as it was asked for (26.1).
    """
    asked = network.asked
    ipam = asked.get("IPAM") or {}
    more = facts("Networking", version)["network"]
    return {
        **{name: asked.get(name, usual) for name, usual in more.items()},
        "Name": network.name,
        "Id": network.id,
        "Created": rfc3339(network.created),
        "Scope": "local",
        "Driver": network.driver,
        "EnableIPv6": bool(asked.get("EnableIPv6")),
        "IPAM": {
            "Driver": ipam.get("Driver") or "default",
            "Options": copied(ipam.get("Options")),
            "Config": _ranges(network, ipam),
        },
        "Internal": bool(asked.get("Internal")),
        "Attachable": bool(asked.get("Attachable")),
        "Ingress": False,
        "ConfigFrom": {"Network": (asked.get("ConfigFrom") or {}).get("Network") or ""},
        "ConfigOnly": network.is_config_only,
        "Containers": _members(state, network) if with_members else {},
        "Options": _options(network),
        "Labels": dict(asked.get("Labels") or {}),
    }


def _ranges(network: Network, ipam: dict[str, Any]) -> list[dict[str, Any]] | None:
    rows = copied(ipam.get("Config") or [])
    rows += [
        {"Subnet": str(pool.subnet), "Gateway": pool.gateway}
        for pool in network.pools
        if not pool.is_chosen
    ]
    return rows or None


def _members(state: State, network: Network) -> dict[str, Any]:
    return {
        identity: {
            "Name": state.containers.by_id[identity].name,
            "EndpointID": endpoint.id,
            "MacAddress": endpoint.mac,
            "IPv4Address": _with_prefix(endpoint.address, endpoint.prefix),
            "IPv6Address": _with_prefix(endpoint.address6, endpoint.prefix6),
        }
        for identity, endpoint in sorted(network.members.items())
    }


def _with_prefix(address: str, prefix: int) -> str:
    return f"{address}/{prefix}" if address else ""


def _options(network: Network) -> dict[str, str]:
    if network.name == PREDEFINED[0]:
        return dict(_OF_THE_BRIDGE)
    return dict(network.asked.get("Options") or {})


_OF_THE_BRIDGE = {
    "com.docker.network.bridge.default_bridge": "true",
    "com.docker.network.bridge.enable_icc": "true",
    "com.docker.network.bridge.enable_ip_masquerade": "true",
    "com.docker.network.bridge.host_binding_ipv4": ANY,
    "com.docker.network.bridge.name": "docker0",
    "com.docker.network.driver.mtu": "1500",
}


def endpoint_settings(endpoint: Endpoint) -> dict[str, Any]:
    """Return a container's place in a network, as a list of containers shows it."""
    return {
        "IPAMConfig": None,
        "Links": None,
        "Aliases": None,
        "MacAddress": endpoint.mac if endpoint.network_id else endpoint.asked.get("MacAddress", ""),
        "NetworkID": endpoint.network_id,
        "EndpointID": endpoint.id,
        "Gateway": endpoint.gateway,
        "IPAddress": endpoint.address,
        "IPPrefixLen": endpoint.prefix,
        "IPv6Gateway": endpoint.gateway6,
        "GlobalIPv6Address": endpoint.address6,
        "GlobalIPv6PrefixLen": endpoint.prefix6,
        "DriverOpts": None,
        "DNSNames": None,
    }


def places(container: Container, version: Version) -> dict[str, Any]:
    """Return all of a container's places, as ContainerInspect shows them."""
    known = facts("Networking", version)
    return {
        name: {
            **{each: endpoint.asked.get(each, usual) for each, usual in known["place"].items()},
            **_whole(container, endpoint, with_ids=known["aliases_with_ids"]),
        }
        for name, endpoint in sorted(container.endpoints.items())
    }


def _whole(container: Container, endpoint: Endpoint, *, with_ids: bool) -> dict[str, Any]:
    asked = copied(endpoint.asked)
    aliases = asked.get("Aliases")
    if with_ids and endpoint.network not in PREDEFINED:
        own = [container.id[:_SHORT], container.config["Hostname"]]
        aliases = [*dict.fromkeys([*(aliases or ()), *own])]
    return {
        **endpoint_settings(endpoint),
        "IPAMConfig": asked.get("IPAMConfig"),
        "Links": asked.get("Links"),
        "Aliases": aliases,
        "DriverOpts": asked.get("DriverOpts"),
        "DNSNames": endpoint.names,
    }
