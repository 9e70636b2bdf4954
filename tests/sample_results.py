"""Results of a run that was never made, for tests of what is written about runs."""

from __future__ import annotations

from dynadock.compat.results import Results
from dynadock.spec.loader import load_version
from dynadock.spec.versions import parse_version

MADE = "2026-03-01T09:05:00+00:00"
WRONG = {
    "kind": "wrong",
    "part": "reply",
    "place": "State.Pid",
    "definition": "ContainerState",
    "field": "Pid",
    "expected": "an integer",
    "got": "a text of 3 characters",
    "first": "GET /v1.40/x -> 200",
}


def sample_results(versions, engines=("docker-1", "podman-1"), *, text=""):
    """Return a run in which everything happened; ``text`` is added to every text that is free.

    All operations of all versions were looked at, so that it is as large as such a run gets.
    """
    results = Results(made=MADE, how=f"make compat {text}".strip())
    specs = {version: load_version(parse_version(version)) for version in versions}
    operations = sorted({name for spec in specs.values() for name in spec})
    for place, engine in enumerate(engines):
        name = f"{engine}{text}"
        results.add_engine(name, f"docker{text}", "28", "1.24", "1.51", address_kind="unix")
        for version, spec in specs.items():
            for number, operation_id in enumerate(operations):
                if operation_id in spec:
                    turn = number * 7 + place * 3 + list(specs).index(version) // 3
                    _add(results, spec[operation_id], name, turn, text)
    return results


def _add(results, operation, engine, turn, text):
    version = str(operation.version)
    name = operation.operation_id
    test = f"tests/test_{operation.tag}.py::test_{name}[{engine}-{version}]{text}"
    exchange = {
        "method": operation.method,
        "target": f"/v{version}{operation.path}{text}",
        "status": 200,
        "milliseconds": 1 + turn % 5 / 4,
    }
    more = {"test": test, "exchanges": [exchange, {**exchange, "status": 404}]}
    why = f"The engine has no swarm.{text}"
    if turn % 31 == 0:
        failed = {**exchange, "status": 500}
        results.add_cell(
            name, version, engine, "failed", f"got 500{text}", test=test, exchanges=[failed]
        )
        results.add_test(test, engine, version, "failed", seconds=1.5, reason=f"got 500{text}")
    elif turn % 23 == 0:
        rows = [{**WRONG, "got": f"a text{text}"}]
        results.add_cell(name, version, engine, "deviating", deviations=rows, **more)
        results.add_test(test, engine, version, "passed", seconds=0.5)
    elif turn % 11 == 0:
        results.add_cell(name, version, engine, "refused", why, **more)
        results.add_test(test, engine, version, "skipped", reason=why)
    elif turn % 13:
        results.add_cell(name, version, engine, "passed", **more)
        results.add_test(test, engine, version, "passed", seconds=0.25)
