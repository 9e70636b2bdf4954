"""The docker command on a served engine shows what it shows on Docker 26.1.

Each session is played on both by every release that there is (``DYNADOCK_TEST_DOCKER``).
"""

from __future__ import annotations

import pytest

from clients.docker_command import Player, sessions
from clients.reference import BINARIES, binaries, docker_26
from dynadock.spec.versions import parse_range
from lacking import give_up
from serving import serving

RELEASES = binaries()
if not RELEASES:
    give_up(f"{BINARIES} names no docker command")

LIKE_26 = parse_range("1.24-1.45")
"""The versions that Docker 26.1 speaks, so that the command asks both the same."""


@pytest.fixture(scope="module", params=RELEASES)
def players(request, tmp_path_factory):
    """Return one who plays on Docker 26.1, and one on a served engine."""
    real = docker_26()
    folder = tmp_path_factory.mktemp("players")
    with serving(folder, versions=LIKE_26) as server:
        both = [
            Player(RELEASES[request.param], host, folder / name)
            for name, host in (("real", real), ("served", server.url))
        ]
        for player in both:
            player.tidy()
        yield both


@pytest.mark.parametrize("session", sessions(), ids=lambda session: session.name)
def test_a_session_shows_what_it_shows_on_a_real_engine(players, session):
    real, served = players
    expected, found = real.play(session), served.play(session)
    if found != expected and not any(each.has_hung for each in found):
        # What has to do with time may differ once on a machine that has other things to do.
        expected, found = real.play(session), served.play(session)
    for one, other in zip(expected, found, strict=True):
        assert other == one, one.script
