"""Files into simulated containers and out of them, through the API, as with Docker 26.1."""

from __future__ import annotations

import io
import tarfile

import pytest

from dynadock import BadRequest, NotFound, ServerError, load, pack
from dynadock.archive.read import members as unpacked
from dynadock.simulation import registry
from dynadock.simulation.engine import SimulatedEngine


@pytest.fixture
def engine():
    return SimulatedEngine(manual_clock=True, seed=1)


@pytest.fixture
def client(engine):
    name = registry.add(engine)
    with load("1.45", host=f"embedded://{name}", timeout=10) as made:
        made.ContainerCreate(name="box", Image="busybox", Cmd=["sleep", "600"], Labels={"a": "b"})
        yield made
    registry.forget(name)


@pytest.fixture
def files(engine, client):
    """The container's files themselves."""
    return engine.state.containers.find("box").files


def members(stream):
    return {each.name: each for each in tarfile.open(fileobj=io.BytesIO(stream.read()))}


def told(client, engine):
    """Return what is told of archives, and what is known of the container with it."""
    engine.state.advance(2)
    now = engine.state.clock.now() // 10**9
    events = client.SystemEvents(since=now - 10, until=now - 1, filters={"type": "container"})
    found = [(event.Action, event.Actor.Attributes) for event in events]
    return [(action, known) for action, known in found if action not in ("create", "start")]


def test_files_come_in_and_out(client, files):
    client.PutContainerArchive("box", path="/tmp", inputStream=pack({"d/f": "hello", "g": "x"}))
    assert files.read("/tmp/d/f") == b"hello"
    with client.ContainerArchive("box", path="/tmp/d") as stream:
        assert [*members(stream)] == ["d", "d/f"]


def test_what_is_said_of_a_path_is_in_a_header(client, files):
    files.make_link("../tmp", "/etc/l")
    said = client.ContainerArchiveInfo("box", path="/etc/l")["X-Docker-Container-Path-Stat"]
    assert (said["name"], said["size"], said["linkTarget"]) == ("l", 6, "/tmp")
    # GET has a path without dots before links are looked at, HEAD has it as it is.
    with client.ContainerArchive("box", path="/etc/l/../hosts") as stream:
        assert stream.headers["X-Docker-Container-Path-Stat"]["name"] == "hosts"
    with pytest.raises(NotFound):
        client.ContainerArchiveInfo("box", path="/etc/l/../hosts")


@pytest.mark.parametrize(
    ("ask", "error", "words"),
    [
        (
            lambda client: client.ContainerArchive("box", path="/none"),
            NotFound,
            "Could not find the file /none in container box",
        ),
        (
            lambda client: client.PutContainerArchive("box", path="none", inputStream=pack({})),
            NotFound,
            "Could not find the file none in container box",
        ),
        (lambda client: client.ContainerArchiveInfo("box", path="/none"), NotFound, ""),
        (
            lambda client: client.ContainerArchive("none", path="/"),
            NotFound,
            "No such container: none",
        ),
        (lambda client: client.ContainerExport("none"), NotFound, "No such container: none"),
        (lambda client: client.ContainerChanges("none"), NotFound, "No such container: none"),
        (
            lambda client: client.ContainerArchive("box", path=""),
            BadRequest,
            "bad parameter: pathcannot be empty",
        ),
        (
            lambda client: client.ContainerArchive("box", path="/etc/passwd/x"),
            ServerError,
            "lstat /etc/passwd/x: not a directory",
        ),
        (
            lambda client: client.PutContainerArchive(
                "box", path="/etc/passwd", inputStream=pack({"f": ""})
            ),
            ServerError,
            "extraction point is not a directory",
        ),
        (
            lambda client: client.PutContainerArchive("box", path="/tmp", inputStream=b"r" * 600),
            ServerError,
            "archive/tar: invalid tar header",
        ),
        (
            lambda client: client.PutContainerArchive(
                "box", path="/", inputStream=pack({"tmp": ""}), noOverwriteDirNonDir=True
            ),
            ServerError,
            'cannot overwrite directory "/tmp" with non-directory "/"',
        ),
    ],
)
def test_refusals_have_the_words_of_engines(client, engine, ask, error, words):
    with pytest.raises(error) as refused:
        ask(client)
    assert words in str(refused.value)
    assert told(client, engine) == []


def test_owners_are_the_archive_s_or_the_container_s(client, engine):
    client.ContainerCreate(name="owned", Image="busybox", User="1000:50")
    files = engine.state.containers.find("owned").files
    for own in (False, True):
        archive = pack({f"f{own}": ""})
        client.PutContainerArchive("owned", path="/tmp", inputStream=archive, copyUIDGID=own)
    assert files.stat("/tmp/fFalse")[4:6] == (0, 0)
    assert files.stat("/tmp/fTrue")[4:6] == (1000, 50)


def test_changes_are_listed_and_null_if_there_are_none(client, files):
    assert client.ContainerChanges("box") is None
    client.ContainerStart("box")
    assert client.ContainerChanges("box") is None
    files.write("/tmp/x", b"")
    files.write("/etc/hosts", b"127.0.0.1 localhost\n")
    files.write("/dev/null", b"")
    assert client.ContainerChanges("box") == [
        {"Path": "/tmp", "Kind": 0},
        {"Path": "/tmp/x", "Kind": 1},
    ]


def test_an_export_has_the_whole_file_system_but_no_mounts(client, files):
    client.ContainerStart("box")
    files.write("/etc/hosts", b"127.0.0.1 localhost\n")
    with client.ContainerExport("box") as stream:
        found = members(stream)
    assert {".dockerenv", "bin/sh", "dev/console", "etc/passwd", "proc"} <= {*found}
    assert not {"", ".", "dev/null"} & {*found}
    assert (found["etc/hosts"].size, found["etc/hosts"].mode) == (0, 0o755)
    with client.ContainerArchive("box", path="/etc/hosts") as stream:
        assert members(stream)["hosts"].size == 20


def test_events_tell_what_was_done(client, engine):
    client.PutContainerArchive("box", path="/tmp", inputStream=pack({"f": ""}))
    client.ContainerArchiveInfo("box", path="/tmp")
    client.ContainerArchive("box", path="/tmp").close()
    client.ContainerExport("box").close()
    client.ContainerChanges("box")
    found = told(client, engine)
    assert [action for action, _ in found] == ["extract-to-dir", "archive-path", "export"]
    assert all((known["a"], known["name"]) == ("b", "box") for _, known in found)


def test_containers_of_an_image_have_files_of_their_own(client, engine, files):
    client.ContainerCreate(name="other", Image="busybox")
    client.ContainerStart("box")
    files.write("/etc/hosts", b"127.0.0.1 localhost\n")
    files.write("/dev/shm/x", b"")
    files.write("/tmp/x", b"")
    other = engine.state.containers.find("other").files
    assert (other.read("/etc/hosts"), other.exists("/dev/shm/x")) == (b"", False)
    assert not other.exists("/tmp/x")


def test_a_read_only_container_is_written_to_by_nobody_but_on_its_volumes(client):
    client.ContainerCreate(
        name="sealed",
        Image="busybox",
        Cmd=["sh", "-c", "echo x > /data/out; echo x > /srv/out"],
        WorkingDir="/srv",
        HostConfig={"ReadonlyRootfs": True, "Binds": ["sealed-data:/data"]},
    )
    with pytest.raises(ServerError, match="container rootfs is marked read-only"):
        client.PutContainerArchive("sealed", path="/tmp", inputStream=pack({"f": ""}))
    client.PutContainerArchive("sealed", path="/data", inputStream=pack({"f": ""}))
    client.ContainerStart("sealed")
    assert client.ContainerWait("sealed").StatusCode == 1
    with client.ContainerArchive("sealed", path="/data") as stream:
        assert [*members(stream)] == ["data", "data/f", "data/out"]


def test_programs_and_archives_see_the_same_files(client):
    client.ContainerCreate(
        name="sh", Image="busybox", Cmd=["sh", "-c", "cat /tmp/in > /tmp/out; echo >/dev/null"]
    )
    client.PutContainerArchive("sh", path="/tmp", inputStream=pack({"in": "came in"}))
    client.ContainerStart("sh")
    assert client.ContainerWait("sh").StatusCode == 0
    with client.ContainerArchive("sh", path="/tmp/out") as stream:
        contents = [file.read() for _, file in unpacked(stream)]
    assert contents == [b"came in"]
    assert [each.Path for each in client.ContainerChanges("sh")] == ["/tmp", "/tmp/in", "/tmp/out"]
