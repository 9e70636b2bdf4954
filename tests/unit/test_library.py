"""Where documents are looked for, and in which order."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest

from documents import NEXT, SPAN, VERSIONS, numbers_of
from dynadock.errors import SpecError
from dynadock.spec import library
from dynadock.spec.versions import Version, parse_version

VERSION = Version(1, 42)


@pytest.fixture
def own(monkeypatch, tmp_path):
    """Make the user's own folder one that the test may fill."""
    monkeypatch.setenv("DYNADOCK_DATA", str(tmp_path))
    folder = tmp_path / "specs"
    folder.mkdir()
    return folder


def test_bundled_documents():
    versions = library.bundled_versions()
    assert [str(version) for version in versions] == VERSIONS
    for version in versions:
        assert Path(library.find_document(version)).is_file()
        assert library.find_document(version).startswith(library.bundled_folder())


def test_every_bundled_document_says_where_it_comes_from():
    provenance = json.loads(Path(library.bundled_folder(), "provenance.json").read_bytes())
    assert list(provenance) == VERSIONS


def test_no_version_is_left_out():
    for before, version in pairwise(map(numbers_of, VERSIONS)):
        assert version in ((before[0], before[1] + 1), (before[0] + 1, 0))


def test_a_folder_that_is_not_there_holds_nothing(monkeypatch, tmp_path):
    monkeypatch.setenv("DYNADOCK_DATA", str(tmp_path / "nowhere"))
    assert library.user_folder() == str(tmp_path / "nowhere" / "specs")
    assert library.available_versions() == library.bundled_versions()


def test_the_users_own_document_comes_first(own):
    document = own / "v1.42.yaml"
    document.write_text("anything")
    assert library.find_document(VERSION) == str(document)
    assert library.find_document(Version(1, 41)).startswith(library.bundled_folder())


def test_versions_of_the_users_own(own):
    for name in (f"v{NEXT}.yaml", "v2.0.yaml", "v1.42.yaml", "notes.yaml", "v1.99.txt", "vx.yaml"):
        (own / name).write_text("anything")
    assert library.available_versions() == [
        *library.bundled_versions(),
        parse_version(NEXT),
        Version(2, 0),
    ]


def test_a_folder_of_that_name_is_no_document(own):
    (own / "v1.42.yaml").mkdir()
    assert library.find_document(VERSION).startswith(library.bundled_folder())


def test_a_version_without_a_document(own):
    with pytest.raises(SpecError) as caught:
        library.find_document(Version(1, 99))
    assert f"no document for API 1.99; there are {SPAN}" in str(caught.value)


def test_without_the_variable_it_is_the_platforms_folder(monkeypatch, tmp_path):
    monkeypatch.delenv("DYNADOCK_DATA")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert library.user_folder() == str(tmp_path / "dynadock" / "specs")
