"""A look back: was every operation called on every engine, and every answer of the table met?

It runs last, whatever the order of the files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from dynadock import Unsupported, load
from dynadock.bound import PLAIN
from dynadock.spec.loader import load_version
from engine.answers import table
from engine.engines import MAIN_VERSION

if TYPE_CHECKING:
    from pathlib import Path

    from dynadock.spec.model import Operation
    from engine.conftest import Ledger
    from engine.engines import Target

STREAMS = [op for op in load_version(MAIN_VERSION).values() if op.reply.kind not in PLAIN]


@pytest.fixture
def whole_run(ledger: Ledger) -> Ledger:
    """What a run has seen that left nothing out."""
    if not ledger.whole:
        pytest.skip("only a whole run of these tests, without skips, shows what was left out")
    return ledger


def test_every_operation_is_called(whole_run: Ledger, target: Target) -> None:
    spec = load_version(target.version)
    wanted = {op.operation_id for op in spec.values() if can_be_a_value(op)}
    worked = whole_run.worked[target]
    answered = {answer.operation_id for at, answer in whole_run.met if at == target}
    assert wanted - worked - answered == set()


def can_be_a_value(operation: Operation) -> bool:
    return operation.reply.kind in PLAIN or bool(operation.reply.unless)


@pytest.mark.each_engine
def test_every_answer_is_met(whole_run: Ledger, target: Target) -> None:
    engine = target.engine
    spoken = [each for each in whole_run.worked if each.engine == engine]
    of_engine = {answer for answer in table() for at in spoken if answer.is_of(at)}
    met = {answer for at, answer in whole_run.met if at.engine == engine}
    assert [answer.case for answer in of_engine - met] == []


@pytest.mark.parametrize("operation", STREAMS, ids=lambda op: op.operation_id)
def test_stream_is_not_supported_yet(operation: Operation, tmp_path: Path) -> None:
    client = load(str(MAIN_VERSION), host=f"unix://{tmp_path}/nobody.sock")
    with pytest.raises(Unsupported, match=operation.operation_id):
        getattr(client, operation.operation_id)(**least_arguments(operation))


def least_arguments(operation: Operation) -> dict[str, Any]:
    """Return what a call needs to pass the checks."""
    arguments: dict[str, Any] = {p.python_name: "x" for p in operation.parameters if p.required}
    arguments |= {
        p.python_name: {} for p in operation.parameters if p.required and p.location == "header"
    }
    if operation.body is not None and operation.body.kind == "binary":
        arguments["body"] = b""
    return arguments
