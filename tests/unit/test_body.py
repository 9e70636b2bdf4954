"""Bodies: what Python says and JSON does not, and how places are written."""

from __future__ import annotations

import enum
import json
import math
from collections import OrderedDict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import PurePosixPath
from types import MappingProxyType

import pytest

from documents import VERSIONS
from dynadock import BodyError, Options, Record, load
from dynadock.call.bind import bind
from dynadock.call.body import check_body, place_of, validator_for
from dynadock.call.encode import encode
from dynadock.call.plain import Plain as PlainBody
from dynadock.spec.loader import load_spec
from dynadock.spec.model import Body

OPTIONS = Options()
CLIENT = load("1.42", host="unix:///nowhere.sock")


class Mode(enum.StrEnum):
    HOST = "host"


class Size(enum.IntEnum):
    BIG = 2**28


class Plain(enum.Enum):
    ONE = 1


def sent(operation_id, body, version="1.42", options=OPTIONS, args=()):
    operation = load_spec(version)[operation_id]
    return json.loads(encode(bind(operation, args, {"body": body}, options), options).body)


def faults_of(operation_id, body, options=OPTIONS):
    with pytest.raises(BodyError) as caught:
        sent(operation_id, body, options=options)
    return [(fault.place, fault.problem) for fault in caught.value.faults]


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ((), ""),
        (("A",), "A"),
        (("A", "b", 0, "c"), "A.b[0].c"),
        ((0, 1), "[0][1]"),
        (("PortBindings", "80/tcp", 0, "HostPort"), "PortBindings.80/tcp[0].HostPort"),
    ],
)
def test_places(path, place):
    assert place_of(path) == place


PLAIN = [
    (MappingProxyType({"Image": "x"}), {"Image": "x"}),
    (OrderedDict(Image="x"), {"Image": "x"}),
    (Record(Image="x", HostConfig=Record(Memory=5)), {"Image": "x", "HostConfig": {"Memory": 5}}),
    ({"Env": ("A=1", "B=2")}, {"Env": ["A=1", "B=2"]}),
    ({"Env": {"A=1"}}, {"Env": ["A=1"]}),
    ({"Env": frozenset(["A=1"])}, {"Env": ["A=1"]}),
    ({"Labels": {Mode.HOST: Mode.HOST}}, {"Labels": {"host": "host"}}),
    ({"HostConfig": {"Memory": Size.BIG}}, {"HostConfig": {"Memory": 2**28}}),
    ({"HostConfig": {"Memory": 1e9}}, {"HostConfig": {"Memory": 10**9}}),
    ({"WorkingDir": PurePosixPath("/srv")}, {"WorkingDir": "/srv"}),
    ({"StopTimeout": timedelta(minutes=1)}, {"StopTimeout": 60}),
    (
        {"Healthcheck": {"Interval": timedelta(seconds=1.5), "Timeout": 5 * 10**9}},
        {"Healthcheck": {"Interval": 1_500_000_000, "Timeout": 5_000_000_000}},
    ),
    ({"Healthcheck": {"Interval": timedelta(0)}}, {"Healthcheck": {"Interval": 0}}),
]


@pytest.mark.parametrize(("body", "plain"), PLAIN)
def test_what_becomes_plain(body, plain):
    assert sent("ContainerCreate", body) == plain


def test_members_of_any_enum_are_their_values():
    assert sent("ContainerCreate", {"StopTimeout": Plain.ONE}) == {"StopTimeout": 1}


def test_the_callers_body_is_left_alone():
    body = {"HostConfig": {"Memory": 1e9}, "Env": ("A=1",)}
    sent("ContainerCreate", body)
    assert body == {"HostConfig": {"Memory": 1e9}, "Env": ("A=1",)}
    assert isinstance(body["HostConfig"]["Memory"], float)


def test_durations_through_refs_lists_and_second_spellings():
    spec = {
        "TaskTemplate": {
            "ContainerSpec": {
                "Healthcheck": {"Interval": timedelta(seconds=1)},
                "StopGracePeriod": timedelta(seconds=2),
            },
            "RestartPolicy": {"Delay": timedelta(seconds=3)},
        },
        "UpdateConfig": {"Monitor": timedelta(seconds=4)},
    }
    body = sent("ServiceCreate", spec)
    task = body["TaskTemplate"]
    assert task["ContainerSpec"]["Healthcheck"]["Interval"] == 10**9
    assert task["ContainerSpec"]["StopGracePeriod"] == 2 * 10**9
    assert task["RestartPolicy"]["Delay"] == 3 * 10**9
    assert body["UpdateConfig"]["Monitor"] == 4 * 10**9


@pytest.mark.parametrize("version", ["1.25", "1.30", "1.42"])
@pytest.mark.parametrize("data", [b"\xff\xfe", bytearray(b"\xff\xfe"), memoryview(b"\xff\xfe")])
def test_bytes_where_engines_want_base64(version, data):
    body = sent("SecretCreate", {"Name": "s", "Data": data}, version)
    assert body == {"Name": "s", "Data": "//4="}


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ({"Image": b"x"}, ("Image", "expected what JSON can hold, got bytes")),
        ({"Env": [b"A=1"]}, ("Env[0]", "expected what JSON can hold, got bytes")),
        ({"Labels": {1: "x"}}, ("Labels", "expected text for a key, got 1")),
        ({"Image": object}, ("Image", "type cannot be written as JSON")),
        (
            {"HostConfig": {"Memory": Decimal(5)}},
            ("HostConfig.Memory", "Decimal cannot be written"),
        ),
        (
            {"HostConfig": {"Memory": math.nan}},
            ("HostConfig.Memory", "nan cannot be written as JSON"),
        ),
        ({"HostConfig": {"NanoCpus": math.inf}}, ("HostConfig.NanoCpus", "inf cannot be written")),
        ({"StopTimeout": timedelta(seconds=1.5)}, ("StopTimeout", "expected whole seconds, got ")),
        (
            {"HostConfig": {"Memory": timedelta(1)}},
            ("HostConfig.Memory", "expected no duration, got "),
        ),
        ({"Bogus": timedelta(1)}, ("Bogus", "expected no duration")),
        ({"Env": (x for x in "ab")}, ("Env", "generator cannot be written as JSON")),
        (
            {"Image": datetime(1, 1, 1)},  # noqa: DTZ001 - local, before the first year of UTC
            ("Image", "expected"),
        ),
    ],
)
def test_what_does_not(body, fault):
    ((place, problem),) = faults_of("ContainerCreate", body)
    assert place == fault[0]
    assert fault[1] in problem


def test_what_cannot_be_written_is_a_fault_unchecked_too():
    options = Options(validate=False)
    assert faults_of("ContainerCreate", {"Image": {1}, "Labels": {1: 2}}, options)[0][0] == "Labels"


def test_moments_become_rfc_3339():
    options = Options(unknown="send")
    moment = datetime(2026, 1, 31, 8, tzinfo=UTC)
    body = sent("ContainerCreate", {"Created": moment}, options=options)
    assert datetime.fromisoformat(body["Created"]) == moment


def test_a_body_that_holds_itself():
    body = {}
    body["HostConfig"] = body
    faults = faults_of("ContainerCreate", body)
    assert all("at most 100 levels" in problem for _, problem in faults)
    assert faults[0][0] == "HostConfig"


@pytest.mark.timeout(10)
def test_a_body_that_holds_itself_twice_over():
    twice = []
    twice += [twice, twice]
    assert faults_of("ContainerCreate", {"Env": twice})


def test_a_body_nested_very_deep():
    body = deep = {}
    for _ in range(5000):
        deep["Labels"] = {}
        deep = deep["Labels"]
    assert "at most 100 levels" in faults_of("ContainerCreate", body)[0][1]


def test_the_checker_of_a_body_is_made_once():
    body = load_spec("1.42")["ContainerCreate"].body
    assert validator_for(body) is validator_for(body)


def test_missing_keys_are_faults_of_their_own():
    faults = faults_of("SwarmInit", {"Spec": None, "Bogus": 1, "Spec2": 2})
    assert [place for place, _ in faults] == ["Bogus", "Spec2"]
    assert "did you mean 'Spec'?" in faults[1][1]


STRICT = {
    "type": "object",
    "required": ["A", "It's", "B' is a required property"],
    "properties": {
        "A": {"type": "string"},
        "Inner": {
            "type": "array",
            "items": {"type": "object", "required": ["C", "D"], "properties": {"C": {}, "D": {}}},
        },
    },
}


@pytest.mark.parametrize(
    ("body", "missing"),
    [
        ({}, ["A", "It's", "B' is a required property"]),
        ({"It's": 1, "A": "a"}, ["B' is a required property"]),
        (
            {"A": "a", "It's": 1, "B' is a required property": 1, "Inner": [{}, {"C": 1}, {}]},
            ["Inner[0].C", "Inner[0].D", "Inner[1].D", "Inner[2].C", "Inner[2].D"],
        ),
    ],
)
def test_each_missing_key_is_told_once(body, missing):
    parameter = {"name": "body", "in": "body", "required": True, "schema": STRICT}
    operation = {
        "operationId": "Make",
        "parameters": [parameter],
        "responses": {"200": {"description": ""}},
    }
    document = {
        "swagger": "2.0",
        "info": {"version": "1.42"},
        "basePath": "/v1.42",
        "paths": {"/make": {"post": operation}},
    }
    with pytest.raises(BodyError) as caught:
        bind(load_spec(document)["Make"], (), {"body": body}, Options(unknown="send"))
    faults = [(fault.place, fault.problem) for fault in caught.value.faults]
    assert faults == [(place, "missing; it is required") for place in missing]


DATA = {
    "secret": ("SecretCreate", lambda data: {"Name": "a", "Data": data}),
    "changed secret": ("SecretUpdate", lambda data: {"id": "a", "version": 1, "Data": data}),
    "config": ("ConfigCreate", lambda data: {"Name": "a", "Data": data}),
    "changed config": ("ConfigUpdate", lambda data: {"id": "a", "version": 1, "Data": data}),
    "a seccomp profile": (
        "ServiceCreate",
        lambda data: {
            "Name": "a",
            "TaskTemplate": {"ContainerSpec": {"Privileges": {"Seccomp": {"Profile": data}}}},
        },
    ),
}


def with_data(name, version="1.45", **options):
    operation, arguments = DATA[name]
    operations = load(version, host="unix:///nowhere.sock", **options).operations
    return lambda data: operations[operation].prepare(**arguments(data))


@pytest.mark.parametrize("name", DATA)
@pytest.mark.parametrize(
    "data", ["hello world!", "aGVsbG8", "aGVsbG8==", "_-8=", "a", "é", "aGVs bG8=", "aGVs=bG8="]
)
def test_text_that_is_no_base64_is_a_fault_that_names_bytes(name, data):
    """What Docker 20.10 and 28.5 answer 400 to."""
    problem = r"(Data|Profile): expected base64 text, or bytes, which are encoded, got "
    with pytest.raises(BodyError, match=problem) as caught:
        with_data(name)(data)
    assert len(caught.value.faults) == 1


@pytest.mark.parametrize("name", DATA)
@pytest.mark.parametrize("data", ["aGVsbG8=", "aGVs\nbG8=\r\n", "aGVsbG9=", "", "+/8="])
def test_base64_is_sent_as_it_is(name, data):
    assert json.dumps(data).encode() in with_data(name)(data).body


@pytest.mark.parametrize("name", DATA)
@pytest.mark.parametrize("data", [b"hello", bytearray(b"hello"), memoryview(b"hello")])
def test_bytes_are_encoded(name, data):
    assert b'"aGVsbG8="' in with_data(name)(data).body


@pytest.mark.parametrize("version", VERSIONS)
def test_base64_is_checked_at_all_versions(version):
    with pytest.raises(BodyError, match="Data: expected base64 text"):
        with_data("secret", version)("hello world!")


def test_unchecked_any_text_is_sent():
    assert b'"hello world!"' in with_data("secret", validate=False)("hello world!").body


def test_the_help_of_base64_names_bytes():
    for name in ("SecretCreate", "ConfigCreate"):
        help_text = CLIENT.operations[name].describe()
        assert "Content, as bytes, which are encoded, or as standard base64" in help_text


def test_swaggers_own_word_for_base64_counts_too():
    field = {"type": "string", "format": "byte"}
    body = Body(
        {
            "name": "b",
            "python_name": "b",
            "required": True,
            "kind": "object",
            "schema": {"type": "object", "properties": {"Data": field}},
        },
        {},
    )
    assert PlainBody(body).of({"Data": b"hello"}) == {"Data": "aGVsbG8="}
    operation = load_spec("1.42")["SystemPing"]
    (fault,) = check_body(operation, body, {"Data": "hello!"}, "error")
    assert str(fault).startswith(
        "Data: expected base64 text, or bytes, which are encoded, got 'hel"
    )
