"""Changes planted in a copy of a document: each is found once, where it is, as what it is."""

from __future__ import annotations

import json
import re
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynadock import SpecError, diff
from dynadock.explore.differences import Differences
from dynadock.spec.differences import compare
from dynadock.spec.differences.severities import SEVERITIES, kinds
from dynadock.spec.library import bundled_versions
from dynadock.spec.loader import load_spec, load_version

FIELDS = {
    "Plain": {"type": "string"},
    "Needed": {"type": "string"},
    "Open": {},
    "Either": {"type": ["string", "integer"]},
    "Number": {"type": "integer", "format": "int64"},
    "Between": {"type": "integer", "minimum": 1, "maximum": 10},
    "Choice": {"type": "string", "enum": ["a", "b"]},
    "Null": {"type": "string", "x-nullable": True},
    "Usual": {"type": "string", "default": "x"},
    "Formed": {"type": "string", "pattern": "^a"},
    "List": {"type": "array", "items": {"type": "string"}, "maxItems": 3},
    "Map": {"type": "object", "additionalProperties": {"type": "string"}},
    "Free": {"type": "object"},
    "Inner": {"type": "object", "properties": {"Deep": {"type": "string"}}},
    "Shared": {"$ref": "#/definitions/Both"},
    "Old": {"type": "string", "deprecated": True},
}


def reference(name):
    return {"$ref": f"#/definitions/{name}"}


def document():
    """Return a document whose Sent is a body, whose Read is a reply, and whose Both is in both."""
    properties = {"properties": FIELDS, "required": ["Needed"], "type": "object"}
    parameters = [
        {"name": "id", "in": "path", "type": "string", "required": True},
        {"name": "q", "in": "query", "type": "string"},
        {"name": "must", "in": "query", "type": "string", "required": True},
        {"name": "many", "in": "query", "type": "array", "items": {"type": "string"}},
        {"name": "thing", "in": "body", "schema": reference("Sent")},
    ]
    replies = {
        "200": {"schema": reference("Read"), "headers": {"X-A": {"type": "string"}}},
        "304": {},
        "404": {"schema": reference("Fault")},
    }
    change = {
        "operationId": "ThingChange",
        "consumes": ["application/json", "text/plain"],
        "produces": ["application/json", "text/plain"],
        "parameters": parameters,
        "responses": replies,
    }
    none = {"operationId": "ThingNone", "responses": {"200": {}}}
    gone = {"operationId": "ThingGone", "deprecated": True, "responses": {"204": {}}}
    tree = {
        "swagger": "2.0",
        "info": {"version": "1.99"},
        "paths": {
            "/things/{id}": {"post": change},
            "/things": {"put": none, "delete": gone},
        },
        "definitions": {
            "Sent": properties,
            "Read": properties,
            "Both": {"type": "object", "properties": {"A": {"type": "string"}}},
            "Fault": {"type": "object", "properties": {"message": {"type": "string"}}},
        },
    }
    # No two places share what they hold.
    return json.loads(json.dumps(tree))


def field(name, **keywords):
    """Make what sets keywords of a field, or takes those that are None away."""

    def change(schema):
        node = schema["properties"][name]
        node.update(keywords)
        for keyword in [each for each, value in keywords.items() if value is None]:
            del node[keyword]

    return change


def put(name, node):
    return lambda schema: schema["properties"].update({name: node})


def require(*names):
    return lambda schema: schema.update(required=[*names])


TEXT = {"type": "string"}
IN_SCHEMAS = [
    ("field-added", put("New", TEXT), ".New", "harmless", "harmless"),
    ("field-removed", lambda s: s["properties"].pop("Plain"), ".Plain", "risky", "breaking"),
    ("became-required", require("Needed", "Plain"), ".Plain", "breaking", "harmless"),
    ("became-optional", require(), ".Needed", "harmless", "risky"),
    ("became-nullable", put("Plain", TEXT | {"x-nullable": True}), ".Plain", "harmless", "risky"),
    ("became-not-nullable", put("Null", TEXT), ".Null", "harmless", "harmless"),
    ("type-changed", field("Plain", type="boolean"), ".Plain", "breaking", "breaking"),
    ("type-changed", field("Map", type="array"), ".Map", "breaking", "breaking"),
    ("type-changed", put("Inner", FIELDS["Map"]), ".Inner", "breaking", "breaking"),
    ("type-widened", field("Plain", type=["string", "integer"]), ".Plain", "harmless", "risky"),
    ("type-widened", field("Number", type="number", format=None), ".Number", "harmless", "risky"),
    ("type-narrowed", put("Either", TEXT), ".Either", "breaking", "harmless"),
    ("type-described", put("Open", TEXT), ".Open", "harmless", "harmless"),
    ("type-described", put("Free", FIELDS["Inner"]), ".Free", "harmless", "harmless"),
    ("type-opened", put("Inner", FIELDS["Free"]), ".Inner", "harmless", "risky"),
    ("format-changed", field("Plain", format="dateTime"), ".Plain", "harmless", "harmless"),
    ("enum-introduced", field("Plain", enum=["a"]), ".Plain", "risky", "harmless"),
    ("enum-dropped", put("Choice", TEXT), ".Choice", "harmless", "risky"),
    ("enum-value-added", field("Choice", enum=["a", "b", "c"]), ".Choice", "harmless", "risky"),
    ("enum-value-removed", field("Choice", enum=["a"]), ".Choice", "breaking", "harmless"),
    ("default-changed", field("Usual", default="y"), ".Usual", "risky", "harmless"),
    ("default-changed", put("Usual", TEXT), ".Usual", "risky", "harmless"),
    ("bound-tightened", field("Number", format="uint8"), ".Number", "breaking", "harmless"),
    ("bound-tightened", field("Between", maximum=9), ".Between", "breaking", "harmless"),
    (
        "bound-tightened",
        field("Between", minimum=2, maximum=20),
        ".Between",
        "breaking",
        "harmless",
    ),
    (
        "bound-tightened",
        field("Between", exclusiveMinimum=True),
        ".Between",
        "breaking",
        "harmless",
    ),
    ("bound-tightened", field("Plain", maxLength=9), ".Plain", "breaking", "harmless"),
    ("bound-tightened", field("List", uniqueItems=True), ".List", "breaking", "harmless"),
    ("bound-tightened", field("Number", multipleOf=2), ".Number", "breaking", "harmless"),
    ("bound-tightened", field("Plain", pattern="^b"), ".Plain", "breaking", "harmless"),
    ("bound-loosened", field("Between", maximum=11), ".Between", "harmless", "harmless"),
    ("bound-loosened", field("List", maxItems=None), ".List", "harmless", "harmless"),
    ("bound-loosened", field("Formed", pattern=None), ".Formed", "harmless", "harmless"),
    ("pattern-changed", field("Formed", pattern="^b"), ".Formed", "breaking", "harmless"),
    ("deprecated", field("Plain", deprecated=True), ".Plain", "harmless", "harmless"),
    ("undeprecated", put("Old", TEXT), ".Old", "harmless", "harmless"),
    ("type-changed", field("List", items={"type": "integer"}), ".List[]", "breaking", "breaking"),
    (
        "field-added",
        lambda s: put("X", TEXT)(s["properties"]["Inner"]),
        ".Inner.X",
        *["harmless"] * 2,
    ),
]


def required_field(schema):
    put("New", TEXT)(schema)
    require("Needed", "New")(schema)


IN_SCHEMAS.append(("required-field-added", required_field, ".New", "breaking", "harmless"))


def operation(tree, path="/things/{id}", method="post"):
    return tree["paths"][path][method]


def parameter(name, **keywords):
    def change(tree):
        parameters = operation(tree)["parameters"]
        next(each for each in parameters if each["name"] == name).update(keywords)

    return change


def without_parameter(name):
    def change(tree):
        node = operation(tree)
        node["parameters"] = [each for each in node["parameters"] if each["name"] != name]

    return change


def more(**keywords):
    new = {"name": "new", "in": "query", "type": "string", **keywords}
    return lambda tree: operation(tree)["parameters"].append(new)


def none(**keywords):
    return lambda tree: operation(tree, "/things", "put").update(keywords)


def body(**keywords):
    new = {"name": "b", "in": "body", "schema": TEXT, **keywords}
    return none(parameters=[new])


def reply(code, node):
    def change(tree):
        replies = operation(tree)["responses"]
        if node is None:
            del replies[code]
        else:
            replies[code] = node

    return change


def moved(tree):
    tree["paths"]["/thing"] = {"put": tree["paths"]["/things"].pop("put")}


JSON, PLAIN = "application/json", "text/plain"
IN_OPERATIONS = [
    (
        *("operation-added", "request", "harmless", "New"),
        lambda t: t["paths"].update({"/n": {"get": {"operationId": "New", "responses": {}}}}),
    ),
    (
        "operation-removed",
        "request",
        "breaking",
        "ThingGone",
        lambda t: t["paths"]["/things"].pop("delete"),
    ),
    ("operation-id-changed", "request", "breaking", "Other", none(operationId="Other")),
    ("operation-moved", "request", "breaking", "ThingNone", moved),
    ("deprecated", "request", "harmless", "ThingNone", none(deprecated=True)),
    (
        *("undeprecated", "request", "harmless", "ThingGone"),
        lambda t: operation(t, "/things", "delete").pop("deprecated"),
    ),
    ("parameter-added", "request", "harmless", "query new", more()),
    ("required-parameter-added", "request", "breaking", "query new", more(required=True)),
    ("parameter-removed", "request", "breaking", "query q", without_parameter("q")),
    ("became-required", "request", "breaking", "query q", parameter("q", required=True)),
    ("became-optional", "request", "harmless", "query must", parameter("must", required=False)),
    ("type-changed", "request", "breaking", "query q", parameter("q", type="integer")),
    ("enum-introduced", "request", "risky", "query q", parameter("q", enum=["a"])),
    ("default-changed", "request", "risky", "query q", parameter("q", default="a")),
    ("bound-tightened", "request", "breaking", "query q", parameter("q", maxLength=9)),
    (
        *("type-changed", "request", "breaking", "query many[]"),
        parameter("many", items={"type": "integer"}),
    ),
    (
        *("collection-changed", "request", "breaking", "query many"),
        parameter("many", collectionFormat="multi"),
    ),
    ("body-added", "request", "harmless", "body", body()),
    ("required-body-added", "request", "breaking", "body", body(required=True)),
    ("body-removed", "request", "breaking", "body", without_parameter("thing")),
    ("became-required", "request", "breaking", "body", parameter("thing", required=True)),
    (
        "media-type-added",
        "request",
        "harmless",
        "body",
        lambda t: operation(t)["consumes"].append("a/b"),
    ),
    (
        "media-type-removed",
        "request",
        "risky",
        "body",
        lambda t: operation(t)["consumes"].remove(PLAIN),
    ),
    (
        "media-type-added",
        "reply",
        "risky",
        "reply",
        lambda t: operation(t)["produces"].append("a/b"),
    ),
    (
        "media-type-removed",
        "reply",
        "risky",
        "reply",
        lambda t: operation(t)["produces"].remove(PLAIN),
    ),
    ("reply-added", "reply", "harmless", "reply", none(responses={"200": {"schema": TEXT}})),
    (
        *("reply-removed", "reply", "breaking", "reply"),
        reply("200", {"headers": {"X-A": {"type": "string"}}}),
    ),
    (
        *("reply-kind-changed", "reply", "breaking", "reply"),
        none(produces=["application/x-tar"]),
    ),
    ("success-added", "reply", "risky", "status 201", reply("201", {})),
    ("success-removed", "reply", "risky", "status 304", reply("304", None)),
    ("error-added", "reply", "harmless", "status 500", reply("500", {})),
    ("error-removed", "reply", "harmless", "status 404", reply("404", None)),
    (
        *("header-added", "reply", "harmless", "reply header X-B"),
        lambda t: operation(t)["responses"]["200"]["headers"].update({"X-B": {"type": "string"}}),
    ),
    (
        *("header-removed", "reply", "breaking", "reply header X-A"),
        lambda t: operation(t)["responses"]["200"].pop("headers"),
    ),
    (
        *("field-added", "reply", "harmless", "Fault.text"),
        lambda t: t["definitions"]["Fault"]["properties"].update(text=TEXT),
    ),
]

BY_ALIAS = {"operation-renamed"}
"""What only the overlay tells; tests/unit/test_differences.py has it."""


def rows_of(old, new):
    rows = compare(load_spec(old), load_spec(new))
    return [(row.kind, row.severity, row.direction, row.place) for row in rows]


PLANTED = [
    ((kind, severity, direction, name + place), name, change)
    for kind, change, place, *severities in IN_SCHEMAS
    for direction, name, severity in zip(
        ("request", "reply"), ("Sent", "Read"), severities, strict=True
    )
]


def name_of(value):
    """Return a row as a test's name; functions have none that stays the same."""
    return " ".join(value) if isinstance(value, tuple) else ""


@pytest.mark.parametrize(("row", "name", "change"), PLANTED, ids=name_of)
def test_a_change_of_a_schema_is_found_once(row, name, change):
    tree = document()
    change(tree["definitions"][name])
    assert rows_of(document(), tree) == [row]


PLANTED_IN_OPERATIONS = [
    ((kind, severity, direction, place), change)
    for kind, direction, severity, place, change in IN_OPERATIONS
]


@pytest.mark.parametrize(("row", "change"), PLANTED_IN_OPERATIONS, ids=name_of)
def test_a_change_of_an_operation_is_found_once(row, change):
    tree = document()
    change(tree)
    assert rows_of(document(), tree) == [row]


def test_every_kind_is_planted_in_each_direction():
    planted = {(kind, way) for kind, *_ in IN_SCHEMAS for way in ("request", "reply")}
    planted |= {(kind, direction) for kind, direction, *_ in IN_OPERATIONS}
    listed = {(kind, way) for kind, row in kinds().items() for way in row if way != "words"}
    listed = {(kind, way) for kind, way in listed if way != "why" and kind not in BY_ALIAS}
    # An operation is deprecated as a whole, and so is a field in either direction.
    assert planted == listed


@pytest.mark.parametrize("kind", [*kinds()])
def test_severities_are_some_that_there_are(kind):
    row = kinds()[kind]
    assert {row[way] for way in ("request", "reply") if way in row} <= {*SEVERITIES}, kind
    assert row["words"]


def test_what_is_sent_and_read_is_as_bad_as_its_worst():
    tree = document()
    del tree["definitions"]["Both"]["properties"]["A"]
    (row,) = diff(document(), tree)
    assert (row.severity, row.direction, row.place) == ("breaking", "both", "Both.A")
    assert [(use.direction, use.path) for use in row.uses] == [
        ("request", "body Shared.A"),
        ("reply", "reply Shared.A"),
    ]


def test_a_replaced_subtree_is_told_at_its_top():
    tree = document()
    deep = {"type": "object", "properties": {"A": FIELDS["Inner"], "B": reference("Both")}}
    tree["definitions"]["Sent"]["properties"]["New"] = deep
    assert rows_of(document(), tree) == [("field-added", "harmless", "request", "Sent.New")]
    assert rows_of(tree, document()) == [("field-removed", "risky", "request", "Sent.New")]


def test_what_a_definition_is_made_of_is_told_there():
    def made(properties):
        tree = document()
        base = {"type": "object", "properties": properties}
        tree["definitions"]["Base"] = base
        own = {"type": "object", "properties": {"Own": TEXT}}
        tree["definitions"]["Sent"] = {"allOf": [reference("Base"), own]}
        tree["definitions"]["Read"] = reference("Base")
        return tree

    found = rows_of(made({"A": TEXT}), made({"A": TEXT, "B": TEXT}))
    assert found == [("field-added", "harmless", "both", "Base.B")]


def overridden(value, **others):
    """Return a document whose Sent has its own A in place of Base's, which Read has as it is."""
    tree = document()
    tree["definitions"]["Base"] = {"type": "object", "properties": {"A": value}}
    own = {"type": "object", "properties": {"A": TEXT, **others}}
    tree["definitions"]["Sent"] = {"allOf": [reference("Base"), own]}
    tree["definitions"]["Read"] = reference("Base")
    return tree


def test_what_is_overridden_is_no_difference():
    old, new = overridden(TEXT), overridden({"type": "boolean"})
    assert rows_of(old, new) == [("type-changed", "breaking", "reply", "Base.A")]


def test_what_is_overridden_may_be_met_elsewhere():
    inner = reference("Base")
    old, new = overridden(TEXT, In=inner), overridden({"type": "boolean"}, In=inner)
    (row,) = diff(old, new)
    assert [(use.direction, use.path) for use in row.uses] == [
        ("request", "body In.A"),
        ("reply", "reply A"),
    ]


def test_what_a_definition_requires_of_another_is_its_own():
    def requiring(*names):
        tree = overridden(TEXT)
        own = {"type": "object", "required": [*names]}
        tree["definitions"]["Sent"] = {"allOf": [reference("Base"), own]}
        return tree

    found = rows_of(requiring(), requiring("A"))
    assert found == [("became-required", "breaking", "request", "Sent.A")]


def node_of(value):
    tree = document()
    properties = {"Next": reference("Node"), "Value": value}
    tree["definitions"]["Node"] = {"type": "object", "properties": properties}
    tree["definitions"]["Read"]["properties"]["Chain"] = reference("Node")
    return tree


def test_a_definition_inside_itself_is_told_once():
    found = rows_of(node_of(TEXT), node_of({"type": "integer"}))
    assert found == [("type-changed", "breaking", "reply", "Node.Value")]


def test_circles_of_other_lengths_end():
    long = node_of(TEXT)
    node = long["definitions"]["Node"]
    longer = {"type": "object", "properties": {"Next": reference("Node"), "Value": TEXT}}
    node["properties"]["Next"] = longer
    assert rows_of(node_of(TEXT), long) == []


PAIRS = [*pairwise(bundled_versions())]

OPPOSITE = {
    "added": "removed",
    "became-required": "became-optional",
    "became-nullable": "became-not-nullable",
    "type-widened": "type-narrowed",
    "type-described": "type-opened",
    "enum-introduced": "enum-dropped",
    "deprecated": "undeprecated",
    "bound-tightened": "bound-loosened",
}
OPPOSITE |= {other: one for one, other in OPPOSITE.items()}


def turned(kind):
    """Return the kind of the same difference the other way round."""
    kind = kind.removeprefix("required-")
    thing, _, end = kind.rpartition("-")
    return f"{thing}-{OPPOSITE[end]}" if end in OPPOSITE else OPPOSITE.get(kind, kind)


def kinds_of(rows, turn=str):
    return Counter(
        turn(row.kind).removeprefix("required-").replace("tightened", "loosened") for row in rows
    )


@pytest.mark.parametrize(("old", "new"), PAIRS, ids=str)
def test_the_other_way_round_all_is_opposite(old, new):
    specs = load_version(old), load_version(new)
    there, back = compare(*specs), compare(*reversed(specs))
    assert kinds_of(there, turned) == kinds_of(back)


@pytest.mark.parametrize(("old", "new"), PAIRS, ids=str)
def test_json_is_read_back(old, new):
    found = diff(str(old), str(new))
    again = Differences.from_dict(json.loads(found.json()))
    assert again == found
    assert again.text(80) == found.text(80)
    assert again.markdown() == found.markdown()


def test_other_json_is_refused():
    with pytest.raises(SpecError, match="dynadock differences 1"):
        Differences.from_dict({"format": "other"})


scalars = st.sampled_from([TEXT, {"type": "integer"}, {}, reference("A"), reference("B")])
schemas = st.recursive(
    scalars,
    lambda inner: st.one_of(
        inner.map(lambda each: {"type": "array", "items": each}),
        inner.map(lambda each: {"type": "object", "additionalProperties": each}),
        st.dictionaries(st.sampled_from("xyz"), inner, max_size=3).map(
            lambda each: {"type": "object", "properties": each}
        ),
    ),
    max_leaves=6,
)
objects = st.dictionaries(st.sampled_from("xyz"), schemas, max_size=3).map(
    lambda each: {"type": "object", "properties": each}
)


def drawn(definitions):
    a, b = definitions
    tree = document()
    tree["definitions"] |= {"A": a, "B": b}
    tree["definitions"]["Sent"] = {"type": "object", "properties": {"a": reference("A")}}
    tree["definitions"]["Read"] = {"type": "object", "properties": {"b": reference("B")}}
    return tree


@given(st.tuples(objects, objects), st.tuples(objects, objects))
@settings(deadline=None)
def test_random_documents(one, other):
    old, new = load_spec(drawn(one)), load_spec(drawn(other))
    assert compare(old, old) == []
    there, back = compare(old, new), compare(new, old)
    assert kinds_of(there, turned) == kinds_of(back)
    assert all(row.uses for row in there)


HOSTILE = "<script>alert(1)</script>|`*_[x](y)\\ \x1b[31m\u202e"


def test_hostile_names_are_only_text():
    tree = document()
    tree["definitions"]["Sent"]["properties"][HOSTILE] = {"type": "string", "enum": [HOSTILE]}
    tree["definitions"]["Read"]["properties"]["Choice"] = {"type": "string", "enum": ["a", HOSTILE]}
    operation(tree)["parameters"].append({"name": HOSTILE, "in": "query", "type": "string"})
    found = diff(document(), tree)
    assert len(found) == 4
    for text in (found.text(80), repr(found), found.markdown()):
        assert not re.search("[\x00-\x09\x0b-\x1f\u202e]", text)
    assert "<script>alert" not in found.html()
    for line in found.markdown().splitlines():
        if line.startswith("|"):
            assert len(re.findall(r"(?<!\\)\|", line)) == 5, line
        assert "<script>" not in re.sub(r"\\.", "", line)
