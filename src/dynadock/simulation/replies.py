"""What behaviours return, where it is more than a JSON value or nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from dynadock.call.values import compact_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

JSON = "application/json"
TAR = "application/x-tar"
RAW = "application/vnd.docker.raw-stream"


class Source(Protocol):
    """Where the bytes of a stream come from; every method is called under the engine's lock."""

    def take(self) -> bytes | None:
        """Return what is there, none at the end, None if nothing is there yet."""

    def leave(self) -> None:
        """Note that nobody wants any more."""


class Attachment(Source, Protocol):
    """Bytes in both directions with a process; every method is called under the engine's lock."""

    @property
    def takes_input(self) -> bool:
        """Whether input may be given now, without more waiting than is allowed."""

    def feed(self, data: bytes) -> None:
        """Give input."""

    def end(self) -> None:
        """Note that no more input comes."""


class NotModified:
    """The reply to a request for what is so already (304)."""


class Later(NamedTuple):
    """A reply that comes when ``ready`` gives one: a behaviour's value, None while there is none.

    A value that is None itself is `NOTHING`.
    """

    ready: Callable[[], Any]


class Nothing:
    """A success without a body, where None would mean that there is no answer yet."""


NOTHING = Nothing()


class Streaming(NamedTuple):
    """A reply whose head goes out at once and whose bytes follow as they come."""

    source: Source
    media_type: str = JSON
    headers: Mapping[str, str] = {}


class TwoWay(NamedTuple):
    """A reply that takes the connection over, if the request asked for that.

    ``headers`` are those of a protocol of its own; without them it is the usual upgrade.
    """

    session: Attachment
    media_type: str = RAW
    headers: Mapping[str, str] = {}


class OnlyHeaders(NamedTuple):
    """A reply that says everything in its headers."""

    headers: Mapping[str, str]


class Text(NamedTuple):
    """A reply that is plain text."""

    text: str
    headers: Mapping[str, str] = {}


class Values:
    """A source of JSON values: those that ``draw`` yields; None means that none is there yet.

    ``at_end`` is called once, when it is read to its end or left.
    """

    def __init__(self, draw: Iterator[Any], at_end: Callable[[], None] = lambda: None) -> None:
        self._draw: Iterator[Any] | None = draw
        self._at_end = at_end

    def take(self) -> bytes | None:
        """Return the next value as a line of JSON, none at the end, None if none is there yet."""
        if self._draw is None:
            return b""
        for value in self._draw:
            return None if value is None else compact_json(value).encode() + b"\r\n"
        self.leave()
        return b""

    def leave(self) -> None:
        """Draw no more."""
        if self._draw is not None:
            self._draw = None
            self._at_end()


class Blocks:
    """A source of bytes that are all there already, block by block."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks

    def take(self) -> bytes | None:
        """Return the next block, none at the end."""
        return next((block for block in self._blocks if block), b"")

    def leave(self) -> None:
        """Draw no more."""
        self._blocks = iter(())
