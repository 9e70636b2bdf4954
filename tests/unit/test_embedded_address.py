"""Addresses of embedded engines: which engine they lead to, and for how long it is there."""

from __future__ import annotations

import copy
import gc
import pickle
import weakref

import pytest

from dynadock import EndpointError, SocketMissing, load
from dynadock.simulation import registry


def names(client):
    return [name for each in client.ContainerList(all=True) for name in each.Names]


def create(client, name):
    return client.ContainerCreate(name=name, Image="busybox")


@pytest.fixture
def name(request):
    """A name that no other test's engine has."""
    made = f"test-{abs(hash(request.node.nodeid))}"
    yield made
    registry.forget(made)


def test_without_a_name_it_is_the_clients_own():
    one, other = load("1.42", host="embedded://"), load("1.42", host="embedded://")
    create(one, "mine")
    assert names(one) == ["/mine"]
    assert names(other) == []


def test_clients_of_one_connector_share_it():
    client = load("1.42", host="embedded://")
    create(client, "mine")
    assert names(client.at("1.30")) == ["/mine"]
    assert names(client.with_options(timeout=5)) == ["/mine"]


@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, lambda c: pickle.loads(pickle.dumps(c))]
)
def test_copies_reach_the_same_engine(copied):
    client = load("1.42", host="embedded://")
    create(client, "mine")
    assert names(copied(client)) == ["/mine"]


def test_its_text_is_an_address_that_leads_to_it():
    client = load("1.42", host="embedded://")
    create(client, "mine")
    assert names(load("1.42", host=str(client.endpoint))) == ["/mine"]


def test_it_goes_with_the_last_who_holds_it():
    client = load("1.42", host="embedded://")
    create(client, "mine")
    engine = weakref.ref(registry.engine_at(client.endpoint.path))
    assert engine() is not None
    del client
    gc.collect()
    assert engine() is None


def test_with_a_name_it_is_shared_and_stays(name):
    create(load("1.42", host=f"embedded://{name}"), "ours")
    gc.collect()
    assert names(load("1.30", host=f"embedded://{name}")) == ["/ours"]


def test_in_the_environment(monkeypatch, name):
    monkeypatch.setenv("DOCKER_HOST", f"embedded://{name}")
    create(load("1.42"), "ours")
    client = load()
    assert names(client) == ["/ours"]
    assert client.endpoint.origin == "DOCKER_HOST"


@pytest.mark.parametrize(
    "address", ["embedded://a/b", "embedded://a b", "embedded://ä", "embedded://?"]
)
def test_names_that_there_are_not(address):
    with pytest.raises(EndpointError, match="letters, digits"):
        load("1.42", host=address)


def test_who_finds_no_engine_is_told_of_it(monkeypatch, tmp_path):
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    with pytest.raises(SocketMissing, match="host='embedded://' simulates one"):
        load()


def test_who_names_a_place_is_not(tmp_path):
    with pytest.raises(SocketMissing) as caught:
        load(host=f"unix://{tmp_path}/none.sock")
    assert "embedded" not in str(caught.value)
