"""The rows of kinds: each is whole, and the guide and the exports know it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import dynadock
from dynadock.call.kinds import OUTPUT, PLAIN, TWO_WAY
from dynadock.spec.kinds import KINDS

GUIDE = Path(__file__).parents[2] / "docs" / "inside.md"


def in_the_guide():
    """Return the kinds of the guide's table with what it says that a caller gets."""
    row = re.compile(r"^\| (`[a-z-]+`(?:, `[a-z-]+`)*) \| (.+) \|$", re.MULTILINE)
    rows = row.findall(GUIDE.read_text(encoding="utf-8"))
    return {name: gets for names, gets in rows for name in re.findall(r"[a-z-]+", names)}


def test_the_guide_has_every_kind():
    assert KINDS.keys() <= in_the_guide().keys()


@pytest.mark.parametrize("name", KINDS)
def test_streams_are_exported_and_named(name):
    kind = KINDS[name]
    assert bool(kind.stream) == bool(kind.use) == (name not in PLAIN)
    if kind.stream:
        assert issubclass(getattr(dynadock, kind.stream), dynadock.Stream)
        assert f"({kind.stream})" in kind.words
        assert f"`{kind.stream}`" in in_the_guide()[name]


def test_no_media_type_is_of_two_kinds():
    declared = [each for kind in KINDS.values() for each in kind.media_types]
    assert len(declared) == len({*declared})


def test_what_is_whole_is_neither_two_way_nor_output():
    assert PLAIN.isdisjoint(TWO_WAY | OUTPUT)
    assert KINDS.keys() > PLAIN | TWO_WAY | OUTPUT
