"""Options: one frozen value."""

from __future__ import annotations

import copy
import math
import pickle

import pytest

from dynadock import Options


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
        ({"retries": -1}, ValueError, "retries: expected an integer from 0 on, got -1"),
        ({"retries": True}, ValueError, "got True"),
        ({"retries": 1.5}, ValueError, "got 1.5"),
        ({"limit": 0}, ValueError, "limit: expected bytes above 0 or None, got 0"),
        ({"limit": "1G"}, ValueError, "got '1G'"),
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
        ("qwertz", "there are timeout, deadline, retries, limit, validate, unknown, tty, headers"),
        ("retrys", "did you mean 'retries'?"),
    ],
)
def test_unknown_ones(name, part):
    with pytest.raises(TypeError) as caught:
        Options().merged({name: 1})
    assert f"no option {name!r}" in str(caught.value)
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
