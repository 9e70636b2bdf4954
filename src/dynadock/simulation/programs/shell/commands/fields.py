"""Commands over lines and their fields: cut, tr, sort, uniq, paste, fold."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from dynadock.simulation.programs.shell.commands.texts import count_of, whole
from dynadock.simulation.programs.shell.invocation import Lines, UsageError, read
from dynadock.simulation.programs.shell.patterns import CLASSES
from dynadock.simulation.programs.shell.printing import unescaped

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from dynadock.simulation.programs.shell.invocation import Invocation
    from dynadock.simulation.programs.shell.jobs import Coroutine

_ENDLESS = 1 << 31


def _ranges(text: str) -> list[tuple[int, int]] | None:
    """Return what ``1,3-5,7-`` selects, counted from 0 and sorted; None if it is no list."""
    found = []
    for part in text.split(","):
        match = re.fullmatch(r"(\d{0,9})(-?)(\d{0,9})", part)
        if not match or not (match[1] or match[3]):
            return None
        first = int(match[1] or 1)
        last = int(match[3] or _ENDLESS) if match[2] else first
        if first < 1 or last < first:
            return None
        found.append((first - 1, last))
    return sorted(found)


def run_cut(invocation: Invocation) -> Coroutine[int]:
    """Print parts of lines: -f fields (-d delimiter, -s only lines with some), -c, -b."""
    options = invocation.options("b:c:d:f:sn", {"output-delimiter": "O"})
    kinds = [letter for letter in "bcf" if letter in options]
    if len(kinds) != 1:
        raise UsageError("expected a list of bytes, characters, or fields", with_usage=False)
    kind = kinds[0]
    ranges = _ranges(options.values[kind])
    if ranges is None:
        return invocation.warn(f"invalid number '{options.values[kind]}'")
    delimiter = options.values.get("d", "\t").encode("utf-8", "surrogateescape")
    if len(delimiter) > 1:
        delimiter = delimiter[:1]
    for _, stream in invocation.inputs(options.operands):
        lines = Lines(stream)
        while some := (yield from lines.next()):
            for line in some:
                text = line.removesuffix(b"\n")
                cut = _cut(text, kind, ranges, delimiter)
                if cut is not None or "s" not in options:
                    invocation.put((text if cut is None else cut) + b"\n")
            yield from invocation.flush()
            yield invocation.now()
    return invocation.status


def _cut(line: bytes, kind: str, ranges: list[tuple[int, int]], delimiter: bytes) -> bytes | None:
    if kind != "f":
        return _selected(line, ranges)
    if delimiter not in line:
        return None
    fields = line.split(delimiter)
    chosen: list[bytes] = []
    done = 0
    for first, last in ranges:
        chosen += fields[max(first, done) : last]
        done = max(done, last)
    return delimiter.join(chosen)


def _selected(line: bytes, ranges: list[tuple[int, int]]) -> bytes:
    chosen = []
    done = 0
    for first, last in ranges:
        chosen.append(line[max(first, done) : last])
        done = max(done, last)
    return b"".join(chosen)


def run_tr(invocation: Invocation) -> Coroutine[int]:
    """Replace bytes of one set by those of another; -d deletes, -s squeezes, -c all others."""
    options = invocation.options("cCds", stop=True)
    if not options.operands:
        raise UsageError
    first = _set_of(options.operands[0])
    second = _set_of(options.operands[1]) if len(options.operands) > 1 else b""
    if "c" in options or "C" in options:
        first = bytes(sorted(set(range(256)) - set(first)))
    deletes = "d" in options
    table = None
    if not deletes and second:
        targets = second.ljust(len(first), second[-1:])
        mapping = dict(zip(first[::-1], targets[: len(first)][::-1], strict=True))
        table = bytes(mapping.get(byte, byte) for byte in range(256))
    squeezed = set(second or first) if "s" in options else set()
    pattern = None
    if squeezed:
        inside = b"".join(re.escape(bytes([byte])) for byte in sorted(squeezed))
        pattern = re.compile(b"([" + inside + b"])\\1+", re.DOTALL)
    last = b""
    while block := (yield from read(invocation.input)):
        block = block.translate(table, first) if deletes else block.translate(table)
        if pattern is not None and block:
            joined = pattern.sub(rb"\1", last + block)
            block, last = joined[len(last) :], b""
            last = (joined or last)[-1:]
            last = last if last and last[0] in squeezed else b""
        yield from invocation.write(block)
        yield invocation.now()
    return 0


def _set_of(text: str) -> bytes:
    data = unescaped(text).encode("utf-8", "surrogateescape")
    found = bytearray()
    at = 0
    while at < len(data):
        named = re.compile(rb"\[:(\w+):\]").match(data, at)
        if named and named[1].decode() in CLASSES:
            expression = re.compile(f"[{CLASSES[named[1].decode()]}]".encode())
            found += b"".join(expression.findall(bytes(range(256))))
            at = named.end()
        elif data[at + 1 : at + 2] == b"-" and at + 2 < len(data):
            found += bytes(range(data[at], data[at + 2] + 1))
            at += 3
        else:
            found.append(data[at])
            at += 1
    return bytes(found)


def run_sort(invocation: Invocation) -> Coroutine[int]:
    """Sort lines: -n, -r, -u, -f, -k FIELD, -t SEPARATOR, -o FILE, -h, -b, -c, -V."""
    options = invocation.options("nrufk:t:o:hbcsVgimMzdT:S:")
    lines: list[bytes] = []
    for name, stream in invocation.inputs(options.operands, status=2):
        try:
            data = yield from whole(stream)
        except OSError as error:
            invocation.warn_of(name, error, status=2)
            continue
        found = data.split(b"\n")
        lines += found[:-1] if not found[-1] else found
        yield invocation.now()
    if invocation.status:
        return invocation.status
    keys = _sort_keys(options.lists.get("k", []), options.letters, options.values.get("t"))
    if "c" in options:
        return _is_sorted(invocation, lines, keys)
    for key, reverse in [*keys][::-1]:
        lines.sort(key=key, reverse=reverse)
    if "u" in options:
        lines = _unique(lines, [key for key, _ in keys][:-1] or [keys[0][0]])
    data = b"".join(line + b"\n" for line in lines)
    if "o" in options:
        path = invocation.disk.path(options.values["o"])
        invocation.disk.files.write(path, data)
    else:
        yield from invocation.write(data)
    return 0


def _sort_keys(
    fields: list[str], letters: str, separator: str | None
) -> list[tuple[Callable[[bytes], Any], bool]]:
    """Return what to sort by and whether it is reversed; the last one is for equal lines."""
    delimiter = separator.encode("utf-8", "surrogateescape") if separator else None
    reverse = "r" in letters
    kinds = "".join(letter for letter in letters if letter in "nhfgVbdiM")
    found: list[tuple[Callable[[bytes], Any], bool]] = []
    for field in fields:
        match = re.fullmatch(
            r"(\d{1,6})(?:\.(\d{1,6}))?([a-zA-Z]*)(?:,(\d{1,6})(?:\.(\d{1,6}))?([a-zA-Z]*))?", field
        )
        if not match:
            raise UsageError(f"bad field specification '{field}'", 2, with_usage=False)
        own = (match[3] or "") + (match[6] or "")
        first, last = int(match[1]), int(match[4] or _ENDLESS)
        begin, end = int(match[2] or 1), int(match[5] or 0)
        value = _value_of(own.replace("r", "") or kinds)
        cut = _field_of(first, begin, last, end, delimiter)
        found.append((_composed(value, cut), "r" in own or reverse))
    if not fields:
        found.append((_value_of(kinds), reverse))
    if fields or kinds:
        found.append((lambda line: line, reverse))
    return found


def _composed(
    value: Callable[[bytes], Any], cut: Callable[[bytes], bytes]
) -> Callable[[bytes], Any]:
    return lambda line: value(cut(line))


def _field_of(
    first: int, begin: int, last: int, end: int, delimiter: bytes | None
) -> Callable[[bytes], bytes]:
    blank = re.compile(rb"[ \t]*[^ \t]*")

    def cut(line: bytes) -> bytes:
        if delimiter is None:
            fields = [field for field in blank.findall(line) if field]
            joint = b""
        else:
            fields, joint = line.split(delimiter), delimiter
        chosen = fields[first - 1 : last]
        if end and len(chosen) == last - first + 1:
            chosen[-1] = chosen[-1][:end]
        return joint.join(chosen)[begin - 1 :]

    return cut


_NUMBER = re.compile(rb"\s*(-?\d*\.?\d*)")
_UNITS = b" KMGTPE"


def _numeric(text: bytes) -> float:
    found = _NUMBER.match(text)
    try:
        return float(found[1][:300]) if found else 0.0
    except ValueError:
        return 0.0


def _human(text: bytes) -> tuple[int, float]:
    found = _NUMBER.match(text)
    unit = text[found.end() : found.end() + 1].upper() if found else b""
    return (_UNITS.find(unit) if unit else 0, _numeric(text))


def _version(text: bytes) -> list[tuple[int, Any]]:
    parts = re.findall(rb"\d{1,300}|\D+", text)
    return [(0, int(part)) if part.isdigit() else (1, part) for part in parts]


def _value_of(kinds: str) -> Callable[[bytes], Any]:
    if "h" in kinds:
        return _human
    if "n" in kinds or "g" in kinds:
        return _numeric
    if "V" in kinds:
        return _version
    if "f" in kinds:
        return bytes.upper
    if "b" in kinds:
        return bytes.lstrip
    return bytes


def _unique(lines: list[bytes], keys: list[Callable[[bytes], Any]]) -> list[bytes]:
    found: list[bytes] = []
    before: object = None
    for line in lines:
        value = [key(line) for key in keys]
        if value != before:
            found.append(line)
        before = value
    return found


def _is_sorted(
    invocation: Invocation, lines: list[bytes], keys: list[tuple[Callable[[bytes], Any], bool]]
) -> int:
    key, reverse = keys[0]
    for before, after in pairwise(lines):
        first, second = key(before), key(after)
        if (first < second) if reverse else (first > second):
            return 1
    return invocation.status


def run_uniq(invocation: Invocation) -> Coroutine[int]:
    """Leave out lines like the one before: -c counts, -d repeated ones, -u single ones, -i."""
    options = invocation.options("cduif:s:w:")
    skipped = count_of(options.values.get("f", "0")) or 0
    target = options.operands[1] if len(options.operands) > 1 else None
    before: bytes | None = None
    count = 0
    key: bytes | None = None
    found: list[bytes] = []

    def finish() -> None:
        if before is None or ("d" in options and count < 2) or ("u" in options and count > 1):  # noqa: PLR2004
            return
        shown = b"%7d %s\n" % (count, before) if "c" in options else before + b"\n"
        if target is None:
            invocation.put(shown)
        else:
            found.append(shown)

    for _, stream in invocation.inputs(options.operands[:1], "can't open"):
        lines = Lines(stream)
        while some := (yield from lines.next()):
            for line in some:
                text = line.removesuffix(b"\n")
                own = (
                    re.sub(rb"^(?:\s*\S+){%d}" % min(skipped, 100), b"", text) if skipped else text
                )
                own = own.lower() if "i" in options else own
                if before is not None and own == key:
                    count += 1
                    continue
                finish()
                before, key, count = text, own, 1
            yield from invocation.flush()
            yield invocation.now()
    finish()
    if target is not None and not invocation.status:
        invocation.disk.files.write(invocation.disk.path(target), b"".join(found))
    return invocation.status


def run_paste(invocation: Invocation) -> Coroutine[int]:
    """Put files' lines side by side; -s one file's lines in one line, -d what stands between."""
    options = invocation.options("d:s")
    joints = unescaped(options.values.get("d", "\t")).encode("utf-8", "surrogateescape") or b"\0"
    columns = []
    names = options.operands or ["-"]
    dashes, seen = names.count("-"), 0
    typed: list[bytes] | None = None
    for name, stream in invocation.inputs(names):
        if name != "-" or typed is None:
            data = yield from whole(stream)
            lines = data.removesuffix(b"\n").split(b"\n") if data else []
        if name == "-":
            typed = lines if typed is None else typed
            lines = typed[seen::dashes]
            seen += 1
        columns.append(lines)
    rows = columns
    if "s" not in options:
        height = max(map(len, columns), default=0)
        rows = [
            [column[at] if at < len(column) else b"" for column in columns] for at in range(height)
        ]
    for row in rows:
        line = row[:1]
        for at, text in enumerate(row[1:]):
            line += [joints[at % len(joints) : at % len(joints) + 1].replace(b"\0", b""), text]
        invocation.put(b"".join(line) + b"\n")
    return invocation.status


def run_fold(invocation: Invocation) -> Coroutine[int]:
    """Break lines at a width (-w)."""
    options = invocation.options("bsw:")
    width = count_of(options.values.get("w", "80")) or 80
    for _, stream in invocation.inputs(options.operands):
        lines = Lines(stream)
        while some := (yield from lines.next()):
            for line in some:
                text = line.removesuffix(b"\n")
                pieces = [text[at : at + width] for at in range(0, len(text), width)] or [b""]
                invocation.put(b"\n".join(pieces) + line[len(text) :])
            yield from invocation.flush()
            yield invocation.now()
    return invocation.status
