"""Every operation of every version, on the embedded engine: nothing fails inside, all conforms."""

from __future__ import annotations

import json
import logging

import pytest

from conforming import conforms
from documents import A_FEW, VERSIONS, operations_of
from dynadock import Contract, Deviations, Options
from dynadock.call.bind import bind
from dynadock.call.encode import encode
from dynadock.contract.checking import findings
from dynadock.contract.exchange import Exchange
from dynadock.explore.example import example_of
from dynadock.simulation.engine import NOT_SIMULATED, Pending, Received, SimulatedEngine
from dynadock.simulation.state.seeds import seed
from dynadock.spec.loader import load_spec

pytestmark = pytest.mark.filterwarnings("ignore::dynadock.DoubtfulArgumentWarning")

OPTIONS = Options(validate=False)
FAULTY = 500
MOST_BLOCKS = 3

MOST_REFUSED = 35
"""Fewer successes would say that the engine refuses nearly everything."""
JSON = "application/json"

IT_SAYS_SO = Contract(
    allow=[
        {"to": each, "place": "status", "kind": "transport", "why": "It says so: not simulated."}
        for each in (
            *("DistributionInspect", "GetPluginPrivileges", "ImageBuild", "ImageGet"),
            *("ImageGetAll", "ImageLoad", "ImagePush", "ImageSearch", "PluginCreate", "PluginPull"),
            *("Session", "SwarmInit", "SwarmJoin"),
        )
    ]
)
"""Operations that the embedded engine answers with a status of its own, which no document has."""


def an_engine():
    """Return an engine with the things that examples name."""
    engine = SimulatedEngine(manual_clock=True, seed=1)
    seed(engine.state, "hello")
    for method, target, body in (
        ("POST", "/volumes/create", {"Name": "data"}),
        ("POST", "/networks/create", {"Name": "backend"}),
        ("POST", "/containers/create?name=web", {"Image": "busybox", "Cmd": ["sleep", "600"]}),
        ("POST", "/containers/web/start", None),
    ):
        content = b"" if body is None else json.dumps(body).encode()
        headers = {"Content-Type": JSON} if content else {}
        assert engine.answer(Received(method, target, headers, content)).status < 300
    return engine


def received(request):
    """Return a client's request as an engine receives it."""
    target, headers = request.sent()
    body = request.body
    content = body if isinstance(body, bytes) else b"".join(body or ())
    upgrade = any(name.lower() == "upgrade" for name in headers)
    return Received(request.method, target, headers, content, upgrade)


def answered(engine, asked):
    """Return an answer, None if it does not come before time goes on."""
    came = engine.answer(asked)
    if not isinstance(came, Pending):
        return came
    with engine.state.lock:
        engine.state.settle()
        return came.take()


@pytest.mark.usefixtures("small_folder")
@pytest.mark.parametrize(
    ("version", "full"),
    [*((each, False) for each in VERSIONS), *((each, True) for each in A_FEW)],
)
def test_examples(version, full, caplog):
    spec = load_spec(version)
    caplog.set_level(logging.ERROR)
    fine = 0
    for operation_id in operations_of(version):
        operation = spec[operation_id]
        example = example_of(operation, full=full)
        bound = bind(operation, (), example, OPTIONS)
        engine = an_engine()
        asked = received(encode(bound, OPTIONS))
        answer = answered(engine, asked)
        assert not caplog.records, (operation_id, caplog.text)
        if answer is None:
            continue
        hold(operation, asked, answer)
        check(version, operation, answer)
        fine += answer.status < 300
    assert fine > MOST_REFUSED


def hold(operation, asked, answer):
    """Hold an answer, as far as it has come, against its document, as contracts do."""
    is_read = answer.source is None and answer.session is None
    exchange = Exchange(
        operation,
        asked.target,
        request_headers=asked.headers,
        request_body=asked.body,
        status=answer.status,
        reply_headers=answer.headers,
        reply_body=answer.body if is_read else None,
    )
    found = Deviations()
    found.add(findings(exchange, found.note_unchecked), exchange, IT_SAYS_SO)
    assert not found.unchecked
    assert not [each for each in found.failing if each.part == "reply"], found


def check(version, operation, answer):
    """Check an answer against its document, and leave it if it is a stream."""
    if answer.source is not None:
        for _ in range(MOST_BLOCKS):
            answer.source.take()
        answer.source.leave()
    elif answer.session is not None:
        answer.session.take()
        answer.session.leave()
    elif answer.status >= FAULTY:
        assert answer.status != FAULTY or json.loads(answer.body)["message"]
        assert answer.status in (FAULTY, NOT_SIMULATED, 503)
    elif is_documented(operation, answer):
        conforms(version, operation.operation_id, json.loads(answer.body))


def is_documented(operation, answer):
    """Tell whether the document has a schema for what came."""
    is_json = answer.headers.get("Content-Type") == JSON
    return answer.status < 300 and is_json and operation.reply.schema is not None
