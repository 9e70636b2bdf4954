"""The compiled form, of the invented document."""

from __future__ import annotations

import json

import pytest

from documents import ZOO
from dynadock.errors import SpecError
from dynadock.spec.build import open_document
from dynadock.spec.compiler import compile_document
from dynadock.spec.model import Spec
from dynadock.spec.overlay import Overlay
from dynadock.spec.reader import read_document


@pytest.fixture
def document():
    return open_document(read_document(ZOO.read_bytes(), name="zoo"), name="zoo")


@pytest.fixture
def operations(document):
    return compile_document(document)["operations"]


def test_the_whole(document):
    compiled = compile_document(document)
    assert json.loads(json.dumps(compiled)) == compiled
    assert compiled["version"] == "0.7"
    assert compiled["base_path"] == "/zoo"
    assert compiled["names"]["animal_list"] == "AnimalList"
    # Its operationId is in lower case already, and so needs no second spelling.
    assert "find" not in compiled["names"]


def test_aliases_are_found_in_both_spellings(document):
    entries = [{"operation": "AnimalList", "alias": "BeastList", "why": "So."}]
    Overlay({"operations": entries}).apply(document)
    names = compile_document(document)["names"]
    assert names["BeastList"] == names["beast_list"] == names["animal_list"] == "AnimalList"


def test_an_alias_that_another_operation_has_is_that_operations(document):
    entries = [{"operation": "AnimalList", "alias": "AnimalCreate", "why": "So."}]
    Overlay({"operations": entries}).apply(document)
    names = compile_document(document)["names"]
    assert "AnimalCreate" not in names
    assert names["animal_create"] == "AnimalCreate"


def test_routes(document):
    routes = compile_document(document)["routes"]
    assert routes["GET"]["/animals"] == [["AnimalList", "/animals"]]
    assert routes["GET"]["*"] == [["AnimalInspect", "/animals/{name}"]]
    assert routes["GET"]["*photos"] == [["AnimalPhotos", "/animals/{name}/photos"]]
    found = [each for keys in routes.values() for found in keys.values() for each in found]
    operations = document.operations.items()
    assert sorted(found) == sorted([name, each.path] for name, each in operations)


def test_the_most_literal_path_comes_first(document):
    for operation_id, path in [("AnimalInspect", "/{name}"), ("AnimalPhotos", "/animals/{name}")]:
        document.operations[operation_id].path = path
    found = compile_document(document)["routes"]["GET"]["*"]
    assert found == [["AnimalPhotos", "/animals/{name}"], ["AnimalInspect", "/{name}"]]


def test_media_types(document):
    document.operations["AnimalPhotos"].node["produces"] = ["image/png", "image/gif"]
    spec = Spec(compile_document(document))
    assert spec["AnimalPhotos"].reply.media_types == ("image/png", "image/gif")
    assert spec["AnimalList"].reply.media_types == ()


def test_responses(document):
    node = document.operations["AnimalExists"].node
    node["responses"]["204"]["headers"] = {"X-Weight": {"type": "integer"}}
    document.operations["AnimalPicture"].node["consumes"] = ["image/png"]
    spec = Spec(compile_document(document))
    assert spec["AnimalList"].reply.responses == {
        "200": {"schema": {"type": "array", "items": {"$ref": "#/definitions/Animal"}}},
        "404": {"schema": {"$ref": "#/definitions/Problem"}},
    }
    assert spec["AnimalExists"].reply.responses == {
        "204": {"headers": {"X-Weight": {"type": "integer"}}}
    }
    assert spec["_status"].reply.responses == {"default": {}}
    assert spec["AnimalPicture"].body.media_types == ("image/png",)
    for operation in spec.values():
        assert operation.reply.codes == tuple(operation.reply.responses)


def test_an_operation(operations):
    operation = operations["AnimalCreate"]
    assert (operation["method"], operation["path"], operation["tag"]) == (
        "POST",
        "/animals",
        "Animal",
    )
    assert operations["AnimalInspect"]["tag"] == ""
    assert [each["name"] for each in operation["parameters"]] == ["limit", "verbose", "X-Keeper"]
    assert operation["body"] == {
        "name": "animal",
        "python_name": "animal",
        "required": True,
        "kind": "object",
        "schema": {"$ref": "#/definitions/NewAnimal"},
    }


def test_parameters(operations):
    by_name = {each["name"]: each for each in operations["AnimalList"]["parameters"]}
    assert by_name["limit"] == {
        "name": "limit",
        "python_name": "limit",
        "in": "query",
        "type": "integer",
        "required": False,
        "minimum": 1,
        "maximum": 100,
    }
    assert by_name["kinds"]["items"] == {"type": "string", "enum": ["ape", "bee", "cow"]}
    assert by_name["kinds"]["collection"] == "csv"
    assert by_name["tag"]["collection"] == "multi"
    assert by_name["verbose"]["required"] is True


@pytest.mark.parametrize(
    ("operation_id", "kind"),
    [
        ("AnimalCreate", "object"),
        ("AnimalPicture", "binary"),
        ("AnimalFeed", "array"),
        ("DoorOpen", "object"),
        ("AnimalList", None),
    ],
)
def test_kinds_of_bodies(operations, operation_id, kind):
    assert operations[operation_id].get("body", {}).get("kind") == kind


@pytest.mark.parametrize(
    ("operation_id", "reply"),
    [
        ("AnimalExists", {"kind": "headers", "codes": ["204"]}),
        ("AnimalDelete", {"kind": "value", "codes": ["204"]}),
        ("AnimalPhotos", {"kind": "value", "codes": ["200"]}),
        (
            "AnimalInspect",
            {"kind": "value", "schema": {"$ref": "#/definitions/Animal"}, "codes": ["200", "404"]},
        ),
    ],
)
def test_replies(operations, operation_id, reply):
    assert operations[operation_id]["reply"] == reply


def test_what_the_overlay_says(document):
    entries = {
        "parameters": [
            {
                "operation": "AnimalList",
                "name": "names",
                "set": {"x-encoding": "filters", "x-secret": True, "x-refuse": {"a": "no"}},
                "why": "So.",
            }
        ],
        "bodies": [{"operation": "AnimalFeed", "set": {"x-send-default": []}, "why": "So."}],
        "replies": [
            {"operation": "AnimalList", "set": {"kind": "tar", "wait": "limit"}, "why": "So."}
        ],
    }
    Overlay(entries).apply(document)
    operations = compile_document(document)["operations"]
    names = next(p for p in operations["AnimalList"]["parameters"] if p["name"] == "names")
    assert (names["encoding"], names["secret"], names["refuse"]) == ("filters", True, {"a": "no"})
    assert operations["AnimalFeed"]["body"]["send"] == []
    assert operations["AnimalList"]["reply"]["kind"] == "tar"
    assert operations["AnimalList"]["reply"]["wait"] == "limit"


def test_what_the_configuration_may_add(document):
    rule = {"image": "limit", "unless": ["verbose"]}
    creating = {"operation": "AnimalCreate", "why": "So."}
    parameter = {**creating, "name": "X-Keeper", "set": {"x-credentials": rule, "x-proxies": True}}
    body = {**creating, "set": {"x-proxies": "names"}}
    Overlay({"parameters": [parameter], "bodies": [body]}).apply(document)
    spec = Spec(compile_document(document))
    operation = spec["AnimalCreate"]
    (keeper,) = operation.credentials
    assert (keeper.name, keeper.credentials, keeper.proxies) == ("X-Keeper", rule, True)
    assert operation.body.proxies == "names"
    assert operation.takes_proxies
    assert spec["AnimalList"].credentials == ()
    assert not spec["AnimalList"].takes_proxies


@pytest.mark.parametrize("kind", ["stream", "", None, ["tar"]])
def test_a_kind_of_reply_that_there_is_not(document, kind):
    Overlay({"replies": [{"operation": "AnimalList", "set": {"kind": kind}, "why": "So."}]}).apply(
        document
    )
    with pytest.raises(
        SpecError, match=r"zoo: AnimalList: .* is not a kind of reply; there are val"
    ):
        compile_document(document)
