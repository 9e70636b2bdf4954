"""Engines by ssh: a server of one's own on this machine, and `docker system dial-stdio` there."""

from __future__ import annotations

import getpass
import hashlib
import os
import shlex
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from closing import check_closed_while_read
from dynadock import SocketMissing, TransportError, execute, load, run
from engine.things import LABELS
from lacking import give_up

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dynadock import Client
    from engine.engines import Engine

pytestmark = [pytest.mark.each_engine, pytest.mark.real]

PATIENCE = 20.0

ALIAS = "myBox"
"""A name that only ssh's configuration knows, which minds the case."""


class Server:
    """An ssh server for one user, on a loopback port, and a client's configuration for it."""

    def __init__(self, folder: Path, sshd: str) -> None:
        self.folder = folder
        for name in ("host", "user", "stranger"):
            _run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name))
        shutil.copy(folder / "user.pub", folder / "authorized")
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        settings = {
            "ListenAddress": "127.0.0.1",
            "Port": self.port,
            "HostKey": folder / "host",
            "AuthorizedKeysFile": folder / "authorized",
            "PidFile": "none",
            "StrictModes": "no",
            "UsePAM": "no",
            "PasswordAuthentication": "no",
            "KbdInteractiveAuthentication": "no",
            "PermitRootLogin": "yes",
            "LogLevel": "VERBOSE",
            # Where tests are run from is where docker is.
            "SetEnv": f'PATH="{os.environ["PATH"]}"',
        }
        _write(folder / "sshd_config", settings)
        self.log = folder / "log"
        self.process = subprocess.Popen(
            [sshd, "-D", "-f", str(folder / "sshd_config"), "-E", str(self.log)]
        )
        self._wait()

    def _wait(self) -> None:
        end = time.monotonic() + PATIENCE
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                said = self.log.read_text() if self.log.exists() else ""
                assert self.process.poll() is None, f"sshd has ended: {said}"
                assert time.monotonic() < end, f"sshd does not listen: {said}"
                time.sleep(0.02)
            else:
                return

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(PATIENCE)

    def configure(self, folder: Path, *, key: str = "user", known: bool = True) -> Path:
        """Write the user's ssh: the real one, with a configuration for this server."""
        hosts = folder / "known_hosts"
        name = f"[127.0.0.1]:{self.port}"
        other = self.folder / ("host.pub" if known else "stranger.pub")
        hosts.write_text(f"{name} {other.read_text()}")
        settings = {
            "IdentityFile": self.folder / key,
            "IdentitiesOnly": "yes",
            "UserKnownHostsFile": hosts,
            "StrictHostKeyChecking": "yes",
            "BatchMode": "yes",
        }
        # Patterns come last: they end what is for all hosts.
        alias = {"Host": ALIAS, "HostName": "127.0.0.1", "Port": self.port, "User": _user()}
        _write(folder / "ssh_config", {**settings, **alias})
        program = folder / "ssh"
        real = shutil.which("ssh")
        program.write_text(f'#!/bin/sh\nexec {real} -F {folder / "ssh_config"} "$@"\n')
        program.chmod(0o755)
        return program

    def address(self, socket_path: str) -> str:
        return f"ssh://{_user()}@127.0.0.1:{self.port}{socket_path}"


def _user() -> str:
    return getpass.getuser()


def _write(path: Path, settings: dict[str, object]) -> None:
    path.write_text("".join(f"{name} {value}\n" for name, value in settings.items()))


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The server; skips where there is no program for it."""
    path = f"{os.environ['PATH']}:/usr/local/sbin:/usr/sbin:/sbin"
    programs = {name: shutil.which(name, path=path) for name in ("sshd", "ssh", "docker")}
    missing = [name for name, place in programs.items() if place is None]
    if missing:
        give_up(f"ssh is not tried: there is no {', no '.join(missing)} here")
    server = Server(tmp_path_factory.mktemp("ssh"), programs["sshd"] or "")
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def use_ssh(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Put an ssh that knows the server before the user's own."""

    def use(**options: object) -> Path:
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
        return server.configure(tmp_path, **options)

    return use


def running(folder: Path) -> list[str]:
    """List the ssh processes that go by a folder's configuration."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if b"-F" in command and str(folder / "ssh_config").encode() in command:
            found.append(shlex.join(part.decode() for part in command))
    return found


def wait_until_none_runs(folder: Path) -> None:
    end = time.monotonic() + PATIENCE
    while left := running(folder):
        assert time.monotonic() < end, left
        time.sleep(0.02)


def path_of(engine: Engine) -> str:
    if not engine.address.startswith("unix://"):
        pytest.skip("ssh leads to unix sockets, and this engine is tested by another address")
    return engine.address.removeprefix("unix://")


@pytest.fixture
def remote(
    engine: Engine, server: Server, use_ssh: Callable[..., Path], tmp_path: Path
) -> Iterator[Client]:
    """A client by ssh, at the engine's version for the main tests; its processes end with it."""
    use_ssh()
    version = str(engine.main_versions[0])
    with load(version, host=server.address(path_of(engine))) as client:
        yield client
    wait_until_none_runs(tmp_path)


def test_negotiation(engine: Engine, server: Server, use_ssh: Callable[..., Path]) -> None:
    use_ssh()
    with load(host=server.address(path_of(engine))) as client:
        assert client.version == str(engine.main_versions[-1])
        assert client.endpoint.scheme == "ssh"


def _use(address: str, engine: Engine) -> None:
    with load(str(engine.main_versions[0]), host=address) as client:
        assert client.SystemPing() == "OK"
        client.SystemEvents().close()


def test_an_alias_of_sshs_configuration(engine: Engine, use_ssh: Callable[..., Path]) -> None:
    use_ssh()
    _use(f"ssh://{ALIAS}{path_of(engine)}", engine)


@pytest.mark.parametrize("name", ["a b.sock", "a%20b.sock"])
def test_a_socket_with_a_blank(
    engine: Engine, server: Server, use_ssh: Callable[..., Path], name: str, tmp_path: Path
) -> None:
    use_ssh()
    (tmp_path / "a b.sock").symlink_to(path_of(engine))
    _use(server.address(f"{tmp_path}/{name}"), engine)


def test_calls_share_a_process(remote: Client, tmp_path: Path) -> None:
    assert remote.SystemPing() == "OK"
    assert remote.SystemVersion().ApiVersion
    assert len(running(tmp_path)) == 1
    remote.close()
    wait_until_none_runs(tmp_path)
    assert remote.SystemPing() == "OK"


@pytest.mark.parametrize("size", [0, 1, 3_000_000])
def test_the_end_of_input_leaves_the_output_open(
    remote: Client, image: str, size: int, tmp_path: Path
) -> None:
    sent = (hashlib.sha256(b"x").digest() * (size // 32 + 1))[:size]
    done = run(remote, image, ["sh", "-c", "cat; echo end >&2"], stdin=sent, Labels=LABELS)
    assert done == (0, sent, b"end\n")
    remote.close()
    wait_until_none_runs(tmp_path)


def test_exec_with_input(remote: Client, image: str) -> None:
    name = remote.ContainerCreate(Image=image, Cmd=["sleep", "600"], Labels=LABELS).Id
    try:
        remote.ContainerStart(name)
        assert execute(remote, name, ["wc", "-c"], stdin=b"12345").stdout == b"5\n"
        started = remote.ContainerExec(name, Cmd=["cat"], AttachStdin=True, AttachStdout=True)
        with remote.ExecStart(started.Id) as cat:
            for word in (b"one\n", b"two\n"):
                cat.write(word)
                assert next(cat).data == word
            cat.close_stdin()
            assert cat.text() == ""
        assert remote.ExecInspect(started.Id).ExitCode == 0
    finally:
        remote.ContainerDelete(name, force=True)


def test_closing_ends_the_process_and_waiting_calls(remote: Client, tmp_path: Path) -> None:
    remote.close()
    events = remote.SystemEvents()
    assert len(running(tmp_path)) == 1
    check_closed_while_read(events)
    wait_until_none_runs(tmp_path)


def test_an_image_comes_down_and_goes_up(remote: Client, image: str) -> None:
    archive = remote.ImageGet(image).read()
    remote.ImageLoad(body=archive).wait()


REFUSALS = {
    "Permission denied": {"key": "stranger"},
    "Host key verification failed": {"known": False},
}


@pytest.mark.parametrize("operation", ["SystemPing", "SystemEvents"])
@pytest.mark.parametrize(("words", "options"), REFUSALS.items(), ids=REFUSALS)
def test_errors_quote_ssh(
    server: Server,
    use_ssh: Callable[..., Path],
    operation: str,
    words: str,
    options: dict[str, object],
) -> None:
    use_ssh(**options)
    client = load("1.42", host=server.address("/var/run/docker.sock"))
    with pytest.raises(TransportError, match=rf"(?s)cannot be reached \(ssh: .*{words}"):
        client.operations[operation]()


@pytest.mark.parametrize("operation", ["SystemPing", "SystemEvents"])
def test_there_is_no_engine_at_the_other_end(
    server: Server, use_ssh: Callable[..., Path], operation: str, tmp_path: Path
) -> None:
    use_ssh()
    client = load("1.42", host=server.address(f"{tmp_path}/nothing.sock"))
    with pytest.raises(TransportError, match=r"ssh: .*nothing\.sock") as caught:
        client.operations[operation]()
    assert not isinstance(caught.value, SocketMissing)
    wait_until_none_runs(tmp_path)
