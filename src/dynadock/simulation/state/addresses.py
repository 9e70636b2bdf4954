"""Ranges of IP addresses: handed out and given back, the lowest first."""

from __future__ import annotations

import heapq
from functools import cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING, Any

from dynadock.simulation.refusal import bad_request, forbidden, not_found
from dynadock.spec.data import bundled_data

if TYPE_CHECKING:
    from collections.abc import Iterable

    Subnet = IPv4Network | IPv6Network

IPV4, IPV6 = 4, 6


class Exhausted(Exception):
    """All addresses of a pool are handed out."""


class Pool:
    """A subnet, of which ``span``, all of it by default, is handed out.

    ``is_chosen`` tells that somebody asked for this subnet, so that addresses may be asked for.
    """

    def __init__(
        self,
        subnet: Subnet,
        *,
        span: Subnet | None = None,
        gateway: str = "",
        reserved: Iterable[str] = (),
        is_chosen: bool = True,
    ) -> None:
        self.subnet = subnet
        self.is_chosen = is_chosen
        self._span = span or subnet
        self._taken = {int(subnet.network_address)}
        if subnet.version == IPV4:
            self._taken.add(int(subnet.broadcast_address))
        self._next = int(self._span.network_address)
        self._given_back: list[int] = []
        self._taken.update(int(ip_address(each)) for each in reserved)
        self.gateway = self.take(gateway)

    @property
    def prefix(self) -> int:
        """How many bits of an address are the subnet's."""
        return self.subnet.prefixlen

    @property
    def version(self) -> int:
        """4 or 6."""
        return self.subnet.version

    def __contains__(self, address: str) -> bool:
        """Tell whether an address that is asked for can be handed out."""
        found = read_address(address)
        return found is not None and found.version == self.version and found in self.subnet

    def take(self, wanted: str = "") -> str:
        """Hand out an address, the lowest that is free unless one is wanted.

        Refused, 403, if the wanted one is not free; Exhausted if none is.
        """
        if wanted:
            number = int(ip_address(wanted))
            if number in self._taken:
                raise forbidden("Address already in use")
        else:
            number = self._lowest()
        self._taken.add(number)
        return str(self._made(number))

    def _lowest(self) -> int:
        while self._given_back:
            number = heapq.heappop(self._given_back)
            if number not in self._taken:
                return number
        last = int(self._span.broadcast_address)
        while self._next <= last:
            number = self._next
            self._next += 1
            if number not in self._taken:
                return number
        raise Exhausted

    def _made(self, number: int) -> Any:
        return self.subnet.network_address + (number - int(self.subnet.network_address))

    def give_back(self, address: str) -> None:
        """Let an address be handed out again."""
        number = int(ip_address(address))
        if number in self._taken:
            self._taken.remove(number)
            if number < self._next and ip_address(number) in self._span:
                heapq.heappush(self._given_back, number)


def read_address(text: str) -> Any:
    """Return the address that a text is, None if it is none."""
    try:
        return ip_address(text)
    except ValueError:
        return None


def hardware_address(digits: str) -> str:
    """Return a hardware address with eight hex digits: those of an IPv4 address on 26.1."""
    return ":".join(("02", "42", digits[:2], digits[2:4], digits[4:6], digits[6:8]))


# What is asked for when a network is made


def read_pools(rows: list[dict[str, Any]]) -> list[Pool]:
    """Return the pools that a network's configuration describes; Refused, 400, if it is wrong."""
    faults: list[str] = []
    read = [_read_row(row, faults) for row in rows]
    check(faults, "invalid network config")
    pools: list[Pool] = []
    for fields in read:
        check_free(fields["subnet"], pools)
        pools.append(Pool(**fields))
    for version in (IPV4, IPV6):
        if sum(pool.version == version for pool in pools) > 1:
            raise forbidden("bridge driver doesn't support multiple subnets")
    return pools


def _read_row(row: dict[str, Any], faults: list[str]) -> dict[str, Any]:
    """Return a pool's parts, and add to what is wrong with them."""
    text = row.get("Subnet") or ""
    subnet = _read_network(text, f"invalid subnet {text}", faults)
    if subnet is None:
        return {}
    inner = row.get("IPRange") or ""
    span = _read_network(inner, f"invalid ip-range {inner}", faults) if inner else None
    within = f"parent subnet {subnet} doesn't contain"
    if span is not None and not _is_within(span, subnet):
        faults.append(f"invalid ip-range {inner}: {within} ip-range")
    addresses = [("gateway", row.get("Gateway") or "")]
    auxiliary = row.get("AuxiliaryAddresses") or {}
    addresses += [(f"auxiliary address {name}", each) for name, each in auxiliary.items()]
    for name, each in addresses:
        if not each:
            continue
        address = read_address(each)
        if address is None:
            faults.append(f"invalid {name} {each}: invalid address")
        elif address.version != subnet.version or address not in subnet:
            faults.append(f"invalid {name} {each}: {within} this address")
    reserved = [each for name, each in addresses[1:] if each]
    return {"subnet": subnet, "span": span, "gateway": addresses[0][1], "reserved": reserved}


def _read_network(text: str, complaint: str, faults: list[str]) -> Subnet | None:
    try:
        found = ip_network(text if "/" in text else "", strict=False)
    except ValueError:
        faults.append(f"{complaint}: invalid CIDR block notation")
        return None
    if str(found.network_address) != str(ip_address(text.partition("/")[0])):
        faults.append(f"{complaint}: it should be {found}")
        return None
    return found


def _is_within(inner: Subnet, outer: Subnet) -> bool:
    return inner.version == outer.version and inner.subnet_of(outer)  # type: ignore[arg-type]


def check(faults: list[str], what: str) -> None:
    """Refuse, 400, what something is wrong with, all of it in the way that engines say it."""
    if len(faults) == 1:
        raise bad_request(f"{what}:\n{faults[0]}")
    if faults:
        raise bad_request(f"{what}:\n" + "\n".join(f"* {each}" for each in faults))


def check_free(subnet: Subnet, others: Iterable[Pool]) -> None:
    """Refuse a subnet that overlaps with one that is there."""
    if any(overlap(subnet, each.subnet) for each in others):
        raise forbidden("Pool overlaps with other one on this address space")


def overlap(one: Subnet, other: Subnet) -> bool:
    """Tell whether two subnets have an address in common."""
    return one.version == other.version and one.overlaps(other)


class Defaults:
    """The subnets of networks for which none was asked: one after another, then from the start."""

    def __init__(self) -> None:
        self._next = {IPV4: 0, IPV6: 0}

    def take(self, others: Iterable[Pool], version: int = IPV4) -> Pool:
        """Return a pool of the next subnet that overlaps with no other; Refused without one."""
        taken = [each.subnet for each in others]
        subnets = _default_subnets(version)
        for step in range(len(subnets)):
            place = (self._next[version] + step) % len(subnets)
            subnet = subnets[place]
            if not any(overlap(subnet, each) for each in taken):
                self._next[version] = (place + 1) % len(subnets)
                return Pool(subnet, is_chosen=False)
        raise not_found(NO_DEFAULTS.format(version))


NO_DEFAULTS = (
    "could not find an available, non-overlapping IPv{} address pool among the defaults to assign"
    " to the network"
)


@cache
def _default_subnets(version: int) -> list[Subnet]:
    found: list[Subnet] = []
    for row in bundled_data("embedded.yaml")["AddressPools"]:
        base = ip_network(row["base"])
        if base.version == version:
            found += base.subnets(new_prefix=row["size"])
    return found
