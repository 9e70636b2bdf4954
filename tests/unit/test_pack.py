"""Archives made of folders, files and build contexts: what is in them, and how they are made."""

from __future__ import annotations

import contextlib
import errno
import io
import json
import os
import re
import socket
import stat
import tarfile
import tempfile
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynadock.archive.pack import BLOCK, build_context, pack
from dynadock.archive.tree import Tree
from dynadock.archive.unpack import extract

RECORDED = Path(__file__).parents[1] / "cases" / "archive" / "dockerignore.json"
CASES = json.loads(RECORDED.read_text(encoding="utf-8"))["cases"]
WHOLE_SECONDS = 1_700_000_000


def read(packed):
    """Return the members of an archive by their names, folders with a slash, in order."""
    with tarfile.open(fileobj=io.BytesIO(b"".join(packed)), mode="r:") as archive:
        return {member.name + "/" * member.isdir(): member for member in archive}


def contents(packed, name):
    with tarfile.open(fileobj=io.BytesIO(b"".join(packed)), mode="r:") as archive:
        return archive.extractfile(name).read()


def make(folder, names):
    """Make files, folders (``name/``) and symlinks (``name -> target``)."""
    folder.mkdir(exist_ok=True)
    for name in names:
        place, _, target = name.partition(" -> ")
        path = folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        if target:
            path.symlink_to(target)
        elif place.endswith("/"):
            path.mkdir()
        else:
            path.write_text("b\n" if place == "rules" else place)


# Build contexts


@pytest.fixture
def context(tmp_path):
    return tmp_path / "context"


def made(context, case):
    make(context, case["tree"])
    (context.parent / "Dockerfile").write_text("FROM scratch\n")
    if case["rules"] is not None:
        (context / ".dockerignore").write_text(case["rules"], newline="")
    return build_context(context, case.get("dockerfile"))


def without_digest(text):
    return re.sub(r"\.dockerfile\.[0-9a-f]{20}", ".dockerfile.<digest>", text)


SENT = [pytest.param(case, id=name) for name, case in CASES.items() if "sent" in case]
REFUSED = [pytest.param(case, id=name) for name, case in CASES.items() if "refused" in case]


@pytest.mark.parametrize("case", SENT)
def test_what_the_docker_command_sends(context, case):
    built = made(context, case)
    assert [without_digest(name) for name in read(built)] == case["sent"]
    assert without_digest(built.dockerfile) == case["named"]
    rules = case.get("rules_sent", case["rules"])
    if rules is not None:
        assert without_digest(contents(built, ".dockerignore").decode()) == rules


@pytest.mark.parametrize("case", REFUSED)
def test_what_the_docker_command_refuses(context, case):
    with pytest.raises(ValueError, match=r"context/\.dockerignore: line \d: malformed pattern"):
        made(context, case)


def test_a_dockerfile_can_have_rules_of_its_own(context):
    make(context, ["Dockerfile", "a", "b", ".dockerignore", "d/dev", "d/dev.dockerignore"])
    (context / ".dockerignore").write_text("a\n")
    (context / "d/dev.dockerignore").write_text("b\nd\n.dockerignore")
    own = build_context(context, "d/dev")
    assert [*read(own)] == [".dockerignore", "Dockerfile", "a", "d/dev"]
    assert contents(own, ".dockerignore") == b"b\nd\n.dockerignore\n"
    assert "a" not in read(build_context(context))


def test_rules_of_its_own_are_sent_without_a_place_to_take(context):
    make(context, ["Dockerfile", "a", "b"])
    (context / "Dockerfile.dockerignore").write_text("b")
    built = build_context(context)
    assert [*read(built)] == ["Dockerfile", "Dockerfile.dockerignore", "a", ".dockerignore"]
    # Nothing of that name is in the folder: the engine is to leave it out as well.
    assert contents(built, ".dockerignore") == b"b\n.dockerignore\n"


def test_a_dockerfile_outside_can_have_rules_of_its_own(context):
    make(context, ["a", "b"])
    make(context.parent, ["dev", "dev.dockerignore"])
    (context.parent / "dev.dockerignore").write_text("a")
    built = build_context(context, context.parent / "dev")
    assert [*read(built)] == ["b", built.dockerfile, ".dockerignore"]
    assert contents(built, built.dockerfile) == b"dev"
    assert contents(built, ".dockerignore").decode() == f"a\n.dockerignore\n{built.dockerfile}\n"


def test_a_dockerfile_outside_takes_no_name_that_is_taken(context):
    make(context, ["a"])
    make(context.parent, ["Dockerfile"])
    name = build_context(context, "../Dockerfile").dockerfile
    (context / name).write_text("another")
    built = build_context(context, "../Dockerfile")
    assert built.dockerfile not in ("", name)
    assert contents(built, built.dockerfile) == b"Dockerfile"
    assert contents(built, name) == b"another"


def test_a_dockerfile_behind_a_link_may_be_outside(context):
    make(context, ["Dockerfile -> ../dev"])
    make(context.parent, ["dev"])
    built = build_context(context)
    assert built.dockerfile.startswith(".dockerfile.")
    assert contents(built, built.dockerfile) == b"dev"
    assert read(built)["Dockerfile"].issym()


@pytest.mark.parametrize("dockerfile", ["d/../dev", "./dev", "{}/dev", "{}/../context/dev"])
def test_ways_to_name_a_dockerfile(context, dockerfile):
    make(context, ["d/", "dev"])
    assert build_context(context, dockerfile.format(context)).dockerfile == "dev"
    assert build_context(context, Path(dockerfile.format(context))).dockerfile == "dev"


def test_a_dockerfile_whose_name_is_a_pattern(context):
    make(context, ["[x]", "x"])
    (context / ".dockerignore").write_text("*")
    assert [*read(build_context(context, "[x]"))] == [".dockerignore", "[x]"]


def test_a_folder_that_is_a_link(context, monkeypatch):
    make(context, ["Dockerfile", "a"])
    (context.parent / "link").symlink_to("context")
    monkeypatch.chdir(context.parent)
    assert [*read(build_context("link"))] == ["Dockerfile", "a"]
    assert [*read(build_context("link", context / "Dockerfile"))] == ["Dockerfile", "a"]


def test_what_is_not_there_is_named(context):
    with pytest.raises(FileNotFoundError, match=r"no folder to build from: '.*/context'"):
        build_context(context)
    make(context, ["a", "link -> nowhere", "d/"])
    with pytest.raises(FileNotFoundError, match=r"no Dockerfile: '.*/context/Dockerfile'"):
        build_context(context)
    with pytest.raises(FileNotFoundError, match=r"no Dockerfile: '.*/context/a/dev'"):
        build_context(context, "a/dev")
    with pytest.raises(FileNotFoundError, match=r"link leads, '.*/context/nowhere': '.*/link'"):
        build_context(context, "link")
    with pytest.raises(ValueError, match=r"has to be a file, and '.*/context/d' is not one"):
        build_context(context, "d")
    with pytest.raises(NotADirectoryError, match=r"made from a folder: '.*/context/a'"):
        build_context(context / "a")


def test_rules_that_cannot_be_read(context):
    make(context, ["Dockerfile", ".dockerignore/"])
    with pytest.raises(IsADirectoryError, match="dockerignore"):
        build_context(context)


def other_things(folder):
    """Make what is no file, and return how to name each."""
    os.mkfifo(folder / "fifo")
    (folder / "zeros").symlink_to("/dev/zero")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(folder / "socket"))
    return ["fifo", "zeros", "socket"]


@pytest.mark.parametrize("which", [0, 1, 2])
@pytest.mark.parametrize("through_a_link", [True, False])
def test_rules_in_what_is_no_file(context, which, through_a_link):
    make(context, ["Dockerfile"])
    name = other_things(context.parent)[which]
    if through_a_link:
        (context / ".dockerignore").symlink_to(f"../{name}")
    else:
        (context.parent / name).rename(context / ".dockerignore")
    with pytest.raises(ValueError, match=r"expected a file, and '.*/\.dockerignore' is not one"):
        build_context(context)


def test_rules_behind_a_link(context):
    make(context, ["Dockerfile", "a", ".dockerignore -> ../rules"])
    (context.parent / "rules").write_text("a")
    assert "a" not in read(build_context(context))


def test_rules_of_a_size_that_nobody_wrote(context):
    make(context, ["Dockerfile", ".dockerignore"])
    os.truncate(context / ".dockerignore", 2**40)
    with pytest.raises(ValueError, match=r"/\.dockerignore: rules of more than 4194304 bytes"):
        build_context(context)


@pytest.mark.parametrize("which", [0, 1, 2])
@pytest.mark.parametrize("where", ["", "../"])
def test_a_dockerfile_that_is_no_file(context, which, where):
    make(context, ["a"])
    name = other_things(context / where)[which]
    with pytest.raises(ValueError, match="has to be a file"):
        build_context(context, where + name)


def test_rules_in_no_encoding(context):
    make(context, ["Dockerfile", "a"])
    odd = os.fsencode(context) + b"/\xff"
    Path(os.fsdecode(odd)).touch()
    (context / ".dockerignore").write_bytes(b"\xff\n")
    assert [*read(build_context(context))] == [".dockerignore", "Dockerfile", "a"]


# What a member is


def test_members_are_in_order_and_belong_to_root(tmp_path):
    make(tmp_path, ["b", "a.b", "a/c", "a-b", "B", "é", "z"])
    os.chown(tmp_path / "b", os.getuid(), os.getgid())
    members = read(pack(tmp_path))
    assert [*members] == ["B", "a/", "a/c", "a-b", "a.b", "b", "z", "é"]
    owners = {(each.uid, each.gid, each.uname, each.gname) for each in members.values()}
    assert owners == {(0, 0, "", "")}


def test_modes_and_times_are_kept(tmp_path):
    make(tmp_path, ["run", "closed/x", "link -> run"])
    (tmp_path / "run").chmod(0o4751)
    (tmp_path / "closed").chmod(0o1700)
    os.utime(tmp_path / "run", ns=(0, WHOLE_SECONDS * 10**9 + 999_999_999))
    os.utime(tmp_path / "closed", (0, -5))
    members = read(pack(tmp_path))
    assert members["run"].mode == 0o4751
    assert members["closed/"].mode == 0o1700
    assert members["run"].mtime == WHOLE_SECONDS
    assert members["closed/"].mtime == -5
    assert members["link"].mode == 0o777


def test_links(tmp_path):
    make(tmp_path, ["a/file", "b/", "soft -> ./a//file", "out -> /etc/../x", "z -> a"])
    os.link(tmp_path / "a/file", tmp_path / "b/again")
    members = read(pack(tmp_path))
    assert [*members] == ["a/", "a/file", "b/", "b/again", "out", "soft", "z"]
    assert [members[name].linkname for name in ("soft", "out", "z")] == [
        "./a//file",
        "/etc/../x",
        "a",
    ]
    assert members["b/again"].islnk()
    assert members["b/again"].linkname == "a/file"
    assert members["b/again"].size == 0


def test_a_file_of_two_names_is_whole_where_the_first_is_left_out(tmp_path):
    make(tmp_path, ["Dockerfile", "a", ".dockerignore"])
    os.link(tmp_path / "a", tmp_path / "b")
    (tmp_path / ".dockerignore").write_text("a")
    assert contents(build_context(tmp_path), "b") == b"a"


def test_what_has_no_contents(tmp_path):
    os.mkfifo(tmp_path / "fifo", 0o600)
    os.mknod(tmp_path / "socket", stat.S_IFSOCK | 0o600)
    members = read(pack(tmp_path))
    assert [*members] == ["fifo"]
    assert members["fifo"].isfifo()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes devices")
def test_devices(tmp_path):
    os.mknod(tmp_path / "null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    member = read(pack(tmp_path))["null"]
    assert member.ischr()
    assert (member.devmajor, member.devminor) == (1, 3)


@pytest.mark.parametrize("length", [99, 100, 101, 155, 255])
def test_long_names(tmp_path, length):
    make(tmp_path, ["d" * length + "/" + "f" * length, "l -> " + "t" * length])
    members = read(pack(tmp_path))
    assert [*members] == ["d" * length + "/", "d" * length + "/" + "f" * length, "l"]
    assert members["l"].linkname == "t" * length


def test_names_in_no_encoding(tmp_path):
    name = os.fsdecode(b"\xff\xfe-\xc3\xa9")
    (tmp_path / name).write_text("x")
    (tmp_path / "link").symlink_to(name)
    archive = b"".join(pack(tmp_path))
    assert b"\xff\xfe-\xc3\xa9\0" in archive
    assert read([archive])["link"].linkname == name
    assert contents([archive], name) == b"x"


def test_a_file_beyond_the_octal_numbers(tmp_path):
    size = 9 * 2**30
    with (tmp_path / "large").open("wb") as file:
        file.truncate(size)
    first = next(iter(pack(tmp_path)))
    member = tarfile.TarInfo.frombuf(first[:512], "utf-8", "strict")
    assert (member.name, member.size) == ("large", size)


# Files and folders by themselves


def test_a_file(tmp_path):
    make(tmp_path, ["a/file", "link -> a/file"])
    assert contents(pack(tmp_path / "a/file"), "file") == b"a/file"
    assert contents(pack(str(tmp_path / "link")), "link") == b"a/file"
    assert contents(pack(tmp_path / "a/file", name="etc//app/./conf"), "etc/app/conf") == b"a/file"


def test_a_folder(tmp_path, monkeypatch):
    make(tmp_path, ["a/b/c", "a/d", "link -> a"])
    assert [*read(pack(tmp_path / "a"))] == ["b/", "b/c", "d"]
    assert [*read(pack(tmp_path / "link"))] == ["b/", "b/c", "d"]
    monkeypatch.chdir(tmp_path / "a")
    here = pack(".", name="x/y")
    monkeypatch.chdir("/")
    assert [*read(here)] == ["x/y/", "x/y/b/", "x/y/b/c", "x/y/d"]


def test_an_empty_folder(tmp_path):
    assert b"".join(pack(tmp_path)) == bytes(1024)


@pytest.mark.parametrize("name", ["", ".", "/", "/a", "..", "a/../b", "../a"])
def test_names_that_lead_elsewhere(tmp_path, name):
    with pytest.raises(ValueError, match="expected a relative path"):
        pack(tmp_path, name=name)


@pytest.mark.parametrize("path", ["a\0b", "\ud800"])
@pytest.mark.parametrize(
    ("call", "argument"),
    [
        (pack, "path"),
        (build_context, "folder"),
        (lambda path: build_context(".", path), "dockerfile"),
        (lambda path: extract(io.BytesIO(bytes(1024)), path), "folder"),
    ],
)
@pytest.mark.parametrize("kind", [str, Path])
def test_paths_that_no_system_takes(call, argument, path, kind):
    with pytest.raises(ValueError, match=rf"^{argument}: expected a path, got .*, which has "):
        call(kind(path))


# Files in memory


def test_contents_and_modes():
    files = {
        "run.sh": ("#!/bin/sh\n", 0o755),
        "a/b.bin": b"\xff",
        "./a//secret": (b"x", 0o400),
        "set": ("", 0o4755),
        "é": bytearray(b"x"),
    }
    packed = pack(files)
    assert {name: member.mode for name, member in read(packed).items()} == {
        "run.sh": 0o755,
        "a/b.bin": 0o644,
        "a/secret": 0o400,
        "set": 0o4755,
        "é": 0o644,
    }
    assert contents(packed, "run.sh") == b"#!/bin/sh\n"
    assert contents(packed, "a/secret") == b"x"
    assert contents(packed, "é") == b"x"
    assert b"".join(packed) == b"".join(packed)


def test_files_in_a_folder_of_a_name():
    assert [*read(pack({"a": "", "b/c": ""}, name="x//y"))] == ["x/y/a", "x/y/b/c"]


@pytest.mark.parametrize(
    "written",
    ["pack({})", "pack({'a': 'b'}, name='x')", r"pack({'a': ('#!\n', 0o755), 'b': b'\x00'})"],
)
def test_what_is_shown_makes_it_again(written):
    assert repr(eval(written)) == written


FAULTY = [
    ({"": ""}, "'': expected a relative path without '..'"),
    ({"/a": ""}, "'/a': expected a relative path"),
    ({"a/../b": ""}, "expected a relative path"),
    ({5: ""}, "5: expected a relative path as text, got 5"),
    ({None: ""}, "None: expected a relative path as text"),
    ({"a\0b": ""}, r"'a\\x00b' has a zero byte in it"),
    ({"\ud800": ""}, "half a surrogate pair"),
    ({"a/" * 2048 + "b": ""}, "a name of 4097 bytes, where Linux takes 4095"),
    ({"a": "\ud800"}, "'a': its text has half a surrogate pair"),
    ({"a": None}, "'a': expected text or bytes, or a pair of these and a mode .*, got NoneType"),
    ({"a": 5}, "got int"),
    ({"a": ("x",)}, "got tuple"),
    ({"a": ("x", 0o644, 1)}, "got tuple"),
    ({"a": (None, 0o644)}, "got NoneType"),
    ({"a": ("x", "755")}, "expected a mode from 0 to 0o7777, got '755'"),
    ({"a": ("x", -1)}, "got -1"),
    ({"a": ("x", True)}, "got True"),
    ({"a": ("x", 0o100644)}, "got 33188"),
    ({"a": ("x", 755)}, "without the sticky bit, got 0o1363; did you mean 0o755"),
    ({"a": ("x", 0o1644)}, "without the sticky bit, got 0o1644$"),
    ({"a": "", "./a": ""}, r"'\./a': the same name as 'a'"),
    ({"a": "", "a/b": ""}, "'a/b': it is in a folder, but 'a' is a file"),
]


@pytest.mark.parametrize(("files", "message"), FAULTY)
def test_files_that_cannot_be(files, message):
    with pytest.raises(ValueError, match=f"^pack: 1 fault\n  .*{message}"):
        pack(files)


def test_all_faults_are_named_at_once():
    with pytest.raises(ValueError, match=r"^pack: 2 faults\n  '\.\.': expected.*\n  'a': expected"):
        pack({"..": "", "a": None, "b": ""})


def test_what_cannot_be_packed(tmp_path):
    with pytest.raises(FileNotFoundError, match="nothing"):
        pack(tmp_path / "nothing")
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(ValueError, match=r"'.*/fifo' is neither a file nor a folder"):
        pack(tmp_path / "fifo")


# Block by block


def test_an_archive_can_be_made_again(tmp_path):
    make(tmp_path, ["a", "b"])
    packed = pack(tmp_path)
    assert b"".join(packed) == b"".join(packed)
    (tmp_path / "b").write_text("changed")
    (tmp_path / "c").touch()
    assert [*read(packed)] == ["a", "b", "c"]
    assert contents(packed, "b") == b"changed"


def test_small_files_share_blocks_and_large_ones_are_cut(tmp_path):
    for number in range(1000):
        (tmp_path / f"{number:04}").write_bytes(b"x" * 600)
    (tmp_path / "large").write_bytes(os.urandom(5 * BLOCK + 1))
    blocks = list(pack(tmp_path))
    assert all(type(block) is bytes for block in blocks)
    assert max(map(len, blocks)) < 2 * BLOCK
    assert len(blocks) < sum(map(len, blocks)) / BLOCK + 3


def test_nothing_is_held_whole(tmp_path):
    with (tmp_path / "large").open("wb") as file:
        file.truncate(64 * 2**20)
    tracemalloc.start()
    try:
        size = sum(map(len, pack(tmp_path)))
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert size == 64 * 2**20 + 3 * 512
    assert most < 2 * 2**20


def test_a_file_that_becomes_shorter_is_an_error(tmp_path):
    path = tmp_path / "shrinking"
    path.write_bytes(bytes(4 * BLOCK))
    blocks = iter(pack(tmp_path))
    next(blocks)
    os.truncate(path, 10)
    with pytest.raises(
        OSError, match=r"bytes shorter while it was packed: '.*/shrinking'"
    ) as error:
        list(blocks)
    assert error.value.filename == str(path)


def test_a_file_that_grows_is_sent_as_it_was(tmp_path):
    path = tmp_path / "growing"
    path.write_bytes(b"x" * 4 * BLOCK)
    blocks = iter(pack(tmp_path))
    first = next(blocks)
    with path.open("ab") as file:
        file.write(b"y" * BLOCK)
    assert contents([first, *blocks], "growing") == b"x" * 4 * BLOCK


def test_a_folder_that_vanishes_is_an_error(tmp_path):
    make(tmp_path, ["z/x"])
    (tmp_path / "large").write_bytes(bytes(4 * BLOCK))
    blocks = iter(pack(tmp_path))
    next(blocks)
    (tmp_path / "z/x").unlink()
    (tmp_path / "z").rmdir()
    with pytest.raises(FileNotFoundError, match="/z'"):
        list(blocks)


def test_a_link_in_the_place_of_a_file_is_packed_as_a_link(tmp_path):
    make(tmp_path, ["z"])
    (tmp_path / "large").write_bytes(bytes(4 * BLOCK))
    blocks = iter(pack(tmp_path))
    first = next(blocks)
    (tmp_path / "z").unlink()
    (tmp_path / "z").symlink_to("/etc/passwd")
    assert read([first, *blocks])["z"].issym()


# What changes while it is packed


@pytest.fixture
def outside(tmp_path):
    """Return a folder to pack, beside one that nothing may come from."""
    make(tmp_path / "outside", ["file", "y/file", "y/z/file"])
    for path in (tmp_path / "outside").rglob("file"):
        path.write_text("outside")
    (tmp_path / "inside").mkdir()
    return tmp_path / "inside"


@pytest.mark.parametrize("ways", [pack, build_context])
@pytest.mark.parametrize("swapped", ["z", "z/y", "z/y/z"])
@pytest.mark.parametrize("large", ["a", "z/a", "z/y/a", "z/y/z/a"])
def test_a_link_in_the_place_of_a_folder_leads_nowhere(outside, swapped, large, ways):
    make(outside, ["Dockerfile", "z/file", "z/y/file", "z/y/z/file", large])
    (outside / large).write_bytes(bytes(4 * BLOCK))
    blocks = iter(ways(outside))
    came = []
    for block in blocks:
        came.append(block)
        if len(block) >= BLOCK:
            break
    (outside / swapped).rename(outside.parent / "moved")
    (outside / swapped).symlink_to(outside.parent / "outside")
    with contextlib.suppress(OSError):
        came.extend(blocks)
    assert b"outside" not in b"".join(came).replace(os.fsencode(outside.parent / "outside"), b"")


def test_a_folder_that_is_replaced_is_named(outside):
    make(outside, ["z/file", "a"])
    (outside / "a").write_bytes(bytes(4 * BLOCK))
    blocks = iter(pack(outside))
    next(blocks)
    (outside / "z").rename(outside.parent / "moved")
    (outside / "z").symlink_to("../outside")
    with pytest.raises(OSError, match="something else took its place") as error:
        list(blocks)
    assert error.value.filename == str(outside / "z")


@pytest.mark.parametrize("what", ["folder", "file"])
def test_what_was_given_may_not_be_replaced_either(outside, what):
    make(outside, ["file"])
    given = outside if what == "folder" else outside / "file"
    packed = pack(given)
    assert "file" in read(packed)
    given.rename(outside.parent / "moved")
    given.symlink_to(outside.parent / ("outside" if what == "folder" else "outside/file"))
    with pytest.raises(OSError, match="something else took its place") as error:
        list(packed)
    assert error.value.filename == str(given)


@pytest.mark.parametrize("which", [0, 1, 2])
def test_what_takes_the_place_of_a_file_in_time_is_packed_as_it_is(tmp_path, which):
    make(tmp_path, ["inside/a", "inside/z"])
    (tmp_path / "inside/a").write_bytes(bytes(4 * BLOCK))
    blocks = iter(pack(tmp_path / "inside"))
    first = next(blocks)
    (tmp_path / other_things(tmp_path)[which]).rename(tmp_path / "inside/z")
    found = read([first, *blocks])
    assert "z" not in found or not found["z"].isreg()


@pytest.mark.parametrize("name", ["fifo", "zeros", "socket", "folder", "link"])
def test_only_files_are_opened(tmp_path, name):
    """As if it took a file's place after the file was looked at."""
    make(tmp_path, ["folder/", "file", "link -> file"])
    other_things(tmp_path)
    before = open_files()
    with Tree(str(tmp_path)) as tree, pytest.raises(OSError, match="took its place") as error:
        tree.opened(name)
    assert error.value.filename == str(tmp_path / name)
    assert open_files() == before


@pytest.mark.parametrize(
    ("way", "name"), [("target", "file"), ("listed", "link"), ("listed", "file")]
)
def test_only_links_are_read_and_only_folders_listed(tmp_path, way, name):
    make(tmp_path, ["folder/", "file", "link -> folder"])
    with Tree(str(tmp_path)) as tree, pytest.raises(OSError, match="took its place") as error:
        getattr(tree, way)(name)
    assert error.value.filename == str(tmp_path / name)


def test_a_file_that_is_removed_is_named(tmp_path):
    make(tmp_path, ["z/x", "a"])
    (tmp_path / "a").write_bytes(bytes(4 * BLOCK))
    (tmp_path / "z/w").write_bytes(bytes(4 * BLOCK))
    blocks = iter(pack(tmp_path))
    while b"z/w" not in next(blocks):
        pass
    (tmp_path / "z/x").unlink()
    with pytest.raises(FileNotFoundError, match="removed before it was packed") as error:
        list(blocks)
    assert error.value.filename == str(tmp_path / "z/x")


def test_a_deep_tree_is_packed_with_few_open_files(tmp_path):
    make(tmp_path, ["/".join("d" * 300) + "/file"])
    before = open_files()
    most = 0
    for _ in pack(tmp_path):
        most = max(most, open_files())
    assert most < before + 5
    assert [*read(pack(tmp_path))][-1] == "d/" * 300 + "file"


def test_a_tree_that_is_too_deep_is_an_error(tmp_path):
    top = os.open(tmp_path, os.O_RDONLY)
    place = top
    for _ in range(21):
        os.mkdir("d" * 200, dir_fd=place)
        below = os.open("d" * 200, os.O_RDONLY, dir_fd=place)
        if place != top:
            os.close(place)
        place = below
    os.close(place)
    os.close(top)
    with pytest.raises(OSError, match="paths of more than 4095 bytes") as error:
        list(pack(tmp_path))
    assert error.value.errno == errno.ENAMETOOLONG


@pytest.mark.parametrize("closed", ["b/file", "b"])
def test_what_cannot_be_read_is_an_error(as_nobody, closed):
    make(as_nobody, ["a", "b/file"])
    (as_nobody / closed).chmod(0)
    try:
        with pytest.raises(PermissionError) as error:
            list(pack(as_nobody))
    finally:
        (as_nobody / closed).chmod(0o700)
    assert error.value.errno == errno.EACCES
    assert error.value.filename == str(as_nobody / closed)


def open_files():
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="no /proc to count open files in")
def test_a_left_archive_closes_its_file(tmp_path):
    (tmp_path / "large").write_bytes(bytes(4 * BLOCK))
    before = open_files()
    blocks = iter(pack(tmp_path))
    next(blocks)
    assert open_files() > before
    del blocks
    assert open_files() == before


def usable(name):
    return name not in (".", "..") and len(name.encode()) <= 255


LETTERS = st.characters(exclude_characters="/\0", exclude_categories=["Cs"])
NAMES = st.text(LETTERS, min_size=1).filter(usable)
FILES = st.binary(max_size=2000)
NODES = st.recursive(FILES, lambda nodes: st.dictionaries(NAMES, nodes, max_size=4), max_leaves=12)


def write_tree(folder, tree):
    for name, node in tree.items():
        if isinstance(node, bytes):
            (folder / name).write_bytes(node)
        else:
            (folder / name).mkdir()
            write_tree(folder / name, node)


def paths_in(tree, prefix=""):
    for name in sorted(tree, key=str.encode):
        node = tree[name]
        yield prefix + name + "/" * isinstance(node, dict)
        if isinstance(node, dict):
            yield from paths_in(node, f"{prefix}{name}/")


@given(st.dictionaries(NAMES, NODES, max_size=5))
def test_any_tree_is_packed_whole(tree):
    with tempfile.TemporaryDirectory() as name:
        write_tree(Path(name), tree)
        assert [*read(pack(name))] == [*paths_in(tree)]
