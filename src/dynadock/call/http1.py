"""HTTP/1.1 as a client speaks it (RFC 9112), without any input or output of its own.

Requests become bytes; the bytes of a reply become a `Head` and, through the decoder that the head
asks for, a body. Decoders never lose what came before a fault: ``feed`` gives what is good and sets
``fault``, which the caller raises after having used it.
"""

from __future__ import annotations

import re
import sys
from functools import partial
from io import SEEK_END, BytesIO
from typing import TYPE_CHECKING, NamedTuple, Protocol

from dynadock.call.record import Headers, header_case
from dynadock.call.uploads import Measured
from dynadock.errors import MalformedStream, TruncatedStream

if TYPE_CHECKING:
    from dynadock.call.request import Request

LONGEST_HEAD = 256 * 1024
"""Bytes of a reply's head, interim heads included."""

LARGEST_CHUNK = sys.maxsize
"""Bytes; more than that Python cannot be asked to read."""

LONGEST_CHUNK_LINE = 16 * 1024
"""Bytes of a chunk's size with its extensions."""

LONGEST_TRAILERS = 64 * 1024
"""Bytes of all that may stand behind the last chunk."""

LAST_CHUNK = b"0\r\n\r\n"
"""What ends a body sent in chunks."""

SWITCHING_PROTOCOLS = 101
FIRST_FINAL = 200
NO_CONTENT = 204
NOT_MODIFIED = 304

CRLF = b"\r\n"

_FRAMING = frozenset({"content-length", "transfer-encoding"})
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_TARGET = re.compile(r"[\x21-\x7e]+")
_UNSAFE_IN_HEADER = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")

_END_OF_HEAD = re.compile(rb"\n\r?\n")
_LINE_END = re.compile(r"\r?\n")
_FOLD = re.compile(r"\r?\n[ \t]+")
_STATUS_LINE = re.compile(r"HTTP/1\.[0-9] ([1-9][0-9][0-9])(?: ([^\r\0]*))?")
_LENGTH = re.compile(r"[0-9]{1,18}")

_EXTENSIONS = rb"[ \t]*(?:;[^\0\r\n]*)?"
_CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,15})" + _EXTENSIONS + rb"\r\n")
_CHUNK_LINE_BEGUN = re.compile(rb"(?:[0-9A-Fa-f]{1,15}" + _EXTENSIONS + rb"\r?)?")
_LAST_CHUNK_LINE = re.compile(rb"0{1,15}" + _EXTENSIONS + rb"\r\n")
_LONGEST_PLAIN_LINE = 17
_MOST_SIZES = 4096


def request_head(request: Request, host: str) -> bytes:
    """Return what a request begins with: its line and headers, up to the body.

    The framing follows from the body: its length where that is known, chunks for other iterators, a
    length of 0 for POST and PUT without a body (RFC 9110, section 8.6). A ``Host`` among the
    request's headers goes before ``host``; framing among them is dropped. Raises ValueError for
    what would end a line or a field early.
    """
    if not _TOKEN.fullmatch(request.method):
        raise ValueError(f"the method {request.method!r} is no token")
    if not _TARGET.fullmatch(request.target):
        raise ValueError(f"the target {request.target!r} would break the request line")
    fields = {"Host": host}
    for name, value in request.headers.items():
        if name.lower() == "host":
            fields["Host"] = value
        elif name.lower() not in _FRAMING:
            fields[name] = value
    fields.update(_framing(request))
    for name, value in fields.items():
        if not _TOKEN.fullmatch(name) or _UNSAFE_IN_HEADER.search(value):
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


def chunk(data: bytes) -> bytes:
    """Return ``data`` as one chunk; no bytes make no chunk, as an empty one would end the body."""
    return b"%x\r\n%b\r\n" % (len(data), data) if data else b""


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
        if not colon or not _TOKEN.fullmatch(name) or _UNSAFE_IN_HEADER.search(value):
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


class Chunked:
    """A body in chunks (RFC 9112, section 7.1); extensions and trailers are dropped."""

    def __init__(self) -> None:
        self.done = False
        self.fault: Exception | None = None
        self.rest = b""
        self._place = "size"  # or payload, end, trailers: where the data ended
        self._kept = b""  # what has come of a line
        self._size = 0  # of the chunk at hand
        self._missing = 0  # bytes of it still to come
        self._trailers = 0  # bytes of trailers that have come
        self._joints: dict[int, _Joints] = {}  # by their width
        self._likely = _Joints(0)  # those as wide as the last one

    def feed(self, data: bytes) -> bytes:
        """Return the bytes of all chunks in ``data``."""
        if self.done:
            self.rest += data
        if self.done or self.fault is not None:
            return b""
        if len(data) < self._missing:
            self._missing -= len(data)
            return data
        body = self._read_over_joint(data) if self._missing else b""
        return body or self._read(BytesIO(self._kept + data))

    def _read_over_joint(self, data: bytes) -> bytes:
        """Return the body in ``data`` if that goes from one chunk into the next and no further.

        So large chunks come, which are copied only once here.
        """
        joints = self._likely
        behind = self._missing + joints.width
        size = joints[data[self._missing : behind]]
        joints.odd = b""
        came = len(data) - behind
        if not 0 <= came < size:
            return b""
        view = memoryview(data)
        body = b"".join((view[: self._missing], view[behind:]))
        self._begin_payload(size, came)
        return body

    def _read(self, stream: BytesIO) -> bytes:
        self._kept = b""
        pieces: list[bytes] = []
        if self._place == "payload":
            pieces.append(stream.read(self._missing))
            self._missing = 0
            self._place = "end"
        if self._place == "end":
            self._read_alike(stream, pieces)
        if self._place == "end":
            self._end_chunk(stream.read(2))
        if self._place == "size":
            self._read_chunks(stream, pieces)
        if self._place == "trailers":
            self._read_trailers(stream)
        return b"".join(pieces)

    def _read_alike(self, stream: BytesIO, pieces: list[bytes]) -> None:
        """Read what chunks have a joint as wide as the last: two steps for each, and no line."""
        read = stream.read
        joints = self._likely
        before = len(pieces)
        pieces += map(read, map(joints.__getitem__, iter(partial(read, joints.width), b"")))
        if joints.odd:
            stream.seek(-len(joints.odd) - len(pieces.pop()), SEEK_END)
            joints.odd = b""
            if len(pieces) > before:
                self._size = len(pieces[-1])
        elif len(pieces) > before:
            came = len(pieces[-1])
            start = stream.tell() - came
            joint = stream.getvalue()[start - joints.width : start]
            self._begin_payload(joints[joint], came)

    def _read_chunks(self, stream: BytesIO, pieces: list[bytes]) -> None:
        read = stream.read
        append = pieces.append
        for line in iter(stream.readline, b""):
            size = _SIZES[line]
            append(read(size))
            end = read(2)
            if end != CRLF:
                break
        else:
            return
        if size < 0:
            stream.seek(-len(pieces.pop()), SEEK_END)
            self._read_size(line)
            return
        self._note_joint(line)
        self._begin_payload(size, len(pieces[-1]))
        if not self._missing:
            self._end_chunk(end)

    def _note_joint(self, line: bytes) -> None:
        width = len(CRLF) + len(line) if len(line) <= _LONGEST_PLAIN_LINE else 0
        if width not in self._joints:
            self._joints[width] = _Joints(width)
        self._likely = self._joints[width]

    def _begin_payload(self, size: int, came: int) -> None:
        self._size = size
        self._missing = size - came
        self._place = "payload" if self._missing else "end"

    def _read_size(self, line: bytes) -> None:
        """Take a line that announces no ordinary chunk: the last one, a part of one, or none."""
        if len(line) > LONGEST_CHUNK_LINE:
            self._fail(f"the line of a chunk is longer than {LONGEST_CHUNK_LINE} bytes")
        elif _LAST_CHUNK_LINE.fullmatch(line):
            self._place = "trailers"
        elif _CHUNK_LINE_BEGUN.fullmatch(line):
            self._kept = line
        else:
            self._fail(f"no chunk begins with {line[:40]!r}")

    def _end_chunk(self, end: bytes) -> None:
        if end == CRLF:
            self._place = "size"
        elif CRLF.startswith(end):
            self._place = "end"
            self._kept = end
        else:
            self._fail(f"a chunk of {self._size} bytes ends with {end!r}, not CRLF")

    def _read_trailers(self, stream: BytesIO) -> None:
        for line in iter(stream.readline, b""):
            if line == CRLF:
                self.done = True
                self.rest = stream.read()
            elif self._trailers + len(line) > LONGEST_TRAILERS:
                self._fail(f"the trailers are longer than {LONGEST_TRAILERS} bytes")
            elif line.endswith(CRLF):
                self._trailers += len(line)
                continue
            elif line.endswith(b"\n"):
                self._fail(f"a trailer ends without CRLF: {line[:40]!r}")
            else:
                self._kept = line
            return

    def _fail(self, reason: str) -> None:
        self.fault = MalformedStream(f"the body's chunks are broken: {reason}")

    def finish(self) -> None:
        """Raise TruncatedStream unless the last chunk and what ends it have come."""
        if self.done or self.fault is not None:
            return
        where = {
            "size": "before the last chunk",
            "payload": f"after {self._size - self._missing} of a chunk's {self._size} bytes",
            "end": f"behind the {self._size} bytes of a chunk, before its end",
            "trailers": "behind the last chunk, before the body's end",
        }[self._place]
        raise TruncatedStream(f"the connection ended {where}")


class _Sizes(dict[bytes, int]):
    """Chunks' sizes by their lines: looking one up is much faster than reading it.

    What announces no ordinary chunk stands for all that follows.
    """

    def __missing__(self, line: bytes) -> int:
        found = _CHUNK_LINE.fullmatch(line)
        size = int(found[1], 16) if found else 0
        if not 0 < size <= LARGEST_CHUNK or len(line) > LONGEST_CHUNK_LINE:
            return -1
        if len(line) <= _LONGEST_PLAIN_LINE:
            if len(self) >= _MOST_SIZES:
                self.clear()
            self[line] = size
        return size


_SIZES = _Sizes()


class _Joints(dict[bytes, int]):
    """Chunks' sizes by their joints: the end of the chunk before, and the line.

    ``odd`` is one that is not of this width or announces no ordinary chunk; it stands for all that
    follows.
    """

    def __init__(self, width: int) -> None:
        self.width = width
        self.odd = b""

    def __missing__(self, joint: bytes) -> int:
        alike = len(joint) == self.width and joint.startswith(CRLF)
        size = _SIZES[joint[len(CRLF) :]] if alike else -1
        if size < 0:
            self.odd = joint
        else:
            if len(self) >= _MOST_SIZES:
                self.clear()
            self[joint] = size
        return size
