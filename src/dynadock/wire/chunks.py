r"""Bodies in chunked transfer coding (RFC 9112, section 7.1), decoded and encoded without any I/O.

The input. A chunk is a line with its size in hexadecimal (and perhaps extensions), that many bytes
of data, and a CRLF. A chunk of size 0 is the last one; after it may come trailer fields, and an
empty line ends the body. What this module calls a separator lies between the data of two chunks::

    5 CRLF  h e l l o  CRLF 3 CRLF  b y e  CRLF 0 CRLF  CRLF
    \____/  \_______/  \_________/  \___/  \_________/  \__/
     size     data      separator   data    separator   empty
     line                                               line

These bytes come from a socket in blocks that are cut anywhere, between CR and LF too. Engines send
a log with a chunk for each frame, so that there may be hundreds of thousands of short chunks.

Why there is no plain loop. To search for each CRLF, call ``int(line, 16)``, slice the data out and
check what ends it takes about five times as long as the fast path for chunks of some 100 bytes: all
of these are steps of the interpreter.

The fast path (`_read_same_width`). The sizes of successive chunks mostly have the same number of
digits, and so the separators have the same width. Then two reads take a chunk, one of that width
and one of the data, and a dict gives the size for the separator's bytes. Nothing is searched or
parsed, and ``map()`` runs the loop in C. A dict learns a separator only after its size line has
matched the grammar, so the fast path accepts no more than the slow one.

Leaving it. Any other bytes are looked up as `_NOT_A_CHUNK`, which is -1 and thus makes ``read()``
take all that is left: the loop ends by itself, without a test for each chunk, and what was read too
far is given back with ``seek()``. From there `_read_lines` goes on, with ``readline()`` and a
lookup of the size line for each chunk (nearly twice the time of the fast path). It ends at a line
that announces no ordinary chunk: `_read_irregular_line` tells the last chunk, an incomplete line
and a malformed one apart.

Large chunks. Where a block begins in the data of one chunk and ends in that of the next, its two
parts are joined directly (`_read_across_separator`), which copies them only once.

Short replies. A value often comes as one chunk, in one block with the last chunk. Then its size
proves that the whole block is right, and one slice is the body (`_read_only_chunk`).

Between two blocks ``_state`` is the place where the input has ended:

- ``size``: in a size line, whose beginning is in ``_partial_line``;
- ``data``: in a chunk's data, of which ``_remaining`` bytes (at least one) are still to come;
- ``end``: after the data, before the end of its CRLF; ``_partial_line`` holds the CR, if it came;
- ``trailers``: after the last size line; ``_partial_line`` holds the beginning of a trailer field.
"""

from __future__ import annotations

import re
import sys
from functools import partial
from io import SEEK_END, BytesIO

from dynadock.errors import MalformedStream, TruncatedStream
from dynadock.wire.fields import CONTROLS, NAME, check_coding, fields_in, length_in

LARGEST_CHUNK = sys.maxsize
"""Bytes; more than that Python cannot be asked to read."""

LONGEST_CHUNK_LINE = 4 * 1024
"""Bytes of a chunk's size with its extensions; one that comes byte by byte is read each time."""

LONGEST_TRAILERS = 64 * 1024
"""Bytes of all trailer fields."""

LAST_CHUNK = b"0\r\n\r\n"
"""What ends a body sent in chunks."""

CRLF = b"\r\n"

_END_OF_ONLY_CHUNK = CRLF + LAST_CHUNK

# Possessive, or what is no whole line would be tried again from each of its ends.
_EXTENSIONS = rb"[ \t]*+(?:;[^\0\r\n]*+)?+"
_CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,20})" + _EXTENSIONS + rb"\r\n")
_CHUNK_LINE_BEGUN = re.compile(rb"(?:[0-9A-Fa-f]{1,20}" + _EXTENSIONS + rb"\r?)?")
_LAST_CHUNK_LINE = re.compile(rb"0{1,20}" + _EXTENSIONS + rb"\r\n")
_FIRST_LINE = re.compile(rb"([0-9A-Fa-f]{1,15})\r\n")
_SEPARATOR = re.compile(rb"\r\n(?:\Z|([0-9A-Fa-f]{1,15})\r\n)")
_MOST_SKIMMED = 8
"""Chunks in a block that are skimmed: many short ones are faster decoded."""

_TRAILER = re.compile(f"{NAME}:[^{CONTROLS}]*\r\n".encode())
_FOLDED = re.compile(f"[ \t][^{CONTROLS}]*\r\n".encode())

_LONGEST_CACHED_LINE = 17
"""Bytes of a line that is remembered: 15 digits and CRLF; extensions may be new each time."""

_LARGEST_CACHE = 4096
"""Entries; a full dict is emptied."""

_NOT_A_CHUNK = -1
"""The size that a lookup gives for bytes that announce no ordinary chunk (see above)."""


def chunk(data: bytes) -> bytes:
    """Return ``data`` as one chunk; no bytes make no chunk, as an empty one would end the body."""
    return b"%x\r\n%b\r\n" % (len(data), data) if data else b""


class Chunked:
    """Decodes a body in chunks (RFC 9112, section 7.1); extensions and trailers are dropped.

    Framing has no place in trailers (RFC 9110, section 6.5.1); what would be a fault of a head's
    framing is one there too, as whoever sends it may mean another end of the body.

    ``done`` is set at the body's end, ``rest`` is what came after it, and ``fault`` what is wrong
    with the chunks; what came before a fault is returned first.
    """

    def __init__(self) -> None:
        self.done = False
        self.fault: Exception | None = None
        self.rest = b""
        self._state = "size"  # or data, end, trailers: see the head of this module
        self._partial_line = b""
        self._size = 0  # of the current chunk
        self._remaining = 0  # bytes of its data that are still to come
        self._trailers = bytearray()  # the lines of trailer fields so far
        self._separators: dict[int, _Separators] = {}  # by their width
        self._expected = _Separators(0)  # those as wide as the last one

    def feed(self, data: bytes) -> bytes:
        """Return the bytes of all chunks in ``data``."""
        if self.done:
            self.rest += data
        if self.done or self.fault is not None:
            return b""
        if len(data) < self._remaining:
            self._remaining -= len(data)
            return data
        read = self._read_across_separator if self._remaining else self._read_only_chunk
        return read(data) or self._read(BytesIO(self._partial_line + data))

    def skim(self, data: bytes) -> int:
        """Take bytes without decoding them, where that is simple; return how many are the body's.

        That is where there are few chunks, and their lines and ends are not cut. Else this changes
        nothing and returns -1, and they are to be fed.
        """
        position = remaining = self._remaining
        length = len(data)
        if length < remaining:
            self._remaining -= length
            return length
        if self._partial_line or self._state not in ("data", "size") or self.fault is not None:
            return -1
        size, received = self._size, 0
        line = (_SEPARATOR if remaining else _FIRST_LINE).match(data, position)
        for _ in range(_MOST_SKIMMED):
            if line is None:
                return -1
            received += remaining
            if line[1] is None:
                # The bytes end with the chunk.
                self._begin_data(size, size)
                self._state = "size"
                return received
            size = remaining = int(line[1], 16)
            left = length - line.end()
            if left < size:
                self._begin_data(size, left)
                return received + left
            line = _SEPARATOR.match(data, line.end() + size) if size else None
        return -1

    def _read_only_chunk(self, data: bytes) -> bytes:
        """Return the body if ``data`` is all of it, in one chunk. Else change nothing."""
        if self._state != "size" or self._partial_line or not data.endswith(_END_OF_ONLY_CHUNK):
            return b""
        line = data[: data.find(b"\n", 0, _LONGEST_CACHED_LINE) + 1]
        if _SIZES[line] != len(data) - len(line) - len(_END_OF_ONLY_CHUNK):
            return b""
        self.done = True
        return data[len(line) : -len(_END_OF_ONLY_CHUNK)]

    def _read_across_separator(self, data: bytes) -> bytes:
        """Return the body's part of ``data`` if that ends in the data of the very next chunk.

        Else return nothing and change nothing. Large chunks are copied only once here.
        """
        separators = self._expected
        start = self._remaining + separators.width
        size = separators[data[self._remaining : start]]
        separators.mismatch = b""
        received = len(data) - start
        if not 0 <= received < size:
            return b""
        view = memoryview(data)
        body = b"".join((view[: self._remaining], view[start:]))
        self._begin_data(size, received)
        return body

    def _read(self, stream: BytesIO) -> bytes:
        self._partial_line = b""
        pieces: list[bytes] = []
        if self._state == "data":
            pieces.append(stream.read(self._remaining))
            self._remaining = 0
            self._state = "end"
        if self._state == "end":
            self._read_same_width(stream, pieces)
        if self._state == "end":
            self._end_chunk(stream.read(2))
        if self._state == "size":
            self._read_lines(stream, pieces)
        if self._state == "trailers":
            self._read_trailers(stream)
        return b"".join(pieces)

    def _read_same_width(self, stream: BytesIO, pieces: list[bytes]) -> None:
        """Read chunks as long as each separator is as wide as the last one: the fast path."""
        read = stream.read
        separators = self._expected
        before = len(pieces)
        pieces += map(read, map(separators.__getitem__, iter(partial(read, separators.width), b"")))
        if separators.mismatch:
            # The last piece is all that followed the mismatch: give both back.
            stream.seek(-len(separators.mismatch) - len(pieces.pop()), SEEK_END)
            separators.mismatch = b""
            if len(pieces) > before:
                self._size = len(pieces[-1])
        elif len(pieces) > before:
            # The bytes ended with, or within, the data of the last chunk.
            received = len(pieces[-1])
            start = stream.tell() - received
            separator = stream.getvalue()[start - separators.width : start]
            self._begin_data(separators[separator], received)

    def _read_lines(self, stream: BytesIO, pieces: list[bytes]) -> None:
        """Read chunks, each by its size line, up to the first that is not whole or not ordinary."""
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
        if size == _NOT_A_CHUNK:
            # The last piece is all that followed the line: give it back.
            stream.seek(-len(pieces.pop()), SEEK_END)
            self._read_irregular_line(line)
            return
        self._expect_width(line)
        self._begin_data(size, len(pieces[-1]))
        if not self._remaining:
            self._end_chunk(end)

    def _expect_width(self, line: bytes) -> None:
        """Expect separators as wide as one with this size line; width 0 shuts the fast path."""
        width = len(CRLF) + len(line) if len(line) <= _LONGEST_CACHED_LINE else 0
        if width not in self._separators:
            self._separators[width] = _Separators(width)
        self._expected = self._separators[width]

    def _begin_data(self, size: int, received: int) -> None:
        self._size = size
        self._remaining = size - received
        self._state = "data" if self._remaining else "end"

    def _read_irregular_line(self, line: bytes) -> None:
        """Take a line that announces no ordinary chunk: the last one, a part of one, or none."""
        if len(line) > LONGEST_CHUNK_LINE:
            self._fail(f"the line of a chunk is longer than {LONGEST_CHUNK_LINE} bytes")
        elif _LAST_CHUNK_LINE.fullmatch(line):
            self._state = "trailers"
        elif _CHUNK_LINE_BEGUN.fullmatch(line):
            self._partial_line = line
        else:
            self._fail(f"no chunk begins with {line[:40]!r}")

    def _end_chunk(self, end: bytes) -> None:
        if end == CRLF:
            self._state = "size"
        elif CRLF.startswith(end):
            self._state = "end"
            self._partial_line = end
        else:
            self._fail(f"a chunk of {self._size} bytes ends with {end!r}, not CRLF")

    def _read_trailers(self, stream: BytesIO) -> None:
        for line in iter(stream.readline, b""):
            if line == CRLF:
                self._end(stream.read())
            elif len(self._trailers) + len(line) > LONGEST_TRAILERS:
                self._fail(f"the trailers are longer than {LONGEST_TRAILERS} bytes")
            elif not line.endswith(b"\n"):
                self._partial_line = line
            elif _TRAILER.fullmatch(line) or (self._trailers and _FOLDED.fullmatch(line)):
                self._trailers += line
                continue
            else:
                self._fail(f"no trailer is {line[:40]!r}")
            return

    def _end(self, rest: bytes) -> None:
        try:
            _check_trailers(self._trailers.decode("latin-1").removesuffix("\r\n"))
        except MalformedStream as fault:
            self._fail(f"in the trailers, {fault}")
            return
        self.done = True
        self.rest = rest

    def _fail(self, reason: str) -> None:
        self.fault = MalformedStream(f"the body's chunks are broken: {reason}")

    def finish(self) -> None:
        """Raise TruncatedStream unless the last chunk and what ends it have come."""
        if self.done or self.fault is not None:
            return
        where = {
            "size": "before the last chunk",
            "data": f"after {self._size - self._remaining} of a chunk's {self._size} bytes",
            "end": f"after all {self._size} bytes of a chunk, before the CRLF that ends it",
            "trailers": "after the last chunk, before the empty line that ends the body",
        }[self._state]
        raise TruncatedStream(f"the connection broke {where}")


def _check_trailers(text: str) -> None:
    """Raise MalformedStream for framing among trailers that would be none in a head either."""
    fields: dict[str, list[str]] = {}
    for name, value in fields_in(text) if text else ():
        fields.setdefault(name.lower(), []).append(value)
    if "content-length" in fields:
        length_in(",".join(fields["content-length"]))
    if "transfer-encoding" in fields:
        check_coding(",".join(fields["transfer-encoding"]))


class _Sizes(dict[bytes, int]):
    """Sizes of chunks by their size lines; `_NOT_A_CHUNK` for any other bytes."""

    def __missing__(self, line: bytes) -> int:
        found = _CHUNK_LINE.fullmatch(line)
        size = int(found[1], 16) if found else 0
        if not 0 < size <= LARGEST_CHUNK or len(line) > LONGEST_CHUNK_LINE:
            return _NOT_A_CHUNK
        if len(line) <= _LONGEST_CACHED_LINE:
            if len(self) >= _LARGEST_CACHE:
                self.clear()
            self[line] = size
        return size


_SIZES = _Sizes()


class _Separators(dict[bytes, int]):
    """Sizes of chunks by the separators of one width that announce them.

    A separator is the CRLF that ends the data of one chunk, and the size line of the next. Other
    bytes have the size `_NOT_A_CHUNK` and are left in ``mismatch``: those of another width, too.
    """

    def __init__(self, width: int) -> None:
        self.width = width
        self.mismatch = b""

    def __missing__(self, separator: bytes) -> int:
        fits = len(separator) == self.width and separator.startswith(CRLF)
        size = _SIZES[separator[len(CRLF) :]] if fits else _NOT_A_CHUNK
        if size == _NOT_A_CHUNK:
            self.mismatch = separator
        else:
            if len(self) >= _LARGEST_CACHE:
                self.clear()
            self[separator] = size
        return size
