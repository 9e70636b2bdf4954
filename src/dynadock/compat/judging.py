"""Exchanges that wait for being held against their document, when nothing else is to be done."""

from __future__ import annotations

from collections import OrderedDict, deque
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

from dynadock.compat.exchanges import LONGEST_KEPT
from dynadock.spec.kinds import KINDS
from dynadock.wire.json_values import JsonDecoder
from dynadock.wire.messages import FIRST_ERROR

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dynadock.compat.exchanges import Passed
    from dynadock.contract.deviations import Deviations
    from dynadock.contract.exchange import Exchange
    from dynadock.contract.finding import Finding
    from dynadock.spec.model import Operation

MOST_WAITING = 2_000
"""Exchanges; further ones are counted as unchecked."""

_MOST_REMEMBERED = 500
"""Exchanges whose findings are remembered, for those that are just the same."""

_LONGEST_TURN = 0.0005
"""Seconds without a pause for other threads."""

_JSON_STREAM = "JsonStream"

_TOO_MANY = "more came than could be looked at"


class Judge:
    """Takes exchanges, and finds out in its own time where they deviate.

    A program that polls sends the same over and over: what has been looked at once is not looked at
    again. ``deviations`` are those found so far.
    """

    def __init__(self) -> None:
        from dynadock.contract.deviations import Deviations

        self.deviations: Deviations = Deviations()
        self._waiting: deque[tuple[Passed, Operation]] = deque()
        self._known: OrderedDict[int, Sequence[Finding]] = OrderedDict()

    @property
    def is_behind(self) -> bool:
        """Whether so many wait that they should not wait any longer."""
        return len(self._waiting) > MOST_WAITING // 2

    @property
    def has_work(self) -> bool:
        """Whether anything waits."""
        return bool(self._waiting)

    def take(self, passed: Passed, operation: Operation) -> None:
        """Take an exchange; its bodies are dropped when it has been looked at."""
        if len(self._waiting) >= MOST_WAITING:
            self.deviations.note_unchecked(_TOO_MANY)
            passed.drop()
        else:
            self._waiting.append((passed, operation))

    def work(self, seconds: float) -> None:
        """Look at what waits, for some time."""
        begun = monotonic()
        end = begun + seconds
        while self._waiting and monotonic() < end:
            passed, operation = self._waiting.popleft()
            try:
                self._look_at(passed, operation)
            except Exception as error:  # noqa: BLE001 - one exchange's trouble is not the others'
                self.deviations.note_unchecked(f"{operation.operation_id}: {error!r}")
            finally:
                passed.drop()
            if monotonic() - begun > _LONGEST_TURN:
                # Whoever passes bytes on goes first.
                sleep(0)
                begun = monotonic()

    def _look_at(self, passed: Passed, operation: Operation) -> None:
        exchange = _exchange(passed, operation)
        reply = passed.reply_body
        key = hash(
            (
                operation.operation_id,
                operation.version,
                passed.target,
                passed.status,
                passed.request_headers.get("Content-Type"),
                exchange.content_type,
                exchange.request_body,
                None if reply is None else reply.beginning,
            )
        )
        found = self._known.get(key)
        if found is None:
            from dynadock.contract.checking import findings, findings_in_item

            found = findings(exchange, self.deviations.note_unchecked)
            if exchange.reply_body is None:
                for item in _items(passed, operation):
                    found += findings_in_item(operation, item)
            self._known[key] = found
            if len(self._known) > _MOST_REMEMBERED:
                self._known.popitem(last=False)
        self.deviations.add(found, exchange)


def _exchange(passed: Passed, operation: Operation) -> Exchange:
    from dynadock.contract.exchange import Exchange

    assert passed.status is not None
    reply = passed.reply_body
    is_read = reply is not None and passed.is_whole and not passed.took_over
    if is_read and reply is not None and not reply.size and _is_stream(operation):
        # A stream without a value is one.
        is_read = False
    return Exchange(
        operation,
        passed.target,
        request_headers=passed.request_headers,
        request_body=passed.request_body.data,
        status=passed.status,
        reply_headers=passed.reply_headers,
        reply_body=reply.data if reply is not None and is_read else None,
        milliseconds=passed.milliseconds,
    )


def _items(passed: Passed, operation: Operation) -> list[Any]:
    """Return the values of a stream of JSON that was left, or is longer than what is kept."""
    reply = passed.reply_body
    if reply is None or passed.took_over or not _is_stream(operation):
        return []
    if passed.status is None or passed.status >= FIRST_ERROR:
        return []
    return JsonDecoder(LONGEST_KEPT).feed(reply.beginning)


def _is_stream(operation: Operation) -> bool:
    return KINDS[operation.reply.kind].stream == _JSON_STREAM
