"""``client.schema``: a version's definitions with our words."""

from __future__ import annotations

import json

import pytest

from documents import A_FEW
from dynadock import SpecError, load

CLIENT = load("1.42", host="unix:///nowhere.sock")


def test_a_definition_shows_its_fields_and_what_they_mean():
    definition = CLIENT.schema("HostConfig")
    assert (definition.name, definition.version) == ("HostConfig", "1.42")
    text = repr(definition)
    assert text.startswith("HostConfig (API 1.42)\n")
    assert "  Memory " in text
    assert "    MaximumRetryCount " in text
    assert "      HostPort " not in text
    assert "6 MiB" in text
    assert all(line == line.rstrip() and len(line) <= 100 for line in text.splitlines())


def test_it_has_as_many_levels_as_asked_for():
    definition = CLIENT.schema("HostConfig")
    assert {row.depth for row in definition.rows(1)} == {0}
    assert {row.depth for row in definition.rows(3)} == {0, 1, 2}
    assert "MaximumRetryCount" not in definition.tree(1)
    assert len(definition.tree(3)) > len(definition.tree(2)) > len(definition.tree(1))


def test_it_is_the_schema_of_its_version():
    assert "CreateMountpoint" in CLIENT.schema("HostConfig").tree(3)
    assert "CreateMountpoint" not in CLIENT.at("1.41").schema("HostConfig").tree(3)
    schema = CLIENT.schema("RestartPolicy").schema
    assert schema["properties"]["Name"]["enum"]
    assert json.loads(json.dumps(schema)) == schema


def test_every_definition_of_a_version_shows_itself():
    for version in A_FEW:
        client = CLIENT.at(version)
        for name in client._spec.definitions:
            assert repr(client.schema(name)).startswith(f"{name} (API {version})")


@pytest.mark.parametrize(
    ("name", "hint"), [("hostconfig", "; did you mean HostConfig?"), ("Qwertz", "")]
)
def test_what_is_not_there_is_said(name, hint):
    with pytest.raises(SpecError) as caught:
        CLIENT.schema(name)
    assert str(caught.value) == f"API 1.42 has no definition {name!r}{hint}"
