"""What deviated in many exchanges, grouped by definition and field, in bounded memory."""

from __future__ import annotations

import json
import os
import threading
import weakref
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, overload

from dynadock.contract.finding import REQUEST, said
from dynadock.contracts import CLASSES, FAILING, Contract

if TYPE_CHECKING:
    from rich.console import Group

    from dynadock.contract.exchange import Exchange, ExchangeRow
    from dynadock.contract.finding import Finding
    from dynadock.contracts import Allowed

MOST_KEPT = 2_000
"""Groups of deviations; an engine that answers otherwise all over has some hundred."""

MOST_EXCHANGES = 1_000
"""Exchanges that are remembered, the newest ones."""

_MOST_CALLS = 20_000
_MOST_SHOWN = 30

_RECORD = Contract()


class Deviation:
    """Findings of one kind about one field, of one definition where it has one.

    ``kind``, ``version``, ``part``, ``place``, ``definition``, ``field``, ``expected``, ``got`` and
    ``since`` are those of the first such `Finding`. ``operations`` maps the operationIds to the
    place in each, ``count`` says how often it came, ``first`` is the first exchange that had it
    (``GET /v1.42/containers/json -> 200``), ``allowed`` why the caller allows it, empty otherwise.
    """

    __slots__ = (
        "allowed",
        "count",
        "definition",
        "expected",
        "field",
        "first",
        "got",
        "home",
        "kind",
        "operations",
        "part",
        "place",
        "since",
        "version",
    )

    def __init__(self, finding: Finding, first: str, allowed: str = "") -> None:
        self.kind = finding.kind
        self.version = finding.version
        self.part = finding.part
        self.place = finding.place
        self.definition = finding.definition
        self.field = finding.field
        self.home = finding.home
        self.expected = finding.expected
        self.got = finding.got
        self.since = finding.since
        self.operations: dict[str, str] = {}
        self.count = 0
        self.first = first
        self.allowed = allowed

    @property
    def is_failing(self) -> bool:
        """Whether it is of a class that fails, and nobody allows it."""
        return self.kind in FAILING and not self.allowed

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        made = {name: getattr(self, name) for name in self.__slots__ if name != "home"}
        made["operations"] = dict(self.operations)
        return dict(sorted(made.items()))

    @property
    def words(self) -> str:
        """It as a line, without the operations that have it."""
        part = f"{REQUEST}, " if self.part == REQUEST else ""
        return f"{part}{self.home or self.place or 'body'}: {said(self)}"

    def __str__(self) -> str:
        return f"{self.kind}: {self.words}"

    def __repr__(self) -> str:
        return f"<Deviation {self}>"


class Deviations(Sequence[Deviation]):
    """What an engine answered, and was asked, that its document says otherwise.

    A sequence of `Deviation`, in the order in which they came. ``exchanges`` are the newest that
    were looked at, ``calls`` count all of them by operationId, version and status, ``unchecked``
    counts what could not be looked at, by the reason.

    ``engine`` is what the engine calls itself, if it has.
    Memory is bounded: after `MOST_KEPT` groups, ``left_out`` counts the further findings.
    """

    def __init__(self, kept: Iterable[Deviation] = (), *, is_part: bool = False) -> None:
        self._groups: dict[Any, Deviation] = {}
        for each in kept:
            self._groups[len(self._groups)] = each
        self._is_part = is_part
        self._lock = threading.Lock()
        self._rows: dict[Allowed, int] = {}
        self.exchanges: deque[ExchangeRow] = deque(maxlen=MOST_EXCHANGES)
        self.calls: Counter[tuple[str, str, int]] = Counter()
        self.unchecked: Counter[str] = Counter()
        self.left_out = 0
        self.engine = ""
        _ALL.add(self)

    def add(
        self,
        findings: Iterable[Finding],
        exchange: Exchange,
        contract: Contract = _RECORD,
        engine: str = "",
    ) -> list[Finding]:
        """Take an exchange and what was found in it; return the findings that the contract takes.

        ``engine`` is what the engine calls itself.
        """
        self.note(exchange)
        return self.take(findings, exchange, contract, engine)

    def note(self, exchange: Exchange) -> None:
        """Remember an exchange."""
        row = exchange.row
        key = (row.operation_id, row.version, row.status)
        with self._lock:
            self.exchanges.append(row)
            if key in self.calls or len(self.calls) < _MOST_CALLS:
                self.calls[key] += 1

    def take(
        self,
        findings: Iterable[Finding],
        exchange: Exchange | None = None,
        contract: Contract = _RECORD,
        engine: str = "",
    ) -> list[Finding]:
        """Take what was found, in an exchange that is noted already or in a value.

        Returns the findings that the contract takes.
        """
        taken: list[Finding] = []
        # Some replies of an engine do not say whose they are: Podman's router's 404.
        self.engine = engine = engine or self.engine
        with self._lock:
            for each in contract.allowed:
                self._rows.setdefault(each, 0)
            for finding in findings:
                known = contract.why(finding, engine)
                if known is not None:
                    self._rows[known] += 1
                self._put(finding, exchange, known.why if known else "")
                if known is None and finding.kind in contract.classes:
                    taken.append(finding)
        return taken

    def _put(self, finding: Finding, exchange: Exchange | None, why: str) -> None:
        # By the field alone where a definition has it; else the operation's own place.
        where = finding.home or f"{finding.operation_id} {finding.place}"
        key = (finding.kind, finding.version, finding.part, where, finding.since, why)
        group = self._groups.get(key)
        if group is None:
            if len(self._groups) >= MOST_KEPT:
                self.left_out += 1
                return
            group = self._groups[key] = Deviation(finding, str(exchange or "a value"), why)
        group.count += 1
        group.operations.setdefault(finding.operation_id, finding.place)

    def note_unchecked(self, reason: str) -> None:
        """Count what could not be looked at."""
        with self._lock:
            if reason in self.unchecked or len(self.unchecked) < MOST_EXCHANGES:
                self.unchecked[reason] += 1

    @overload
    def __getitem__(self, place: int) -> Deviation: ...

    @overload
    def __getitem__(self, place: slice) -> Deviations: ...

    def __getitem__(self, place: int | slice) -> Deviation | Deviations:
        kept = self._kept()
        return self._part(kept[place]) if isinstance(place, slice) else kept[place]

    def __len__(self) -> int:
        return len(self._groups)

    def __iter__(self) -> Iterator[Deviation]:
        return iter(self._kept())

    def _kept(self) -> list[Deviation]:
        with self._lock:
            return [*self._groups.values()]

    @property
    def is_part(self) -> bool:
        """Whether these are chosen out of others, so that all of them are to be shown."""
        return self._is_part

    def _part(self, kept: Iterable[Deviation]) -> Deviations:
        return Deviations(kept, is_part=True)

    def of(self, kind: str) -> Deviations:
        """Return those of one class; ValueError if there is no such class."""
        if kind not in CLASSES:
            raise ValueError(f"there is no class {kind!r} of deviations; {', '.join(CLASSES)}")
        return self._part(each for each in self if each.kind == kind)

    @property
    def failing(self) -> Deviations:
        """Those of the classes that fail (`dynadock.contracts.FAILING`), and that nobody allows."""
        return self._part(each for each in self if each.is_failing)

    @property
    def counts(self) -> Counter[str]:
        """How many there are of each class, counting one that operations share once."""
        found = Counter(each.kind for each in self)
        return Counter({kind: found[kind] for kind in CLASSES})

    def unmet(self) -> tuple[Allowed, ...]:
        """Return the rows of contracts' ``allow`` that nothing has met so far."""
        with self._lock:
            return tuple(row for row, count in self._rows.items() if not count)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._groups.clear()
            self._rows.clear()
            self.exchanges.clear()
            self.calls.clear()
            self.unchecked.clear()
            self.left_out = 0

    def as_dict(self) -> dict[str, Any]:
        """Return them as plain values, for JSON and the like."""
        return {
            "counts": dict(self.counts),
            "deviations": [each.as_dict() for each in self],
            "exchanges": self.calls.total(),
            "left_out": self.left_out,
            "unchecked": dict(self.unchecked),
            "unmet": [str(row) for row in self.unmet()],
        }

    def json(self) -> str:
        """Return them as JSON, without secrets."""
        return json.dumps(self.as_dict(), indent=2, ensure_ascii=False)

    def __repr__(self) -> str:
        from dynadock.contract.shown import text_of

        return text_of(self)

    def __rich__(self) -> Group:
        from dynadock.contract.shown import rich_of

        return rich_of(self)

    def _repr_html_(self) -> str:
        from dynadock.contract.shown import html_of

        return html_of(self)

    def __reduce__(self) -> tuple[Any, ...]:
        return (Deviations, (), {"kept": self._kept()})

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._groups = dict(enumerate(state["kept"]))


_ALL: weakref.WeakSet[Deviations] = weakref.WeakSet()


def _renew_locks() -> None:
    """Give a child of fork locks that no thread of its parent holds."""
    for each in [*_ALL]:
        each._lock = threading.Lock()  # noqa: SLF001 - of this module's own


# Windows has no fork.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_locks)
