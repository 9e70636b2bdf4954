"""What stands before a member of an archive: read as tarfile reads it, and bounded."""

from __future__ import annotations

import io
import itertools
import shutil
import tarfile
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynadock.archive.headers import LONGEST_FOR_ALL, LONGEST_HEADERS
from dynadock.archive.names import LONGEST_NAME
from dynadock.archive.unpack import DEEPEST, extract, members
from dynadock.errors import MalformedStream, TruncatedStream, UnsafeMember

BLOCK = 512
END = bytes(2 * BLOCK)


def header(name="a", kind=tarfile.REGTYPE, size=0, **more):
    member = tarfile.TarInfo(name)
    member.type, member.size = kind, size
    for attribute, value in more.items():
        setattr(member, attribute, value)
    return member.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape")


def with_body(kind, body, **more):
    return header("x", kind, len(body), **more) + body + bytes(-len(body) % BLOCK)


def record(name, value):
    """Make a pax record, which begins with its own length."""
    rest = b" " + name.encode() + b"=" + value + b"\n"
    size = next(n for n in itertools.count(len(rest)) if len(str(n)) + len(rest) == n)
    return str(size).encode() + rest


def pax(*pairs, kind=tarfile.XHDTYPE):
    values = (value if isinstance(value, bytes) else str(value).encode() for _, value in pairs)
    return with_body(kind, b"".join(map(record, dict(pairs), values)))


class Endless:
    """A stream of the same bytes again and again; ``make`` gives them for each number."""

    def __init__(self, make):
        self._pieces = map(make, itertools.count())
        self._rest = b""
        self.size = 0

    def read(self, size):
        while len(self._rest) < size:
            self._rest += next(self._pieces)
        piece, self._rest = self._rest[:size], self._rest[size:]
        self.size += size
        return piece


def refused(data, message, tmp_path):
    """Hold that both ways to read an archive refuse it."""
    with pytest.raises(MalformedStream, match=message):
        list(members(io.BytesIO(data)))
    with pytest.raises(MalformedStream, match=message):
        extract(io.BytesIO(data), tmp_path)


# What engines send


def test_attributes_of_the_largest_size():
    """XATTR_SIZE_MAX is 64 KiB, PATH_MAX 4096."""
    value = bytes(range(256)) * 256
    name, target = "d/" * 2047 + "n", "t" * 4095
    attributes = {f"SCHILY.xattr.user.{number}": value for number in range(12)}
    data = pax(("path", name), ("linkpath", target), *attributes.items())
    [(member, _)] = members(io.BytesIO(data + header(kind=tarfile.SYMTYPE) + END))
    assert (member.name, member.linkname) == (name, target)
    for attribute in attributes:
        assert member.pax_headers[attribute].encode("utf-8", "surrogateescape") == value


@pytest.mark.parametrize("value", [b"1" * 65_536, b"1 " * 32_768, b"9 a=" * 16_384, b"=" * 65_536])
def test_values_that_look_like_records(value):
    data = pax(("SCHILY.xattr.user.x", value), ("path", "b")) + header() + END
    [(member, _)] = members(io.BytesIO(data))
    assert member.name == "b"
    assert member.pax_headers["SCHILY.xattr.user.x"] == value.decode()


def test_records_for_all_and_for_one():
    data = (
        pax(("comment", "all"), ("mtime", "7.5"), ("uname", "me"), kind=tarfile.XGLTYPE)
        + header("a")
        + pax(("mtime", "8"), ("uname", ""))
        + header("b", uname="header")
        + pax(("mtime", "9"), kind=tarfile.XGLTYPE)
        + header("c")
    )
    found = [(m.name, m.mtime, m.uname) for m, _ in members(io.BytesIO(data + END))]
    assert found == [("a", 7.5, "me"), ("b", 8, "header"), ("c", 9, "me")]


LETTERS = st.characters(exclude_characters="\0", exclude_categories=["Cs"])
NAMES = st.text(LETTERS, min_size=1, max_size=150).filter(lambda name: name.strip("/") == name)
FORMS = st.sampled_from([tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
KINDS = st.sampled_from([tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE])
TEXTS = st.text(LETTERS, max_size=8)
ATTRIBUTES = ("name", "linkname", "size", "mtime", "uid", "gid", "uname", "gname", "mode", "type")
SAID = st.dictionaries(
    st.text("abc.", min_size=1, max_size=8), st.text("xyz= 1\n", min_size=1), max_size=4
)


def described(member, content):
    attributes = [getattr(member, name) for name in (*ATTRIBUTES, "pax_headers", "offset_data")]
    return [*attributes, content and content.read()]


@st.composite
def infos(draw):
    info = tarfile.TarInfo(draw(NAMES))
    info.type, info.linkname = draw(KINDS), draw(NAMES | st.just(""))
    info.uid, info.gid = draw(st.integers(0, 2**40)), draw(st.integers(0, 2**20))
    info.uname, info.mtime = draw(TEXTS), draw(st.integers(0, 2**33))
    info.pax_headers = draw(SAID)
    size = draw(st.integers(0, 1500)) if info.isreg() else 0
    info.size = size
    return info


@given(st.lists(infos(), min_size=1, max_size=4), FORMS, SAID)
def test_members_are_what_tarfile_reads(infos, form, for_all):
    file = io.BytesIO()
    with tarfile.open(
        fileobj=file, mode="w", format=form, encoding="utf-8", pax_headers=for_all
    ) as archive:
        for number, info in enumerate(infos):
            archive.addfile(info, io.BytesIO(bytes([number]) * info.size))
    file.seek(0)
    found = [described(member, content) for member, content in members(file)]
    file.seek(0)
    with tarfile.open(fileobj=file, encoding="utf-8") as archive:
        expected = [described(m, archive.extractfile(m) if m.isreg() else None) for m in archive]
    assert found == expected


# What is refused

DAMAGED = {
    "digits": b"1" * 80_000,
    "digits without end": b"1" * (LONGEST_HEADERS - 2 * BLOCK),
    "records inside of each other": b"2 " * 400_000 + b"=",
    "a length of nothing": b"0 a=b\n",
    "a length that is too short": b"3 a=b\n",
    "a length that is too long": b"99 a=b\n",
    "no line feed": b"6 a=bc",
    "no name": b"5 =b\n",
    "no value": b"4 a\n",
    "no length": b" a=b\n",
    "a sign": b"+6 a=b\n",
}


@pytest.mark.parametrize("kind", [b"x", b"X", b"g"])
@pytest.mark.parametrize("body", DAMAGED.values(), ids=DAMAGED)
def test_records_that_are_none(body, kind, tmp_path):
    refused(with_body(kind, body) + header() + END, "pax header with a damaged record", tmp_path)


@pytest.mark.parametrize("kind", [b"x", b"g", b"L", b"K"])
def test_headers_without_end(kind, tmp_path):
    body = record("comment", b"x") if kind in b"xg" else b"name\0"
    many = with_body(kind, body) * 2000
    refused(many + header() + END, r"headers of more than 1048576 bytes", tmp_path)
    stream = Endless(lambda _: with_body(kind, body))
    with pytest.raises(MalformedStream, match="headers of more than"):
        next(members(stream))
    assert stream.size < 2 * LONGEST_HEADERS


@pytest.mark.parametrize("between", [b"", header()])
def test_records_for_all_without_end(between):
    stream = Endless(lambda number: pax((f"k{number}", "v" * 400), kind=tarfile.XGLTYPE) + between)
    with pytest.raises(MalformedStream, match="than 65536 characters of global pax records"):
        for _ in members(stream):
            pass
    assert stream.size < 8 * LONGEST_FOR_ALL


def test_records_for_all_that_say_something_else_again_and_again():
    said = b"".join(
        pax(("comment", str(n) * 100), kind=tarfile.XGLTYPE) + header() for n in range(2000)
    )
    *_, (last, _) = members(io.BytesIO(said + END))
    assert last.pax_headers == {"comment": "1999" * 100}


SIZES = ["9" * 19, "9" * 5000, "-1", "1e5", "0x10", " 5", "1_0", "\u0665", "nan"]


@pytest.mark.parametrize("size", SIZES)
def test_sizes_that_are_none(size, tmp_path):
    message = "a member of 9{19} bytes|no number where one belongs"
    refused(pax(("size", size.encode())) + header() + END, message, tmp_path)


def test_a_file_of_2_to_the_60(tmp_path):
    data = header(size=2**60) + b"x" * 1000
    tracemalloc.start()
    try:
        with pytest.raises(TruncatedStream, match="inside the member 'a'"):
            extract(io.BytesIO(data), tmp_path)
        [(member, content)] = itertools.islice(members(io.BytesIO(data)), 1)
        assert (member.size, content.read(500)) == (2**60, b"x" * 500)
        with pytest.raises(TruncatedStream, match="inside the member 'a'"):
            content.read()
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 2**20
    assert list(tmp_path.iterdir()) == []


ONE = (("GNU.sparse.major", 1), ("GNU.sparse.minor", 0), ("GNU.sparse.realsize", 2000))
HALVES = (("GNU.sparse.size", 2000), ("GNU.sparse.offset", 0))
SPARSE = {
    "1.0, a count beyond all": (ONE, b"9" * 18 + b"\n" + b"0\n" * 246),
    "1.0, no map": (ONE, b""),
    "1.0, a map without lines": (ONE, b"1" * 4096),
    "1.0, no numbers": (ONE, b"1\na\nb\n".ljust(512, b"\0")),
    "0.1, half a pair": ((("GNU.sparse.size", 2000), ("GNU.sparse.map", "0,1,2")), b""),
    "0.1, no numbers": ((("GNU.sparse.size", 2000), ("GNU.sparse.map", "a,b")), b""),
    "0.1, a real size that is none": ((("GNU.sparse.size", -1), ("GNU.sparse.map", "0,1")), b""),
    "0.1, more than is stored": ((("GNU.sparse.size", 2000), ("GNU.sparse.map", "0,999")), b""),
    "0.0, half a pair": (HALVES, b""),
}


@pytest.mark.parametrize(("said", "body"), SPARSE.values(), ids=SPARSE)
def test_maps_that_are_none(said, body, tmp_path):
    refused(pax(*said) + with_body(tarfile.REGTYPE, body) + END, "not a tar header", tmp_path)


def test_maps_without_end(tmp_path):
    block = bytearray(header(kind=tarfile.GNUTYPE_SPARSE))
    block[482] = 1
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    again = bytearray(BLOCK)
    again[504] = 1
    refused(bytes(block) + bytes(again) * 4000, "headers of more than", tmp_path)


def test_a_map_of_many_parts_is_read_once():
    """A part of one byte in each ten."""
    parts = 40_000
    numbers = ",".join(f"{10 * n},1" for n in range(parts))
    said = (("GNU.sparse.size", 10 * parts), ("GNU.sparse.map", numbers))
    data = pax(*said) + with_body(tarfile.REGTYPE, b"x" * parts) + END
    [content] = [file.read() for _, file in members(io.BytesIO(data))]
    assert content == (b"x" + bytes(9)) * parts


# What is not extracted


def long_name(name):
    return with_body(tarfile.GNUTYPE_LONGNAME, name.encode() + b"\0")


@pytest.mark.parametrize("kind", [tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE])
@pytest.mark.parametrize(
    ("name", "bound"),
    [
        ("a/" * 200_000 + "b", rf"nested deeper than {DEEPEST} folders"),
        ("a/" * DEEPEST + "b", rf"nested deeper than {DEEPEST} folders"),
        (("n" * 200 + "/") * 30, rf"longer than {LONGEST_NAME} bytes"),
    ],
)
def test_names_that_are_too_deep_or_too_long(name, bound, kind, tmp_path):
    member = long_name(name) + header(kind=kind, linkname="b")
    data = member + header("after") + END
    with pytest.raises(UnsafeMember, match=bound) as refusal:
        extract(io.BytesIO(data), tmp_path)
    assert len(str(refusal.value)) < 1000
    assert refusal.value.member == name.rstrip("/")
    assert extract(io.BytesIO(data), tmp_path, unsafe="skip") == [refusal.value.member]
    assert [path.name for path in tmp_path.iterdir()] == ["after"]


def test_folders_one_in_the_other_can_be_removed(tmp_path):
    data = b"".join(
        long_name("/".join("d" * depth)) + header(kind=tarfile.DIRTYPE) for depth in range(1, 400)
    )
    skipped = extract(io.BytesIO(data + END), tmp_path / "new", unsafe="skip")
    assert len(skipped) == 399 - DEEPEST
    shutil.rmtree(tmp_path / "new")


def test_a_link_to_a_link_to_a_link(tmp_path):
    data = header("0") + b"".join(
        header(f"{n}", tarfile.LNKTYPE, linkname=f"{n - 1}") for n in range(1, 2000)
    )
    assert extract(io.BytesIO(data + END), tmp_path) == []
    assert (tmp_path / "1999").stat().st_nlink == 2000
