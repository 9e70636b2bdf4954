"""The time of an embedded engine, in seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dynadock.simulation.clock import SECOND

if TYPE_CHECKING:
    from dynadock.simulation.state.state import State


class EngineClock:
    """An engine's clock: the computer's, or one that stands still until it is moved."""

    def __init__(self, state: State) -> None:
        self._state = state

    @property
    def is_manual(self) -> bool:
        """Whether it stands still until `advance` moves it."""
        return self._state.clock.is_manual

    def now(self) -> float:
        """Return its time, in seconds since the epoch as `time.time` has them."""
        return self._state.clock.now() / SECOND

    def advance(self, seconds: float) -> None:
        """Put it forward; what becomes due on the way is done, each thing at its own moment.

        Raises ValueError for a negative number of seconds.
        """
        self._state.advance(seconds)

    def __repr__(self) -> str:
        kind = "manual" if self.is_manual else "real"
        return f"<{kind} clock at {self.now():.3f}>"
