"""What callers give that nobody can write: half of a surrogate pair, and values without an end.

JSON can escape half a pair, and engines store another character in its place; so these texts are
faults wherever they stand.
"""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path

import pytest

from docker_config import write_config
from dynadock import ConfigError, DynadockError, ParameterError, ValidationError, load
from secret_values import SECRET

HALF = "x\ud800y"
FILE = os.fsdecode(b"caf\xe9")

TEXTS = {
    "a path": ("ContainerInspect", {"id": HALF}, "id"),
    "a query": ("ImageSearch", {"term": HALF}, "term"),
    "a list in a query": ("ImageBuild", {"t": ["a", HALF]}, "t"),
    "a filter": ("VolumeList", {"filters": {"label": HALF}}, "filters.label[0]"),
    "a filter's list": ("VolumeList", {"filters": {"label": ["a", HALF]}}, "filters.label[1]"),
    "a filter's map": ("VolumeList", {"filters": {"label": {HALF: True}}}, "filters"),
    "a filter's name": ("VolumeList", {"filters": {HALF: "a"}}, "filters"),
    "a filter's text": ("VolumeList", {"filters": r'{"label":["\ud800"]}'}, "filters.label[0]"),
    "a filter's text as it is": ("VolumeList", {"filters": f'{{"label":["{HALF}"]}}'}, "filters"),
    "JSON in a query": ("ImageBuild", {"labels": {"a": HALF}}, "labels.a"),
    "a name of JSON in a query": ("ImageBuild", {"labels": {HALF: "a"}}, "labels"),
    "a list of JSON": ("ImageBuild", {"cachefrom": ["a", HALF]}, "cachefrom[1]"),
    "JSON deep below": ("ImageBuild", {"outputs": [{"Attrs": {"dest": HALF}}]}, "outputs[0].Attrs"),
    "JSON in text": ("ImageBuild", {"labels": r'{"a":"\udfff"}'}, "labels.a"),
    "a header": ("ImagePush", {"name": "a", "X_Registry_Auth": {"email": HALF}}, "X_Registry_Auth"),
    "a header's text": (
        "ImagePush",
        {"name": "a", "X_Registry_Auth": r'{"email":"\ud800"}'},
        "X_Registry_Auth",
    ),
    "a header of many": ("ImageBuild", {"X_Registry_Config": {HALF: {}}}, "X_Registry_Config"),
    "a field": ("ContainerCreate", {"Image": HALF}, "Image"),
    "a field of many": ("ContainerCreate", {"Cmd": ["echo", HALF]}, "Cmd[1]"),
    "a field's map": ("ContainerCreate", {"Labels": {"a": HALF}}, "Labels.a"),
    "a key": ("ContainerCreate", {"Labels": {HALF: "a"}}, "Labels"),
    "a key deep below": (
        "ContainerCreate",
        {"HostConfig": {"Tmpfs": {HALF: ""}}},
        "HostConfig.Tmp",
    ),
    "a whole body": ("SystemAuth", {"body": {"username": HALF}}, "username"),
    "a path in a body": ("ContainerCreate", {"WorkingDir": Path(FILE)}, "WorkingDir"),
    "a file's name": ("ContainerCreate", {"HostConfig": {"Binds": [FILE]}}, "HostConfig.Binds[0]"),
}

ESCAPED = ("a filter's text", "JSON in text", "a header's text")
"""A caller's own JSON, which is sent as it is where nothing is checked."""


@pytest.fixture(scope="module")
def client():
    return load("1.42", host="unix:///nowhere.sock", credentials=False)


@pytest.mark.parametrize(("operation", "arguments", "place"), TEXTS.values(), ids=TEXTS)
def test_half_of_a_pair_is_a_fault_wherever_it_stands(client, operation, arguments, place):
    with pytest.raises(ValidationError, match="UTF-8 can write") as caught:
        client.operations[operation].prepare(**arguments)
    (fault,) = caught.value.faults
    assert fault.place.startswith(place)
    str(caught.value).encode()


@pytest.mark.parametrize("name", [name for name in TEXTS if name not in ESCAPED])
def test_unchecked_does_not_mean_another_text(client, name):
    operation, arguments, _ = TEXTS[name]
    lenient = client.with_options(validate=False).operations[operation]
    with pytest.raises(ValidationError, match="UTF-8 can write"):
        lenient.prepare(**arguments)


@pytest.mark.parametrize(
    "arguments", [{"Labels": {"a": FILE}}, {"WorkingDir": Path(FILE)}, {"name": FILE}], ids=str
)
def test_where_such_text_comes_from_is_said(client, arguments):
    with pytest.raises(ValidationError, match=r"the name of a file, perhaps, whose bytes"):
        client.with_options(validate=False).ContainerCreate.prepare(**arguments)


def test_a_whole_pair_is_one_character(client):
    request = client.ContainerCreate.prepare(Labels={"a": "😀", "ü": "ß"})
    assert json.loads(request.body)["Labels"] == {"a": "😀", "ü": "ß"}


@pytest.mark.parametrize("options", [{"query": {"a": HALF}}, {"query": {HALF: "a"}}], ids=str)
def test_queries_of_the_options(client, options):
    with pytest.raises(ParameterError, match="UTF-8"):
        client.with_options(**options).SystemInfo.prepare()
    with pytest.raises(ParameterError, match="UTF-8"):
        client.with_options(query={"a": {"b": HALF}}).SystemInfo.prepare()


def test_a_name_of_an_argument(client):
    for unknown in ("error", "send"):
        with pytest.raises(ParameterError) as caught:
            client.with_options(unknown=unknown).SystemInfo.prepare(**{HALF: 1})
        str(caught.value).encode()


@pytest.mark.parametrize("account", [{"username": HALF}, {"password": SECRET + HALF}], ids=str)
def test_accounts_given_in_code(client, account):
    with pytest.raises(ValueError, match=r"'box': \w+: expected text that UTF-8 can write"):
        client.with_options(credentials={"box": account})
    with pytest.raises(ValueError, match="UTF-8"):
        client.with_options(credentials={HALF: {}})


@pytest.mark.parametrize(
    ("config", "call"),
    [
        (
            {"auths": {"box:5000": {"identitytoken": HALF, "auth": "bWU6"}}},
            lambda client: client.with_options(credentials=True).ImagePush.prepare("box:5000/a"),
        ),
        (
            {"proxies": {"default": {"httpProxy": HALF}}},
            lambda client: client.with_options(proxies=True).ContainerCreate.prepare(Image="a"),
        ),
        (
            {"proxies": {"default": {"httpProxy": HALF}}},
            lambda client: client.with_options(proxies=True).ImageBuild.prepare(body=b""),
        ),
    ],
    ids=["accounts", "a body's proxies", "a query's proxies"],
)
def test_what_the_configuration_holds(tmp_path, monkeypatch, client, config, call):
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    write_config(tmp_path, config)
    with pytest.raises(ConfigError, match="expected text that UTF-8 can write"):
        call(client)


def nested(levels, inner=None, kind=list):
    for _ in range(levels):
        inner = [inner] if kind is list else {"a": inner}
    return inner


def endless():
    value = {}
    value["a"] = [value]
    return value


VALUES = {
    "lists": nested(100_000),
    "maps": nested(100_000, kind=dict),
    "a bit too deep": nested(150, kind=dict),
    "itself": endless(),
    "text": "[" * 100_000,
    "map in text": '{"a":' * 100_000,
    "a list in tuples": (((nested(100_000),),),),
}
PLACES = {
    "a path": lambda call, value: call("ContainerInspect", id=value),
    "a query": lambda call, value: call("ImageSearch", term=[value]),
    "a list in a query": lambda call, value: call("ImageBuild", t=[value]),
    "filters": lambda call, value: call("VolumeList", filters=[value]),
    "a filter": lambda call, value: call("VolumeList", filters={"label": [value, 1.5]}),
    "JSON in a query": lambda call, value: call("ImageBuild", labels={"a": [value]}, cachefrom=5),
    "a header": lambda call, value: call("ImagePush", X_Registry_Auth={"a": [value]}),
    "a field": lambda call, value: call("ContainerCreate", Image=[value]),
    "an unknown field": lambda call, value: call("ContainerCreate", Strange=[value], Image=5),
    "a map": lambda call, value: call("ContainerCreate", Labels={"a": [value]}),
    "a body": lambda call, value: call("ContainerCreate", body=[value]),
    "an upload": lambda call, value: call("ImageLoad", body=[value]),
    "an argument too much": lambda call, value: call("SystemInfo", strange=[value], all=[value]),
}


DEEP = {name: value for name, value in VALUES.items() if not isinstance(value, str)}


@pytest.mark.parametrize("value", DEEP.values(), ids=DEEP)
@pytest.mark.parametrize("call", PLACES.values(), ids=PLACES)
def test_what_is_too_deep_is_a_fault_wherever_it_stands(client, call, value):
    with pytest.raises(ValidationError) as caught:
        call(lambda name, **arguments: client.operations[name].prepare(**arguments), value)
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
@pytest.mark.parametrize("call", PLACES.values(), ids=PLACES)
@pytest.mark.parametrize("options", [{"validate": False}, {"unknown": "warn"}], ids=str)
@pytest.mark.filterwarnings("ignore::dynadock.UnknownFieldWarning")
def test_nothing_of_it_ends_in_an_error_of_python(client, call, value, options):
    lenient = client.with_options(**options)
    with contextlib.suppress(DynadockError):
        call(lambda name, **arguments: lenient.operations[name].prepare(**arguments), value)


@pytest.mark.parametrize("value", DEEP.values(), ids=DEEP)
def test_queries_of_the_options_that_are_too_deep(client, value):
    with pytest.raises(ParameterError, match=r"query\.a"):
        client.with_options(query={"a": value}).SystemInfo.prepare()
