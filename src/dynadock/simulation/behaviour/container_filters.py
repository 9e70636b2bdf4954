"""The filters of lists of containers, one row each, with their real meaning."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from dynadock.simulation.behaviour.container_views import ports
from dynadock.simulation.behaviour.filters import check_names, fits_name, flag, has_labels
from dynadock.simulation.refusal import Refused, bad_request, server_error

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dynadock.simulation.behaviour.filters import Filters
    from dynadock.simulation.state.container import Container
    from dynadock.simulation.state.images import Image
    from dynadock.simulation.state.state import State

    Test = Callable[[Container], bool]

__all__ = ["chosen", "has_labels"]

_STATUSES = ("created", "running", "paused", "restarting", "removing", "exited", "dead")
_ENDED = ("dead", "exited")
_HEALTH = ("healthy", "none", "starting", "unhealthy")
_NUMBER = re.compile(r"[+-]?[0-9]{1,19}")
_LAST_PORT = 65535
_TOO_LONG = 10
"""Digits that no port has."""


def chosen(state: State, filters: Filters, *, takes_all: bool) -> list[Container]:
    """Return the containers that filters choose, the oldest first.

    Of one filter's values any may fit, of labels all must, of different filters all must. Refused
    for filters and values that engines do not know.
    """
    check_names(filters, (*_FILTERS, *_OF_PORTS, "isolation"))
    given = {name: wanted for name, wanted in filters.items() if wanted}
    tests = [test_of(state, given[name]) for name, test_of in _FILTERS.items() if name in given]
    if not _OF_PORTS.keys().isdisjoint(given):
        tests.append(_has_ports(given))
    takes_all = takes_all or "status" in given
    return [
        each
        for each in state.containers
        if (takes_all or each.is_running or each.status == "restarting")
        and all(test(each) for test in tests)
    ]


def _by_id(_state: State, wanted: list[str]) -> Test:
    return lambda container: any(container.id.startswith(text) for text in wanted)


def _by_name(_state: State, wanted: list[str]) -> Test:
    return lambda container: (
        fits_name(container.name, wanted) or fits_name(f"/{container.name}", wanted)
    )


def _by_label(_state: State, wanted: list[str]) -> Test:
    return lambda container: has_labels(container.labels, wanted)


def _by_status(_state: State, wanted: list[str]) -> Test:
    for status in wanted:
        if status not in _STATUSES:
            raise bad_request(f"invalid filter 'status={status}'")
    return lambda container: container.status in wanted


def _by_exit_code(_state: State, wanted: list[str]) -> Test:
    for text in wanted:
        if _NUMBER.fullmatch(text) is None:
            raise bad_request(
                f"invalid filter 'exited={text}': strconv.Atoi: parsing \"{text}\": invalid syntax"
            )
    codes = {int(text) for text in wanted}
    return lambda container: container.status in _ENDED and container.exit_code in codes


def _by_health(_state: State, wanted: list[str]) -> Test:
    for text in wanted:
        if text not in _HEALTH:
            raise bad_request(f"unrecognized filter value for health: {text}")
    return lambda container: (container.health.status or "none") in wanted


def _by_network(_state: State, wanted: list[str]) -> Test:
    return lambda container: any(
        name in wanted or any(endpoint.network_id.startswith(text) for text in wanted)
        for name, endpoint in container.endpoints.items()
    )


def _by_volume(_state: State, wanted: list[str]) -> Test:
    return lambda container: any(
        text in wanted
        for mount in container.mounts
        for text in (mount.volume and mount.volume.name, mount.destination, mount.source)
    )


def _by_image(state: State, wanted: list[str]) -> Test:
    wanted_ids = {image.id for image in map(_image_finder(state), wanted) if image is not None}

    def descends(container: Container) -> bool:
        image = container.image
        return image is not None and any(
            each.id in wanted_ids for each in (image, *state.images.parents(image))
        )

    return descends


def _image_finder(state: State) -> Callable[[str], Image | None]:
    def find(name: str) -> Image | None:
        try:
            return state.images.find(name)
        except Refused:
            return None

    return find


def _before(state: State, wanted: list[str]) -> Test:
    places = _places(state)
    end = places[[state.containers.find(name) for name in wanted][-1].id]
    return lambda container: places[container.id] < end


def _since(state: State, wanted: list[str]) -> Test:
    places = _places(state)
    begin = places[[state.containers.find(name) for name in wanted][-1].id]
    return lambda container: places[container.id] > begin


def _places(state: State) -> dict[str, int]:
    return {each.id: place for place, each in enumerate(state.containers)}


def _is_task(_state: State, wanted: list[str]) -> Test:
    asks_for_tasks = flag({"is-task": wanted}, "is-task")
    return lambda _container: not asks_for_tasks


_FILTERS: Mapping[str, Callable[[State, list[str]], Test]] = {
    "exited": _by_exit_code,
    "status": _by_status,
    "is-task": _is_task,
    "health": _by_health,
    "before": _before,
    "since": _since,
    "ancestor": _by_image,
    "id": _by_id,
    "label": _by_label,
    "name": _by_name,
    "network": _by_network,
    "volume": _by_volume,
}
"""In the order in which engines look at them, and refuse one (26.1)."""

_OF_PORTS = {"expose": "PrivatePort", "publish": "PublicPort"}
"""Filters by ports, and which of a port's two numbers they look at: either is enough (26.1)."""


class _Ports(NamedTuple):
    """A range of ports of one protocol."""

    first: int
    last: int
    protocol: str

    def has(self, number: int, protocol: str) -> bool:
        return self.protocol == protocol and self.first <= number <= self.last


def _has_ports(filters: Filters) -> Test:
    wanted = [
        (key, _range(name, text))
        for name, key in _OF_PORTS.items()
        for text in filters.get(name, ())
    ]
    return lambda container: any(
        of_range.has(port.get(key, 0), port["Type"])
        for port in ports(container)
        for key, of_range in wanted
    )


def _range(name: str, text: str) -> _Ports:
    try:
        return _range_in(text)
    except ValueError as error:
        raise server_error(f"error while looking up for {name} {text}: {error}") from None


def _range_in(text: str) -> _Ports:
    numbers, _, protocol = text.partition("/")
    first, dash, last = numbers.partition("-")
    if not numbers:
        raise ValueError("Empty string specified for ports.")
    found = _Ports(_port(first), _port(last if dash else first), protocol or "tcp")
    if found.last < found.first:
        raise ValueError(f"Invalid range specified for the Port: {numbers}")
    return found


def _port(text: str) -> int:
    is_number = text.isascii() and text.isdecimal()
    if is_number and len(text) < _TOO_LONG and int(text) <= _LAST_PORT:
        return int(text)
    problem = "value out of range" if is_number else "invalid syntax"
    raise ValueError(f'strconv.ParseUint: parsing "{text}": {problem}')
