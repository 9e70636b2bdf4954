"""The cache of compiled documents: stale, damaged, read-only, and used by two at once."""

from __future__ import annotations

import os
import pwd
import resource
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
from privileges import without_privileges


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

    def noted(content, *, name):
        built.append(name)
        return original(content, name=name)

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
    "another checksum": lambda content: b"0" * 64 + content[64:],
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


def test_what_was_made_long_ago_is_removed(compiled_once, builds, tmp_path):
    long_ago = time.time() - cache.KEPT_SECONDS - 60
    os.utime(compiled_once, (long_ago, long_ago))
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
