"""Bytes and archives as they come: read, saved and copied, whole or not at all."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import os
import re
import shutil
import socket
import stat
import tarfile

import pytest

from dynadock import (
    APIError,
    ByteStream,
    ConnectionLost,
    Download,
    MalformedStream,
    StreamClosed,
    TarStream,
    TimedOut,
    TransportError,
    TruncatedStream,
    UnsafeMember,
)
from wire.peer import (
    OK,
    answer,
    chunk,
    chunked,
    expect,
    given_before,
    hang_up,
    head,
    in_pieces,
    playing,
    reply,
    reset,
    send,
    send_until_gone,
    silence,
    streaming,
)

TAR = "application/x-tar"
CHUNKED = head(200, {"Content-Type": TAR, "Transfer-Encoding": "chunked"})
DATA = bytes(range(256)) * 40


def archive(**files):
    """Return a tar archive of files by name."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return packed.getvalue()


def names_in(folder):
    return sorted(each.name for each in folder.iterdir())


FRAMINGS = {
    "chunks": [answer(CHUNKED, *map(chunk, in_pieces(DATA, 1000)), chunk(b""))],
    "length": [answer(reply(200, DATA, headers={"Content-Type": TAR}))],
    "end": [answer(streaming(TAR), *in_pieces(DATA, 3000)), hang_up],
}
all_framings = pytest.mark.parametrize("script", FRAMINGS.values(), ids=FRAMINGS)

CALLS = {
    "ContainerArchive": lambda client: client.ContainerArchive("web", path="/etc"),
    "ContainerExport": lambda client: client.ContainerExport("web"),
    "ImageGet": lambda client: client.ImageGet("a"),
    "ImageGetAll": lambda client: client.ImageGetAll(names=["a", "b"]),
}


@contextlib.contextmanager
def downloading(script, **options):
    """Have a download that a peer plays, and close it in the end."""
    with playing(script, **options) as (_, client), client.ImageGet("a") as download:
        yield download


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@all_framings
def test_every_download_is_a_stream_of_bytes(call, script):
    with playing(script, [OK]) as (_, client):
        download = call(client)
        assert isinstance(download, TarStream)
        assert isinstance(download, Download)
        assert isinstance(download, ByteStream)
        assert download.read() == DATA
        assert client.SystemPing() == "OK"


def test_every_split_of_a_download():
    data = CHUNKED + chunk(b"one") + chunk(b"\r\n") + chunk(b"0\r\n\r\n") + chunk(b"")
    cuts = range(1, len(data))
    with playing(*[[answer(data[:cut], data[cut:])] for cut in cuts]) as (_, client):
        for cut in cuts:
            assert client.ImageGet("a").read() == b"one\r\n0\r\n\r\n", cut


def test_every_split_of_a_download_with_a_length():
    data = reply(200, b"HTTP/1.1 200 OK\r\n\r\n")
    cuts = range(1, len(data))
    with playing(*[[answer(data[:cut], data[cut:])] for cut in cuts]) as (_, client):
        for cut in cuts:
            assert client.ImageGet("a").read() == b"HTTP/1.1 200 OK\r\n\r\n", cut


def test_one_byte_writes():
    data = CHUNKED + chunk(b"one") + chunk(b"two") + chunk(b"")
    with playing([answer(*in_pieces(data, 1))]) as (_, client):
        assert client.ImageGet("a").read() == b"onetwo"


def test_what_looks_like_frames_or_text_is_left_alone():
    data = b"\1\0\0\0\0\0\0\2hi\r\n{}\xff"
    for content_type in (TAR, "application/octet-stream", "application/json", None):
        with playing([answer(streaming(content_type) + data), hang_up]) as (_, client):
            assert client.ContainerExport("web").read() == data


def test_what_is_packed_stays_packed():
    packed = b"\x1f\x8b not really gzip"
    script = [answer(reply(200, packed, headers={"Content-Encoding": "gzip"}))]
    with playing(script) as (peer, client):
        assert client.ImageGet("a").read() == packed
    assert peer.requests[0].header("Accept-Encoding") in (None, "identity")


# Reading


@all_framings
@pytest.mark.parametrize("size", [1, 7, 512, 4096, len(DATA), 2 * len(DATA)])
def test_reading_by_size_gives_that_much_until_the_end(script, size):
    with downloading(script) as download:
        blocks = list(iter(lambda: download.read(size), b""))
        assert b"".join(blocks) == DATA
        assert all(len(block) == size for block in blocks[:-1])
        assert download.read(size) == b""
        assert download.closed


@all_framings
@pytest.mark.parametrize("size", [1, 100, 100_000])
def test_reading_what_is_there_gives_no_more_than_asked_for(script, size):
    with downloading(script) as download:
        blocks = list(iter(lambda: download.read1(size), b""))
        assert b"".join(blocks) == DATA
        assert all(0 < len(block) <= size for block in blocks)


@all_framings
def test_reading_in_every_way_by_turns(script):
    with downloading(script) as download:
        came = [download.read(10), download.read1(3), download.read(0), download.read1(0)]
        assert list(map(len, came)) == [10, 3, 0, 0]
        came.append(download.read(2500))
        assert len(came[-1]) == 2500
        came.append(next(iter(download)))
        came.append(download.read1())
        for block in download:
            came.append(block)
            break
        came.append(download.read(1))
        came += [*download]
        assert b"".join(came) == DATA
        assert download.read() == download.read1() == download.read(5) == b""


@pytest.mark.parametrize("size", [None, -1])
def test_reading_without_a_size_gives_the_rest(size):
    with downloading(FRAMINGS["chunks"]) as download:
        assert download.read(100) == DATA[:100]
        assert download.read(size) == DATA[100:]


def test_blocks_come_as_soon_as_they_are_there():
    script = [answer(CHUNKED + b"ff\r\n" + b"one"), silence]
    with downloading(script, timeout=20) as download:
        assert next(iter(download)) == b"one"


def test_bytes_are_bytes():
    with downloading(FRAMINGS["length"]) as download:
        blocks = [download.read1(5), download.read1(), download.read(5), download.read()]
        assert {type(block) for block in blocks} == {bytes}


def test_an_archive_is_read_as_it_comes():
    packed = archive(one=b"1" * 5000, two=b"2" * 20_000)
    # An archive is read up to its end mark, which is before the end of the bytes.
    script = [expect, send_until_gone(CHUNKED, *map(chunk, in_pieces(packed, 3333)), chunk(b""))]
    with downloading(script) as download, tarfile.open(fileobj=download, mode="r|") as tar:
        names = {member.name: tar.extractfile(member).read() for member in tar}
    assert names == {"one": b"1" * 5000, "two": b"2" * 20_000}


def test_copying_as_files_are_copied():
    with downloading(FRAMINGS["chunks"]) as download:
        file = io.BytesIO()
        shutil.copyfileobj(download, file, 700)
        assert file.getvalue() == DATA


# Copying and saving


@all_framings
def test_copying_to_a_file(script):
    with downloading(script) as download:
        file = io.BytesIO()
        assert download.copy_to(file) == len(DATA)
        assert file.getvalue() == DATA
        assert download.closed


def test_copying_takes_what_reading_has_left():
    with downloading(FRAMINGS["chunks"]) as download:
        assert download.read(100) == DATA[:100]
        file = io.BytesIO()
        assert download.copy_to(file) == len(DATA) - 100
        assert file.getvalue() == DATA[100:]


def test_a_file_that_fails_closes_the_stream():
    class Full(io.RawIOBase):
        def write(self, _data):
            raise OSError(28, "No space left on device")

    with playing([expect, send_until_gone(CHUNKED, chunk(DATA)), silence]) as (_, client):
        download = client.ImageGet("a")
        with pytest.raises(OSError, match="No space left"):
            download.copy_to(Full())
        assert download.closed
        assert given_before(StreamClosed, download) == []


@pytest.fixture(params=[0o022, 0o077])
def umask(request):
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


@all_framings
def test_saving_to_a_new_file(script, tmp_path, umask):
    with downloading(script) as download:
        assert download.save(tmp_path / "image.tar") == len(DATA)
        assert download.closed
    assert os.umask(umask) == umask
    assert (tmp_path / "image.tar").read_bytes() == DATA
    assert stat.S_IMODE((tmp_path / "image.tar").stat().st_mode) == 0o666 & ~umask
    assert names_in(tmp_path) == ["image.tar"]


def test_saving_by_a_relative_path_and_as_text(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with downloading(FRAMINGS["length"]) as download:
        download.save("image.tar")
    assert (tmp_path / "image.tar").read_bytes() == DATA


def test_saving_replaces_a_file_as_a_whole(tmp_path):
    """A process that has the old file open goes on reading it."""
    target = tmp_path / "image.tar"
    target.write_bytes(b"old" * 10_000)
    with target.open("rb") as old:
        with downloading(FRAMINGS["length"]) as download:
            download.save(target)
        assert old.read() == b"old" * 10_000
    assert target.read_bytes() == DATA
    assert names_in(tmp_path) == ["image.tar"]


def test_saving_takes_what_reading_has_left(tmp_path):
    with downloading(FRAMINGS["chunks"]) as download:
        download.read(100)
        assert download.save(tmp_path / "rest") == len(DATA) - 100
    assert (tmp_path / "rest").read_bytes() == DATA[100:]


BREAKS = {
    "an end in a chunk": ([answer(CHUNKED + chunk(DATA)[:-10]), hang_up], TruncatedStream),
    "an end before the last chunk": ([answer(CHUNKED + chunk(DATA)), hang_up], TruncatedStream),
    "an end before the length": ([answer(reply(200, DATA)[:-1]), hang_up], TruncatedStream),
    "silence": ([answer(CHUNKED + chunk(DATA)), silence], TimedOut),
    "broken chunks": ([answer(CHUNKED + chunk(DATA) + b"?\r\n"), silence], MalformedStream),
}


@pytest.mark.parametrize(("script", "error"), BREAKS.values(), ids=BREAKS)
@pytest.mark.parametrize("old", [None, b"old"], ids=["new", "replacing"])
def test_saving_leaves_nothing_behind_when_it_fails(script, error, old, tmp_path):
    target = tmp_path / "image.tar"
    if old is not None:
        target.write_bytes(old)
    with downloading(script, timeout=0.3) as download:
        with pytest.raises(error):
            download.save(target)
        assert download.closed
    assert names_in(tmp_path) == ([] if old is None else ["image.tar"])
    assert old is None or target.read_bytes() == old


def test_saving_is_not_there_before_it_is_whole(tmp_path):
    target = tmp_path / "image.tar"
    seen = []

    def look(_connection):
        seen.append(names_in(tmp_path))

    script = [answer(CHUNKED + chunk(DATA), chunk(DATA), chunk(DATA)), look, send(chunk(b""))]
    with downloading(script) as download:
        download.save(target)
    (names,) = seen
    assert "image.tar" not in names
    assert names_in(tmp_path) == ["image.tar"]


@pytest.mark.parametrize("where", ["no/such/folder.tar", "."])
def test_saving_where_nothing_can_be_written(where, tmp_path):
    script = [expect, send_until_gone(CHUNKED + chunk(DATA) + chunk(b"")), silence]
    with downloading(script) as download, pytest.raises(OSError) as caught:
        download.save(tmp_path / where)
    assert not isinstance(caught.value, TransportError)
    assert names_in(tmp_path) == []
    assert not [*tmp_path.parent.glob("*.part")]


def test_saving_a_closed_stream(tmp_path):
    script = [expect, send_until_gone(CHUNKED + chunk(DATA)), silence]
    with downloading(script) as download:
        download.close()
        with pytest.raises(StreamClosed):
            download.save(tmp_path / "image.tar")
    assert names_in(tmp_path) == []


# Where they end


@pytest.mark.parametrize(("script", "error"), BREAKS.values(), ids=BREAKS)
def test_a_download_that_breaks_gives_what_came_before(script, error):
    with downloading(script, timeout=0.3) as download:
        given = given_before(error, download)
        assert DATA.startswith(b"".join(given))
        assert len(b"".join(given)) >= len(DATA) - 10
        assert download.closed
        for read in (download.read, download.read1, lambda: download.read(1)):
            with pytest.raises(error):
                read()


@pytest.mark.parametrize(("script", "error"), BREAKS.values(), ids=BREAKS)
def test_reading_all_of_a_download_that_breaks_is_an_error(script, error):
    """Never a part that looks like the whole."""
    with downloading(script, timeout=0.3) as download, pytest.raises(error):
        download.read()


def test_a_reset_is_an_error():
    script = [answer(CHUNKED + chunk(DATA), b""), reset]
    with downloading(script, kind="tcp") as download:
        given = b"".join(given_before(ConnectionLost, download))
        # A reset may overtake what the client has not read yet.
        assert DATA.startswith(given)


def test_a_large_download():
    block = os.urandom(1 << 20)
    script = [expect, send(CHUNKED, *[chunk(block)] * 16, chunk(b""))]
    with downloading(script) as download:
        size = 0
        for piece in download:
            place = size % len(block)
            assert piece == (block + block)[place : place + len(piece)]
            size += len(piece)
        assert size == 16 << 20


# Archives


FILES = {"one": b"1" * 5000, "two": b"2" * 70_000, "three": b""}


def test_members_come_while_the_archive_does():
    packed = archive(**FILES)
    script = [answer(CHUNKED, chunk(packed[:6000])), silence]
    with downloading(script, timeout=3) as download:
        member, content = next(download.members())
        assert member.name == "one"
        assert content.read() == FILES["one"]


@pytest.mark.parametrize("size", [100, 512, 3333, 1 << 20])
def test_members_however_they_are_cut(size):
    packed = archive(**FILES)
    chunks = [*map(chunk, in_pieces(packed, size)), chunk(b"")]
    script = [expect, send_until_gone(CHUNKED, b"".join(chunks)), silence]
    with downloading(script) as download:
        read = {member.name: content.read() for member, content in download.members()}
    assert read == FILES


def test_members_at_every_split():
    packed = archive(a=b"x")
    cuts = range(0, 1100, 7)
    head_size = len(CHUNKED)
    data = CHUNKED + chunk(packed[:700]) + chunk(packed[700:]) + chunk(b"")
    scripts = [
        [expect, send_until_gone(data[: head_size + cut], data[head_size + cut :]), silence]
        for cut in cuts
    ]
    with playing(*scripts) as (_, client):
        for cut in cuts:
            with client.ImageGet("a") as download:
                names = [member.name for member, _ in download.members()]
            assert names == ["a"], cut


@pytest.mark.parametrize("cut", [100, 512, 600, 5000, 5632, 6144, 20_000])
def test_an_archive_that_is_cut_is_an_error_after_the_members_before(cut):
    packed = archive(**FILES)
    with downloading([answer(streaming(TAR) + packed[:cut]), hang_up]) as download:
        given = given_before(TruncatedStream, _read(download.members()))
        assert given == list(FILES)[: len(given)]
        assert len(given) < len(FILES)


def _read(members):
    for member, content in members:
        content.read()
        yield member.name


def test_a_connection_that_breaks_is_an_error_of_the_members():
    packed = archive(**FILES)
    script = [answer(CHUNKED + chunk(packed[:6000])), hang_up]
    with downloading(script) as download:
        given = given_before(TruncatedStream, _read(download.members()), "the connection broke")
        assert given == ["one"]


def test_what_is_no_archive_is_malformed():
    with downloading([answer(streaming(TAR) + b"no archive" * 500), hang_up]) as download:
        assert given_before(MalformedStream, download.members()) == []


def test_extracting_as_it_comes(tmp_path):
    packed = archive(**FILES)
    chunks = [*map(chunk, in_pieces(packed, 3333)), chunk(b"")]
    script = [expect, send_until_gone(CHUNKED, *chunks), silence]
    with downloading(script) as download:
        assert download.extract(tmp_path / "new") == []
        assert download.closed
    assert names_in(tmp_path / "new") == sorted(FILES)
    assert all((tmp_path / "new" / name).read_bytes() == FILES[name] for name in FILES)


def test_extracting_what_breaks_off_is_an_error(tmp_path):
    packed = archive(**FILES)
    script = [answer(CHUNKED + chunk(packed[:60_000])), hang_up]
    with downloading(script) as download:
        with pytest.raises(TruncatedStream, match="the connection broke"):
            download.extract(tmp_path)
        assert download.closed


def test_extracting_refuses_what_leaves_the_folder(tmp_path):
    packed = archive(**{"../outside": b"x"})
    folder = tmp_path / "inside"
    script = [expect, send_until_gone(CHUNKED + chunk(packed) + chunk(b"")), silence]
    with playing(script, script) as (_, client):
        with pytest.raises(UnsafeMember, match="outside"):
            client.ImageGet("a").extract(folder)
        assert client.ImageGet("a").extract(folder, unsafe="skip") == ["../outside"]
    assert not (tmp_path / "outside").exists()


# Headers


STAT = {"name": "etc", "size": 4096, "mode": 2147484141, "linkTarget": ""}


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_what_a_header_says_of_the_path_is_decoded(encode):
    told = {**STAT, "name": "\u00e4?>~"}
    field = encode(json.dumps(told).encode()).decode()
    headers = {"Content-Type": TAR, "X-Docker-Container-Path-Stat": field, "X-Other": field}
    with playing([answer(reply(200, archive(etc=b""), headers=headers))]) as (_, client):
        download = client.ContainerArchive("web", path="/etc")
        assert download.headers.X_Docker_Container_Path_Stat == told
        assert download.headers["x-docker-container-path-stat"].mode == STAT["mode"]
        assert download.headers["X-Other"] == field
        download.read()
        assert download.headers.X_Docker_Container_Path_Stat.name == told["name"]


def test_a_header_that_is_no_base64_does_not_spoil_the_bytes():
    headers = {"Content-Type": TAR, "X-Docker-Container-Path-Stat": "?"}
    with playing([answer(reply(200, DATA, headers=headers))]) as (_, client):
        download = client.ContainerArchive("web", path="/etc")
        with pytest.raises(APIError, match="X-Docker-Container-Path-Stat is not base64"):
            download.headers  # noqa: B018
        assert download.read() == DATA


def test_a_reply_without_the_header():
    with playing([answer(chunked(DATA, content_type=TAR))]) as (_, client):
        download = client.ContainerArchive("web", path="/etc")
        assert "X-Docker-Container-Path-Stat" not in download.headers
        assert download.headers.get("content-type") == TAR
        download.read()


# From one engine to another


def test_a_download_may_be_an_upload():
    """An image from one engine to the next, a block at a time."""
    block = os.urandom(600_000)
    giving = [answer(CHUNKED, *map(chunk, in_pieces(block, 50_000)), chunk(b""))]
    taking = [answer(chunked(b'{"stream": "Loaded image: a:1\\n"}'))]
    with playing(giving) as (_, source), playing(taking) as (peer, target):
        assert target.ImageLoad(body=source.ImageGet("a")).wait() == {"Images": ["a:1"]}
    (seen,) = peer.requests
    assert seen.body == block
    assert len(seen.chunks) > 1


def test_a_download_that_breaks_breaks_the_upload_with_its_own_error():
    giving = [answer(CHUNKED + chunk(DATA)), hang_up]

    def taking(connection):
        connection.peer.broken.append(connection.read_to_end())

    with playing(giving) as (_, source), playing([taking], timeout=2) as (_, target):
        with pytest.raises(TruncatedStream, match="broke before the last chunk") as caught:
            target.ImageLoad(body=source.ImageGet("a"))
        assert caught.value.endpoint == str(source.endpoint)
        # There is no waiting for a reply to half a request.
        assert not isinstance(caught.value.__cause__, TimedOut)


def test_sockets_are_files_too():
    """Anything that has ``write`` may be copied to."""
    left, right = socket.socketpair()
    with left, right, downloading(FRAMINGS["length"]) as download:
        with left.makefile("wb") as file:
            download.copy_to(file)
        assert right.recv(len(DATA), socket.MSG_WAITALL) == DATA


def test_saving_over_a_file_keeps_its_permissions(tmp_path):
    target = tmp_path / "private.tar"
    target.write_bytes(b"old")
    target.chmod(0o600)
    with downloading([answer(CHUNKED, chunk(b"new"), chunk(b"")), silence]) as download:
        assert download.save(target) == 3
    assert target.read_bytes() == b"new"
    assert target.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("path", ["a\0b", "\ud800"])
@pytest.mark.parametrize(("way", "argument"), [("save", "path"), ("extract", "folder")])
def test_a_path_that_no_system_takes(path, way, argument):
    with downloading([answer(CHUNKED), silence]) as download:
        with pytest.raises(ValueError, match=f"^{argument}: expected a path, got .*, which has"):
            getattr(download, way)(path)
        assert download.closed


def test_saving_over_a_private_file_is_private_all_the_while(tmp_path):
    target = tmp_path / "private.tar"
    target.touch()
    target.chmod(0o600)
    seen = []

    def look(_connection):
        seen.extend(each.stat().st_mode & 0o777 for each in tmp_path.iterdir())

    script = [answer(CHUNKED + chunk(DATA), chunk(DATA), chunk(DATA)), look, send(chunk(b""))]
    with downloading(script) as download:
        download.save(target)
    assert seen == [0o600, 0o600]


def test_saving_through_a_link_leaves_the_link(tmp_path):
    target, link = tmp_path / "target", tmp_path / "link"
    link.symlink_to(target)
    with downloading([answer(CHUNKED, chunk(b"new"), chunk(b"")), silence]) as download:
        download.save(link)
    assert link.is_symlink()
    assert target.read_bytes() == b"new"


def test_saving_into_what_is_no_file_writes_to_it(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        with downloading([answer(CHUNKED, chunk(b"new"), chunk(b"")), silence]) as download:
            assert download.save(pipe) == 3
        assert os.read(reader, 10) == b"new"
        assert pipe.is_fifo()
    finally:
        os.close(reader)


@pytest.mark.parametrize("path", ["nowhere/a.tar", "."])
def test_where_nothing_can_be_saved_the_path_is_named(tmp_path, path):
    with downloading([answer(CHUNKED), silence]) as download:
        with pytest.raises(OSError, match=re.escape(str(tmp_path / path))):
            download.save(tmp_path / path)
        assert download.closed
    assert list(tmp_path.iterdir()) == []
