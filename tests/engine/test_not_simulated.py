"""What the embedded engine does not do, it says: the calls that no other test makes there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from dynadock import Client
    from engine.answers import Expected

NOWHERE = "there-is-none"

CALLS: dict[str, dict[str, Any]] = {
    "DistributionInspect": {"name": NOWHERE},
    "GetPluginPrivileges": {"remote": NOWHERE},
    "ImageAttestations": {"name": NOWHERE},
    "ImagePush": {"name": NOWHERE, "X_Registry_Auth": {}},
    "ImageSearch": {"term": NOWHERE},
    "PluginPull": {"remote": NOWHERE, "body": []},
    "PluginPush": {"name": NOWHERE},
    "PluginUpgrade": {"name": NOWHERE, "remote": NOWHERE, "body": []},
    "SecretList": {},
    "SecretUpdate": {"id": NOWHERE, "version": 1},
}


@pytest.mark.simulated
@pytest.mark.parametrize("operation_id", CALLS)
def test_it_says_so(client: Client, expected: Expected, operation_id: str) -> None:
    with expected(operation_id):
        getattr(client, operation_id)(**CALLS[operation_id])
