"""Commands that show files, or parts of them: cat, head, tail, wc, tac, rev, nl, tee."""

from __future__ import annotations

import re
from collections import deque
from typing import TYPE_CHECKING

from dynadock.simulation.programs.shell.descriptors import BLOCK
from dynadock.simulation.programs.shell.invocation import (
    Lines,
    UsageError,
    read,
    split_lines,
    words_of,
    write,
)

if TYPE_CHECKING:
    from dynadock.simulation.programs.shell.descriptors import Stream
    from dynadock.simulation.programs.shell.invocation import Invocation
    from dynadock.simulation.programs.shell.jobs import Coroutine

_SUFFIXES = {
    "": 1,
    "b": 512,
    "c": 1,
    "k": 1024,
    "K": 1024,
    "m": 1 << 20,
    "M": 1 << 20,
    "G": 1 << 30,
}
_TURN = 16
_BUFFER = 4096
"""Bytes that the C library takes from a pipe at once; what is not needed of them is lost."""

_MOST_KEPT = 64 * 1024 * 1024
_FOLLOW_EVERY = 10**9


def count_of(text: str) -> int | None:
    """Return a count with a suffix as in ``64k``; None if it is none."""
    found = re.fullmatch(r"(\d{1,15})([bckKmMG]?)", text)
    return int(found[1]) * _SUFFIXES[found[2]] if found else None


def run_cat(invocation: Invocation) -> Coroutine[int]:
    """Print files; -n counts lines, -b those that are not empty, -e, -t, -v, -A show more."""
    options = invocation.options("nbvteAu")
    shows = {"v", "e", "t", "A", "n", "b"} & set(options.letters)
    counter = 0
    turns = 0
    for _, stream in invocation.inputs(options.operands, "can't open"):
        try:
            if shows:
                counter = yield from _cat_lines(invocation, stream, options.letters, counter)
                continue
            while block := (yield from read(stream)):
                yield from invocation.write(block)
                turns += 1
                if turns % _TURN == 0:
                    yield invocation.now()
        except BrokenPipeError:
            raise
        except OSError as error:
            invocation.warn(f"read error: {words_of(error)}")
    return invocation.status


def _cat_lines(
    invocation: Invocation, stream: Stream, letters: str, counter: int
) -> Coroutine[int]:
    lines = Lines(stream)
    while some := (yield from lines.next()):
        for line in some:
            text = line.removesuffix(b"\n")
            ends = line[len(text) :]
            if "A" in letters or {"v", "e", "t"} & set(letters):
                text = _visible(text, tabs="t" in letters or "A" in letters)
            if ends and ("e" in letters or "A" in letters):
                ends = b"$\n"
            if "n" in letters or ("b" in letters and text):
                counter += 1
                text = b"%6d\t%s" % (counter, text)
            invocation.put(text + ends)
        yield from invocation.flush()
        yield invocation.now()
    return counter


def _visible(text: bytes, *, tabs: bool) -> bytes:
    found = []
    for byte in text:
        mark = b"M-" if byte > 127 else b""  # noqa: PLR2004 - the eighth bit
        low = byte & 127
        if low == 9 and not mark and not tabs:  # noqa: PLR2004 - a tab
            found.append(b"\t")
        elif low < 32 or low == 127:  # noqa: PLR2004 - control characters
            found.append(mark + b"^" + bytes([low ^ 64]))
        else:
            found.append(mark + bytes([low]))
    return b"".join(found)


def _old_style(arguments: list[str]) -> list[str]:
    """Return arguments with ``-5`` as ``-n 5``."""
    if arguments and re.fullmatch(r"-\d+", arguments[0]):
        return ["-n", arguments[0][1:], *arguments[1:]]
    return arguments


def run_head(invocation: Invocation) -> Coroutine[int]:
    """Print the first lines (-n) or bytes (-c) of files."""
    invocation.arguments = _old_style(invocation.arguments)
    options = invocation.options("n:c:qv", {"lines": "n", "bytes": "c"})
    is_bytes = "c" in options
    text = options.values.get("c" if is_bytes else "n", "10")
    count = count_of(text.removeprefix("-"))
    if count is None:
        return invocation.warn(f"invalid number '{text}'")
    shows_names = "v" in options or (len(options.operands) > 1 and "q" not in options)
    is_first = True
    for name, stream in invocation.inputs(options.operands):
        if shows_names:
            shown = "standard input" if name == "-" else name
            invocation.print(f"{'' if is_first else chr(10)}==> {shown} <==")
        is_first = False
        try:
            if text.startswith("-"):
                yield from _all_but(invocation, stream, count, is_bytes=is_bytes)
            elif is_bytes:
                yield from _first_bytes(invocation, stream, count)
            else:
                yield from _first_lines(invocation, stream, count)
        except BrokenPipeError:
            raise
        except OSError as error:
            invocation.warn_of(name, error)
    return invocation.status


def _first_bytes(invocation: Invocation, stream: Stream, count: int) -> Coroutine[None]:
    yield from invocation.flush()
    turns = 0
    while count and (block := (yield from read(stream, min(count, BLOCK)))):
        yield from invocation.write(block)
        count -= len(block)
        turns += 1
        if turns % _TURN == 0:
            yield invocation.now()


def _first_lines(invocation: Invocation, stream: Stream, count: int) -> Coroutine[None]:
    """Print lines and take no more from the stream, so that others may read on."""
    while count:
        piece = stream.peek()
        if piece is None:
            yield from invocation.flush()
            yield None
            continue
        if not piece:
            return
        piece = piece[:BLOCK]
        end = -1
        while count and (found := piece.find(b"\n", end + 1)) >= 0:
            end = found
            count -= 1
        taken = len(piece) if count else end + 1
        invocation.put(piece[:taken])
        stream.skip(taken if stream.can_rewind else min(len(piece), max(taken, _BUFFER)))
        if invocation.is_due:
            yield from invocation.flush()
            yield invocation.now()


def _all_but(
    invocation: Invocation, stream: Stream, count: int, *, is_bytes: bool
) -> Coroutine[None]:
    if is_bytes:
        data = yield from _whole(stream)
        invocation.put(data[: max(len(data) - count, 0)])
        return
    kept: deque[bytes] = deque()
    lines = Lines(stream)
    while some := (yield from lines.next()):
        for line in some:
            kept.append(line)
            if len(kept) > count:
                invocation.put(kept.popleft())
        yield from invocation.flush()
        yield invocation.now()


def _whole(stream: Stream) -> Coroutine[bytes]:
    blocks = []
    size = 0
    while block := (yield from read(stream)):
        blocks.append(block)
        size += len(block)
        if size > _MOST_KEPT:
            raise OSError(12, "Cannot allocate memory")
    return b"".join(blocks)


def whole(stream: Stream) -> Coroutine[bytes]:
    """Return all that a stream holds.

    Raises:
        OSError: It cannot be read, or is too much.

    """
    return (yield from _whole(stream))


def run_tail(invocation: Invocation) -> Coroutine[int]:
    """Print the last lines (-n) or bytes (-c) of files; ``+N`` begins there; -f waits for more."""
    invocation.arguments = _old_style(invocation.arguments)
    options = invocation.options("n:c:fqvFs:", {"lines": "n", "bytes": "c", "follow": "f"})
    is_bytes = "c" in options
    text = options.values.get("c" if is_bytes else "n", "10")
    count = count_of(text.lstrip("+-"))
    if count is None:
        return invocation.warn(f"invalid number '{text}'")
    opened = [*invocation.inputs(options.operands, "can't open")]
    if not opened:
        return invocation.warn("no files")
    shows_names = "v" in options or (len(options.operands) > 1 and "q" not in options)
    for index, (name, stream) in enumerate(opened):
        if shows_names:
            shown = "standard input" if name == "-" else name
            invocation.print(f"{chr(10) if index else ''}==> {shown} <==")
        if text.startswith("+"):
            yield from _from(invocation, stream, count, is_bytes=is_bytes)
        else:
            yield from _last(invocation, stream, count, is_bytes=is_bytes)
        yield from invocation.flush()
    if "f" in options or "F" in options:
        yield from _follow(invocation, opened)
    return invocation.status


def _from(invocation: Invocation, stream: Stream, begin: int, *, is_bytes: bool) -> Coroutine[None]:
    left = max(begin - 1, 0)
    if is_bytes:
        while left and (block := (yield from read(stream, min(left, BLOCK)))):
            left -= len(block)
    else:
        lines = Lines(stream)
        while some := (yield from lines.next()):
            invocation.put(b"".join(some[left:]))
            left = max(left - len(some), 0)
            yield from invocation.flush()
        return
    while block := (yield from read(stream)):
        yield from invocation.write(block)


def _last(invocation: Invocation, stream: Stream, count: int, *, is_bytes: bool) -> Coroutine[None]:
    if is_bytes:
        kept = b""
        while block := (yield from read(stream)):
            kept = (kept + block)[-count:] if count else b""
        invocation.put(kept)
        return
    lines = Lines(stream)
    last: deque[bytes] = deque(maxlen=count)
    while some := (yield from lines.next()):
        last.extend(some)
        yield invocation.now()
    invocation.put(b"".join(last))


def _follow(invocation: Invocation, opened: list[tuple[str, Stream]]) -> Coroutine[None]:
    while True:
        for _, stream in opened:
            while block := stream.read(BLOCK):
                yield from invocation.write(block)
        yield invocation.now() + _FOLLOW_EVERY


def run_wc(invocation: Invocation) -> Coroutine[int]:
    """Count lines (-l), words (-w), bytes (-c), characters (-m), the longest line (-L)."""
    options = invocation.options("lwcmL")
    wanted = [letter for letter in "lwmcL" if letter in options] or ["l", "w", "c"]
    total = [0] * len(wanted)
    rows: list[tuple[list[int], str]] = []
    for name, stream in invocation.inputs(options.operands):
        try:
            counts = yield from _counts(invocation, stream, wanted)
        except OSError as error:
            invocation.warn_of(name, error)
            continue
        row = [counts[letter] for letter in wanted]
        total = [
            a + b if w != "L" else max(a, b) for a, b, w in zip(total, row, wanted, strict=True)
        ]
        rows.append((row, name if options.operands else ""))
    if len(options.operands) > 1:
        rows.append((total, "total"))
    for row, name in rows:
        width = 1 if len(wanted) == len(rows) == 1 else 9
        texts = [f"{number:{width}d}" if width > 1 else str(number) for number in row]
        invocation.print(" ".join([*texts, name] if name else texts))
    return invocation.status


def _counts(invocation: Invocation, stream: Stream, wanted: list[str]) -> Coroutine[dict[str, int]]:
    counts = dict.fromkeys("lwcmL", 0)
    in_word = False
    column = turns = 0
    while block := (yield from read(stream)):
        counts["l"] += block.count(b"\n")
        counts["c"] += len(block)
        if "w" in wanted:
            words = len(block.split())
            counts["w"] += words - (in_word and not block[:1].isspace())
            in_word = not block[-1:].isspace()
        if "L" in wanted:
            *lines, rest = block.split(b"\n")
            widths = [column + len(lines[0]), *map(len, lines[1:])] if lines else []
            column = len(rest) if lines else column + len(rest)
            counts["L"] = max(counts["L"], column, *widths)
        turns += 1
        if turns % _TURN == 0:
            yield invocation.now()
    return {**counts, "m": counts["c"]}


def run_tac(invocation: Invocation) -> Coroutine[int]:
    """Print lines in reverse."""
    for name, stream in invocation.inputs(invocation.options("").operands):
        try:
            data = yield from _whole(stream)
        except OSError as error:
            invocation.warn_of(name, error)
            continue
        invocation.put(b"".join(split_lines(data)[::-1]))
    return invocation.status


def run_rev(invocation: Invocation) -> Coroutine[int]:
    """Print each line backwards."""
    for _, stream in invocation.inputs(invocation.options("").operands):
        lines = Lines(stream)
        while some := (yield from lines.next()):
            for line in some:
                text = line.removesuffix(b"\n")
                invocation.put(text[::-1] + line[len(text) :])
            yield from invocation.flush()
            yield invocation.now()
    return invocation.status


def run_nl(invocation: Invocation) -> Coroutine[int]:
    """Print lines with numbers; -b a counts empty ones too."""
    options = invocation.options("b:w:s:v:i:p")
    counts_all = options.values.get("b", "t") == "a"
    width = count_of(options.values.get("w", "6")) or 6
    separator = options.values.get("s", "\t").encode("utf-8", "surrogateescape")
    number = count_of(options.values.get("v", "1")) or 0
    for _, stream in invocation.inputs(options.operands):
        lines = Lines(stream)
        while some := (yield from lines.next()):
            for line in some:
                if line == b"\n" and not counts_all:
                    invocation.put(b" " * (min(width, 100) + len(separator)) + line)
                    continue
                invocation.put(f"{number:{min(width, 100)}d}".encode() + separator + line)
                number += 1
            yield from invocation.flush()
            yield invocation.now()
    return invocation.status


def run_tee(invocation: Invocation) -> Coroutine[int]:
    """Copy the input to files and to the output; -a adds to them."""
    options = invocation.options("ai")
    outputs = [invocation.descriptors[1]]
    for name in options.operands:
        try:
            outputs.append(
                invocation.disk.writer(name, invocation.descriptors, append="a" in options)
            )
        except (OSError, ValueError) as error:
            invocation.warn_of(name, error)
    yield from invocation.flush()
    while block := (yield from read(invocation.input)):
        for output in outputs:
            yield from write(output, block)
    return invocation.status


def run_cmp(invocation: Invocation) -> Coroutine[int]:
    """Say where two files differ; -s says nothing."""
    options = invocation.options("ls")
    if not 1 <= len(options.operands) <= 2:  # noqa: PLR2004 - the other one is the input
        raise UsageError
    first, second = [*options.operands, "-"][:2]
    opened = []
    for name in (first, second):
        try:
            opened.append(invocation.open(name))
        except (OSError, ValueError) as error:
            return invocation.warn_of(name, error, status=2)
    one = yield from _whole(opened[0])
    other = yield from _whole(opened[1])
    if one == other:
        return 0
    if "s" not in options:
        at = _difference(one, other)
        if at == min(len(one), len(other)):
            invocation.warn(f"EOF on {first if len(one) < len(other) else second}")
        else:
            line = one.count(b"\n", 0, at) + 1
            invocation.print(f"{first} {second} differ: char {at + 1}, line {line}")
    return 1


def _difference(one: bytes, other: bytes) -> int:
    """Return how many bytes are the same, found by halves."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def run_dd(invocation: Invocation) -> Coroutine[int]:
    """Copy blocks: if=, of=, bs=, count=, skip=, seek=, conv=notrunc, status=none."""
    given: dict[str, str] = {}
    for argument in invocation.arguments:
        name, equals, value = argument.partition("=")
        if not equals or name not in _DD:
            raise UsageError
        given[name] = value
    numbers = {name: count_of(given[name]) for name in _NUMBERS if name in given}
    for name, number in numbers.items():
        if number is None or (name.endswith("bs") and number == 0):
            return invocation.warn(f"invalid number '{given[name]}'")
    try:
        copy = _Copy(invocation, given, {name: count or 0 for name, count in numbers.items()})
    except OSError as error:
        return invocation.warn_of(str(error.filename), error, "can't open")
    yield from copy.run()
    if given.get("status") not in {"none", "noxfer"}:
        invocation.warn_plainly(f"{copy.records} records in\n{copy.records} records out")
    return invocation.status


_SETTINGS = "if of bs ibs obs count skip seek conv iflag oflag status"
_DD = frozenset(_SETTINGS.split())
_NUMBERS = ("bs", "ibs", "obs", "count", "skip", "seek")


class _Copy:
    """What dd copies, from where to where."""

    def __init__(
        self, invocation: Invocation, given: dict[str, str], numbers: dict[str, int]
    ) -> None:
        self._invocation = invocation
        self._size = numbers.get("bs", numbers.get("ibs", 512))
        self._left = numbers["count"] * self._size if "count" in numbers else None
        self._skipped = numbers.get("skip", 0) * self._size
        self._copied = 0
        keeps = "notrunc" in given.get("conv", "") or "seek" in numbers
        name = given.get("if", "-")
        try:
            self._source = invocation.open(name)
            name = given.get("of", "-")
            self._target = invocation.descriptors[1]
            if "of" in given:
                disk = invocation.disk
                self._target = disk.writer(name, invocation.descriptors, append=keeps)
        except OSError as error:
            error.filename = name
            raise

    @property
    def records(self) -> str:
        """How many whole blocks were copied, and how many parts of one."""
        return f"{self._copied // self._size}+{int(self._copied % self._size > 0)}"

    def run(self) -> Coroutine[None]:
        while self._skipped and (block := (yield from self._read(self._skipped))):
            self._skipped -= len(block)
        turns = 0
        while self._left is None or self._left > 0:
            block = yield from self._read(BLOCK if self._left is None else self._left)
            if not block:
                break
            yield from write(self._target, block)
            self._copied += len(block)
            self._left = None if self._left is None else self._left - len(block)
            turns += 1
            if turns % _TURN == 0:
                yield self._invocation.now()

    def _read(self, most: int) -> Coroutine[bytes]:
        return (yield from read(self._source, min(most, BLOCK)))
