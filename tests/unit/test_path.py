"""Path parameters: which operation an engine would take a path for."""

from __future__ import annotations

import enum
import itertools
import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

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


def spec_of(paths):
    """Return the spec of a document with a GET for each of some path templates."""
    responses = {"200": {"description": ""}}
    document = {
        "swagger": "2.0",
        "info": {"version": "1.42"},
        "basePath": "/v1.42",
        "paths": {
            path: {
                "get": {
                    "operationId": operation_id,
                    "parameters": [
                        {"name": name, "in": "path", "type": "string", "required": True}
                        for name in re.findall(r"\{(\w+)\}", path)
                    ],
                    "responses": responses,
                }
            }
            for path, operation_id in paths.items()
        },
    }
    return load_spec(document)


@pytest.mark.parametrize(
    ("name", "rival"),
    [("c", "Literal"), ("z/c", "Longer"), ("z", None), ("c/c", "Longer"), ("b", None)],
)
def test_rivals_of_any_form(name, rival):
    assert other_operation_at(spec_of(ZOO)["Own"], {"x": name}) == rival


@pytest.mark.timeout(30)
@pytest.mark.parametrize("between", ["", "a", "/a"])
def test_many_parameters_in_a_path_take_linear_time(between):
    adjacent = between.join(f"{{x{n}}}" for n in range(12))
    spec = spec_of({"/a/{x}": "Own", f"/a/{adjacent}/b": "Rival"})
    name = "a/" * 20_000 + "a"
    assert other_operation_at(spec["Own"], {"x": name}) is None
    assert other_operation_at(spec["Own"], {"x": f"{name}/b"}) == "Rival"


PIECES = st.lists(st.sampled_from(["a", "b", "/", "ab", "{x}"]), max_size=6).map("".join)


@given(PIECES, st.text("ab/", max_size=8))
def test_paths_fit_templates_as_patterns_do(rest, name):
    names = itertools.count()
    rival = re.sub("x", lambda _: f"x{next(names)}", f"/a/{rest}")
    assume("{x}" not in rival and rival != "/a/{x0}")
    own = spec_of({"/a/{x}": "Own", rival: "Rival"})["Own"]
    try:
        text = checked_segment(name)
    except Mismatch:
        return
    pattern = ".+".join(map(re.escape, re.split(r"\{\w+\}", rival)))
    fits = re.fullmatch(pattern, f"/a/{text}") is not None
    covers = re.fullmatch(pattern, "/a/\x00") is not None
    assert other_operation_at(own, {"x": text}) == ("Rival" if fits and not covers else None)
