"""Contexts as the docker command itself makes them, and chooses among them."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from dynadock import ConfigError, load, run
from engine.engines import TCP, addresses, no_address
from engine.test_tls import CERTIFICATES, TLS
from engine.things import IMAGE, LABELS
from lacking import give_up

if TYPE_CHECKING:
    from pathlib import Path

    from engine.engines import Engine

SERVER_VERSION = "{{.Server.Version}}"


class Docker:
    """The docker command, with a configuration folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.program = shutil.which("docker")
        if self.program is None:
            give_up("contexts are not tried: there is no docker command here")

    def __call__(self, *words: str) -> str:
        assert self.program is not None
        done = subprocess.run(
            [self.program, *words],
            env={**os.environ, "DOCKER_CONFIG": str(self.folder)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def create(self, name: str, **settings: str) -> None:
        value = ",".join(f"{key}={setting}" for key, setting in settings.items())
        self("context", "create", name, "--docker", value)


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Docker:
    for name in ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    return Docker(tmp_path)


@pytest.mark.real
@pytest.mark.each_engine
def test_which_context_counts(
    docker: Docker, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    docker.create("right", host=engine.address)
    docker.create("wrong", host=f"unix://{tmp_path}/nothing.sock")
    version = docker("--context", "right", "version", "--format", SERVER_VERSION)

    def check(origin: str, **options: str) -> None:
        """Check that both reach the engine, the docker command with what the environment says."""
        with load(**options) as client:
            assert client.SystemVersion().Version == version
            assert client.endpoint.origin == origin
        if not options:
            assert docker("version", "--format", SERVER_VERSION) == version

    check("context 'right', from context=", context="right")
    docker("context", "use", "right")
    check(f"context 'right', from currentContext in {tmp_path}/config.json")
    docker("context", "use", "wrong")
    monkeypatch.setenv("DOCKER_CONTEXT", "right")
    check("context 'right', from DOCKER_CONTEXT")
    monkeypatch.setenv("DOCKER_CONTEXT", "wrong")
    monkeypatch.setenv("DOCKER_HOST", engine.address)
    check("DOCKER_HOST")
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nothing.sock")
    check("context 'right', from context=", context="right")
    assert docker("--context", "right", "version", "--format", SERVER_VERSION) == version
    check("host=", host=engine.address)


def test_a_context_that_was_removed(docker: Docker) -> None:
    docker.create("gone", host="tcp://127.0.0.1:1")
    docker("context", "rm", "gone")
    with pytest.raises(ConfigError, match="there is no context 'gone'"):
        load("1.42", context="gone")


def _each_of(variable: str) -> pytest.MarkDecorator:
    found = [pytest.param(each, id=name) for name, each in addresses(variable).items()]
    return pytest.mark.parametrize(
        "address", found or [pytest.param("", marks=no_address(variable))]
    )


def _use_it(name: str) -> None:
    with load(context=name) as client:
        assert client.SystemPing() == "OK"
        done = run(client, IMAGE, ["cat"], stdin=b"to and fro", Labels=LABELS)
        assert done.stdout == b"to and fro"


@_each_of(TLS)
def test_a_context_with_certificates(docker: Docker, address: str) -> None:
    files = {name: f"{os.environ[CERTIFICATES]}/{name}.pem" for name in ("ca", "cert", "key")}
    docker.create("safe", host=address, **files)
    _use_it("safe")


@_each_of(TLS)
def test_a_context_that_checks_no_certificate(docker: Docker, address: str) -> None:
    files = {name: f"{os.environ[CERTIFICATES]}/{name}.pem" for name in ("cert", "key")}
    docker.create("lax", host=address, **files, **{"skip-tls-verify": "true"})
    _use_it("lax")


@_each_of(TCP)
def test_a_context_without_tls(docker: Docker, address: str) -> None:
    docker.create("plain", host=address)
    _use_it("plain")
