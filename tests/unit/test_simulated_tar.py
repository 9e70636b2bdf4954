"""Archives of simulated containers' files, with what Docker 26.1 was seen to do and to say."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import time
import tracemalloc
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynadock.simulation.files.devices import device_files
from dynadock.simulation.files.files import Files
from dynadock.simulation.files.tar import (
    ArchiveRefused,
    cleaned,
    export,
    go_time,
    pack,
    path_stat,
    unpack,
)

SECOND = 1_000_000_000
NOW = 1_795_797_198_711_506_250
LONG = "n" * 300
MIB = 1024 * 1024

KINDS = {
    "file": tarfile.REGTYPE,
    "folder": tarfile.DIRTYPE,
    "link": tarfile.SYMTYPE,
    "hard link": tarfile.LNKTYPE,
    "device": tarfile.CHRTYPE,
    "block device": tarfile.BLKTYPE,
    "fifo": tarfile.FIFOTYPE,
    "unknown": b"Z",
}


def member(name, kind="file", content=b"", target="", **more):
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode, info.mtime = KINDS[kind], target, 0o640, 1000
    info.size = len(content)
    for attribute, value in more.items():
        setattr(info, attribute, value)
    return info, content


def tar(*members, form=tarfile.GNU_FORMAT):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=form) as archive:
        for info, content in members:
            archive.addfile(info, io.BytesIO(content))
    return file.getvalue()


def opened(blocks):
    return tarfile.open(fileobj=io.BytesIO(b"".join(blocks)))


def sample():
    """Return the files that Docker was asked about."""
    files = Files(now=lambda: NOW)
    files.make_folder("/d/e/f", parents=True)
    files.write("/d/x", b"hello\n")
    links = {"l": "x", "le": "e", "labs": "/d/e", "dangling": "nowhere", "loop": "loop", "ll": "l"}
    for name, target in links.items():
        files.make_link(target, f"/d/{name}")
    files.make_link("/d", "/ld")
    files.make_hard_link("/d/x", "/d/y")
    files.set_owner("/d/e", 5, 6)
    files.make_fifo("/d/p")
    files.make_device("/d/c", (1, 3), 0o644)
    files.make_device("/d/b", (7, 0), 0o644, is_block=True)
    files.set_mode("/d/x", 0o4755)
    files.set_mode("/d/e", 0o1777)
    return files


def put(files, path, archive, **options):
    """Unpack an archive that comes in small blocks, as over a network."""
    unpack(files, path, (archive[at : at + 700] for at in range(0, len(archive), 700)), **options)


# What is there

GO_FOLDER, GO_LINK = 1 << 31, 1 << 27


@pytest.mark.parametrize(
    ("path", "name", "size", "mode", "target"),
    [
        ("/d/x", "x", 6, 8389101, ""),
        ("d/x", "x", 6, 8389101, ""),
        ("../d/x", "x", 6, 8389101, ""),
        ("/ld/x", "x", 6, 8389101, ""),
        ("/d", "d", 4096, GO_FOLDER | 0o755, ""),
        ("/d/", "d", 4096, GO_FOLDER | 0o755, ""),
        ("/d/.", ".", 4096, GO_FOLDER | 0o755, ""),
        ("/", "/", 4096, GO_FOLDER | 0o755, ""),
        ("/.", ".", 4096, GO_FOLDER | 0o755, ""),
        ("/d/e/..", "..", 4096, GO_FOLDER | 0o755, ""),
        ("/d/e", "e", 4096, 2148532735, ""),
        ("/d/l", "l", 1, 134218239, "/d/x"),
        ("/d/ll", "ll", 1, 134218239, "/d/x"),
        ("/d/labs", "labs", 4, 134218239, "/d/e"),
        ("/d/le/", "le", 4096, 2148532735, ""),
        ("/d/le/.", ".", 4096, 2148532735, ""),
        ("/d/dangling", "dangling", 7, 134218239, "/d/nowhere"),
        ("/d/p", "p", 0, 33554852, ""),
        ("/d/c", "c", 0, 69206436, ""),
        ("/d/b", "b", 0, 67109284, ""),
    ],
)
def test_what_is_said_of_a_path(path, name, size, mode, target):
    assert path_stat(sample(), path) == {
        "name": name,
        "size": size,
        "mode": mode,
        "mtime": "2026-11-27T16:33:18.71150625Z",
        "linkTarget": target,
    }


@pytest.mark.parametrize(
    ("time", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (1, "1970-01-01T00:00:00.000000001Z"),
        (NOW // SECOND * SECOND, "2026-11-27T16:33:18Z"),
        (NOW + 5, "2026-11-27T16:33:18.711506255Z"),
    ],
)
def test_times_are_written_as_go_does(time, text):
    assert go_time(time) == text


@pytest.mark.parametrize("path", ["/nothing", "/d/nothing", "/d/dangling/x", "/d/dangling/"])
@pytest.mark.parametrize("ask", [path_stat, pack])
def test_what_is_missing(ask, path):
    with pytest.raises(FileNotFoundError):
        ask(sample(), path)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/d/x/", "lstat /d/x/: not a directory"),
        ("/d/x/y", "lstat /d/x/y: not a directory"),
        ("/d/loop", "evalSymlinksInScope: too many links in /d/loop"),
        ("/d/loop/x", "lstat /d/loop/x: too many levels of symbolic links"),
        (f"/{LONG}", f"lstat /{LONG}: file name too long"),
    ],
)
@pytest.mark.parametrize("ask", [path_stat, pack])
def test_what_cannot_be_looked_at(ask, path, words):
    with pytest.raises(ArchiveRefused) as refused:
        ask(sample(), path)
    assert str(refused.value) == words


# Out


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("/d/x", ["x"]),
        ("/d/e", ["e/", "e/f/"]),
        ("/d/e/", ["e/", "e/f/"]),
        ("/d/e/.", ["./", "./f/"]),
        ("/d/le", ["le"]),
        ("/d/le/", ["le/", "le/f/"]),
        ("/d/le/.", ["./", "./f/"]),
        ("/d/e/f/..", ["e/", "e/f/"]),
        ("/d/nothing/../e", ["e/", "e/f/"]),
        ("/ld/e", ["e/", "e/f/"]),
        ("d//e", ["e/", "e/f/"]),
    ],
)
def test_members_are_named_after_the_path(path, names):
    assert [each.name + "/" * each.isdir() for each in opened(pack(sample(), path))] == names


def test_the_root_s_members_have_absolute_names():
    blocks = b"".join(pack(sample(), "/"))
    assert blocks.startswith(b"/\0")
    assert [each.name for each in opened([blocks])][:3] == ["", "/d", "/d/b"]
    assert [each.name for each in opened(pack(sample(), "/."))][:3] == [".", "./d", "./d/b"]


def test_what_get_looks_at_is_the_path_without_dots():
    # What HEAD says of it is another thing: it is asked for as it was given.
    assert cleaned("/d/e/..") == "/d"
    assert cleaned("/d/./e/.") == "/d/e/."
    assert cleaned("d//e/") == "/d/e/"
    assert cleaned("/../..") == "/"
    assert cleaned("/.") == "/."


def test_members_are_what_the_files_are():
    found = {each.name: each for each in opened(pack(sample(), "/d"))}
    assert [*found] == sorted(found)
    assert found["d/x"].mode == 0o4755
    assert found["d/e"].mode == 0o1777
    assert (found["d/e"].uid, found["d/e"].gid, found["d/e"].uname) == (5, 6, "")
    assert found["d/x"].mtime == NOW // SECOND
    assert (found["d/y"].type, found["d/y"].linkname, found["d/y"].size) == (b"1", "d/x", 0)
    assert (found["d/l"].type, found["d/l"].linkname, found["d/l"].mode) == (b"2", "x", 0o777)
    assert found["d/p"].isfifo()
    assert (found["d/c"].ischr(), found["d/c"].devmajor, found["d/c"].devminor) == (True, 1, 3)
    assert (found["d/b"].isblk(), found["d/b"].devmajor) == (True, 7)


def test_a_whole_root_is_exported_without_mounts():
    files, volume = sample(), Files(now=lambda: NOW)
    volume.write("/v", b"")
    files.mount("/vol", volume)
    files.mount("/dev", device_files(lambda: NOW), for_programs=True)
    names = [each.name for each in opened(export(files))]
    assert names[0] == "d"
    assert "vol" in names
    assert not {"", ".", "vol/v", "dev/null"} & {*names}
    assert [each.name for each in opened(pack(files, "/vol"))] == ["vol", "vol/v"]
    with pytest.raises(FileNotFoundError):
        pack(files, "/dev/null")


def test_an_archive_has_what_was_there_when_it_was_asked_for():
    files = sample()
    blocks = pack(files, "/d/x")
    files.write("/d/x", b"later")
    files.remove_tree("/d/e")
    assert opened(blocks).extractfile("x").read() == b"hello\n"


def test_large_files_come_in_blocks():
    files = Files(now=lambda: NOW)
    files.write("/big", bytes(100 * MIB))
    for number in range(100):
        files.write(f"/small{number:02}", bytes(700))
    tracemalloc.start()
    sizes = [len(block) for block in pack(files, "/")]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sum(sizes) / len(sizes) >= 16 * 1024
    assert max(sizes) <= MIB
    assert peak < 4 * MIB


# In


def test_a_member_brings_owner_mode_and_time():
    files = sample()
    put(files, "/d", tar(member("n", content=b"new", uid=7, gid=8, mode=0o4755, mtime=1000)))
    assert files.read("/d/n") == b"new"
    assert files.stat("/d/n")[:6] == ("file", 0o4755, 3, 1000 * SECOND, 7, 8)


def test_an_owner_for_all_replaces_those_of_the_archive():
    files = sample()
    put(files, "/d", tar(member("n", uid=7), member("g", "folder", uid=7)), owner=(1000, 50))
    assert {files.stat(path)[4:6] for path in ("/d/n", "/d/g")} == {(1000, 50)}


def test_parts_of_seconds_are_exact():
    archive = tar(
        member("f", pax_headers={"mtime": "1795797198.711506255"}), form=tarfile.PAX_FORMAT
    )
    files = sample()
    put(files, "/d", archive)
    assert files.stat("/d/f").mtime == 1_795_797_198_711_506_255


@pytest.mark.parametrize("mtime", [-5, "nan", "1e400", "9" * 30, "-3.5", "x"])
def test_a_time_that_no_file_has_is_none(mtime):
    files = sample()
    put(files, "/d", tar(member("f", pax_headers={"mtime": str(mtime)}), form=tarfile.PAX_FORMAT))
    assert 0 <= files.stat("/d/f").mtime < 2**63


def test_folders_get_their_times_when_they_are_filled():
    files = sample()
    put(files, "/d", tar(member("t", "folder", mode=0o2750), member("t/u"), member("above/v")))
    assert files.stat("/d/t")[:4] == ("folder", 0o2750, 4096, 1000 * SECOND)
    assert files.stat("/d/above")[:4] == ("folder", 0o755, 4096, NOW)


@pytest.mark.parametrize("path", ["/d", "/d/", "/d/.", "/ld", "d", "/d/e/..", "/d/none/.."])
def test_archives_go_into_folders_and_where_links_lead(path):
    files = sample()
    put(files, path, tar(member("n")))
    assert files.exists("/d/n")


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/d/x", "extraction point is not a directory"),
        ("/d/l", "extraction point is not a directory"),
        ("/d/x/y", "not a directory"),
        ("/d/loop", "EvalSymlinks: too many links"),
        (f"/{LONG}", f"lstat /{LONG}: file name too long"),
        ("/nothing", None),
        ("/d/dangling", None),
    ],
)
def test_where_nothing_can_be_unpacked(path, words):
    with pytest.raises(FileNotFoundError if words is None else ArchiveRefused) as refused:
        put(sample(), path, tar(member("n")))
    if words is not None:
        assert str(refused.value) == words


REFUSED = {
    "above": ([member("../up")], '"../up" is outside of "/d"'),
    "above after a name": ([member("a/../../up")], '"../up" is outside of "/d"'),
    "a link out": (
        [member("s", "link", target="../../etc"), member("s/evil")],
        'invalid symlink "/d/s" -> "../../etc"',
    ),
    "a hard link out": (
        [member("h", "hard link", target="../etc/passwd")],
        'invalid hardlink "/etc/passwd" -> "../etc/passwd"',
    ),
    "a hard link to a folder": (
        [member("h", "hard link", target="e")],
        "link /d/e /d/h: operation not permitted",
    ),
    "an unknown kind": ([member("z", "unknown")], "unhandled tar header type 90"),
    "below a file": ([member("y/z")], "open /d/y/z: not a directory"),
    "a folder below a file": ([member("y/z", "folder")], "mkdir /d/y/z: not a directory"),
    "a fifo below a file": ([member("y/z", "fifo")], "not a directory"),
    "a link below a file": (
        [member("y/z", "link", target="q")],
        "symlink q /d/y/z: not a directory",
    ),
    "a long name": ([member(LONG)], f"open /d/{LONG}: file name too long"),
    "an impossible owner": ([member("f", uid=2**40)], "lchown /d/f: invalid argument"),
    "a zero byte": (
        [member("f", pax_headers={"path": "a\0b"})],
        "archive/tar: invalid tar header",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_members_that_are_refused(name):
    members, words = REFUSED[name]
    form = tarfile.PAX_FORMAT if name == "a zero byte" else tarfile.GNU_FORMAT
    files = sample()
    files.make_folder("/etc")
    files.write("/etc/passwd", b"root")
    before = files.names("/"), files.names("/etc")
    with pytest.raises(ArchiveRefused) as refused:
        put(files, "/d", tar(member("first"), *members, member("last"), form=form))
    if name != "a zero byte":
        assert str(refused.value) == words
    assert (files.names("/"), files.names("/etc")) == before
    assert (files.exists("/d/first"), files.exists("/d/last")) == (True, False)


def test_a_hard_link_to_nothing_is_what_is_missing():
    for target in ("none", "/d/x"):
        with pytest.raises(FileNotFoundError):
            put(sample(), "/d", tar(member("h", "hard link", target=target)))


@pytest.mark.parametrize(
    ("members", "path", "content"),
    [
        ([member("/abs/f", content=b"1")], "/d/abs/f", b"1"),
        ([member("/../f", content=b"1")], "/d/f", b"1"),
        ([member("./t/../f", content=b"1")], "/d/f", b"1"),
        ([member("t//w", content=b"1")], "/d/t/w", b"1"),
        ([member("labs/through", content=b"1")], "/d/e/through", b"1"),
        ([member("le/through", content=b"1")], "/d/e/through", b"1"),
        ([member("s", "link", target="/etc/x")], "/etc/x", b"the container's"),
        ([member("h", "hard link", target="x")], "/d/h", b"hello\n"),
        ([member("o", content=b"1"), member("h", "hard link", target="o")], "/d/h", b"1"),
        ([member(".wh.x", content=b"1")], "/d/x", b"hello\n"),
        ([member(".wh.x", content=b"1")], "/d/.wh.x", b"1"),
        ([member("", content=b"1"), member(".", "folder")], "/d/x", b"hello\n"),
        ([member("l", content=b"1")], "/d/x", b"hello\n"),
        ([member("l", content=b"1")], "/d/l", b"1"),
        ([member("dangling", content=b"1")], "/d/dangling", b"1"),
        ([member("q" * 100 + "/" + "r" * 200, content=b"1")], f"/d/{'q' * 100}/{'r' * 200}", b"1"),
        ([member("\udcff", content=b"1")], "/d/\udcff", b"1"),
    ],
)
def test_where_members_go(members, path, content):
    files = sample()
    files.make_folder("/etc")
    files.write("/etc/x", b"the container's")
    put(files, "/d", tar(*members))
    assert files.read(path) == content


def test_a_hard_link_gives_its_mode_only_if_its_target_is_seen_from_the_root():
    link = member("h", "hard link", target="x", mode=0o600, mtime=5)
    files = sample()
    put(files, "/d", tar(link))
    assert files.stat("/d/x")[1:4] == (0o755, 6, NOW)
    files.write("/x", b"")
    put(files, "/", tar(link))
    assert files.stat("/h")[1:4] == (0o600, 0, 5 * SECOND)


REPLACED = {
    "folder on file": ("x", "folder", 'non-directory "/d/x" with directory "/d"'),
    "folder on link": ("l", "folder", 'non-directory "/d/l" with directory "/d"'),
    "folder on link to folder": ("le", "folder", 'non-directory "/d/le" with directory "/d"'),
    "file on folder": ("e", "file", 'directory "/d/e" with non-directory "/d"'),
    "link on folder": ("e", "link", 'directory "/d/e" with non-directory "/d"'),
    "file on file": ("x", "file", None),
    "file on link to folder": ("labs", "file", None),
    "file on dangling link": ("dangling", "file", None),
    "link on fifo": ("p", "link", None),
    "folder on folder": ("e", "folder", None),
}


@pytest.mark.parametrize("name", REPLACED)
def test_what_replaces_what(name):
    where, kind, words = REPLACED[name]
    archive = tar(member(where, kind, target="x" * (kind == "link")))
    files = sample()
    put(files, "/d", archive)
    assert files.stat(f"/d/{where}", follow=False).kind == kind
    assert files.exists("/d/e/f") == (name == "folder on folder" or where != "e")
    careful = sample()
    if words is None:
        put(careful, "/d", archive, no_overwrite_dir_non_dir=True)
        assert careful.stat(f"/d/{where}", follow=False).kind == kind
    else:
        with pytest.raises(ArchiveRefused) as refused:
            put(careful, "/d", archive, no_overwrite_dir_non_dir=True)
        assert str(refused.value) == f"cannot overwrite {words}"


def test_mounts_stay_and_what_is_read_only_too():
    files, volume = sample(), Files(now=lambda: NOW)
    files.mount("/vol", volume)
    files.mount("/sealed", volume, read_only=True)
    put(files, "/", tar(member("vol/f", content=b"1")))
    assert volume.read("/f") == b"1"
    for path, archive, words in (
        ("/", tar(member("vol")), "unlinkat /vol: device or resource busy"),
        ("/sealed", tar(member("g")), "mounted volume is marked read-only"),
        ("/", tar(member("sealed/g")), "open /sealed/g: read-only file system"),
    ):
        with pytest.raises(ArchiveRefused) as refused:
            put(files, path, archive)
        assert str(refused.value) == words
    files.read_only = True
    put(files, "/vol", tar(member("g")))
    with pytest.raises(ArchiveRefused, match=r"^container rootfs is marked read-only$"):
        put(files, "/d", tar(member("g")))


# Bodies

ONE = tar(member("n", content=b"1"))
THOUSAND = tar(member("n", content=b"1" * 1000))
HEADER = ONE[:512]


@pytest.mark.parametrize(
    ("body", "size"),
    [
        (gzip.compress(ONE), 1),
        (bz2.compress(ONE), 1),
        (lzma.compress(ONE), 1),
        (gzip.compress(ONE[:600]) + gzip.compress(ONE[600:]), 1),
        (gzip.compress(ONE) + b"rubbish", 1),
        (ONE + b"trailing rubbish" * 100, 1),
        (ONE[:1024], 1),
        (ONE[:700], 1),
        (ONE[:1536], 1),
        (b"", None),
        (bytes(512), None),
        (bytes(1024), None),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_bodies_that_are_taken(body, size):
    files = sample()
    put(files, "/d", body)
    assert (files.stat("/d/n").size if files.exists("/d/n") else None) == size


EOF, NO_TAR = "unexpected EOF", "archive/tar: invalid tar header"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"rubbish", EOF),
        (bytes(100), EOF),
        (b"r" * 600, NO_TAR),
        (ONE[:300], EOF),
        (ONE[:10] + b"\1" + ONE[11:], NO_TAR),
        (THOUSAND[:900], EOF),
        (bytes(512) + ONE, NO_TAR),
        (ONE[:1024] + b"x" * 10, EOF),
        (gzip.compress(ONE[:1024])[:-20], EOF),
        (bz2.compress(THOUSAND)[:-20], EOF),
        (lzma.compress(THOUSAND)[:60], EOF),
        (lzma.compress(ONE, format=lzma.FORMAT_ALONE), EOF),
        (b"\x1f\x8b\x08rubbish", NO_TAR),
        (b"BZh9rubbish", NO_TAR),
        (b"\x28\xb5\x2f\xfdrubbish", NO_TAR),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_bodies_that_are_not(body, words):
    with pytest.raises(ArchiveRefused) as refused:
        put(sample(), "/d", body)
    assert str(refused.value) == words


def test_what_came_of_a_file_that_was_cut_stays():
    files = sample()
    with pytest.raises(ArchiveRefused):
        put(files, "/d", THOUSAND[:900])
    assert files.stat("/d/n")[:3] == ("file", 0o640, 388)


def test_all_of_a_body_is_read_even_if_it_is_refused():
    for body in (ONE + bytes(5000), tar(member("../up")) + bytes(5000), b"r" * 5000):
        blocks = iter([body[:1500], body[1500:3000], body[3000:]])
        try:
            unpack(sample(), "/d", blocks)
        except ArchiveRefused:
            assert body != ONE
        assert next(blocks, None) is None


# Bombs


def small(**limits):
    return Files(now=lambda: NOW, **limits)


def test_a_bomb_is_refused_in_bounded_memory():
    claimed = member("big", content=b"")[0]
    claimed.size = 2**40
    zeros = bz2.BZ2Compressor()
    body = zeros.compress(claimed.tobuf(tarfile.GNU_FORMAT))
    body += b"".join(zeros.compress(bytes(MIB)) for _ in range(100)) + zeros.flush()
    files = small(limit=10 * MIB)
    tracemalloc.start()
    with pytest.raises(ArchiveRefused, match=r"^write /big: no space left on device$"):
        put(files, "/", body)
    assert tracemalloc.get_traced_memory()[1] < 10 * MIB
    tracemalloc.stop()


def test_an_archive_that_writes_one_file_again_and_again_is_refused():
    once = tar(member("f", content=bytes(MIB)))[: 512 + MIB]
    body = gzip.compress(once * 30)
    with pytest.raises(ArchiveRefused):
        put(small(limit=10 * MIB), "/", body)


def test_a_sparse_file_is_as_large_as_it_says():
    said = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "s"}
    said["GNU.sparse.realsize"] = str(3 * MIB)
    content = f"1\n{MIB}\n4\n".encode().ljust(512, b"\0") + b"some"
    archive = tar(member("s", content=content, pax_headers=said), form=tarfile.PAX_FORMAT)
    files = small(limit=4 * MIB)
    put(files, "/", archive)
    assert files.read("/s") == bytes(MIB) + b"some" + bytes(2 * MIB - 4)
    with pytest.raises(ArchiveRefused):
        put(small(limit=2 * MIB), "/", archive)


def test_many_members_are_refused_by_their_count():
    body = gzip.compress(tar(*(member(f"f{number}") for number in range(200))))
    files = small(most_entries=100)
    with pytest.raises(ArchiveRefused, match=r"^open /f100: no space left on device$"):
        put(files, "/", body)
    assert len(files.names("/")) == 100


def test_a_hundred_megabytes_go_in_and_out_quickly():
    files, other = Files(now=lambda: NOW), Files(now=lambda: NOW)
    files.write("/f", bytes(100 * MIB))
    start = time.perf_counter()
    unpack(other, "/", pack(files, "/f"))
    assert time.perf_counter() - start < 5
    assert other.size() == 100 * MIB


# There and back

NAMES = st.text(
    st.characters(codec="utf-8", exclude_characters="/\0") | st.sampled_from("\udc80\udcff"),
    min_size=1,
    max_size=120,
).filter(
    lambda name: name not in (".", "..") and len(name.encode("utf-8", "surrogateescape")) < 256
)
CONTENTS = st.binary(max_size=2000)


@st.composite
def trees(draw):
    """Draw files: folders, files, links and what else there is, and whose they are."""
    files = Files(now=lambda: NOW)
    folders = ["/"]
    for name in draw(st.lists(NAMES, unique=True, max_size=8)):
        path = draw(st.sampled_from(folders)) + name
        kind = draw(st.sampled_from(["file", "folder", "link", "hard link", "fifo", "device"]))
        existing = [below for below, node in files.walk("/") if node.kind == "file"]
        if kind == "folder":
            files.make_folder(path)
            folders.append(f"{path}/")
        elif kind == "link":
            files.make_link(draw(NAMES), path)
        elif kind == "hard link" and existing:
            files.make_hard_link("/" + draw(st.sampled_from(existing)), path)
        elif kind == "fifo":
            files.make_fifo(path)
        elif kind == "device":
            files.make_device(path, draw(st.tuples(st.integers(0, 4095), st.integers(0, 255))))
        else:
            files.write(path, draw(CONTENTS))
        files.set_owner(path, draw(ids), draw(ids), follow=False)
        if kind != "link":
            files.set_mode(path, draw(st.integers(0, 0o7777)))
    for below, _ in files.walk("/"):
        files.touch(f"/{below}", draw(st.integers(0, 2**33)) * SECOND, follow=False)
    return files


ids = st.sampled_from([0, 1, 1000, 2**21, 2**32 - 2])


def seen(files):
    found = {}
    for below, node in files.walk("/"):
        if below:
            found[below] = (node.stat(), files.read(f"/{below}") if node.kind == "file" else None)
    return found


@given(trees(), st.sampled_from(["plain", "gzip", "bzip2", "xz"]), st.integers(1, 5000))
def test_what_is_packed_and_unpacked_is_the_same(files, how, size):
    archive = b"".join(pack(files, "/."))
    body = {"gzip": gzip.compress, "bzip2": bz2.compress, "xz": lzma.compress}.get(how, bytes)(
        archive
    )
    other = Files(now=lambda: NOW)
    unpack(other, "/", (body[at : at + size] for at in range(0, len(body), size)))
    assert seen(other) == seen(files)
    exported = Files(now=lambda: NOW)
    unpack(exported, "/", export(files))
    assert seen(exported) == seen(files)


@given(trees())
def test_python_reads_the_same_from_an_archive(files):
    there = seen(files)
    with opened(export(files)) as archive:
        for info in archive:
            stat, content = there.pop(info.name)
            assert (info.mode, info.uid, info.gid) == (stat.mode, stat.uid, stat.gid)
            assert info.mtime * SECOND == stat.mtime
            assert info.issym() == (stat.kind == "link")
            assert info.isdir() == (stat.kind == "folder")
            if info.issym():
                assert info.linkname == stat.target
            if content is not None:
                assert archive.extractfile(info).read() == content
    assert not there


@given(st.binary(max_size=3000) | st.binary(max_size=600).map(lambda data: HEADER + data))
def test_no_bytes_are_anything_but_taken_or_refused(body):
    files = sample()
    with suppress(ArchiveRefused, FileNotFoundError):
        put(files, "/d", body)
    assert {"d", "ld"} == {*files.names("/")}
