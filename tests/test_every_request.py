"""Whatever a client sends, an engine reads back: every operation of every version, and recordings.

From arguments to bytes as clients make them, and back through the readers of requests, routes,
arguments and bodies.
"""

from __future__ import annotations

import base64
import json
from decimal import Decimal
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cuts import parts
from documents import VERSIONS
from dynadock import Options
from dynadock.call.bind import ABSENT, bind
from dynadock.call.encode import encode
from dynadock.call.reading import read_arguments, strict_faults
from dynadock.call.received import read_body, strict_faults_of_body
from dynadock.explore.example import example_of
from dynadock.simulation.routes import Routes, read_target
from dynadock.spec.loader import load_spec
from dynadock.spec.schema import flatten
from dynadock.wire.chunks import LAST_CHUNK, chunk
from dynadock.wire.http1 import request_head
from dynadock.wire.requests import RequestReader
from samples import Strict, bodies, least_arguments
from test_properties import DRAWN, OPERATIONS, WITH_BODY

pytestmark = pytest.mark.filterwarnings("ignore::dynadock.DoubtfulArgumentWarning")

OPTIONS = Options()
both_kinds = pytest.mark.parametrize("full", [False, True], ids=["short", "full"])
every_version = pytest.mark.parametrize("version", VERSIONS)


class Read(NamedTuple):
    """What an engine makes of a request."""

    operation_id: str
    arguments: dict
    body: object
    faults: list


@cache
def routes_of(version):
    return Routes(load_spec(version))


def bytes_of(request):
    """Return a request as it is sent; a body that is iterated is one chunk for each block."""
    head, body = request_head(request, "localhost"), request.body
    if body is None or isinstance(body, bytes):
        return head + (body or b"")
    return head + b"".join(map(chunk, body)) + LAST_CHUNK


def read(pieces):
    """Read a request as an engine does."""
    reader = RequestReader()
    body = b"".join(map(reader.feed, pieces))
    assert reader.done
    assert not reader.rest
    head = reader.head
    place = read_target(head.target)
    assert not place.moved_to
    found = routes_of(place.version).find(head.method, place.path)
    operation = load_spec(place.version)[found.operation_id]
    sent = (operation, place.query, head.headers, found.segments)
    value = read_body(operation, head.headers.get("Content-Type"), body)
    faults = strict_faults(*sent) + strict_faults_of_body(operation, body)
    return Read(found.operation_id, read_arguments(*sent), value, faults)


def nanoseconds(text):
    return int(Decimal(text) * 10**9)


def from_base64(value):
    return json.loads(base64.urlsafe_b64decode(value)) if isinstance(value, str) else value


AS_READ = {
    "timestamp": nanoseconds,
    "filters": lambda value: {name: [*dict.fromkeys(each)] for name, each in value.items()},
    "base64-json": from_base64,
    "count": lambda value: int(value) if str(value).lstrip("+-").isdecimal() else value,
}


def as_read(parameter, value):
    """Return what a checked value is when an engine has read it."""
    if parameter.items is not None:
        return [as_read(parameter.items, each) for each in value]
    meant = AS_READ.get(parameter.encoding, lambda same: same)(value)
    return as_received(parameter.content, {}, meant) if parameter.content else meant


EMPTY = {"object": {}, "array": [], "string": "", "integer": 0, "number": 0.0, "boolean": False}


def as_received(schema, definitions, value):
    """Return what a checked body is when an engine has read it, by a way of its own."""
    flat = flatten(schema, definitions)
    kinds = flat.get("type", "object" if "properties" in flat else [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if value is None:
        may_be = "null" in kinds or schema.get("x-nullable") or not kinds
        return None if may_be else EMPTY[kinds[0]]
    if isinstance(value, str) and "array" in kinds:
        return [value]
    if isinstance(value, list):
        return [as_received(flat.get("items", {}), definitions, each) for each in value]
    if not isinstance(value, dict):
        return value
    known, others = flat.get("properties", {}), flat.get("additionalProperties")
    if known and not others:
        items = value.items()
        return {
            key: as_received(known[key], definitions, each)
            for key, each in items
            if each is not None and key in known
        }
    others = others if isinstance(others, dict) else {}
    return {
        key: as_received(known.get(key, others), definitions, each) for key, each in value.items()
    }


def check_round_trip(operation, arguments, cuts=()):
    bound = bind(operation, (), arguments, OPTIONS)
    if operation.body is not None and operation.body.kind == "binary" and bound.body is not ABSENT:
        bound.body = bound.body if isinstance(bound.body, bytes) else b"".join(bound.body)
    found = read(parts(bytes_of(encode(bound, OPTIONS)), cuts))
    assert found.operation_id == operation.operation_id
    for name, value in bound.arguments.items():
        parameter = operation.by_name[name]
        if value in ("", []) and parameter.encoding != "string":
            assert found.arguments.get(name, "") in ("", [], parameter.default)
        elif value != "":
            assert found.arguments[name] == as_read(parameter, value), name
    if bound.body is ABSENT:
        assert found.body is None
    elif operation.body.kind == "binary":
        assert (found.body or b"") == bound.body
    else:
        body = operation.body
        assert found.body == as_received(body.schema, body.definitions, bound.body)
    assert found.faults == []


@pytest.mark.usefixtures("small_folder")
@both_kinds
@every_version
def test_every_example_comes_back(version, full):
    for operation in load_spec(version).values():
        check_round_trip(operation, example_of(operation, full=full))


def is_readable(value):
    """Tell whether Go can hold a value; what it cannot is refused by engines, and by no client."""
    if isinstance(value, dict | list):
        return all(map(is_readable, value.values() if isinstance(value, dict) else value))
    return not isinstance(value, int) or -(2**63) <= value < 2**63


def values_of(parameter):
    each = parameter.items or parameter
    if each.content:
        values = bodies(Strict(SimpleNamespace(schema=each.content, definitions={})))
    else:
        values = DRAWN[each.encoding](each).filter(is_readable)
    if parameter.location == "header":
        # What stands around a header's value is none of it.
        values = values.map(lambda value: value.strip() if isinstance(value, str) else value)
    if parameter.items is None:
        return values
    return st.lists(values.filter(lambda value: "," not in str(value)), min_size=1, max_size=3)


@given(data=st.data(), cuts=st.lists(st.integers(0, 900), max_size=4))
@settings(max_examples=300)
def test_drawn_arguments_come_back(data, cuts):
    operation = data.draw(st.sampled_from(OPERATIONS))
    drawn = [each for each in operation.parameters if each.location != "path"]
    drawn = [each for each in drawn if (each.items or each).encoding in DRAWN or each.has_content]
    arguments = least_arguments(operation)
    for parameter in data.draw(st.lists(st.sampled_from(drawn), max_size=4)) if drawn else ():
        arguments[parameter.python_name] = data.draw(values_of(parameter))
    check_round_trip(operation, arguments, cuts)


@given(data=st.data(), cuts=st.lists(st.integers(0, 900), max_size=4))
@settings(max_examples=200)
def test_drawn_bodies_come_back(data, cuts):
    operation = data.draw(st.sampled_from(WITH_BODY))
    value = data.draw(bodies(strict_of(operation)).filter(is_readable))
    arguments = {**least_arguments(operation), operation.body.python_name: value}
    check_round_trip(operation, arguments, cuts)


@cache
def strict_of(operation):
    return Strict(operation.body)


FILES = sorted((Path(__file__).parent / "cases" / "recorded").glob("*.json"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_what_the_docker_command_sent_is_read(path):
    for case in json.loads(path.read_text()):
        place = read_target(case["target"])
        assert (place.version, place.moved_to) == (case["api_version"], "")
        found = routes_of(place.version).find(case["method"], place.path)
        operation = load_spec(place.version)[found.operation_id]
        headers = {name.title(): value for name, value in case["headers"].items()}
        assert read_arguments(operation, place.query, headers, found.segments) is not None
        body = json.dumps(case["body"]).encode()
        assert read_body(operation, headers["Content-Type"], body) is not None
