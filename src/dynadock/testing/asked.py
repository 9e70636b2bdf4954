"""What a run of tests was asked for: engines, API versions, reports, and a contract.

Nothing here asks an engine. What cannot be meant is a `pytest.UsageError`, which shows no secret.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import pytest

from dynadock.config.address import Address, masked, place_of
from dynadock.errors import DynadockError, SpecError
from dynadock.spec.library import available_versions
from dynadock.spec.versions import Version, VersionRange, parse_range

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

EMBEDDED = "embedded"
"""The engine that needs no address: each test has one of its own, in its process."""

NEWEST = "newest"

CONTRACTS = ("off", "record", "warn", "raise")

REPORTS = (".html", ".json", ".xml")

_FORM = f"NAME=ADDRESS, such as d28=unix:///var/run/docker.sock, or {EMBEDDED!r}"
_NAME = r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,63}"


class AskedEngine(NamedTuple):
    """An engine to test on: what it is called, and where it is; None for one of the test's own."""

    name: str
    address: Address | None


def read_engines(texts: Iterable[str], origin: str) -> tuple[AskedEngine, ...]:
    """Read ``NAME=ADDRESS`` and ``embedded``, the latter alone if there are none."""
    found: dict[str, AskedEngine] = {}
    for text in texts:
        engine = _engine(text.strip(), origin)
        if engine.name in found:
            raise pytest.UsageError(f"{origin}: there are two engines called {engine.name}")
        found[engine.name] = engine
    return tuple(found.values()) or (AskedEngine(EMBEDDED, None),)


def _engine(text: str, origin: str) -> AskedEngine:
    name, equals, address = text.partition("=")
    if text == EMBEDDED:
        return AskedEngine(EMBEDDED, None)
    if not equals or re.fullmatch(_NAME, name) is None or not address.strip():
        raise pytest.UsageError(
            f"{origin}: expected {_FORM}, got {masked(text)!r}"
            " (a name has up to 64 letters, digits and any of '_.+-')"
        )
    where = Address(address)
    try:
        place = place_of(where, f"{origin} {name}")
    except DynadockError as error:
        raise pytest.UsageError(str(error)) from None
    if (name == EMBEDDED) != (place.scheme == EMBEDDED) and name == EMBEDDED:
        raise pytest.UsageError(f"{origin}: the name {name!r} is for engines of the test's own")
    is_own = place.scheme == EMBEDDED and not place.path
    return AskedEngine(name, None if is_own else where)


class Wanted(NamedTuple):
    """API versions that were asked for: ranges, and None for the newest that an engine speaks."""

    parts: tuple[VersionRange | None, ...]

    def of(self, spoken: Sequence[Version]) -> list[Version]:
        """List the versions to test at on an engine that speaks some, oldest first.

        A version that was asked for by its number is among them though the engine does not speak
        it, and of a range that the engine speaks nothing of, the end that was named. ``all`` and
        the open end of a range mean what the engine speaks.
        """
        found: set[Version] = set()
        for part in self.parts:
            if part is None:
                found |= {*spoken[-1:]}
            elif part.first and part.last:
                found |= {each for each in available_versions() if each in part}
            else:
                found |= {each for each in spoken if each in part} or {*_end(part)}
        return sorted(found)


def _end(part: VersionRange) -> list[Version]:
    """Return the version nearest to the end that an open range names, none if it names none."""
    known = [each for each in available_versions() if each in part]
    if part.first:
        return known[:1]
    return known[-1:] if part.last else []


def read_wanted(text: str, origin: str) -> Wanted:
    """Read ``newest``, ``all``, ``1.40-1.43``, ``1.30,1.41`` or several of them."""
    return Wanted(
        tuple(
            None if part.strip() == NEWEST else read_range(part.strip(), origin)
            for part in text.split(",")
        )
    )


def read_range(text: str, origin: str) -> VersionRange:
    """Read a version or a range that there are documents for."""
    known = available_versions()
    try:
        found = parse_range(text)
    except SpecError as error:
        raise pytest.UsageError(
            f"{origin}: {error}; expected {NEWEST}, all, a range (1.40-1.43) or several (1.30,1.41)"
        ) from None
    if not any(each in found for each in known):
        raise pytest.UsageError(
            f"{origin}: there is no document for API {text}; there are {known[0]} to {known[-1]}"
        )
    return found


def read_ranges(text: str, origin: str) -> tuple[VersionRange, ...]:
    """Read the ranges of a marker, which may be of versions to come."""
    try:
        return tuple(parse_range(part.strip()) for part in text.split(","))
    except SpecError as error:
        raise pytest.UsageError(f"{origin}: {error}; expected a range such as '1.41-'") from None


def check_report(name: str, origin: str) -> str:
    """Return the name of a report's file, whose suffix says what it is."""
    if not name.lower().endswith(REPORTS):
        raise pytest.UsageError(f"{origin}: expected a file {', '.join(REPORTS)}, got {name!r}")
    return name
