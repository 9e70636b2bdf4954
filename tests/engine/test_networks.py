"""Networks, and containers in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dynadock import Conflict, NotFound
from engine.things import LABELS, MINE, known, new_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from dynadock import Client
    from engine.answers import Expected

    NewContainer = Callable[..., str]


@pytest.fixture
def network(client: Client) -> str:
    """The name of a network of the test's own."""
    name = new_name("network")
    client.NetworkCreate(Name=name, Labels=LABELS)
    return name


def test_create_and_inspect(client: Client) -> None:
    name = new_name("network")
    ranges = {"Subnet": "10.213.77.0/24", "IPRange": "10.213.77.128/25", "Gateway": "10.213.77.1"}
    made = client.NetworkCreate(
        Name=name,
        Driver="bridge",
        Internal=True,
        Labels=LABELS,
        Options={"com.docker.network.driver.mtu": "1400"},
        IPAM={"Driver": "default", "Config": [ranges]},
    )
    seen = client.NetworkInspect(name)
    assert seen.Id == made.Id
    assert (seen.Name, seen.Driver, seen.Internal) == (name, "bridge", True)
    assert seen.IPAM.Config[0].Subnet == "10.213.77.0/24"
    assert seen.IPAM.Config[0].Gateway == "10.213.77.1"
    client.NetworkDelete(name)


def test_list(client: Client, network: str) -> None:
    assert network in {each.Name for each in client.NetworkList()}
    assert [each.Name for each in client.NetworkList(filters={"name": [network]})] == [network]
    assert network in {each.Name for each in client.NetworkList(filters=MINE)}
    assert client.NetworkList(filters={"name": new_name("nothing")}) == []


def test_inspect_in_a_scope(client: Client, network: str) -> None:
    scope = known(client.NetworkInspect, scope="local")
    assert client.NetworkInspect(network, verbose=True, **scope).Name == network


def test_connect_and_disconnect(client: Client, network: str, new_container: NewContainer) -> None:
    container = new_container()
    client.ContainerStart(container)
    connected = client.NetworkConnect(
        network, Container=container, EndpointConfig={"Aliases": ["database"]}
    )
    assert connected is None
    seen = client.ContainerInspect(container)
    assert "database" in seen.NetworkSettings.Networks[network].Aliases
    assert seen.Id in client.NetworkInspect(network).Containers
    assert client.NetworkDisconnect(network, Container=container, Force=True) is None
    assert network not in client.ContainerInspect(container).NetworkSettings.Networks


def test_container_made_in_a_network(
    client: Client, network: str, new_container: NewContainer
) -> None:
    container = new_container(
        HostConfig={"NetworkMode": network},
        NetworkingConfig={"EndpointsConfig": {network: {"Aliases": ["web"]}}},
    )
    networks = client.ContainerInspect(container).NetworkSettings.Networks
    assert list(networks) == [network]


def test_delete(client: Client, network: str) -> None:
    assert client.NetworkDelete(network) is None
    with pytest.raises(NotFound) as caught:
        client.NetworkInspect(network)
    assert network in caught.value.explanation


def test_name_that_is_taken(client: Client, expected: Expected, network: str) -> None:
    # Engines are to be told to look, until the documents drop the field.
    known = client.NetworkCreate.body.properties
    check = {"CheckDuplicate": True} if "CheckDuplicate" in known else {}
    with expected("NetworkCreate: of a name that is taken"), pytest.raises(Conflict):
        client.NetworkCreate(Name=network, **check)


def test_prune(client: Client) -> None:
    name = new_name("prune")
    labels = {**LABELS, "dynadock.prune": name}
    client.NetworkCreate(Name=name, Labels=labels)
    pruned = client.NetworkPrune(filters={"label": f"dynadock.prune={name}"})
    assert pruned.NetworksDeleted == [name]
