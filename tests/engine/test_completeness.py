"""A look back: was every operation called on every engine, and every answer of the table met?

It runs last, whatever the order of the files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dynadock.simulation.behaviour.table import behaviour_of
from dynadock.spec.loader import load_version
from engine.answers import table
from engine.engines import Target
from sessions import EMBEDDED

if TYPE_CHECKING:
    from engine.ledger import Ledger


@pytest.fixture
def whole_run(ledger: Ledger) -> Ledger:
    """What a run has seen that left nothing out."""
    if not ledger.whole:
        pytest.skip("only a whole run of these tests, without skips, shows what was left out")
    return ledger


def test_every_operation_is_called(whole_run: Ledger, target: Target) -> None:
    spec = load_version(target.version)
    is_embedded = target.engine.kind == EMBEDDED
    wanted = {
        operation.operation_id
        for operation in spec.values()
        if not is_embedded or behaviour_of(operation) is not None
    }
    worked = whole_run.worked[target]
    refused = {answer.case for at, answer in whole_run.met if at == target}
    assert wanted - worked - refused == set()


@pytest.mark.each_engine
def test_every_answer_is_met(whole_run: Ledger, target: Target) -> None:
    engine = target.engine
    spoken = [Target(engine, version) for version in engine.main_versions]
    of_engine = {answer for answer in table() for at in spoken if answer.is_of(at)}
    met = {answer for at, answer in whole_run.met if at.engine == engine}
    assert [answer.case for answer in of_engine - met] == []
