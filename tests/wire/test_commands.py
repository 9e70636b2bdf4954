"""The requests of `run` when a command is interrupted."""

from __future__ import annotations

from typing import Any

import pytest

from dynadock import APIError, BodyError, CommandTimeout, DynadockError, execute, run
from wire.peer import answer, hang_up, playing, reply, silence, switching

CREATED = answer(reply(201, json={"Id": "made", "Warnings": []}))
DONE = answer(reply(204))
ENDED = answer(reply(json={"StatusCode": 3}))
REFUSED = answer(reply(400, json={"message": "no such command"}))
NOT_RUNNING = answer(reply(409, json={"message": "container made is not running"}))

BEGUN = ["POST /containers/create", "POST /containers/made/attach", "POST /containers/made/start"]
KILL = "POST /containers/made/kill"
REMOVE = "DELETE /containers/made"

OVER = {"timeout": 0.3}
STAYS = {"remove": False}

# Replies over the kept connection after the first; arguments; what is raised; what is asked.
CASES: dict[str, tuple[list[Any], dict[str, Any], type[Exception], list[str]]] = {
    "too long": ([DONE, DONE, DONE], OVER, CommandTimeout, [KILL, REMOVE]),
    "too long, and over by itself": (
        [DONE, NOT_RUNNING, DONE],
        OVER,
        CommandTimeout,
        [KILL, REMOVE],
    ),
    "too long, and to stay": ([DONE, DONE], {**OVER, **STAYS}, CommandTimeout, [KILL]),
    "not started": ([REFUSED, NOT_RUNNING, DONE], {}, APIError, [KILL, REMOVE]),
    "not started, and to stay": ([REFUSED], STAYS, APIError, []),
}


@pytest.mark.parametrize(("replies", "options", "error", "end"), CASES.values(), ids=CASES)
def test_what_is_removed_is_killed_before(replies, options, error, end):
    """Podman 5.8 sends SIGTERM before it removes a container by force, and waits for its end."""
    scripts = [[CREATED, *replies], [answer(switching()), silence]]
    with playing(*scripts) as (peer, client), pytest.raises(error):
        run(client, "web", "sleep 600", **options)
    assert asked_of(peer) == [*BEGUN, *end]


def test_what_ends_by_itself_is_only_removed():
    scripts = [[CREATED, DONE, ENDED, DONE], [answer(switching()), hang_up]]
    with playing(*scripts) as (peer, client):
        assert run(client, "web", "false") == (3, b"", b"")
    assert asked_of(peer) == [*BEGUN, "POST /containers/made/wait", REMOVE]


def sent(status, value):
    return answer(reply(status, json=value))


NO_ID = [None, [], ["x"], "x", 5, {}, {"id": "x"}, {"Id": None}, {"Id": 5}, {"Id": ""}, {"Id": []}]
NO_CODE = [None, [], "0", {}, {"StatusCode": None}, {"StatusCode": "0"}, {"StatusCode": True}]
NO_STATE = [
    *(None, [], "x", {}, {"ExitCode": 0}, {"Running": None, "ExitCode": 0}, {"Running": False}),
    *({"Running": False, "ExitCode": "0"}, {"Running": False, "ExitCode": False}),
]


@pytest.mark.parametrize("value", NO_ID, ids=str)
@pytest.mark.parametrize("does", [run, execute])
def test_a_reply_without_an_id(does, value):
    name = {run: "ContainerCreate", execute: "ContainerExec"}[does]
    with (
        playing([sent(201, value)]) as (peer, client),
        pytest.raises(DynadockError, match=rf"{name} \(API 1.42\): .* reply with Id \(str\), got "),
    ):
        does(client, "web", "true")
    assert len(peer.requests) == 1


@pytest.mark.parametrize("value", NO_CODE, ids=str)
def test_an_end_without_a_code(value):
    scripts = [[CREATED, DONE, sent(200, value), NOT_RUNNING, DONE], [answer(switching()), hang_up]]
    with (
        playing(*scripts) as (_, client),
        pytest.raises(
            DynadockError, match=r"ContainerWait \(API 1.42\): .* StatusCode \(int\), got "
        ),
    ):
        run(client, "web", "true")


@pytest.mark.parametrize("value", NO_STATE, ids=str)
def test_a_state_without_what_it_has_to_have(value):
    scripts = [[CREATED, sent(200, value)], [answer(switching()), hang_up]]
    with (
        playing(*scripts) as (_, client),
        pytest.raises(DynadockError, match=r"ExecInspect \(API 1.42\): .* a reply with "),
    ):
        execute(client, "web", "true")


@pytest.mark.parametrize("body", [b"", b"OK"], ids=str)
def test_a_creation_that_is_no_json(body):
    script = [answer(reply(200, body, headers={"Content-Type": "text/plain"}))]
    with playing(script) as (_, client), pytest.raises(DynadockError, match="reply with Id"):
        run(client, "web", "true")


@pytest.mark.parametrize("config", [5, "x", [1]], ids=str)
def test_a_configuration_that_is_none_is_a_fault(config):
    with playing() as (_, client), pytest.raises(BodyError, match="HostConfig"):
        run(client, "web", "true", HostConfig=config)


def asked_of(peer):
    """Return methods and paths, without the version."""
    paths = [each.target.partition("?")[0].removeprefix("/v1.42") for each in peer.requests]
    return [f"{each.method} {path}" for each, path in zip(peer.requests, paths, strict=True)]
