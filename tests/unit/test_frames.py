"""Frames out of bytes, cut anywhere."""

from __future__ import annotations

import struct
from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuts import parts, steps
from dynadock.errors import MalformedStream, TruncatedStream
from dynadock.wire import frames as frames_module
from dynadock.wire.frames import (
    ConsoleDecoder,
    EngineFault,
    Frame,
    FrameDecoder,
    encode_frame,
)

SAMPLE = [
    Frame("stdout", b"first\n"),
    Frame("stdout", b""),
    Frame("stderr", b"\x01\x00\x00\x00\x00\x00\x00\x05"),
    Frame("stderr", b"x" * 300),
    Frame("stdin", b"\r\n\x00"),
    Frame("stdout", b""),
    Frame("stdout", b"last"),
]
TYPES = {"stdin": 0, "stdout": 1, "stderr": 2}
TERMINAL_OUTPUT = b"total 4\r\ndrwxr-xr-x  2 root root\r\n"

FRAMES = st.lists(
    st.builds(Frame, st.sampled_from(sorted(TYPES)), st.binary(max_size=40)), max_size=12
)
CUTS = st.lists(st.integers(min_value=0, max_value=600), max_size=12)


def encoded(frames):
    return b"".join(encode_frame(*frame) for frame in frames)


def fault_frame(message):
    return struct.pack(">BxxxI", 3, len(message)) + message


def fed(pieces):
    decoder = FrameDecoder()
    return decoder, [frame for piece in pieces for frame in decoder.feed(piece)]


def feed_runs(decoder, data):
    return decoder.feed_pieces(data).runs()


def fed_runs(pieces):
    decoder = FrameDecoder()
    return decoder, [run for piece in pieces for run in feed_runs(decoder, piece)]


def in_order(frames):
    """Return what runs and frames have in common: channels in order and their joined data."""
    with_data = [(channel, data) for channel, data in frames if data]
    return [
        (channel, b"".join(data for _, data in group))
        for channel, group in groupby(with_data, lambda frame: frame[0])
    ]


@pytest.mark.parametrize(("channel", "number"), TYPES.items())
def test_a_frame_is_what_the_engine_sends(channel, number):
    data = bytes(range(256)) * 3
    assert encode_frame(channel, data) == struct.pack(">BxxxI", number, len(data)) + data


@pytest.mark.parametrize("size", range(1, len(encoded(SAMPLE)) + 1))
def test_pieces_of_every_size(size):
    decoder, frames = fed(steps(encoded(SAMPLE), size))
    assert frames == SAMPLE
    assert {type(frame) for frame in frames} == {Frame}
    decoder.finish()
    decoder, runs = fed_runs(steps(encoded(SAMPLE), size))
    assert in_order(runs) == in_order(SAMPLE)
    assert all(data for _, data in runs)
    decoder.finish()


@pytest.mark.parametrize("cut", range(len(encoded(SAMPLE)) + 1))
def test_split_at_every_byte(cut):
    data = encoded(SAMPLE)
    assert fed([data[:cut], data[cut:]])[1] == SAMPLE
    assert in_order(fed_runs([data[:cut], data[cut:]])[1]) == in_order(SAMPLE)


def test_the_last_frame_may_end_what_begins_inside_another():
    frames = [Frame("stdout", b"abc"), Frame("stderr", b"de")]
    data = encoded(frames)
    for cut in range(len(data) + 1):
        decoder, given = fed([data[:cut], data[cut:]])
        assert given == frames
        decoder.finish()


@pytest.mark.parametrize("cut", range(len(encoded(SAMPLE)) + 1))
def test_truncated_at_every_byte(cut):
    data = encoded(SAMPLE)
    ends = [len(encoded(SAMPLE[:count])) for count in range(len(SAMPLE) + 1)]
    whole = max(count for count, end in enumerate(ends) if end <= cut)
    behind = cut - ends[whole]
    for collect in (fed, fed_runs):
        decoder, given = collect([data[:cut]])
        if collect is fed:
            assert given == SAMPLE[:whole]
        else:
            begun = data[ends[whole] + 8 : cut]
            partial = [(SAMPLE[whole].channel, begun)] if begun else []
            assert in_order(given) == in_order([*SAMPLE[:whole], *partial])
        if not behind:
            decoder.finish()
            continue
        with pytest.raises(TruncatedStream) as caught:
            decoder.finish()
        if behind < 8:
            expected = f"inside the header of a frame, after {behind} of 8 bytes"
        else:
            expected = f"the data of a frame, after {behind - 8} of {len(SAMPLE[whole].data)} bytes"
        assert expected in str(caught.value)


def test_runs_join_neighbours_and_give_early_what_there_is():
    decoder = FrameDecoder()
    data = (
        encode_frame("stdout", b"a") + encode_frame("stdout", b"b") + encode_frame("stderr", b"c")
    )
    assert feed_runs(decoder, data) == [("stdout", b"ab"), ("stderr", b"c")]
    assert feed_runs(decoder, struct.pack(">BxxxI", 1, 2**32 - 1) + b"d") == [("stdout", b"d")]
    assert feed_runs(decoder, b"ef") == [("stdout", b"ef")]
    with pytest.raises(TruncatedStream, match=f"after 3 of {2**32 - 1} bytes"):
        decoder.finish()


def test_frames_come_whole():
    decoder = FrameDecoder()
    assert decoder.feed(struct.pack(">BxxxI", 1, 3) + b"a") == []
    assert decoder.feed(b"b") == []
    assert decoder.feed(b"c") == [Frame("stdout", b"abc")]


def test_frames_and_runs_may_be_read_in_turn():
    decoder = FrameDecoder()
    data = encode_frame("stderr", b"abcdef")
    assert decoder.feed(data[:10]) == []
    assert feed_runs(decoder, data[10:11]) == [("stderr", b"abc")]
    assert decoder.feed(data[11:12]) == []
    assert decoder.feed(data[12:]) == [Frame("stderr", b"def")]
    decoder.finish()


@pytest.mark.parametrize(
    "header",
    [
        TERMINAL_OUTPUT,
        b"\x04\x00\x00\x00\x00\x00\x00\x01a",
        b"\x01\x00\x00\x01\x00\x00\x00\x01a",
        b"\x01\x01\x00\x00\x00\x00\x00\x01a",
        b"\x03\x00\x01\x00\x00\x00\x00\x01a",
        b"\xff" * 8,
        b"?" * 8,
    ],
)
@pytest.mark.parametrize("size", [1, 5, 8, 9, 1000])
def test_what_are_no_frames(header, size):
    good = encoded(SAMPLE)
    for collect in (fed, fed_runs):
        decoder, given = collect(steps(good + header + good, size))
        assert in_order(given) == in_order(SAMPLE)
        assert isinstance(decoder.fault, MalformedStream)
        assert repr(header[:8]) in str(decoder.fault)
        assert "with_options(tty=True)" in str(decoder.fault)
        assert decoder.feed(good) == feed_runs(decoder, good) == []
        decoder.finish()


@pytest.mark.parametrize("feed", [FrameDecoder.feed, feed_runs])
@pytest.mark.parametrize("channel", TYPES)
def test_a_terminal_that_prints_a_channels_name_sends_no_frame(channel, feed):
    decoder = FrameDecoder()
    assert [*feed(decoder, channel.encode()), *feed(decoder, b" it is\r\n")] == []
    assert isinstance(decoder.fault, MalformedStream)
    assert repr(f"{channel} it is"[:8].encode()) in str(decoder.fault)


@pytest.mark.parametrize("size", [1, 7, 8, 11, 1000])
@pytest.mark.parametrize(
    ("message", "text"),
    [(b"no such disk\n", "no such disk"), (b"", ""), (b"\xff!", "\ufffd!")],
)
def test_an_error_of_the_engine(message, text, size):
    data = encoded(SAMPLE) + fault_frame(message) + encoded(SAMPLE)
    for collect in (fed, fed_runs):
        decoder, given = collect(steps(data, size))
        assert in_order(given) == in_order(SAMPLE)
        assert isinstance(decoder.fault, EngineFault)
        assert decoder.fault.message == str(decoder.fault) == text
        decoder.finish()


@pytest.mark.parametrize("size", [1, 1000])
def test_an_error_of_the_engine_cut_short(size):
    data = fault_frame(b"no such disk")[:-4]
    for collect in (fed, fed_runs):
        decoder, given = collect(steps(data, size))
        assert (given, decoder.fault) == ([], None)
        with pytest.raises(TruncatedStream, match="after 8 of 12 bytes"):
            decoder.finish()


def test_more_sizes_than_are_remembered(monkeypatch):
    monkeypatch.setattr(frames_module, "_LARGEST_CACHE", 3)
    frames_module._HEADERS.clear()
    frames = [Frame("stdout", b"x" * (size % 7)) for size in range(40)]
    assert fed([encoded(frames)])[1] == frames
    assert len(frames_module._HEADERS) <= 3


def test_no_bytes_are_nothing():
    decoder = FrameDecoder()
    assert decoder.feed(b"") == feed_runs(decoder, b"") == []
    decoder.finish()


def test_a_terminal_has_no_frames():
    decoder = ConsoleDecoder()
    assert decoder.feed(TERMINAL_OUTPUT) == [Frame("console", TERMINAL_OUTPUT)]
    assert feed_runs(decoder, TERMINAL_OUTPUT) == [("console", TERMINAL_OUTPUT)]
    assert decoder.feed(b"") == feed_runs(decoder, b"") == []
    assert decoder.feed(encoded(SAMPLE)) == [Frame("console", encoded(SAMPLE))]
    assert decoder.fault is None
    decoder.finish()


@given(FRAMES, CUTS)
def test_any_frames_cut_anywhere(frames, cuts):
    pieces = parts(encoded(frames), cuts)
    decoder, given_frames = fed(pieces)
    assert given_frames == frames
    decoder.finish()
    decoder, runs = fed_runs(pieces)
    assert in_order(runs) == in_order(frames)
    decoder.finish()


@given(FRAMES, CUTS, st.lists(st.booleans(), min_size=13, max_size=13))
def test_frames_and_runs_in_any_turn(frames, cuts, turns):
    decoder = FrameDecoder()
    read = []
    for piece, joined in zip(parts(encoded(frames), cuts), turns, strict=False):
        read += feed_runs(decoder, piece) if joined else decoder.feed(piece)
    assert in_order(read) == in_order(frames)
    decoder.finish()


@given(FRAMES, st.binary(max_size=60), CUTS)
def test_garbage_does_no_harm(frames, garbage, cuts):
    pieces = parts(encoded(frames) + garbage, cuts)
    for collect in (fed, fed_runs):
        decoder, given = collect(pieces)
        data = b"".join(data for _, data in given)
        assert data.startswith(b"".join(data for _, data in frames))
        assert decoder.fault is None or isinstance(decoder.fault, MalformedStream | EngineFault)
        try:
            decoder.finish()
        except TruncatedStream:
            assert decoder.fault is None


LEFT_OUT = b"\x01\0\0\0\0\0\0\x03out\n\x01\0\0\0\0\0\0\x04nolf\x02\0\0\0\0\0\0\x03err\n"


@pytest.mark.parametrize("size", range(1, len(LEFT_OUT) + 1))
@pytest.mark.parametrize("feed", [FrameDecoder.feed, feed_runs])
def test_a_line_feed_that_podman_leaves_out_of_its_frame_is_not_lost(size, feed):
    decoder = FrameDecoder()
    found: list[tuple[str, bytes]] = []
    for start in range(0, len(LEFT_OUT), size):
        found += feed(decoder, LEFT_OUT[start : start + size])
    decoder.finish()
    assert decoder.fault is None
    assert b"".join(data for channel, data in found if channel == "stdout") == b"out\nnolf"
    assert b"".join(data for channel, data in found if channel == "stderr") == b"err\n"


def test_a_line_feed_with_no_frame_before_it_is_a_terminals():
    decoder = FrameDecoder()
    assert decoder.feed(b"\n\x01\0\0\0\0\0\0\x03out") == []
    assert isinstance(decoder.fault, MalformedStream)
