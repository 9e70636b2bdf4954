"""Path parameters: which operation an engine would take a path for."""

from __future__ import annotations

import enum

import pytest

from dynadock.call.path import encode_segment, fill, other_operation_at
from dynadock.call.values import Mismatch
from dynadock.spec.loader import load_spec


class Name(enum.StrEnum):
    WEB = "web"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("web", "web"),
        ("/web", "web"),
        (Name.WEB, "web"),
        ("a/b:1@sha256:0", "a/b:1@sha256:0"),
        ("a~b-c_d.e", "a~b-c_d.e"),
        ("a b", "a%20b"),
        ("100%", "100%25"),
        ("ü", "%C3%BC"),
        ("\u2028", "%E2%80%A8"),
        ("...", "..."),
    ],
)
def test_what_is_sent(value, text):
    assert encode_segment(value) == text


@pytest.mark.parametrize(
    "value",
    [
        *("", "/", "//", "//web", "a//b", "a/", ".", "..", "a/..", "./a", "a/./b"),
        *("\n", "a\0", "\x7f", "\ud800", 5, None, b"web", ["web"], 1.5, True),
    ],
)
def test_what_is_refused(value):
    with pytest.raises(Mismatch, match="expected"):
        encode_segment(value)


def test_filling_a_template():
    door = load_spec("1.42")["ContainerInspect"]
    assert fill(door, {"id": "a/b"}) == "/containers/a/b/json"


@pytest.mark.parametrize(
    ("version", "operation_id", "path", "rival"),
    [
        ("1.42", "ServiceInspect", "/services/web/logs", "ServiceLogs"),
        ("1.42", "ServiceInspect", "/services/web", None),
        ("1.42", "ServiceInspect", "/services/web/other", None),
        ("1.42", "TaskInspect", "/tasks/t/logs", "TaskLogs"),
        ("1.42", "ServiceLogs", "/services/web/logs/logs", None),
        ("1.42", "ContainerInspect", "/containers/json/json", None),
        ("1.42", "ImageInspect", "/images/search/json", None),
        ("1.42", "ImageGet", "/images/get/get", None),
        ("1.42", "VolumeInspect", "/volumes/a/b", None),
        ("1.42", "SecretInspect", "/secrets/a", None),
    ],
)
def test_rivals(version, operation_id, path, rival):
    assert other_operation_at(load_spec(version)[operation_id], path) == rival
