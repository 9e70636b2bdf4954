"""Percent-encoding: the same as urllib's."""

from __future__ import annotations

from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynadock.call import percent

# Of characters that mean something in an address there are too few in any text at all.
TEXTS = st.text() | st.text("/:@?#[]!$&'()*+,;=%-._~ aZ09\0\x7f\u00e9\u20ac\U0001f40b")


@given(TEXTS)
def test_it_writes_what_urllib_writes(text):
    assert percent.quote(text) == quote(text, safe="")
    assert percent.quote_path(text) == quote(text, safe="/:@")


@given(TEXTS)
def test_what_is_written_is_read_as_it_was(text):
    assert unquote(percent.quote(text)) == text
    assert unquote(percent.quote_path(text)) == text


@pytest.mark.parametrize("write", [percent.quote, percent.quote_path])
def test_half_of_a_surrogate_pair_is_no_text(write):
    with pytest.raises(UnicodeEncodeError):
        write("a\ud800")


@given(TEXTS)
def test_it_reads_what_urllib_reads(text):
    assert percent.unquote(text) == unquote(text)
    assert percent.unquote(quote(text)) == text


@pytest.mark.parametrize(
    ("text", "read"), [("%e4", "\ufffd"), ("%E2%82%ac", "\u20ac"), ("%", "%"), ("%2%41", "%2A")]
)
def test_odd_escapes(text, read):
    assert percent.unquote(text) == read


@pytest.mark.parametrize(
    ("text", "bad"),
    [("a%20b", ""), ("%", "%"), ("a%1", "%1"), ("%zzz", "%zz"), ("%41%4g%", "%4g"), ("", "")],
)
def test_what_is_no_escape(text, bad):
    assert percent.first_bad_escape(text) == bad
