"""The facts of documents: nothing of the structure lost, nothing else kept."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from documents import operations_of
from dynadock.spec.facts import differences, dump, facts
from dynadock.spec.library import bundled_folder, bundled_versions, document_name
from dynadock.spec.reader import read_document

SOURCE = """
swagger: '2.0'
schemes: [http, https]
host: localhost
basePath: /v1.99
produces: [application/json]
consumes: [text/plain]
x-vendor: dropped
info: {title: dropped, version: '1.99', description: dropped, x-logo: {url: dropped}}
tags:
  - {name: Pet, description: dropped, x-displayName: dropped}
externalDocs: {url: dropped}
parameters:
  Limit: {name: limit, in: query, type: integer, description: dropped}
responses:
  Gone: {description: dropped, schema: {type: string, example: dropped}}
paths:
  /x-description/{title}:
    x-path: dropped
    parameters:
      - {name: title, in: path, type: string, required: true, description: dropped}
    get:
      operationId: PetInspect
      summary: dropped
      description: dropped
      deprecated: true
      tags: [Pet]
      produces: [text/plain]
      externalDocs: {url: dropped}
      parameters:
        - name: description
          in: query
          description: dropped
          type: array
          collectionFormat: multi
          uniqueItems: true
          allowEmptyValue: true
          default: [{description: kept}]
          items: {type: string, enum: [title, x-foo], pattern: ^a$, x-order: dropped}
        - $ref: '#/parameters/Limit'
        - name: body
          in: body
          schema:
            allOf:
              - {$ref: '#/definitions/title', description: dropped, x-nullable: true, type: object}
              - {type: object, title: dropped, required: [x-foo], example: {a: dropped}}
      responses:
        200:
          description: dropped
          examples: {application/json: dropped}
          schema: {type: array, items: {$ref: '#/definitions/title'}, minItems: 1}
          headers:
            title: {type: string, description: dropped, default: kept}
            x-rate: {type: array, items: {type: integer, description: dropped}}
        404: {$ref: '#/responses/Gone'}
definitions:
  title:
    description: dropped
    type: object
    title: dropped
    discriminator: kind
    x-go-name: dropped
    properties:
      title: {type: string, title: dropped, maxLength: 3, readOnly: true}
      description: {type: string, description: dropped, enum: [description, null]}
      example: {type: object, default: {example: kept, x-foo: kept}}
      x-foo: {type: integer, minimum: 0, exclusiveMinimum: true, format: int64}
      properties:
        type: object
        properties: {summary: {type: string, x-nullable: false}}
        additionalProperties: {type: string, description: dropped}
      default: {$ref: '#/definitions/example'}
      $ref: {type: string, description: dropped}
  example: {type: object, additionalProperties: false, minProperties: 1}
"""

FACTS = """
swagger: '2.0'
schemes: [http, https]
basePath: /v1.99
produces: [application/json]
consumes: [text/plain]
info: {version: '1.99'}
tags:
  - {name: Pet}
parameters:
  Limit: {name: limit, in: query, type: integer}
responses:
  Gone: {schema: {type: string}}
paths:
  /x-description/{title}:
    parameters:
      - {name: title, in: path, type: string, required: true}
    get:
      operationId: PetInspect
      deprecated: true
      tags: [Pet]
      produces: [text/plain]
      parameters:
        - name: description
          in: query
          type: array
          collectionFormat: multi
          uniqueItems: true
          allowEmptyValue: true
          default: [{description: kept}]
          items: {type: string, enum: [title, x-foo], pattern: ^a$}
        - $ref: '#/parameters/Limit'
        - name: body
          in: body
          schema:
            allOf:
              - {$ref: '#/definitions/title', x-nullable: true}
              - {type: object, required: [x-foo]}
      responses:
        200:
          schema: {type: array, items: {$ref: '#/definitions/title'}, minItems: 1}
          headers:
            title: {type: string, default: kept}
            x-rate: {type: array, items: {type: integer}}
        404: {$ref: '#/responses/Gone'}
definitions:
  title:
    type: object
    discriminator: kind
    properties:
      title: {type: string, maxLength: 3, readOnly: true}
      description: {type: string, enum: [description, null]}
      example: {type: object, default: {example: kept, x-foo: kept}}
      x-foo: {type: integer, minimum: 0, exclusiveMinimum: true, format: int64}
      properties:
        type: object
        properties: {summary: {type: string, x-nullable: false}}
        additionalProperties: {type: string}
      default: {$ref: '#/definitions/example'}
      $ref: {type: string}
  example: {type: object, additionalProperties: false, minProperties: 1}
"""


def document(text):
    return read_document(text.encode(), name="zoo.yaml")


def test_facts_keep_the_structure_and_names_and_nothing_else():
    assert list(differences(facts(document(SOURCE)), document(FACTS))) == []


def test_facts_of_facts_are_the_same():
    assert facts(document(FACTS)) == document(FACTS)


def test_facts_leave_the_document_alone_and_share_nothing_with_it():
    source = document(SOURCE)
    kept = facts(source)
    assert source == document(SOURCE)
    kept["definitions"]["title"]["properties"]["example"]["default"]["example"] = "changed"
    kept["schemes"].append("changed")
    assert source == document(SOURCE)


@pytest.mark.parametrize(
    "odd",
    [
        {"paths": []},
        {"paths": {"/a": None}},
        {"paths": {"/a": {"get": "x"}}},
        {"paths": {"/a": {"get": {"parameters": {"a": 1}, "responses": [1]}}}},
        {"paths": {"/a": {"get": {"parameters": [1, None]}}}},
        {"definitions": {"A": 1, "B": {"properties": [], "allOf": {}, "items": [1]}}},
        {"definitions": {"A": {"additionalProperties": True}, "B": {"$ref": None}}},
        {"info": "x", "tags": "x"},
        {"info": None, "tags": [1, None]},
    ],
)
def test_what_has_not_the_right_shape_is_kept_for_others_to_refuse(odd):
    assert facts(odd) == odd


DIFFERENT = {
    "value": ({"a": {"b": ["x", 1]}}, {"a": {"b": ["x", 2]}}, ["a.b[1]: 1 != 2"]),
    "type": ({"type": "string"}, {"type": "integer"}, ["type: 'string' != 'integer'"]),
    "true is not 1": ({"a": True}, {"a": 1}, ["a: True != 1"]),
    "1 is not 1.0": ({"a": 1}, {"a": 1.0}, ["a: 1 != 1.0"]),
    "only left": ({"a": 1, "b": {"c": 2}}, {"a": 1}, ["b: only in the left"]),
    "only right": (
        {"a": []},
        {"a": [1, 2]},
        ["a[0]: only in the right", "a[1]: only in the right"],
    ),
    "kind": ({"a": {}}, {"a": []}, ["a: a mapping != a list"]),
    "null": ({"a": None}, {}, ["a: only in the left"]),
    "root": ([], {}, ["the document: a list != a mapping"]),
    "several": (
        {"paths": {"/a": {"get": {"tags": ["x"]}, "put": {}}}},
        {"paths": {"/a": {"get": {"tags": ["y"]}, "head": {}}}},
        [
            "paths./a.get.tags[0]: 'x' != 'y'",
            "paths./a.put: only in the left",
            "paths./a.head: only in the right",
        ],
    ),
    "order of keys": ({"a": 1, "b": 2}, {"b": 2, "a": 1}, []),
    "order of items": ([1, 2], [2, 1], ["[0]: 1 != 2", "[1]: 2 != 1"]),
}


@pytest.mark.parametrize(("left", "right", "lines"), DIFFERENT.values(), ids=DIFFERENT)
def test_differences(left, right, lines):
    assert list(differences(left, right)) == lines


def test_differences_name_the_sides():
    lines = differences({"a": 1}, {"b": 1}, left_name="the copy", right_name="the source")
    assert list(lines) == ["a: only in the copy", "b: only in the source"]


def test_dump():
    tree = {
        "swagger": "2.0",
        "codes": {"200": "yes", "default": "2001-01-01"},
        "list": [{"a": None}, [], {}, [1]],
        "long": "word " * 22 + "end",
    }
    assert dump(tree, comment="One.\nTwo.").decode().splitlines() == [
        *("# One.", "# Two.", "{"),
        ' "swagger": "2.0",',
        ' "codes": {"200": "yes", "default": "2001-01-01"},',
        ' "list": [{"a": null}, [], {}, [1]],',
        f' "long": "{"word " * 22}end"',
        "}",
    ]


@pytest.mark.parametrize("version", bundled_versions(), ids=str)
def test_the_bundled_documents_are_yaml_as_well(version):
    content = Path(bundled_folder(), document_name(version)).read_bytes()
    loaded = yaml.load(content, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    assert loaded == read_document(content, name="bundled")


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text() | st.sampled_from(["yes", "1.0", "0x1", "=", "<<", "2001-01-01", "~", "1:20", "'"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip
TREES = st.dictionaries(st.text(), PLAIN, max_size=5)


@given(TREES)
def test_what_is_dumped_is_read_again(tree):
    text = dump(tree, comment="a comment")
    assert list(differences(read_document(text, name="dumped"), tree)) == []
    assert dump(tree, comment="a comment") == text


def bundled(version):
    name = document_name(version)
    return read_document(Path(bundled_folder(), name).read_bytes(), name=name)


@pytest.mark.parametrize("version", bundled_versions(), ids=str)
def test_bundled_documents_name_every_operation_once(version):
    tree = bundled(version)
    assert tree["info"]["version"] == str(version)
    operations = [node["operationId"] for path in tree["paths"].values() for node in path.values()]
    assert operations == list(operations_of(str(version)))
    assert len(set(operations)) == len(operations)


def texts(node):
    if isinstance(node, dict):
        for key, value in node.items():
            yield key
            yield from texts(value)
    elif isinstance(node, list):
        for item in node:
            yield from texts(item)
    elif isinstance(node, str):
        yield node


@pytest.mark.parametrize("version", bundled_versions(), ids=str)
def test_bundled_documents_hold_no_sentences(version):
    tree = bundled(version)
    assert facts(tree) == tree
    spaced = {text for text in texts(tree) if " " in text or len(text) > 60}
    # A header's default value and a tag's name.
    assert spaced <= {"no-cache, no-store, must-revalidate", "Session (experimental)"}


PROSE = {"description", "summary", "title", "example", "examples", "externalDocs"}
NAMES_BELOW = {"paths", "definitions", "properties", "headers", "responses"}


def without_prose(node, *, names=False):
    """Leave out what is known to be no fact; `facts` keeps what is known to be one."""
    if isinstance(node, list):
        return [without_prose(item) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node and not names:
        return {key: node[key] for key in node if key in ("$ref", "x-nullable")}
    left = {}
    for key, value in node.items():
        if names:
            left[key] = without_prose(value)
        elif key in ("enum", "default"):
            left[key] = value
        elif key not in PROSE and (key == "x-nullable" or not key.startswith("x-")):
            left[key] = without_prose(value, names=key in NAMES_BELOW)
    return left


def texts_as_keys(node):
    if isinstance(node, dict):
        return {str(key): texts_as_keys(value) for key, value in node.items()}
    return [texts_as_keys(item) for item in node] if isinstance(node, list) else node


@pytest.fixture(scope="module")
def published():
    folder = os.environ.get("DYNADOCK_TEST_DOCUMENTS")
    if not folder:
        pytest.skip("set DYNADOCK_TEST_DOCUMENTS to the folder of published documents")
    return Path(folder)


@pytest.mark.parametrize("version", bundled_versions(), ids=str)
def test_facts_lose_no_structure_of_the_published_documents(version, published):
    source = (published / document_name(version)).read_bytes()
    fastest = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    tree = texts_as_keys(yaml.load(source, fastest))
    assert read_document(source, name="source") == tree
    assert list(differences(facts(tree), without_prose(tree))) == []
