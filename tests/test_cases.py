"""The cases in tests/cases/*.json: from arguments to a request or faults, from replies to values.

A file maps names to cases. A call has ``operation`` (in any spelling), ``version`` (1.42 where it
says none, ``zoo`` for the invented document), ``args``, ``arguments`` and ``options``, and ends in
either

- ``request``: ``method``, ``target`` (or ``path`` and ``query``, a list of pairs), ``body`` (JSON)
  or ``body_text``, and ``headers``, which are complete save for the User-Agent; or
- ``faults``: pairs of a place and a part of the problem (or some parts), complete, in the order of
  the arguments, those in the body sorted; ``error`` is the exception's name, ``message`` a part of
  its text, ``never`` what must not be in it.

A reply has a ``status``, ``headers`` and ``body`` (``body_hex`` where it is not text), and ends in
``value`` or ``outcome``, or in ``error`` with ``message`` (parts of it) and ``explanation``.
"""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import parse_qsl

import pytest

import dynadock
from dynadock import NOT_MODIFIED, Options, Record, ValidationError, reveal
from dynadock.call.bind import bind
from dynadock.call.encode import JSON, USER_AGENT, encode
from dynadock.call.interpret import interpret
from dynadock.spec.loader import load_spec
from dynadock.wire.messages import Headers, Reply

FOLDER = Path(__file__).parent / "cases"
HOST = "unix:///engine.sock"


def _cases():
    for path in sorted(FOLDER.glob("*.json")):
        for name, case in json.loads(path.read_text(encoding="utf-8")).items():
            default = "zoo" if path.stem == "zoo" else "1.42"
            yield pytest.param({"version": default, **case}, id=f"{path.stem}: {name}")


CASES = list(_cases())
OF = {
    part: [case for case in CASES if part in case.values[0]]
    for part in ("request", "faults", "status")
}


def test_every_case_is_of_one_kind():
    assert [case.id for case in CASES if sum(k in case.values[0] for k in OF) != 1] == []


def _operation(case):
    source = FOLDER / "zoo.yaml" if case["version"] == "zoo" else case["version"]
    return load_spec(source).find(case["operation"])


def _prepared(case):
    options = Options(**case.get("options", {}))
    arguments = case.get("arguments", {})
    return encode(bind(_operation(case), tuple(case.get("args", ())), arguments, options), options)


@pytest.mark.parametrize("case", OF["request"])
def test_a_call_becomes_a_request(case):
    request, wanted = _prepared(case), case["request"]
    assert request.method == wanted["method"]
    if "target" in wanted:
        assert request.target == wanted["target"]
    else:
        path, _, query = reveal(request.target).partition("?")
        assert path == wanted["path"]
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=True)
        assert [list(pair) for pair in pairs] == wanted["query"]
    _check_body(request, wanted)
    has_body = "body" in wanted or "body_text" in wanted
    headers = wanted.get("headers", {"Content-Type": JSON} if has_body else {})
    assert request.headers == {"User-Agent": USER_AGENT, **headers}


def _check_body(request, wanted):
    if "body_text" in wanted:
        assert request.body.decode() == wanted["body_text"]
    elif "body" in wanted:
        assert json.loads(request.body) == wanted["body"]
    else:
        assert request.body is None


@pytest.mark.parametrize("case", OF["faults"])
def test_a_wrong_call_becomes_faults(case):
    with pytest.raises(ValidationError) as caught:
        _prepared(case)
    error = caught.value
    assert type(error).__name__ == case.get("error", type(error).__name__)
    outside = [fault for fault in error.faults if fault.location != "body"]
    inside = sorted(fault for fault in error.faults if fault.location == "body")
    faults = [*outside, *inside]
    assert [fault.place for fault in faults] == [place for place, _ in case["faults"]]
    for fault, (_, parts) in zip(faults, case["faults"], strict=True):
        for part in [parts] if isinstance(parts, str) else parts:
            assert part in fault.problem
        assert str(fault) in str(error)
    operation = _operation(case)
    assert str(error).startswith(f"{operation.operation_id} (API {operation.version}): ")
    assert (error.operation_id, error.version) == (operation.operation_id, str(operation.version))
    assert case.get("message", "") in str(error)
    assert "never" not in case or case["never"] not in str(error)


@pytest.mark.parametrize("case", OF["status"])
def test_a_reply_becomes_a_value_or_an_error(case):
    operation = _operation(case)
    body = bytes.fromhex(case["body_hex"]) if "body_hex" in case else case["body"].encode()
    reply = Reply(case["status"], Headers(case["headers"]), body * case.get("repeat", 1))
    if "error" not in case:
        value = interpret(operation, reply, HOST)
        if "outcome" in case:
            assert value is NOT_MODIFIED
        else:
            assert value == case["value"]
            assert not isinstance(value, dict) or isinstance(value, Record)
        return
    with pytest.raises(dynadock.APIError) as caught:
        interpret(operation, reply, HOST)
    error = caught.value
    assert type(error) is getattr(dynadock, case["error"])
    for part in case["message"]:
        assert part in str(error)
    assert error.explanation == case.get("explanation", error.explanation)
    assert (error.status, error.body, error.host) == (case["status"], reply.body, HOST)
    assert (error.operation_id, error.method) == (operation.operation_id, operation.method)
    assert (error.path, error.version) == (operation.path, str(operation.version))
