"""What a reply is: the one decision, by status, headers, document, overlay and caller."""

from __future__ import annotations

import pytest

from dynadock import Options
from dynadock.call.bind import bind
from dynadock.call.kinds import PLAIN, Kind, Question, expected_kind, kind_of
from dynadock.spec.library import bundled_versions
from dynadock.spec.loader import load_spec, load_version

MULTIPLEXED = {"Content-Type": "application/vnd.docker.multiplexed-stream"}
RAW = {"Content-Type": "application/vnd.docker.raw-stream"}
NO_TYPE: dict[str, str] = {}
TAR = {"Content-Type": "application/x-tar"}
JSON = {"Content-Type": "application/json"}
DOCKER = {"Server": "Docker/26.1.5 (linux)"}
PODMAN = {"Server": "Libpod/4.3.1 (linux)"}


def bound(operation_id, version="1.42", /, **arguments):
    operation = load_spec(version)[operation_id]
    needed = {each.python_name: "x" for each in operation.parameters if each.location == "path"}
    return bind(operation, (), {**needed, **arguments}, Options())


FRAMES, CONSOLE = Kind("frames"), Kind("frames", is_terminal=True)
DUPLEX, TERMINAL = Kind("duplex"), Kind("duplex", is_terminal=True)
VALUE = Kind("value")


def asking(kind, operation_id, field):
    return Kind(kind, question=Question(operation_id, {"id": "x"}, field))


OF_A_CONTAINER = ("ContainerInspect", "Config.Tty")
OF_AN_EXEC = ("ExecInspect", "ProcessConfig.tty")

DECISIONS = {
    "frames that say so": (bound("ContainerLogs"), 200, MULTIPLEXED, None, FRAMES),
    "frames that say so, whatever the caller says": (
        *(bound("ContainerLogs"), 200, MULTIPLEXED, True, FRAMES),
    ),
    "logs that say raw prove nothing": (
        *(bound("ContainerLogs"), 200, RAW, None, asking("frames", *OF_A_CONTAINER)),
    ),
    "nor do logs that say nothing": (
        *(bound("ContainerLogs"), 200, NO_TYPE, None, asking("frames", *OF_A_CONTAINER)),
    ),
    "the caller knows": (bound("ContainerLogs"), 200, RAW, True, CONSOLE),
    "the caller knows better": (bound("ContainerLogs"), 200, NO_TYPE, False, FRAMES),
    "a service's logs": (
        *(bound("ServiceLogs"), 200, RAW, None),
        asking("frames", "ServiceInspect", "Spec.TaskTemplate.ContainerSpec.TTY"),
    ),
    "a task's logs": (
        *(bound("TaskLogs"), 200, RAW, None),
        asking("frames", "TaskInspect", "Spec.ContainerSpec.TTY"),
    ),
    "attached, upgraded": (bound("ContainerAttach"), 101, MULTIPLEXED, None, DUPLEX),
    "attached, hijacked under 200": (
        *(bound("ContainerAttach"), 200, RAW, None, asking("duplex", *OF_A_CONTAINER)),
    ),
    "an exec that Docker started without a terminal": (
        *(bound("ExecStart"), 101, {**RAW, **DOCKER}, None, DUPLEX),
    ),
    "an exec that Docker started with one": (
        *(bound("ExecStart", Tty=True), 101, {**RAW, **DOCKER}, None, TERMINAL),
    ),
    "an exec that Docker started with one, under 200": (
        *(bound("ExecStart", Tty=True), 200, {**RAW, **DOCKER}, None, TERMINAL),
    ),
    "an exec that anybody else started": (
        *(bound("ExecStart", Tty=True), 101, {**RAW, **PODMAN}, None),
        asking("duplex", *OF_AN_EXEC),
    ),
    "an exec of a nameless engine": (
        *(bound("ExecStart"), 101, RAW, None, asking("duplex", *OF_AN_EXEC)),
    ),
    "a detached exec": (bound("ExecStart", Detach=True), 200, NO_TYPE, None, VALUE),
    "a websocket": (bound("ContainerAttachWebsocket"), 101, NO_TYPE, None, Kind("websocket")),
    "a session": (bound("Session"), 101, NO_TYPE, None, Kind("raw-duplex")),
    "events": (bound("SystemEvents"), 200, JSON, None, Kind("json-stream")),
    "events in another spelling": (
        *(bound("SystemEvents"), 200, {"Content-Type": "application/json-seq"}, None),
        Kind("json-stream"),
    ),
    "samples without a type": (bound("ContainerStats"), 200, NO_TYPE, None, Kind("json-stream")),
    "one sample": (bound("ContainerStats", stream=False), 200, JSON, None, VALUE),
    "an archive": (bound("ImageGet", name="a"), 200, TAR, None, Kind("tar")),
    "an archive under another type": (
        *(bound("ContainerExport"), 200, {"Content-Type": "application/octet-stream"}, None),
        Kind("tar"),
    ),
    "a value": (bound("SystemInfo"), 200, JSON, None, VALUE),
    "an error": (bound("ContainerLogs"), 404, JSON, None, VALUE),
    "an error that claims to be frames": (bound("ContainerLogs"), 500, MULTIPLEXED, None, VALUE),
    "a redirect": (bound("ImageGet", name="a"), 301, TAR, None, VALUE),
    "nothing": (bound("PluginPull", remote="a"), 204, NO_TYPE, None, VALUE),
    "a proxy's page": (
        *(bound("SystemEvents"), 200, {"Content-Type": "text/html; charset=utf-8"}, None, VALUE),
    ),
}


@pytest.mark.parametrize(
    ("call", "status", "headers", "tty", "decision"), DECISIONS.values(), ids=DECISIONS
)
def test_what_a_reply_is(call, status, headers, tty, decision):
    assert kind_of(call, status, headers, tty) == decision


@pytest.mark.parametrize("version", bundled_versions(), ids=str)
def test_output_is_asked_about_in_every_version(version):
    asked = set()
    for operation in load_version(version).values():
        if operation.reply.kind in ("frames", "duplex"):
            call = bound(operation.operation_id, str(version))
            question = kind_of(call, 200, RAW, None).question
            assert question is not None
            asked.add(question.operation_id)
            assert kind_of(call, 200, MULTIPLEXED, None).question is None
    assert asked >= {"ContainerInspect", "ExecInspect", "ServiceInspect"}


@pytest.mark.parametrize("version", bundled_versions(), ids=str)
def test_errors_are_values_for_every_operation(version):
    for operation_id, operation in load_version(version).items():
        if operation.body is None and not any(
            each.required and each.location != "path" for each in operation.parameters
        ):
            call = bound(operation_id, str(version))
            assert kind_of(call, 500, MULTIPLEXED, None) == VALUE
            assert expected_kind(call) in PLAIN or kind_of(call, 200, MULTIPLEXED, None) != VALUE


def test_without_a_rule_only_the_caller_knows_the_tty():
    document = {
        "swagger": "2.0",
        "info": {"version": "1.42"},
        "basePath": "/v1.42",
        "paths": {
            "/shout": {
                "get": {
                    "operationId": "Shout",
                    "produces": ["application/vnd.docker.raw-stream"],
                    "responses": {"200": {"description": ""}},
                }
            }
        },
    }
    call = bind(load_spec(document)["Shout"], (), {}, Options())
    assert kind_of(call, 200, RAW, None) == Kind("frames", question=Question("", {}, ""))
    assert kind_of(call, 200, RAW, False) == FRAMES
