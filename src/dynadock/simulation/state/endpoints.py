"""The places of containers in networks: what is asked of them, and what they have."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from dynadock.simulation.refusal import bad_request
from dynadock.simulation.state.addresses import IPV4, IPV6, check, read_address

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dynadock.simulation.state.container import Container
    from dynadock.simulation.state.networks import Network

_HARDWARE_ADDRESS = re.compile(r"[0-9a-fA-F]{2}(?:[:-][0-9a-fA-F]{2}){5}")
_SHORT = 12


class Endpoint:
    """A container's place in a network; ``asked`` is what was said when it was connected.

    ``id`` and what follows is there while the container runs; ``names`` are those by which others
    find it, None until they are known.
    """

    def __init__(self, network: str, asked: dict[str, Any] | None = None) -> None:
        self.network = network
        self.asked = {} if asked is None else asked
        self.network_id = ""
        self.names: list[str] | None = None
        self.id = ""
        self.address = ""
        self.prefix = 0
        self.gateway = ""
        self.address6 = ""
        self.prefix6 = 0
        self.gateway6 = ""
        self.mac = ""

    @property
    def wanted(self) -> dict[str, str]:
        """The addresses that were asked for."""
        return self.asked.get("IPAMConfig") or {}

    def clear(self) -> None:
        """Forget what only a running container has."""
        self.id = self.address = self.gateway = self.address6 = self.gateway6 = self.mac = ""
        self.prefix = self.prefix6 = 0


def names_of(container: Container, endpoint: Endpoint) -> list[str]:
    """Return the names by which others in a network find a container."""
    names = [container.name, *(endpoint.asked.get("Aliases") or ()), container.id[:_SHORT]]
    hostname = str(container.config.get("Hostname") or "")
    return [*dict.fromkeys([*names, *([hostname] if hostname else [])])]


def check_settings(network: Network | None, endpoint: Endpoint) -> None:
    """Refuse, 400, what cannot be asked of a network; of one that is not there little is known."""
    address = endpoint.asked.get("MacAddress")
    if address and not _HARDWARE_ADDRESS.fullmatch(address):
        raise bad_request(f"invalid MAC address {address}")
    check([*_faults(network, endpoint)], "invalid endpoint settings")


def _faults(network: Network | None, endpoint: Endpoint) -> Iterator[str]:
    found_in = ((version, endpoint.wanted.get(f"IPv{version}Address")) for version in (IPV4, IPV6))
    wanted = [(version, address) for version, address in found_in if address]
    is_users = network is None or not network.is_predefined
    if wanted and not is_users:
        yield "user specified IP address is supported on user defined networks only"
    if endpoint.asked.get("Aliases") and not is_users:
        yield "network-scoped alias is supported only for containers in user defined networks"
    for version, address in wanted:
        found = read_address(str(address))
        if found is None or found.version != version:
            yield f"invalid IPv{version} address: {address}"
    if network is not None:
        for version, address in wanted:
            pool = network.pool(version)
            if pool is None or not pool.is_chosen:
                yield (
                    "user specified IP address is supported only when connecting to networks with"
                    " user configured subnets"
                )
            elif address not in pool:
                yield f"no configured subnet or ip-range contain the IP address {address}"
