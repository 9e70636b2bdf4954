"""What a caller wants of deviations: modes, classes, and rows of what is known."""

from __future__ import annotations

import copy
import pickle

import pytest

from documents import MAIN
from dynadock import Contract, Options, SpecError, load
from dynadock.contract.checking import findings
from dynadock.contract.exchange import Exchange
from dynadock.contract.finding import Finding
from dynadock.contracts import FAILING, contract_of
from dynadock.spec.loader import load_spec

ROW = {"to": "ContainerInspect", "why": "It is odd."}
FINDING = Finding(
    *("wrong", "ContainerInspect", "1.42", "reply", "State.Pid"), "ContainerState", "Pid"
)


def test_options_take_modes_and_contracts():
    assert Options().contract == "off"
    for mode in ("off", "record", "warn", "raise", Contract("warn")):
        assert Options(contract=mode).contract == mode
    for wrong in ("on", None, True, 1, ["warn"]):
        with pytest.raises(ValueError, match="contract: expected 'off', 'record', 'warn', 'raise'"):
            Options(contract=wrong)


def test_a_mode_is_a_contract_of_the_usual_classes():
    assert contract_of("off") is None
    assert contract_of(Contract("off")) is None
    assert contract_of("warn") == Contract("warn", FAILING)
    assert contract_of(contract := Contract("raise", ["newer"])) is contract


def test_contracts_are_frozen_copied_and_pickled():
    contract = Contract("warn", ["wrong"], [ROW])
    with pytest.raises(AttributeError, match="frozen"):
        contract.mode = "raise"
    assert copy.deepcopy(contract) is copy.copy(contract) is contract
    assert pickle.loads(pickle.dumps(contract)) == contract
    assert hash(pickle.loads(pickle.dumps(contract))) == hash(contract)
    assert contract != Contract("warn", ["wrong"])
    assert repr(contract) == "<Contract 'warn' of wrong, 1 rows allowed>"
    assert load("1.42", contract=contract).with_options().options.contract is contract


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        (("often",), ValueError, "expected 'off', 'record', 'warn' or 'raise', got 'often'"),
        (("warn", ["wrongs"]), ValueError, "no class 'wrongs'; did you mean 'wrong'"),
        (("warn", "odd"), ValueError, "no class 'odd'"),
        (("warn", [], 5), TypeError, "allow: expected a file's path or rows, got int"),
        (("warn", [], [5]), SpecError, "row 1: expected a mapping"),
        (("warn", [], [{"to": "X"}]), SpecError, "row 1: it has no 'why'"),
        (("warn", [], [{"why": "So."}]), SpecError, "it would allow all"),
        (("warn", [], [ROW, ROW | {"too": 1}]), SpecError, "field of row 2: 'too'; did you mean"),
        (("warn", [], [ROW | {"kind": "odd"}]), SpecError, "no class in row 1: 'odd'"),
        (("warn", [], [ROW | {"api": 1.4}]), SpecError, "api: expected text, in quotes"),
        (("warn", [], [ROW | {"api": "new"}]), SpecError, "not an API version"),
        (("warn", [], "/there/is/none"), SpecError, "/there/is/none cannot be read"),
    ],
)
def test_what_is_wrong_is_named(arguments, error, words):
    with pytest.raises(error, match=words):
        Contract(*arguments)


@pytest.mark.parametrize("content", ["{", "a: 1", "- 5", "- [", "\x00"])
def test_a_file_of_no_use_is_named(content, tmp_path):
    path = tmp_path / "known.yaml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(SpecError, match=r"known\.yaml"):
        Contract("warn", allow=path)


def test_a_file_is_read_as_its_rows_are(tmp_path):
    path = tmp_path / "known.yaml"
    path.write_text("- to: ContainerInspect\n  why: It is\n    odd.\n", encoding="utf-8")
    assert Contract(allow=path) == Contract(allow=str(path)) == Contract(allow=[ROW])
    assert Contract(allow=ROW) == Contract(allow=[ROW])


@pytest.mark.parametrize(
    ("row", "engine", "is_meant"),
    [
        ({"to": "ContainerInspect"}, "", True),
        ({"to": "ContainerList"}, "", False),
        ({"place": "State.Pid"}, "", True),
        ({"place": "ContainerState.Pid"}, "", True),
        ({"place": ["State", "ContainerState"]}, "", False),
        ({"kind": ["wrong", "newer"]}, "", True),
        ({"kind": "newer"}, "", False),
        ({"kind": "wrong", "api": "1.42"}, "", True),
        ({"kind": "wrong", "api": "-1.41"}, "", False),
        ({"kind": "wrong", "engine": ["Libpod", "Docker/26"]}, "Docker/26.1.5 (linux)", True),
        ({"kind": "wrong", "engine": "Docker/26"}, "Docker/28.5.0 (linux)", False),
        ({"kind": "wrong", "engine": "Docker/26"}, "", False),
    ],
)
def test_a_row_means_what_fits_all_that_it_says(row, engine, is_meant):
    contract = Contract(allow=[row | {"why": "So."}])
    assert (contract.why(FINDING, engine) is not None) == is_meant


OCTETS = "application/vnd.docker.raw-stream"


@pytest.mark.parametrize(
    ("operation_id", "status", "content_type", "body"),
    [
        ("ContainerLogs", 200, OCTETS, b""),
        ("SystemEvents", 200, "application/json", b""),
        ("ExecStart", 101, OCTETS, None),
        ("PluginPull", 200, "application/json", b'{"status": "x"}'),
    ],
)
def test_what_streams_may_be_is_no_deviation(operation_id, status, content_type, body):
    operation = load_spec(MAIN)[operation_id]
    came = Exchange(
        operation,
        operation.path,
        request_headers={},
        request_body=b"",
        status=status,
        reply_headers={"Content-Type": content_type},
        reply_body=body,
    )
    assert [each for each in findings(came) if each.part == "reply"] == []
