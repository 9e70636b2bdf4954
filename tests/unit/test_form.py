"""Compiled forms as text: what is written is what is read, part by part."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest

from dynadock.spec import form
from dynadock.spec.build import build_from_text

ZOO = Path(__file__).parents[1] / "cases" / "zoo.yaml"
EMPTY = {"version": "1.0", "base_path": "", "names": {}} | {name: {} for name in form.PARTED}


@pytest.fixture(scope="module")
def compiled():
    return build_from_text(ZOO.read_bytes(), name="zoo")


@pytest.fixture
def read(monkeypatch):
    """List the texts that are read as JSON."""
    texts = []
    original = json.loads

    def noted(text):
        texts.append(text)
        return original(text)

    monkeypatch.setattr(json, "loads", noted)
    return texts


def test_what_is_written_is_what_is_read(compiled):
    found = form.read_form(form.write_form(compiled))
    assert found == compiled
    for section in form.PARTED:
        assert list(found[section]) == list(compiled[section])
        assert len(found[section]) == len(compiled[section])


@pytest.mark.parametrize(
    "sections",
    [
        {},
        {"definitions": {"A": {}}},
        {"operations": {"A": {}}},
        {"operations": {"A": {"text": "a\nb\u2028c"}}, "definitions": {"A": {"type": None}}},
    ],
)
def test_odd_forms(sections):
    odd = {**EMPTY, **sections}
    assert form.read_form(form.write_form(odd)) == odd


def test_a_part_is_read_when_it_is_asked_for_and_once(compiled, read):
    found = form.read_form(form.write_form(compiled))
    operations = found["operations"]
    assert len(read) == 1
    assert "AnimalList" in operations
    assert "AnimalListed" not in operations
    assert len(read) == 1
    assert operations["AnimalList"] is operations["AnimalList"]
    assert len(read) == 2


def test_what_is_not_there_is_a_key_error(compiled):
    operations = form.read_form(form.write_form(compiled))["operations"]
    with pytest.raises(KeyError, match="AnimalListed"):
        operations["AnimalListed"]
    assert operations.get("AnimalListed") is None


def test_parts_can_be_pickled(compiled):
    found = form.read_form(form.write_form(compiled))
    assert pickle.loads(pickle.dumps(found)) == compiled
