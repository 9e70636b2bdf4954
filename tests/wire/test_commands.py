"""The requests of `run` when a command is interrupted."""

from __future__ import annotations

from typing import Any

import pytest

from dynadock import APIError, CommandTimeout, run
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


def asked_of(peer):
    """Return methods and paths, without the version."""
    paths = [each.target.partition("?")[0].removeprefix("/v1.42") for each in peer.requests]
    return [f"{each.method} {path}" for each, path in zip(peer.requests, paths, strict=True)]
