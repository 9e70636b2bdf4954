"""What happens in the engine, told to whoever listens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dynadock.call.values import compact_json
from dynadock.simulation.behaviour.facts import facts
from dynadock.simulation.behaviour.filters import has_labels
from dynadock.simulation.behaviour.table import behaviour
from dynadock.simulation.clock import SECOND
from dynadock.simulation.refusal import bad_request
from dynadock.simulation.replies import JSON, Streaming

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dynadock.simulation.asked import Asked
    from dynadock.simulation.state.events import Event
    from dynadock.simulation.state.state import State

_BLOCK = 64 * 1024


@behaviour
def SystemEvents(state: State, asked: Asked) -> Any:
    """Everything that happens, by every filter; with since or until also the last 256 events."""
    since, until = asked.get("since") or 0, asked.get("until") or 0
    if since and until and since > until:
        raise bad_request(
            f"`since` time ({_in_seconds(since)}) cannot be after `until` time"
            f" ({_in_seconds(until)})"
        )
    return Streaming(EventSource(state, asked, since, until), _media_type(asked))


def _in_seconds(moment: int) -> str:
    seconds, fraction = divmod(moment, SECOND)
    return f"{seconds}.{fraction:09d}".rstrip("0").rstrip(".")


def _media_type(asked: Asked) -> str:
    """Return the type of lines of JSON that is asked for by name, else the one of ever before."""
    accepted = asked.headers.get("Accept") or ""
    known = (each for each in asked.operation.reply.media_types if not each.endswith("seq"))
    return next((each for each in known if each in accepted), JSON)


class EventSource:
    """Events as lines of JSON, each as soon as it has happened.

    It holds no events: who reads too slowly misses some, as on engines.
    """

    def __init__(self, state: State, asked: Asked, since: int, until: int) -> None:
        self._state = state
        self._events = state.events
        self._filters = asked.filters
        known = facts("Event", asked.operation.version)
        self._has_old_fields = known["has_old_fields"]
        self._goes_on = known["actions_that_go_on"]
        self._since = since
        self._until = until
        self._next = self._events.backlog if since or until else self._events.end
        self._is_left = False
        self._events.readers += 1
        self._timer = state.clock.at(until, state.notify) if until else None

    def take(self) -> bytes | None:
        """Return the next events, none at the end, None if nothing more has happened yet."""
        if self._is_left:
            return b""
        lines = self._lines()
        if lines:
            return lines
        if self._until and self._state.clock.now() >= self._until:
            self.leave()
            return b""
        return None

    def _lines(self) -> bytes:
        lines: list[bytes] = []
        size = 0
        for number, event in self._events.since(self._next):
            self._next = number + 1
            if self._is_wanted(event):
                lines.append(compact_json(self._shown(event)).encode() + b"\n")
                size += len(lines[-1])
            if size >= _BLOCK:
                break
        return b"".join(lines)

    def _is_wanted(self, event: Event) -> bool:
        if event.moment < self._since or (self._until and event.moment > self._until):
            return False
        return all(
            self._has_action(event, wanted) if name == "event" else _FILTERS[name](event, wanted)
            for name, wanted in self._filters.items()
            if wanted and (name == "event" or name in _FILTERS)
        )

    def _has_action(self, event: Event, wanted: list[str]) -> bool:
        """Tell whether an action is wanted; with one that goes on, beginnings are enough (26.1)."""
        if not any(text in self._goes_on for text in wanted):
            return event.action in wanted
        return any(event.action.startswith(text) for text in wanted)

    def _shown(self, event: Event) -> dict[str, Any]:
        shown: dict[str, Any] = {}
        if self._has_old_fields and event.type in ("container", "image"):
            image = event.attributes.get("image") if event.type == "container" else None
            old = {"status": event.action, "id": event.actor, "from": image}
            shown |= {name: value for name, value in old.items() if value}
        return shown | {
            "Type": event.type,
            "Action": event.action,
            "Actor": {"ID": event.actor, "Attributes": event.attributes},
            "scope": event.scope,
            "time": event.moment // SECOND,
            "timeNano": event.moment,
        }

    def leave(self) -> None:
        """Listen no more; may be called again."""
        if not self._is_left:
            self._is_left = True
            self._events.readers -= 1
            if self._timer is not None:
                self._timer.cancel()


def _is_of(event: Event, wanted: list[str]) -> bool:
    """Tell whether an event's actor is meant, by a beginning of its id or name, whatever it is."""
    names = event.actor, event.attributes.get("name", "")
    return any(name.startswith(text) for text in wanted for name in names)


def _is_of_image(event: Event, wanted: list[str]) -> bool:
    attribute = "name" if event.type == "image" else "image"
    names = event.actor, event.attributes.get(attribute, "")
    return any(name and (name in wanted or _without_tag(name) in wanted) for name in names)


def _without_tag(name: str) -> str:
    repository, colon, tag = name.rpartition(":")
    return repository if colon and "/" not in tag else name


_FILTERS: Mapping[str, Callable[[Event, list[str]], bool]] = {
    "type": lambda event, wanted: event.type in wanted,
    "scope": lambda event, wanted: event.scope in wanted,
    "label": lambda event, wanted: has_labels(event.attributes, wanted),
    "image": _is_of_image,
    **dict.fromkeys(
        (
            *("config", "container", "daemon", "network", "node", "plugin", "secret"),
            *("service", "volume"),
        ),
        _is_of,
    ),
}
"""What each filter takes; engines let unknown ones pass (26.1)."""
