"""Clients before any call: how one is made, varied, copied, and what it says of itself."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path

import pytest

import dynadock
from documents import ZOO
from dynadock import Client, EndpointError, Options, SpecError, UnknownOperation, Unsupported, load
from dynadock.spec.library import bundled_folder
from dynadock.spec.reader import read_document

HOST = "unix:///nowhere.sock"


@pytest.fixture
def client():
    return load("1.42", host=HOST)


@pytest.mark.parametrize(
    "source",
    ["1.42", "v1.42", f"{bundled_folder()}/v1.42.yaml", Path(bundled_folder(), "v1.42.yaml")],
)
def test_ways_to_name_a_version(source):
    client = load(source, host=HOST)
    assert client.version == "1.42"
    assert client.ContainerList.prepare(all=True).target == "/v1.42/containers/json?all=true"


def test_an_open_document():
    client = load(read_document(ZOO.read_bytes(), name="zoo"), host=HOST)
    assert client.AnimalDelete.prepare("Bo").target == "/zoo/animals/Bo"


@pytest.mark.parametrize(
    ("source", "part"), [(1.42, "1.30 would be 1.3"), ("1.99", "no document"), (b"x", "got bytes")]
)
def test_what_cannot_be_loaded(source, part):
    with pytest.raises(SpecError, match=part):
        load(source, host=HOST)


def test_an_invalid_address_is_an_error_at_once(monkeypatch):
    with pytest.raises(EndpointError, match="not the address of an engine"):
        load("1.42", host="nonsense")
    monkeypatch.setenv("DOCKER_HOST", "nonsense")
    with pytest.raises(EndpointError, match="DOCKER_HOST"):
        load("1.42")
    with pytest.raises(Unsupported, match="fd:// is not supported"):
        load("1.42", host="fd://3")


def test_where_the_engine_is(monkeypatch, client):
    assert (str(client.endpoint), client.endpoint.origin) == (HOST, "host=")
    assert str(load("1.42").endpoint) == "unix:///var/run/docker.sock"
    assert load("1.42").endpoint.origin == "the default socket"
    monkeypatch.setenv("DOCKER_HOST", "tcp://box:1234")
    assert str(load("1.42").endpoint) == "tcp://box:1234"
    assert load("1.42").endpoint.origin == "DOCKER_HOST"


@pytest.mark.parametrize("text", ["1.41", "v1.41"])
def test_the_environment_pins_the_version(text, monkeypatch):
    monkeypatch.setenv("DOCKER_API_VERSION", text)
    assert load(host=HOST).version == "1.41"  # no request is sent: there is no engine
    assert load("1.42", host=HOST).version == "1.42"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("newest", "DOCKER_API_VERSION: 'newest' is not an API version; one looks like '1.42'"),
        ("auto", "; without it the newest version that both sides speak is taken$"),
        ("1.999", "DOCKER_API_VERSION: .*1.999"),
        (str(ZOO), "DOCKER_API_VERSION: .* is not an API version"),
    ],
)
def test_the_environment_pins_what_there_is_not(text, problem, monkeypatch):
    monkeypatch.setenv("DOCKER_API_VERSION", text)
    with pytest.raises(SpecError, match=problem):
        load(host=HOST)


def test_options_of_load():
    client = load("1.42", host=HOST, timeout=5, validate=False)
    assert client.options == Options(timeout=5, validate=False)
    with pytest.raises(TypeError, match="did you mean 'timeout'"):
        load("1.42", host=HOST, timout=5)


def test_a_wrong_keyword_of_load_names_all_that_there_are():
    with pytest.raises(TypeError, match="no keyword 'hots'; did you mean 'host'") as caught:
        load("1.42", hots="x")
    for name in ("source", "host", "context", "connections", *Options().as_dict()):
        assert f" {name}" in str(caught.value)
    with pytest.raises(TypeError, match="there is no keyword 'zzz'; there are source, host, "):
        load("1.42", zzz="x")


@pytest.mark.parametrize("source", ["auto", "latest", "newest", "", Path("latest")])
def test_a_word_for_the_newest_version_names_the_way_to_get_it(source):
    for call in (lambda: load(source, host=HOST), lambda: load("1.42", host=HOST).at(source)):
        with pytest.raises(SpecError, match=r"load\(\) without either takes the newest") as caught:
            call()
        assert f"{str(source)!r} is neither a version ('1.42') nor a file" in str(caught.value)
        assert caught.value.__cause__ is None


def test_other_options_are_another_client(client):
    other = client.with_options(timeout=5, headers={"A": "1"}).with_options(headers={"B": "2"})
    assert other.options == Options(timeout=5, headers={"A": "1", "B": "2"})
    assert client.options == Options()
    assert other._connector is client._connector
    with pytest.raises(TypeError, match="there is no option 'all'"):
        client.with_options(all=True)


def test_another_version_keeps_options_and_connections(client):
    other = client.with_options(timeout=5).at("1.30")
    assert other.version == "1.30"
    assert other.options == Options(timeout=5)
    assert other._connector is client._connector
    assert other.ContainerList.prepare().target == "/v1.30/containers/json"
    assert client.at(ZOO).version == "0.7"
    with pytest.raises(SpecError, match=r"1\.99"):
        client.at("1.99")


def test_operations_are_a_mapping(client):
    assert len(client.operations) == 107
    assert client.operations["ContainerList"] == client.ContainerList
    assert "container_list" not in client.operations
    assert client.operations.get("ContainerLst") is None
    with pytest.raises(KeyError):
        client.operations["container_list"]
    assert repr(client.operations) == "<107 operations of API 1.42>"
    assert all(name == operation.operation_id for name, operation in client.operations.items())


@pytest.mark.parametrize("operation_id", ["find", "_status"])
def test_operations_named_like_a_clients_members_are_in_the_mapping(operation_id):
    client = load(ZOO, host=HOST)
    operation = client.operations[operation_id]
    assert operation.operation_id == operation_id
    assert operation.prepare().method == "GET"
    assert operation in client.find(operation.path)


def test_an_operation_says_what_it_is(client):
    operation = client.ContainerInspect
    assert operation.operation_id == operation.__name__ == "ContainerInspect"
    assert (operation.method, operation.path, operation.tag) == (
        "GET",
        "/containers/{id}/json",
        "Container",
    )
    first, second = operation.parameters
    assert (first.name, first.python_name, first.location) == ("id", "id", "path")
    assert (first.type, first.required) == ("string", True)
    assert (second.name, second.type, second.required) == ("size", "boolean", False)
    assert operation.body is None
    assert client.ContainerCreate.body.name == "body"
    assert repr(operation) == (
        "<ContainerInspect(id: str, *, size: bool = None) GET /containers/{id}/json, API 1.42>"
    )


def test_unknown_operations_are_attribute_errors(client):
    with pytest.raises(UnknownOperation, match="did you mean ContainerList"):
        _ = client.ContainerLst
    assert not hasattr(client, "ContainerLst")
    assert getattr(client, "VolumePatch", None) is None
    with pytest.raises(AttributeError, match="_repr_html_"):
        _ = client._repr_html_


def test_a_client_is_a_context_manager(client):
    with client as same:
        assert same is client
    assert client.ContainerList.prepare().method == "GET"


def test_it_says_what_it_is(client):
    assert repr(client) == f"<dynadock client, API 1.42 at {HOST}>"


SECRETS = {"X-Registry-Auth": "hunter2", "Authorization": "hunter2", "X-Trace": "7"}


@pytest.mark.parametrize(
    "make", [lambda c: pickle.loads(pickle.dumps(c)), copy.copy, copy.deepcopy]
)
def test_copies_have_no_sockets_and_no_secrets(make):
    client = load("1.42", host=HOST, timeout=5, headers=SECRETS)
    twin = make(client)
    assert type(twin) is Client
    assert twin.version == "1.42"
    assert str(twin.endpoint) == HOST
    assert twin._connector is not client._connector
    assert twin.options == Options(timeout=5, headers={"X-Trace": "7"})
    assert client.options.headers == SECRETS
    assert twin.ContainerList.prepare(all=True) == client.with_options().ContainerList.prepare(
        all=True
    ) or set(twin.ContainerList.prepare(all=True).headers) == {"User-Agent", "X-Trace"}
    assert b"hunter" not in pickle.dumps(client)


def test_a_copy_looks_for_its_engine_afresh(monkeypatch):
    monkeypatch.setenv("DOCKER_HOST", "tcp://here:1")
    client = load("1.42")
    assert str(client.endpoint) == "tcp://here:1"
    data = pickle.dumps(client)
    monkeypatch.setenv("DOCKER_HOST", "tcp://there:2")
    assert str(pickle.loads(data).endpoint) == "tcp://there:2"
    assert str(client.endpoint) == "tcp://here:1"


def test_a_restored_client_of_ones_own_document_needs_no_file(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_bytes(ZOO.read_bytes())
    data = pickle.dumps(load(path, host=HOST))
    path.unlink()
    assert pickle.loads(data).AnimalDelete.prepare("Bo").method == "DELETE"


@pytest.mark.parametrize("copied", [pickle.dumps, copy.copy, copy.deepcopy])
def test_bound_operations_can_be_copied_as_clients_can(client, copied):
    twin = copied(client.ContainerList)
    twin = pickle.loads(twin) if isinstance(twin, bytes) else twin
    assert twin.prepare(all=True) == client.ContainerList.prepare(all=True)


def test_operations_are_the_same_object_again_and_again(client):
    assert client.ContainerList is client.ContainerList
    assert dynadock.v1_42.ContainerList is dynadock.v1_42.ContainerList
