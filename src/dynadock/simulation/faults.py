"""What goes wrong on purpose: refusals, errors inside streams, delays, broken and slow connections.

A fault is planned for an operation and meets the calls of it that come next. It says what becomes
of a call; the bytes of its reply are damaged by whoever carries them, through a `Damage`.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from dynadock.call.values import compact_json
from dynadock.simulation.clock import SECOND

if TYPE_CHECKING:
    from collections.abc import Callable

    from dynadock.simulation.answers import Answer
    from dynadock.simulation.calls import Call
    from dynadock.simulation.clock import Clock, Timer
    from dynadock.simulation.replies import Source
    from dynadock.simulation.state.state import State


class PlannedFault:
    """One fault: which calls it meets, and what it does to them.

    It meets calls of ``operation_id`` for which ``when`` is true, ``times`` of them, or all if that
    is None. ``delay`` are seconds of the engine's clock before anything is done. With a ``status``
    nothing is done at all. ``after_values`` is the number of values of a stream before an error
    ends it. ``cut`` is the number of bytes of the reply after which the connection ends, ``slow``
    how many of them come in a second. With ``goes`` the engine is gone from then on.
    """

    def __init__(
        self,
        state: State,
        operation_id: str,
        *,
        status: int = 0,
        message: str = "",
        delay: float = 0,
        after_values: int | None = None,
        cut: int | None = None,
        slow: float | None = None,
        goes: bool = False,
        times: int | None = None,
        when: Callable[[Call], object] | None = None,
    ) -> None:
        self.operation_id = operation_id
        self.status = status
        self.message = message
        self.delay = delay
        self.after_values = after_values
        self.cut = cut
        self.slow = slow
        self.goes = goes
        self.left = times
        self.met = 0
        self._state = state
        self._when = when

    def meets(self, call: Call) -> bool:
        """Tell whether it meets a call, and count that."""
        if call.operation_id != self.operation_id or self.left == 0:
            return False
        if self._when is not None and not self._when(call):
            return False
        self.met += 1
        if self.left is not None:
            self.left -= 1
        return True

    def waiting(self) -> Callable[[], bool] | None:
        """Begin the delay, and return what tells whether it is over; None without one."""
        if not self.delay:
            return None
        clock = self._state.clock
        end = clock.now() + int(self.delay * SECOND)
        # So that whoever waits wakes at that moment.
        clock.at(end, self._state.notify)
        return lambda: clock.now() >= end

    def changed(self, answer: Answer) -> Answer:
        """Return what becomes of an answer."""
        if self.after_values is not None and answer.source is not None:
            answer = answer._replace(
                source=FailingSource(answer.source, self.after_values, self.message)
            )
        if self.cut is not None or self.slow is not None:
            return answer._replace(damage=Damage(self._state.clock, self.cut, self.slow))
        return answer


class Faults:
    """An engine's planned faults; of several that meet a call the first counts."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._planned: list[PlannedFault] = []

    def plan(self, operation_id: str, **what: Any) -> PlannedFault:
        """Plan a fault; see `PlannedFault`."""
        made = PlannedFault(self._state, operation_id, **what)
        self._planned.append(made)
        return made

    def remove(self, planned: PlannedFault) -> None:
        """Let a fault meet no more calls; nothing happens if it is removed already."""
        if planned in self._planned:
            self._planned.remove(planned)

    def clear(self) -> None:
        """Let everything go well again."""
        self._planned.clear()

    def of(self, call: Call) -> PlannedFault | None:
        """Return the fault that meets a call, None if all goes well."""
        for each in self._planned:
            if each.meets(call):
                return each
        return None


class FailingSource:
    """A stream of JSON values that an error ends, after so many of them."""

    def __init__(self, source: Source, values: int, message: str) -> None:
        self._source = source
        self._left = values
        self._error = {"errorDetail": {"message": message}, "error": message}
        self._lines: deque[bytes] = deque()
        self._is_over = False

    def take(self) -> bytes | None:
        """Return the next value, the error behind the last one, none at the end."""
        if self._is_over:
            return b""
        if self._left and not self._lines:
            came = self._source.take()
            if came is None:
                return None
            self._lines += came.splitlines(keepends=True)
        if self._left and self._lines:
            self._left -= 1
            return self._lines.popleft()
        self._is_over = True
        self._source.leave()
        return compact_json(self._error).encode() + b"\r\n"

    def leave(self) -> None:
        """Draw no more."""
        self._is_over = True
        self._source.leave()


class Damage:
    """The way of one reply's bytes: put in as they would be sent, taken as they get through.

    ``cut`` is the number of bytes that get through before the connection has to be closed, ``slow``
    how many do in a second of the engine's clock. Both methods are called under the engine's lock.
    """

    def __init__(self, clock: Clock, cut: int | None, slow: float | None) -> None:
        self._clock = clock
        self._cut = cut
        self._slow = slow
        self._waiting = bytearray()
        self._passed = 0
        self._began = clock.now()
        self._timer: Timer | None = None

    @property
    def is_cut(self) -> bool:
        """Whether the connection has to be closed, as nothing more gets through."""
        return self._passed == self._cut

    def put(self, data: bytes) -> None:
        """Give it bytes of the reply."""
        self._waiting += data

    def take(self) -> bytes | None:
        """Return what gets through, nothing if nothing is left, None if that takes more time."""
        count = len(self._waiting)
        if self._cut is not None:
            count = min(count, self._cut - self._passed)
        if count and self._slow is not None:
            count = min(count, self._allowed(self._slow))
            if not count:
                return None
        data = bytes(self._waiting[:count])
        del self._waiting[:count]
        self._passed += count
        return data

    def _allowed(self, rate: float) -> int:
        """Return how many bytes may pass now; if none, somebody is woken when one may."""
        allowed = int((self._clock.now() - self._began) * rate / SECOND) - self._passed
        if allowed <= 0 and (self._timer is None or self._timer.is_cancelled):
            due = self._began + int((self._passed + 1) * SECOND / rate) + 1
            self._timer = self._clock.at(due, lambda: None)
        return max(allowed, 0)
