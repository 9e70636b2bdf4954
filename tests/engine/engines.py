"""The engines that the tests run on: where they are, asked what they are."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import pytest

from documents import MAIN
from dynadock import DynadockError, load
from dynadock.spec.library import available_versions
from dynadock.spec.versions import Version, VersionRange, parse_range, parse_version
from lacking import is_required

ENGINES = "DYNADOCK_TEST_ENGINES"
API = "DYNADOCK_TEST_API"
TCP = "DYNADOCK_TEST_TCP"
REGISTRY = "DYNADOCK_TEST_REGISTRY"
GUARDED = "DYNADOCK_TEST_REGISTRY_AUTH"
LOGIN = "DYNADOCK_TEST_REGISTRY_LOGIN"

EMBEDDED = ("embedded", "embedded://tests")
"""The engine in this process that is tested like a real one: what it is called, and its address."""

NO_ENGINE = f"no engine answers here; {ENGINES} can name some"

MAIN_VERSION = parse_version(MAIN)
NEWEST = "newest"
STREAM_VERSIONS = ("1.30", "1.41", "1.42", NEWEST)
"""Around 1.42, headers begin to tell what a stream is."""
UNKNOWN = Version(0, 0)


@dataclass(frozen=True)
class Engine:
    """An engine under test: what it is called here, where it is, and what it said of itself.

    ``fault`` says why it could not be asked; the other facts are void then.
    """

    name: str
    address: str
    kind: str = ""
    release: Version = UNKNOWN
    oldest: Version = UNKNOWN
    newest: Version = UNKNOWN
    fault: str = ""

    def versions(self, wanted: VersionRange) -> list[Version]:
        """List the API versions that the engine announces and that there are documents for."""
        announced = VersionRange(self.oldest, self.newest)
        return [each for each in available_versions() if each in announced and each in wanted]

    def versions_at(self, *names: str) -> list[Version]:
        """List those versions of `versions` that have these names; "newest" is one."""
        of_all = self.versions(VersionRange(None, None))
        wanted = {of_all[-1] if name == NEWEST else parse_version(name) for name in names}
        return [each for each in of_all if each in wanted]

    @property
    def asked_versions(self) -> list[Version]:
        """Those versions of `versions` that the environment asks for: ``1.30-1.42,newest``."""
        found: set[Version] = set()
        for each in asked():
            found.update(self.versions_at(NEWEST) if each == NEWEST else self.versions(each))
        return sorted(found)

    @property
    def wanted_versions(self) -> list[Version]:
        """The versions at which every test of a version runs."""
        return self.asked_versions if asked() else self.main_versions

    @property
    def main_versions(self) -> list[Version]:
        """The newest version that both sides speak up to the main one, and the newest of all."""
        to_main = self.versions(VersionRange(None, MAIN_VERSION))
        of_all = self.versions(VersionRange(None, None))
        return sorted({*to_main[-1:], *of_all[-1:]})


class Target(NamedTuple):
    """One engine at one API version."""

    engine: Engine
    version: Version


def asked() -> list[VersionRange | str]:
    """Read which versions the environment asks for: ranges, and "newest"; none if it does not."""
    words = os.environ.get(API, "").replace(",", " ").split()
    return [word if word == NEWEST else parse_range(word) for word in words]


@cache
def engines() -> tuple[Engine, ...]:
    """Ask the engines that the environment names, or else the one that a user would reach.

    Where none is named, the embedded one comes behind that, and stands alone where none answers. An
    engine that is named, or required, and does not answer is there with its fault.
    """
    named = addresses(ENGINES)
    if named:
        return tuple(_ask(name, address) for name, address in named.items())
    found = _ask("engine", None)
    real = (found,) if not found.fault or is_required() else ()
    return (*real, _ask(*EMBEDDED))


def one_of(several: tuple[Engine, ...]) -> tuple[Engine, ...]:
    """Choose an engine that stands for all: the first that speaks the main version, if any."""
    at_main = (each for each in several if each.oldest <= MAIN_VERSION <= each.newest)
    first = next(at_main, None) or next(iter(several), None)
    return () if first is None else (first,)


def addresses(variable: str) -> dict[str, str]:
    """Read ``name=address name=address`` from an environment variable."""
    words = os.environ.get(variable, "").split()
    return {name: address for name, _, address in (word.partition("=") for word in words)}


def no_address(variable: str) -> pytest.MarkDecorator:
    """Return the mark of tests that want an address and have none; fails where that is required."""
    why = f"{variable} names no engine" if engines() else NO_ENGINE
    if is_required():
        pytest.fail(why, pytrace=False)
    return pytest.mark.skip(reason=why)


def _ask(name: str, host: str | None) -> Engine:
    try:
        with load(host=host) as client:
            address = str(client.endpoint)
            facts = client.SystemVersion()
    except DynadockError as error:
        return Engine(name, host or "", fault=f"{type(error).__name__}: {error}")
    components = [each.Name for each in facts.get("Components") or ()]
    return Engine(
        name,
        address,
        kind=_kind(address, components),
        release=_release(facts.Version),
        oldest=parse_version(facts.MinAPIVersion),
        newest=parse_version(facts.ApiVersion),
    )


def _kind(address: str, components: list[str]) -> str:
    if address.startswith("embedded://"):
        return "embedded"
    return "podman" if any("Podman" in each for each in components) else "docker"


def _release(text: str) -> Version:
    """Read the first two numbers of an engine's own version, such as ``20.10.24+dfsg1``."""
    return parse_version(".".join(text.split(".")[:2]))
