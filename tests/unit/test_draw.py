"""Drawing the history: versions as ranges, and only what some version lacks."""

from __future__ import annotations

import copy
import json

import pytest

from dynadock.spec.draw import draw_history, dump_history, ranges_of
from dynadock.spec.loader import load_spec
from dynadock.spec.versions import Version

VERSIONS = [Version(1, minor) for minor in range(1, 6)]


@pytest.mark.parametrize(
    ("minors", "text"),
    [
        ([1, 2, 3, 4, 5], "-"),
        ([1], "-1.1"),
        ([5], "1.5-"),
        ([3], "1.3"),
        ([1, 2, 4, 5], "-1.2,1.4-"),
        ([2, 3], "1.2-1.3"),
        ([1, 3, 5], "-1.1,1.3,1.5-"),
        ([], ""),
    ],
)
def test_ranges(minors, text):
    assert ranges_of([Version(1, minor) for minor in minors], VERSIONS) == text


def specs():
    """Yield three versions of one document, each with something that the others lack."""
    for minor in (1, 2, 3):
        properties = {"A": {"type": "string"}, f"B{minor}": {"type": "string"}}
        paths = {
            "/a": {
                "post": {
                    "operationId": "A",
                    "parameters": [
                        {"name": "q" if minor == 2 else "p", "in": "query", "type": "string"},
                        {"name": "body", "in": "body", "schema": {"properties": properties}},
                    ],
                }
            }
        }
        if minor > 1:
            paths["/b"] = {"get": {"operationId": "B", "parameters": []}}
        tree = {"swagger": "2.0", "info": {"version": f"1.{minor}"}, "paths": paths}
        yield load_spec(copy.deepcopy(tree))


def test_a_history():
    tree = draw_history(specs())
    assert tree == {
        "operations": {"B": "1.2-"},
        "parameters": {"A": {"p": "-1.1,1.3-", "q": "1.2"}},
        "fields": {"A": {"B1": "-1.1", "B2": "1.2", "B3": "1.3-"}},
    }
    assert json.loads(dump_history(tree)) == tree
    assert dump_history(tree) == dump_history(draw_history(reversed(list(specs()))))
