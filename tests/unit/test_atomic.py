"""Files that are replaced as a whole: what stays, what is kept, and what is never left behind."""

from __future__ import annotations

import os
import stat
import sys

import pytest

from dynadock.atomic import UNFINISHED, replacing
from privileges import NOBODY, give_away, need_root


@pytest.fixture
def path(tmp_path):
    return tmp_path / "file"


def write(path, content=b"new", **options):
    with replacing(path, **options) as file:
        file.write(content)


def names_beside(path):
    return sorted(each.name for each in path.parent.iterdir())


@pytest.mark.parametrize("options", [{}, {"mode": 0o600}, {"synced": True}])
@pytest.mark.parametrize("old", [None, b"a longer old content"])
def test_the_new_content_stands_alone(path, old, options):
    if old is not None:
        path.write_bytes(old)
    write(path, **options)
    assert path.read_bytes() == b"new"
    assert names_beside(path) == ["file"]


@pytest.mark.parametrize("error", [ValueError(), KeyboardInterrupt(), OSError(28, "full", "else")])
def test_the_old_content_stays_if_writing_fails(path, error):
    def fail(file):
        file.write(b"half")
        raise error

    path.write_bytes(b"old")
    with pytest.raises(type(error)) as raised, replacing(path) as file:
        fail(file)
    assert raised.value is error
    assert path.read_bytes() == b"old"
    assert names_beside(path) == ["file"]


def test_until_the_end_the_old_content_is_there(path):
    path.write_bytes(b"old")
    with replacing(path) as file:
        file.write(b"new")
        file.flush()
        assert path.read_bytes() == b"old"
        (unfinished,) = {*names_beside(path)} - {"file"}
        assert unfinished.startswith(".file.")
        assert unfinished.endswith(UNFINISHED)


def test_two_at_once_do_not_meet(path):
    with replacing(path) as one, replacing(path) as other:
        one.write(b"one")
        other.write(b"other")
    assert path.read_bytes() == b"one"
    assert names_beside(path) == ["file"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no permission bits")
@pytest.mark.parametrize(
    ("old", "mode", "new"),
    [
        (None, None, 0o644),
        (None, 0o600, 0o600),
        (0o640, None, 0o640),
        (0o777, None, 0o777),
        (0o644, 0o600, 0o600),
        (0o600, 0o666, 0o644),
    ],
)
def test_permissions(path, old, mode, new):
    before = os.umask(0o022)
    try:
        if old is not None:
            path.touch()
            path.chmod(old)
        write(path, mode=mode)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == new


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no permission bits")
@pytest.mark.parametrize("through_a_link", [False, True])
@pytest.mark.parametrize("old", [0o600, 0o400, 0o640, 0o604, 0o755, 0o4755, 0o000])
def test_nobody_may_do_more_than_with_the_old_file_at_any_time(path, old, through_a_link):
    path.touch()
    path.chmod(old)
    if through_a_link:
        (path.parent / "link").symlink_to(path)
    before = os.umask(0)
    try:
        with replacing(path.parent / "link" if through_a_link else path) as file:
            assert stat.S_IMODE(os.fstat(file.fileno()).st_mode) & ~old == 0
    finally:
        os.umask(before)
    # What is new was written by somebody else than the one who gave it his identity.
    assert stat.S_IMODE(path.stat().st_mode) == old & 0o777


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no groups")
@pytest.mark.parametrize(("old", "new"), [(0o660, 0o600), (0o664, 0o644), (0o666, 0o666)])
def test_another_group_gets_no_more_than_all_others(as_nobody, old, new):
    path = as_nobody / "file"
    need_root()
    path.touch()
    os.seteuid(0)
    os.chown(path, -1, 4711)
    path.chmod(old)
    os.setegid(NOBODY)
    os.seteuid(NOBODY)
    try:
        write(path)
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.seteuid(NOBODY)
    assert path.stat().st_gid != 4711
    assert stat.S_IMODE(path.stat().st_mode) == new


@pytest.mark.skipif(sys.platform == "win32", reason="Windows gives no file away")
def test_the_owner_stays_where_root_writes(path):
    need_root()
    path.touch()
    os.chown(path, 65534, 65534)
    write(path)
    assert (path.stat().st_uid, path.stat().st_gid) == (65534, 65534)


@pytest.mark.parametrize("is_there", [True, False])
def test_a_symlink_is_followed(path, tmp_path, is_there):
    target = tmp_path / "target"
    if is_there:
        target.write_bytes(b"old")
    path.symlink_to("target")
    write(path)
    assert path.is_symlink()
    assert target.read_bytes() == b"new"


@pytest.mark.parametrize("where", ["missing/file", "."])
def test_an_error_names_the_path_that_was_given(tmp_path, where):
    path = tmp_path / where
    with pytest.raises(OSError) as raised:
        write(path)
    assert raised.value.filename == str(path)
    assert raised.value.filename2 is None
    assert names_beside(tmp_path / "x") == []


def test_what_is_written_anew_takes_nothing_from_what_is_there(path, tmp_path):
    precious = tmp_path / "precious"
    precious.write_bytes(b"as it was")
    give_away(precious)
    path.symlink_to(precious)
    write(path, mode=0o600, anew=True)
    assert precious.read_bytes() == b"as it was"
    assert not path.is_symlink()
    assert path.stat().st_uid == os.geteuid()
