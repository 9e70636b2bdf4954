"""What is inside parameters that are written as JSON is checked with its places, as bodies are."""

from __future__ import annotations

import json
import warnings
from pathlib import PurePosixPath
from urllib.parse import parse_qs, urlsplit

import pytest

from documents import VERSIONS
from dynadock import ParameterError, UnknownFieldWarning, load, reveal
from dynadock.call.content import Content
from dynadock.spec.loader import load_version
from dynadock.spec.versions import parse_version

CLIENT = load("1.52", host="unix:///nowhere.sock")
JSON = ("json-object", "json-array", "base64-json")

WRONG = {
    "a build argument": ("buildargs", {"FOO": 5}, "buildargs.FOO: expected string, got an int"),
    "two of them": ("buildargs", {"A": True, "B": []}, "buildargs.B: expected string, got a list"),
    "a label": ("labels", {"a": 5}, "labels.a: expected string, got 5"),
    "a label in JSON": ("labels", '{"a": 5}', "labels.a: expected string, got 5"),
    "an image": ("cachefrom", ["a", 5], r"cachefrom\[1\]: expected string, got 5"),
    "an output": ("outputs", [{"Type": 5}], r"outputs\[0\]\.Type: expected string, got 5"),
    "its attribute": (
        "outputs",
        [{"Type": "local", "Attrs": {"dest": ["a"]}}],
        r"outputs\[0\]\.Attrs\.dest: expected string, got \['a'\]",
    ),
    "a misspelling": ("outputs", [{"Typ": "a"}], r"outputs\[0\]\.Typ: unknown field; did you mean"),
    "a list of texts": ("outputs", ["local"], r"outputs\[0\]: expected object, got 'local'"),
    "a limit": ("ulimits", [{"Name": "a", "Soft": "5"}], r"ulimits\[0\]\.Soft: expected integer"),
    "an account": (
        "X_Registry_Config",
        {"r": {"password": 5}},
        r"X_Registry_Config\.r\.password: expected string, got an int that is not shown",
    ),
    "what no account is": ("X_Registry_Config", {"r": "me"}, r"X_Registry_Config\.r: expected obj"),
    "what JSON cannot hold": ("labels", {"a": object()}, "labels.a: object cannot be written"),
    "a key": ("labels", {5: "a"}, "labels: expected text for a key, got 5"),
    "no object": ("labels", ["a"], "labels: expected an object .dict. or its JSON text, got"),
    "no JSON": ("labels", "{", "labels: expected a JSON object"),
    "a number": ("labels", 5, r"labels: expected an object \(dict\) or its JSON text, got 5"),
}


@pytest.mark.parametrize(("name", "value", "problem"), WRONG.values(), ids=WRONG)
def test_faults_have_places(name, value, problem):
    with pytest.raises(ParameterError, match=problem) as caught:
        CLIENT.ImageBuild.prepare(body=b"", **{name: value})
    assert all(fault.location in ("query", "header") for fault in caught.value.faults)


def test_all_faults_come_at_once():
    with pytest.raises(ParameterError, match="4 faults"):
        CLIENT.ImageBuild.prepare(
            body=b"", labels={"a": 5, "b": 5}, cachefrom=[5], platform={"os": "linux"}
        )


@pytest.mark.parametrize(
    ("operation", "arguments", "problem"),
    [
        ("ImagePush", {"platform": {"os": 5}}, "platform.os: expected string, got 5"),
        ("ImagePush", {"X_Registry_Auth": {"username": 5}}, "X_Registry_Auth.username: expected"),
        ("ImageGet", {"platform": [{}, {"os": 5}]}, r"platform\[1\]\.os: expected string, got 5"),
        ("ImageGet", {"platform": {"os": 5}}, r"platform\.os: expected string, got 5"),
        ("ImageDelete", {"platforms": ['{"os": 5}']}, r"platforms\[0\]\.os: expected string, got"),
    ],
)
def test_other_operations(operation, arguments, problem):
    with pytest.raises(ParameterError, match=problem):
        CLIENT.operations[operation].prepare("a", **arguments)


def sent(request, name):
    (text,) = parse_qs(urlsplit(reveal(request.target)).query)[name]
    return json.loads(text)


def test_what_engines_take_is_sent_as_it_is():
    arguments = {
        "buildargs": {"A": "b", "HTTP_PROXY": None},
        "labels": {},
        "cachefrom": ["a", "b"],
        "outputs": [{"Type": "local", "Attrs": {"dest": "out"}}],
        "ulimits": [{"Name": "nofile", "Soft": 1, "Hard": -1}],
    }
    request = CLIENT.ImageBuild.prepare(body=b"", **arguments)
    assert {name: sent(request, name) for name in arguments} == arguments


def test_values_become_plain_as_in_a_body():
    request = CLIENT.ImageBuild.prepare(
        body=b"", buildargs={"A": PurePosixPath("/a")}, cachefrom=("a",), labels={"a": 'é"'}
    )
    assert sent(request, "buildargs") == {"A": "/a"}
    assert sent(request, "cachefrom") == ["a"]
    assert sent(request, "labels") == {"a": 'é"'}


def test_ready_text_is_sent_to_the_letter():
    request = CLIENT.ImageBuild.prepare(body=b"", labels='{ "a" : "b" }')
    assert parse_qs(urlsplit(request.target).query)["labels"] == ['{ "a" : "b" }']


@pytest.mark.parametrize("unknown", ["send", "warn"])
def test_the_way_out_for_unknown_names_works(unknown):
    client = CLIENT.with_options(unknown=unknown)
    outputs = [{"Type": "local", "New": "x"}]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        request = client.ImageBuild.prepare(body=b"", outputs=outputs)
    assert sent(request, "outputs") == outputs
    assert [each.category for each in caught] == [UnknownFieldWarning] * (unknown == "warn")
    assert all("outputs[0].New: unknown field" in str(each.message) for each in caught)


def test_unchecked_anything_is_sent():
    request = CLIENT.with_options(validate=False).ImageBuild.prepare(body=b"", labels={"a": 5})
    assert sent(request, "labels") == {"a": 5}


@pytest.mark.parametrize("version", VERSIONS)
def test_every_parameter_with_json_in_it_has_a_schema(version):
    for operation in load_version(parse_version(version)).values():
        for parameter in operation.parameters:
            inner = parameter.items or parameter
            assert parameter.has_content == (inner.encoding in JSON), (operation, parameter)


def test_contents_of_another_kind_are_left_to_the_encoding():
    operation = CLIENT.ImageBuild._operation
    content = Content(operation, operation.by_name["labels"], 5, "error")
    assert (content.value, content.faults) == (5, [])
