"""Names that two things of a document have: each is still to be had, or the document is refused."""

from __future__ import annotations

import inspect
import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynadock import SpecError, UnknownOperation, load
from dynadock.explore.describe import describe
from dynadock.explore.signature import signature_of
from dynadock.spec.names import distinct_names


def operation(path="/things", operation_id="ThingMake", parameters=(), fields=None, body="thing"):
    parameters = list(parameters)
    if fields is not None:
        schema = {"type": "object", "properties": {name: {"type": "string"} for name in fields}}
        parameters.append({"name": body, "in": "body", "schema": schema})
    return {path: {"post": {"operationId": operation_id, "parameters": parameters}}}


def at(location, name):
    return {
        "name": name,
        "in": location,
        "type": "string",
        "required": location == "path",
    }


def client(paths):
    document = {"swagger": "2.0", "info": {"version": "1.42"}, "paths": paths}
    return load(document, host="unix:///nowhere.sock")


def places(request):
    """Return what a request says: its target, its headers that are not ours, its body."""
    ours = {"User-Agent", "Content-Type"}
    headers = {name: value for name, value in request.headers.items() if name not in ours}
    return request.target, headers, request.body and json.loads(request.body)


CLASHES = {
    "one name in path and header": (
        operation("/things/{id}", parameters=[at("header", "id"), at("path", "id")]),
        {"id": "1", "id_header": "2"},
        ("/things/1", {"id": "2"}, None),
    ),
    "one name in path and query": (
        operation("/things/{name}", parameters=[at("query", "name"), at("path", "name")]),
        {"name": "1", "name_query": "2"},
        ("/things/1?name=2", {}, None),
    ),
    "one name everywhere": (
        operation(
            "/things/{x}",
            parameters=[at("path", "x"), at("query", "x"), at("header", "x")],
            fields=["x"],
            body="x",
        ),
        {"x": "1", "x_query": "2", "x_header": "3", "x_body": {"x": "4"}},
        ("/things/1?x=2", {"x": "3"}, {"x": "4"}),
    ),
    "one Python name": (
        operation(parameters=[at("query", name) for name in ("a.b", "a_b", "a-b", "a b")]),
        {"a_b": "1", "a_b_query": "2", "a_b_query_2": "3", "a_b_query_3": "4"},
        ("/things?a_b=1&a.b=2&a-b=3&a%20b=4", {}, None),
    ),
    "one Python name, by the wire's": (
        operation(parameters=[at("query", name) for name in ("a.b", "a_b", "a-b")]),
        {"a.b": "1", "a_b": "2", "a-b": "3"},
        ("/things?a.b=1&a_b=2&a-b=3", {}, None),
    ),
    "a name like one that is given": (
        operation("/{x}", parameters=[at("path", "x"), at("query", "x"), at("query", "x_query")]),
        {"x": "1", "x_query": "2", "x_query_2": "3"},
        ("/1?x_query=2&x=3", {}, None),
    ),
    "names that are the same in another case": (
        operation(parameters=[at("query", "Name"), at("query", "name")]),
        {"Name": "1", "name": "2"},
        ("/things?Name=1&name=2", {}, None),
    ),
    "a parameter called body": (
        operation(parameters=[at("query", "body")], fields=["a"], body="body"),
        {"body": "1", "body_body": {"a": "2"}},
        ("/things?body=1", {}, {"a": "2"}),
    ),
    "a parameter called body, and the body's field": (
        operation(parameters=[at("query", "body")], fields=["a"]),
        {"body": "1", "a": "2"},
        ("/things?body=1", {}, {"a": "2"}),
    ),
    "a parameter and a field": (
        operation(parameters=[at("query", "a")], fields=["a"]),
        {"a": "1", "body": {"a": "2"}},
        ("/things?a=1", {}, {"a": "2"}),
    ),
    "a field called body": (
        operation(fields=["body", "b"]),
        {"body": {"body": "1", "b": "2"}},
        ("/things", {}, {"body": "1", "b": "2"}),
    ),
    "a field called like the body": (
        operation(fields=["thing"]),
        {"thing": {"thing": "1"}},
        ("/things", {}, {"thing": "1"}),
    ),
    "keywords and odd names": (
        operation(
            "/{class}",
            parameters=[at("path", "class"), at("query", "__init__"), at("query", "self")],
            fields=["from", "", "2", "a b"],
        ),
        {"class_": "0", "__init__": "1", "self": "2", "from": "3", "": "4", "2": "5", "a b": "6"},
        ("/0?__init__=1&self=2", {}, {"from": "3", "": "4", "2": "5", "a b": "6"}),
    ),
    "a letter that Python reads as others": (
        operation(parameters=[at("query", "\ufb01"), at("query", "fi")]),
        {"fi": "1", "fi_query": "2"},
        ("/things?fi=1&%EF%AC%81=2", {}, None),
    ),
    "a parameter twice in a path": (
        operation("/a/{id}/b/{id}", parameters=[at("path", "id")]),
        {"id": "1"},
        ("/a/1/b/1", {}, None),
    ),
}


@pytest.mark.parametrize(("paths", "arguments", "sent"), CLASHES.values(), ids=CLASHES)
def test_whatever_shares_a_name_is_reachable(paths, arguments, sent):
    made = client(paths).ThingMake.prepare(**arguments)
    # The order of a call's arguments is that of the query.
    assert places(made) == sent


@pytest.mark.parametrize("paths", [each[0] for each in CLASHES.values()], ids=CLASHES)
def test_help_and_signature_name_them_apart(paths):
    operation = client(paths)._spec["ThingMake"]
    names = [each.python_name for each in operation.parameters]
    assert len({*names}) == len(names)
    assert {*names} <= {*signature_of(operation).parameters}
    text = describe(operation)
    assert all(f"  {name} " in text for name in names)
    if operation.body is not None:
        assert operation.body.python_name in signature_of(operation).parameters
        assert operation.body.python_name not in names
        for name in operation.body.properties:
            note = "not as an argument of its own" in text
            assert note or not operation.is_argument(name)


def test_an_example_of_clashing_names_passes():
    paths = CLASHES["one name everywhere"][0]
    example = client(paths).ThingMake.example(full=True)
    assert {*example} == {"x", "x_query", "x_header", "x_body"}
    assert client(paths).ThingMake.prepare(**example)


@given(
    st.lists(
        st.tuples(
            st.text("a_.-1 ", min_size=1, max_size=3) | st.sampled_from(["class", "\ufb01", "fi"]),
            st.sampled_from(["path", "query", "header", "body"]),
        ),
        unique=True,
        max_size=12,
    )
)
def test_no_two_arguments_have_one_name(arguments):
    names = distinct_names(arguments)
    assert len({*names}) == len(names) == len(arguments)
    for (wire_name, _), name in zip(arguments, names, strict=True):
        assert name.isidentifier()
        assert unicodedata.normalize("NFKC", name) == name
        # A parameter's name on the wire leads to it, and to nothing else.
        others = {each for each, where in arguments if where != "body"} - {wire_name}
        assert name not in others


def test_a_thousand_names_that_become_one():
    arguments = [("".join(each), "query") for each in _spellings(11)]
    assert len({*distinct_names(arguments)}) == 2**11


def _spellings(length):
    spellings = [""]
    for _ in range(length):
        spellings = [each + letter for each in spellings for letter in ".-"]
    return spellings


REFUSED = {
    "two bodies": (
        operation(parameters=[{"name": "a", "in": "body", "schema": {}}], fields=["b"]),
        "one body at most",
    ),
    "a parameter twice": (
        operation(parameters=[at("query", "a"), at("query", "a")]),
        "parameters[1]: 'a' is in the query already",
    ),
    "a header twice": (
        operation(parameters=[at("header", "X-A"), at("header", "x-a")]),
        "parameters[1]: 'x-a' is in the header already",
    ),
    "an operationId twice": (
        {**operation("/a"), **operation("/b")},
        "operationId 'ThingMake' is taken by another operation",
    ),
    "an empty name": (operation(parameters=[at("query", "")]), "a parameter needs a name"),
    "an empty operationId": (operation(operation_id=""), "an operationId that is a name"),
    "a placeholder without a name": (operation("/a/{}"), "braces enclose the name of a parameter"),
    "a brace too few": (operation("/a/{id"), "braces enclose the name of a parameter"),
    "a brace too many": (
        operation("/a/{id}}", parameters=[at("path", "id")]),
        "braces enclose the name of a parameter",
    ),
    "nested braces": (
        operation("/a/{{id}}", parameters=[at("path", "id")]),
        "braces enclose the name of a parameter",
    ),
    "a placeholder without a parameter": (operation("/a/{id}"), "differ: id"),
    "a parameter without a placeholder": (operation(parameters=[at("path", "id")]), "differ: id"),
    "a placeholder that is no path parameter": (
        operation("/a/{id}", parameters=[at("query", "id")]),
        "differ: id",
    ),
}


@pytest.mark.parametrize(("paths", "part"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_told_apart_is_refused(paths, part):
    with pytest.raises(SpecError) as caught:
        client(paths)
    assert part in str(caught.value)


def test_an_operations_own_parameter_takes_the_place_of_its_paths():
    paths = operation(parameters=[{**at("query", "a"), "type": "integer"}])
    paths["/things"]["parameters"] = [at("query", "a"), at("query", "b")]
    assert client(paths).ThingMake.prepare(a=1, b="2").target == "/things?a=1&b=2"
    (a, _) = client(paths)._spec["ThingMake"].parameters
    assert a.type == "integer"


OPERATION_IDS = [
    *("at", "find", "close", "version", "operations", "options", "schema", "with_options"),
    *("At", "Find", "Close", "class", "from", "import", "_spec", "__init__", "__reduce__", "mro"),
    *("GetThing", "getThing", "get_thing", "GETTHING", "Get_Thing", "help", "keys", "endpoint"),
    *("doThis", "DoThis", "\ufb01nd_out"),
]


def test_every_operation_is_reachable_by_its_operation_id():
    paths = {}
    for place, name in enumerate(OPERATION_IDS):
        paths |= operation(f"/{place}", operation_id=name)
    made = client(paths)
    assert [*made.operations] == OPERATION_IDS
    for place, name in enumerate(OPERATION_IDS):
        assert made.operations[name].prepare().target == f"/{place}"
        own = getattr(type(made), name, None)
        if own is None and not name.startswith("_"):
            assert getattr(made, name).operation_id == name
    assert inspect.ismethod(made.find)
    assert made.get_thing.operation_id == "get_thing"
    # As Python reads what is written in a program.
    assert made.find_out.operation_id == "\ufb01nd_out"


def test_a_spelling_that_two_operations_have_is_neithers():
    made = client(operation("/a", operation_id="doThis") | operation("/b", operation_id="DoThis"))
    with pytest.raises(UnknownOperation, match=r"did you mean doThis, DoThis\?"):
        made.do_this  # noqa: B018 - the access is the test
