"""Interpreting replies, beyond the cases: kinds, 304, and versions that are not spoken."""

from __future__ import annotations

import copy
import pickle

import pytest

from dynadock import NOT_MODIFIED, Options, ServerError, VersionError
from dynadock.call.bind import bind
from dynadock.call.interpret import LONGEST_EXPLANATION, interpret, version_error
from dynadock.call.kinds import expected_kind
from dynadock.spec.loader import load_spec
from dynadock.wire.messages import Headers, Reply

HOST = "unix:///engine.sock"


def test_not_modified_is_false_and_not_none():
    assert not NOT_MODIFIED
    assert NOT_MODIFIED is not None
    assert repr(NOT_MODIFIED) == "NOT_MODIFIED"
    assert pickle.loads(pickle.dumps(NOT_MODIFIED)) is NOT_MODIFIED
    assert copy.deepcopy(NOT_MODIFIED) is NOT_MODIFIED


@pytest.mark.parametrize(
    ("version", "operation_id", "args", "arguments", "kind"),
    [
        ("1.42", "ContainerList", (), {}, "value"),
        ("1.42", "ContainerStats", ("c",), {}, "json-stream"),
        ("1.42", "ContainerStats", ("c",), {"stream": True}, "json-stream"),
        ("1.42", "ContainerStats", ("c",), {"stream": False}, "value"),
        ("1.42", "ContainerLogs", ("c",), {"stdout": True}, "frames"),
        ("1.41", "ContainerLogs", ("c",), {"stdout": True}, "frames"),
        ("1.42", "ImageGet", ("i",), {}, "tar"),
        ("1.42", "ExecStart", ("e",), {"Detach": False}, "duplex"),
        ("1.42", "ExecStart", ("e",), {}, "duplex"),
        ("1.42", "ExecStart", ("e",), {"Detach": True}, "value"),
        ("1.42", "ContainerAttachWebsocket", ("c",), {}, "websocket"),
        ("1.42", "SystemPingHead", (), {}, "headers"),
        ("1.25", "ContainerArchive", ("c",), {"path": "/"}, "tar"),
    ],
)
def test_kinds(version, operation_id, args, arguments, kind):
    bound = bind(load_spec(version).find(operation_id), args, arguments, Options())
    assert expected_kind(bound) == kind


def test_the_kind_of_the_body_given_as_one():
    operation = load_spec("1.42")["ExecStart"]
    assert expected_kind(bind(operation, ("e",), {"body": {"Detach": True}}, Options())) == "value"


def test_a_long_explanation_is_cut():
    reply = Reply(500, Headers(), b"x" * 10_000)
    with pytest.raises(ServerError, match=r"x…$") as caught:
        interpret(load_spec("1.42")["ContainerList"], reply, HOST)
    assert len(caught.value.explanation) == LONGEST_EXPLANATION + 1
    assert len(caught.value.body) == 10_000


@pytest.mark.parametrize(
    ("spoken", "status", "parts"),
    [
        (("1.24", "1.41"), 400, ["the engine speaks API 1.24 to 1.41, this client 1.42"]),
        (("", "1.41"), 400, ["up to 1.41"]),
        (("1.24", "1.41"), 200, ["it answered anyway"]),
    ],
)
def test_versions_that_are_not_spoken(spoken, status, parts):
    operation = load_spec("1.42")["ContainerCreate"]
    error = version_error(operation, Reply(status, Headers(), b"x"), HOST, spoken)
    assert type(error) is VersionError
    assert (error.minimum, error.maximum) == spoken
    assert (error.status, error.version, error.host) == (status, "1.42", HOST)
    for part in parts:
        assert part in str(error)
    assert ("anyway" in str(error)) == (status < 400)
