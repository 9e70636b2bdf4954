"""Heads of replies as a server writes them: a reader finds in them what was put in, and no more."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynadock.wire.http1 import HeadReader
from dynadock.wire.messages import Headers
from dynadock.wire.reply_heads import reply_head

NAMES = st.from_regex(r"X-[A-Za-z0-9]{1,9}", fullmatch=True)


@pytest.mark.parametrize(
    ("status", "line"),
    [
        (101, b"HTTP/1.1 101 UPGRADED\r\n"),
        (200, b"HTTP/1.1 200 OK\r\n"),
        (404, b"HTTP/1.1 404 Not Found\r\n"),
        (599, b"HTTP/1.1 599 \r\n"),
    ],
)
def test_a_head_begins_with_the_status_and_its_word(status, line):
    assert reply_head(status, {}) == line + b"\r\n"


@given(st.dictionaries(NAMES, st.text(max_size=20), max_size=4))
def test_no_value_ends_its_line(headers):
    lines = reply_head(200, headers).split(b"\r\n")
    assert len(lines) == len(headers) + 3
    assert not any(set(line) & {0, 10, 13} for line in lines)


@given(
    st.dictionaries(NAMES, st.from_regex(r"[!-~]([ -~]{0,9}[!-~])?", fullmatch=True), max_size=4)
)
def test_a_reader_finds_what_was_put_in(headers):
    head = HeadReader().feed(reply_head(201, headers))
    assert head.status == 201
    assert head.headers == Headers(headers)
