"""What a reply is: decided here from status, headers, document and overlay, and nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dynadock.call.bind import Bound

PLAIN = ("value", "none", "headers")
"""Kinds that are one value, read whole."""

TWO_WAY = ("duplex", "raw-duplex", "websocket")
"""Kinds that take the connection over."""

OUTPUT = ("frames", "duplex")
"""Kinds that carry what a container writes: in frames, or raw from a terminal."""

MULTIPLEXED = "application/vnd.docker.multiplexed-stream"

_SWITCHING_PROTOCOLS = 101
_WITHOUT_BODY = (204, 205)
_FIRST_REDIRECT = 300


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
    stream as `dynadock.spec.model.Reply` has them. ``is_terminal`` tells for `OUTPUT` whether it is
    raw output of a terminal, else frames; while that is open, ``question`` is there.
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
        if argument(bound, name) == value:
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


def media_type(headers: Mapping[str, str]) -> str:
    """Return a reply's media type in lower case and without parameters, empty if it names none."""
    return (headers.get("Content-Type") or "").partition(";")[0].strip().lower()


def argument(bound: Bound, name: str) -> Any:
    """Return what a call sends under that name, in its body or its query; None for nothing."""
    if isinstance(bound.body, dict) and name in bound.body:
        return bound.body[name]
    sent = dict(bound.query)
    if name not in sent:
        return None
    return {"true": True, "false": False}.get(sent[name], sent[name])


def _is_stream(status: int) -> bool:
    if status == _SWITCHING_PROTOCOLS:
        return True
    return status < _FIRST_REDIRECT and status not in _WITHOUT_BODY


def _is_page(headers: Mapping[str, str]) -> bool:
    """Tell whether a web page came, which no engine sends: a proxy in between does."""
    return media_type(headers) == "text/html"


def _told(bound: Bound, headers: Mapping[str, str]) -> bool | None:
    """Return what the call itself says of a terminal, where this engine goes by that."""
    rule = bound.operation.reply.tty
    if "argument" not in rule or not (headers.get("Server") or "").startswith(rule["obeyed_by"]):
        return None
    return bool(argument(bound, rule["argument"]))


def _question(bound: Bound) -> Question:
    rule = bound.operation.reply.tty
    return Question(rule.get("operation", ""), path_arguments(bound), rule.get("field", ""))


def path_arguments(bound: Bound) -> dict[str, str]:
    """Return what a call names in its path, by parameter."""
    # Imported here for start-up time: plain calls do not look back at their paths.
    from urllib.parse import unquote  # noqa: PLC0415

    return {name: unquote(segment) for name, segment in bound.segments.items()}
