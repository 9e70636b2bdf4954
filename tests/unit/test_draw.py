"""Drawing histories: versions as ranges, only what some version lacks, and what changed."""

from __future__ import annotations

import copy
import json

import pytest

from dynadock.spec.changes import FILE
from dynadock.spec.draw import draw_changes, draw_history, dump_changes, dump_history, ranges_of
from dynadock.spec.library import bundled_content, bundled_versions
from dynadock.spec.loader import load_spec, load_version
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


def test_changes():
    tree = draw_changes(specs())
    a = [["A", "request", "body B2"]], [["A", "request", "body B1"]]
    assert tree["definitions"] == {}
    assert tree["links"] == {}
    assert [*tree["changes"]] == ["1.2", "1.3"]
    rows = [[*row[:-1], [[*use] for use in row[-1]]] for row in tree["changes"]["1.2"]]
    assert ["body B2", "", "field-added", None, "string", a[0]] in rows
    assert ["body B1", "", "field-removed", "string", None, a[1]] in rows
    assert ["query q", "", "parameter-added", None, "string", [["A", "request", "query q"]]] in rows
    assert ["B", "", "operation-added", None, None, [["B", "request", ""]]] in rows
    assert json.loads(dump_changes(tree)) == json.loads(json.dumps(tree))
    assert dump_changes(tree) == dump_changes(draw_changes(reversed(list(specs()))))


def test_the_file_is_what_the_documents_give():
    drawn = dump_changes(draw_changes(map(load_version, bundled_versions())))
    assert drawn == bundled_content(FILE)
