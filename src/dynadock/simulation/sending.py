"""How an answer goes over a connection: its head, and how whoever reads it knows its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dynadock.wire.messages import NO_CONTENT, NOT_MODIFIED, SWITCHING_PROTOCOLS
from dynadock.wire.reply_heads import reply_head

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dynadock.simulation.answers import Answer

_WITHOUT_BODY = (NO_CONTENT, NOT_MODIFIED, SWITCHING_PROTOCOLS)


def beginning(answer: Answer, method: str, more: Mapping[str, str], *, can_chunk: bool) -> bytes:
    """Return what goes out at once: an answer's head, and its body if that is all there.

    ``more`` are headers of the connection. Without ``can_chunk`` (HTTP/1.0) a stream ends with its
    connection, as the output of whoever is attached without an upgrade does.
    """
    head = reply_head(answer.status, {**answer.headers, **_framing(answer, can_chunk), **more})
    has_body = answer.source is None and answer.session is None and method != "HEAD"
    return head + answer.body if has_body else head


def _framing(answer: Answer, can_chunk: bool) -> dict[str, str]:
    if answer.status in _WITHOUT_BODY or answer.session is not None:
        return {}
    if answer.source is None:
        return {"Content-Length": str(len(answer.body))}
    return {"Transfer-Encoding": "chunked"} if can_chunk else {}


def ends_connection(answer: Answer, *, can_chunk: bool) -> bool:
    """Tell whether the end of the connection is the end of the answer."""
    return answer.session is not None or (answer.source is not None and not can_chunk)
