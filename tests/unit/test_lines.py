"""Lines out of output, cut anywhere."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynadock.wire.frames import Frame, Pieces
from dynadock.wire.lines import Line, LineAssembler

NANO = "2026-11-23T15:59:27.338614253Z"
LATER = "2026-11-23T15:59:27.339173786Z"
SECONDS = "2026-11-23T15:59:30Z"
PART = 16384
"""Docker's engines cut a line after so many bytes and write the time again."""

TEXTS = st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]), max_size=8)
CHANNELS = st.sampled_from(["stdout", "stderr"])


def assembled(runs, **options):
    assembler = LineAssembler(**options)
    return [line for run in runs for line in feed(assembler, [run])] + assembler.finish()


def feed(assembler, runs):
    return [*assembler.feed(Pieces.of(runs))]


def bytewise(runs):
    return [(channel, bytes([byte])) for channel, data in runs for byte in data]


PLAIN = {
    "whole lines": ([("stdout", b"a\nb\n")], [("stdout", "a"), ("stdout", "b")]),
    "no end": ([("stdout", b"a\nb")], [("stdout", "a"), ("stdout", "b")]),
    "empty lines": ([("stderr", b"\n\na\n\n")], [("stderr", text) for text in ("", "", "a", "")]),
    "nothing": ([("stdout", b"")], []),
    "over runs": (
        [("stdout", b"a"), ("stdout", b""), ("stdout", b"b"), ("stdout", b"c\nd\n")],
        [("stdout", "abc"), ("stdout", "d")],
    ),
    "channels apart": (
        [("stdout", b"out"), ("stderr", b"err\nER"), ("stdout", b"put\n"), ("stderr", b"R\n")],
        [("stderr", "err"), ("stdout", "output"), ("stderr", "ERR")],
    ),
    "ends without line feed": (
        [("stdout", b"a"), ("stderr", b"b"), ("stdout", b"c")],
        [("stdout", "ac"), ("stderr", "b")],
    ),
    "carriage returns are text": (
        [("stdout", b"10%\r20%\r\nx\r")],
        [("stdout", "10%\r20%\r"), ("stdout", "x\r")],
    ),
    "a terminal's line ends": (
        [("console", b"10%\r20%\r\nx\r\r\n\r\ny\r")],
        [("console", text) for text in ("10%\r20%", "x\r", "", "y\r")],
    ),
    "other separators are text": (
        [("stdout", "a\u2028b\u2029c\x0bd\x0ce\x85f\x1cg\n".encode())],
        [("stdout", "a\u2028b\u2029c\x0bd\x0ce\x85f\x1cg")],
    ),
    "no text": (
        [("stdout", b"\xff\xfe\n\xc3")],
        [("stdout", "\ufffd\ufffd"), ("stdout", "\ufffd")],
    ),
    "UTF-8": ([("stdout", "Zürich ☃\n".encode())], [("stdout", "Zürich ☃")]),
}


@pytest.mark.parametrize(("runs", "lines"), PLAIN.values(), ids=PLAIN)
def test_lines(runs, lines):
    expected = [Line(*line) for line in lines]
    assert assembled(runs) == expected
    assert assembled(bytewise(runs)) == expected
    assembler = LineAssembler()
    at_once = feed(assembler, runs) + assembler.finish()
    assert at_once == expected
    assert {type(line) for line in at_once} <= {Line}


@pytest.mark.parametrize("cut", range(len("Zürich ☃\r\n\r\n".encode()) + 1))
@pytest.mark.parametrize("channel", ["stdout", "console"])
def test_split_at_every_byte(cut, channel):
    data = "Zürich ☃\r\n\r\n".encode()
    expected = ["Zürich ☃", ""] if channel == "console" else ["Zürich ☃\r", "\r"]
    lines = assembled([(channel, data[:cut]), (channel, data[cut:])])
    assert [line.text for line in lines] == expected


def test_lines_come_as_soon_as_they_are_whole():
    assembler = LineAssembler()
    assert feed(assembler, [("stdout", b"a")]) == []
    assert feed(assembler, [("stdout", b"\nb")]) == [Line("stdout", "a")]
    assert assembler.finish() == [Line("stdout", "b")]
    assert assembler.finish() == []


@pytest.mark.parametrize(
    ("encoding", "text"), [("latin-1", "Zürich"), ("cp1252", "€"), ("shift_jis", "日本")]
)
def test_other_encodings(encoding, text):
    runs = [("stdout", f"{text}\n{text}".encode(encoding))]
    expected = [Line("stdout", text)] * 2
    assert assembled(runs, encoding=encoding) == expected
    assert assembled(bytewise(runs), encoding=encoding) == expected


@pytest.mark.parametrize(
    ("encoding", "errors", "error"),
    [
        ("utf-16", "replace", ValueError),
        ("utf-32-le", "replace", ValueError),
        ("no-such", "replace", LookupError),
        ("utf-8", "no-such", LookupError),
    ],
)
def test_what_no_lines_can_be_made_with(encoding, errors, error):
    with pytest.raises(error):
        LineAssembler(encoding, errors)


def test_errors_are_as_asked_for():
    assert assembled([("stdout", b"a\xff\n")], errors="ignore") == [Line("stdout", "a")]
    for cut in ([b"a\nb\nc\xff\nd\n"], [b"a\nb", b"\nc", b"\xff\nd\n"]):
        assembler = LineAssembler("utf-8", "strict")
        lines = [line for data in cut for line in feed(assembler, [("stdout", data)])]
        assert lines == [Line("stdout", "a"), Line("stdout", "b")]
        with pytest.raises(UnicodeDecodeError):
            raise assembler.fault


@pytest.mark.parametrize(
    ("timestamp", "time"),
    [
        (None, None),
        (NANO, datetime(2026, 11, 23, 15, 59, 27, 338614, tzinfo=UTC)),
        (SECONDS, datetime(2026, 11, 23, 15, 59, 30, tzinfo=UTC)),
        (
            "2026-11-23T15:59:30.5+01:30",
            datetime(2026, 11, 23, 15, 59, 30, 500000, timezone(timedelta(minutes=90))),
        ),
    ],
)
def test_time(timestamp, time):
    line = Line("stdout", "", timestamp)
    assert line.time == time
    assert time is None or line.time.tzinfo is not None


def frame(stamp, text, channel="stdout"):
    return Frame(channel, f"{stamp} ".encode() + text)


STAMPED = {
    "a line a frame": (
        [frame(NANO, b"a\n"), frame(LATER, b"\n"), frame(SECONDS, b"b\n", "stderr")],
        [("stdout", "a", NANO), ("stdout", "", LATER), ("stderr", "b", SECONDS)],
    ),
    "a long line as Docker sends it": (
        [
            frame(NANO, b"x" * PART),
            frame(LATER, b"e\n", "stderr"),
            frame(NANO, b"x" * PART),
            frame(NANO, b"y\n"),
            frame(LATER, b"z\n"),
        ],
        [
            ("stderr", "e", LATER),
            ("stdout", "x" * PART * 2 + "y", NANO),
            ("stdout", "z", LATER),
        ],
    ),
    "a long line as Podman sends it": (
        [frame(SECONDS, b"x" * 8192), frame("2026-11-23T15:59:31Z", b"y"), frame(SECONDS, b"\n")],
        [("stdout", "x" * 8192 + "y", SECONDS)],
    ),
    "a character cut by frames": (
        [frame(NANO, b"\xe2\x98"), frame(NANO, b"\x83\n")],
        [("stdout", "☃", NANO)],
    ),
    "no end": (
        [frame(NANO, b"a"), frame(LATER, b"b", "stderr"), frame(LATER, b"c")],
        [("stdout", "ac", NANO), ("stderr", "b", LATER)],
    ),
    "several lines a frame": (
        [frame(NANO, b"a\nb"), frame(LATER, b"c\nd\ne\nf")],
        [
            ("stdout", "a", NANO),
            ("stdout", "bc", NANO),
            ("stdout", "d", LATER),
            ("stdout", "e", LATER),
            ("stdout", "f", LATER),
        ],
    ),
    "times in the text stay": (
        [frame(NANO, f"{NANO} a {LATER} b\n".encode())],
        [("stdout", f"{NANO} a {LATER} b", NANO)],
    ),
    "no time": (
        [("stdout", b"a\nb"), ("stdout", b"c\n"), ("stdout", b"2026-11-23 15:59 d\n")],
        [("stdout", "a", None), ("stdout", "bc", None), ("stdout", "2026-11-23 15:59 d", None)],
    ),
    "a terminal": (
        [("console", f"{NANO} a\r\n{LATER} b\r\n{LATER} \r\n{LATER} c".encode())],
        [("console", "a", NANO), *[("console", text, LATER) for text in ("b", "", "c")]],
    ),
    "a long line at a terminal of Docker": (
        [
            ("console", f"{NANO} {'x' * PART}{NANO} ".encode() + b"x" * (PART - 1) + b"\xc3"),
            ("console", f"{NANO} ".encode() + b"\xa4y\r\n"),
        ],
        [("console", "x" * (2 * PART - 1) + "äy", NANO)],
    ),
    "a program's own times at a terminal": (
        [("console", f"{SECONDS} {SECONDS} a\r\n{NANO} {LATER} b\r\n".encode())],
        [("console", f"{SECONDS} a", SECONDS), ("console", f"{LATER} b", NANO)],
    ),
    "a terminal without times": ([("console", b"a\r\nb")], [("console", t, None) for t in "ab"]),
}


@pytest.mark.parametrize(("frames", "lines"), STAMPED.values(), ids=STAMPED)
def test_lines_with_times(frames, lines):
    expected = [Line(*line) for line in lines]
    assert assembled(frames, timestamps=True) == expected
    assembler = LineAssembler(timestamps=True)
    assert feed(assembler, frames) + assembler.finish() == expected


def test_times_at_a_terminal_come_cut_anywhere():
    frames, lines = STAMPED["a terminal"]
    assert assembled(bytewise(frames), timestamps=True) == [Line(*line) for line in lines]


@given(st.lists(st.tuples(CHANNELS, TEXTS)), st.integers(min_value=1, max_value=9))
def test_any_lines_cut_anywhere(lines, size):
    runs = []
    for channel, text in lines:
        data = f"{text}\n".encode()
        runs += [(channel, data[start : start + size]) for start in range(0, len(data), size)]
    assert assembled(runs) == [Line(*line) for line in lines]


@given(st.lists(st.tuples(CHANNELS, st.binary(max_size=12))))
def test_no_byte_is_lost_and_none_made_up(runs):
    lines = assembled(runs, encoding="latin-1")
    for name in ("stdout", "stderr"):
        sent = b"".join(data for channel, data in runs if channel == name)
        texts = [line.text for line in lines if line.channel == name]
        assert "\n".join(texts) == sent.decode("latin-1").removesuffix("\n")


@given(st.lists(st.tuples(st.sampled_from(["stdout", "console"]), st.binary(max_size=40))))
def test_garbage_does_no_harm(runs):
    for timestamps in (False, True):
        lines = assembled(runs, timestamps=timestamps)
        assert all("\n" not in line.text for line in lines)
