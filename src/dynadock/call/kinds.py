"""What a reply is: decided here from status, headers, document and overlay, and nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from dynadock.spec.kinds import KINDS, MULTIPLEXED
from dynadock.wire.messages import (
    FIRST_REDIRECT,
    NO_CONTENT,
    RESET_CONTENT,
    SWITCHING_PROTOCOLS,
    media_type,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dynadock.call.bind import Bound

PLAIN = frozenset(name for name, kind in KINDS.items() if not kind.stream)
"""Kinds that are one value, read whole."""

TWO_WAY = frozenset(name for name, kind in KINDS.items() if kind.two_way)
"""Kinds that take the connection over."""

OUTPUT = frozenset(name for name, kind in KINDS.items() if kind.has_output)
"""Kinds that carry what a container writes: in frames, or raw from a terminal."""

_WITHOUT_BODY = (NO_CONTENT, RESET_CONTENT)


class Question(NamedTuple):
    """Whether output is a terminal's, where the reply does not tell.

    Call ``operation_id`` with ``arguments``; ``field`` is where its reply says so, keys joined with
    dots. Without an ``operation_id`` nobody but the caller knows.
    """

    operation_id: str
    arguments: Mapping[str, str]
    field: str


class Kind(NamedTuple):
    """What a reply is.

    ``name`` is ``value`` (anything that is read whole: JSON, text, nothing, an error) or a kind of
    stream as `dynadock.spec.kinds` has them. ``is_terminal`` tells for `OUTPUT` whether it is
    raw output of a terminal, else frames; where that is not known yet, ``question`` is what to ask.
    """

    name: str
    is_terminal: bool = False
    question: Question | None = None


def expected_kind(bound: Bound) -> str:
    """Return the kind that a call will bring if the engine does not refuse it.

    An operation that streams may give a plain value for some arguments
    (``ContainerStats(stream=False)``).
    """
    reply = bound.operation.reply
    for name, value in reply.unless.items():
        if bound.value(name) == value:
            return "value"
    return reply.kind


def kind_of(bound: Bound, status: int, headers: Mapping[str, str], tty: bool | None) -> Kind:
    """Return what has come in answer to a call; ``tty`` is what the caller said, None for nothing.

    The media type of multiplexed streams is sure. The one of raw streams is not, nor is a missing
    one: up to API 1.41 engines write it above frames, and Docker 26.1 does so at 1.42 where no
    upgrade was asked for. Then the container's own Tty decides.
    """
    expected = expected_kind(bound)
    if expected in PLAIN or not _is_stream(status) or _is_page(headers):
        return Kind("value")
    if expected not in OUTPUT or media_type(headers) == MULTIPLEXED:
        return Kind(expected)
    told = _told(bound, headers) if tty is None else tty
    if told is None:
        return Kind(expected, question=_question(bound))
    return Kind(expected, is_terminal=told)


def _is_stream(status: int) -> bool:
    if status == SWITCHING_PROTOCOLS:
        return True
    return status < FIRST_REDIRECT and status not in _WITHOUT_BODY


def _is_page(headers: Mapping[str, str]) -> bool:
    """Tell whether a web page came, which no engine sends: a proxy in between does."""
    return media_type(headers) == "text/html"


def _told(bound: Bound, headers: Mapping[str, str]) -> bool | None:
    """Return what the call's argument says of a terminal, None if this engine ignores it."""
    rule = bound.operation.reply.tty
    if "argument" not in rule or not (headers.get("Server") or "").startswith(rule["obeyed_by"]):
        return None
    return bool(bound.value(rule["argument"]))


def _question(bound: Bound) -> Question:
    rule = bound.operation.reply.tty
    return Question(rule.get("operation", ""), bound.segments, rule.get("field", ""))
