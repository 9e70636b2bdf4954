"""Specs, operations, parameters and bodies: what they say of themselves."""

from __future__ import annotations

import copy
import pickle

import pytest

from dynadock.errors import UnknownOperation
from dynadock.spec.loader import load_spec
from dynadock.spec.versions import Version


@pytest.fixture
def spec():
    return load_spec("1.42")


def test_a_spec_is_a_mapping(spec):
    assert len(spec) == len(list(spec)) == 107
    assert spec["ContainerList"] is spec["ContainerList"]
    assert "ContainerLst" not in spec
    assert spec.get("ContainerLst") is None
    with pytest.raises(KeyError):
        spec["container_list"]
    assert repr(spec) == "<Spec API 1.42, 107 operations>"


@pytest.mark.parametrize("name", ["ContainerList", "container_list"])
def test_finding_in_either_spelling(spec, name):
    assert spec.find(name) is spec["ContainerList"]


@pytest.mark.parametrize(
    ("version", "name", "parts"),
    [
        (
            "1.42",
            "ContainerLst",
            ["API 1.42 has no operation 'ContainerLst'", "did you mean ContainerList?"],
        ),
        ("1.42", "containerlist", ["did you mean ContainerList?"]),
        ("1.42", "container_lst", ["did you mean container_list?"]),
        ("1.42", "Qwertz", ["API 1.42 has no operation 'Qwertz'"]),
        ("1.41", "VolumeUpdate", ["API 1.41 has no operation 'VolumeUpdate'; it arrived in 1.42"]),
        ("1.41", "volume_update", ["it arrived in 1.42"]),
        ("1.42", "ContainerGetArchive", ["its last version is 1.27"]),
        ("1.25", "SystemPingHead", ["it arrived in 1.40"]),
    ],
)
def test_unknown_operations(version, name, parts):
    with pytest.raises(UnknownOperation) as caught:
        load_spec(version).find(name)
    for part in parts:
        assert part in str(caught.value)


def test_an_unknown_operation_like_no_other_suggests_nothing(spec):
    with pytest.raises(UnknownOperation) as caught:
        spec.find("Qwertz")
    assert "mean" not in str(caught.value)


@pytest.mark.parametrize(
    "old", ["ContainerGetArchive", "ContainerArchiveHead", "ContainerPutArchive"]
)
def test_newer_names_of_older_operations(old):
    newer = {
        "ContainerGetArchive": "ContainerArchive",
        "ContainerArchiveHead": "ContainerArchiveInfo",
        "ContainerPutArchive": "PutContainerArchive",
    }[old]
    spec = load_spec("1.27")
    assert spec.find(newer) is spec[old]
    assert newer not in spec
    assert load_spec("1.28").find(newer).path == spec[old].path


def test_an_operation(spec):
    operation = spec["ContainerInspect"]
    assert operation.operation_id == "ContainerInspect"
    assert operation.python_name == "container_inspect"
    assert (operation.method, operation.path) == ("GET", "/containers/{id}/json")
    assert operation.tag == "Container"
    assert operation.version == Version(1, 42)
    assert operation.body is None
    assert [p.name for p in operation.positional] == ["id"]
    assert [p.name for p in operation.must_have] == ["id"]
    assert repr(operation) == "<Operation ContainerInspect (GET /containers/{id}/json, API 1.42)>"


def test_parameters(spec):
    by_name = spec["ContainerStats"].by_name
    assert by_name["one_shot"] is by_name["one-shot"]
    parameter = by_name["one-shot"]
    assert (parameter.name, parameter.python_name) == ("one-shot", "one_shot")
    assert (parameter.location, parameter.type, parameter.required) == ("query", "boolean", False)
    assert parameter.default is False
    assert repr(parameter) == "<Parameter one-shot (boolean in query)>"


def test_what_the_overlay_adds(spec):
    filters = spec["ContainerList"].by_name["filters"]
    assert (filters.type, filters.encoding) == ("string", "filters")
    assert spec["ImagePush"].by_name["X-Registry-Auth"].secret
    assert spec["PluginEnable"].by_name["timeout"].send == 0
    assert spec["PluginEnable"].by_name["timeout"] in spec["PluginEnable"].must_have
    assert "2" in spec["ImageBuild"].by_name["version"].refuse
    t = spec["ImageBuild"].by_name["t"]
    assert (t.collection, t.items.type, t.items.name) == ("multi", "string", "t")


def test_bodies(spec):
    body = spec["ContainerCreate"].body
    assert (body.name, body.kind, body.required) == ("body", "object", True)
    assert {"Image", "HostConfig", "NetworkingConfig"} <= set(body.properties)
    assert "HostConfig.PortBindings{}[].HostPort" in [field.path for field in body.fields()]
    assert spec["PluginSet"].body.properties == {}
    assert repr(body) == "<Body body (object)>"


def test_replies(spec):
    assert spec["ContainerWait"].reply.wait == "forever"
    assert spec["ContainerStop"].reply.wait == "t"
    assert spec["ContainerStats"].reply.unless == {"stream": False}
    assert spec["SystemPingHead"].reply.kind == "headers"
    assert repr(spec["ImageGet"].reply) == "<Reply tar>"
    assert "404" in spec["ContainerInspect"].reply.codes


@pytest.mark.parametrize("name", ["ContainerLogs", "ContainerAttach", "ExecStart", "ServiceLogs"])
def test_media_types_tell_which_versions_name_frames(spec, name):
    frames = "application/vnd.docker.multiplexed-stream"
    assert frames in spec[name].reply.media_types
    assert frames not in load_spec("1.41")[name].reply.media_types


def test_what_a_call_does_not_need_is_not_built(spec):
    spec = pickle.loads(pickle.dumps(spec))
    operation = spec.find("container_list")
    assert list(spec._made.values()) == [operation]
    operation = spec["ContainerCreate"]
    assert "body" not in vars(operation)
    assert "properties" not in vars(operation.body)


def test_operations_of_one_method(spec):
    assert dict(spec.paths("HEAD")) == {
        "ContainerArchiveInfo": "/containers/{id}/archive",
        "SystemPingHead": "/_ping",
    }


def test_pickles_and_copies(spec):
    for twin in (pickle.loads(pickle.dumps(spec)), copy.deepcopy(spec)):
        assert twin is not spec
        assert list(twin.values()) == list(spec.values())
        assert twin["ContainerCreate"].body.properties == spec["ContainerCreate"].body.properties
    operation = pickle.loads(pickle.dumps(spec["ImageBuild"]))
    assert operation == spec["ImageBuild"]
    assert operation.by_name["t"].items.type == "string"
