"""The cache of compiled documents: stale, damaged, read-only, and used by two at once."""

from __future__ import annotations

import os
import pwd
import resource
import stat
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from documents import ZOO
from dynadock.spec import cache, loader
from dynadock.spec.build import build_from_text
from dynadock.spec.form import read_form
from dynadock.spec.library import available_versions, bundled_versions
from dynadock.spec.loader import load_spec
from privileges import give_away, without_privileges


@pytest.fixture
def folder(monkeypatch, tmp_path):
    """Make the cache a folder of the test's own, and forget what this process knows."""
    monkeypatch.setenv("DYNADOCK_CACHE", str(tmp_path))
    monkeypatch.setattr(loader, "_specs", {})
    return Path(cache.cache_folder())


@pytest.fixture
def compiled_once(folder, monkeypatch):
    """Load a document so that its compiled form is kept; then forget it, and count builds."""
    load_spec(ZOO)
    monkeypatch.setattr(loader, "_specs", {})
    (path,) = folder.iterdir()
    return path


@pytest.fixture
def builds(monkeypatch):
    """List the documents that are built from their text."""
    from dynadock.spec import build

    built = []
    original = build.build_from_text

    def noted(content, *, name, raw):
        built.append(name)
        return original(content, name=name, raw=raw)

    monkeypatch.setattr(build, "build_from_text", noted)
    return built


def test_a_document_is_compiled_once(compiled_once, builds):
    before = compiled_once.read_bytes()
    assert len(load_spec(ZOO)) == 11
    assert builds == []
    assert compiled_once.read_bytes() == before


def test_the_cached_form_is_the_built_one(compiled_once, builds):
    spec = load_spec(ZOO)
    assert builds == []
    assert spec._compiled == build_from_text(ZOO.read_bytes(), name="zoo")


def test_one_process_has_one_spec_of_one_content(folder, tmp_path):
    twin = tmp_path / "twin.yaml"
    twin.write_bytes(ZOO.read_bytes())
    assert load_spec(ZOO) is load_spec(str(twin))
    assert len(list(folder.iterdir())) == 1


DAMAGES = {
    "empty": lambda _: b"",
    "cut short": lambda content: content[:-1],
    "cut to the checksum": lambda content: content.partition(b"\n")[0],
    "a byte changed": lambda content: content[:-40] + b"?" + content[-39:],
    "a byte added": lambda content: content + b"\n",
    "another checksum": lambda content: b"dynadock " + b"0" * 64 + content[73:],
    "another mark": lambda content: b"somebody" + content[8:],
    "no text": lambda _: b"\xff\x00" * 500,
    "JSON without a checksum": lambda content: content.partition(b"\n")[2],
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damaged_form_is_made_again(compiled_once, builds, damage):
    content = compiled_once.read_bytes()
    compiled_once.write_bytes(damage(content))
    assert len(load_spec(ZOO)) == 11
    assert builds == [str(ZOO)]
    assert compiled_once.read_bytes() == content


def test_a_changed_document_is_another_form(compiled_once, builds, tmp_path):
    changed = tmp_path / "zoo.yaml"
    changed.write_bytes(ZOO.read_bytes().replace(b"AnimalFeed", b"AnimalLunch"))
    assert "AnimalLunch" in load_spec(changed)
    assert builds == [str(changed)]
    assert "AnimalFeed" in load_spec(ZOO)
    assert builds == [str(changed)]


@pytest.mark.parametrize("function", ["_overlay_state", "_compiler_state"])
def test_another_overlay_or_compiler_makes_another_form(
    compiled_once, builds, monkeypatch, function
):
    monkeypatch.setattr(loader, function, lambda: b"another")
    assert len(load_spec(ZOO)) == 11
    assert builds == [str(ZOO)]
    assert len(list(compiled_once.parent.iterdir())) == 2


def test_a_folder_in_the_place_of_the_form(compiled_once, builds):
    compiled_once.unlink()
    compiled_once.mkdir()
    assert len(load_spec(ZOO)) == 11
    assert builds == [str(ZOO)]


def test_no_folder_can_be_made(folder, builds):
    folder.write_text("a file stands in its place")
    assert len(load_spec(ZOO)) == 11
    assert builds == [str(ZOO)]
    assert folder.read_text() == "a file stands in its place"


LOAD = "import sys, dynadock; print(len(dynadock.load(sys.argv[1], host='unix:///x').operations))"


def start():
    command = [sys.executable, "-W", "error", "-c", LOAD, str(ZOO)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_a_folder_that_may_not_be_written(builds, monkeypatch):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o555)
        monkeypatch.setenv("DYNADOCK_CACHE", name)
        monkeypatch.setattr(loader, "_specs", {})
        with without_privileges():
            with pytest.raises(PermissionError):
                (folder / "x").touch()
            assert len(load_spec(ZOO)) == 11
        assert builds == [str(ZOO)]
        assert list(folder.iterdir()) == []


def test_a_form_that_may_not_be_read(compiled_once, builds):
    compiled_once.chmod(0)
    with without_privileges():
        assert len(load_spec(ZOO)) == 11
    assert builds == [str(ZOO)]


@contextmanager
def files_of_at_most(size):
    """Let this process write no larger file, as a disk does that gets full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_disk_that_gets_full(folder, builds):
    with files_of_at_most(100):
        assert len(load_spec(ZOO)) == 11
    assert builds == [str(ZOO)]
    assert list(folder.iterdir()) == []


def test_many_processes_at_once(folder):
    processes = [start() for _ in range(4)]
    for process in processes:
        with process:
            assert process.communicate()[0].strip() == "11"
        assert process.returncode == 0
    (path,) = folder.iterdir()  # and nothing half-written beside it
    assert read_form(cache.read_text(path.stem)) == load_spec(ZOO)._compiled


def test_a_reader_sees_a_whole_form_or_none(folder):
    key, forms = "0" * 64, [{"n": n, "padding": "x" * 100_000} for n in range(2)]
    code = (
        "from dynadock.spec.cache import write_compiled;"
        f"[write_compiled({key!r}, {{'n': n % 2, 'padding': 'x' * 100_000}}) for n in range(300)]"
    )
    with subprocess.Popen([sys.executable, "-c", code]) as writer:
        seen = []
        while writer.poll() is None:
            seen.append(cache.read_compiled(key))
    assert writer.returncode == 0
    assert all(form in forms for form in seen if form is not None)
    # Once there is one, there is always one.
    assert None not in seen[seen.index(next(filter(None, seen))) :]


def _symlink(path):
    original = path.rename(path.parent.parent / "original")
    path.symlink_to(original)


def _fifo(path):
    path.unlink()
    os.mkfifo(path)


def _endless(path):
    path.unlink()
    path.symlink_to("/dev/zero")


FOREIGN = {
    "another's": give_away,
    "others may write it": lambda path: path.chmod(0o602),
    "a group may write it": lambda path: path.chmod(0o620),
    "a symlink": _symlink,
    "a symlink to what is endless": _endless,
    "a fifo": _fifo,
    "far too large": lambda path: os.truncate(path, 2**40),
}


@pytest.mark.parametrize("make_foreign", FOREIGN.values(), ids=FOREIGN.keys())
def test_only_what_nobody_else_can_have_written_is_believed(compiled_once, builds, make_foreign):
    content = compiled_once.read_bytes()
    make_foreign(compiled_once)
    assert len(load_spec(ZOO)) == 11
    assert builds == [str(ZOO)]
    status = compiled_once.lstat()
    assert stat.S_ISREG(status.st_mode)
    assert (status.st_uid, stat.S_IMODE(status.st_mode)) == (os.geteuid(), 0o600)
    assert compiled_once.read_bytes() == content


def test_what_a_symlink_leads_to_is_left_alone(compiled_once, tmp_path):
    precious = tmp_path / "precious"
    precious.write_text("as it was")
    compiled_once.unlink()
    compiled_once.symlink_to(precious)
    assert len(load_spec(ZOO)) == 11
    assert precious.read_text() == "as it was"
    assert not compiled_once.is_symlink()


def test_a_form_under_another_ones_name_is_not_believed(compiled_once, builds, tmp_path):
    changed = tmp_path / "zoo.yaml"
    changed.write_bytes(ZOO.read_bytes().replace(b"AnimalFeed", b"AnimalLunch"))
    load_spec(changed)
    (other,) = [each for each in compiled_once.parent.iterdir() if each != compiled_once]
    other.replace(compiled_once)
    loader._specs.clear()
    assert "AnimalFeed" in load_spec(ZOO)
    assert builds == [str(changed), str(ZOO)]


def _linked(folder):
    folder.symlink_to(folder.parent / "elsewhere")
    folder.resolve().mkdir()


def _mode(mode):
    def make(folder):
        folder.mkdir()
        folder.chmod(mode)

    return make


def _anothers(folder):
    folder.mkdir()
    give_away(folder)


STRANGE_FOLDERS = {
    "another's": _anothers,
    "others may write": _mode(0o777),
    "others may write, not remove": _mode(0o1777),
    "a group may write": _mode(0o770),
    "a symlink": _linked,
}


@pytest.mark.parametrize("make", STRANGE_FOLDERS.values(), ids=STRANGE_FOLDERS.keys())
def test_nothing_is_written_where_others_may_write(folder, builds, make):
    make(folder)
    assert len(load_spec(ZOO)) == 11
    assert builds == [str(ZOO)]
    assert list(folder.iterdir()) == []


def test_what_is_made_is_for_one_user_alone(folder, monkeypatch, tmp_path):
    monkeypatch.setenv("DYNADOCK_CACHE", str(tmp_path / "new" / "cache"))
    before = os.umask(0)
    try:
        load_spec(ZOO)
    finally:
        os.umask(before)
    (path,) = (tmp_path / "new" / "cache" / "compiled").iterdir()
    modes = [stat.S_IMODE(each.stat().st_mode) for each in (path, *path.parents[:3])]
    assert modes == [0o600, 0o700, 0o700, 0o700]


def _old(path):
    long_ago = time.time() - cache.KEPT_SECONDS - 60
    os.utime(path, (long_ago, long_ago), follow_symlinks=False)


HEX = "0123456789abcdef"
MARKED = b"dynadock 0\n"
NOT_OURS = {
    "another name": ("notes.json", MARKED),
    "another's unfinished file": (".notes.json.tmp", MARKED),
    "a name like ours": (f"{HEX * 4}.json", b'{"mine": 1}'),
    "a name like an unfinished one": (f".{HEX * 4}.json.{HEX}.tmp", b"mine"),
    "a longer name": (f"{HEX * 5}.json", MARKED),
    "another ending": (f"{HEX * 4}.txt", MARKED),
}


@pytest.mark.parametrize(("name", "content"), NOT_OURS.values(), ids=NOT_OURS.keys())
def test_what_is_not_ours_is_never_removed(folder, name, content):
    folder.mkdir()
    (folder / name).write_bytes(content)
    _old(folder / name)
    load_spec(ZOO)
    assert (folder / name).read_bytes() == content


@pytest.mark.parametrize("make_foreign", [give_away, _fifo, _symlink])
def test_what_is_none_of_our_files_is_never_removed(compiled_once, tmp_path, make_foreign):
    make_foreign(compiled_once)
    _old(compiled_once)
    changed = tmp_path / "zoo.yaml"
    changed.write_bytes(ZOO.read_bytes() + b"# changed")
    load_spec(changed)
    assert os.path.lexists(compiled_once)


@pytest.mark.parametrize("content", [b"", MARKED])
def test_what_a_killed_process_left_behind_is_removed(folder, content):
    folder.mkdir()
    left = folder / f".{HEX * 4}.json.{HEX}.tmp"
    left.write_bytes(content)
    _old(left)
    load_spec(ZOO)
    assert not left.exists()


def test_what_is_too_large_is_not_kept(folder, monkeypatch):
    monkeypatch.setattr(cache, "LARGEST_TEXT", 1000)
    assert len(load_spec(ZOO)) == 11
    assert not folder.exists()


def test_what_was_made_long_ago_is_removed(compiled_once, builds, tmp_path):
    _old(compiled_once)
    changed = tmp_path / "zoo.yaml"
    changed.write_bytes(ZOO.read_bytes() + b"# changed")
    assert len(load_spec(changed)) == 11
    assert builds == [str(changed)]
    assert not compiled_once.exists()
    assert len(list(compiled_once.parent.iterdir())) == 1


def test_a_digest_minds_where_parts_end():
    assert cache.digest(b"ab", b"c") != cache.digest(b"a", b"bc")
    assert cache.digest(b"ab") != cache.digest(b"ab", b"")
    assert len(cache.digest(b"")) == 64


def test_a_user_without_a_home(folder, builds, monkeypatch):
    def unknown(user_id):
        raise KeyError(user_id)

    for name in ("DYNADOCK_CACHE", "DYNADOCK_DATA", "XDG_CACHE_HOME", "XDG_DATA_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    assert len(load_spec(ZOO)) == 11
    assert builds == [str(ZOO)]
    assert available_versions() == bundled_versions()
