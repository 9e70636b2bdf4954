"""Bodies in chunks (RFC 9112, section 7.1), to and fro, without any input or output of its own."""

from __future__ import annotations

import re
import sys
from functools import partial
from io import SEEK_END, BytesIO

from dynadock.errors import MalformedStream, TruncatedStream
from dynadock.wire.fields import CONTROLS, NAME

LARGEST_CHUNK = sys.maxsize
"""Bytes; more than that Python cannot be asked to read."""

LONGEST_CHUNK_LINE = 4 * 1024
"""Bytes of a chunk's size with its extensions; one that comes byte by byte is read each time."""

LONGEST_TRAILERS = 64 * 1024
"""Bytes of all that may stand behind the last chunk."""

LAST_CHUNK = b"0\r\n\r\n"
"""What ends a body sent in chunks."""

CRLF = b"\r\n"

# Possessive, or what is no whole line would be tried again from each of its ends.
_EXTENSIONS = rb"[ \t]*+(?:;[^\0\r\n]*+)?+"
_CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,15})" + _EXTENSIONS + rb"\r\n")
_CHUNK_LINE_BEGUN = re.compile(rb"(?:[0-9A-Fa-f]{1,15}" + _EXTENSIONS + rb"\r?)?")
_LAST_CHUNK_LINE = re.compile(rb"0{1,15}" + _EXTENSIONS + rb"\r\n")
_TRAILER = re.compile(f"{NAME}:[^{CONTROLS}]*\r\n".encode())
_FOLDED = re.compile(f"[ \t][^{CONTROLS}]*\r\n".encode())
_LONGEST_PLAIN_LINE = 17
_MOST_SIZES = 4096


def chunk(data: bytes) -> bytes:
    """Return ``data`` as one chunk; no bytes make no chunk, as an empty one would end the body."""
    return b"%x\r\n%b\r\n" % (len(data), data) if data else b""


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
            elif not line.endswith(b"\n"):
                self._kept = line
            elif _TRAILER.fullmatch(line) or (self._trailers and _FOLDED.fullmatch(line)):
                self._trailers += len(line)
                continue
            else:
                self._fail(f"no trailer is {line[:40]!r}")
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
        raise TruncatedStream(f"the connection broke {where}")


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
