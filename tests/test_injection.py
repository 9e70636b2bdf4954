"""Whatever text is in an argument: the bytes that are sent are one request, of that operation.

What is sent is read by h11, which knows nothing of us: over connections of their own as it is
written for them, and over the pool on a real socket.
"""

from __future__ import annotations

import json
import re
import socket
import threading
from urllib.parse import parse_qsl, unquote

import h11
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from documents import VERSIONS
from dynadock import Options, ValidationError
from dynadock.call.bind import bind
from dynadock.call.encode import encode
from dynadock.spec.loader import load_spec
from dynadock.transport.connector import Connector
from dynadock.wire.chunks import LAST_CHUNK, chunk
from dynadock.wire.http1 import request_head
from samples import least_arguments

SPECS = {version: load_spec(version) for version in VERSIONS}
OPERATIONS = [operation for spec in SPECS.values() for operation in spec.values()]

ANOTHER = "x HTTP/1.1\r\nHost: x\r\n\r\nDELETE /v1.42/containers/x HTTP/1.1\r\nHost: x\r\n\r\n"
"""What makes a second request, where it gets onto the wire as it is."""

HOSTILE = (
    *(
        "\r",
        "\n",
        "\r\n",
        "\0",
        "\t",
        "\v",
        "\f",
        "\x1b",
        "\x1c",
        "\x7f",
        "\x85",
        " ",
        "a b",
        " a ",
    ),
    *("#", "a#b", "?", "a?b=c", "&", "a&all=true", "=", ";", "%", "%2F", "%00", "%0d%0a", "%zz"),
    *("..", ".", "../x", "a/../b", "a/..", "%2e%2e", "//", "//host/x", "\\", "..\\", "http://x/y"),
    *("ü", "\u2028", "\u010d\u010a", "\uff0f", "😀", "\ud800", "\udcff\udc00", "{id}", "{name}"),
    *("a\r\nX-A: b", "a\n b", ANOTHER, "x/json", "0\r\n\r\n", "\r\n\r\n0\r\n\r\n"),
)
"""Texts that mean something to a reader or writer of HTTP requests."""

TEXTS = (
    st.lists(st.sampled_from(HOSTILE), min_size=1, max_size=3).map("".join)
    | st.sampled_from(HOSTILE)
    | st.text(st.characters(), max_size=12)
    | st.integers(0, 99).map(lambda n: n * 1000 * "a")
)
VALUES = TEXTS | st.integers(0, 9)
VALUES |= st.lists(VALUES, max_size=3) | st.dictionaries(TEXTS, VALUES, max_size=3)
# Python itself refuses to write integers of thousands of digits.
HUGE = st.integers(15_000, 16_000).map(lambda n: 2**n)
OPTIONS = st.builds(
    Options,
    validate=st.booleans(),
    unknown=st.sampled_from(["error", "send"]),
    headers=st.just({}) | st.dictionaries(TEXTS | st.just("X-A"), TEXTS, max_size=2),
    query=st.just({}) | st.dictionaries(TEXTS, VALUES, max_size=2),
)

FRAMING = {"host", "content-length", "transfer-encoding", "accept-encoding", "user-agent"}
"""What every request may have, beside the headers of the call."""


def request_of(operation, arguments, options):
    """Return the request, None if the call is refused; nothing else may be raised."""
    try:
        return encode(bind(operation, (), arguments, options), options)
    except ValidationError:
        return None


# What is on the wire


def written(request):
    """Return a request as a connection of its own sends it."""
    body = request.body or b""
    if not isinstance(body, bytes):
        body = b"".join(map(chunk, body)) + LAST_CHUNK
    return request_head(request, "localhost") + body


def parsed(data):
    """Parse bytes as one request; h11 raises for anything else, and for more than one."""
    reader = h11.Connection(h11.SERVER, max_incomplete_event_size=10**7)
    reader.receive_data(data)
    head = reader.next_event()
    assert isinstance(head, h11.Request), head
    body = b""
    while not isinstance(event := reader.next_event(), h11.EndOfMessage):
        assert isinstance(event, h11.Data), event
        body += event.data
    assert reader.trailing_data[0] == b""
    return head, body


class Listener:
    """Takes what comes over the pool, each request until its end, and answers with nothing."""

    def __init__(self, path):
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(path)
        self._socket.listen()
        self.address = f"unix://{path}"
        self.heard = []
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        while True:
            connection, _ = self._socket.accept()
            with connection:
                data = connection.recv(1 << 20)
                if data == b"over":
                    return
                self.heard.append(self._until_whole(connection, data))
                connection.sendall(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
                # All that the client has to say, should it be more than one request.
                while more := connection.recv(1 << 20):
                    self.heard[-1] += more

    def _until_whole(self, connection, data):
        reader = h11.Connection(h11.SERVER, max_incomplete_event_size=10**7)
        reader.receive_data(data)
        while True:
            event = reader.next_event()
            if isinstance(event, h11.EndOfMessage):
                return data
            if event is h11.NEED_DATA:
                more = connection.recv(1 << 20)
                data += more
                reader.receive_data(more)

    def close(self):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(self.address.removeprefix("unix://"))
            connection.sendall(b"over")
        self._thread.join()
        self._socket.close()


@pytest.fixture(scope="module")
def listener(tmp_path_factory):
    listener = Listener(str(tmp_path_factory.mktemp("injection") / "s"))
    yield listener
    listener.close()


# What it must be


def template_at(operation, path):
    """Return the template of the same method that engines match: the one with most letters."""
    templates = [o.path for o in operation.spec.values() if o.method == operation.method]
    templates.sort(key=lambda each: -len(re.sub(r"\{.*?\}", "", each)))
    pattern = r"\\\{.*?\\\}"
    return next(
        (
            each
            for each in templates
            if re.fullmatch(re.sub(pattern, "(.+)", re.escape(each)), path)
        ),
        None,
    )


def check(operation, arguments, options, data):
    """Look at the bytes of a call: one request, that operation's path, and headers of ours."""
    head, body = parsed(data)
    assert head.method.decode() == operation.method
    target = head.target.decode("ascii")
    assert re.fullmatch(r"/[\x21-\x7e]*", target)
    assert "#" not in target
    path, _, query = target.partition("?")
    path = path.removeprefix(operation.spec.base_path)
    assert template_at(operation, path) == operation.path
    check_segments(operation, arguments, path)
    check_query(operation, arguments, options, query)
    check_headers(operation, options, head.headers)
    if body and operation.body.kind in ("object", "array", "any"):
        json.loads(body)


def check_segments(operation, arguments, path):
    """Look for as many segments as the template has, and those of names that hold slashes."""
    values = [arguments[each.python_name] for each in operation.positional]
    slashes = sum(value.removeprefix("/").count("/") for value in values)
    segments = path.split("/")[1:]
    assert len(segments) == len(operation.path.split("/")[1:]) + slashes
    assert not {"", ".", ".."} & {unquote(each) for each in segments}
    expected = operation.path
    for parameter, value in zip(operation.positional, values, strict=True):
        expected = expected.replace("{" + parameter.name + "}", value.removeprefix("/"))
    assert unquote(path, errors="strict") == expected


def check_query(operation, arguments, options, query):
    pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query), errors="strict")
    known = {each.name for each in operation.parameters if each.location == "query"}
    assert {name for name, _ in pairs} <= known | set(options.query) | set(arguments)


def check_headers(operation, options, headers):
    names = [name.decode() for name, _ in headers]
    assert len(set(names)) == len(names)
    known = {each.name.lower() for each in operation.parameters if each.location == "header"}
    known |= {name.lower() for name in options.headers}
    if operation.body is not None:
        known.add("content-type")
    if operation.reply.kind in ("duplex", "raw-duplex", "websocket"):
        known |= {"connection", "upgrade"}
    assert set(names) <= known | FRAMING


def everywhere(operation, text):
    """Yield a call for each argument, the least that is needed with the text in its place."""
    least = least_arguments(operation)
    for parameter in operation.parameters:
        yield {**least, parameter.python_name: text}
    body = operation.body
    if body is not None and body.kind == "object":
        yield {**least, body.python_name: dict.fromkeys(body.properties, text)}
    yield {**least, text: text}


@pytest.mark.parametrize("version", VERSIONS)
def test_every_argument_of_every_operation(version):
    loose = Options(validate=False, unknown="send")
    # Each version has its turn with some of the texts, and each operation with all of them.
    texts = HOSTILE[VERSIONS.index(version) % 15 :: 15]
    for operation in SPECS[version].values():
        for text in texts:
            for arguments in everywhere(operation, text):
                for options in (Options(), loose):
                    request = request_of(operation, arguments, options)
                    if request is not None:
                        check(operation, arguments, options, written(request))


@st.composite
def calls(draw):
    operation = draw(st.sampled_from(OPERATIONS))
    names = [each.python_name for each in operation.parameters]
    if operation.body is not None:
        names += [operation.body.python_name, *operation.body.properties]
    names.append(draw(TEXTS))
    values = VALUES | HUGE | st.dictionaries(TEXTS, HUGE, max_size=1)
    drawn = draw(st.dictionaries(st.sampled_from(names), values, max_size=3))
    return operation, {**least_arguments(operation), **drawn}, draw(OPTIONS)


@settings(max_examples=1000)
@given(call=calls())
def test_any_call_over_a_connection_of_its_own(call):
    operation, arguments, options = call
    request = request_of(operation, arguments, options)
    if request is not None:
        check(operation, arguments, options, written(request))


@settings(max_examples=300)
@given(call=calls())
def test_any_call_over_the_pool(listener, call):
    operation, arguments, options = call
    request = request_of(operation, arguments, options)
    if request is None:
        return
    connector = Connector(listener.address)
    reply = connector.send(request, 10, options)
    connector.close()
    assert reply.status == 204
    data = listener.heard.pop()
    assert not listener.heard
    check(operation, arguments, options, data)
    assert parsed(data)[0].target == parsed(written(request))[0].target


@pytest.mark.parametrize("data", [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 2, ANOTHER.encode()])
def test_two_requests_would_be_seen(data):
    with pytest.raises((AssertionError, h11.RemoteProtocolError)):
        parsed(data)
