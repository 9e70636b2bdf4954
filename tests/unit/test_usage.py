"""What a program uses, from its requests, and which versions have all of it."""

from __future__ import annotations

import json
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from documents import MAIN, NEWEST, VERSIONS
from dynadock import load
from dynadock.compat import usage as usage_module
from dynadock.compat.usage import Usage
from dynadock.secret import reveal
from dynadock.spec.library import available_versions
from dynadock.spec.versions import parse_version
from samples import JSON_VALUES
from secret_values import SECRET

pytestmark = pytest.mark.filterwarnings("ignore::dynadock.DoubtfulArgumentWarning")

CREATE = f"/v{MAIN}/containers/create"


@cache
def client_of(version):
    return load(version, host="unix:///nowhere.sock")


@pytest.fixture
def usage():
    return Usage(available_versions())


def note(usage, request, status=200):
    body = request.body if isinstance(request.body, (bytes, type(None))) else None
    usage.add(request.method, reveal(request.target), reveal(request.headers), body, status)


def create(usage, fields, query="", version=MAIN):
    body = json.dumps(fields).encode()
    usage.add("POST", f"/v{version}/containers/create{query}", {}, body, 201)


def lacking(usage, version):
    return {each.place: each.reason for each in usage.versions()[version]}


@pytest.mark.parametrize("full", [False, True], ids=["short", "full"])
@pytest.mark.parametrize("version", VERSIONS)
def test_what_a_client_sends_is_recognised_and_its_version_has_it(version, full):
    usage = Usage([parse_version(version)])
    operations = client_of(version).operations
    for operation in operations.values():
        note(usage, operation.prepare(**operation.example(full=full)))
    assert usage.unrecognised == []
    assert list(usage.operations) == list(operations)
    for name, used in usage.operations.items():
        assert (used.count, used.unknown, used.unreadable) == (1, {}, 0), name
    assert usage.versions() == {version: []}


@pytest.mark.parametrize("version", VERSIONS)
def test_full_examples_use_every_parameter_and_topmost_field(version):
    usage = Usage([])
    for operation in client_of(version).operations.values():
        note(usage, operation.prepare(**operation.example(full=True)))
    for name, operation in client_of(version)._spec.items():
        used = usage.operations[name]
        names = {each.name for each in operation.parameters if each.location != "path"}
        assert names - set(used.parameters) <= {"Content-type"}
        if operation.body is not None and operation.body.kind == "object":
            topmost = {path for path in used.fields | used.empty if "." not in path}
            known = {name.casefold() for name in operation.body.properties}
            assert known == {name.casefold() for name in topmost}


def test_what_stands_in_the_way_of_other_versions(usage):
    create(usage, {"Image": "x", "HostConfig": {"CgroupnsMode": "host"}}, "?platform=linux/amd64")
    usage.add("PUT", f"/v{MAIN}/volumes/x", {}, None, 200)
    assert lacking(usage, "1.42") == lacking(usage, NEWEST) == {}
    assert lacking(usage, "1.41") == {"VolumeUpdate": "arrived in 1.42"}
    assert lacking(usage, "1.40") == {
        "ContainerCreate.platform": "arrived in 1.41",
        "HostConfig.CgroupnsMode": "arrived in 1.41",
        "VolumeUpdate": "arrived in 1.42",
    }
    (missing,) = usage.versions()["1.41"]
    assert (missing.kind, missing.operations) == ("operation", ("VolumeUpdate",))


def test_what_left_stands_in_the_way_of_newer_versions(usage):
    create(usage, {"Image": "x", "HostConfig": {"KernelMemory": 5}}, version="1.40")
    assert lacking(usage, "1.40") == {}
    (reason,) = lacking(usage, VERSIONS[-1]).values()
    assert reason.startswith("its last version is 1.")


def test_values_of_enums(usage):
    create(usage, {"HostConfig": {"Mounts": [{"Type": "cluster", "Target": "/x"}]}})
    assert usage.operations["ContainerCreate"].values == {
        "HostConfig.Mounts[].Type": {"cluster": 1}
    }
    assert lacking(usage, "1.42") == {}
    assert lacking(usage, "1.41") == {"Mount.Type=cluster": "arrived in 1.42"}
    (missing,) = usage.versions()["1.41"]
    assert missing.kind == "value"


def test_fields_are_found_in_any_letters(usage):
    create(usage, {"image": "x", "hostCONFIG": {"INIT": True}})
    assert usage.operations["ContainerCreate"].fields == {
        "Image": 1,
        "HostConfig": 1,
        "HostConfig.Init": 1,
    }


def test_what_is_below_something_missing_is_not_told_again(usage):
    mount = {"Type": "volume", "VolumeOptions": {"Subpath": "x", "NoCopy": True}}
    create(usage, {"HostConfig": {"Mounts": [mount]}}, version=VERSIONS[-1])
    assert set(lacking(usage, "1.44")) == {"Mount.VolumeOptions.Subpath"}
    usage.add("PUT", f"/v{MAIN}/volumes/x?version=1", {}, b'{"Spec": {"Group": "x"}}', 200)
    assert set(lacking(usage, "1.41")) == {"Mount.VolumeOptions.Subpath", "VolumeUpdate"}


def test_nothing_in_a_field_stands_in_no_way(usage):
    empty = {"CgroupnsMode": "", "Annotations": None, "ConsoleSize": [], "Init": False}
    create(usage, {"Image": "x", "HostConfig": empty}, "?platform=")
    used = usage.operations["ContainerCreate"]
    assert set(used.empty) == {"HostConfig", *(f"HostConfig.{name}" for name in empty)}
    assert (set(used.fields), used.parameters) == ({"Image"}, {})
    assert not any(usage.versions().values())


def test_what_only_a_newer_version_knows(usage):
    create(usage, {"Image": "x", "HostConfig": {"Annotations": {"a": "b"}}})
    assert "HostConfig.Annotations" in usage.operations["ContainerCreate"].fields
    assert lacking(usage, MAIN) == {"HostConfig.Annotations": "arrived in 1.43"}


def test_what_no_version_knows_is_named_and_stands_in_no_way(usage):
    create(usage, {"Image": "x", "HostConfig": {"Bogus": {"Deep": 1}}}, "?odd=1")
    assert usage.operations["ContainerCreate"].unknown == {"query odd": 1, "HostConfig.Bogus": 1}
    assert not any(usage.versions().values())


def test_keys_of_maps_are_no_fields(usage):
    create(usage, {"Labels": {"Mine": "x"}, "HostConfig": {"Sysctls": {"Image": "x"}}})
    assert set(usage.operations["ContainerCreate"].fields) == {
        "Labels",
        "HostConfig",
        "HostConfig.Sysctls",
    }


def test_headers_that_are_parameters(usage):
    for name in ("X-Registry-Auth", "x-registry-auth", "X-Registry-AUTH"):
        usage.add("POST", f"/v{MAIN}/images/x/push", {name: "e30=", "User-Agent": "x"}, None, 200)
    assert usage.operations["ImagePush"].parameters == {"X-Registry-Auth": 3}


def test_counts(usage):
    for status in (201, 201, 404, None):
        usage.add("POST", CREATE, {}, None, status)
    used = usage.operations["ContainerCreate"]
    assert (used.count, used.statuses) == (4, {"201": 2, "404": 1, "no reply": 1})
    assert usage.requests == 4


def test_a_request_without_a_version_is_one_of_the_newest(usage):
    usage.add("PUT", "/volumes/x", {}, None, 200)
    assert list(usage.operations) == ["VolumeUpdate"]


def test_what_is_no_operation(usage):
    usage.add("GET", f"/v{MAIN}/nothing?token={SECRET}", {}, None, 404)
    usage.add("GET", "/v9.99/info", {}, None, 400)
    usage.add("GET", "/v1.42/%zz", {}, None, 400)
    assert [each["path"] for each in usage.unrecognised] == [
        f"/v{MAIN}/nothing",
        "/v9.99/info",
        "/v1.42/%zz",
    ]
    assert usage.operations == {}


@pytest.mark.parametrize("body", [b"{", b"[1", b"\xff", b"[" * 500, b'{"Image": 1} x'])
def test_what_no_engine_reads_is_counted(usage, body):
    usage.add("POST", f"{CREATE}?a=%zz", {}, body, 400)
    assert usage.operations["ContainerCreate"].unreadable == 2


def test_no_value_is_kept(usage):
    fields = {
        "Image": SECRET,
        "Env": [f"PASSWORD={SECRET}"],
        "Labels": {SECRET: SECRET},
        "HostConfig": {"RestartPolicy": {"Name": SECRET}, "Sysctls": {SECRET: SECRET}},
        "NetworkingConfig": {"EndpointsConfig": {SECRET: {"Aliases": [SECRET]}}},
    }
    create(usage, fields, f"?name={SECRET}&platform={SECRET}")
    usage.add("POST", f"/v{MAIN}/build?buildargs={SECRET}&version={SECRET}", {}, None, 200)
    usage.add("POST", f"/v{MAIN}/images/x/push", {"X-Registry-Auth": SECRET}, None, 200)
    assert SECRET not in json.dumps(usage.as_dict())
    assert SECRET not in usage.text
    assert SECRET not in repr(vars(usage))


def test_memory_is_bounded(usage, monkeypatch):
    monkeypatch.setattr(usage_module, "MOST_NAMES", 50)
    monkeypatch.setattr(usage_module, "MOST_UNRECOGNISED", 5)
    for number in range(100):
        create(usage, {f"odd-{number}": 1, "n" * 1000 + str(number): 1}, f"?odd-{number}=1")
        usage.add("GET", f"/v{MAIN}/odd/{number}", {}, None, 404)
    unknown = usage.operations["ContainerCreate"].unknown
    assert len(unknown) < 50
    assert max(map(len, unknown)) == usage_module.LONGEST_NAME
    assert len(usage.unrecognised) == 5
    assert usage.left_out > 200
    assert f"and {usage.left_out} more that are not kept" in usage.text


def test_as_text(usage):
    create(usage, {"Image": "x"}, "?platform=linux/amd64")
    usage.add("GET", f"/v{MAIN}/nothing", {}, None, 404)
    assert usage.text.splitlines() == [
        "2 requests, 1 operation",
        "  ContainerCreate  1x",
        "    parameters: platform",
        "    fields: Image",
        f"  GET /v{MAIN}/nothing  1x  no operation of API {MAIN}",
        "1.25 to 1.40: lacks ContainerCreate.platform (arrived in 1.41)",
        f"1.41 to {VERSIONS[-1]}: everything is there",
    ]
    assert str(usage) == usage.text
    assert repr(usage) == "<Usage of 2 requests, 1 operation>"


def test_as_plain_values(usage):
    create(usage, {"Image": "x"}, "?platform=linux/amd64")
    found = usage.as_dict()
    assert json.loads(json.dumps(found)) == found
    assert found["operations"]["ContainerCreate"]["fields"] == {"Image": 1}
    assert found["versions"]["1.40"] == [
        {
            "place": "ContainerCreate.platform",
            "kind": "parameter",
            "operations": ["ContainerCreate"],
            "reason": "arrived in 1.41",
        }
    ]


TARGETS = st.sampled_from(
    [CREATE, f"/v{MAIN}/networks/create", "/info", "/v1.42/plugins/x/set", "/v1.42/auth"]
) | st.text(max_size=30)


@given(
    method=st.sampled_from(["GET", "POST", "PUT", ""]),
    target=TARGETS,
    query=st.text(max_size=20),
    body=st.none() | st.binary(max_size=50) | JSON_VALUES.map(lambda v: json.dumps(v).encode()),
    status=st.none() | st.integers(-5, 1000),
)
@settings(max_examples=200)
def test_whatever_comes_is_counted(method, target, query, body, status):
    usage = Usage([parse_version(MAIN)])
    usage.add(method, f"{target}?{query}", {"x": "y"}, body, status)
    assert usage.requests == 1
    assert json.dumps(usage.as_dict())
