"""The docker command shows the same whether it is watched or not.

A sample of its sessions is played by the newest release; ``DYNADOCK_TEST_WATCHED=all`` has all
played, by every release that there is.
"""

from __future__ import annotations

import os

import pytest

from clients.docker_command import Player, sessions
from clients.reference import BINARIES, binaries
from dynadock.compat.watch import Watch
from dynadock.spec.versions import parse_range
from lacking import give_up
from serving import serving

RELEASES = binaries()
if not RELEASES:
    give_up(f"{BINARIES} names no docker command")

SAMPLE = {"run", "run with input", "run at a terminal", "exec", "cp", "version"}
"""Plain replies, streams both ways, a terminal, tar both ways, and what is agreed on."""

PLAYS_ALL = os.environ.get("DYNADOCK_TEST_WATCHED") == "all"
PLAYED = [session for session in sessions() if PLAYS_ALL or session.name in SAMPLE]
VERSIONS = parse_range("1.24-1.45")


@pytest.fixture(scope="module", params=[*RELEASES][0 if PLAYS_ALL else -1 :])
def players(request, tmp_path_factory):
    """Return who plays on a served engine, who does on a watched one, and what watches."""
    folder = tmp_path_factory.mktemp("players")
    other = tmp_path_factory.mktemp("other")
    docker = RELEASES[request.param]
    with (
        serving(folder, versions=VERSIONS) as plain,
        serving(other, versions=VERSIONS) as server,
        Watch(server.url) as watched,
    ):
        yield (
            Player(docker, plain.url, folder / "plain"),
            Player(docker, watched.url, folder / "watched"),
            watched,
        )


@pytest.mark.parametrize("session", PLAYED, ids=lambda session: session.name)
def test_a_session_shows_what_it_shows_without(players, session):
    plain, watching, watched = players
    expected, found = plain.play(session), watching.play(session)
    if found != expected:
        # What has to do with time may differ once on a machine that has other things to do.
        expected, found = plain.play(session), watching.play(session)
    for one, other in zip(expected, found, strict=True):
        assert other == one, one.script
    known = watched.as_dict()
    assert known["requests"]
    # The command asks for two features of newer engines, and takes no for an answer.
    strange = {each["path"].split("?")[0] for each in known["unrecognised"]}
    assert strange <= {"/session", "/grpc"}, known["unrecognised"]
    assert not known["left_out"]


@pytest.mark.parametrize("pin", ["1.30", "1.41"])
def test_a_command_agrees_with_a_pinned_engine(tmp_path, pin):
    docker = [*RELEASES.values()][-1]
    from clients.docker_command import Session, Step

    asked = Session("pinned", (Step("docker version --format '{{.Client.APIVersion}}'"),))
    with Watch("embedded://", pin=pin) as watched:
        shown = Player(docker, watched.url, tmp_path / "player").play(asked)
        if shown[0].code == 0:
            assert pin in shown[0].stdout
        else:
            # Releases from 29 on refuse to speak as old a version as that.
            assert "too old" in str(shown[0].stderr)
