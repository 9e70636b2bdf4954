"""What holds for any argument, any body and any reply, drawn by hypothesis."""

from __future__ import annotations

import base64
import copy
import json
import pickle
import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from functools import cache
from types import SimpleNamespace
from urllib.parse import parse_qsl, unquote

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from documents import A_FEW, ZOO
from dynadock import APIError, Options, Record, ValidationError, reveal
from dynadock.call.bind import bind
from dynadock.call.body import check_body
from dynadock.call.encode import encode
from dynadock.call.interpret import interpret
from dynadock.spec.library import bundled_versions
from dynadock.spec.loader import load_spec
from dynadock.wire.messages import Headers, Reply
from samples import JSON_VALUES, Strict, bodies, least_arguments

pytestmark = pytest.mark.filterwarnings("ignore::dynadock.DoubtfulArgumentWarning")
"""Drawn bodies may be legal and odd; what is warned of is tested elsewhere."""

OPTIONS = Options()
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EARLIEST = datetime(1970, 1, 2)  # noqa: DTZ001 - hypothesis draws the time zone
LATEST = datetime(9999, 12, 30)  # noqa: DTZ001

SPECS = {str(version): load_spec(str(version)) for version in bundled_versions()}
OPERATIONS = [operation for spec in SPECS.values() for operation in spec.values()]
WITH_PATH = [operation for operation in OPERATIONS if operation.positional]
WITH_BODY = [
    operation
    for operation in OPERATIONS
    if operation.body is not None and operation.body.kind in ("object", "array")
]
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


def prepared(operation, arguments, options=OPTIONS):
    return encode(bind(operation, (), arguments, options), options)


def request_or_error(operation, arguments, options=OPTIONS):
    """Return what comes of a call; whatever else is raised is no answer of ours."""
    try:
        return prepared(operation, arguments, options)
    except ValidationError as error:
        return error


@cache
def strict_of(operation):
    return Strict(operation.body)


# Parameters


def _shape(parameter):
    """Return what decides how a parameter is written."""
    items = parameter.items
    return (
        parameter.location,
        parameter.encoding if items is None else f"list of {items.encoding}",
        parameter.collection,
        parameter.enum,
        parameter.pattern,
        repr((items or parameter).content),
    )


def _parameters():
    """Yield one parameter of each shape, with its operation; ids say which."""
    seen = set()
    for operation in [*OPERATIONS, *load_spec(ZOO).values()]:
        for parameter in operation.parameters:
            if parameter.location != "path" and _shape(parameter) not in seen:
                seen.add(_shape(parameter))
                name = f"{operation.operation_id}.{parameter.name}"
                encoding = (parameter.items or parameter).encoding
                yield pytest.param(operation, parameter, id=f"{name} ({encoding})")


def _texts(parameter):
    if parameter.enum:
        return st.sampled_from([each for each in parameter.enum if each not in parameter.refuse])
    if parameter.pattern:
        return st.from_regex(
            parameter.pattern, fullmatch=True, alphabet=st.characters(codec="ascii")
        )
    if parameter.location == "header":
        return st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=12)
    return TEXT


def _whole_numbers(parameter):
    return st.integers(parameter.bounds.get("minimum"), parameter.bounds.get("maximum"))


def _reals(parameter):
    return st.floats(
        parameter.bounds.get("minimum"),
        parameter.bounds.get("maximum"),
        allow_nan=False,
        allow_infinity=False,
    )


DRAWN = {
    "string": _texts,
    "boolean": lambda _: st.booleans(),
    "integer": lambda p: st.sampled_from(p.enum) if p.enum else _whole_numbers(p),
    "number": _reals,
    "count": lambda _: st.integers() | TEXT,
    "seconds": lambda _: st.integers() | st.integers(0, 10**6).map(lambda n: timedelta(seconds=n)),
    "timestamp": lambda _: (
        st.integers()
        | st.datetimes(EARLIEST, LATEST).map(lambda d: d.replace(tzinfo=UTC))
        | st.decimals(0, 10**10, places=9).map("{:f}".format)
    ),
    "filters": lambda _: st.dictionaries(TEXT, st.lists(TEXT, min_size=1, max_size=3), max_size=3),
}


def _moment(value):
    if isinstance(value, datetime):
        return Decimal((value - EPOCH) // timedelta(microseconds=1)) / 10**6
    return Decimal(value)


def _seconds(value):
    return value // timedelta(seconds=1) if isinstance(value, timedelta) else value


DECODED = {
    "boolean": {"true": True, "false": False}.__getitem__,
    "integer": int,
    "number": float,
    "seconds": int,
    "timestamp": Decimal,
    "filters": json.loads,
    "json-object": json.loads,
    "json-array": json.loads,
    "base64-json": lambda text: json.loads(base64.urlsafe_b64decode(text)),
}
MEANT = {"timestamp": _moment, "seconds": _seconds, "count": str}


@pytest.mark.parametrize(("operation", "parameter"), list(_parameters()))
@settings(max_examples=25)
@given(data=st.data())
def test_arguments_encode_and_decode_back(operation, parameter, data):
    each = parameter.items or parameter
    if each.content:
        values = bodies(Strict(SimpleNamespace(schema=each.content, definitions={})))
    else:
        values = DRAWN[each.encoding](each)
    if parameter.items is not None:
        values = st.lists(values, min_size=1, max_size=3)
    value = data.draw(values)
    separator = {"csv": ",", "ssv": " ", "tsv": "\t", "pipes": "|"}.get(parameter.collection)
    assume(separator is None or not any(separator in str(member) for member in value))
    request = prepared(operation, {**least_arguments(operation), parameter.python_name: value})
    if parameter.location == "header":
        texts = [reveal(request.headers)[parameter.name]]
    else:
        assert request.target.isascii()
        pairs = parse_qsl(
            reveal(request.target).partition("?")[2], keep_blank_values=True, strict_parsing=True
        )
        texts = [text for name, text in pairs if name == parameter.name]
    if separator is not None:
        texts = texts[0].split(separator)
    decode = DECODED.get(each.encoding, str)
    meant = MEANT.get(each.encoding, lambda same: same)
    wanted = value if parameter.items is not None else [value]
    assert [decode(text) for text in texts] == [meant(member) for member in wanted]


@given(st.datetimes(EARLIEST, timezones=st.sampled_from([UTC, timezone(timedelta(hours=9))])))
def test_moments_in_rfc_3339_are_the_same_moments(moment):
    operation = SPECS["1.42"]["SystemEvents"]
    assert (
        prepared(operation, {"since": moment.isoformat()}).target
        == prepared(operation, {"since": moment}).target
    )


@given(st.floats(0, 1e10))
@example(1e-10)
def test_a_moment_as_a_float_is_exact_to_the_nanosecond(moment):
    target = prepared(SPECS["1.42"]["SystemEvents"], {"since": moment}).target
    text = target.partition("since=")[2]
    assert re.fullmatch(r"\d+(\.\d{1,9})?", text)
    assert abs(Decimal(text) - Decimal(moment)) <= Decimal("5e-10")


ODD = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.binary(max_size=5)
    | st.decimals()
    | st.datetimes()
    | st.timedeltas()
    | st.sampled_from([object(), str, {1, 2}, frozenset(), (), range(3), b"x", Ellipsis, 1j])
)
ODD_VALUES = st.recursive(
    ODD,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=5) | st.integers(), inner, max_size=3)
    ),
    max_leaves=5,
)


@given(data=st.data())
@settings(max_examples=300)
def test_any_value_at_all_is_sent_or_a_fault(data):
    operation = data.draw(st.sampled_from(OPERATIONS))
    names = [parameter.python_name for parameter in operation.parameters]
    if operation.body is not None:
        names += ["body", *operation.body.properties]
    names.append("no such name")
    arguments = data.draw(st.dictionaries(st.sampled_from(names), ODD_VALUES, max_size=3))
    options = data.draw(
        st.sampled_from([Options(), Options(validate=False), Options(unknown="send")])
    )
    answer = request_or_error(operation, arguments, options)
    if isinstance(answer, ValidationError):
        assert answer.faults
        assert str(answer).count("\n") >= len(answer.faults)
    else:
        assert re.fullmatch(r"[\x21-\x7e]+", reveal(answer.target))
        assert not re.search(r"[\r\n\0]", "".join(map("".join, reveal(answer.headers).items())))


# Paths


def _templates(operation):
    """List the templates of the operation's method, those with the most letters first."""
    templates = [o.path for o in operation.spec.values() if o.method == operation.method]
    return sorted(templates, key=lambda path: -len(re.sub(r"\{.*?\}", "", path)))


def _matching(template, path):
    return re.fullmatch(re.sub(r"\\{.*?\\}", "(.+)", re.escape(template)), path)


PIECES = (
    *("/", "//", ".", "..", "\\", "%2e", "%2F", "?", "#", ";", ":", "@", "\r\n", "\0", "\x7f"),
    *(" HTTP/1.1", "ü", "{id}", "{name}", "a", "create", "prune", "update", "json", "logs"),
)
HOSTILE = st.lists(st.sampled_from(PIECES), max_size=6).map("".join)


@given(operation=st.sampled_from(WITH_PATH), value=HOSTILE | st.text(max_size=10))
@settings(max_examples=400)
def test_a_path_is_that_operation_with_that_value_or_a_fault(operation, value):
    parameter = operation.positional[0]
    arguments = {**least_arguments(operation), parameter.python_name: value}
    answer = request_or_error(operation, arguments)
    if isinstance(answer, ValidationError):
        assert [fault.place for fault in answer.faults] == [parameter.python_name]
        assert [fault.location for fault in answer.faults] == ["path"]
        return
    path, _, _query = answer.target.partition("?")
    assert re.fullmatch(r"[\x21-\x7e]+", path)
    assert "#" not in path
    path = path.removeprefix(operation.spec.base_path)
    assert not {"", ".", ".."} & set(unquote(path)[1:].split("/"))
    template = next(each for each in _templates(operation) if _matching(each, path))
    assert template == operation.path
    assert unquote(_matching(template, path)[1]) == value.removeprefix("/")


# Bodies


@given(data=st.data())
@settings(max_examples=200)
def test_any_body_drawn_from_the_schema_passes(data):
    operation = data.draw(st.sampled_from(WITH_BODY))
    body = data.draw(bodies(strict_of(operation)))
    request = prepared(operation, {**least_arguments(operation), operation.body.python_name: body})
    assert json.loads(request.body) == body


def place(operation, path):
    written = ""
    for step in path:
        written += f"[{step}]" if isinstance(step, int) else f".{step}"
    return written.removeprefix(".") if path else operation.body.name


def replaced(body, path, value):
    """Return a copy of a body with another value at ``path``."""
    if not path:
        return value
    twin = copy.copy(body)
    twin[path[0]] = replaced(body[path[0]], path[1:], value)
    return twin


def faults_of(operation, body):
    with pytest.raises(ValidationError) as caught:
        prepared(operation, {**least_arguments(operation), operation.body.python_name: body})
    return caught.value.faults


OF_TYPES = {"string": "x", "integer": 3, "boolean": True, "array": [1], "object": {"a": 1}}
OF_TYPES["number"] = 1.5


@given(data=st.data())
def test_a_wrong_type_is_one_fault_at_its_place(data):
    operation = data.draw(st.sampled_from(WITH_BODY))
    body = data.draw(bodies(strict_of(operation)))
    nodes = [n for n in strict_of(operation).nodes(body) if "type" in n[2] and "enum" not in n[2]]
    path, _, schema = data.draw(st.sampled_from(nodes))
    accepted = {*schema["type"], *(["integer"] if "number" in schema["type"] else [])}
    wrong = OF_TYPES[data.draw(st.sampled_from(sorted(set(OF_TYPES) - accepted)))]
    (fault,) = faults_of(operation, replaced(body, path, wrong))
    assert (fault.place, fault.location) == (place(operation, path), "body")
    names = " or ".join(name for name in schema["type"] if name != "null")
    assert fault.problem.startswith(f"expected {names}, got ")


@given(data=st.data())
def test_a_misspelt_key_is_one_fault_at_its_place(data):
    operation = data.draw(st.sampled_from(WITH_BODY))
    body = data.draw(bodies(strict_of(operation)))
    closed = [
        (path, value, schema)
        for path, value, schema in strict_of(operation).nodes(body)
        if schema.get("additionalProperties") is False and isinstance(value, dict)
    ]
    assume(closed)
    path, value, schema = data.draw(st.sampled_from(closed))
    meant = data.draw(st.sampled_from(sorted(schema["properties"])))
    misspelt = f"{meant}{meant[-1]}"
    assume(misspelt not in schema["properties"])
    broken = replaced(body, path, {**value, misspelt: data.draw(JSON_VALUES.filter(bool))})
    (fault,) = faults_of(operation, broken)
    assert (fault.place, fault.location) == (place(operation, (*path, misspelt)), "body")
    assert re.match(r"unknown field; (did you mean '|it arrived in |its last )", fault.problem)
    empty = replaced(body, path, {**value, misspelt: data.draw(st.sampled_from(EMPTY))})
    assert list(check_body(operation, operation.body, empty, "error")) == []


EMPTY = [None, False, 0, 0.0, "", [], {}]


@pytest.mark.parametrize("version", A_FEW)
def test_a_wrong_choice_is_one_fault_at_its_place(version):
    seen = 0
    for operation in (o for o in WITH_BODY if o.spec is SPECS[version]):
        for field in operation.body.fields():
            steps = steps_of(field.path)
            choices = strict_of(operation).at(steps).get("enum", ())
            if "no such choice" not in choices and any(isinstance(c, str) for c in choices):
                check_choices(operation, steps, choices)
                seen += 1
    assert seen > 10


def steps_of(field):
    """Write the path of a field as steps into a body: ``A[].B{}`` is A, 0, B and any key."""
    marked = field.replace("[]", ".0").replace("{}", ".any")
    return tuple(int(step) if step.isdigit() else step for step in marked.split("."))


def check_choices(operation, steps, choices):
    (fault,) = faults_of(operation, strict_of(operation).least_with(steps, "no such choice"))
    assert (fault.place, fault.location) == (place(operation, steps), "body")
    assert ", ".join(repr(choice) for choice in choices if choice) in fault.problem
    assert None in choices
    assert "" in choices
    for choice in choices:
        body = strict_of(operation).least_with(steps, choice)
        assert list(check_body(operation, operation.body, body, "error")) == []


@given(data=st.data())
def test_null_passes_for_every_field_and_is_no_entry(data):
    operation = data.draw(st.sampled_from(WITH_BODY))
    body = data.draw(bodies(strict_of(operation)))
    for path, _, _ in strict_of(operation).nodes(body):
        nulled = replaced(body, path, None)
        faults = check_body(operation, operation.body, nulled, "error")
        refused = [] if strict_of(operation).takes_null(path) else [place(operation, path)]
        assert [fault.place for fault in faults] == refused


# Replies

OBJECTS = st.dictionaries(st.text(max_size=6), JSON_VALUES, max_size=4)


@given(OBJECTS)
@example({"__deepcopy__": "x", "__reduce_ex__": 1, "__class__": 2, "items": 3, "_x": 4})
def test_a_record_is_the_dict_that_came(tree):
    reply = Reply(200, Headers({"Content-Type": "application/json"}), json.dumps(tree).encode())
    record = interpret(SPECS["1.42"]["SystemInfo"], reply, "unix:///x")
    assert type(record) is Record
    assert record == tree
    assert tree == record
    assert json.loads(json.dumps(record)) == tree
    assert list(record) == list(tree)
    for twin in (
        copy.copy(record),
        copy.deepcopy(record),
        record.copy(),
        pickle.loads(pickle.dumps(record)),
        record | {},
    ):
        assert twin == record
        assert twin is not record
        assert type(twin) is Record
    for key, value in tree.items():
        assert record[key] == value
        taken = hasattr(dict, key) or key.startswith("__")  # by dicts, and by Python itself
        assert taken or getattr(record, key) == value
        assert not key.isidentifier() or key in dir(record)
        assert not isinstance(record[key], dict) or type(record[key]) is Record


NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9]*(-[A-Za-z0-9]+)*", fullmatch=True)


@given(st.dictionaries(NAMES, st.text(max_size=5), max_size=4))
def test_headers_are_found_in_any_spelling(pairs):
    assume(len({name.lower() for name in pairs}) == len(pairs))
    headers = Headers(pairs)
    for name, value in pairs.items():
        for spelling in (name, name.upper(), name.lower(), name.replace("-", "_")):
            assert headers[spelling] == value
            assert spelling in headers
            assert headers.get(spelling) == value
            assert hasattr(dict, spelling) or getattr(headers, spelling) == value
    assert len(headers) == len(pairs)
    for twin in (copy.deepcopy(headers), pickle.loads(pickle.dumps(headers)), headers.copy()):
        assert twin == headers
        assert type(twin) is Headers


@given(
    status=st.integers(200, 599),
    content_type=st.sampled_from(["application/json", "text/plain", "text/html", ""]),
    body=st.binary(max_size=40) | JSON_VALUES.map(json.dumps).map(str.encode),
    operation=st.sampled_from(list(SPECS["1.42"].values())),
    stat=st.text(max_size=8),
)
def test_any_reply_is_a_value_or_an_error_of_ours(status, content_type, body, operation, stat):
    headers = Headers({"Content-Type": content_type, "X-Docker-Container-Path-Stat": stat})
    try:
        interpret(operation, Reply(status, headers, body), "unix:///x")
    except APIError as raised:
        error = raised
    else:
        assert status < 300 or status == 304
        return
    assert error.status == status
    assert str(status) in str(error)
    assert operation.operation_id in str(error)
