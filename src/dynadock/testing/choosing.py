"""Which tests run on which targets: what marks say, and what an engine speaks."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest

from dynadock.testing.asked import read_ranges
from dynadock.testing.needs import NoSuchName, lacking

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from dynadock.testing.targets import Target

API = "dynadock_api"
NEEDS = "dynadock_needs"

TARGET = "dynadock_target"
"""The fixture that all others of engines stand on: it has the target for its value."""

SKIPPED = pytest.StashKey[tuple[tuple[str, str], ...]]()
"""What a test needs and its version lacks, each with when it arrived."""


class Choice(NamedTuple):
    """Tests that stay, those that are skipped among them, and those that are out of their range."""

    chosen: list[pytest.Item]
    deselected: list[pytest.Item]


def choose(items: Iterable[pytest.Item], target_of: Callable[[pytest.Item], Target]) -> Choice:
    """Read the marks of tests, and mark those as skipped that cannot run on their targets.

    A mark that cannot be meant is a UsageError that names the test.
    """
    choice = Choice([], [])
    for item in items:
        if TARGET not in getattr(item, "fixturenames", ()):
            _refuse_marks_without_target(item)
            choice.chosen.append(item)
            continue
        target = target_of(item)
        if not _is_in_range(item, target):
            choice.deselected.append(item)
            continue
        reason = target.unspoken or _lacking(item, target)
        if reason:
            item.add_marker(pytest.mark.skip(reason=reason))
        choice.chosen.append(item)
    return choice


def _refuse_marks_without_target(item: pytest.Item) -> None:
    """Refuse a mark that would have no effect; a module's may be for its other tests."""
    for mark in item.own_markers:
        if mark.name in (API, NEEDS):
            raise pytest.UsageError(
                f"{item.nodeid}: {mark.name} is for tests on an engine, and this one asks for none"
                " (dynadock_client, dynadock_host, dynadock_name)"
            )


def _is_in_range(item: pytest.Item, target: Target) -> bool:
    for text in _arguments(item, API, "a range of API versions, such as '1.41-'"):
        ranges = read_ranges(text, f"{item.nodeid}: {API}")
        if target.at is not None and not any(target.at in each for each in ranges):
            return False
    return True


def _lacking(item: pytest.Item, target: Target) -> str:
    """Say what a test needs that its version has not, and when that arrived."""
    if target.at is None:
        return ""
    what = "names, such as 'VolumeUpdate', 'ContainerCreate.platform' or 'HostConfig.Init'"
    found = []
    for name in _arguments(item, NEEDS, what):
        try:
            why = lacking(name, target.at)
        except NoSuchName as error:
            raise pytest.UsageError(f"{item.nodeid}: {NEEDS}: {error}") from None
        if why:
            found.append((name, why))
    item.stash[SKIPPED] = tuple(found)
    return "; ".join(f"API {target.at} has no {name}: {why}" for name, why in found)


def _arguments(item: pytest.Item, name: str, what: str) -> Iterator[str]:
    for mark in item.iter_markers(name):
        if mark.kwargs or not mark.args or not all(isinstance(each, str) for each in mark.args):
            raise pytest.UsageError(f"{item.nodeid}: {name}: expected {what}, as text")
        yield from mark.args
