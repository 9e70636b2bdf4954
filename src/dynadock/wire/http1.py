"""HTTP/1.1 as a client speaks it (RFC 9112), without any input or output of its own.

Requests become bytes; the bytes of a reply become a `Head` and, through the decoder that the head
asks for, a body. Decoders never lose what came before a fault: ``feed`` gives what is good and sets
``fault``, which the caller raises after having used it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple, Protocol

from dynadock.errors import MalformedStream, TruncatedStream
from dynadock.wire.chunks import Chunked
from dynadock.wire.fields import (
    CONTROLS,
    LENGTHS,
    LINE_END,
    NAME,
    check_coding,
    fields_in,
    has_controls,
    is_token,
    length_in,
)
from dynadock.wire.messages import (
    FIRST_REDIRECT,
    FIRST_SUCCESS,
    NO_CONTENT,
    NOT_MODIFIED,
    SWITCHING_PROTOCOLS,
    Headers,
    header_case,
)
from dynadock.wire.uploads import Measured

if TYPE_CHECKING:
    from dynadock.wire.messages import Request

LONGEST_HEAD = 256 * 1024
"""Bytes of a reply's head, interim heads included."""

_LONGEST_USUAL = 64 * 1024
"""Bytes that are looked through at once for a head in its usual form."""

CONNECT = "CONNECT"
"""The method that makes a tunnel of a connection (RFC 9110, section 9.3.6)."""

_OURS = {"host": "Host", "accept-encoding": "Accept-Encoding"}
_TARGET = re.compile(r"[\x21-\x7e]+")

_VALUE = f"[^{CONTROLS}]*+"
_REQUEST_HEAD = re.compile(rf"{NAME}+ {_TARGET.pattern}+ HTTP/1\.1\r\n(?:{NAME}+: {_VALUE}\r\n)++")
"""A head without its blank line, in which nothing ends a line or a field early."""

_END_OF_HEAD = re.compile(rb"\n\r?\n")
_STATUS_LINE = re.compile(r"HTTP/1\.([0-9]) ([1-9][0-9][0-9])(?: ([\t\x20-\x7e\x80-\xff]*))?")

_USUAL_FIELD = rf"({NAME}+):[ \t]*+({_VALUE})\r\n"
_USUAL_HEAD = re.compile(
    r"HTTP/1\.([0-9]) ([1-9][0-9][0-9])(?: ([\t\x20-\x7e\x80-\xff]*+))?\r\n"
    rf"((?:{_USUAL_FIELD.replace('(', '(?:')})*+)\r\n"
)
_USUAL_FIELDS = re.compile(_USUAL_FIELD)


def request_head(request: Request, host: str) -> bytes:
    """Return what a request begins with: its line and headers, up to the body.

    The framing follows from the body: its length where that is known, chunks for other iterators, a
    length of 0 for POST and PUT without a body (RFC 9110, section 8.6). No packed reply is wanted.
    A ``Host`` among the request's headers goes before ``host``; framing among them is dropped.
    Raises ValueError for what would end a line or a field early.
    """
    has_framing = request.body is not None or request.method in ("POST", "PUT")
    # Before secrets are in plain below: what measures a file may raise, and tracebacks show locals.
    framing = _framing(request) if has_framing else None
    head = _written_head(request, host, framing)
    if head is None:
        raise ValueError(_what_breaks(request, host))
    return head


def _written_head(request: Request, host: str, framing: tuple[str, str] | None) -> bytes | None:
    """Return the bytes of a head, None where something in it would break it."""
    target, headers = request.sent()
    fields = {"Host": host}
    if request.method != CONNECT:
        # Without this header a peer may use any coding (RFC 9110, section 12.5.3).
        fields["Accept-Encoding"] = "identity"
    for name, value in headers.items():
        lowered = name.lower()
        if lowered in _OURS:
            fields[_OURS[lowered]] = value
        elif lowered not in LENGTHS:
            fields[name] = value
    if framing is not None:
        fields[framing[0]] = framing[1]
    lines = [f"{name}: {value}\r\n" for name, value in fields.items()]
    head = f"{request.method} {target} HTTP/1.1\r\n{''.join(lines)}"
    # Counted, since a value with a line break in it would match as two headers.
    if head.count("\n") != 1 + len(fields) or not _REQUEST_HEAD.fullmatch(head):
        return None
    return f"{head}\r\n".encode("latin-1")


def _what_breaks(request: Request, host: str) -> str:
    if not is_token(request.method):
        return f"the method {request.method!r} is not a token"
    target, headers = request.sent()
    if not _TARGET.fullmatch(target):
        return f"the target {request.target!r} would break the request line"
    for name, value in {"Host": host, **headers}.items():
        if not is_token(name) or has_controls(value):
            return f"the header {name!r} would break the request's head"
    raise AssertionError("nothing breaks this head")


def _framing(request: Request) -> tuple[str, str]:
    body = request.body
    if body is None:
        return "Content-Length", "0"
    if isinstance(body, bytes):
        return "Content-Length", str(len(body))
    if isinstance(body, Measured):
        return "Content-Length", str(body.length)
    return "Transfer-Encoding", "chunked"


class Head(NamedTuple):
    """The head of a reply; a header that came more than once is joined by commas.

    ``minor`` is the digit behind ``HTTP/1.``.
    """

    status: int
    reason: str
    headers: Headers
    minor: int = 1

    @property
    def is_persistent(self) -> bool:
        """Whether the peer keeps the connection after the body (RFC 9112, section 9.3)."""
        if self.minor < 1:
            return False
        wishes = self.headers.get("Connection")
        return wishes is None or "close" not in [each.strip().lower() for each in wishes.split(",")]


class HeadReader:
    """Reads one reply's head out of bytes as they come; ``rest`` is what came behind it.

    A head is nearly always there as a whole, with lines that end in CRLF: one regular expression
    checks it and another takes its fields apart. For a ping's that takes 10 microseconds, and 25 to
    go through the lines. Whatever does not fit these is read line by line, and that decides.
    """

    def __init__(self) -> None:
        self.rest = b""
        self._seen = bytearray()
        self._searched = 0
        self._interim = 0

    def feed(self, data: bytes) -> Head | None:
        """Take bytes; return the head once it is whole, None before.

        Interim heads (1xx) but 101 are passed over. Raises MalformedStream for what is no HTTP.
        """
        if not self._seen and len(data) <= _LONGEST_USUAL:
            head = self._usual_head(data)
            if head is not None:
                return head
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
            if _is_final(head.status):
                self.rest = bytes(self._seen[end.end() :])
                return head
            self._interim += end.end()
            self._searched = 0
            del self._seen[: end.end()]

    def _usual_head(self, data: bytes) -> Head | None:
        """Return a head that is whole, final and in its usual form; None for any other."""
        end = data.find(b"\r\n\r\n") + 4
        found = _USUAL_HEAD.fullmatch(data[:end].decode("latin-1"))
        if found is None:
            return None
        minor, status, reason, lines = found.groups()
        if not _is_final(int(status)):
            return None
        fields = _USUAL_FIELDS.findall(lines)
        headers = {header_case(name): value for name, value in fields}
        if len(headers) != len(fields) or "_" in lines or _ends_in_blank(lines):
            return None
        self.rest = data[end:]
        return Head(int(status), reason or "", Headers.of_cased(headers), int(minor))

    def finish(self) -> None:
        """Raise TruncatedStream at the end of the connection; it says how far the reply came."""
        came = self._interim + len(self._seen)
        if not came:
            raise TruncatedStream("the connection broke before any reply came")
        raise TruncatedStream(
            f"the connection broke in the middle of the reply's head, after {came} bytes:"
            f" {bytes(self._seen[:40])!r}"
        )

    def _check_beginning(self) -> None:
        if not b"HTTP/1.".startswith(self._seen[:7]):
            raise MalformedStream(f"no HTTP reply came, but {bytes(self._seen[:40])!r}")

    def _check_length(self, length: int) -> None:
        if self._interim + length > LONGEST_HEAD:
            raise MalformedStream(f"the reply's head is longer than {LONGEST_HEAD} bytes")


def _ends_in_blank(lines: str) -> bool:
    """Tell whether a value has blanks behind it, which are none of its own."""
    return " \r\n" in lines or "\t\r\n" in lines


def _is_final(status: int) -> bool:
    return status >= FIRST_SUCCESS or status == SWITCHING_PROTOCOLS


def _head(data: bytes) -> Head:
    text = data.decode("latin-1").removesuffix("\r")
    first, *behind = LINE_END.split(text, maxsplit=1)
    status = _STATUS_LINE.fullmatch(first)
    if status is None:
        raise MalformedStream(f"the reply begins with no status line: {first[:60]!r}")
    fields: dict[str, list[str]] = {}
    for name, value in fields_in(behind[0]) if behind else ():
        # `Headers` has one name for Content_Length and Content-Length, which alone is framing.
        if "_" not in name or header_case(name).lower() not in LENGTHS:
            fields.setdefault(header_case(name), []).append(value)
    headers = Headers.of_cased({name: ", ".join(values) for name, values in fields.items()})
    return Head(int(status[2]), status[3] or "", headers, int(status[1]))


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

    def skim(self, data: bytes) -> int:
        """Take bytes and return how many are the body's, or -1: then they are to be fed."""
        ...

    def finish(self) -> None:
        """Note the connection's end; raises TruncatedStream if that is too early."""
        ...


def body_decoder(head: Head, method: str) -> BodyDecoder:
    """Return the decoder of the body that a head announces (RFC 9112, section 6.3).

    After a 101, and a success of CONNECT, that is the raw connection. Raises MalformedStream for a
    framing that cannot be followed.
    """
    status, headers = head.status, head.headers
    if status == SWITCHING_PROTOCOLS or (method == CONNECT and status < FIRST_REDIRECT):
        return UntilClose()
    if method == "HEAD" or status < FIRST_SUCCESS or status in (NO_CONTENT, NOT_MODIFIED):
        return Sized(0)
    codings = headers.get("Transfer-Encoding")
    length = headers.get("Content-Length")
    if codings is not None:
        if length is not None:
            # Readers differ in which of the two they follow (RFC 9112, section 6.3).
            raise MalformedStream(
                f"the body comes in a transfer coding and has a Content-Length too: {length[:60]!r}"
            )
        check_coding(codings)
        return Chunked()
    return UntilClose() if length is None else Sized(length_in(length))


class UntilClose:
    """A body that the end of the connection ends."""

    def __init__(self) -> None:
        self.done = False
        self.fault: Exception | None = None
        self.rest = b""

    def feed(self, data: bytes) -> bytes:
        """Return ``data``."""
        return data

    def skim(self, data: bytes) -> int:
        """Return how many bytes there are."""
        return len(data)

    def finish(self) -> None:
        """Note the end."""
        self.done = True


class Sized:
    """A body of a known length."""

    def __init__(self, length: int) -> None:
        self.done = length == 0
        self.fault: Exception | None = None
        self.rest = b""
        self._length = length
        self._missing = length

    def skim(self, data: bytes) -> int:
        """Take bytes of the middle of the body; -1, and nothing is changed, for others."""
        if len(data) >= self._missing:
            return -1
        self._missing -= len(data)
        return len(data)

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
                f"the connection broke after {came} of the body's {self._length} bytes"
            )
