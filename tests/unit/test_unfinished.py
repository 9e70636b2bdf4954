"""Where a cursor stands in code that is still being typed."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynadock.explore.unfinished import unfinished

CALL = 'client.ContainerCreate(name="web", HostConfig={"RestartPolicy": {"Name": "no"}}).'


def place(text):
    """Return the kind, the expression that counts, and the fragment."""
    found = unfinished(text)
    return found and (found.kind, found.head, text[found.start :])


def path(text):
    """Return where in a call the end stands, and whether a name is wanted there."""
    found = unfinished(text)
    return found and (found.path, found.wants_name)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("client.", ("attribute", "client", "")),
        ("x = client.Contai", ("attribute", "client", "Contai")),
        ("for each in client.Con", ("attribute", "client", "Con")),
        ("client.ContainerList()[0].Na", ("attribute", "client.ContainerList()[0]", "Na")),
        ("print(a, b(c)['d.e'].", ("attribute", "b(c)['d.e']", "")),
        ("(client).Con", ("attribute", "(client)", "Con")),
        ('"text".', ("attribute", '"text"', "")),
        ("not client.", ("attribute", "client", "")),
        ("f(1)\nclient.", ("attribute", "client", "")),
        ("f(1); client.", ("attribute", "client", "")),
        ("f(1,\n  client.", ("attribute", "client", "")),
        ("# f(\nclient.", ("attribute", "client", "")),
        ('"""of (\n"""\nclient.', ("attribute", "client", "")),
        ("from dynadock import v1_", ("import", "dynadock", "v1_")),
        ("from dynadock.errors import (NotFound, Con", ("import", "dynadock.errors", "Con")),
        ('client.operations["Con', ("subscript", "client.operations", "Con")),
        ("client.operations[", ("subscript", "client.operations", "")),
        ("client.operations[r'''Con", ("subscript", "client.operations", "Con")),
        ("load(ho", ("call", "load", "ho")),
        ('load("1.', ("call", "load", "1.")),
        ("[load(source='1.", ("call", "load", "1.")),
    ],
)
def test_what_counts(text, expected):
    assert place(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("f(", ((), True)),
        ("f(a, b=1, c", ((), True)),
        ('f("', ((0,), False)),
        ('f(a, "', ((1,), False)),
        ("f(a=", (("a",), False)),
        ('f(a="b', (("a",), False)),
        ('f(a={"', (("a",), True)),
        ("f(a={", (("a",), True)),
        ('f(a={"b": "', (("a", "b"), False)),
        ("f(a={'b': [{", (("a", "b", 0), True)),
        ("f(a={'b': [{'x': 1}, {'", (("a", "b", 0), True)),
        ("f(a={'x': [1, (2)], 'b': [[", (("a", "b", 0, 0), False)),
        ("f(a=('", (("a",), False)),
        ("f(a=('x', '", (("a", 0), False)),
        ("f(a=dict(", (("a",), True)),
        ("f(a=dict(b=dict(c='", (("a", "b", "c"), False)),
        ("f(**{'", ((), True)),
        ("f(**dict(a={'", (("a",), True)),
        ("f(a={**b, **{'", (("a",), True)),
        ("f(a=1,\n  # a comment (\n  b={\n    'c': '", (("b", "c"), False)),
        ("f(a={'x(': ')', 'b': '", (("a", "b"), False)),
    ],
)
def test_the_place_in_a_call(text, expected):
    assert unfinished(text).head == "f"
    assert path(text) == expected


@pytest.mark.parametrize(
    ("text", "used"),
    [
        ("f(a, b=1, c={'x': 2}, d", {"b", "c"}),
        ("f(a={'b': 1, 'c': {'x': 2}, '", {"b", "c"}),
        ("f(a=dict(b=1, c=dict(x=2), ", {"b", "c"}),
    ],
)
def test_the_names_that_are_there_already(text, used):
    assert unfinished(text).used == used


NOWHERE = ["", "client", "1.5", "f(12", "{'a': '", "[", "(", ")", "]]).", "x = '", "lambda: ("]
NOWHERE += ["# client.", "f(  # client.", '"""client.', "'\\'client.", "f(f'{client.", "f(b'"]
NOWHERE += [
    "f(a='' '",
    "f(a=1 + '",
    "f(a='x' if y else '",
    "d['a', '",
    "d[f(1):'",
    "f(dict('",
    "f(**",
    "f(**'",
]
NOWHERE += ["f(a={b: '", "f(a={1: '", "f(a={'b' + 'c': '", "f(a={'b'[0]: '", "f(a={{'b': 1}: '"]


@pytest.mark.parametrize("text", NOWHERE)
def test_where_nothing_of_ours_can_follow(text):
    assert unfinished(text) is None


CODE = "abfdict.(){}[]'\"=:,*#\\\n 1"


@settings(max_examples=50)
@given(st.text(CODE) | st.text())
def test_any_text_may_stand_there(text):
    found = unfinished(text)
    if found is not None:
        assert 0 <= found.start <= len(text)
        assert found.head in text or found.kind == "import"


@given(st.integers(0, len(CALL)), st.text(CODE, max_size=5))
def test_any_part_of_a_call_may_stand_there(end, more):
    unfinished(CALL[:end] + more)


MANY = 30_000
LONG = ["(" * MANY, "f(" * MANY, "f(a=[{'b':" * MANY, "f()" * MANY + ".", "a." * MANY, "f'" * MANY]
LONG += ["{'a':1}," * MANY, '"' * (MANY + 1), "'''" * (MANY + 1), "\n'" * MANY, "f(" + "[]," * MANY]


@pytest.mark.parametrize("text", LONG, ids=lambda text: repr(text[:10]))
def test_the_time_is_linear(text):
    """The quadratic way would take longer than a test may."""
    unfinished(text)
