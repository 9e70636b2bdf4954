"""What is refused at once: Docker answers what the table says, which the embedded one follows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from dynadock import Options
from dynadock.spec.versions import parse_version
from dynadock.transport.connector import Connector
from dynadock.wire.messages import Request
from refusals import CASES, VERSION, compared, headers_of, name_of

if TYPE_CHECKING:
    from typing import Any

    from engine.engines import Target

MEANT = parse_version("26.1")
"""Docker's release that the table is of; later ones say some of it in other words."""


@pytest.mark.at(VERSION)
@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_an_engine_refuses_it_in_these_words(target: Target, case: dict[str, Any]) -> None:
    body = case["body"].encode() if "body" in case else None
    request = Request(case["method"], f"/v{VERSION}{case['target']}", headers_of(case), body)
    reply = Connector(target.engine.address).send(request, 10, Options())
    assert reply.status == case["status"]
    words = compared(json.loads(reply.body)["message"])
    assert words == case["words"] or target.engine.release > MEANT
