"""Networks, and the places that containers have in them."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from dynadock.simulation.refusal import (
    Refused,
    bad_request,
    conflict,
    forbidden,
    not_found,
    server_error,
)
from dynadock.simulation.state.addresses import (
    IPV4,
    IPV6,
    Defaults,
    Exhausted,
    Pool,
    check_free,
    hardware_address,
)
from dynadock.simulation.state.endpoints import check_settings, names_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dynadock.simulation.state.container import Container
    from dynadock.simulation.state.endpoints import Endpoint
    from dynadock.simulation.state.state import State

PREDEFINED = ("bridge", "host", "none")
"""The networks that are there from the beginning; ``default`` is another name of the first."""

CONTAINER_MODE = "container:"


class Network:
    """A network, its ranges of addresses, and who is in it, by the containers' ids.

    ``asked`` is the body that it was made from, for what is only shown again.
    """

    def __init__(
        self,
        name: str,
        identity: str,
        driver: str,
        created: int,
        *,
        pools: list[Pool],
        asked: dict[str, Any] | None = None,
    ) -> None:
        self.name = name
        self.id = identity
        self.driver = driver
        self.created = created
        self.pools = pools
        self.asked = {} if asked is None else asked
        self.members: dict[str, Endpoint] = {}

    @property
    def is_predefined(self) -> bool:
        """Whether it was there from the beginning."""
        return self.name in PREDEFINED

    @property
    def is_config_only(self) -> bool:
        """Whether it is none, but a configuration that others take over."""
        return bool(self.asked.get("ConfigOnly"))

    @property
    def leads_outside(self) -> bool:
        """Whether ports of its members can be published."""
        return self.driver == "bridge" and not self.asked.get("Internal")

    def pool(self, version: int) -> Pool | None:
        """Return the range of an IP version."""
        return next((each for each in self.pools if each.version == version), None)


class Networks:
    """All networks of an engine by their ids, the oldest first."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._defaults = Defaults()
        self.by_id: dict[str, Network] = {}
        self._ids: dict[str, str] = {}
        for name, driver in zip(PREDEFINED, ("bridge", "host", "null"), strict=True):
            pools = [self._defaults.take(())] if driver == "bridge" else []
            self._add(Network(name, state.ids.new_id(), driver, state.began, pools=pools))

    def __iter__(self) -> Iterator[Network]:
        return iter(list(self.by_id.values()))

    def _add(self, network: Network) -> None:
        self.by_id[network.id] = network
        self._ids[network.name] = network.id

    def matching(self, name: str) -> list[Network]:
        """Return the network of that id or name, else all whose ids begin so."""
        identity = name if name in self.by_id else self._ids.get(name)
        if identity is not None:
            return [self.by_id[identity]]
        return [each for each in self.by_id.values() if name and each.id.startswith(name)]

    def find(self, name: str) -> Network:
        """Return the network of that id or name, or whose id begins so.

        Refused where there is none (404), or more than one (400).
        """
        found = self.matching(name)
        if len(found) > 1:
            count = f"{len(found)} matches found based on ID prefix"
            raise bad_request(f"network {name} is ambiguous ({count})")
        if not found:
            raise not_found(f"network {name} not found")
        return found[0]

    def is_taken(self, name: str) -> bool:
        """Tell whether a network has that name."""
        return name in self._ids

    def named(self, name: str) -> Network | None:
        """Return the network that a name or an id means, None if there is no such one."""
        found = self.matching(name)
        return found[0] if len(found) == 1 else None

    # Made and removed

    def add(self, name: str, driver: str, pools: list[Pool], asked: dict[str, Any]) -> Network:
        """Make a network whose name is free; Refused, 403, if its addresses are not.

        Without a range of addresses of a version that it has, it gets one of those that are free.
        """
        taken = [pool for each in self.by_id.values() for pool in each.pools]
        for pool in pools:
            check_free(pool.subnet, taken)
        is_config = bool(asked.get("ConfigOnly"))
        if driver == "bridge" and not is_config:
            has = {IPV4: asked.get("EnableIPv4", True), IPV6: asked.get("EnableIPv6", False)}
            missing = has.keys() - {each.version for each in pools}
            for version in sorted(missing):
                if has[version]:
                    pools = [*pools, self._defaults.take([*taken, *pools], version)]
        if is_config:
            driver, pools = "null", []
        state = self._state
        network = Network(
            name, state.ids.new_id(), driver, state.clock.now(), pools=pools, asked=asked
        )
        self._add(network)
        self._tell(network, "create")
        return network

    def remove(self, network: Network) -> None:
        """Forget a network that nobody is in; Refused (403) for others."""
        why = "error while removing network"
        if network.is_predefined:
            raise forbidden(f"{network.name} is a pre-defined network and cannot be removed")
        if any(_source_of(each) == network.name for each in self.by_id.values()):
            raise forbidden(f'{why}: configuration network "{network.name}" is in use')
        if network.members:
            raise forbidden(f"{why}: network {network.name} id {network.id} has active endpoints")
        del self.by_id[network.id]
        del self._ids[network.name]
        self._tell(network, "destroy")

    # Containers come and go

    def connect(self, container: Container) -> None:
        """Give a container that starts its places; Refused if one cannot be had."""
        mode = str(container.host_config["NetworkMode"])
        if mode.startswith(CONTAINER_MODE):
            self._share(container, mode.removeprefix(CONTAINER_MODE))
            return
        container.sandbox = ""
        main = self.named(mode)
        first = mode if main is None else main.name
        # The main network comes first: its addresses are the first ones in /etc/hosts.
        for name in sorted(container.endpoints, key=lambda each: (each != first, each)):
            endpoint = container.endpoints[name]
            self.find(endpoint.network_id or endpoint.network)
            if main is None:
                raise not_found(
                    f"could not find a network matching network mode {mode}: network {mode} not"
                    " found"
                )
            self.join(container, endpoint)
        container.sandbox = container.sandbox or self._state.ids.new_id()

    def _share(self, container: Container, name: str) -> None:
        other = self._state.containers.find(name)
        if other is container:
            raise server_error("cannot join own network")
        if not other.is_running:
            raise conflict(f"cannot join network of a non running container: {other.id}")
        container.config["Hostname"] = other.config["Hostname"]

    def join(self, container: Container, endpoint: Endpoint) -> None:
        """Give a running container its place in a network, and tell of it."""
        network = self.find(endpoint.network_id or endpoint.network)
        endpoint.names = None if network.is_predefined else names_of(container, endpoint)
        check_settings(network, endpoint)
        self._take_all(endpoint, network)
        endpoint.network_id = network.id
        endpoint.id = self._state.ids.new_id()
        container.sandbox = container.sandbox or self._state.ids.new_id()
        if network.pools and not endpoint.mac:
            endpoint.mac = hardware_address(endpoint.id)
        endpoint.mac = endpoint.asked.get("MacAddress") or endpoint.mac
        network.members[container.id] = endpoint
        if network.leads_outside:
            self._state.ports.publish(container, endpoint.id)
        self._tell(network, "connect", container)

    def _take_all(self, endpoint: Endpoint, network: Network) -> None:
        """Give an endpoint its addresses, or none of them."""
        try:
            for pool in network.pools:
                self._take(endpoint, pool)
            if network.asked.get("Internal"):
                endpoint.gateway = endpoint.gateway6 = ""
        except Refused:
            self._give_back(network, endpoint)
            raise
        except Exhausted:
            self._give_back(network, endpoint)
            raise server_error(
                "no available IPv4 addresses on this network's address pools:"
                f" {network.name} ({network.id})"
            ) from None

    def _take(self, endpoint: Endpoint, pool: Pool) -> None:
        if pool.version == IPV4:
            endpoint.address = pool.take(endpoint.wanted.get("IPv4Address") or "")
            endpoint.prefix, endpoint.gateway = pool.prefix, pool.gateway
            endpoint.mac = hardware_address(f"{int(ip_address(endpoint.address)):08x}")
        else:
            endpoint.address6 = pool.take(endpoint.wanted.get("IPv6Address") or "")
            endpoint.prefix6, endpoint.gateway6 = pool.prefix, pool.gateway

    def rename(self, container: Container) -> None:
        """Let a running container be found by its new name; others are, once they start.

        Then it has names in every network, even in those where nobody finds it by them (26.1).
        """
        for endpoint in container.endpoints.values():
            network = self.by_id.get(endpoint.network_id)
            if network is not None and container.id in network.members:
                endpoint.names = names_of(container, endpoint)

    def disconnect(self, container: Container) -> None:
        """Take back the places of a container that ended, or could not be started."""
        for endpoint in container.endpoints.values():
            self.leave(container, endpoint)

    def leave(self, container: Container, endpoint: Endpoint) -> None:
        """Take back a container's place in a network, and tell of it, if it has it."""
        network = self.by_id.get(endpoint.network_id)
        if network is not None and container.id in network.members:
            del network.members[container.id]
            self._give_back(network, endpoint)
            self._tell(network, "disconnect", container)
        endpoint.clear()
        if not self.is_outside(container):
            self._state.ports.give_back(container)

    @staticmethod
    def _give_back(network: Network, endpoint: Endpoint) -> None:
        for pool in network.pools:
            address = endpoint.address if pool.version == IPV4 else endpoint.address6
            if address:
                pool.give_back(address)

    def is_outside(self, container: Container) -> bool:
        """Tell whether one of the container's networks leads outside, so that it has ports."""
        networks = (self.by_id.get(each.network_id) for each in container.endpoints.values())
        return any(
            each and each.leads_outside and container.id in each.members for each in networks
        )

    def drop(self, container: Container, network: Network) -> None:
        """Let a container be in a network no more; Refused, 500, if it is not in it.

        Of one that runs this is told twice, as by 26.1.
        """
        endpoint = container.endpoints.get(network.name)
        if endpoint is None:
            the = "" if container.is_running else "the "
            raise not_connected(container, f"{the}network {network.name}")
        self.leave(container, endpoint)
        del container.endpoints[network.name]
        self._tell(network, "disconnect", container)

    def _tell(self, network: Network, action: str, container: Container | None = None) -> None:
        attributes = {"name": network.name, "type": network.driver}
        if container is not None:
            attributes = {"container": container.id, **attributes}
        self._state.events.add("network", action, network.id, attributes)


def not_connected(container: Container, network: str) -> Refused:
    """Return the refusal (500) to take a container out of a network that it is not in."""
    return server_error(f"container {container.id} is not connected to {network}")


def _source_of(network: Network) -> str:
    return (network.asked.get("ConfigFrom") or {}).get("Network") or ""
