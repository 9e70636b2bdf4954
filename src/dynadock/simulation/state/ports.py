"""Published ports, as facts: which port of the host stands for which port of a container."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from dynadock.simulation.refusal import bad_request, server_error
from dynadock.simulation.state.addresses import read_address

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dynadock.simulation.state.container import Container

FIRST_FREE, LAST_FREE = 32768, 60999
"""The ports from which one is chosen where none is asked for (Linux's usual range)."""

_HIGHEST = 65535
_MOST_RANGES = 256
ANY = "0.0.0.0"  # noqa: S104 - a fact that is shown; nothing listens
_ALL = (ANY, "::")
_PROTOCOLS = ("tcp", "udp", "sctp")
_RANGE = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?")

Bindings = dict[str, "list[dict[str, str]] | None"]


class _Asked(NamedTuple):
    """A port of a container that is to be published: where, and on one of which ports."""

    port: str
    address: str
    first: int
    last: int

    @property
    def protocol(self) -> str:
        return self.port.partition("/")[2]


class Ports:
    """All published ports of an engine."""

    def __init__(self) -> None:
        self._taken: dict[tuple[str, int], set[str]] = {}
        # The ranges that were used last: a port is not given again before the others were.
        self._last: dict[tuple[str, str, int, int], int] = {}

    def publish(self, container: Container, endpoint_id: str) -> None:
        """Publish a container's ports, if that is not done; Refused, 500, if one is taken."""
        if container.ports:
            return
        asked = list(_asked_for(container))
        shown: Bindings = {
            exposed(text): None for text in container.config.get("ExposedPorts") or ()
        }
        try:
            for each in asked:
                shown[each.port] = [*(shown.get(each.port) or ()), *self._bind(each)]
                container.ports = shown
        except _Taken as taken:
            self.give_back(container)
            raise server_error(
                "driver failed programming external connectivity on endpoint"
                f" {container.name} ({endpoint_id}): {taken}"
            ) from None
        container.ports = dict(sorted(shown.items()))

    def _bind(self, asked: _Asked) -> list[dict[str, str]]:
        if asked.protocol not in _PROTOCOLS:
            raise _Taken(f"invalid transport protocol: {asked.protocol}")
        number = self._choose(asked)
        addresses = _ALL if asked.address == ANY else (asked.address,)
        self._taken.setdefault((asked.protocol, number), set()).update(addresses)
        return [{"HostIp": each, "HostPort": str(number)} for each in addresses]

    def _choose(self, asked: _Asked) -> int:
        if asked.first == asked.last:
            self._check(asked)
            return asked.first
        kind = (asked.protocol, asked.address, asked.first, asked.last)
        after = self._last.pop(kind, asked.last)
        count = asked.last - asked.first + 1
        for step in range(count):
            number = asked.first + (after + 1 - asked.first + step) % count
            if not self._who_has(asked.protocol, asked.address, number):
                self._last[kind] = number
                if len(self._last) > _MOST_RANGES:
                    del self._last[next(iter(self._last))]
                return number
        raise _Taken("all ports are allocated")

    def _check(self, asked: _Asked) -> None:
        holders = self._who_has(asked.protocol, asked.address, asked.first)
        where = f"{asked.address}:{asked.first}"
        if asked.address in holders:
            raise _Taken(f"Bind for {where} failed: port is already allocated")
        if holders:
            raise _Taken(
                f"Error starting userland proxy: listen {asked.protocol}{_version(asked.address)}"
                f" {where}: bind: address already in use"
            )

    def _who_has(self, protocol: str, address: str, number: int) -> set[str]:
        """Return the addresses on which a port is taken that stand in an address's way."""
        taken = self._taken.get((protocol, number), set())
        version = _version(address)
        same = {each for each in taken if _version(each) == version}
        is_any = address in _ALL
        return {each for each in same if is_any or each == address or each in _ALL}

    def give_back(self, container: Container) -> None:
        """Let others have the ports of a container that ended."""
        for port, bindings in container.ports.items():
            protocol = port.partition("/")[2]
            for each in bindings or ():
                key = (protocol, int(each["HostPort"]))
                taken = self._taken.get(key, set())
                taken.discard(each["HostIp"])
                if not taken:
                    self._taken.pop(key, None)
        container.ports = {}


class _Taken(Exception):
    """A port cannot be published."""


def _version(address: str) -> int:
    return 6 if ":" in address else 4


def exposed(text: str) -> str:
    """Return an exposed port as it is shown; what is none has the number 0 on engines (26.1)."""
    number, slash, protocol = text.partition("/")
    number = number if number.isdecimal() else "0"
    if not slash:
        protocol = "tcp" if text else "0"
    return f"{number}/{protocol if protocol in _PROTOCOLS else 0}"


def _asked_for(container: Container) -> Iterable[_Asked]:
    """Return what is to be published of a container, in the order in which engines do it.

    Only what is exposed can be; of the others nothing is said (26.1).
    """
    bound: Mapping[str, Any] = container.host_config["PortBindings"] or {}
    publishes_all = container.host_config["PublishAllPorts"]
    found = []
    for text in container.config.get("ExposedPorts") or ():
        rows = bound.get(text) or ([{}] if publishes_all and text not in bound else [])
        for row in rows:
            first, last = _read_range(row.get("HostPort") or "")
            found.append(_Asked(exposed(text), _address(row.get("HostIp") or ""), first, last))
    return sorted(found, key=_order)


def _order(asked: _Asked) -> tuple[bool, int, int]:
    """Sort fixed ports first, and higher ones before lower ones."""
    return asked.first != asked.last, -asked.first, -int(asked.port.partition("/")[0])


def _address(text: str) -> str:
    return text if read_address(text) is not None else ANY


def _read_range(text: str) -> tuple[int, int]:
    match = _RANGE.fullmatch(text)
    first = int(match[1]) if match else 0
    if not first:
        return FIRST_FREE, LAST_FREE
    assert match is not None
    return first, int(match[2] or first)


def read_bindings(bindings: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return what is asked to be published, as it is shown; Refused, 400, where that is no port."""
    if bindings is None:
        return None
    for port, rows in bindings.items():
        _check_port(port.partition("/")[0])
        for row in rows or ():
            _check_port(row.get("HostPort") or "0")
    return {port: rows and [_NOWHERE | row for row in rows] for port, rows in bindings.items()}


_NOWHERE = {"HostIp": "", "HostPort": ""}


def _check_port(text: str) -> None:
    match = _RANGE.fullmatch(text)
    if match is None or not int(match[1]) <= int(match[2] or match[1]) <= _HIGHEST:
        raise bad_request(f'invalid port specification: "{text}"')
