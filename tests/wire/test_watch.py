"""Watching real conversations over real sockets: what is told of them, pins, recordings, TLS."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
import trustme

from documents import MAIN
from dynadock import APIError, EndpointError, NotFound, SpecError, load, watch
from dynadock.compat.replaying import Replay
from dynadock.compat.watch import Certificates
from dynadock.spec.versions import parse_range
from secret_values import SECRET, is_told_by
from serving import Wire, comes_true, request, serving, threads
from wire.peer import (
    Peer,
    answer,
    expect_head,
    expect_rest,
    hang_up,
    reply,
    send,
    silence,
    streaming,
    wait,
)


@contextmanager
def watching(to="embedded://", at=None, **options):
    """Watch an engine; nothing is left of that afterwards."""
    before, serving = descriptors(), threads()
    with watch(to, at, **options) as watching:
        yield watching
    assert threads() == serving
    assert descriptors() <= before


def descriptors():
    return len([*Path("/proc/self/fd").iterdir()])


@pytest.fixture
def watched():
    with watching() as made:
        yield made


def names(watched):
    return [each.operation_id or each.fault for each in watched.exchanges]


# What is told


def test_operations_are_recognised_at_the_version_in_the_path(watched):
    with load("1.30", host=watched.url) as client:
        client.ContainerList()
        with pytest.raises(NotFound):
            client.ContainerInspect("none")
    with Wire(watched.url) as wire:
        assert wire.ask("GET", "/containers/json").status == 200
        assert wire.ask("GET", "/v9.9/containers/json").status == 400
        assert wire.ask("GET", "/v1.30/nowhere").status == 404
    rows = [(each.operation_id, each.version, each.status) for each in watched.exchanges]
    newest = watched.as_dict()["engine"]["newest"]
    assert rows == [
        ("ContainerList", "1.30", 200),
        ("ContainerInspect", "1.30", 404),
        ("ContainerList", newest, 200),
        ("", "", 400),
        ("", "", 404),
    ]
    assert names(watched)[3:] == [
        "there is no document of API 9.9",
        "no operation of API 1.30",
    ]


def test_a_program_and_the_engine_in_words(watched):
    with load(MAIN, host=watched.url) as client:
        client.ContainerCreate(name="web", Image="busybox", Cmd=["true"])
        client.ContainerList(all=True)
    told = watched.report()
    assert "2 requests to embedded://" in told
    assert f"ContainerCreate  {MAIN}" in told
    assert "fields: Image, Cmd" in told
    assert "everything is there" in told
    known = watched.as_dict()
    assert known["operations"][0] == {
        "operation": "ContainerCreate",
        "version": MAIN,
        "count": 1,
        "statuses": {"201": 1},
    }
    assert not watched.deviations.failing
    assert not watched.deviations.unchecked
    assert watched.deviations.calls
    assert "<html" in watched.html()
    assert json.loads(json.dumps(known)) == known


def test_an_engine_that_answers_otherwise_than_documented():
    wrong = reply(json=[{"Id": 7, "Names": ["/web"]}])
    with Peer([answer(wrong), answer(wrong)]) as peer, watching(peer.address) as watched:
        with Wire(watched.url) as wire:
            for _ in range(2):
                wire.ask("GET", f"/v{MAIN}/containers/json")
        found = [(each.field or each.place, each.count) for each in watched.deviations.of("wrong")]
    assert ("Id", 2) in found


def test_a_stream_that_is_left_is_looked_at_as_far_as_it_came():
    event = b'{"Type": "container", "time": "now"}\n'
    steps = [expect_head, send(streaming("application/json") + event), silence]
    with Peer(steps) as peer, watching(peer.address) as watched:
        with Wire(watched.url) as wire:
            wire.send(request("GET", f"/v{MAIN}/events"))
            wire.until(event)
        assert comes_true(lambda: watched.exchanges)
        assert [each.field or each.place for each in watched.deviations.of("wrong")] == ["time"]
        assert not watched.deviations.unchecked


def test_no_secret_is_shown_or_recorded(tmp_path):
    path = tmp_path / "recording"
    with watching(record=path) as watched:
        with Wire(watched.url) as wire:
            body = {"Image": "busybox", "Env": [f"PASSWORD={SECRET}"], "Labels": {"a": "b"}}
            wire.ask("POST", f"/v{MAIN}/containers/create?name=web", body)
            wire.ask("GET", f"/v{MAIN}/containers/web/json")
            auth = {"X_Registry_Auth": SECRET, "Authorization": SECRET}
            wire.ask("POST", f"/v{MAIN}/images/create?fromImage=none&token={SECRET}", **auth)
            wire.ask("POST", f"/v{MAIN}/auth", {"username": "me", "password": SECRET})
            wire.ask("POST", f"/v{MAIN}/build?buildargs=%7B%22A%22%3A%22{SECRET}%22%7D", b"tar")
            wire.ask("POST", f"/nowhere?password={SECRET}", {"Token": SECRET})
            wire.ask("POST", f"/v{MAIN}/containers/create", SECRET.encode(), Content_Type="text/x")
        told = [watched.report(), json.dumps(watched.as_dict()), repr(watched.exchanges)]
        told += [str(watched.deviations)]
    written = path.read_text()
    assert "PASSWORD=****" in written
    assert written.count("\n") == 8
    assert not [text for text in (*told, written) if is_told_by(text)]
    assert path.stat().st_mode & 0o077 == 0


def test_control_characters_are_escaped():
    reply_of_evil = b"HTTP/1.1 200 OK\r\nServer: a\x9bb\r\nContent-Length: 0\r\n\r\n"
    with Peer([answer(reply_of_evil)]) as peer, watching(peer.address) as watched:
        with Wire(watched.url) as wire:
            wire.send(b"GET /v1.42/\x7e HTTP/1.1\r\nHost: d\r\n\r\n")
            wire.head()
        assert "a\\x9bb" in watched.report()
        assert watched.report().replace("\n", "").isprintable()


# What is no HTTP, and what breaks


@pytest.mark.parametrize(
    ("noise", "why"),
    [
        (b"EHLO there\r\n", "no HTTP request came"),
        (b"GET / HTTP/1.1\r\nHost: d\r\nContent-Length: 1, 2\r\n\r\n", "Content-Length"),
        (b"GET / HTTP/1.1\r\nHo", "in the middle of a request's head"),
        (bytes(range(256)) * 2000, "no HTTP request came"),
    ],
)
def test_nonsense_passes_and_is_told(noise, why):
    came = []

    def step(connection):
        came.append(connection.read_to_end())
        connection.send([b"what?"])

    with Peer([step]) as peer, watching(peer.address) as watched:
        with Wire(watched.url) as wire:
            wire.send(noise)
            wire.sock.shutdown(socket.SHUT_WR)
            assert wire.to_end() == b"what?"
        assert comes_true(lambda: watched.as_dict()["unrecognised"])
        assert why in watched.as_dict()["unrecognised"][0]["why"]
    assert came == [noise]


def test_an_engine_that_speaks_no_http():
    with Peer([answer(b"SSH-2.0-x\r\n")]) as peer, watching(peer.address) as watched:
        with Wire(watched.url) as wire:
            wire.send(request("GET", f"/v{MAIN}/containers/json"))
            assert wire.until(b"\n") == b"SSH-2.0-x\r\n"
        assert comes_true(lambda: watched.exchanges)
        assert "no HTTP reply came" in watched.exchanges[0].fault


def test_a_client_that_hangs_up_is_seen_by_a_silent_engine():
    head = streaming("application/json")
    with Peer([expect_head, send(head), silence]) as peer, watching(peer.address) as watched:
        with Wire(watched.url) as wire:
            wire.send(request("GET", f"/v{MAIN}/events"))
            wire.head()
        # The script ends by itself: the engine's side has seen it.
        assert comes_true(lambda: not watched.connections)
        assert names(watched) == ["SystemEvents"]


def test_a_client_that_sends_no_more_and_hangs_up_later():
    head, seen, over = streaming("application/json"), threading.Event(), threading.Event()
    steps = [expect_head, send(head), expect_rest(), wait(seen), send(b"{}"), wait(over)]
    with Peer(steps) as peer, watching(peer.address) as watched:
        with Wire(watched.url) as wire:
            wire.send(request("GET", f"/v{MAIN}/events"))
            wire.head()
            wire.sock.shutdown(socket.SHUT_WR)
            seen.set()
            assert wire.exactly(2) == b"{}"
            assert watched.connections == 1
        assert comes_true(lambda: not watched.connections)
        over.set()


def test_an_engine_that_hangs_up_is_seen_by_the_client():
    with Peer([hang_up]) as peer, watching(peer.address) as watched, Wire(watched.url) as wire:
        assert wire.to_end() == b""
        assert comes_true(lambda: not watched.connections)
        with pytest.raises(BrokenPipeError):
            wire.send(b"GET")


def test_there_is_no_engine(tmp_path):
    with watching(f"unix://{tmp_path}/none.sock") as watched:
        with Wire(watched.url) as wire:
            refused = wire.ask("GET", "/_ping")
        assert refused.status == 502
        assert "none.sock" in refused.json["message"]
        assert "there is no such socket" in refused.json["message"]
        assert "1 connection found no engine" in watched.report()


def test_addresses_that_make_no_sense(tmp_path):
    for to, at in (("tcp://d:1/path", None), ("unix://", None), (None, "tcp://0.0.0.0:0")):
        with pytest.raises(EndpointError):
            watch(to, at)
    with pytest.raises(SpecError):
        watch("embedded://", pin="9.9")
    with pytest.raises(SpecError):
        watch("embedded://", api="new")
    with pytest.raises(OSError, match="none"):
        watch("embedded://", record=tmp_path / "none" / "file")
    assert not threads()


def test_bodies_are_counted_and_not_kept(watched):
    size = 3 * 2**20
    with Wire(watched.url) as wire:
        create = {"Image": "busybox"}
        wire.ask("POST", f"/v{MAIN}/containers/create?name=web", create)
        put = request("PUT", f"/v{MAIN}/containers/web/archive?path=/", bytes(size))
        wire.send(put.replace(b"Host: d", b"Host: d\r\nContent-Type: application/x-tar"))
        wire.answer()
    last = watched.exchanges[-1]
    assert (last.operation_id, last.sent) == ("PutContainerArchive", size)


def test_a_hundred_clients_at_once():
    with serving_peers() as address, watching(address) as watched:

        def ask(number):
            with Wire(watched.url) as wire:
                for turn in range(5):
                    answered = wire.ask("GET", f"/v{MAIN}/containers/{number}x{turn}/json")
                    assert answered.json["message"].endswith(f"{number}x{turn}")

        with ThreadPoolExecutor(100) as pool:
            list(pool.map(ask, range(100)))
        assert watched.as_dict()["operations"][0]["statuses"] == {"404": 500}


@contextmanager
def serving_peers():
    with tempfile.TemporaryDirectory() as folder, serving(folder) as server:
        yield server.url


def test_connections_beyond_the_bound_are_refused():
    from dynadock.compat.watch import Watch

    with Watch("embedded://", most_connections=1) as watched, Wire(watched.url) as first:
        assert first.ask("GET", "/_ping").status == 200
        with Wire(watched.url) as second:
            assert second.answer().status == 503


# Pins


def test_a_pinned_engine_seems_to_speak_no_newer_version():
    with watching(pin="1.41") as watched, Wire(watched.url) as wire:
        for method in ("GET", "HEAD"):
            assert wire.ask(method, "/_ping").headers["api-version"] == "1.41"
        told = wire.ask("GET", "/version").json
        assert told["ApiVersion"] == "1.41"
        assert {each["Details"].get("ApiVersion", "1.41") for each in told["Components"]} == {
            "1.41"
        }
        refused = wire.ask("GET", "/v1.42/containers/json")
        assert (refused.status, refused.headers["api-version"]) == (400, "1.41")
        assert refused.json["message"] == (
            "client version 1.42 is too new. Maximum supported API version is 1.41"
        )
        refused = wire.ask("POST", "/v1.42/containers/create", {"Image": "busybox"})
        assert refused.status == 400
        # An operation that arrived later, and one that no version has.
        assert wire.ask("PUT", "/v1.41/volumes/x", {"Spec": {}}).json["message"] == "page not found"
        assert wire.ask("GET", "/v1.42/nowhere").status == 404
        assert wire.ask("GET", "/v1.41/containers/json").json == []
        assert wire.ask("GET", "/containers/json").json == []
        rows = watched.exchanges
        assert [each.version for each in rows if each.status == 200][-2:] == ["1.41", "1.41"]


def test_clients_agree_with_a_pinned_engine():
    with watching(pin="1.40") as watched, load(host=watched.url) as client:
        assert client.version == "1.40"
        client.ContainerList()
    refused = pytest.raises(APIError, match=r"speaks API .* to 1\.40")
    with watching(pin="1.40") as watched, load("1.44", host=watched.url) as client, refused:
        client.ContainerList()


def test_a_pin_newer_than_the_engine_changes_nothing():
    with serving_at("1.41") as url, watching(url, pin="1.44") as watched, Wire(watched.url) as wire:
        assert wire.ask("GET", "/_ping").headers["api-version"] == "1.41"
        assert wire.ask("GET", "/version").json["ApiVersion"] == "1.41"


@contextmanager
def serving_at(version):
    spoken = parse_range(f"-{version}")
    with tempfile.TemporaryDirectory() as folder, serving(folder, versions=spoken) as server:
        yield server.url


def test_an_upgrade_behind_a_pin():
    with watching(pin="1.41") as watched:
        with load("1.41", host=watched.url) as client:
            client.ContainerCreate(name="web", Image="busybox", Cmd=["cat"], OpenStdin=True)
            with client.ContainerAttach("web", stream=True, stdin=True, stdout=True) as attached:
                client.ContainerStart("web")
                attached.write(b"typed\n")
                attached.close_stdin()
                assert attached.text() == "typed\n"
        took_over = [each for each in watched.exchanges if each.took_over]
        assert [(each.operation_id, each.sent) for each in took_over] == [("ContainerAttach", 6)]


# Recordings


def test_what_was_recorded_is_answered_again(tmp_path):
    path = tmp_path / "recording"
    with watching(record=path) as watched:
        first = played(watched.url)
    with Replay(path, f"unix://{tmp_path}/replay.sock") as replay:
        assert played(replay.url) == first
        with Wire(replay.url) as wire:
            missing = wire.ask("GET", f"/v{MAIN}/containers/other/json")
            assert missing.status == 501
            assert "the recording has no GET" in missing.json["message"]
            # Asked more often than it was: as the last time.
            assert wire.ask("GET", f"/v{MAIN}/containers/web/json").status == 404
    assert not threads()


def played(url):
    """Do some things, and return what came out, ids and moments too."""
    with load(MAIN, host=url) as client:
        made = client.ContainerCreate(
            name="web", Image="busybox", Cmd=["sh", "-c", "echo hello"], Env=[f"A={SECRET}"]
        )
        with client.ContainerAttach("web", stream=True, stdout=True) as attached:
            client.ContainerStart("web")
            output = attached.text()
        waited = client.ContainerWait("web")
        before = client.ContainerInspect("web").State.ExitCode
        client.ContainerDelete("web")
        with pytest.raises(NotFound) as gone:
            client.ContainerInspect("web")
        return [made.Id, output, waited.StatusCode, before, str(gone.value).partition(" from ")[0]]


@pytest.mark.parametrize(
    "text",
    ["", "{}", '{"format": "something else"}', "no JSON", '{"format": "dynadock recording 1"}\n{}'],
)
def test_what_is_no_recording(text, tmp_path):
    path = tmp_path / "recording"
    path.write_text(text)
    with pytest.raises(SpecError, match="recording"):
        Replay(path, f"unix://{tmp_path}/replay.sock")


# TLS


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture
def files(authority, tmp_path):
    """Write a server's certificate and key, and a client's folder."""
    certificate = authority.issue_cert("127.0.0.1")
    certificate.private_key_pem.write_to_path(tmp_path / "server-key.pem")
    certificate.cert_chain_pems[0].write_to_path(tmp_path / "server-cert.pem")
    client = authority.issue_cert("client@example.com")
    client.private_key_pem.write_to_path(tmp_path / "key.pem")
    client.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    return tmp_path


def test_tls_on_either_side(files, monkeypatch):
    certificates = Certificates(
        f"{files}/server-cert.pem", f"{files}/server-key.pem", f"{files}/ca.pem"
    )
    with (
        watching("embedded://", "tcp://127.0.0.1:0", certificates=certificates) as inner,
        monkeypatch.context() as patch,
    ):
        patch.setenv("DOCKER_TLS_VERIFY", "1")
        patch.setenv("DOCKER_CERT_PATH", str(files))
        with watching(inner.url) as outer:
            patch.undo()
            assert played(outer.url)[1:3] == ["hello\n", 0]
            assert names(outer) == names(inner)
        with Wire(inner.url) as plain:
            plain.send(b"GET /_ping HTTP/1.1\r\n\r\n")
            assert b"HTTP" not in plain.to_end()


def test_certificates_that_cannot_be_used(tmp_path):
    with pytest.raises(EndpointError, match=r"none\.pem"):
        watch("embedded://", certificates=Certificates(f"{tmp_path}/none.pem", "key.pem"))
    assert not threads()


# The command


def command(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "dynadock", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        **options,
    )


ASKING = "import dynadock; print(dynadock.load('1.42').SystemPing())"


def test_the_command_runs_a_command_and_reports(tmp_path):
    run = ("--to", "embedded://", "--", sys.executable, "-c", ASKING)
    ran = command("watch", *run)
    assert (ran.returncode, ran.stdout) == (0, "OK\n")
    assert "SystemPing  1.42  1x  200" in ran.stderr
    ran = command("watch", "--report", f"{tmp_path}/w.json", *run[:3], "sh", "-c", "exit 5")
    assert (ran.returncode, ran.stderr) == (5, "")
    assert json.loads((tmp_path / "w.json").read_text())["requests"] == 0
    for wrong in (("--pin", "x"), ("--report", "x.pdf"), ("--tlscert", "x"), ("--api", "x")):
        assert command("watch", *wrong, *run).returncode


def test_the_command_records_and_replays(tmp_path):
    path = f"{tmp_path}/recording"
    run = ("--", sys.executable, "-c", ASKING)
    assert command("watch", "--to", "embedded://", "--record", path, *run).stdout == "OK\n"
    assert command("serve", "--replay", path, *run).stdout == "OK\n"
    assert command("serve", "--replay", path, "--strict", *run).returncode == 2


def test_the_command_is_told_to_end(tmp_path):
    address = f"unix://{tmp_path}/watch.sock"
    for number, is_clean in ((signal.SIGTERM, True), (signal.SIGKILL, False)):
        with subprocess.Popen(
            [sys.executable, "-m", "dynadock", "watch", "-H", address, "--to", "embedded://"],
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout.readline() == f"export DOCKER_HOST={address}\n"
            with Wire(address) as wire:
                assert wire.ask("GET", "/v1.42/_ping").status == 200
                process.send_signal(number)
                assert wire.to_end() == b""
            assert ("SystemPing" in process.stdout.read()) is is_clean
        # The next one takes the place of what a killed one left.
        assert (tmp_path / "watch.sock").exists() is not is_clean


def test_a_watch_in_threads_of_others(watched):
    errors = []

    def ask():
        try:
            with load(MAIN, host=watched.url) as client:
                for _ in range(10):
                    client.ContainerList()
                    assert watched.exchanges
        except Exception as error:  # noqa: BLE001 - whatever it is
            errors.append(error)

    asking = [threading.Thread(target=ask) for _ in range(4)]
    for each in asking:
        each.start()
    for each in asking:
        each.join()
    assert not errors
    assert watched.as_dict()["operations"][0]["count"] == 40
