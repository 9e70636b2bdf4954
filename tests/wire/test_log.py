"""The log under ``dynadock``: a line for each request and each reply's head, and no secret."""

from __future__ import annotations

import logging
import subprocess
import sys

import pytest

from secret_values import SECRET
from wire.peer import answer, frame, hang_up, playing, reply, switching

AUTH = {"username": "me", "password": SECRET}


@pytest.fixture
def lines(caplog):
    caplog.set_level(logging.DEBUG, "dynadock")
    return lambda: [each.getMessage() for each in caplog.records if each.name == "dynadock.calls"]


def test_a_plain_call(lines):
    with playing([answer(reply(json=[]))]) as (peer, client):
        client.ContainerList(all=True)
        asked, answered = lines()
    assert asked.startswith(f"GET /v1.42/containers/json?all=true to {peer.address} with {{")
    assert asked.endswith("} and no body")
    assert answered.startswith("200 (application/json) after 0.")
    assert answered.endswith(" s to GET /v1.42/containers/json?all=true")


def test_a_body_is_logged_by_its_size(lines):
    with playing([answer(reply(json={"Status": "ok"}))]) as (peer, client):
        client.SystemAuth(**AUTH)
    size = len(peer.requests[0].body)
    assert lines()[0].endswith(f"}} and a body of {size} bytes")
    assert SECRET not in "".join(lines())


def test_a_file_is_logged_by_its_size(lines, tmp_path):
    (tmp_path / "image.tar").write_bytes(bytes(100_000))
    with playing([answer(reply(200))]) as (_, client):
        client.PutContainerArchive("web", path="/", body=tmp_path / "image.tar")
    assert lines()[0].endswith(" and a body of 100000 bytes")


def test_secrets_are_masked(lines):
    with playing([answer(reply(json={})), hang_up], [answer(reply(json={})), hang_up]) as (
        _,
        client,
    ):
        client.ImagePush("a", tag="b", X_Registry_Auth=AUTH).wait()
        builder = client.with_options(headers={"Authorization": SECRET})
        builder.ImageBuild(body=iter([b"tar"]), buildargs={"A": SECRET}, t="web").wait()
    pushed, _, built, answered = lines()
    assert "'X-Registry-Auth': '****'" in pushed
    assert "tag=b" in pushed
    assert "buildargs=****&t=web" in built
    assert "'Authorization': '****'" in built
    assert "body in chunks" in built
    assert "buildargs=****" in answered


def test_an_upgrade(lines):
    with playing([answer(switching(), frame("stdout", b"secret output")), hang_up]) as (_, client):
        with client.ContainerAttach("web", stream=True, stdout=True) as attached:
            assert b"".join(each.data for each in attached) == b"secret output"
        asked, answered = lines()
    assert "'Upgrade': 'tcp'" in asked
    assert answered.startswith("101 (")
    assert "output" not in asked + answered


def test_a_call_that_fails_is_logged(lines):
    with playing([hang_up]) as (_, client), pytest.raises(OSError, match="unix"):
        client.SystemPing()
    assert len(lines()) == 1


def test_nothing_is_logged_above_debug(caplog):
    caplog.set_level(logging.INFO, "dynadock")
    with playing([answer(reply(json=[]))]) as (_, client):
        client.ContainerList()
    assert not caplog.records


def test_programs_that_configure_no_logging_see_nothing():
    logged = "logging.getLogger('dynadock.calls').error('x')"
    script = f"import logging, dynadock.transport.log; {logged}"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert run.stdout == run.stderr == b""
