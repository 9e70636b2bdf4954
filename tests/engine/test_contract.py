"""Replies of real engines, held against their documents: all that deviates is known, and why."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from dynadock import Contract, load
from dynadock.spec.versions import parse_version
from engine.reading import read_everything
from engine.things import LABELS, new_name
from sessions import EMBEDDED

if TYPE_CHECKING:
    from collections.abc import Callable

    from dynadock import Client
    from engine.engines import Target

KNOWN = Path(__file__).with_name("deviations.yaml")

MOST = 200
"""Rows of all classes; more would say that a document is read wrongly."""


@pytest.fixture(scope="module")
def things(client: Client, image: str, new_container: Callable[..., str]) -> dict[str, Any]:
    container = new_container(Cmd=["sh", "-c", "echo hello; sleep 600"])
    client.ContainerStart(container)
    network, volume = new_name("network"), new_name("volume")
    client.NetworkCreate(Name=network, Labels=LABELS)
    client.VolumeCreate(Name=volume, Labels=LABELS)
    command = client.ContainerExec(container, Cmd=["true"])
    return {
        "container": container,
        "image": image,
        "network": network,
        "volume": volume,
        "exec": command.Id,
    }


@pytest.mark.at("1.30", "1.41", "newest")
def test_all_that_deviates_is_known(target: Target, things: dict[str, Any]) -> None:
    contract = Contract("record", allow=KNOWN)
    version, address = str(target.version), target.engine.address
    with load(version, host=address, contract=contract) as client:
        made = read_everything(client, things)
        found = client.deviations
    assert made > 40
    assert not found.unchecked
    assert not found.failing, found
    assert 0 < len(found) < MOST
    if target.engine.kind != EMBEDDED:
        unmet = [row for row in found.unmet() if is_about(row, target, client)]
        assert not unmet, f"{KNOWN.name}: nothing met {'; '.join(map(str, unmet))}"


def is_about(row: Any, target: Target, client: Client) -> bool:
    """Tell whether a row is about an engine at a version."""
    engine = client._connector.agreement.engine
    is_of_engine = not row.engines or any(each in engine for each in row.engines)
    return is_of_engine and parse_version(str(target.version)) in row.api
