"""From what a behaviour returns to a reply's status, headers and bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from dynadock.call.values import compact_json
from dynadock.simulation.replies import (
    JSON,
    NOTHING,
    RAW,
    Later,
    NotModified,
    OnlyHeaders,
    Streaming,
    Text,
    TwoWay,
)
from dynadock.wire.messages import (
    FIRST_REDIRECT,
    FIRST_SUCCESS,
    NOT_MODIFIED,
    SWITCHING_PROTOCOLS,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dynadock.simulation.faults import Damage
    from dynadock.simulation.replies import Attachment, Source
    from dynadock.spec.model import Operation

_PLAIN = "text/plain; charset=utf-8"


class Answer(NamedTuple):
    """A reply; only one of its three bodies is there.

    ``body`` is all of it, ``source`` what follows in pieces, ``session`` what takes the connection
    over. Where there is ``damage``, whoever carries the reply puts all of its bytes through that,
    its head's too (see `dynadock.simulation.faults.Damage`).
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = b""
    source: Source | None = None
    session: Attachment | None = None
    damage: Damage | None = None


def answer_of(value: Any, operation: Operation, *, wants_upgrade: bool) -> Answer:
    """Return the reply to a call whose behaviour returned ``value``, which is no `Later`."""
    assert not isinstance(value, Later)
    if isinstance(value, TwoWay):
        return _two_way(value, wants_upgrade=wants_upgrade)
    if isinstance(value, NotModified):
        return Answer(NOT_MODIFIED, {})
    return _success(value, success_of(operation))


def _success(value: Any, status: int) -> Answer:
    if value is None or value is NOTHING:
        return Answer(status, {})
    if isinstance(value, Streaming):
        headers = {"Content-Type": value.media_type, **value.headers}
        return Answer(status, headers, b"", value.source)
    if isinstance(value, OnlyHeaders):
        return Answer(status, value.headers)
    if isinstance(value, Text):
        return Answer(status, {"Content-Type": _PLAIN, **value.headers}, value.text.encode())
    return Answer(status, {"Content-Type": JSON}, compact_json(value).encode() + b"\n")


def _two_way(value: TwoWay, *, wants_upgrade: bool) -> Answer:
    if value.headers:
        return Answer(SWITCHING_PROTOCOLS, value.headers, b"", None, value.session)
    if not wants_upgrade:
        # Whether there are frames or not (26.1).
        return Answer(FIRST_SUCCESS, {"Content-Type": RAW}, b"", None, value.session)
    headers = {"Content-Type": value.media_type, "Connection": "Upgrade", "Upgrade": "tcp"}
    return Answer(SWITCHING_PROTOCOLS, headers, b"", None, value.session)


def success_of(operation: Operation) -> int:
    """Return the status of an operation's success: the first that its document has."""
    codes = (int(code) for code in operation.reply.codes if code.isdecimal())
    return next((code for code in codes if FIRST_SUCCESS <= code < FIRST_REDIRECT), FIRST_SUCCESS)


def refusal(status: int, message: str) -> Answer:
    """Return the reply to what is refused."""
    body = compact_json({"message": message}).encode() + b"\n"
    return Answer(status, {"Content-Type": JSON}, body)
