"""HTTP/1.1 as a client speaks it (RFC 9112), without any input or output of its own.

Requests become bytes; the bytes of a reply become a `Head` and, through the decoder that the head
asks for, a body. Decoders never lose what came before a fault: ``feed`` gives what is good and sets
``fault``, which the caller raises after having used it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple, Protocol

from dynadock.call.chunks import Chunked
from dynadock.call.fields import LENGTHS, has_controls, is_token
from dynadock.call.record import Headers, header_case
from dynadock.call.uploads import Measured
from dynadock.errors import MalformedStream, TruncatedStream

if TYPE_CHECKING:
    from dynadock.call.request import Request

LONGEST_HEAD = 256 * 1024
"""Bytes of a reply's head, interim heads included."""

SWITCHING_PROTOCOLS = 101
FIRST_FINAL = 200
NO_CONTENT = 204
NOT_MODIFIED = 304

_TARGET = re.compile(r"[\x21-\x7e]+")

_END_OF_HEAD = re.compile(rb"\n\r?\n")
_LINE_END = re.compile(r"\r?\n")
_FOLD = re.compile(r"\r?\n[ \t]+")
_STATUS_LINE = re.compile(r"HTTP/1\.[0-9] ([1-9][0-9][0-9])(?: ([^\r\0]*))?")
_LENGTH = re.compile(r"[0-9]{1,18}")


def request_head(request: Request, host: str) -> bytes:
    """Return what a request begins with: its line and headers, up to the body.

    The framing follows from the body: its length where that is known, chunks for other iterators, a
    length of 0 for POST and PUT without a body (RFC 9110, section 8.6). A ``Host`` among the
    request's headers goes before ``host``; framing among them is dropped. Raises ValueError for
    what would end a line or a field early.
    """
    if not is_token(request.method):
        raise ValueError(f"the method {request.method!r} is no token")
    if not _TARGET.fullmatch(request.target):
        raise ValueError(f"the target {request.target!r} would break the request line")
    fields = {"Host": host}
    for name, value in request.headers.items():
        if name.lower() == "host":
            fields["Host"] = value
        elif name.lower() not in LENGTHS:
            fields[name] = value
    fields.update(_framing(request))
    for name, value in fields.items():
        if not is_token(name) or has_controls(value):
            raise ValueError(f"the header {name!r} would break the request's head")
    lines = [f"{request.method} {request.target} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in fields.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _framing(request: Request) -> dict[str, str]:
    if request.body is None:
        return {"Content-Length": "0"} if request.method in ("POST", "PUT") else {}
    if isinstance(request.body, bytes):
        return {"Content-Length": str(len(request.body))}
    if isinstance(request.body, Measured):
        return {"Content-Length": str(request.body.length)}
    return {"Transfer-Encoding": "chunked"}


class Head(NamedTuple):
    """The head of a reply; a header that came more than once is joined by commas."""

    status: int
    reason: str
    headers: Headers


class HeadReader:
    """Reads one reply's head out of bytes as they come; ``rest`` is what came behind it."""

    def __init__(self) -> None:
        self.rest = b""
        self._seen = bytearray()
        self._searched = 0
        self._interim = 0

    def feed(self, data: bytes) -> Head | None:
        """Take bytes; return the head once it is whole, None before.

        Interim heads (1xx) but 101 are passed over. Raises MalformedStream for what is no HTTP.
        """
        self._seen += data
        while True:
            self._check_beginning()
            end = _END_OF_HEAD.search(self._seen, self._searched)
            if end is None:
                # The end may have begun within the last two bytes.
                self._searched = max(0, len(self._seen) - 2)
                self._check_length(len(self._seen))
                return None
            self._check_length(end.end())
            head = _head(bytes(self._seen[: end.start()]))
            if head.status >= FIRST_FINAL or head.status == SWITCHING_PROTOCOLS:
                self.rest = bytes(self._seen[end.end() :])
                return head
            self._interim += end.end()
            self._searched = 0
            del self._seen[: end.end()]

    def finish(self) -> None:
        """Say at the end of the connection how far the reply came: raises TruncatedStream."""
        came = self._interim + len(self._seen)
        if not came:
            raise TruncatedStream("the connection ended before any reply came")
        raise TruncatedStream(
            f"the connection ended in the middle of the reply's head, after {came} bytes:"
            f" {bytes(self._seen[:40])!r}"
        )

    def _check_beginning(self) -> None:
        if not b"HTTP/1.".startswith(self._seen[:7]):
            raise MalformedStream(f"no HTTP reply came, but {bytes(self._seen[:40])!r}")

    def _check_length(self, length: int) -> None:
        if self._interim + length > LONGEST_HEAD:
            raise MalformedStream(f"the reply's head is longer than {LONGEST_HEAD} bytes")


def _head(data: bytes) -> Head:
    text = data.decode("latin-1").removesuffix("\r")
    # Folded lines are obsolete; a reader joins them (RFC 9112, section 5.2).
    first, *lines = _LINE_END.split(_FOLD.sub(" ", text))
    status = _STATUS_LINE.fullmatch(first)
    if status is None:
        raise MalformedStream(f"the reply begins with no status line: {first[:60]!r}")
    fields: dict[str, list[str]] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not is_token(name) or has_controls(value):
            raise MalformedStream(f"a line of the reply's head is no header: {line[:60]!r}")
        fields.setdefault(header_case(name), []).append(value.strip(" \t"))
    headers = Headers({name: ", ".join(values) for name, values in fields.items()})
    return Head(int(status[1]), status[2] or "", headers)


class BodyDecoder(Protocol):
    """Takes the bytes behind a head, gives those of the body.

    ``done`` tells that the body has ended by its own framing, ``rest`` is what came behind it,
    ``fault`` what was wrong with it.
    """

    done: bool
    fault: Exception | None
    rest: bytes

    def feed(self, data: bytes) -> bytes:
        """Return the bytes of the body in ``data``; none if there are none yet."""
        ...

    def finish(self) -> None:
        """Take note of the connection's end; raises TruncatedStream if that is too early."""
        ...


def body_decoder(head: Head, method: str, *, upgraded: bool = False) -> BodyDecoder:
    """Return the decoder of the body that a head announces (RFC 9112, section 6.3).

    ``upgraded`` says that what follows is the raw connection whatever the head says; after a 101 it
    always is. Raises MalformedStream for a framing that cannot be followed.
    """
    if upgraded or head.status == SWITCHING_PROTOCOLS:
        return UntilClose()
    if method == "HEAD" or head.status < FIRST_FINAL or head.status in (NO_CONTENT, NOT_MODIFIED):
        return Sized(0)
    codings = head.headers.get("Transfer-Encoding")
    if codings is not None:
        if codings.strip().lower() != "chunked":
            raise MalformedStream(f"the body comes in an unknown transfer coding: {codings[:60]!r}")
        return Chunked()
    length = head.headers.get("Content-Length")
    return UntilClose() if length is None else Sized(_length(length))


def _length(field: str) -> int:
    # The same length more than once is one length (RFC 9112, section 6.3).
    lengths = {value.strip() for value in field.split(",")}
    if len(lengths) > 1 or not _LENGTH.fullmatch(field := lengths.pop()):
        raise MalformedStream(f"the reply's Content-Length is no length: {field[:60]!r}")
    return int(field)


class UntilClose:
    """A body that the end of the connection ends."""

    def __init__(self) -> None:
        self.done = False
        self.fault: Exception | None = None
        self.rest = b""

    def feed(self, data: bytes) -> bytes:
        """Return ``data``."""
        return data

    def finish(self) -> None:
        """Take note of the end."""
        self.done = True


class Sized:
    """A body of a known length."""

    def __init__(self, length: int) -> None:
        self.done = length == 0
        self.fault: Exception | None = None
        self.rest = b""
        self._length = length
        self._missing = length

    @property
    def missing(self) -> int:
        """Bytes that are still to come."""
        return self._missing

    def feed(self, data: bytes) -> bytes:
        """Return the part of ``data`` that is the body's."""
        if len(data) < self._missing:
            self._missing -= len(data)
            return data
        body, self.rest = data[: self._missing], self.rest + data[self._missing :]
        self._missing = 0
        self.done = True
        return body

    def finish(self) -> None:
        """Raise TruncatedStream unless the body is whole."""
        if not self.done:
            came = self._length - self._missing
            raise TruncatedStream(
                f"the connection ended after {came} of the body's {self._length} bytes"
            )
