"""JSON values out of bytes, cut anywhere."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuts import parts, steps
from dynadock.errors import MalformedStream, TooLarge, TruncatedStream
from dynadock.record import DEEPEST, Record
from dynadock.wire.json_values import JsonDecoder
from samples import JSON_VALUES

CUTS = st.lists(st.integers(min_value=0, max_value=400), max_size=10)
SEPARATORS = st.sampled_from(["\n", "\r\n", "\n\n", " ", "\t", "\x1e", "\n\x1e", "\r\n \x1e "])
ENCODERS = st.sampled_from(
    [
        json.dumps,
        lambda value: json.dumps(value, indent=2),
        lambda value: json.dumps(value, separators=(",", ":"), ensure_ascii=False),
    ]
)


def fed(pieces, limit=None):
    """Return the decoder and its values, those that only the end brings last."""
    decoder = JsonDecoder(limit)
    values = [value for piece in pieces for value in decoder.feed(piece)]
    return decoder, values


def read(pieces):
    decoder, values = fed(pieces)
    values += decoder.finish()
    assert decoder.fault is None
    return values


GOOD = {
    "nothing": (b"", []),
    "white space": (b" \r\n\t\n", []),
    "one": (b'{"a":1}', [{"a": 1}]),
    "lines": (b'{"a":1}\n{"b":[1,{"c":null}]}\n', [{"a": 1}, {"b": [1, {"c": None}]}]),
    "CRLF": (b'{"a":1}\r\n{"a":2}\r\n', [{"a": 1}, {"a": 2}]),
    "nothing between": (b'{"a":1}{"a":2}[3]"x"[]{}', [{"a": 1}, {"a": 2}, [3], "x", [], {}]),
    "text sequence": (b'\x1e{"a":1}\n\x1e[2]\n\x1e3\n', [{"a": 1}, [2], 3]),
    "pretty": (b'{\n  "a": [\n    1\n  ]\n}\n{\n}\n', [{"a": [1]}, {}]),
    "scalars": (
        b'1 -2.5e3\ntrue\x1efalse\tnull "x" 0',
        [1, -2500.0, True, False, None, "x", 0],
    ),
    "scalars beside brackets": (b'1[2]3{"a":4}5"x"6', [1, [2], 3, {"a": 4}, 5, "x", 6]),
    "a constant last": (b"[1]true", [[1], True]),
    "brackets in strings": (b'{"}{":"][\\"}"}["]\\\\"]', [{"}{": ']["}'}, ["]\\"]]),
    "escapes": (b'["\\u00e4\\\\\\n\\/"]"\\"\\\\"', [["ä\\\n/"], '"\\']),
    "UTF-8": ('{"ä":"☃𝄞"}"€"'.encode(), [{"ä": "☃𝄞"}, "€"]),
    "byte order mark": (b'\xef\xbb\xbf{"a":1}', [{"a": 1}]),
    "mark alone": (b"\xef\xbb\xbf", []),
    "no UTF-8": (b'{"stream":"\xff\xc3|"}', [{"stream": "\ufffd\ufffd|"}]),
    "UTF-8 cut by the string's end": (b'["\xe2\x98"]', [["\ufffd"]]),
    "half a surrogate pair": (b'["\\ud800"]', [["\ud800"]]),
    "large numbers": (b"[1e999,123456789012345678901]", [[math.inf, 123456789012345678901]]),
}


@pytest.mark.parametrize(("data", "values"), GOOD.values(), ids=GOOD)
def test_values_cut_anywhere(data, values):
    cuts = [[data[:cut], data[cut:]] for cut in range(len(data) + 1)]
    for pieces in [*cuts, *(steps(data, size) for size in (1, 2, 3, 5))]:
        assert read(pieces) == values


def test_objects_are_records_all_the_way_down():
    for pieces in ([b'{"a":[{"b":{"c":1}}]}'], steps(b'{"a":[{"b":{"c":1}}]}', 1)):
        (value,) = read(pieces)
        assert value.a[0].b.c == 1
        assert type(value) is type(value.a[0].b) is Record


@pytest.mark.parametrize(
    ("data", "behind"),
    [(b'{"a":[1]}', b""), (b'[{"a":"]"}]', b""), (b'"x"', b""), (b"12", b"\n"), (b"true", b"[")],
)
def test_values_come_with_their_last_byte(data, behind):
    decoder = JsonDecoder()
    for piece in steps(data + behind, 1)[:-1]:
        assert decoder.feed(piece) == []
    assert decoder.feed((data + behind)[-1:]) == [json.loads(data)]


@pytest.mark.parametrize(("data", "values"), GOOD.values(), ids=GOOD)
def test_truncated_at_every_byte(data, values):
    for cut in range(len(data)):
        decoder, given_values = fed([data[:cut]])
        assert given_values == values[: len(given_values)]
        begun = data[:cut].decode(errors="ignore").lstrip("\ufeff \t\r\n\x1e")
        try:
            last = decoder.finish()
        except TruncatedStream:
            # No way to read it as whole values exists.
            with pytest.raises(ValueError, match=r"."):
                json.loads(begun)
            continue
        if decoder.fault is None:
            # The rest of what came was whole, or a number that may have been cut.
            assert len(given_values) + len(last) <= len(values)
        else:
            # A cut character outside of any value: a byte order mark.
            assert data.startswith(b"\xef\xbb\xbf")
            assert cut < 3


@pytest.mark.parametrize(
    ("data", "begins"),
    [
        (b'{"a":1}\n{"b"', '{"b"'),
        (b"[[1]", "[[1]"),
        (b'"x', '"x'),
        (b'"x\\"', '"x\\\\"'),
        (b"tru", "tru"),
        (b"-", "-"),
        (b"1.", "1."),
        (b"1e+", "1e+"),
        (b"-Infin", "-Infin"),
    ],
)
def test_what_is_truncated(data, begins):
    decoder, _ = fed([data])
    with pytest.raises(TruncatedStream) as caught:
        decoder.finish()
    assert f"that begins with '{begins}'" in str(caught.value)
    assert decoder.fault is None


BAD = {
    "a page": b"<html><head></head>",
    "text": b"OK\n",
    "frames": b"\x01\x00\x00\x00\x00\x00\x00\x05hello",
    "comma between": b',{"a":1}',
    "colon between": b":1",
    "closing": b"}",
    "closing list": b"]",
    "words run together": b"truefalse ",
    "a constant too long": b"nullx",
    "leading zero": b"01 ",
    "lone minus": b"- 1",
    "lone point": b"1. ",
    "plus": b"+1",
    "single quotes": b"{'a':1}",
    "no value": b'{"a":}',
    "no comma": b"[1 2]",
    "comma at the end": b'{"a":1,}',
    "brackets crossed": b'{"a":[1}',
    "line feed in a string": b'["a\nb"]',
    "control character in a string": b'"\x00"',
    "bad escape": b'["\\x"]',
    "number of many digits": b"[" + b"9" * 5000 + b"]",
    "many digits alone": b"9" * 5000 + b" ",
    "too deep": b"[" * 100_000 + b"]" * 100_000,
    "separator within a value": b'{"a":\x1e{"b":1}',
    "byte order mark later": b"\xef\xbb\xbf",
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
@pytest.mark.parametrize("size", [1, 7, 1 << 20])
def test_what_is_no_json(bad, size):
    good = b'\n{"a":1}\n[2]\n'
    decoder, values = fed(steps(good + bad + good, size))
    assert values == [{"a": 1}, [2]]
    assert isinstance(decoder.fault, MalformedStream)
    assert len(str(decoder.fault)) < 300
    assert decoder.feed(good) == decoder.finish() == []


def test_the_end_may_bring_a_fault():
    decoder, values = fed([b"1 2\xc3"])
    assert values == [1]
    assert decoder.finish() == []
    assert isinstance(decoder.fault, MalformedStream)


def test_the_excerpt_is_safe_to_print():
    decoder, _ = fed([b"\x1b[31m\x07" + b"x" * 500])
    assert str(decoder.fault).isprintable()
    assert len(str(decoder.fault)) < 200


@pytest.mark.parametrize("begin", [b'["', b"[[", b'{"a":[1,'])
def test_values_have_an_end(begin):
    decoder, values = fed([b"[1]", begin, *[b"1," * 5] * 98], limit=1000)
    assert (values, decoder.fault) == ([[1]], None)
    assert decoder.feed(b"1," * 10) == []
    with pytest.raises(TooLarge, match=r"a value in the stream .* 1000 .*with_options\(limit="):
        raise decoder.fault


@pytest.mark.parametrize("size", [1, 7, 1 << 20])
def test_a_value_may_be_as_long_as_the_limit(size):
    value = '["' + "x" * 96 + '"]'
    assert fed(steps(value.encode(), size), limit=100)[1] == [["x" * 96]]
    decoder, values = fed(steps(b"[1]" + value.encode(), size), limit=99)
    assert values == [[1]]
    assert isinstance(decoder.fault, TooLarge)


@pytest.mark.parametrize("size", [1, 7, 1 << 20])
def test_depth_has_an_end(size):
    deepest = b"[" * DEEPEST + b"]" * DEEPEST
    decoder, values = fed(steps(deepest + b"[" + deepest + b"]" + deepest, size))
    assert values == [json.loads(deepest)]
    with pytest.raises(MalformedStream, match=f"nested deeper than {DEEPEST} levels"):
        raise decoder.fault


def test_numbers_have_an_end():
    decoder, _ = fed([b"0.", *[b"1" * 100] * 200])
    assert isinstance(decoder.fault, MalformedStream)


def test_a_large_value_in_small_pieces():
    value = [{"name": "x" * 40 + '"\\]', "list": [number, {}]} for number in range(5000)]
    assert read(steps(json.dumps(value).encode(), 100)) == [value]


@given(
    st.lists(st.tuples(JSON_VALUES, SEPARATORS, ENCODERS), max_size=6),
    st.sampled_from(["", "\ufeff", "\x1e", "\n"]),
    CUTS,
)
def test_any_values_with_any_separators_cut_anywhere(rows, before, cuts):
    text = before + "".join(encode(value) + separator for value, separator, encode in rows)
    assert read(parts(text.encode("utf-8", "replace"), cuts)) == [
        json.loads(encode(value).encode("utf-8", "replace")) for value, _, encode in rows
    ]


@given(st.lists(JSON_VALUES.filter(lambda value: isinstance(value, dict | list | str))), CUTS)
def test_any_values_with_nothing_between(values, cuts):
    data = "".join(map(json.dumps, values)).encode()
    assert read(parts(data, cuts)) == values


@given(
    st.text(st.sampled_from('{}[]",:\\ntrue01-.e \n\x1eä'), max_size=40).map(str.encode)
    | st.binary(max_size=40),
    CUTS,
)
def test_garbage_does_no_harm(garbage, cuts):
    outcomes = []
    for pieces in (parts(garbage, cuts), [garbage], steps(garbage, 1)):
        decoder, values = fed(pieces)
        try:
            values += decoder.finish()
            outcomes.append((repr(values), decoder.fault is None))
        except TruncatedStream:
            assert decoder.fault is None
            outcomes.append((repr(values), "truncated"))
        assert decoder.fault is None or isinstance(decoder.fault, MalformedStream)
    # How it was cut changes nothing.
    assert outcomes[0] == outcomes[1] == outcomes[2]
