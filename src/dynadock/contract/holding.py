"""One call's exchange, held against its document: recorded, warned of or raised."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any

from dynadock.contract.checking import findings, findings_in_item
from dynadock.contract.exchange import Exchange
from dynadock.contracts import OFF
from dynadock.errors import APIError, ContractError, ContractWarning
from dynadock.show.counts import counted
from dynadock.warn import warn_caller
from dynadock.wire.messages import Headers, Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dynadock.contract.deviations import Deviations
    from dynadock.contract.finding import Finding
    from dynadock.contracts import Contract
    from dynadock.spec.model import Operation
    from dynadock.wire.messages import Request

_MOST_TOLD = 20
"""Findings that an error or a warning lists."""

_MOST_HELD = 200
"""Findings of a stream that are held until its end, to be told then."""


class Holding:
    """An exchange under way: made when its request is sent."""

    def __init__(
        self, contract: Contract, deviations: Deviations, operation: Operation, request: Request
    ) -> None:
        self._contract = contract
        self._deviations = deviations
        self._operation = operation
        self._request = request
        self._begun = perf_counter()
        self._engine = ""
        self._exchange: Exchange | None = None
        self._held: dict[tuple[str, ...], Finding] = {}

    def result(self, reply: Reply, read: Callable[[], Any]) -> Any:
        """Look at a whole reply, and return what ``read`` makes of it, or raise what it raises.

        Raises ContractError instead, if the contract wants that.
        """
        taken = self._look(reply, is_read=True)
        try:
            value = read()
        except APIError as error:
            self._tell(taken, cause=error)
            raise
        self._tell(taken, value)
        return value

    def begin(self, status: int, headers: Mapping[str, str], *, tells: bool) -> None:
        """Look at the head of a reply that is not read here.

        With ``tells`` nothing more is looked at, else `item` and `end` follow.
        """
        taken = self._look(Reply(status, headers, b""), is_read=False)
        if tells:
            self._tell(taken)
        else:
            self._hold(taken)

    def item(self, value: Any) -> None:
        """Look at a value of a stream."""
        found = findings_in_item(self._operation, value)
        if found:
            self._hold(self._deviations.take(found, self._exchange, self._contract, self._engine))

    def end(self, value: Any = None) -> None:
        """Tell what has been found in a stream that has come to its end."""
        taken = [*self._held.values()]
        self._held.clear()
        self._tell(taken, value)

    def _hold(self, taken: list[Finding]) -> None:
        for each in taken:
            if len(self._held) < _MOST_HELD:
                self._held.setdefault((each.kind, each.part, each.place), each)

    def _look(self, reply: Reply, *, is_read: bool) -> list[Finding]:
        milliseconds = round((perf_counter() - self._begun) * 1000, 3)
        operation, request = self._operation, self._request
        self._exchange = Exchange.of(operation, request, reply, milliseconds, is_read=is_read)
        self._engine = Headers(reply.headers).get("Server") or ""
        found = findings(self._exchange, self._deviations.note_unchecked)
        self._deviations.note(self._exchange)
        return self._deviations.take(found, self._exchange, self._contract, self._engine)

    def _tell(
        self, taken: list[Finding], value: Any = None, *, cause: APIError | None = None
    ) -> None:
        """Warn or raise, if there is anything to tell and the contract wants that."""
        if not taken or self._contract.mode in (OFF, "record"):
            return
        if self._contract.mode == "warn":
            warn_caller(self._words(taken, most=1), ContractWarning)
            return
        raise ContractError(self._words(taken, _MOST_TOLD), taken, value) from cause

    def _words(self, taken: list[Finding], most: int) -> str:
        operation = self._operation
        call = f"{operation.operation_id} (API {operation.version})"
        engine = f" by {self._engine}" if self._engine else ""
        how_many = f"{counted(len(taken), 'deviation')} from the document"
        lines = [f"{each.words} ({each.kind})" for each in taken[:most]]
        if len(taken) > most:
            lines.append(f"… {len(taken) - most} more")
        if most == 1:
            return f"{call}: {how_many}{engine}: {'; '.join(lines)}; client.deviations has all"
        lines.append(
            "(what is known may be allowed: contract=Contract('raise', allow=[{'to': …,"
            " 'place': …, 'why': …}]); contract='record' only keeps them)"
        )
        return "\n  ".join([f"{call}: {how_many}{engine}", *lines])


def holding_of(
    option: Any, deviations: Deviations, operation: Operation, request: Request
) -> Holding | None:
    """Return what holds a call's exchange, None if the option's value wants nothing held."""
    from dynadock.contracts import contract_of

    contract = contract_of(option)
    return None if contract is None else Holding(contract, deviations, operation, request)
