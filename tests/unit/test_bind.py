"""Binding, beyond the cases: warnings, binary bodies, what frames see."""

from __future__ import annotations

import codecs
import io
import json
import warnings
from datetime import timedelta
from pathlib import PurePosixPath

import pytest

from dynadock import BodyError, Options, ParameterError, UnknownFieldWarning, load
from dynadock.archive.pack import build_context
from dynadock.call.bind import ABSENT, bind
from dynadock.call.kinds import expected_kind
from dynadock.spec.loader import load_spec

OPTIONS = Options()
CLIENT = load("1.42", host="unix:///nowhere.sock")


def warned(call):
    """Return what a call gives, and the warnings of it."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        value = call()
    return value, caught


def test_unknown_parameters_may_be_warned_of():
    client = CLIENT.with_options(unknown="warn")
    request, caught = warned(lambda: client.ContainerList.prepare(al=True))
    assert request.target == "/v1.42/containers/json?al=true"
    (warning,) = caught
    assert warning.category is UnknownFieldWarning
    assert str(warning.message) == (
        "ContainerList (API 1.42): al: unknown parameter; did you mean 'all'?"
    )
    assert warning.filename == __file__


def test_unknown_fields_may_be_warned_of():
    client = CLIENT.with_options(unknown="warn")
    body = {"Image": "x", "HostConfig": {"memory": 5, "Empty": None}}
    request, caught = warned(lambda: client.ContainerCreate.prepare(body=body))
    assert json.loads(request.body) == body
    (warning,) = caught
    assert warning.category is UnknownFieldWarning
    assert str(warning.message) == (
        "ContainerCreate (API 1.42): HostConfig.memory: unknown field; did you mean 'Memory'?"
    )
    assert warning.filename == __file__


def test_unknown_fields_of_the_top_are_warned_of_once():
    client = CLIENT.with_options(unknown="warn")
    request, caught = warned(lambda: client.ContainerCreate.prepare(Image="x", imagee="y"))
    assert json.loads(request.body) == {"Image": "x", "imagee": "y"}
    assert len(caught) == 1


def test_what_is_sent_silently():
    client = CLIENT.with_options(unknown="send")
    _, caught = warned(lambda: client.ContainerCreate.prepare(Image="x", imagee="y"))
    assert caught == []


def test_the_error_names_the_way_out():
    with pytest.raises(BodyError, match=r"with_options\(unknown='send'\)"):
        CLIENT.ContainerCreate.prepare(body={"Qwertz": 1})
    with pytest.raises(BodyError) as caught:
        CLIENT.ContainerCreate.prepare(body={"Image": 1})
    assert "unknown" not in str(caught.value)


class Reader:
    """Something that can be read and is no list of lines."""

    def read(self, _size=-1):
        return b""


BINARY = [b"tar", bytearray(b"tar"), memoryview(b"tar"), io.BytesIO(b"tar"), iter([b"t", b"ar"])]
BINARY += [[b"t", b"", bytearray(b"ar")], (b"tar",), Reader()]


@pytest.mark.parametrize("body", BINARY, ids=lambda body: type(body).__name__)
def test_binary_bodies(body):
    bound = bind(load_spec("1.42")["ImageLoad"], (), {"body": body}, OPTIONS)
    assert bound.body is not ABSENT


@pytest.mark.parametrize(
    "body",
    ["tar", 5, {"a": b"b"}, [1, 2], ["a"], [b"a", "b"], io.StringIO("tar"), object()],
    ids=lambda body: type(body).__name__,
)
def test_what_is_no_binary_body(body):
    with pytest.raises(
        BodyError, match="expected bytes, a Path, an open binary file or an iterator"
    ):
        bind(load_spec("1.42")["ImageLoad"], (), {"body": body}, OPTIONS)


def test_what_is_bound():
    operation = load_spec("1.42")["ContainerList"]
    bound = bind(operation, (), {"all": True}, OPTIONS)
    assert bound.operation is operation
    assert bound.query == {"all": True}
    assert bound.segments == bound.headers == {}
    assert bound.arguments == {"all": True}
    assert bound.body is ABSENT


def test_a_body_of_an_operation_without_one():
    with pytest.raises(ValueError, match="body: unknown parameter"):
        CLIENT.ContainerList.prepare(body={})


def test_arguments_named_like_pythons_own():
    zoo = load_spec
    operation = zoo("1.42")["ContainerCreate"]
    bound = bind(operation, (), {"self": 1, "args": 2}, Options(unknown="send"))
    assert bound.body == {"self": 1, "args": 2}
    request = CLIENT.with_options(unknown="send").SystemPing.prepare(self=1, operation="x")
    assert request.target == "/v1.42/_ping?self=1&operation=x"


@pytest.mark.parametrize(
    ("operation_id", "arguments"),
    [
        ("SystemAuth", ({"username": "u", "password": "hunter2"},)),
        ("SecretCreate", ({"Data": "hunter2"},)),
        ("ImagePush", ("name", {"password": "hunter2"})),
        ("PluginSet", ("name", ["PASS=hunter2"])),
    ],
)
def test_what_is_given_without_a_name_is_not_shown(operation_id, arguments):
    with pytest.raises(ParameterError) as caught:
        CLIENT.operations[operation_id].prepare(*arguments)
    assert "hunter2" not in str(caught.value)
    assert "only path parameters" in str(caught.value)


def test_a_body_of_a_wrong_type_is_one_fault_before_those_of_its_fields():
    with pytest.raises(BodyError, match=r"container: expected object, got 'web'; .*Container"):
        CLIENT.NetworkDisconnect.prepare("n", container="web", Force=True)


@pytest.mark.parametrize("order", [("body", "extra"), ("extra", "body")])
def test_unknown_names_go_where_they_go_in_any_order(order):
    given = {"body": {"Image": "x"}, "extra": 1}
    client = CLIENT.with_options(unknown="send")
    request = client.ContainerCreate.prepare(**{name: given[name] for name in order})
    assert request.target.endswith("?extra=1")
    assert request.body == b'{"Image":"x"}'


def test_a_name_of_this_version_comes_before_one_that_left():
    with pytest.raises(BodyError, match="NanoCPUs: unknown field; did you mean 'NanoCpus'"):
        CLIENT.ContainerCreate.prepare(Image="x", HostConfig={"NanoCPUs": 5})


def test_integers_keep_their_bounds_exactly():
    largest = 2**63 - 1
    assert f"version={largest}" in CLIENT.VolumeUpdate.prepare("v", version=largest).target
    with pytest.raises(ParameterError, match="version: expected 9223372036854775807 or less"):
        CLIENT.VolumeUpdate.prepare("v", version=largest + 1)


def test_a_file_of_text_is_no_tar_file(tmp_path):
    with codecs.open(str(tmp_path / "a"), "w+", "utf-8") as file:
        file.write("text")
        file.seek(0)
        with pytest.raises(BodyError, match="inputStream: the file gives text; open it in binary"):
            CLIENT.PutContainerArchive.prepare("web", path="/", inputStream=file)


def test_an_iterator_of_text_is_no_tar_file():
    request = CLIENT.PutContainerArchive.prepare("web", path="/", inputStream=iter(["text"]))
    with pytest.raises(TypeError, match="expected an iterator of bytes"):
        list(request.body)


@pytest.mark.parametrize("name", ["Content-Length", "transfer-encoding", "Upgrade"])
def test_headers_that_frame_a_request_are_not_the_callers(name):
    with pytest.raises(ParameterError, match="the connection makes this header itself"):
        CLIENT.with_options(headers={name: "5"}).SystemPing.prepare()


def test_the_options_query_decides_what_a_reply_is():
    operation = load_spec("1.42").find("ContainerStats")
    bound = bind(operation, ("web",), {}, Options(query={"stream": False}))
    assert expected_kind(bound) == "value"


@pytest.mark.parametrize("outside", [True, False])
def test_the_dockerfile_of_a_build_context_is_sent(tmp_path, outside):
    folder = tmp_path / "context"
    folder.mkdir()
    dockerfile = (tmp_path if outside else folder) / "Other"
    dockerfile.write_text("FROM scratch\n")
    context = build_context(folder, dockerfile)
    build = load_spec("1.42")["ImageBuild"]
    for body, arguments in ((context, {}), (folder, {"dockerfile": str(dockerfile)})):
        bound = bind(build, (), {"body": body, **arguments}, OPTIONS)
        assert bound.value("dockerfile") == context.dockerfile
    assert (context.dockerfile == "Other") is not outside


def test_an_explicit_dockerfile_is_sent_as_it_is(tmp_path):
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    build = load_spec("1.42")["ImageBuild"]
    context = build_context(tmp_path)
    bound = bind(build, (), {"body": context, "dockerfile": "Mine"}, OPTIONS)
    assert bound.query == {"dockerfile": "Mine"}


def test_a_folder_that_is_not_there_is_a_fault(tmp_path):
    with pytest.raises(BodyError, match="cannot be sent"):
        bind(load_spec("1.42")["ImageBuild"], (), {"body": tmp_path / "none"}, OPTIONS)


VALUES = {
    "a segment": ("ContainerStop", {"id": "/web"}, "id", "web"),
    "a duration": ("ContainerStop", {"id": "web", "t": timedelta(minutes=1)}, "t", 60),
    "nothing": ("ContainerStop", {"id": "web"}, "t", None),
    "filters": ("ContainerList", {"filters": {"label": "a"}}, "filters", {"label": ["a"]}),
    "an object": ("ImageBuild", {"body": b"", "labels": {"a": "b"}}, "labels", {"a": "b"}),
    "its own text": ("ImageBuild", {"body": b"", "labels": '{"a": "b"}'}, "labels", {"a": "b"}),
    "a header": (
        *("ImagePush", {"name": "a", "X_Registry_Auth": {"username": "u"}}),
        *("X_Registry_Auth", {"username": "u"}),
    ),
    "a default that is sent": ("ImagePush", {"name": "a"}, "X-Registry-Auth", {}),
    "a list": ("ImageGetAll", {"names": ["a", "b"]}, "names", ["a", "b"]),
    "a field": ("ExecStart", {"id": "e", "Tty": True}, "Tty", True),
    "a field below": (
        *("ContainerCreate", {"Image": "a", "HostConfig": {"Memory": 5}}),
        *("HostConfig.Memory", 5),
    ),
    "no such": ("ContainerCreate", {"Image": "a"}, "HostConfig.Memory", None),
}


@pytest.mark.parametrize(
    ("operation_id", "arguments", "name", "value"), VALUES.values(), ids=VALUES
)
def test_what_is_sent_can_be_read(operation_id, arguments, name, value):
    bound = bind(load_spec("1.42")[operation_id], (), arguments, OPTIONS)
    assert bound.value(name) == value


UNCHECKED = {
    "a parameter": ({"t": "5"}, {}, "t", 5),
    "the options' query": ({"t": 5}, {"t": 7}, "t", 7),
    "its last": ({}, {"t": [1, 2]}, "t", 2),
    "no number": ({"t": "soon"}, {}, "t", "soon"),
    "an unknown one": ({"x": 5}, {}, "x", "5"),
    "taken back": ({"t": 5}, {"t": None}, "t", None),
}


@pytest.mark.parametrize(("arguments", "query", "name", "value"), UNCHECKED.values(), ids=UNCHECKED)
def test_what_is_sent_unchecked_can_be_read(arguments, query, name, value):
    options = Options(validate=False, unknown="send", query=query)
    bound = bind(load_spec("1.42")["ContainerStop"], ("web",), arguments, options)
    assert bound.value(name) == value


def test_a_querys_own_is_no_header():
    options = Options(query={"X-Registry-Auth": "e30="})
    bound = bind(load_spec("1.42")["ImageCreate"], (), {"fromImage": "a"}, options)
    assert bound.value("X-Registry-Auth") is None
    assert bound.value("fromImage") == "a"


@pytest.mark.parametrize(
    ("version", "name", "arguments"),
    [
        ("1.40", "ContainerCreate", {"name": "a", "Image": "b", "platform": None}),
        ("1.25", "ContainerCreate", {"Image": "b", "Healthcheck": None, "StopTimeout": None}),
        ("1.25", "ContainerList", {"anything": None}),
        ("1.42", "ContainerCreate", {"Image": "b", "anything": None}),
        ("1.42", "ContainerCreate", {"body": {"Image": "b", "anything": None}}),
        ("1.42", "ImageBuild", {"body": b"x", "anything": None}),
    ],
)
@pytest.mark.parametrize("unknown", ["error", "warn", "send"])
def test_none_asks_for_nothing_whoever_knows_the_name(version, name, arguments, unknown):
    operation = CLIENT.at(version).with_options(unknown=unknown).operations[name]
    request, caught = warned(lambda: operation.prepare(**arguments))
    assert "None" not in request.target
    assert "platform" not in request.target + repr(request.body)
    assert "anything=" not in request.target
    assert caught == []


def test_none_for_what_is_missing_is_still_missing():
    with pytest.raises(ParameterError, match="path: missing"):
        CLIENT.ContainerArchive.prepare("web", path=None, paht=None)


class AnyPath:
    """A path that is none of pathlib's."""

    def __init__(self, text):
        self.text = text

    def __fspath__(self):
        return self.text


PATHS = [PurePosixPath("/a/b"), AnyPath("/a/b"), "/a/b"]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: type(path).__name__)
def test_paths_are_taken_where_text_is(path):
    for name in ("ContainerArchive", "ContainerArchiveInfo"):
        assert CLIENT.operations[name].prepare("web", path=path).target.endswith("?path=%2Fa%2Fb")
    put = CLIENT.PutContainerArchive.prepare("web", path=path, body=b"x")
    assert put.target.endswith("?path=%2Fa%2Fb")
    assert CLIENT.ImageGetAll.prepare(names=[path]).target.endswith("?names=%2Fa%2Fb")
    body = {"Image": "a", "WorkingDir": path, "HostConfig": {"Mounts": [{"Source": path}]}}
    sent = json.loads(CLIENT.ContainerCreate.prepare(body=body).body)
    assert sent["WorkingDir"] == sent["HostConfig"]["Mounts"][0]["Source"] == "/a/b"


def test_a_path_of_bytes_or_for_a_number_is_a_fault():
    with pytest.raises(ParameterError, match="path: expected string, got <"):
        CLIENT.ContainerArchive.prepare("web", path=AnyPath(b"/a"))
    with pytest.raises(ParameterError, match="limit: expected integer, got PurePosixPath"):
        CLIENT.ContainerList.prepare(limit=PurePosixPath("/a"))
    with pytest.raises(BodyError, match="WorkingDir: expected a path of text, got one of bytes"):
        CLIENT.ContainerCreate.prepare(Image="a", WorkingDir=AnyPath(b"/a"))
    with pytest.raises(ParameterError, match="id: expected string, got PurePosixPath"):
        CLIENT.ContainerInspect.prepare(PurePosixPath("web"))
