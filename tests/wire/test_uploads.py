"""Archives on their way to the engine: from whatever holds them, and what stops them."""

from __future__ import annotations

import gc
import gzip
import io
import os
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from dynadock import (
    BodyError,
    ConnectionLost,
    JsonStream,
    NotFound,
    ServerError,
    StreamClosed,
    StreamError,
    TimedOut,
    TruncatedStream,
    pack,
)
from wire.peer import (
    OK,
    PATIENCE,
    answer,
    chunked,
    endless,
    expect,
    expect_broken,
    expect_head,
    expect_slowly,
    hang_up,
    head,
    ignore,
    in_pieces,
    pause,
    playing,
    reply,
    reset,
    send,
    silence,
    tell,
    wait,
)

if TYPE_CHECKING:
    from collections.abc import Callable

DATA = bytes(range(256)) * 3000
LOADED = chunked(b'{"stream": "Loaded image: a:1\\n"}\r\n')
MADE = {"Images": ["a:1"]}

PLAIN = reply(200)
UPLOADS: dict[str, tuple[Callable[..., Any], bytes]] = {
    "ImageLoad": (lambda client, body: client.ImageLoad(body=body).wait(), LOADED),
    "ImageBuild": (lambda client, body: client.ImageBuild(body=body, t=["a"]).wait(), LOADED),
    "ImageCreate": (lambda client, body: client.ImageCreate(fromSrc="-", body=body).wait(), LOADED),
    "PutContainerArchive": (
        lambda client, body: client.PutContainerArchive("web", path="/", body=body),
        PLAIN,
    ),
    "PluginCreate": (lambda client, body: client.PluginCreate(name="p", body=body), reply(204)),
}
all_uploads = pytest.mark.parametrize(("call", "answered"), UPLOADS.values(), ids=UPLOADS)
STREAMING = ("ImageLoad", "ImageBuild")


def load(client, body):
    """Send an image and return what was made of it."""
    return client.ImageLoad(body=body).wait()


def put(client, body):
    """Send an archive to a container."""
    return client.PutContainerArchive("web", path="/", body=body)


both_ways = pytest.mark.parametrize("upload", [load, put], ids=["a stream", "a value"])
"""By how their reply is read."""


# Sources of bytes


def _path(folder):
    path = folder / "image.tar"
    path.write_bytes(DATA)
    return path


def _file(folder):
    return _path(folder).open("rb")


def _temporary(_folder):
    file = tempfile.TemporaryFile()  # noqa: SIM115
    file.write(DATA)
    file.seek(0)
    return file


def _gzip(folder):
    with gzip.open(folder / "image.tar.gz", "wb") as file:
        file.write(DATA)
    return gzip.open(folder / "image.tar.gz", "rb")


def _fifo(folder):
    path = folder / "fifo"
    os.mkfifo(path)
    threading.Thread(target=lambda: path.write_bytes(DATA)).start()
    return path


def _pipe(_folder):
    reading, writing = os.pipe()

    def write():
        with os.fdopen(writing, "wb") as file:
            file.write(DATA)

    threading.Thread(target=write).start()
    return os.fdopen(reading, "rb")


WHOLE = {
    "bytes": lambda _folder: DATA,
    "bytearray": lambda _folder: bytearray(DATA),
    "memoryview": lambda _folder: memoryview(DATA),
    "path": _path,
    "file": _file,
    "unbuffered file": lambda folder: _path(folder).open("rb", buffering=0),
    "file without a name": _temporary,
}
IN_PARTS = {
    "pipe": _pipe,
    "named pipe": _fifo,
    "file unpacked": _gzip,
    "BytesIO": lambda _folder: io.BytesIO(DATA),
    "iterator": lambda _folder: iter(in_pieces(DATA, 5000)),
    "generator": lambda _folder: (each for each in in_pieces(DATA, 70_000)),
    "list": lambda _folder: in_pieces(DATA, 100_000),
    "views": lambda _folder: map(memoryview, in_pieces(DATA, 50_000)),
    "with empty blocks": lambda _folder: iter([b"", DATA[:9], b"", b"", DATA[9:], b""]),
}


@pytest.mark.parametrize("make", WHOLE.values(), ids=WHOLE)
@all_uploads
def test_what_has_a_length_is_sent_with_it(call, answered, make, tmp_path):
    body = make(tmp_path)
    with playing([answer(answered)]) as (peer, client):
        call(client, body)
    (seen,) = peer.requests
    assert seen.body == DATA
    assert seen.header("Content-Length") == str(len(DATA))
    assert seen.header("Transfer-Encoding") is None
    assert seen.header("Content-Type") == "application/x-tar"
    _check_is_open(body)


def _check_is_open(body):
    if hasattr(body, "close"):
        assert not getattr(body, "closed", False), "it is its owner's to close"
        body.close()


@pytest.mark.parametrize("make", IN_PARTS.values(), ids=IN_PARTS)
@all_uploads
def test_what_comes_in_parts_is_sent_in_chunks(call, answered, make, tmp_path):
    body = make(tmp_path)
    with playing([answer(answered)]) as (peer, client):
        call(client, body)
    (seen,) = peer.requests
    assert seen.body == DATA
    assert seen.chunks
    assert all(seen.chunks)
    assert seen.header("Transfer-Encoding") == "chunked"
    assert seen.header("Content-Length") is None
    assert seen.header("Content-Type") == "application/x-tar"
    _check_is_open(body)


@both_ways
@pytest.mark.parametrize("body", [b"", iter(()), io.BytesIO()], ids=["bytes", "iterator", "file"])
def test_an_empty_body(upload, body):
    with playing([answer(LOADED if upload is load else PLAIN)]) as (peer, client):
        upload(client, body)
    assert peer.requests[0].body == b""


@both_ways
@pytest.mark.parametrize("make", [lambda _folder: io.BytesIO(DATA), _file], ids=["memory", "disk"])
def test_a_file_is_sent_from_where_it_stands(upload, make, tmp_path):
    with (
        make(tmp_path) as file,
        playing([answer(LOADED if upload is load else PLAIN)]) as (
            peer,
            client,
        ),
    ):
        file.seek(1000)
        upload(client, file)
        assert not file.closed
    assert peer.requests[0].body == DATA[1000:]


a_file = pytest.mark.parametrize("make", [_path, _file], ids=["path", "file"])


@both_ways
@a_file
def test_a_file_that_grows_is_sent_as_it_was(upload, make, tmp_path):
    body = make(tmp_path)

    def grow(connection):
        connection.peer.wait_for(connection.sock)
        with (tmp_path / "image.tar").open("ab") as file:
            file.write(b"more")

    with playing([grow, answer(LOADED if upload is load else PLAIN)]) as (peer, client):
        upload(client, body)
    assert peer.requests[0].body == DATA
    _check_is_open(body)


@both_ways
@a_file
def test_a_file_that_shrinks_is_an_error(upload, make, tmp_path):
    body = make(tmp_path)

    def shrink(connection):
        connection.peer.wait_for(connection.sock)
        os.truncate(tmp_path / "image.tar", 1000)

    shorter = rf"image\.tar became shorter while it was sent: \d+ of its {len(DATA)} bytes"
    with (
        playing([shrink, expect_head, expect_broken]) as (peer, client),
        pytest.raises(OSError, match=shorter),
    ):
        upload(client, body)
    assert len(peer.broken[0]) < len(DATA)
    _check_is_open(body)


@both_ways
@pytest.mark.parametrize("kind", [Path, lambda path: path.open("rb")], ids=["path", "file"])
@pytest.mark.parametrize("name", ["small.tar", "/proc/filesystems"])
def test_a_small_file_is_sent_in_chunks(upload, kind, name, tmp_path):
    """The kernel's own files report sizes that are not theirs."""
    (tmp_path / "small.tar").write_bytes(b"small")
    path = tmp_path / name
    body = kind(path)
    with playing([answer(LOADED if upload is load else PLAIN)]) as (peer, client):
        upload(client, body)
    assert peer.requests[0].chunks == (path.read_bytes(),)
    _check_is_open(body)


@both_ways
def test_a_folder_is_packed_on_the_way(upload, tmp_path):
    (tmp_path / "a.txt").write_text("hello")
    packed = pack(tmp_path)
    script = [answer(LOADED if upload is load else PLAIN)]
    with playing(script, script) as (peer, client):
        upload(client, packed)
        upload(client, packed)
    first, second = peer.requests
    assert first.body == second.body
    assert b"a.txt" in first.body
    assert b"hello" in first.body


def test_a_deadline_changes_nothing_of_an_upload():
    with playing([answer(LOADED)], [answer(PLAIN)], deadline=30) as (peer, client):
        assert load(client, iter([DATA])) == MADE
        assert put(client, iter([DATA])) is None
    assert [each.body for each in peer.requests] == [DATA, DATA]


@both_ways
@pytest.mark.parametrize("size", [1, 2, 255, 4096])
def test_small_blocks(upload, size):
    data = DATA[:5000]
    with playing([answer(LOADED if upload is load else PLAIN)]) as (peer, client):
        upload(client, iter(in_pieces(data, size)))
    (seen,) = peer.requests
    assert seen.body == data


@both_ways
def test_an_engine_that_reads_slowly(upload):
    data = os.urandom(2 << 20)

    script = [expect_slowly(0.001), send(LOADED if upload is load else PLAIN)]
    with playing(script) as (peer, client):
        upload(client, data)
    assert peer.requests[0].body == data


LONG = DATA * 5


@pytest.mark.parametrize(
    "body", [lambda: LONG, lambda: iter([LONG])], ids=["bytes", "one large block"]
)
def test_a_timeout_is_for_each_wait_and_not_for_the_whole_body(body):
    """As long as the engine goes on reading, nothing has timed out."""

    with playing([expect_slowly(0.02), send(LOADED)], timeout=0.6) as (peer, client):
        assert load(client, body()) == MADE
    assert peer.requests[0].body == LONG


@both_ways
def test_no_more_is_taken_of_an_iterator_than_the_engine_takes(upload):
    taken = []

    def blocks():
        while True:
            taken.append(1)
            yield b"x" * 65536

    with playing([expect_head, ignore], timeout=0.3) as (_, client), pytest.raises(TimedOut):
        upload(client, blocks())
    assert len(taken) < 100


# Faults of the body itself


class Mine(Exception):
    """Raised by bodies of these tests."""


OWN_ERRORS = {
    "its own": Mine("broken"),
    "an OSError": OSError(5, "Input/output error"),
    "a time-out": TimeoutError("mine"),
    "a lost connection": ConnectionResetError("mine"),
    "another engine's": ConnectionLost("mine", "elsewhere"),
    "another stream's": TruncatedStream("mine", "elsewhere"),
    "a closed stream's": StreamClosed("mine"),
    "another engine's time-out": TimedOut("mine", "elsewhere"),
}


def _breaking(error):
    yield b"x" * 1000
    yield b"y" * 1000
    raise error


@both_ways
@pytest.mark.parametrize("error", OWN_ERRORS.values(), ids=OWN_ERRORS)
def test_a_bodys_own_exception_comes_out(upload, error):
    """As it is, and at once: there is no waiting for a reply to half a request."""
    with playing([expect_broken], [OK], timeout=2) as (peer, client):
        with pytest.raises(type(error)) as caught:
            upload(client, _breaking(error))
        assert caught.value is error
        assert not isinstance(error.__cause__, TimedOut)
        assert client.SystemPing() == "OK"
    (broken,) = peer.broken
    assert b"y" * 1000 in broken
    assert not broken.endswith(b"0\r\n\r\n"), "it must not look whole"


def test_an_interruption_comes_out():
    with playing([expect_broken]) as (peer, client), pytest.raises(KeyboardInterrupt):
        load(client, _breaking(KeyboardInterrupt()))
    assert not peer.broken[0].endswith(b"0\r\n\r\n")


@both_ways
def test_a_bodys_first_block_may_fail(upload):
    def failing():
        raise Mine
        yield b""

    with playing([expect_broken], [OK]) as (_, client):
        with pytest.raises(Mine):
            upload(client, failing())
        assert client.SystemPing() == "OK"


@both_ways
@pytest.mark.parametrize("wrong", ["text", 17, None, ["list"]], ids=str)
def test_an_iterator_of_something_else_is_an_error(upload, wrong):
    body = iter([b"x" * 100, wrong])
    failing = pytest.raises(TypeError, match="expected an iterator of bytes")
    with playing([expect_broken]) as (peer, client), failing:
        upload(client, body)
    assert not peer.broken[0].endswith(b"0\r\n\r\n")


@both_ways
@pytest.mark.parametrize(
    "wrong",
    ["text", io.StringIO("text"), {"a": 1}, 17, ["text"]],
    ids=lambda wrong: type(wrong).__name__,
)
def test_what_holds_no_bytes_is_refused_before_anything_is_sent(upload, wrong):
    with playing() as (peer, client), pytest.raises(BodyError, match="expected bytes"):
        upload(client, wrong)
    assert peer.connections == 0


@both_ways
def test_a_path_to_nothing_is_refused_before_anything_is_sent(upload, tmp_path):
    with playing() as (peer, client), pytest.raises(BodyError, match=r"missing\.tar"):
        upload(client, tmp_path / "missing.tar")
    assert peer.connections == 0


def test_a_path_to_a_folder_is_packed_on_the_way(tmp_path):
    (tmp_path / "Dockerfile").write_text("FROM busybox")
    (tmp_path / ".dockerignore").write_text("secret")
    (tmp_path / "secret").write_text("hunter2")
    with playing([answer(LOADED)], [answer(PLAIN)]) as (peer, client):
        client.ImageBuild(body=tmp_path).wait()
        put(client, tmp_path)
    built, put_there = (each.body for each in peer.requests)
    assert b"FROM busybox" in built
    assert b"FROM busybox" in put_there
    assert b"hunter2" not in built
    assert b"hunter2" in put_there


@both_ways
def test_a_body_is_let_go_of_when_the_engine_is(upload):
    closed = threading.Event()

    def blocks():
        try:
            while True:
                yield b"x" * 65536
        finally:
            closed.set()

    with playing([expect_head, hang_up]) as (_, client), pytest.raises(ConnectionLost):
        upload(client, blocks())
    gc.collect()
    assert closed.is_set()


@both_ways
def test_a_body_may_use_the_same_client(upload):
    def blocks():
        for _ in range(3):
            yield client.SystemPing().encode()

    answered = answer(LOADED if upload is load else PLAIN)
    with playing([answered], [OK, OK, OK]) as (peer, client):
        upload(client, blocks())
    assert peer.requests[-1].body == b"OKOKOK"


# Replies before the body is sent


LARGE = b"x" * (8 << 20)
BODIES = {"bytes": lambda: LARGE, "iterator": endless}
all_bodies = pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
REFUSED = reply(500, json={"message": "no room"}, headers={"Connection": "close"})


@both_ways
@pytest.mark.parametrize("kind", ["unix", "tcp"])
@all_bodies
def test_an_engine_may_hang_up_meanwhile(upload, kind, body):
    with playing([expect_head, hang_up], [OK], kind=kind) as (peer, client):
        with pytest.raises(ConnectionLost) as caught:
            upload(client, body())
        assert caught.value.endpoint == peer.address
        assert client.SystemPing() == "OK"


@pytest.mark.parametrize("kind", ["unix", "tcp"])
@both_ways
@all_bodies
def test_a_refusal_meanwhile_is_heard_though_the_engine_hangs_up(upload, kind, body):
    with playing([expect_head, send(REFUSED), hang_up], [OK], kind=kind) as (_, client):
        with pytest.raises(ServerError, match="no room"):
            upload(client, body())
        assert client.SystemPing() == "OK"


def test_a_refusal_before_a_reset_is_heard():
    with playing([expect_head, send(REFUSED), pause(0.1), reset], [OK], kind="tcp") as (_, client):
        with pytest.raises((ServerError, ConnectionLost)):
            load(client, endless())
        assert client.SystemPing() == "OK"


@all_bodies
def test_a_refusal_meanwhile_is_heard_though_the_engine_only_stops_reading(body):
    """It need not close the connection: its reply can be read."""
    with playing([expect_head, send(REFUSED), ignore], [OK], timeout=3) as (_, client):
        with pytest.raises(ServerError, match="no room"):
            load(client, body())
        assert client.SystemPing() == "OK"


def test_a_refusal_of_an_engine_that_goes_on_reading_is_heard():
    data = DATA * 10
    read = threading.Event()

    def read_on(connection):
        connection.read_to_end()
        read.set()

    script = [expect_head, send(REFUSED), read_on]
    with playing(script, [OK]) as (_, client):
        with pytest.raises(ServerError, match="no room"):
            load(client, data)
        assert read.wait(PATIENCE)
        assert client.SystemPing() == "OK"


def test_an_error_in_a_stream_that_begins_meanwhile_is_heard():
    failed = chunked(b'{"stream": "Step 1"}\r\n', b'{"error": "unexpected EOF"}\r\n')
    script = [expect_head, send(failed), hang_up]
    with playing(script) as (_, client), pytest.raises(StreamError, match="unexpected EOF"):
        load(client, endless())


def test_a_stream_may_begin_before_the_body_is_sent():
    """Engines report the first steps while they still read."""
    begun = head(200, {"Content-Type": "application/json", "Transfer-Encoding": "chunked"})
    rest = LOADED.partition(b"\r\n\r\n")[2]
    script = [expect_head, send(begun), pause(0.05), drain(len(DATA)), send(rest)]
    with playing(script) as (_, client):
        stream = client.ImageLoad(body=DATA)
        assert isinstance(stream, JsonStream)
        assert stream.wait() == MADE


def drain(size):
    """Take that many bytes of a body."""
    return lambda connection: connection._exactly(size)


@both_ways
def test_an_interim_reply_is_no_reply(upload):
    last = LOADED if upload is load else PLAIN
    script = [expect_head, send(b"HTTP/1.1 100 Continue\r\n\r\n"), drain(len(DATA)), send(last)]
    with playing(script) as (_, client):
        upload(client, DATA)


@pytest.mark.parametrize("option", ["timeout", "deadline"])
@all_bodies
def test_an_engine_that_takes_no_more_is_a_timeout(option, body):
    with playing([expect_head, ignore], [OK]) as (_, client):
        with pytest.raises(TimedOut, match=option):
            load(client.with_options(**{option: 0.3}), body())
        assert client.SystemPing() == "OK"


def test_a_deadline_holds_against_an_engine_that_takes_a_little_at_a_time():
    def sip(connection):
        connection.peer.requests.append(connection.read_head())
        connection._unread.clear()
        while connection.sock.recv(1024):
            pause(0.01)(connection)
        connection.hang_up()

    late = pytest.raises(TimedOut, match="deadline")
    with playing([sip], timeout=10, deadline=0.5) as (_, client), late:
        load(client, endless())


def test_a_deadline_holds_against_a_body_that_comes_too_late():
    go_on = threading.Event()

    def blocks():
        yield b"x"
        go_on.wait(0.5)
        yield b"y"
        yield b"z"

    script = [expect_broken]
    with playing(script, deadline=0.3) as (_, client), pytest.raises(TimedOut, match="deadline"):
        load(client, blocks())


def test_a_reply_after_the_body_is_waited_for():
    sent, go_on = threading.Event(), threading.Event()
    with playing([expect, tell(sent), wait(go_on), send(LOADED)]) as (_, client):
        results = []
        thread = threading.Thread(target=lambda: results.append(load(client, DATA)))
        thread.start()
        assert sent.wait(PATIENCE)
        assert not results
        go_on.set()
        thread.join(PATIENCE)
    assert results == [MADE]


def test_a_refusal_after_the_body():
    script = [answer(reply(404, json={"message": "no such container"}))]
    with playing(script) as (_, client), pytest.raises(NotFound, match="no such container"):
        put(client, iter([DATA]))


def test_silence_after_the_body_is_a_timeout():
    with playing([expect, silence], timeout=0.3) as (_, client), pytest.raises(TimedOut):
        load(client, iter([DATA]))


@pytest.mark.parametrize("name", STREAMING)
def test_nothing_is_sent_twice(name):
    """Whether a lost upload was acted on is unknown."""
    call, _ = UPLOADS[name]
    with playing([expect, hang_up]) as (peer, client), pytest.raises(ConnectionLost):
        call(client, DATA)
    assert peer.connections == 1


# Sources of which nothing would be sent


def _written(folder):
    """Give a file that a program has just written, and forgot to rewind."""
    file = (folder / "written.tar").open("w+b")
    file.write(DATA)
    return file


def _read(folder):
    file = _file(folder)
    file.read()
    return file


def _in_memory(_folder):
    file = io.BytesIO()
    file.write(DATA)
    return file


def _spooled(_folder):
    file = tempfile.SpooledTemporaryFile()  # noqa: SIM115
    file.write(DATA)
    return file


def _unpacked(folder):
    file = _gzip(folder)
    file.read()
    return file


def _closed(folder):
    file = _file(folder)
    file.close()
    return file


def _generator(_folder):
    blocks = (each for each in [DATA])
    list(blocks)
    return blocks


AT_ITS_END = r"the file is at its end; seek\(0\) goes back to its beginning"
NO_READING = "the file is not open for reading"
TEXT = r"the file gives text; open it in binary mode \('rb'\)"
NO_BYTES = "expected bytes, a Path, an open binary file or an iterator of bytes, got "
AS_A_PATH = r"; pathlib\.Path\(…\) names a file or a folder"
SPENT = {
    "a file that was read": (_read, AT_ITS_END),
    "one that was written": (_written, AT_ITS_END),
    "without a buffer": (lambda folder: _sought(io.FileIO(_path(folder)), len(DATA)), AT_ITS_END),
    "in memory": (_in_memory, AT_ITS_END),
    "spooled": (_spooled, AT_ITS_END),
    "packed": (_unpacked, AT_ITS_END),
    "beyond it": (lambda folder: _sought(_file(folder), 2 * len(DATA)), AT_ITS_END),
    "closed": (_closed, "the file is closed"),
    "closed memory": (lambda _folder: _shut(io.BytesIO(DATA)), "the file is closed"),
    "for writing": (lambda folder: (folder / "w").open("wb"), NO_READING),
    "for appending": (lambda folder: _path(folder).open("ab"), NO_READING),
    "the end of a pipe": (lambda _folder: os.fdopen(_writing_end(), "wb"), NO_READING),
    "text": (lambda folder: _path(folder).open(encoding="latin-1"), NO_BYTES),
    "text in a wrapper": (lambda _folder: tempfile.NamedTemporaryFile("w+"), TEXT),  # noqa: SIM115
    "text in memory": (lambda _folder: io.StringIO("x"), NO_BYTES),
    "the path as text": (lambda folder: str(_path(folder)), f"{NO_BYTES}.*{AS_A_PATH}"),
    "a folder's as text": (str, f"{NO_BYTES}.*{AS_A_PATH}"),
    "a generator": (_generator, "the generator has ended already; make another one"),
}


def _sought(file, place):
    file.seek(place)
    return file


def _shut(file):
    file.close()
    return file


def _writing_end():
    reading, writing = os.pipe()
    os.close(reading)
    return writing


@pytest.mark.parametrize(("make", "problem"), SPENT.values(), ids=SPENT)
@pytest.mark.parametrize("name", UPLOADS)
def test_what_has_nothing_to_send_is_a_fault(name, make, problem, tmp_path):
    body = make(tmp_path)
    with playing() as (_, client), pytest.raises(BodyError, match=f": {problem}"):
        UPLOADS[name][0](client, body)
    if hasattr(body, "close"):
        body.close()


def test_a_file_sent_twice_is_a_fault_the_second_time():
    body = io.BytesIO(DATA)
    with playing([answer(LOADED)], [answer(LOADED)]) as (peer, client):
        load(client, body)
        with pytest.raises(BodyError, match=AT_ITS_END):
            load(client, body)
        body.seek(0)
        load(client, body)
    assert [each.body for each in peer.requests] == [DATA, DATA]


def test_unchecked_nothing_is_sent():
    with playing([answer(LOADED)], validate=False) as (peer, client):
        load(client, _in_memory(None))
    assert peer.requests[0].body == b""


@pytest.mark.parametrize("place", [1, 1000, len(DATA) - 1])
@pytest.mark.parametrize("make", [_file, _gzip, lambda _folder: io.BytesIO(DATA), _spooled])
def test_looking_for_the_end_takes_nothing_away(make, place, tmp_path):
    with make(tmp_path) as body, playing([answer(LOADED)]) as (peer, client):
        load(client, _sought(body, place))
    assert peer.requests[0].body == DATA[place:]
