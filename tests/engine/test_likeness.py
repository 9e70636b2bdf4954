"""The embedded engine does what Docker does: sequences of calls, made at both at once.

They are the same ones in each run, so that no run fails for what it was not changed in;
`bench/compare_engines.py` draws others.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.internal.conjecture import engine
from hypothesis.stateful import run_state_machine_as_test

from dynadock import load
from engine.engines import engines
from lacking import give_up
from likeness.machine import Likeness

LIKE = "26.1"
"""The release of Docker that the embedded engine is held to."""

SEQUENCES = 30
STEPS = 10
LONGEST_SHRINKING = 60
"""Seconds for finding a shorter sequence that fails, each of which takes about one."""


@pytest.mark.timeout(600)
@pytest.mark.filterwarnings("ignore::dynadock.DoubtfulArgumentWarning")
def test_sequences(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "MAX_SHRINKING_SECONDS", LONGEST_SHRINKING)
    dockers = (each for each in engines() if each.kind == "docker")
    real = next((each for each in dockers if str(each.release) == LIKE), None)
    if real is None:
        give_up(f"no engine here is Docker {LIKE}, which the embedded one is compared with")
    version = str(real.newest)
    with (
        load(version, host=real.address, timeout=20) as client,
        load(version, host="embedded://like", timeout=20) as simulated,
    ):

        class Both(Likeness):
            real = client
            embedded = simulated

        run_state_machine_as_test(
            Both,
            settings=settings(
                max_examples=SEQUENCES,
                stateful_step_count=STEPS,
                deadline=None,
                derandomize=True,
                database=None,
                report_multiple_bugs=False,
                suppress_health_check=list(HealthCheck),
                print_blob=True,
            ),
        )
