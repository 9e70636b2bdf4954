"""From a reply that has begun to the stream that the caller gets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dynadock.call.kinds import kind_of
from dynadock.call.values import shown
from dynadock.errors import APIError, DynadockError, MalformedStream
from dynadock.spec.kinds import KINDS
from dynadock.streams.download import Download, TarStream
from dynadock.streams.duplex import Duplex, RawDuplex
from dynadock.streams.frames import FrameStream
from dynadock.streams.values import JsonStream
from dynadock.wire.messages import SWITCHING_PROTOCOLS, Reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from dynadock.call.bind import Bound
    from dynadock.call.kinds import Kind, Question
    from dynadock.streams.flow import Origin, Source
    from dynadock.streams.stream import Stream

    Ask = Callable[..., Any]
    """Calls another operation of the same client: its operationId, then its arguments."""

    Read = Callable[[Reply], Any]
    """Makes a value of a whole reply, or raises an APIError."""


def open_stream(
    bound: Bound, source: Source, origin: Origin, tty: bool | None, *, ask: Ask, read: Read
) -> Any:
    """Return a reply's stream, or what ``read`` makes of it if it turns out not to be a stream.

    If neither ``tty`` nor the reply say whether it is a terminal, ``ask`` is called once.
    """
    kind = kind_of(bound, source.status, source.headers, tty)
    if kind.name == "value":
        return read(_whole_reply(source, origin.limit))
    if kind.name == "websocket" and source.status != SWITCHING_PROTOCOLS:
        problem = f"a websocket was asked for, and {source.status} came"
        raise MalformedStream(f"{origin}: {origin.host}: {problem}", origin.host)
    if kind.question is not None:
        kind = kind._replace(is_terminal=_answer(kind.question, origin, ask))
    _look_at_head(source, origin, tells=KINDS[kind.name].stream != JsonStream.__name__)
    return _stream(kind, source, origin, _resize(bound, ask))


def _whole_reply(source: Source, limit: int | None) -> Reply:
    """Read to its end a reply that is not a stream."""
    reply = Reply(source.status, source.headers, source.read_all(limit))
    source.close()
    return reply


def _answer(question: Question, origin: Origin, ask: Ask) -> bool:
    way_out = "with_options(tty=True) or (tty=False) tells it without asking"
    if not question.operation_id:
        raise DynadockError(f"{origin}: nothing says whether output is a terminal's; {way_out}")
    try:
        answer = ask(question.operation_id, **question.arguments)
    except APIError as error:
        error.add_note(f"{origin} asked this to learn whether output is a terminal's; {way_out}")
        raise
    return _flag(answer, question, f"{origin} asked this; {way_out}")


def _flag(answer: Any, question: Question, why: str) -> bool:
    """Return a reply's flag, which engines leave out where it is false, with what is around it."""
    found = answer
    for key in question.field.split("."):
        if not isinstance(found, dict):
            break
        found = found.get(key)
        if found is None:
            return False
    if isinstance(found, bool):
        return found
    expected = f"expected a reply with {question.field} (bool)"
    raise DynadockError(f"{question.operation_id}: {expected}, got {shown(answer)}; {why}")


def _resize(bound: Bound, ask: Ask) -> Callable[..., Any] | None:
    operation_id = bound.operation.reply.resize
    if not operation_id:
        return None
    arguments = bound.segments
    return lambda **size: ask(operation_id, **arguments, **size)


def _stream(
    kind: Kind, source: Source, origin: Origin, resize: Callable[..., Any] | None
) -> Stream:
    if kind.name == "frames":
        return FrameStream(source, origin, is_terminal=kind.is_terminal)
    if KINDS[kind.name].stream == Duplex.__name__:
        # A websocket's messages carry what a terminal shows, or both outputs in one.
        is_terminal = kind.is_terminal or kind.name == "websocket"
        return Duplex(source, origin, is_terminal=is_terminal, resize=resize)
    return _STREAMS[KINDS[kind.name].stream](source, origin)


_STREAMS: dict[str, type[Stream]] = {
    each.__name__: each for each in (JsonStream, RawDuplex, TarStream, Download)
}


def raw_duplex(source: Source, origin: Origin) -> RawDuplex:
    """Return the bytes of any reply as they come, and the way to send some."""
    _look_at_head(source, origin, tells=True)
    return RawDuplex(source, origin)


def _look_at_head(source: Source, origin: Origin, *, tells: bool) -> None:
    if origin.holding is not None:
        origin.holding.begin(source.status, source.headers, tells=tells)
