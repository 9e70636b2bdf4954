"""Engines that are reached by ssh: a program in its place leads to a scripted peer."""

from __future__ import annotations

import shlex
import sys
import textwrap
import threading

import pytest

from closing import check_closed_while_read
from dynadock import TransportError, load
from dynadock.transport.endpoint import parse_host
from dynadock.transport.links.ssh import ssh_command
from wire.peer import Peer, answer, expect, frame, hang_up, reply, silence, switching

# It does what ssh and `docker system dial-stdio` do together, and keeps what it was called with.
PROGRAM = textwrap.dedent(
    """
    #!{python}
    import json, os, pathlib, shlex, socket, sys, threading

    pathlib.Path({log!r}).write_text(json.dumps(sys.argv[1:]))
    remote = shlex.split(sys.argv[-1])
    path = remote[remote.index("--host") + 1].removeprefix("unix://")
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(path)
    except OSError as error:
        sys.exit(f"failed to open the raw stream connection: {{error.strerror}}")

    def send():
        while data := os.read(0, 65536):
            connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)

    threading.Thread(target=send, daemon=True).start()
    while data := connection.recv(65536):
        os.write(1, data)
    """
).strip()


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Put a program called ssh before the real one; gives the file of what it was called with."""
    log = tmp_path / "called.json"
    folder = tmp_path / "bin"
    folder.mkdir()
    ssh = folder / "ssh"
    ssh.write_text(PROGRAM.format(python=sys.executable, log=str(log)))
    ssh.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return log


def attendants():
    return [thread for thread in threading.enumerate() if thread.name == "dynadock ssh"]


@pytest.fixture(autouse=True)
def no_ssh_left():
    yield
    for thread in attendants():
        thread.join(10)
    assert not attendants()


def host_of(peer):
    return "ssh://me@box:2222" + peer.address.removeprefix("unix://")


DIAL = "docker system dial-stdio"
DIAL_BOX = ("ssh", "-T", "--", "box")
ADDRESSES = {
    "ssh://box": ["ssh", "-T", "--", "box", "docker system dial-stdio"],
    "ssh://box/": ["ssh", "-T", "--", "box", "docker system dial-stdio"],
    "ssh://me@box:2222/run/d.sock": [
        *("ssh", "-T", "-l", "me", "-p", "2222", "--", "box"),
        "docker --host unix:///run/d.sock system dial-stdio",
    ],
    "ssh://box/a b/$(rm x).sock": [
        *("ssh", "-T", "--", "box"),
        "docker --host 'unix:///a b/$(rm x).sock' system dial-stdio",
    ],
    # A name as it is in ssh's configuration, which minds the case; users of domains; zones.
    "ssh://myHost": ["ssh", "-T", "--", "myHost", "docker system dial-stdio"],
    "ssh://Ünser": ["ssh", "-T", "--", "Ünser", "docker system dial-stdio"],
    "ssh://user%40corp@host": ["ssh", "-T", "-l", "user@corp", "--", "host", DIAL],
    "ssh://user@corp@host": ["ssh", "-T", "-l", "user@corp", "--", "host", DIAL],
    "ssh://DOM%5Cme@host": ["ssh", "-T", "-l", "DOM\\me", "--", "host", DIAL],
    "ssh://DOM\\me@host": ["ssh", "-T", "-l", "DOM\\me", "--", "host", DIAL],
    "ssh://me@[fe80::1%25eth0]": ["ssh", "-T", "-l", "me", "--", "fe80::1%eth0", DIAL],
    "ssh://me@[fe80::1%eth0]": ["ssh", "-T", "-l", "me", "--", "fe80::1%eth0", DIAL],
    "ssh://box/run/a%20b.sock": [*DIAL_BOX, "docker --host 'unix:///run/a b.sock' " + DIAL[7:]],
    "ssh://box/run/a b.sock": [*DIAL_BOX, "docker --host 'unix:///run/a b.sock' " + DIAL[7:]],
    "ssh://box/run/a%2520b.sock": [*DIAL_BOX, "docker --host unix:///run/a%20b.sock " + DIAL[7:]],
    "ssh://[::1]:22/run/it's.sock": [
        *("ssh", "-T", "-p", "22", "--", "::1"),
        f"docker --host {shlex.quote('unix:///run/it' + chr(39) + 's.sock')} system dial-stdio",
    ],
}


@pytest.mark.parametrize(("address", "command"), ADDRESSES.items(), ids=ADDRESSES)
def test_the_command(address, command):
    """What follows ssh's options was read off the docker command (28.2), but for the quotes."""
    endpoint = parse_host(address, "host=")
    assert ssh_command(endpoint, None) == command
    assert ssh_command(parse_host(str(endpoint), "host="), None) == command


@pytest.mark.parametrize(
    "address",
    [
        "ssh://-oProxyCommand=x",
        "ssh://-l@box",
        "ssh://me:secret@box",
        "ssh://",
        "ssh://b?x",
        "ssh://b:x",
        "ssh://b:0",
        "ssh://b:65536",
        "ssh://%2dl@box",
        "ssh://me%0A@box",
        "ssh://me%00@box",
        "ssh://bo x",
        "ssh://bo%78",
        "ssh://box/a%0Ab",
        "ssh://box/\udcff",
    ],
)
def test_what_ssh_is_not_given(address):
    with pytest.raises(ValueError, match="address") as caught:
        load("1.42", host=address)
    assert "secret" not in str(caught.value).replace(repr(address), "")


def test_calls_share_a_connection(program):
    script = [answer(reply(text="OK")), answer(reply(json=[]))]
    with Peer(script) as peer, load("1.42", host=host_of(peer)) as client:
        assert client.SystemPing() == "OK"
        assert client.ContainerList() == []
    assert '"-l", "me", "-p", "2222", "--", "box"' in program.read_text()
    assert "ConnectTimeout=10" in program.read_text()


@pytest.mark.usefixtures("program")
def test_the_end_of_input_is_handed_on():
    def echo(connection):
        connection.send([switching()])
        connection.send([frame("stdout", connection.read_to_end())])

    script = [expect, echo, hang_up]
    with Peer(script) as peer, load("1.42", host=host_of(peer), tty=False) as client:
        duplex = client.ContainerAttach("web", stream=True, stdin=True, stdout=True)
        assert duplex.communicate(b"to and fro").stdout == b"to and fro"


@pytest.mark.usefixtures("program")
def test_closing_ends_what_another_thread_waits_for():
    script = [answer(reply(json=None).partition(b"\r\n")[0] + b"\r\n\r\n"), silence]
    with Peer(script) as peer, load("1.42", host=host_of(peer)) as client:
        events = client.SystemEvents()
        check_closed_while_read(events)


@pytest.mark.usefixtures("program")
@pytest.mark.parametrize("operation", ["SystemPing", "SystemEvents"])
def test_errors_quote_ssh(operation, tmp_path):
    client = load("1.42", host=f"ssh://box{tmp_path}/nobody.sock")
    with pytest.raises(TransportError, match=r"cannot be reached.*ssh: failed to open the raw"):
        client.operations[operation]()


@pytest.mark.usefixtures("program")
def test_errors_of_uploads_quote_ssh_too(tmp_path):
    client = load("1.42", host=f"ssh://box{tmp_path}/nobody.sock")
    with pytest.raises(TransportError, match=r"cannot be reached.*ssh: failed to open the raw"):
        client.ImageLoad(body=b"x" * 4_000_000)


@pytest.mark.parametrize("operation", ["SystemPing", "SystemEvents"])
def test_there_is_no_ssh(operation, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(TransportError, match="there is no program 'ssh' in PATH"):
        load("1.42", host="ssh://box").operations[operation]()
