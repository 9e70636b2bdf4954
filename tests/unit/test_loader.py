"""What ``load_spec`` takes, and what it says to the rest."""

from __future__ import annotations

import json
import os
import socket
from fractions import Fraction
from pathlib import Path

import pytest

from documents import SPAN, ZOO
from dynadock.errors import SpecError
from dynadock.spec.files import read_regular
from dynadock.spec.library import bundled_folder
from dynadock.spec.loader import load_spec, load_version
from dynadock.spec.reader import read_document
from dynadock.spec.versions import Version


def zoo():
    return read_document(ZOO.read_bytes(), name="zoo")


def as_json(tmp_path):
    path = tmp_path / "zoo.json"
    path.write_text(json.dumps(zoo()))
    return path


def test_versions():
    assert load_spec("1.42") is load_spec("v1.42") is load_version(Version(1, 42))
    assert load_spec("1.42") is load_spec(Path(bundled_folder(), "v1.42.yaml"))
    assert load_spec("1.42").version == Version(1, 42)
    assert load_spec("1.42").base_path == "/v1.42"


def test_documents(tmp_path):
    spec = load_spec(ZOO)
    assert spec.version == Version(0, 7)
    for other in (load_spec(str(ZOO)), load_spec(zoo()), load_spec(as_json(tmp_path))):
        assert list(other) == list(spec)
        assert other._compiled == spec._compiled


def test_an_open_document_is_left_alone():
    tree = zoo()
    spec = load_spec(tree)
    assert tree == zoo()
    tree["paths"].clear()
    tree["definitions"]["Animal"]["allOf"].clear()
    assert spec._compiled == load_spec(ZOO)._compiled


def test_an_open_document_may_have_numbers_for_codes():
    tree = zoo()
    get = tree["paths"]["/animals"]["get"]
    get["responses"] = {int(code): response for code, response in get["responses"].items()}
    assert load_spec(tree)["AnimalList"].reply.codes == ("200", "404")


@pytest.mark.parametrize(
    ("source", "parts"),
    [
        (1.3, ["got the number 1.3", "1.30 would be 1.3", "load('1.30')"]),
        (1.42, ["got the number 1.42"]),
        (142, ["got the number 142"]),
        (b"1.42", ["expected a version, a path or a document, got bytes"]),
        (Fraction(1, 2), ["got Fraction"]),
        (["1.42"], ["got list"]),
        (None, ["got NoneType"]),
        ("1.99", ["no document for API 1.99", f"there are {SPAN}"]),
        ("2.0", ["no document for API 2.0"]),
        ("nothing.yaml", ["'nothing.yaml' is neither a version ('1.42') nor a file"]),
        (Path("/"), ["/ cannot be read", "directory"]),
        ("a\0b", ["a"]),
        ({}, ["document", "swagger"]),
        ({"openapi": "3.1.0"}, ["info.version: expected text, got nothing"]),
        ({"openapi": "3.2.0"}, ["openapi: expected 3.0 or 3.1 as text, got '3.2.0'"]),
        ({"swagger": "2.0", "info": {"version": "1.42"}}, ["paths"]),
        ({"swagger": 2.0, "paths": {}, "info": {"version": "1"}}, ["expected '2.0', got 2.0"]),
    ],
)
def test_what_it_refuses(source, parts):
    with pytest.raises(SpecError) as caught:
        load_spec(source)
    for part in parts:
        assert part in str(caught.value)


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (b"", "expected a mapping, got nothing"),
        (b"- a", "expected a mapping, got a list"),
        (b"a: [", "line 2, column 1"),
        (b"\xff", "no UTF-8"),
        (b"a: 1\na: 2", "given twice"),
        (b"a: !!python/object/apply:os.system [true]", "line 1"),
        (b"[" * 5000, "nest"),
        (b"a: &a [*a]", "nested deeper"),
        (b"a: &a [x,x]\nb: &b [*a,*a]\n" + b"c: [" + b"*b," * 99_000 + b"x]", "values"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_with_its_name(tmp_path, content, part):
    path = tmp_path / "some.yaml"
    path.write_bytes(content)
    with pytest.raises(SpecError) as caught:
        load_spec(path)
    assert str(path) in str(caught.value)
    assert part in str(caught.value)


def _huge(path):
    path.touch()
    os.truncate(path, 2**40)


def _socket(path):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))


STRANGE_FILES = {
    "a directory": (Path.mkdir, "it is a directory"),
    "a fifo": (os.mkfifo, "it is not a regular file"),
    "a device": (lambda path: path.symlink_to("/dev/zero"), "it is not a regular file"),
    "a socket": (_socket, "it is not a regular file"),
    "a huge file": (_huge, "it is larger than 16 MiB"),
    "a symlink to itself": (lambda path: path.symlink_to(path.name), "symbolic links"),
}


@pytest.mark.parametrize(("make", "reason"), STRANGE_FILES.values(), ids=list(STRANGE_FILES.keys()))
def test_files_that_are_not_even_opened(tmp_path, make, reason):
    path = tmp_path / "v1.42.yaml"
    make(path)
    with pytest.raises(SpecError) as caught:
        load_spec(path)
    assert str(caught.value).startswith(f"{path} cannot be read: ")
    assert reason in str(caught.value)


def test_a_file_that_does_not_know_its_size():
    content = read_regular("/proc/self/cmdline", 10_000)
    assert content.endswith(b"\0")
    with pytest.raises(OSError, match="larger"):
        read_regular("/proc/self/cmdline", len(content) - 1)


def test_the_users_own_document_comes_first(monkeypatch, tmp_path):
    monkeypatch.setenv("DYNADOCK_DATA", str(tmp_path))
    own = tmp_path / "specs" / "v1.42.yaml"
    own.parent.mkdir()
    own.write_bytes(ZOO.read_bytes().replace(b'version: "0.7"', b'version: "1.42"'))
    assert "AnimalList" in load_spec("1.42")
    assert "ContainerList" in load_spec("1.41")


def test_a_document_of_another_version_is_no_document_of_this_one(monkeypatch, tmp_path):
    monkeypatch.setenv("DYNADOCK_DATA", str(tmp_path))
    own = tmp_path / "specs" / "v1.42.yaml"
    own.parent.mkdir()
    own.write_bytes(ZOO.read_bytes())
    with pytest.raises(SpecError) as caught:
        load_spec("1.42")
    assert str(own) in str(caught.value)
    assert "is a document of API 0.7, not 1.42" in str(caught.value)


def test_the_overlay_counts_for_the_users_own_documents_too(tmp_path):
    source = Path(bundled_folder(), "v1.42.yaml")
    own = tmp_path / "mine.yaml"
    own.write_bytes(source.read_bytes() + b"\n# mine\n")
    assert load_spec(own)["ContainerList"].by_name["filters"].encoding == "filters"


def test_the_overlay_never_refuses_a_users_own_document():
    tree = read_document(Path(bundled_folder(), "v1.42.yaml").read_bytes(), name="v1.42")
    tree["paths"] = {path: tree["paths"][path] for path in ("/_ping", "/containers/json")}
    del tree["definitions"]["HostConfig"]["allOf"]
    assert set(load_spec(tree)) == {"SystemPing", "SystemPingHead", "ContainerList"}
