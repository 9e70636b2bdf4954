"""The engines of a run: asked once which API versions they speak, and what they are."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

import dynadock.config.address as addresses
from dynadock import __version__
from dynadock.errors import DynadockError
from dynadock.options import Options
from dynadock.spec.library import available_versions, bundled_versions
from dynadock.spec.versions import Version, VersionRange, parse_version
from dynadock.testing.asked import EMBEDDED
from dynadock.transport.connector import Connector

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dynadock.config.address import Address
    from dynadock.testing.asked import AskedEngine

PATIENCE = 10.0
"""Seconds that an engine has to say what it speaks."""

_SERVER = r"([A-Za-z]+)/(\S{1,60})"
"""What engines call themselves in the header Server: ``Docker/26.1.5 (linux)``."""

_KINDS = {"libpod": "podman"}


class Engine(NamedTuple):
    """An engine to test on, and what it says of itself.

    ``address`` is None for an embedded one of each test's own. ``kind`` is docker, podman, embedded
    or what the engine calls itself. ``fault`` says why it could not be asked; the other facts are
    empty then.
    """

    name: str
    address: Address | None
    kind: str = ""
    release: str = ""
    oldest: Version | None = None
    newest: Version | None = None
    fault: str = ""

    @property
    def spoken(self) -> list[Version]:
        """The versions that it speaks and that there are documents for, oldest first."""
        if self.newest is None:
            return []
        announced = VersionRange(self.oldest, self.newest)
        return [each for each in available_versions() if each in announced]

    @property
    def scheme(self) -> str:
        """The kind of its address: unix, tcp, ssh, npipe or embedded."""
        if self.address is None:
            return EMBEDDED
        return addresses.place_of(self.address, self.name).scheme

    @property
    def speaks(self) -> str:
        """What it speaks, in words."""
        return f"API {self.oldest or '?'} to {self.newest}"

    def __str__(self) -> str:
        where = "in each test's process" if self.address is None else f"at {self.address}"
        if self.fault:
            return f"{self.name}: not to be reached {where}: {self.fault}"
        return f"{self.name}: {self.kind} {self.release}, {self.speaks}, {where}"

    def facts(self) -> dict[str, str]:
        """Return what was found out, as plain values for another process, without the address."""
        facts = {"kind": self.kind, "release": self.release, "fault": self.fault}
        return facts | {"oldest": str(self.oldest or ""), "newest": str(self.newest or "")}


def ask(asked: AskedEngine) -> Engine:
    """Ask an engine what it is; where it does not answer, the fault says why."""
    if asked.address is None:
        known = bundled_versions()
        return Engine(asked.name, None, EMBEDDED, __version__, known[0], known[-1])
    try:
        connector = Connector(asked.address.plain)
        try:
            spoken = connector.ask_versions(Options(timeout=PATIENCE))
            scheme, server = connector.endpoint.scheme, connector.agreement.engine
        finally:
            connector.close()
    except DynadockError as error:
        return Engine(asked.name, asked.address, fault=f"{type(error).__name__}: {error}")
    found = re.match(_SERVER, server)
    product, release = found.groups() if found else ("", "")
    kind = EMBEDDED if scheme == EMBEDDED else _KINDS.get(product.lower(), product.lower())
    return Engine(asked.name, asked.address, kind, release, *spoken)


def told(asked: Iterable[AskedEngine], facts: Iterable[Any]) -> tuple[Engine, ...]:
    """Return engines of which another process has found out the facts."""
    return tuple(
        Engine(
            engine.name,
            engine.address,
            each["kind"],
            each["release"],
            _version(each["oldest"]),
            _version(each["newest"]),
            each["fault"],
        )
        for engine, each in zip(asked, facts, strict=True)
    )


def _version(text: str) -> Version | None:
    return parse_version(text) if text else None
