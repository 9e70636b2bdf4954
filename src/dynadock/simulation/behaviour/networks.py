"""Networks: made, looked at, joined, left and removed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dynadock.simulation.behaviour.facts import facts
from dynadock.simulation.behaviour.filters import (
    check_names,
    fits_name,
    has_any_label,
    has_labels,
    moment_until,
)
from dynadock.simulation.behaviour.network_views import network_settings
from dynadock.simulation.behaviour.placing import ASKED
from dynadock.simulation.behaviour.table import behaviour
from dynadock.simulation.refusal import (
    Refused,
    bad_request,
    conflict,
    forbidden,
    not_found,
    server_error,
)
from dynadock.simulation.state.addresses import IPV6, NO_DEFAULTS, read_pools
from dynadock.simulation.state.endpoints import Endpoint, check_settings, names_of
from dynadock.simulation.state.etc import write_hosts
from dynadock.simulation.state.networks import CONTAINER_MODE, PREDEFINED, not_connected

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dynadock.simulation.asked import Asked
    from dynadock.simulation.state.addresses import Pool
    from dynadock.simulation.state.container import Container
    from dynadock.simulation.state.networks import Network
    from dynadock.simulation.state.state import State
    from dynadock.spec.versions import Version

_NO_SWARM = (
    'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect'
    " this node to swarm and try again."
)
_SHARED = (
    "container sharing network namespace with another container or host cannot be connected to any"
    " other network"
)
_WITH_HOST = "container cannot be disconnected from host network or connected to host network"
_WITH_NONE = (
    "container cannot be connected to multiple networks with one of the networks in private (none)"
    " mode"
)


@behaviour
def NetworkList(state: State, asked: Asked) -> Any:
    """By every filter; for ``dangling`` all but the engine's own are unused, as 26.1 has it."""
    filters = asked.filters
    check_names(filters, _FILTERS)
    _check_values(filters)
    found = [
        each
        for each in state.networks
        if all(_FILTERS[name](each, wanted) for name, wanted in filters.items())
    ]
    version = asked.operation.version
    with_members = facts("Networking", version)["members_in_lists"]
    return [network_settings(state, each, version, with_members=with_members) for each in found]


def _check_values(filters: Mapping[str, list[str]]) -> None:
    for value in filters.get("type", ()):
        if value not in ("custom", "builtin"):
            raise server_error(f"invalid filter: 'type'='{value}'")
    wanted = filters.get("dangling", ())
    if len(wanted) > 1:
        raise bad_request('got more than one value for filter key "dangling"')
    for value in wanted:
        if value not in _FLAGS:
            raise bad_request(
                'invalid value for filter \'dangling\', must be "true" (or "1"), or "false"'
                ' (or "0")'
            )


_FLAGS = {"true": True, "1": True, "false": False, "0": False}


def _type_of(network: Network) -> str:
    return "builtin" if network.is_predefined else "custom"


_FILTERS: Mapping[str, Callable[[Network, list[str]], bool]] = {
    "dangling": lambda network, wanted: all(
        _FLAGS[each] is not network.is_predefined for each in wanted
    ),
    "driver": lambda network, wanted: network.driver in wanted,
    "id": lambda network, wanted: any(network.id.startswith(text) for text in wanted),
    "label": lambda network, wanted: has_labels(network.asked.get("Labels") or {}, wanted),
    "name": lambda network, wanted: fits_name(network.name, wanted),
    "scope": lambda _, wanted: "local" in wanted,
    "type": lambda network, wanted: _type_of(network) in wanted,
}


@behaviour
def NetworkInspect(state: State, asked: Asked) -> Any:
    """By name, id or the beginning of an id; all scopes but ``local`` are empty."""
    name = asked.get("id")
    found = state.networks.matching(name)
    if (asked.get("scope") or "local") != "local":
        found = []
    if len(found) > 1:
        raise bad_request(
            f"{len(found)} matches found based on ID prefix: network {name} is ambiguous"
        )
    if not found:
        raise not_found(f"network {name} not found")
    return network_settings(state, found[0], asked.operation.version, with_members=True)


@behaviour
def NetworkCreate(state: State, asked: Asked) -> Any:
    """Bridges, with subnets asked for or handed out; no other driver, and no swarm's networks."""
    fields = dict(asked.fields)
    name = fields.get("Name") or ""
    if name in (*PREDEFINED, "default"):
        raise forbidden(f"operation is not permitted on predefined {name} network ")
    driver = fields.get("Driver") or "bridge"
    if driver == "overlay":
        raise forbidden(_NO_SWARM)
    read_pools((fields.get("IPAM") or {}).get("Config") or [])
    if not name.strip():
        raise bad_request(f"invalid name: {name}")
    if state.networks.is_taken(name):
        raise conflict(f"network with name {name} already exists")
    _check_kind(driver, fields)
    source = (fields.get("ConfigFrom") or {}).get("Network")
    if source:
        fields = {**_configuration(state, source), **fields}
    ipam = fields.get("IPAM") or {}
    if ipam.get("Driver") == "null":
        raise bad_request("ipv4 pool is empty")
    if (ipam.get("Driver") or "default") != "default":
        raise not_found(f'plugin "{ipam["Driver"]}" not found')
    pools = read_pools(ipam.get("Config") or [])
    _check_versions(pools, fields, asked.operation.version)
    network = state.networks.add(name, driver, pools, fields)
    return {"Id": network.id, "Warning": ""}


def _check_kind(driver: str, fields: Mapping[str, Any]) -> None:
    if driver in ("host", "null"):
        raise forbidden(f'only one instance of "{driver}" network is allowed')
    if driver in ("macvlan", "ipvlan"):
        raise server_error("operation not supported")
    if driver != "bridge":
        raise not_found(f'plugin "{driver}" not found')
    if fields.get("Ingress"):
        raise forbidden("Ingress network can only be global scope network")
    if fields.get("Scope") == "swarm":
        raise forbidden("cannot create a swarm scoped network when swarm is not active")


def _check_versions(pools: list[Pool], fields: Mapping[str, Any], version: Version) -> None:
    """Refuse a network that has no addresses, or that no IPv6 addresses can be found for."""
    with_ipv6 = fields.get("EnableIPv6")
    if not with_ipv6 and fields.get("EnableIPv4") is False:
        raise bad_request("IPv4 or IPv6 must be enabled")
    has_range = any(pool.version == IPV6 for pool in pools)
    if with_ipv6 and not has_range and not facts("Networking", version)["subnets_of_ipv6"]:
        raise not_found(NO_DEFAULTS.format(IPV6))


def _configuration(state: State, name: str) -> dict[str, Any]:
    """Return what a network takes over from one that is only a configuration."""
    source = state.networks.find(name)
    if not source.is_config_only:
        raise forbidden(f"network {name} is not a configuration network")
    return {each: source.asked[each] for each in _TAKEN_OVER if each in source.asked}


_TAKEN_OVER = ("IPAM", "Options", "Labels", "EnableIPv6", "Internal")


@behaviour
def NetworkDelete(state: State, asked: Asked) -> Any:
    """Not while somebody is in it, and none of the engine's own."""
    state.networks.remove(state.networks.find(asked.get("id")))


@behaviour
def NetworkConnect(state: State, asked: Asked) -> Any:
    """Of running containers at once, of others when they start; fixed addresses and aliases."""
    container = _container(state, asked.fields)
    name = asked.get("id")
    settings = asked.fields.get("EndpointConfig") or {}
    kept = {each: settings[each] for each in ASKED if each in settings}
    if container.is_running:
        _connect_now(state, container, state.networks.find(name), kept)
        return
    network = state.networks.named(name)
    if network is None:
        container.endpoints[name] = Endpoint(name, kept)
        return
    endpoint = Endpoint(network.name, kept)
    check_settings(network, endpoint)
    _check_mode(state, container, network)
    endpoint.names = None if network.is_predefined else names_of(container, endpoint)
    container.endpoints.setdefault(network.name, endpoint)


def _connect_now(
    state: State, container: Container, network: Network, kept: dict[str, Any]
) -> None:
    if str(container.host_config["NetworkMode"]).startswith(CONTAINER_MODE):
        raise bad_request(_SHARED)
    endpoint = Endpoint(network.name, kept)
    check_settings(network, endpoint)
    _check_mode(state, container, network)
    if network.name in container.endpoints:
        raise forbidden(
            f"endpoint with name {container.name} already exists in network {network.name}"
        )
    container.endpoints[network.name] = endpoint
    try:
        state.networks.join(container, endpoint)
    except Refused:
        state.networks.leave(container, endpoint)
        del container.endpoints[network.name]
        raise
    write_hosts(state, container)


def _container(state: State, fields: Mapping[str, Any]) -> Container:
    name = fields.get("Container") or ""
    if not name:
        raise bad_request('invalid name or ID supplied: ""')
    return state.containers.find(name)


def _check_mode(state: State, container: Container, network: Network) -> None:
    if network.name == "host" and container.host_config["NetworkMode"] != "host":
        raise bad_request(_WITH_HOST)
    if network.name in container.endpoints:
        return
    others = [name for name in container.endpoints if state.networks.named(name) is not None]
    if "host" in others:
        raise bad_request(_SHARED)
    if others and "none" in (network.name, *others):
        raise bad_request(_WITH_NONE)


@behaviour
def NetworkDisconnect(state: State, asked: Asked) -> Any:
    """Whether the container runs or not; ``Force`` changes only what is said of missing ones."""
    name = asked.get("id")
    try:
        container = _container(state, asked.fields)
    except Refused:
        if asked.fields.get("Force"):
            state.networks.find(name)
            raise not_found(f"endpoint {asked.fields.get('Container')} not found") from None
        raise
    is_lenient = asked.fields.get("Force") or not container.is_running
    if is_lenient and state.networks.named(name) is None:
        if container.endpoints.pop(name, None) is None:
            raise not_connected(container, f"the network {name}")
        return
    network = state.networks.find(name)
    if network.name == "host" and network.name in container.endpoints and container.is_running:
        raise bad_request(_WITH_HOST)
    state.networks.drop(container, network)
    if container.is_running:
        write_hosts(state, container)


@behaviour
def NetworkPrune(state: State, asked: Asked) -> Any:
    """All that nobody is in, but the engine's own; by the filters until and label."""
    filters = asked.filters
    check_names(filters, ("until", "label", "label!"))
    now = state.clock.now()
    asked_until = moment_until(filters, now)
    until = now if asked_until is None else asked_until
    gone = [each for each in state.networks if _is_pruned(each, filters, until)]
    for each in gone:
        state.networks.remove(each)
    state.events.add("network", "prune", "", {"reclaimed": 0})
    return {"NetworksDeleted": [each.name for each in gone] or None}


def _is_pruned(network: Network, filters: Mapping[str, list[str]], until: int) -> bool:
    labels = network.asked.get("Labels") or {}
    return not (
        network.is_predefined
        or network.members
        or network.is_config_only
        or network.created > until
        or not has_labels(labels, filters.get("label", ()))
        or has_any_label(labels, filters.get("label!", ()))
    )
