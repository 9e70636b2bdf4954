"""Path parameters: which operation an engine would take a path for."""

from __future__ import annotations

import enum

import pytest

from dynadock.call.path import checked_segment, fill, other_operation_at
from dynadock.call.values import Mismatch
from dynadock.spec.loader import load_spec


class Name(enum.StrEnum):
    WEB = "web"


@pytest.mark.parametrize(
    ("value", "text", "path"),
    [
        ("web", "web", "web"),
        ("/web", "web", "web"),
        (Name.WEB, "web", "web"),
        ("a/b:1@sha256:0", "a/b:1@sha256:0", "a/b:1@sha256:0"),
        ("a~b-c_d.e", "a~b-c_d.e", "a~b-c_d.e"),
        ("a b", "a b", "a%20b"),
        ("100%", "100%", "100%25"),
        ("{id}", "{id}", "%7Bid%7D"),
        ("ü", "ü", "%C3%BC"),
        ("\u2028", "\u2028", "%E2%80%A8"),
        ("...", "...", "..."),
    ],
)
def test_what_is_sent(value, text, path):
    assert checked_segment(value) == text
    door = load_spec("1.42")["ContainerInspect"]
    assert fill(door, {"id": text}) == f"/containers/{path}/json"


@pytest.mark.parametrize(
    "value",
    [
        *("", "/", "//", "//web", "a//b", "a/", ".", "..", "a/..", "./a", "a/./b"),
        *("\n", "a\0", "\x7f", "\ud800", 5, None, b"web", ["web"], 1.5, True),
    ],
)
def test_what_is_refused(value):
    with pytest.raises(Mismatch, match="expected"):
        checked_segment(value)


@pytest.mark.parametrize(
    ("version", "operation_id", "name", "rival"),
    [
        ("1.42", "ServiceInspect", "web/logs", "ServiceLogs"),
        ("1.42", "ServiceInspect", "web", None),
        ("1.42", "ServiceInspect", "web/other", None),
        ("1.42", "ServiceInspect", "a/b/logs", "ServiceLogs"),
        ("1.42", "TaskInspect", "t/logs", "TaskLogs"),
        ("1.42", "ServiceLogs", "web/logs", None),
        ("1.42", "ContainerInspect", "json", None),
        ("1.42", "ImageInspect", "search", None),
        ("1.42", "ImageGet", "get", None),
        ("1.42", "VolumeInspect", "a/b", None),
        ("1.42", "SecretInspect", "a", None),
    ],
)
def test_rivals(version, operation_id, name, rival):
    operation = load_spec(version)[operation_id]
    segments = {operation.positional[0].name: name}
    assert other_operation_at(operation, segments) == rival


ZOO = {
    "/a/{x}/b": "Own",
    "/a/c/b": "Literal",
    "/a/{x}/c/b": "Longer",
    "/a/b": "Shorter",
    "/a/{x}/c": "OtherEnd",
}


@pytest.mark.parametrize(
    ("name", "rival"),
    [("c", "Literal"), ("z/c", "Longer"), ("z", None), ("c/c", "Longer"), ("b", None)],
)
def test_rivals_of_any_form(name, rival):
    responses = {"200": {"description": ""}}
    parameter = {"name": "x", "in": "path", "type": "string", "required": True}
    paths = {
        path: {
            "get": {
                "operationId": operation_id,
                "parameters": [parameter] if "{x}" in path else [],
                "responses": responses,
            }
        }
        for path, operation_id in ZOO.items()
    }
    document = {"swagger": "2.0", "info": {"version": "1.42"}, "paths": paths}
    operation = load_spec({**document, "basePath": "/v1.42"})["Own"]
    assert other_operation_at(operation, {"x": name}) == rival
