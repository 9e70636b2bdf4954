"""Archives read member by member, and unpacked into a folder that nothing gets out of."""

from __future__ import annotations

import bz2
import errno
import gzip
import io
import lzma
import os
import shutil
import stat
import subprocess
import sys
import tarfile
import tempfile
import tracemalloc
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dynadock.archive.headers import LONGEST_HEADERS
from dynadock.archive.pack import pack
from dynadock.archive.unpack import extract, members
from dynadock.errors import MalformedStream, StreamClosed, TruncatedStream, UnsafeMember

BLOCK = 512
WHOLE_SECONDS = 1_700_000_000

KINDS = {
    "file": tarfile.REGTYPE,
    "folder": tarfile.DIRTYPE,
    "symlink": tarfile.SYMTYPE,
    "link": tarfile.LNKTYPE,
    "fifo": tarfile.FIFOTYPE,
    "character device": tarfile.CHRTYPE,
    "block device": tarfile.BLKTYPE,
    "unknown": b"Z",
}


def header(name, kind="file", target="", form=tarfile.GNU_FORMAT, **more):
    member = tarfile.TarInfo(name)
    member.type, member.linkname, member.mtime = KINDS[kind], target, WHOLE_SECONDS
    member.mode = 0o755 if kind == "folder" else 0o644
    for attribute, value in more.items():
        setattr(member, attribute, value)
    return member.tobuf(form, "utf-8", "surrogateescape")


def entry(name, content=b"", **more):
    return header(name, size=len(content), **more) + content + bytes(-len(content) % BLOCK)


def tar(*parts):
    return b"".join(parts) + bytes(2 * BLOCK)


class Pipe:
    """A stream that can be read, in pieces as short as they come, and nothing else."""

    def __init__(self, data, most=2**20):
        self._data = io.BytesIO(data)
        self._most = most

    def read(self, size):
        assert size > 0
        return self._data.read(min(size, self._most))


def tree(folder):
    """Return all that is in a folder: by its path, the mode and what is there."""
    found = {}
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        mode = stat.S_IMODE(status.st_mode)
        name = str(path.relative_to(folder))
        if path.is_symlink():
            found[name] = f"-> {path.readlink()}"
        elif path.is_dir():
            found[name] = f"{mode:o}"
        else:
            found[name] = (f"{mode:o}", path.read_bytes())
    return found


@pytest.fixture
def box(tmp_path):
    """Return a folder beside things that nothing may touch, and hold that nothing did."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/file").write_bytes(b"untouched")
    (tmp_path / "box").mkdir()
    before = {n: v for n, v in tree(tmp_path).items() if n.startswith("outside")}
    links = (tmp_path / "outside/file").stat().st_nlink
    yield tmp_path / "box"
    assert {n: v for n, v in tree(tmp_path).items() if not n.startswith("box")} == before
    assert (tmp_path / "outside/file").stat().st_nlink == links


# Reading


@pytest.mark.parametrize("most", [1, 7, 512, 10240, 2**20])
def test_members_come_with_their_contents(most):
    data = tar(
        header("d", "folder"),
        entry("d/a", b"x" * 700),
        header("l", "symlink", "d/a"),
        entry("empty"),
        entry("n" * 300, b"y"),
    )
    found = [
        (member.name, member.type, None if file is None else file.read())
        for member, file in members(Pipe(data, most))
    ]
    assert found == [
        ("d", tarfile.DIRTYPE, None),
        ("d/a", tarfile.REGTYPE, b"x" * 700),
        ("l", tarfile.SYMTYPE, None),
        ("empty", tarfile.REGTYPE, b""),
        ("n" * 300, tarfile.REGTYPE, b"y"),
    ]


def test_contents_need_not_be_read():
    data = tar(entry("a", b"x" * 200_000), entry("b", b"yz"))
    names = []
    for member, file in members(Pipe(data)):
        names.append(member.name)
        assert file.read(1) in (b"x", b"y")
    assert names == ["a", "b"]


def test_contents_are_gone_with_the_next_member():
    found = members(Pipe(tar(entry("a", b"x" * 20_000), entry("b"))))
    _, file = next(found)
    next(found)
    with pytest.raises(StreamClosed, match="until the next one"):
        file.read()


def test_contents_cannot_be_sought():
    _, file = next(members(Pipe(tar(entry("a", b"x")))))
    assert not file.seekable()
    with pytest.raises(io.UnsupportedOperation):
        file.seek(0)


def test_the_stream_is_read_to_its_end():
    stream = Pipe(tar(entry("a", b"x")) + bytes(9000))
    assert len(list(members(stream))) == 1
    assert stream.read(1) == b""


def test_an_empty_archive(tmp_path):
    assert list(members(Pipe(bytes(1024)))) == []
    assert list(members(Pipe(bytes(512)))) == []
    assert extract(Pipe(bytes(10240)), tmp_path) == []


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_any_form_is_read(tmp_path, form):
    name = "d" * 90 + "/" + "n" * 60 if form == tarfile.USTAR_FORMAT else "é" * 90 + "/" + "n" * 200
    extract(Pipe(tar(entry(name, b"x", form=form))), tmp_path)
    assert (tmp_path / name).read_bytes() == b"x"


def cuts():
    """Yield an archive's ends that are none, and what is said of each."""
    data = tar(entry("first", b"x" * 700), entry("n" * 200, b"y"))
    yield 0, "before its first member, without its end mark"
    yield 100, "in a header, before its first member"
    yield 512, "inside the member 'first'"
    yield 1300, "inside the member 'first'"
    yield 1530, "inside the member 'first'"
    yield 1536, "after the member 'first', without its end mark"
    yield 1540, "in a header, after the member 'first'"
    yield 2100, "in a header, after the member 'first'"
    yield 2560, "in a header, after the member 'first'"
    yield 3072, "inside the member 'nnn"
    yield len(data) - 1024, "after the member 'nnn.*', without its end mark"
    yield len(data) - 600, "in a header, after the member 'nnn"


@pytest.mark.parametrize(("length", "where"), list(cuts()))
def test_an_archive_that_is_cut_off(tmp_path, length, where):
    data = tar(entry("first", b"x" * 700), entry("n" * 200, b"y"))[:length]
    with pytest.raises(TruncatedStream, match=f"the archive ended {where}"):
        list(members(Pipe(data)))
    with pytest.raises(TruncatedStream, match=f"the archive ended {where}"):
        extract(Pipe(data), tmp_path)
    # What was cut off is not left as if it were whole.
    ends = {"first": 1212, "n" * 200: 3073}
    whole = {name for name, end in ends.items() if length >= end}
    assert {path.name for path in tmp_path.iterdir()} == whole


def test_every_cut_is_noticed():
    data = tar(header("d", "folder"), entry("d/a", b"x" * 600), header("l", "symlink", "d"))
    for length in range(len(data) - BLOCK):
        with pytest.raises(TruncatedStream):
            list(members(Pipe(data[:length])))


def test_reading_what_is_cut_off():
    _, file = next(members(Pipe(entry("a", b"x" * 100_000)[:5000])))
    with pytest.raises(TruncatedStream, match="inside the member 'a'"):
        file.read()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"not a tar archive" * 100, r"not a tar header, before its first member"),
        (entry("a", b"x") + b"garbage" * 100, r"not a tar header, after the member 'a'"),
        (gzip.compress(tar(entry("a")) + os.urandom(600)), "not a plain .* compressed by gzip"),
        (bz2.compress(tar(entry("a")) + os.urandom(600)), "not a plain .* compressed by bzip2"),
        (lzma.compress(tar(entry("a")) + os.urandom(600)), "not a plain .* compressed by xz"),
        (header("a", size=-512), "not a tar header"),
        (header("a", size=2**63) + bytes(1024), "not a tar header"),
    ],
)
def test_what_is_no_archive(tmp_path, data, message):
    if len(data) % BLOCK:
        data += bytes(-len(data) % BLOCK)
    with pytest.raises(MalformedStream, match=message):
        list(members(Pipe(data)))
    with pytest.raises(MalformedStream, match=message):
        extract(Pipe(data), tmp_path)


def special(name, kind, size):
    """Make a header of one of the kinds that describe the next one."""
    member = tarfile.TarInfo(name)
    member.type, member.size = kind, size
    return member.tobuf(tarfile.GNU_FORMAT)


@pytest.mark.parametrize("kind", [b"L", b"K", b"x", b"g"])
@pytest.mark.parametrize("size", [LONGEST_HEADERS + BLOCK, 2**40, -BLOCK])
def test_a_header_cannot_ask_for_much_memory(kind, size):
    with pytest.raises(
        MalformedStream, match=r"claims to have -512|headers of more than 1048576 bytes"
    ):
        list(members(Pipe(special("x", kind, size) + bytes(4096))))


def test_headers_in_headers_end_somewhere():
    nested = (special("x", b"L", 1) + b"n" + bytes(511)) * 5000
    with pytest.raises(MalformedStream, match="not a tar header"):
        list(members(Pipe(tar(nested))))


# Unpacking


def test_a_tree_is_unpacked(box):
    data = tar(
        header("d", "folder", mode=0o750),
        entry("d/a", b"x", mode=0o600),
        entry("run", b"#!", mode=0o755),
        header("d/up", "symlink", "../run"),
        header("again", "link", "d/a"),
        entry("not/told/of", b"y"),
    )
    assert extract(Pipe(data), box / "new/folder") == []
    made = box / "new/folder"
    os.umask(mask := os.umask(0))
    implied = f"{0o777 & ~mask:o}"
    assert tree(made) == {
        "again": ("600", b"x"),
        "d": "750",
        "d/a": ("600", b"x"),
        "d/up": "-> ../run",
        "not": implied,
        "not/told": implied,
        "not/told/of": ("644", b"y"),
        "run": ("755", b"#!"),
    }
    assert (made / "again").samefile(made / "d/a")
    for name in ("d", "d/a", "d/up", "run"):
        assert (made / name).lstat().st_mtime == WHOLE_SECONDS


def test_set_bits_and_owners_are_dropped(box):
    extract(
        Pipe(
            tar(
                header("d", "folder", mode=0o3777, uid=4711, gid=4711),
                entry("f", mode=0o107755, uid=4711, gid=4711),
            )
        ),
        box,
    )
    for path, mode in ((box / "d", 0o777), (box / "f", 0o755)):
        assert stat.S_IMODE(path.stat().st_mode) == mode
        assert (path.stat().st_uid, path.stat().st_gid) == (os.geteuid(), os.getegid())


def test_the_folder_itself_is_left_as_it_is(box):
    box.chmod(0o711)
    extract(Pipe(tar(header("./", "folder", mode=0o700), entry("./a"), entry("b//./c"))), box)
    assert stat.S_IMODE(box.stat().st_mode) == 0o711
    assert sorted(tree(box)) == ["a", "b", "b/c"]


def test_what_was_there_is_replaced_and_folders_are_kept(box):
    (box / "d").mkdir(mode=0o700)
    (box / "d/kept").touch()
    (box / "file").write_text("old")
    os.link(box / "file", box / "same")
    (box / "link").symlink_to("same")
    (box / "soft").write_text("old")
    (box / "folder").write_text("old")
    extract(
        Pipe(
            tar(
                header("d", "folder", mode=0o755),
                entry("file", b"new"),
                entry("link", b"new"),
                header("soft", "symlink", "file"),
                header("folder", "folder"),
                entry("folder/x"),
            )
        ),
        box,
    )
    assert tree(box) == {
        "d": "755",
        "d/kept": (tree(box)["d/kept"][0], b""),
        "file": ("644", b"new"),
        "folder": "755",
        "folder/x": ("644", b""),
        "link": ("644", b"new"),
        "same": (tree(box)["same"][0], b"old"),
        "soft": "-> file",
    }


def test_an_archive_can_be_unpacked_twice(box):
    data = tar(
        header("d", "folder", mode=0o555),
        entry("d/a", b"x"),
        header("b", "link", "d/a"),
        header("l", "symlink", "d"),
        header("b", "link", "./b"),
    )
    extract(Pipe(data), box)
    once = tree(box)
    extract(Pipe(data), box)
    assert tree(box) == once
    assert (box / "b").samefile(box / "d/a")


def test_folders_that_are_closed_can_be_filled(as_nobody):
    data = tar(
        header("d", "folder", mode=0o500),
        header("d/e", "folder", mode=0),
        entry("d/e/f", b"x"),
        entry("d/g", b"y"),
    )
    for _ in range(2):
        extract(Pipe(data), as_nobody)
        assert stat.S_IMODE((as_nobody / "d/e").stat().st_mode) == 0
        assert stat.S_IMODE((as_nobody / "d").stat().st_mode) == 0o500
    assert (as_nobody / "d").stat().st_mtime == WHOLE_SECONDS
    (as_nobody / "d/e").chmod(0o700)
    (as_nobody / "d").chmod(0o700)
    assert (as_nobody / "d/e/f").read_bytes() == b"x"


def test_a_folder_that_may_not_be_written_is_an_os_error(as_nobody):
    as_nobody.chmod(0o500)
    with pytest.raises(PermissionError):
        extract(Pipe(tar(entry("a"))), as_nobody)


@pytest.mark.parametrize("time", [float("nan"), float("inf"), 1e300, -1e300, 2**62])
def test_times_that_no_clock_shows(box, time):
    records = f" mtime={time}\n"
    size = next(n for n in range(len(records), 400) if len(str(n)) + len(records) == n)
    data = special("x", b"x", size) + f"{size}{records}".encode().ljust(BLOCK, b"\0")
    assert extract(Pipe(tar(data, entry("a", b"x"))), box) == []
    assert (box / "a").read_bytes() == b"x"


def test_names_in_no_encoding(box):
    extract(Pipe(tar(entry(os.fsdecode(b"\xff"), b"x"), header("l", "symlink", "\udcff"))), box)
    assert {os.fsencode(path.name) for path in box.iterdir()} == {b"\xff", b"l"}
    assert (box / "l").read_bytes() == b"x"


LACKING = """
import os
for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_DIRECTORY"):
    delattr(os, name)
os.supports_dir_fd = frozenset()
import io
from dynadock import Unsupported
from dynadock.archive import ignore, pack, unpack
archive = b"".join(pack.pack(FOLDER))
print([member.name for member, _ in unpack.members(io.BytesIO(archive))])
try:
    unpack.extract(io.BytesIO(archive), FOLDER + "/new")
except Unsupported as error:
    print(error)
"""


def test_a_system_without_the_means(tmp_path):
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/c").write_text("x")
    (tmp_path / "d").symlink_to("a")
    code = LACKING.replace("FOLDER", repr(str(tmp_path)))
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    packed, refused = ran.stdout.splitlines()
    assert packed == "['a', 'a/b', 'a/b/c', 'd']"
    assert refused.startswith("extract: this system cannot")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "d"]


def test_memory_stays_flat(box):
    size = 64 * 2**20

    class Zeros:
        left = size + 1024
        head = header("large", size=size)

        def read(self, wanted):
            if self.head:
                piece, self.head = self.head, b""
                return piece
            piece = bytes(min(wanted, self.left))
            self.left -= len(piece)
            return piece

    tracemalloc.start()
    try:
        extract(Zeros(), box)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (box / "large").stat().st_size == size
    assert most < 2 * 2**20


def test_members_are_not_collected():
    data = tar(*(header(f"{number}", "folder") for number in range(3000)))
    tracemalloc.start()
    try:
        for _ in members(Pipe(data)):
            pass
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 2**19


def test_the_word_for_what_is_unsafe(box):
    with pytest.raises(ValueError, match="expected 'refuse' or 'skip', got 'ignore'"):
        extract(Pipe(tar()), box, unsafe="ignore")


# Sparse files

GNU_TAR = shutil.which("tar")
SPARSE = [
    ("--format=gnu",),
    *(("--format=posix", f"--sparse-version={v}") for v in ("0.0", "0.1", "1.0")),
]


@pytest.mark.skipif(GNU_TAR is None, reason="there is no tar command to make sparse files with")
@pytest.mark.parametrize("form", SPARSE, ids=" ".join)
def test_sparse_files(tmp_path, box, form):
    parts = [(n * 2**20, bytes([n + 1]) * 5000) for n in range(40)]
    with (tmp_path / "box/source").open("wb") as file:
        for offset, data in parts:
            file.seek(offset)
            file.write(data)
        file.truncate(64 * 2**20)
    command = [GNU_TAR, "-S", *form, "-cf", "-", "-C", str(box), "source"]
    ran = subprocess.run(command, capture_output=True, check=False)
    if ran.returncode:
        pytest.skip(f"this tar command makes no such archives: {ran.stderr.decode()}")
    assert len(ran.stdout) < 2**20
    extract(Pipe(ran.stdout + bytes(512)), box / "copy")
    copy = box / "copy/source"
    assert copy.stat().st_size == 64 * 2**20
    assert copy.stat().st_blocks * 512 < 2**20
    original = (box / "source").read_bytes()
    assert copy.read_bytes() == original
    [(_, file)] = [(member, file.read()) for member, file in members(Pipe(ran.stdout))]
    assert file == original


def sparse(*parts, size, real):
    """Make a header of GNU's oldest form of sparse files, by hand."""
    block = bytearray(special("s", b"S", size))
    for index, (offset, count) in enumerate(parts):
        at = 386 + 24 * index
        block[at : at + 24] = tarfile.itn(offset, 12, 0 or tarfile.GNU_FORMAT) + tarfile.itn(
            count, 12, tarfile.GNU_FORMAT
        )
    block[483:495] = tarfile.itn(real, 12, tarfile.GNU_FORMAT)
    return checked(block)


def checked(block):
    """Return a header with the sum that belongs to it."""
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


@pytest.mark.parametrize(
    ("parts", "size", "real"),
    [
        ([(0, 512), (256, 512)], 1024, 2048),
        ([(512, 512), (0, 512)], 1024, 2048),
        ([(0, 1024)], 512, 2048),
        ([(0, 512), (1536, 1024)], 1536, 2048),
        ([(0, -512)], 0, 2048),
        ([(-512, 512)], 512, 2048),
        ([(0, 512)], 512, 2**70),
    ],
)
def test_sparse_files_that_cannot_be(box, parts, size, real):
    with pytest.raises(MalformedStream, match="not a tar header"):
        extract(Pipe(tar(sparse(*parts, size=size, real=real), bytes(4096))), box)


def test_a_sparse_file_takes_no_room(box):
    data = tar(sparse((2**39, 512), size=512, real=2**40), b"x" * 512)
    try:
        extract(Pipe(data), box)
    except OSError as error:
        if error.errno != errno.EFBIG:
            raise
        pytest.skip("this file system holds no such files")
    assert (box / "s").stat().st_size == 2**40
    assert (box / "s").stat().st_blocks < 100
    # Before anything looks at what is in the box.
    (box / "s").unlink()


# What does not get out


def attack(*parts, member, reason, left=()):
    return pytest.param(parts, member, reason, set(left), id=f"{member!r} {reason}")


ATTACKS = [
    attack(entry("../outside/file", b"!"), member="../outside/file", reason=r"has a '\.\.'"),
    attack(entry("a/../../outside/file"), member="a/../../outside/file", reason=r"has a '\.\.'"),
    attack(entry("a/../b"), member="a/../b", reason=r"has a '\.\.'"),
    attack(header("..", "folder", mode=0), member="..", reason=r"has a '\.\.'"),
    attack(entry("/etc/dynadock", b"!"), member="/etc/dynadock", reason="is absolute"),
    attack(entry("//etc/dynadock", b"!"), member="//etc/dynadock", reason="is absolute"),
    attack(header("/d", "folder", mode=0), member="/d", reason="is absolute"),
    attack(entry(""), member="", reason="no name"),
    attack(entry("."), member=".", reason="no name"),
    attack(header("l", "symlink", "/etc"), member="l", reason="not relative"),
    attack(header("l", "symlink", ""), member="l", reason="not relative"),
    attack(header("l", "symlink", ".."), member="l", reason="out of the folder"),
    attack(header("l", "symlink", "../outside"), member="l", reason="out of the folder"),
    attack(header("d/l", "symlink", "./.././/../x"), member="d/l", reason="out of the folder"),
    attack(header("d/l", "symlink", "../a/../../x"), member="d/l", reason="follows a name"),
    attack(
        header("d", "folder"),
        header("d/top", "symlink", ".."),
        header("d/out", "symlink", "top/.."),
        member="d/out",
        reason="follows a name",
        left=["d", "d/top"],
    ),
    attack(
        header("l", "symlink", "d"),
        header("d", "folder"),
        entry("l/x", b"!"),
        member="l/x",
        reason="its parent 'l' is a symlink",
        left=["l", "d"],
    ),
    attack(
        entry("f"),
        entry("f/x", b"!"),
        member="f/x",
        reason="its parent 'f' is a symlink or a file",
        left=["f"],
    ),
    attack(
        header("d", "folder"),
        header("d", "symlink", "."),
        entry("d/x"),
        member="d",
        reason="replace a folder",
        left=["d", "d/x"],
    ),
    attack(header("d", "folder"), entry("d"), member="d", reason="replace a folder", left=["d"]),
    attack(
        header("d", "folder"),
        entry("f"),
        header("d", "link", "f"),
        member="d",
        reason="replace a folder",
        left=["d", "f"],
    ),
    attack(header("h", "link", "/etc/passwd"), member="h", reason="'/etc/passwd' is absolute"),
    attack(header("h", "link", "../outside/file"), member="h", reason=r"has a '\.\.'"),
    attack(header("h", "link", "none"), member="h", reason="'none', which is not a file"),
    attack(header("h", "link", "no/ne"), member="h", reason="no folder 'no'"),
    attack(header("h", "link", ""), member="h", reason="which is not a file"),
    attack(header("h", "link", "h"), member="h", reason="which is not a file"),
    attack(
        header("d", "folder"), header("h", "link", "d"), member="h", reason="not a file", left=["d"]
    ),
    attack(
        entry("f"),
        header("l", "symlink", "f"),
        header("h", "link", "l"),
        member="h",
        reason="'l', which is not a file",
        left=["f", "l"],
    ),
    attack(
        header("d", "folder"),
        entry("d/f"),
        header("l", "symlink", "d"),
        header("h", "link", "l/f"),
        member="h",
        reason="its parent 'l' is a symlink",
        left=["d", "d/f", "l"],
    ),
    attack(header("p", "fifo"), member="p", reason="a device, a fifo"),
    attack(header("c", "character device"), member="c", reason="a device, a fifo"),
    attack(header("b", "block device"), member="b", reason="a device, a fifo"),
    attack(header("u", "unknown"), member="u", reason="a kind that is not known"),
    attack(entry("n" * 256), member="n" * 256, reason="cannot hold such a name"),
    attack(header("l", "symlink", "t" * 5000), member="l", reason="cannot hold such a name"),
]


@pytest.mark.parametrize(("parts", "member", "reason", "left"), ATTACKS)
def test_what_is_unsafe_is_refused(box, parts, member, reason, left):
    with pytest.raises(
        UnsafeMember, match=rf"is not extracted: .*{reason}.*unsafe='skip'"
    ) as error:
        extract(Pipe(tar(entry("before", b"x"), *parts, entry("after"))), box)
    assert error.value.member == member
    assert (box / "before").read_bytes() == b"x"
    assert not (box / "after").exists()


@pytest.mark.parametrize(("parts", "member", "reason", "left"), ATTACKS)
def test_what_is_unsafe_is_skipped(box, parts, member, reason, left):
    data = tar(entry("before", b"x"), *parts, entry("after", b"y"))
    assert extract(Pipe(data), box, unsafe="skip") == [member]
    assert set(tree(box)) - {"d"} == {"before", "after", *left} - {"d"}


@pytest.mark.parametrize("member", ["link/x", "link/d/x"])
def test_a_link_that_was_there_before_is_not_followed(box, member):
    (box / "link").symlink_to("../outside")
    with pytest.raises(UnsafeMember, match="its parent 'link' is a symlink") as error:
        extract(Pipe(tar(entry(member, b"!"))), box)
    assert error.value.member == member
    assert extract(Pipe(tar(header("link/d", "folder"))), box, unsafe="skip") == ["link/d"]


def test_files_are_not_written_through_links(box):
    (box / "link").symlink_to("../outside/file")
    os.link(box.parent / "outside/file", box / "hard")
    extract(Pipe(tar(entry("link", b"!", mode=0o777), entry("hard", b"!", mode=0o777))), box)
    assert not (box / "link").is_symlink()
    assert (box / "hard").read_bytes() == b"!"


def test_folders_are_not_made_through_links(box):
    (box / "link").symlink_to("../outside")
    extract(Pipe(tar(header("link", "folder", mode=0o700), entry("link/file", b"!"))), box)
    assert not (box / "link").is_symlink()
    assert (box / "link/file").read_bytes() == b"!"


def test_links_to_links_stay_inside(box):
    data = tar(
        header("a", "folder"),
        header("a/b", "symlink", ".."),
        header("c", "symlink", "a/b/a/b"),
        header("c/x", "symlink", "../.."),
        entry("c", b"x"),
        header("c", "symlink", "a"),
        entry("c/y", b"!"),
    )
    assert extract(Pipe(data), box, unsafe="skip") == ["c/x", "c/y"]
    assert (box / "c").resolve() == (box / "a").resolve()


def test_a_member_again_as_a_link_and_again_as_a_file(box):
    data = tar(
        entry("x", b"1"),
        header("x", "symlink", "y"),
        entry("x", b"2"),
        entry("y", b"3"),
        header("x", "link", "y"),
        entry("x", b"4"),
    )
    assert extract(Pipe(data), box) == []
    assert tree(box) == {"x": ("644", b"4"), "y": ("644", b"3")}


def test_permissions_are_given_even_if_a_member_is_refused(box):
    data = tar(header("d", "folder", mode=0o750), entry("d/a"), entry("../x"))
    with pytest.raises(UnsafeMember):
        extract(Pipe(data), box)
    assert stat.S_IMODE((box / "d").stat().st_mode) == 0o750


def test_a_folder_that_is_taken_away_meanwhile(box):
    class Thief(Pipe):
        def read(self, size):
            if (box / "d").exists() and not (box / "d").is_symlink():
                (box / "d").rmdir()
                (box / "d").symlink_to("../outside")
            return super().read(size)

    data = tar(header("d", "folder", mode=0o700), entry("large", b"x" * 200_000))
    assert extract(Thief(data, 512), box) == []
    assert (box / "d").is_symlink()


def test_a_root_file_system(box):
    data = tar(
        header("etc", "folder"),
        header("etc/mtab", "symlink", "/proc/mounts"),
        entry("etc/passwd", b"root"),
        header("dev", "folder"),
        header("dev/null", "character device", devmajor=1, devminor=3),
        header("bin", "symlink", "usr/bin"),
        entry("usr/bin/busybox", b"ELF", mode=0o4755),
        header("usr/bin/sh", "link", "usr/bin/busybox"),
        header("usr/lib64", "symlink", "../lib"),
    )
    assert extract(Pipe(data), box, unsafe="skip") == ["etc/mtab", "dev/null"]
    assert (box / "bin/sh").read_bytes() == b"ELF"
    assert stat.S_IMODE((box / "bin/sh").stat().st_mode) == 0o755


# Drawn by hypothesis

NAMES = st.sampled_from(["a", "b", "c", "d"])
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
STEPS = st.lists(st.sampled_from(["a", "b", "..", ".", ""]), max_size=5).map("/".join)
HOSTILE = STEPS | STEPS.map(lambda steps: f"/{steps}") | STEPS.map(lambda s: f"../outside/{s}")
CONTENTS = st.binary(max_size=1500)
MEMBERS = st.one_of(
    st.builds(entry, PATHS | HOSTILE, CONTENTS),
    st.builds(header, PATHS | HOSTILE, st.sampled_from(["folder", "fifo", "unknown"])),
    st.builds(header, PATHS | HOSTILE, st.sampled_from(["symlink", "link"]), PATHS | HOSTILE),
)
ARCHIVES = st.lists(MEMBERS, max_size=12).map(lambda parts: tar(*parts))
OURS = (UnsafeMember, TruncatedStream, MalformedStream)


class Cell:
    """A folder within a folder within one that is watched."""

    def __enter__(self):
        self._around = tempfile.TemporaryDirectory()
        top = Path(self._around.name)
        (top / "outside").mkdir()
        (top / "outside/file").write_bytes(b"untouched")
        (top / "middle/inside").mkdir(parents=True)
        self._top, self._before = top, self._seen(top)
        return top / "middle/inside"

    def __exit__(self, *_):
        after = self._seen(self._top)
        self._around.cleanup()
        assert after == self._before

    @staticmethod
    def _seen(top):
        files = sorted(path for path in top.rglob("*") if "inside" not in path.parts)
        return [
            (path, path.lstat().st_mode, path.is_dir() or path.lstat().st_nlink) for path in files
        ]


def links_out_of(folder):
    """Return the symlinks below a folder that lead out of it, whatever they go through."""
    return [path for path in folder.rglob("*") if path.is_symlink() and leads_out(path, folder)]


def leads_out(link, folder):
    """Follow a symlink step by step, as the system does; there may be nothing at its end."""
    place, steps, followed = folder, list(link.relative_to(folder).parts), 0
    while steps and followed < 40:
        step = steps.pop(0)
        if step == "..":
            if place == folder:
                return True
            place = place.parent
        elif (place / step).is_symlink():
            followed += 1
            target = (place / step).readlink()
            if target.is_absolute():
                return True
            steps = [*target.parts, *steps]
        else:
            place /= step
    return False


@settings(max_examples=200)
@given(ARCHIVES, st.sampled_from(["refuse", "skip"]))
@example(tar(header("a/b", "symlink", ".."), header("a/c", "symlink", "b/..")), "skip")
def test_no_archive_gets_out(data, unsafe):
    with Cell() as folder:
        try:
            extract(Pipe(data), folder, unsafe=unsafe)
        except UnsafeMember:
            assert unsafe == "refuse"
        assert links_out_of(folder) == []


@given(ARCHIVES, st.data())
def test_no_damage_gets_out(data, drawn):
    damaged = bytearray(data)
    for _ in range(drawn.draw(st.integers(1, 4))):
        block = drawn.draw(st.integers(0, len(data) // BLOCK - 1)) * BLOCK
        at = drawn.draw(st.integers(0, BLOCK - 1))
        damaged[block + at] = drawn.draw(st.integers(0, 255))
        if drawn.draw(st.booleans()):
            damaged[block : block + BLOCK] = checked(damaged[block : block + BLOCK])
    with Cell() as folder:
        try:
            extract(Pipe(bytes(damaged)), folder, unsafe="skip")
        except OURS:
            pass
        except OSError as error:
            assert error.errno == errno.EFBIG  # noqa: PT017 - a sparse file beyond all measure
        assert links_out_of(folder) == []


@given(st.binary(max_size=3000), st.booleans())
def test_no_garbage_gets_out(data, has_a_sum):
    if has_a_sum and len(data) >= BLOCK:
        data = checked(bytearray(data[:BLOCK])) + data[BLOCK:]
    with Cell() as folder:
        with suppress(*OURS):
            extract(Pipe(data), folder, unsafe="skip")
        assert links_out_of(folder) == []


LETTERS = st.characters(exclude_characters="/\0", exclude_categories=["Cs"])
LEAVES = st.binary(max_size=2000) | st.just("link")
NODES = st.recursive(
    LEAVES,
    lambda nodes: st.dictionaries(st.text(LETTERS, min_size=1, max_size=60), nodes, max_size=4),
    max_leaves=12,
)


def write_tree(folder, nodes):
    for name, node in nodes.items():
        path = folder / name
        if name in (".", ".."):
            continue
        if isinstance(node, bytes):
            path.write_bytes(node)
            path.chmod(len(node) % 0o777 | 0o400)
        elif node == "link":
            path.symlink_to(name)
        else:
            path.mkdir()
            write_tree(path, node)


@given(st.dictionaries(st.text(LETTERS, min_size=1, max_size=60), NODES, max_size=5), st.booleans())
def test_any_tree_comes_back_as_it_was(nodes, is_linked):
    with tempfile.TemporaryDirectory() as name:
        source, copy = Path(name) / "source", Path(name) / "copy"
        source.mkdir()
        write_tree(source, nodes)
        files = [path for path in source.rglob("*") if path.is_file() and not path.is_symlink()]
        if is_linked and files:
            os.link(files[-1], source / ("n" * 61))
        assert extract(Pipe(b"".join(pack(source))), copy) == []
        assert tree(copy) == tree(source)
        for path in copy.rglob("*"):
            original = source / path.relative_to(copy)
            assert path.lstat().st_nlink == original.lstat().st_nlink
            assert int(path.lstat().st_mtime) == original.lstat().st_mtime_ns // 10**9
