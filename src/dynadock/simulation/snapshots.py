"""Everything that an engine knows, kept at a moment and put back later, as often as wanted.

Files, logs and events are shared with what was kept until one of both changes them. What is under
way cannot be kept: programs begin anew when they are put back, and attached callers, waits and
execs have ended.
"""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dynadock.simulation.state.state import State


class Snapshot:
    """What an engine knew at a moment."""

    def __init__(self, state: State) -> None:
        with state.lock:
            state.settle()
            self.state = state
            self.moment = state.clock.now()
            self._stores = deepcopy(state.stores())

    def put_back(self) -> None:
        """Let the engine know what it knew, and nothing else; containers that ran run again.

        A manual clock shows the moment again. Ids that were drawn since are not drawn again.
        """
        state = self.state
        with state.lock:
            # What is due for them finds that they have ended; the rest belongs to calls under way.
            for container in state.containers:
                container.drop()
            state.clock.set_back(self.moment)
            stores: dict[str, Any] = deepcopy(self._stores)
            for name, store in stores.items():
                setattr(state, name, store)
            for container in state.containers:
                container.come_back()
            state.settle()
            state.notify()
