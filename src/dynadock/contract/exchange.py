"""A request and its reply: what is held against the document."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from dynadock.call.percent import unquote
from dynadock.contract.finding import shortened
from dynadock.secret import is_secret_name
from dynadock.wire.messages import Headers, Request

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dynadock.spec.model import Operation
    from dynadock.wire.messages import Reply

_LONGEST_TARGET = 200


class Exchange:
    """One request and its reply, complete or as far as they are known.

    ``target`` and the headers are as they were sent. A body is None where nobody has read it (a
    stream, an upload out of an iterator), and empty where there is none. ``milliseconds`` are from
    the first byte sent to the last one read, None where nobody has measured.
    """

    __slots__ = (
        "_shown_target",
        "milliseconds",
        "operation",
        "reply_body",
        "reply_headers",
        "request_body",
        "request_headers",
        "status",
        "target",
    )

    def __init__(
        self,
        operation: Operation,
        target: str,
        *,
        request_headers: Mapping[str, str],
        request_body: bytes | None,
        status: int,
        reply_headers: Mapping[str, str],
        reply_body: bytes | None,
        milliseconds: float | None = None,
    ) -> None:
        self.operation = operation
        self.target = target
        self.request_headers = request_headers
        self.request_body = request_body
        self.status = status
        self.reply_headers = reply_headers
        self.reply_body = reply_body
        self.milliseconds = milliseconds
        self._shown_target = ""

    @classmethod
    def of(
        cls,
        operation: Operation,
        request: Request,
        reply: Reply,
        milliseconds: float | None = None,
        *,
        is_read: bool = True,
    ) -> Exchange:
        """Make one of a request and its reply; without ``is_read`` its body is still to come."""
        target, headers = request.sent()
        sent = request.body
        body = b"" if sent is None else sent if isinstance(sent, bytes) else None
        return cls(
            operation,
            target,
            request_headers=headers,
            request_body=body,
            status=reply.status,
            reply_headers=reply.headers,
            reply_body=reply.body if is_read else None,
            milliseconds=milliseconds,
        )

    @property
    def content_type(self) -> str | None:
        """The reply's Content-Type, None if it names none."""
        found: str | None = Headers(self.reply_headers).get("Content-Type")
        return found

    @property
    def shown_target(self) -> str:
        """The target with its secrets masked, and shortened."""
        if not self._shown_target:
            operation = self.operation
            secrets = operation.secrets.union(_secret_names(self.target))
            request = Request(operation.method, self.target, {}, None, secrets)
            self._shown_target = shortened(request.shown_target, _LONGEST_TARGET)
        return self._shown_target

    @property
    def row(self) -> ExchangeRow:
        """What is kept of it."""
        operation = self.operation
        return ExchangeRow(
            operation.operation_id,
            str(operation.version),
            operation.method,
            self.shown_target,
            self.status,
            self.milliseconds,
        )

    def __str__(self) -> str:
        return f"{self.operation.method} {self.shown_target} -> {self.status}"

    def __repr__(self) -> str:
        # Bodies and headers may hold secrets.
        return f"<Exchange {self}>"


def _secret_names(target: str) -> Iterator[str]:
    """Yield the names of a query that are secret by themselves, whatever the document knows."""
    for pair in target.partition("?")[2].split("&"):
        name = unquote(pair.partition("=")[0])
        if is_secret_name(name):
            yield name


class ExchangeRow(NamedTuple):
    """An exchange as it is remembered: without headers and bodies, and with secrets masked."""

    operation_id: str
    version: str
    method: str
    target: str
    status: int
    milliseconds: float | None

    def __str__(self) -> str:
        return f"{self.method} {self.target} -> {self.status}"
