"""Our own words are complete, say something, and are ours: ``specs/reference.yaml``."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import wording
from dynadock.explore.texts import FILE, Texts, bundled_texts
from dynadock.spec.data import bundled_data
from dynadock.spec.library import bundled_versions
from dynadock.spec.loader import load_spec, load_version

DOCUMENTS = "DYNADOCK_TEST_DOCUMENTS"


@pytest.fixture(scope="module")
def tree():
    return bundled_data(FILE)


@pytest.fixture(scope="module")
def written(tree):
    return [*wording.written_in(tree)]


@pytest.fixture(scope="module")
def things():
    versions = map(load_version, bundled_versions())
    return [thing for spec in versions for thing in wording.things_of(spec, bundled_texts())]


@pytest.mark.parametrize("version", bundled_versions(), ids=str)
def test_there_are_words_for_all_of_a_version(version):
    things = [*wording.things_of(load_version(version), bundled_texts())]
    assert len(things) > 1000
    gaps = [*wording.missing(things)]
    assert not gaps, f"write a text under each of these keys of specs/{FILE}: {', '.join(gaps)}"


def test_no_words_are_for_nothing(written, things):
    faults = [*wording.unknown(written, things)]
    assert not faults, f"take these texts out of specs/{FILE}: {'; '.join(faults)}"


def test_what_is_like_something_is_like_something_there(tree):
    assert [*wording.leading_nowhere(tree)] == []


def test_no_words_are_empty(written, things):
    assert [*wording.empty(written, things)] == []


def test_no_words_are_about_many_things(written):
    assert [*wording.repeated(written)] == []


def test_no_words_are_copied(written):
    folder = os.environ.get(DOCUMENTS)
    if not folder:
        pytest.skip(f"{DOCUMENTS} names no folder with the published documents")
    paths = [Path(folder) / f"v{version}.yaml" for version in bundled_versions()]
    documents = (path.read_text(encoding="utf-8") for path in paths)
    assert [*wording.copied(written, documents)] == []


WATCHED = """
import sys
opened = []
sys.addaudithook(lambda event, args: opened.append(str(args[0])) if event == "open" else None)

import dynadock
client = dynadock.load("1.42", host="unix:///nowhere.sock")
client.ContainerCreate.prepare(Image="busybox", HostConfig={"Memory": 2**26})
dir(client), repr(client), repr(client.ContainerCreate), repr(dynadock.Record({"a": 1}))
print([path for path in opened if path.endswith("reference.yaml")])
client.ContainerCreate.describe()
print(len([path for path in opened if path.endswith("reference.yaml")]))
"""


def test_words_are_not_read_before_they_are_asked_for():
    command = [sys.executable, "-c", WATCHED]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n1\n"


# The checks themselves, on a little that is invented: a document in two versions, words about it.

INDEX = {"type": "object", "properties": {"Index": {"type": "integer"}}}
TEXT = {"type": "string"}
BOX = {"type": "object", "properties": {"Lid": TEXT, "Inner": INDEX}}


def a_spec(version, **definitions):
    """Return the Spec of one operation: a parameter, a body, a reply that refers to Box."""
    body = {"type": "object", "properties": {"Colour": TEXT, "Size": INDEX}}
    operation = {
        "operationId": "BoxOpen",
        "parameters": [
            {"name": "id", "in": "path", "required": True, "type": "string"},
            {"name": "paint", "in": "body", "schema": body},
        ],
        "responses": {200: {"description": "", "schema": {"$ref": "#/definitions/Box"}}},
    }
    document = {
        "swagger": "2.0",
        "info": {"title": "boxes", "version": version},
        "basePath": f"/v{version}",
        "paths": {"/boxes/{id}": {"post": operation}},
        "definitions": {"Box": BOX, **definitions},
    }
    return load_spec(document)


SPECS = [a_spec("0.1"), a_spec("0.2")]
NAME = {"parameters": {"id": "What was painted on its side."}}
FIELDS = {
    "Colour": "Any that a painter knows.",
    "Size": "How large it shall be.",
    "Size.Index": "Counted from the smallest.",
}
BOX_OPEN = {
    "summary": "Open one box",
    "about": "It creaks, so wait for the night.",
    "body": "How it shall look afterwards.",
    "body_fields": FIELDS,
    "reply": "Whatever was found.",
    **NAME,
}
IN_BOX = {
    "Lid": "Made of oak.",
    "Inner": "A smaller one, often empty.",
    "Inner.Index": "Counted from the largest.",
}


def told(**changes):
    """Return words about all of the invented document, with changes to those of its operation."""
    return {
        "operations": {"BoxOpen": {**BOX_OPEN, **changes}},
        "definitions": {"Box": {"fields": IN_BOX}},
    }


def things_in(tree):
    return [thing for spec in SPECS for thing in wording.things_of(spec, Texts(tree))]


def test_words_about_all_pass_every_check():
    tree, things = told(), things_in(told())
    assert {thing.where for thing in things} == {each.where for each in wording.written_in(tree)}
    written = [*wording.written_in(tree)]
    assert [*wording.missing(things), *wording.unknown(written, things)] == []
    assert [*wording.leading_nowhere(tree), *wording.empty(written, things)] == []


BOX_ONE = "operations.BoxOpen."


@pytest.mark.parametrize(
    ("tree", "where"),
    [
        ({"definitions": {"Box": {"fields": IN_BOX}}}, f"{BOX_ONE}summary"),
        (told(about=" "), f"{BOX_ONE}about"),
        (told(body=""), f"{BOX_ONE}body"),
        (told(reply=""), f"{BOX_ONE}reply"),
        (told(parameters={}), f"{BOX_ONE}parameters.id"),
        (told(body_fields={**FIELDS, "Size.Index": ""}), f"{BOX_ONE}body_fields.Size.Index"),
        (told() | {"definitions": {}}, "definitions.Box.fields.Inner.Index"),
        (told(summary=[{"versions": "0.2-", "text": "Open one"}]), f"{BOX_ONE}summary"),
    ],
)
def test_a_gap_is_found(tree, where):
    assert where in [*wording.missing(things_in(tree))]


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"parameters": {**NAME["parameters"], "name": "x"}}, "parameters.name: no version has it"),
        ({"body_fields": {**FIELDS, "Weight": "x"}}, "body_fields.Weight: no version has it"),
        ({"sumary": "x"}, "sumary: no version has it"),
        (
            {"reply": [{"versions": "0.1-", "text": "New"}, {"versions": "0.2-", "text": "Newer"}]},
            "reply: no version is told 'Newer'",
        ),
        (
            {"reply": [{"versions": "0.3-", "text": "Later"}, {"versions": "0.1-", "text": "Now"}]},
            "reply: no version is told 'Later'",
        ),
    ],
)
def test_words_about_nothing_are_found(changes, fault):
    tree = told(**changes)
    assert f"{BOX_ONE}{fault}" in [*wording.unknown(wording.written_in(tree), things_in(tree))]


def test_words_about_an_unknown_operation_or_definition_are_found():
    tree = told()
    tree["operations"]["BoxShut"] = {"summary": "Shut it"}
    tree["definitions"]["Bag"] = {"fields": {"Lid": "It has none."}}
    assert [*wording.unknown(wording.written_in(tree), things_in(told()))] == [
        "operations.BoxShut.summary: no version has it",
        "definitions.Bag.fields.Lid: no version has it",
    ]


@pytest.mark.parametrize("key", wording.LIKES)
def test_a_way_to_nowhere_is_found(key):
    assert [*wording.leading_nowhere(told(**{key: "Bag"}))] == [f"{BOX_ONE}{key}: Bag"]


def test_what_is_said_elsewhere_need_not_be_repeated():
    tree = told(body_fields={"Colour": "Any.", "Size": "Large."}, body_like=["Ring"])
    tree["definitions"]["Ring"] = {"fields": {"Size.Index": "Counted from the smallest."}}
    assert [*wording.missing(things_in(tree))] == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "The colour.",
        "Colour (string)",
        "The BoxOpen's colour",
        "A colour value",
        "Colours list.",
    ],
)
def test_empty_words_are_found(text):
    tree = told(body_fields={**FIELDS, "Colour": text, "Size.Index": "Index of the size."})
    found = [*wording.empty(wording.written_in(tree), things_in(tree))]
    assert found == [
        f"{BOX_ONE}body_fields.Colour: {text!r}",
        f"{BOX_ONE}body_fields.Size.Index: 'Index of the size.'",
    ]


def test_words_about_many_things_are_found():
    fields = dict.fromkeys("ABCDE", "One of five.")
    tree = {"definitions": {"Box": {"fields": fields}}}
    assert len([*wording.repeated(wording.written_in(tree))]) == 1
    # Things of one name may share their words.
    tree = {"definitions": {name: {"fields": {"A": "One of five."}} for name in "ABCDE"}}
    assert [*wording.repeated(wording.written_in(tree))] == []


@pytest.mark.parametrize(
    ("document", "is_copied"),
    [
        ("it creaks so wait for the night", False),
        ("description: |\n  But IT creaks;\n\n  so wait *for* the\n    night, we said", True),
        ("it creaks so wait for the whole night and day", False),
    ],
)
def test_words_that_a_document_has_too_are_found(document, is_copied):
    tree = told(about="Mind: but it creaks, so wait for the night.")
    found = [*wording.copied(wording.written_in(tree), ["another", document])]
    assert any("operations.BoxOpen.about: " in each for each in found) == is_copied
