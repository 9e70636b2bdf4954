"""HTTP/1.1 requests read out of bytes as they come: the reverse of `http1.request_head` and chunks.

Whoever reads requests decides where the next one begins, and a peer that is believed to end a
request elsewhere than it does can smuggle another one in. So there is one form for everything, the
one that RFC 9112 has senders write; what receivers may take beside it is refused: lines that end in
LF alone, folded ones, blanks before a colon, two framings or lengths, even if they say the same.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from dynadock.errors import MalformedStream, TruncatedStream
from dynadock.wire.chunks import Chunked
from dynadock.wire.fields import (
    BLANKS,
    CONTROLS,
    LENGTH,
    NAME,
    OF_THE_CONNECTION,
    check_coding,
)
from dynadock.wire.http1 import LONGEST_HEAD, Sized
from dynadock.wire.messages import Headers, header_case

if TYPE_CHECKING:
    from dynadock.wire.http1 import BodyDecoder

_TARGET = r"[\x21-\x7e]++"
_FIELD = rf"({NAME}+):[ \t]*+([^{CONTROLS}]*+)\r\n"
_FIELDS = re.compile(_FIELD)
_HEAD = re.compile(
    rf"({NAME}+) ({_TARGET}) HTTP/1\.([01])\r\n((?:{_FIELD.replace('(', '(?:')})*+)\r\n"
)
_REQUEST_LINE = re.compile(rf"{NAME}+ {_TARGET} HTTP/1\.[01]")
_END_OF_HEAD = b"\r\n\r\n"

_DECISIVE = OF_THE_CONNECTION | {"host", "expect"}
"""Headers, in lower case, that another spelling of a name must not pass for."""


class RequestHead(NamedTuple):
    """The head of a request; a header that came more than once is joined by commas.

    ``target`` is what was sent, ``minor`` the digit behind ``HTTP/1.``.
    """

    method: str
    target: str
    headers: Headers
    minor: int = 1

    @property
    def is_persistent(self) -> bool:
        """Whether the peer may send another request behind this one (RFC 9112, section 9.3)."""
        return self.minor > 0 and "close" not in self._wishes()

    @property
    def upgrade(self) -> str:
        """The protocol that the peer asks to switch to, empty if it asks for none."""
        protocol: str = self.headers.get("Upgrade", "")
        return protocol if self.minor > 0 and protocol and "upgrade" in self._wishes() else ""

    @property
    def expects_continue(self) -> bool:
        """Whether the peer waits for a 100 before it sends the body (RFC 9110, section 10.1.1)."""
        return self.minor > 0 and "100-continue" in _members(self.headers.get("Expect"))

    def _wishes(self) -> list[str]:
        return _members(self.headers.get("Connection"))


class RequestReader:
    """Reads one request; another reader takes the next one, beginning with ``rest``.

    ``head`` is None until the head is whole. ``done`` tells that the request is, ``rest`` is what
    came behind it: the next request, or after an upgrade what the peer sends in the protocol that
    it asked for. ``fault`` is what is wrong with the body, set after what came before it was given.
    """

    __slots__ = ("_decoder", "_has_line", "_searched", "_seen", "head")

    def __init__(self) -> None:
        self.head: RequestHead | None = None
        self._seen = bytearray()
        self._searched = 0
        self._has_line = False
        self._decoder: BodyDecoder | None = None

    @property
    def done(self) -> bool:
        """Whether the whole request has come."""
        return self._decoder is not None and self._decoder.done

    @property
    def rest(self) -> bytes:
        """What came behind the request."""
        return b"" if self._decoder is None else self._decoder.rest

    @property
    def fault(self) -> Exception | None:
        """What is wrong with the body, None if nothing is."""
        return None if self._decoder is None else self._decoder.fault

    def feed(self, data: bytes) -> bytes:
        """Take bytes; return those of the body among them.

        Raises MalformedStream for a head that is none, is longer than `http1.LONGEST_HEAD`, or does
        not tell for sure where the request ends. Nothing may be fed after that.
        """
        if self._decoder is not None:
            return self._decoder.feed(data)
        if self._seen:
            self._seen += data
            return self._look_through(self._seen)
        end = data.find(_END_OF_HEAD)
        if end < 0:
            self._seen += data
            return self._look_through(self._seen)
        return self._begin_body(data, end + len(_END_OF_HEAD))

    @property
    def decoder(self) -> BodyDecoder | None:
        """What the body goes through, None before the head is whole."""
        return self._decoder

    def _look_through(self, seen: bytearray) -> bytes:
        end = seen.find(_END_OF_HEAD, self._searched)
        if end >= 0:
            self._seen = bytearray()
            return self._begin_body(bytes(seen), end + len(_END_OF_HEAD))
        _check_length(len(seen))
        if not self._has_line:
            # What can become no request is refused at once, rather than waited for its end.
            self._has_line = _has_request_line(seen, self._searched)
        self._searched = max(0, len(seen) - len(_END_OF_HEAD) + 1)
        return b""

    def _begin_body(self, seen: bytes, start: int) -> bytes:
        _check_length(start)
        self.head = head = _head(seen[:start].decode("latin-1"))
        self._decoder = decoder = _decoder_for(head)
        return decoder.feed(seen[start:]) if start < len(seen) else b""

    def finish(self) -> None:
        """Note the end of the connection: TruncatedStream if it is in the middle of a request."""
        if self._decoder is not None:
            self._decoder.finish()
        elif self._seen:
            came = len(self._seen)
            raise TruncatedStream(f"the connection broke after {came} bytes of a request's head")


def _check_length(length: int) -> None:
    if length > LONGEST_HEAD:
        raise MalformedStream(f"the request's head is longer than {LONGEST_HEAD} bytes")


def _has_request_line(seen: bytearray, start: int) -> bool:
    """Tell whether a head's first line is whole; MalformedStream where it is none."""
    end = seen.find(b"\n", start)
    if end < 0:
        return False
    line = seen[: end + 1].decode("latin-1")
    if not _REQUEST_LINE.fullmatch(line.removesuffix("\r\n")):
        raise MalformedStream(f"no HTTP request came, but {line[:60]!r}")
    return True


def _head(text: str) -> RequestHead:
    found = _HEAD.fullmatch(text)
    if found is None:
        raise MalformedStream(_what_is_wrong(text))
    method, target, minor, lines = found.groups()
    fields = _FIELDS.findall(lines)
    headers = {header_case(name): value for name, value in fields}
    if len(headers) != len(fields) or "_" in lines or " \r\n" in lines or "\t\r\n" in lines:
        headers = _joined(fields)
    if "Host" not in headers and minor == "1":
        raise MalformedStream("the request has no Host header")
    return RequestHead(method, target, Headers.of_cased(headers), int(minor))


def _joined(fields: list[tuple[str, str]]) -> dict[str, str]:
    """Join what came more than once; what there may be one of is refused by what reads it."""
    values: dict[str, list[str]] = {}
    for name, value in fields:
        cased = header_case(name)
        # `Headers` has one name for Content_Length and Content-Length, which alone is framing.
        if "_" not in name or cased.lower() not in _DECISIVE:
            values.setdefault(cased, []).append(value.rstrip(BLANKS))
    if len(values.get("Host", ())) > 1:
        raise MalformedStream("the request has more than one Host header")
    return {name: ", ".join(each) for name, each in values.items()}


def _what_is_wrong(text: str) -> str:
    line, *lines = text.removesuffix("\r\n\r\n").split("\r\n")
    if not _REQUEST_LINE.fullmatch(line):
        return f"the request begins with no request line: {line[:60]!r}"
    wrong = next(each for each in lines if not _FIELDS.fullmatch(f"{each}\r\n"))
    return f"a line of the request's head is not a header: {wrong[:60]!r}"


def _decoder_for(head: RequestHead) -> BodyDecoder:
    """Return the decoder of the body that a head announces (RFC 9112, section 6.3)."""
    codings, length = head.headers.get("Transfer-Encoding"), head.headers.get("Content-Length")
    if codings is None:
        return Sized(0 if length is None else _length_in(length))
    if length is not None:
        raise MalformedStream("the request's body comes in a transfer coding and has a length too")
    if head.minor < 1:
        raise MalformedStream("a request of HTTP/1.0 has no transfer coding")
    check_coding(codings)
    return Chunked()


def _length_in(field: str) -> int:
    if not LENGTH.fullmatch(field):
        raise MalformedStream(f"the request's Content-Length is not a length: {field[:60]!r}")
    return int(field)


def _members(field: str | None) -> list[str]:
    return [each.strip(BLANKS).lower() for each in field.split(",")] if field else []
