"""Versions and ranges of them: text, order, membership."""

from __future__ import annotations

import pytest

from dynadock.errors import SpecError
from dynadock.spec.versions import (
    Version,
    VersionRange,
    looks_like_version,
    parse_range,
    parse_version,
)


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("1.42", Version(1, 42)),
        ("v1.42", Version(1, 42)),
        (" 1.42\n", Version(1, 42)),
        ("1.9", Version(1, 9)),
        ("2.0", Version(2, 0)),
    ],
)
def test_text_of_versions(text, version):
    assert looks_like_version(text)
    assert parse_version(text) == version
    assert str(version) == text.strip().removeprefix("v")


@pytest.mark.parametrize(
    "text", ["", "1", "1.", ".42", "1.42.0", "V1.42", "vv1.42", "1,42", "1.42a", "-1.42", "1 .42"]
)
def test_what_is_no_version(text):
    assert not looks_like_version(text)
    with pytest.raises(SpecError, match=r"is not an API version; one looks like '1\.42'"):
        parse_version(text)


def test_versions_are_ordered_by_their_numbers():
    texts = ["2.0", "1.100", "1.30", "1.9", "1.3"]
    assert sorted(map(parse_version, texts)) == list(map(parse_version, reversed(texts)))


RANGES = [
    ("1.25-1.30", Version(1, 25), Version(1, 30), ["1.25", "1.30"], ["1.24", "1.31", "1.3"]),
    ("1.31-", Version(1, 31), None, ["1.31", "2.0"], ["1.30"]),
    ("-1.27", None, Version(1, 27), ["0.1", "1.27"], ["1.28"]),
    ("1.27", Version(1, 27), Version(1, 27), ["1.27"], ["1.26", "1.28"]),
    ("all", None, None, ["0.1", "9.9"], []),
]


@pytest.mark.parametrize(("text", "first", "last", "inside", "outside"), RANGES)
def test_ranges(text, first, last, inside, outside):
    versions = parse_range(text)
    assert versions == VersionRange(first, last)
    assert all(parse_version(each) in versions for each in inside)
    assert not any(parse_version(each) in versions for each in outside)
    assert "1.27" not in versions  # only a Version can be in a range
    assert parse_range(str(versions)) == versions


@pytest.mark.parametrize("text", ["", "-", "1.25-1.30-1.35", "1.25..1.30", "some"])
def test_what_is_no_range(text):
    with pytest.raises(SpecError, match="API version"):
        parse_range(text)
