"""What is kept of the exchanges that passed: rows without secrets, and counts; bounded."""

from __future__ import annotations

from collections import Counter, deque
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

from dynadock.compat.judging import Judge
from dynadock.compat.masking import masked_request
from dynadock.compat.recognition import Recogniser
from dynadock.errors import MalformedStream
from dynadock.simulation.routes import read_target

if TYPE_CHECKING:
    from dynadock.compat.exchanges import Passed
    from dynadock.compat.recording import Recorder
    from dynadock.compat.usage import Usage
    from dynadock.spec.model import Operation

MOST_EXCHANGES = 1_000
"""Rows that are kept, the newest ones; all are counted."""

MOST_KINDS = 500
"""Kinds of requests that are no operation, which are counted apart."""

LONGEST_TARGET = 300
"""Characters of a target that are kept."""


class WatchedExchange(NamedTuple):
    """A request that passed and its reply; ``target`` shows no secret.

    ``operation_id`` and ``version`` (of the document that was looked at) are empty where it is no
    operation, and ``fault`` says why, or what broke. ``status`` is None if no reply came. ``sent``
    and ``received`` are bytes of bodies, and of what followed an upgrade.
    """

    operation_id: str
    version: str
    method: str
    target: str
    status: int | None
    milliseconds: float | None
    sent: int
    received: int
    connection: int
    took_over: bool = False
    fault: str = ""

    def __str__(self) -> str:
        return f"{self.method} {self.target} -> {self.status or 'no reply'}"


class Notebook:
    """Everything that is known of what passed; several threads may look at it.

    ``operations`` count exchanges by operationId, version and status; ``asked`` requests by the
    version in their paths, empty for none; ``unrecognised`` those that are no operation, by method,
    path and why; ``spoken`` is the newest version that the engine says it speaks, ``server`` what
    it calls itself.
    """

    def __init__(self, usage: Usage, pinned: str = "", recorder: Recorder | None = None) -> None:
        self.exchanges: deque[WatchedExchange] = deque(maxlen=MOST_EXCHANGES)
        self.operations: Counter[tuple[str, str, int | None]] = Counter()
        self.asked: Counter[str] = Counter()
        self.unrecognised: Counter[tuple[str, str, str]] = Counter()
        self.broken = 0
        self.sent = 0
        self.received = 0
        self.total = 0
        self.spoken = ""
        self.server = ""
        self.usage = usage
        self.judge = Judge()
        self._pinned = pinned
        self._recorder = recorder
        self._recogniser = Recogniser()
        self._lock = Lock()

    def note(self, passed: Passed) -> None:
        """Keep what there is to be known of an exchange."""
        spoken = passed.reply_headers.get("Api-Version", "")
        found = self._recogniser.find(passed.method, passed.target, self._pinned or spoken)
        operation = found.operation
        request = masked_request(passed.method, passed.target, passed.request_headers, operation)
        row = _row(passed, operation, request.shown_target, found.why)
        with self._lock:
            self.spoken = spoken or self.spoken
            self.server = passed.reply_headers.get("Server", "") or self.server
            self._count(row, passed, found.why)
        if self._recorder is not None:
            self._recorder.write(passed, operation, request)
        if passed.status is not None and not passed.fault:
            self._use(passed, operation)
        if operation is None or passed.status is None or passed.fault:
            passed.drop()
        else:
            self.judge.take(passed, operation)

    def _count(self, row: WatchedExchange, passed: Passed, why: str) -> None:
        self.exchanges.append(row)
        self.total += 1
        self.sent += row.sent
        self.received += row.received
        self.broken += bool(passed.fault)
        version = _version_in(passed.target)
        if version in self.asked or len(self.asked) < MOST_KINDS:
            self.asked[version] += 1
        if row.operation_id:
            self.operations[row.operation_id, row.version, row.status] += 1
        else:
            self._count_unrecognised(row.method, row.target.partition("?")[0], why)

    def _count_unrecognised(self, method: str, path: str, why: str) -> None:
        key = (method, path, why)
        if key not in self.unrecognised and len(self.unrecognised) >= MOST_KINDS:
            key = ("", "", "others")
        self.unrecognised[key] += 1

    def note_noise(self, why: str) -> None:
        """Count a connection, or the rest of one, that is no HTTP."""
        with self._lock:
            self._count_unrecognised("", "", why)

    def _use(self, passed: Passed, operation: Operation | None) -> None:
        target = passed.target
        if operation is not None and self._pinned and not _version_in(target):
            target = f"/v{self._pinned}{target}"
        body = passed.request_body.data
        self.usage.add(passed.method, target, passed.request_headers, body, passed.status)

    def as_dict(self) -> dict[str, Any]:
        """Return what is kept as plain values, but for usage and deviations."""
        with self._lock:
            operations: dict[tuple[str, str], dict[str, Any]] = {}
            for (name, version, status), count in sorted(self.operations.items(), key=str):
                row = operations.setdefault(
                    (name, version),
                    {"operation": name, "version": version, "count": 0, "statuses": {}},
                )
                row["count"] += count
                row["statuses"][str(status or "no reply")] = count
            return {
                "requests": self.total,
                "broken": self.broken,
                "bytes": {"sent": self.sent, "received": self.received},
                "engine": {"server": self.server, "newest": self.spoken},
                "versions": dict(sorted(self.asked.items())),
                "operations": [operations[key] for key in sorted(operations)],
                "unrecognised": [
                    {"method": method, "path": path, "why": why, "count": count}
                    for (method, path, why), count in sorted(self.unrecognised.items())
                ],
                "exchanges": [each._asdict() for each in self.exchanges],
            }

    def newest_exchanges(self) -> list[WatchedExchange]:
        """Return the rows that are kept."""
        with self._lock:
            return [*self.exchanges]


def _row(passed: Passed, operation: Operation | None, target: str, why: str) -> WatchedExchange:
    received = 0 if passed.reply_body is None else passed.reply_body.size
    time = passed.milliseconds
    return WatchedExchange(
        "" if operation is None else operation.operation_id,
        "" if operation is None else str(operation.version),
        passed.method,
        target[:LONGEST_TARGET],
        passed.status,
        None if time is None else round(time, 3),
        passed.request_body.size + passed.sent_after,
        received,
        passed.connection,
        passed.took_over,
        passed.fault or why,
    )


def _version_in(target: str) -> str:
    try:
        return read_target(target).version
    except MalformedStream:
        return ""
