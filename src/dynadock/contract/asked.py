"""Values that somebody has, held against the document when they ask for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dynadock.contract.deviations import Deviations
from dynadock.contract.exchange import Exchange
from dynadock.contract.finding import REPLY
from dynadock.contract.looking import Look
from dynadock.contract.replies import findings_in_reply, look_at_item, look_at_value
from dynadock.errors import APIError
from dynadock.wire.messages import Reply

if TYPE_CHECKING:
    from dynadock.spec.model import Operation


def deviations_of(operation: Operation, value: Any) -> Deviations:
    """Return what in a value is not as the document says of an operation's reply.

    ``value`` is what a call returned, or plain JSON of that form; an item of a stream; a reply of
    `raw`, which is read, or a `Reply`, with their status and headers; or an APIError.
    """
    found = Deviations(is_part=True)
    reply = _reply_of(value)
    if reply is not None:
        exchange = Exchange(
            operation,
            operation.target,
            request_headers={},
            request_body=None,
            status=reply.status,
            reply_headers=reply.headers,
            reply_body=reply.body,
        )
        found.add(findings_in_reply(exchange, found.note_unchecked), exchange)
        return found
    look = Look(operation, REPLY)
    if operation.reply.kind == "json-stream":
        for item in value if isinstance(value, list) else [value]:
            look_at_item(look, item)
    else:
        look_at_value(look, value)
    found.take(look.findings)
    return found


def _reply_of(value: Any) -> Reply | None:
    """Return the reply that a value is, None for one that is a reply's content."""
    if isinstance(value, Reply):
        return value
    if isinstance(value, APIError):
        return Reply(value.status, {"Content-Type": "application/json"}, value.body)
    # That of requests, which nobody has who has not loaded it.
    if hasattr(value, "status_code") and hasattr(value, "content"):
        return Reply(value.status_code, value.headers, value.content)
    return None
