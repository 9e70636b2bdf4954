"""What has happened: the engine's events, the newest of which are kept."""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dynadock.simulation.state.state import State

MOST_KEPT = 1024
"""Events that a reader may be behind; what it has not taken by then, it never gets."""

BACKLOG = 256
"""Events that can be asked for afterwards (seen on 26.1)."""


class Event(NamedTuple):
    """One event: when, of which type, what happened to whom, and what is to be known of it."""

    moment: int
    type: str
    action: str
    actor: str
    attributes: dict[str, str]
    scope: str = "local"


class Events:
    """An engine's events in their order, numbered from 0 on.

    ``end`` is the number of the next one, ``readers`` how many wait for it.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self._kept: deque[Event] = deque(maxlen=MOST_KEPT)
        self.end = 0
        self.readers = 0

    @property
    def backlog(self) -> int:
        """The number of the oldest event that can be asked for afterwards."""
        return self.end - min(len(self._kept), BACKLOG)

    def add(self, kind: str, action: str, actor: str, attributes: dict[str, Any]) -> None:
        """Note that something happened just now."""
        texts = {name: str(value) for name, value in attributes.items()}
        self._kept.append(Event(self._state.clock.now(), kind, action, actor, texts))
        self.end += 1
        self._state.notify()

    def since(self, number: int) -> Iterator[tuple[int, Event]]:
        """Yield the events from a number on with their numbers, as far as they are kept.

        Whoever reads on after something has happened has to ask again.
        """
        oldest = self.end - len(self._kept)
        begin = max(number, oldest)
        behind = self.end - begin
        newest = islice(reversed(self._kept), behind)
        return zip(range(begin, self.end), reversed([*newest]), strict=True)

    def __deepcopy__(self, _memo: object) -> Events:
        """Return events of their own, of the same engine; what has happened is shared."""
        made = Events(self._state)
        made._kept = self._kept.copy()
        made.end = self.end
        return made
