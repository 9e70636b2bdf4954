"""What may stand in a header: the same for what is sent and what comes."""

from __future__ import annotations

import string

import pytest

from dynadock.wire.fields import LENGTHS, OF_THE_CONNECTION, has_controls, is_token


@pytest.mark.parametrize("name", ["GET", "X-Registry-Auth", "a", "!#$%&'*+-.^_`|~", "0"])
def test_tokens(name):
    assert is_token(name)


@pytest.mark.parametrize(
    "name", ["", "a b", "a:", "a\n", "\na", "ä", "a\0", "(a)", 'a"', "a/b", "٣"]
)
def test_what_is_no_token(name):
    assert not is_token(name)


@pytest.mark.parametrize("value", ["", "a b", "a\tb", "ü", string.punctuation])
def test_values(value):
    assert not has_controls(value)


@pytest.mark.parametrize("control", [*map(chr, range(9)), *map(chr, range(10, 32)), "\x7f"])
def test_values_with_controls(control):
    assert has_controls(f"a{control}b")


def test_what_tells_lengths_is_the_connections():
    assert LENGTHS < OF_THE_CONNECTION
    assert {name.lower() for name in OF_THE_CONNECTION} == OF_THE_CONNECTION
