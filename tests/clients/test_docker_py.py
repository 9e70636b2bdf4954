"""docker-py on a served engine that is watched: everything comes out as it does on Docker 26.1.

Each function here whose name begins with ``test_`` is played on both, and returns what has to be
the same; ids, moments and addresses are put aside.
"""

from __future__ import annotations

import gc
import io
import socket
import tarfile
import time
from contextlib import closing
from datetime import datetime
from functools import wraps

import pytest

from clients.docker_command import put_aside
from clients.reference import docker_26
from dynadock.compat.watch import Watch
from dynadock.spec.versions import parse_range
from lacking import give_up
from serving import serving

try:
    import docker
except ImportError:
    give_up("docker-py is not installed (the extra `bench` has it)")

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")

API = "1.45"
PREFIX = "dpy-"


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    """Serve what speaks the versions of Docker 26.1, watched, for a client of docker-py."""
    folder = tmp_path_factory.mktemp("served")
    with serving(folder, versions=parse_range("1.25-1.45")) as server, Watch(server.url) as watched:
        with closing(_client(watched.url)) as client:
            yield client
        # Sockets that docker-py leaves open are to warn here, where that is ignored.
        gc.collect()
        assert not watched.as_dict()["unrecognised"]


@pytest.fixture(scope="module")
def reference():
    """Give a client of docker-py at Docker 26.1."""
    with closing(_client(docker_26())) as client:
        yield client


def _client(host):
    client = docker.DockerClient(base_url=host, version=API, timeout=20)
    client.url = host
    _tidy(client)
    return client


def _tidy(client):
    for container in client.containers.list(
        all=True, filters={"name": PREFIX}, ignore_removed=True
    ):
        container.remove(force=True, v=True)
    for network in client.networks.list(names=[PREFIX]):
        network.remove()
    for volume in client.volumes.list(filters={"name": PREFIX}):
        volume.remove(force=True)


def same_on_both(play):
    """Make a test of a function that is played with a client and returns what came out."""

    @wraps(play)
    def test(engine, reference):
        came = []
        for client in (reference, engine):
            try:
                came.append(_plain(play(client)))
            finally:
                _tidy(client)
        assert came[1] == came[0]

    del test.__wrapped__
    return test


def _plain(value):
    if isinstance(value, bytes):
        value = value.decode(errors="replace")
    if isinstance(value, str):
        return put_aside(value)
    if isinstance(value, dict):
        return {_plain(key): _plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    return value


def error_of(call, *arguments, **named):
    """Return what kind of error a call raises, and in which words."""
    with pytest.raises(docker.errors.DockerException) as caught:
        call(*arguments, **named)
    return type(caught.value).__name__, str(getattr(caught.value, "explanation", caught.value))


def sleeping(client, name="a", **options):
    return client.containers.run(
        "busybox", ["sleep", "600"], detach=True, name=PREFIX + name, **options
    )


@same_on_both
def test_a_client_finds_the_version_by_itself(client):
    with closing(docker.DockerClient(base_url=client.url, version="auto")) as other:
        return other.api.api_version, other.ping(), sorted(other.version())


@same_on_both
def test_run(client):
    run = client.containers.run
    return [
        run("busybox", ["echo", "hello"], remove=True),
        run(
            "busybox",
            "sh -c 'echo out; sleep 0.1; echo err >&2'",
            stdout=True,
            stderr=True,
            remove=True,
        ),
        run(
            "busybox",
            ["sh", "-c", "echo out; echo err >&2"],
            stdout=False,
            stderr=True,
            remove=True,
        ),
        run("busybox", ["cat", "/etc/hostname"], hostname="dpy-host", remove=True),
        run(
            "busybox", ["pwd"], working_dir="/tmp", environment={"A": "b"}, user="1000", remove=True
        ),
        run("busybox", ["tty"], tty=True, remove=True),
        list(run("busybox", ["sh", "-c", "echo 1; echo 2"], stream=True, remove=True)),
        error_of(run, "busybox", ["sh", "-c", "echo bad >&2; exit 3"], remove=True),
        error_of(run, "busybox", ["no-such-program"], name=PREFIX + "n"),
    ]


@same_on_both
def test_a_containers_life(client):
    container = sleeping(client)
    seen = [container.status]

    def look(done=None):
        container.reload()
        seen.append((container.status, done))

    look()
    container.pause()
    look()
    container.unpause()
    look()
    container.rename(PREFIX + "b")
    look(client.containers.get(PREFIX + "b").name)
    container.stop(timeout=0)
    look(container.attrs["State"]["ExitCode"])
    container.start()
    container.kill("KILL")
    look(container.wait())
    container.restart(timeout=0)
    look(container.attrs["RestartCount"])
    container.update(mem_limit="64m", memswap_limit="128m")
    look(error_of(container.remove))
    container.remove(force=True)
    return [*seen, error_of(client.containers.get, PREFIX + "b"), error_of(container.start)]


@same_on_both
def test_errors(client):
    container = sleeping(client)
    return [
        error_of(container.unpause),
        error_of(container.kill, "NONSENSE"),
        error_of(sleeping, client),
        error_of(client.containers.get, "dpy-none"),
        error_of(client.containers.create, "no-such-image:dpy-x"),
        error_of(client.containers.create, "busybox", name="a b"),
        error_of(client.networks.get, "dpy-none"),
        error_of(client.volumes.get, "dpy-none"),
        error_of(client.images.get, "dpy-none"),
        error_of(client.api.exec_inspect, "none"),
    ]


@same_on_both
def test_lists(client):
    sleeping(client, "one", labels={"stage": "one"})
    client.containers.create("busybox", name=PREFIX + "two", labels=["stage"])
    listed = client.containers.list
    mine = {"name": PREFIX}

    def names(**options):
        return sorted(each.name for each in listed(**options))

    return [
        names(filters=mine),
        names(all=True, filters=mine),
        names(all=True, filters={"label": "stage"} | mine),
        names(all=True, filters={"label": ["stage=one"]} | mine),
        names(all=True, filters={"status": "created"} | mine),
        names(all=True, limit=1, filters=mine),
        [sorted(each) for each in client.api.containers(all=True, filters=mine, size=True)],
        error_of(listed, filters={"nonsense": "x"}),
    ]


@same_on_both
def test_exec(client):
    container = sleeping(client)
    run = container.exec_run
    seen = [
        run("echo hello"),
        run(["sh", "-c", "echo out; sleep 0.1; echo err >&2; exit 6"]),
        run(["sh", "-c", "echo out; echo err >&2"], demux=True),
        run(
            ["sh", "-c", "pwd; echo $A; id -u"], workdir="/tmp", environment={"A": "b"}, user="1000"
        ),
        run("tty", tty=True),
        run("no-such-program"),
        run("true", detach=True).output,
        b"".join(run(["sh", "-c", "echo 1; echo 2"], stream=True).output),
        run(["sh", "-c", "head -c 1000000 /dev/zero | tr '\\0' x"]).output == b"x" * 1_000_000,
    ]
    made = client.api.exec_create(container.id, "cat", stdin=True)
    sock = client.api.exec_start(made["Id"], socket=True)
    sock._sock.sendall(b"typed\n")
    sock._sock.shutdown(socket.SHUT_WR)
    seen.append(read_all(sock))
    sock.close()
    return [*seen, client.api.exec_inspect(made["Id"])["ExitCode"]]


def read_all(sock):
    blocks = []
    while block := sock._sock.recv(65536):
        blocks.append(block)
    return b"".join(blocks)


@same_on_both
def test_exec_has_all_of_its_output_each_time(client):
    container = sleeping(client)
    return [container.exec_run("echo hello").output for _ in range(20)]


@same_on_both
def test_attach(client):
    create = client.containers.create
    speaker = create("busybox", ["sh", "-c", "echo 1; sleep 0.2; echo 2"], name=PREFIX + "a")
    stream = speaker.attach(stream=True)
    speaker.start()
    seen = [b"".join(stream)]
    cat = create("busybox", ["cat"], stdin_open=True, name=PREFIX + "b")
    cat.start()
    sock = cat.attach_socket(params={"stdin": 1, "stdout": 1, "stream": 1})
    sock._sock.sendall(b"typed\n")
    seen.append(sock._sock.recv(65536))
    sock._sock.shutdown(socket.SHUT_WR)
    seen.append(read_all(sock))
    sock.close()
    return seen


@same_on_both
def test_logs(client):
    script = "for i in 1 2 3; do echo $i; sleep 0.1; done; echo err >&2"
    container = client.containers.run(
        "busybox", ["sh", "-c", script], detach=True, name=PREFIX + "a"
    )
    followed = b"".join(container.logs(stream=True, follow=True))
    logs = container.logs
    return [
        followed,
        logs(stdout=False),
        logs(stderr=False),
        logs(tail=2),
        logs(timestamps=True),
        logs(since=datetime(2100, 1, 1)),  # noqa: DTZ001 - as docker-py wants it
        logs(until=datetime(2000, 1, 1)),  # noqa: DTZ001
        container.wait(),
    ]


@same_on_both
def test_archives(client):
    container = client.containers.create("busybox", ["cat", "/tmp/in/file"], name=PREFIX + "a")
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        member = tarfile.TarInfo("in/file")
        member.size = 6
        tar.addfile(member, io.BytesIO(b"hello\n"))
    seen = [container.put_archive("/tmp", packed.getvalue())]
    blocks, stat = container.get_archive("/tmp/in")
    with tarfile.open(fileobj=io.BytesIO(b"".join(blocks))) as tar:
        seen += [sorted(tar.getnames()), tar.extractfile("in/file").read()]
    container.start()
    container.wait()
    return [
        *seen,
        stat["name"],
        stat["mode"] >> 31,
        container.logs(),
        container.diff(),
        error_of(container.get_archive, "/none"),
        error_of(container.put_archive, "/none", packed.getvalue()),
    ]


@same_on_both
def test_events(client):
    began = int(time.time()) - 1
    container = client.containers.run("busybox", "true", detach=True, name=PREFIX + "a")
    container.wait()
    time.sleep(0.3)
    container.remove()
    seen = client.events(
        since=began, until=int(time.time()) + 1, decode=True, filters={"container": container.id}
    )
    return [
        (each["Type"], each["Action"], each["Actor"]["Attributes"].get("name")) for each in seen
    ]


@same_on_both
def test_a_stream_of_events_is_closed_while_it_waits(client):
    stream = client.events(decode=True, filters={"container": PREFIX + "none"})
    stream.close()
    return client.ping()


@same_on_both
def test_top_stats_and_changes(client):
    container = sleeping(client)
    stats = container.stats(stream=False)
    return [
        [row[-1] for row in container.top()["Processes"]],
        stats["name"],
        sorted(stats),
        next(container.stats(decode=True))["name"],
        container.exec_run("touch /made").exit_code,
        container.diff(),
        [*container.ports],
    ]


@same_on_both
def test_volumes(client):
    volume = client.volumes.create(PREFIX + "v", labels={"a": "b"})
    mount = {volume.name: {"bind": "/data", "mode": "rw"}}
    run = client.containers.run
    seen = [
        run("busybox", ["sh", "-c", "echo kept > /data/file"], volumes=mount, remove=True),
        run("busybox", ["cat", "/data/file"], volumes=mount, remove=True),
        volume.attrs["Labels"],
        [each.name for each in client.volumes.list(filters={"name": PREFIX})],
    ]
    holder = client.containers.create("busybox", name=PREFIX + "a", volumes=mount)
    seen.append(error_of(volume.remove))
    holder.remove()
    volume.remove()
    return [*seen, error_of(volume.remove)]


@same_on_both
def test_networks(client):
    network = client.networks.create(PREFIX + "n", labels={"a": "b"})
    container = sleeping(client, network=network.name)
    other = sleeping(client, "b")
    network.connect(other, aliases=["www"])
    network.reload()
    seen = [sorted(each.name for each in network.containers)]
    seen.append(error_of(network.connect, other))
    network.disconnect(other)
    seen.append(error_of(network.remove))
    container.remove(force=True)
    network.remove()
    return [*seen, error_of(network.remove), error_of(client.networks.get, network.name)]


@same_on_both
def test_images(client):
    image = client.images.get("busybox")
    container = client.containers.run(
        "busybox", ["sh", "-c", "echo made > /made"], detach=True, name=PREFIX + "a"
    )
    container.wait()
    made = container.commit(PREFIX + "image", "v1", changes='CMD ["cat", "/made"]')
    seen = [
        image.tags,
        made.tags,
        client.containers.run(made, remove=True),
        [each["CreatedBy"] for each in made.history()][:1],
        made.tag(PREFIX + "image", "v2"),
    ]
    client.images.remove(PREFIX + "image:v1")
    client.images.remove(PREFIX + "image:v2")
    return [*seen, error_of(client.images.remove, PREFIX + "image:v1")]


@same_on_both
def test_system(client):
    return [
        client.ping(),
        client.info()["OSType"],
        sorted(client.df()),
        client.version()["ApiVersion"],
        sorted(client.version()),
    ]
