"""Options: one frozen value."""

from __future__ import annotations

import ast
import copy
import inspect
import math
import pickle
import re
from pathlib import Path

import pytest

import dynadock.options
from dynadock import Client, Options, load
from dynadock.options import OPTIONS

HOST = "unix:///nowhere.sock"
README = Path(__file__).parents[2] / "README.md"


def test_defaults():
    assert Options() == Options(
        timeout="auto", validate=True, unknown="error", headers={}, query={}
    )


@pytest.mark.parametrize(
    ("options", "kind", "part"),
    [
        ({"unknown": "ignore"}, ValueError, "'error', 'warn' or 'send', got 'ignore'"),
        ({"validate": 1}, TypeError, "validate: expected True or False"),
        ({"timeout": 0}, ValueError, "timeout: expected seconds above 0, None or 'auto', got 0"),
        ({"timeout": -1.5}, ValueError, "got -1.5"),
        ({"timeout": "5"}, ValueError, "got '5'"),
        ({"timeout": True}, ValueError, "got True"),
        ({"timeout": math.nan}, ValueError, "got nan"),
        ({"timeout": math.inf}, ValueError, "got inf"),
        (
            {"deadline": "auto"},
            ValueError,
            "deadline: expected seconds above 0 or None, got 'auto'",
        ),
        ({"retries": -1}, ValueError, "retries: expected an integer from 0 on, got -1"),
        ({"retries": True}, ValueError, "got True"),
        ({"retries": 1.5}, ValueError, "got 1.5"),
        ({"limit": 0}, ValueError, "limit: expected bytes above 0 or None, got 0"),
        ({"limit": "1G"}, ValueError, "got '1G'"),
        ({"tty": "no"}, TypeError, "tty: expected True, False or None, got 'no'"),
        ({"proxies": "http://p"}, TypeError, "proxies: expected True or False, got 'http://p'"),
        ({"headers": [("a", "b")]}, TypeError, "headers: expected a mapping"),
        ({"query": "a=b"}, TypeError, "query: expected a mapping"),
        ({"headers": None}, TypeError, "headers: expected a mapping"),
        ({"query": {5: "x"}}, TypeError, "query: expected a mapping with text for keys"),
    ],
)
def test_wrong_ones(options, kind, part):
    with pytest.raises(kind) as made:
        Options(**options)
    assert part in str(made.value)
    with pytest.raises(kind) as merged:
        Options().merged(options)
    assert str(merged.value) == str(made.value)


@pytest.mark.parametrize("timeout", [None, "auto", 1, 0.5, 86400])
def test_timeouts(timeout):
    assert Options(timeout=timeout).timeout == timeout


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("timout", "did you mean 'timeout'?"),
        ("Validate", "did you mean 'validate'?"),
        ("qwertz", "timeout, deadline, retries, limit, validate, unknown, tty, headers"),
        ("retrys", "did you mean 'retries'?"),
        ("self", "timeout, deadline"),
    ],
)
@pytest.mark.parametrize(
    "give",
    [
        lambda options: Options(**options),
        lambda options: Options().merged(options),
        lambda options: load("1.42", host=HOST, **options),
        lambda options: load("1.42", host=HOST).with_options(**options),
    ],
    ids=["Options", "merged", "load", "with_options"],
)
def test_unknown_ones(give, name, part):
    with pytest.raises(TypeError) as caught:
        give({name: 1})
    assert re.search(f"there is no (option|keyword) {name!r}; ", str(caught.value))
    assert part in str(caught.value)


def test_merging_adds_headers_and_query_and_leaves_the_first_alone():
    first = Options(timeout=5, headers={"A": "1", "B": "2"}, query={"x": 1})
    second = first.merged({"headers": {"B": "3"}, "query": {"y": [1, 2]}, "unknown": "send"})
    assert second == Options(
        timeout=5, unknown="send", headers={"A": "1", "B": "3"}, query={"x": 1, "y": [1, 2]}
    )
    assert first == Options(timeout=5, headers={"A": "1", "B": "2"}, query={"x": 1})
    assert first.merged({}) == first


def test_they_are_frozen():
    options = Options()
    with pytest.raises(AttributeError):
        options.timeout = 5


def test_what_they_are_made_of_may_change_afterwards():
    headers = {"A": "1"}
    options = Options(headers=headers)
    headers["A"] = "2"
    assert options.headers == {"A": "1"}


@pytest.mark.parametrize("make", [Options, Options().merged, Options(query={}).without_secrets])
def test_what_is_done_to_the_mappings_of_one_is_not_done_to_others(make):
    first = make({}) if make.__name__ == "merged" else make()
    first.headers["A"] = first.query["x"] = "1"
    assert Options().headers == Options().query == {}
    assert first.merged({}).headers == {"A": "1"}
    first.merged({}).headers["B"] = "2"
    assert first.headers == {"A": "1"}


def test_they_survive_pickle_and_copy():
    options = Options(timeout=5, headers={"A": "1"}, query={"x": [1]})
    assert pickle.loads(pickle.dumps(options)) == options
    assert copy.deepcopy(options) == options


@pytest.mark.parametrize("name", ["Authorization", "x-registry-auth", "X-Registry-Config"])
def test_secrets_are_neither_shown_nor_taken_along(name):
    options = Options(headers={name: "hunter2", "X-Trace": "7"}, timeout=5)
    assert "hunter2" not in repr(options)
    assert "'X-Trace': '7'" in repr(options)
    assert options.without_secrets() == Options(headers={"X-Trace": "7"}, timeout=5)
    assert options.headers[name] == "hunter2"


# Where the options' names stand


def keywords_of(function):
    parameters = inspect.signature(function).parameters.values()
    return {each.name: each for each in parameters if each.kind is inspect.Parameter.KEYWORD_ONLY}


def typed_names():
    """Return the names and types that type checkers know."""
    tree = ast.parse(inspect.getsource(dynadock.options))
    (typed,) = (
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and node.name == "OptionValues"
    )
    lines = (node for node in typed.body if isinstance(node, ast.AnnAssign))
    return {node.target.id: ast.unparse(node.annotation) for node in lines}


def test_all_lists_of_the_options_agree():
    types = {name: kind.replace('"', "'") for name, kind in Options.__annotations__.items()}
    assert typed_names() == types
    assert [*OPTIONS] == [*types] == [*Options().as_dict()]
    assert re.findall(r"^ *- ``(\w+)``: \S", Options.__doc__, re.MULTILINE) == [*OPTIONS]
    (table,) = re.findall(
        r"^\| option \|.*?\n\n", README.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    rows = [line.split("|")[1] for line in table.splitlines()[2:] if line]
    assert {name for row in rows for name in re.findall(r"`(\w+)`", row)} == {*OPTIONS}


@pytest.mark.parametrize(
    ("function", "own"),
    [(Options, set()), (load, {"host", "context", "connections"}), (Client.with_options, set())],
)
def test_every_option_is_in_the_signature_of_what_takes_it(function, own):
    shown = keywords_of(function)
    assert [*shown][len(own) :] == [*OPTIONS]
    assert {*shown} - {*OPTIONS} == own
    assert {name: shown[name].annotation for name in OPTIONS} == Options.__annotations__


@pytest.mark.parametrize("name", OPTIONS)
def test_the_default_that_is_shown_is_the_one_that_counts(name):
    shown = keywords_of(load)[name].default
    assert shown == keywords_of(Options)[name].default == getattr(Options(), name)
    assert Options(**{name: shown}) == Options() == load("1.42", host=HOST).options
    unlike = load("1.42", host=HOST, timeout=5, retries=3, headers={"A": "1"}, tty=True)
    kept = {name: keywords_of(Client.with_options)[name].default}
    assert unlike.with_options(**kept).options == unlike.options
