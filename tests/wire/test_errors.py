"""Replies that are errors: which exception, and what it says."""

from __future__ import annotations

import pickle

import pytest

from dynadock import (
    AccessDenied,
    APIError,
    BadRequest,
    Conflict,
    DynadockError,
    NotFound,
    ServerError,
)
from wire.peer import OK, answer, chunked, playing, reply

STATUSES = {
    400: BadRequest,
    401: AccessDenied,
    403: AccessDenied,
    404: NotFound,
    406: APIError,
    409: Conflict,
    418: APIError,
    429: APIError,
    500: ServerError,
    501: ServerError,
    503: ServerError,
}


@pytest.mark.parametrize(("status", "kind"), STATUSES.items(), ids=str)
def test_each_status_has_its_error(status, kind):
    refused = answer(reply(status, json={"message": "no such thing"}))
    # The first call shows which version the engine speaks: it answers 400 to others, too.
    with playing([OK, refused, OK]) as (peer, client):
        client.SystemPing()
        with pytest.raises(DynadockError) as caught:
            client.ContainerDelete("web", force=True)
        assert client.SystemPing() == "OK"
    error = caught.value
    assert type(error) is kind
    assert (error.status, error.explanation) == (status, "no such thing")
    assert (error.operation_id, error.method) == ("ContainerDelete", "DELETE")
    assert (error.path, error.version) == ("/containers/{id}", "1.42")
    assert error.host == peer.address
    assert error.body == b'{"message": "no such thing"}'
    for part in ("ContainerDelete", "1.42", str(status), peer.address, "no such thing"):
        assert part in str(error)


JSON = "application/json"
BODIES = {
    "docker's": (JSON, b'{"message":"no such image"}\n', "no such image"),
    "podman's": (
        JSON,
        b'{"cause":"no such container","message":"no container \\"web\\"","response":404}',
        'no container "web"',
    ),
    "UTF-8": (JSON, '{"message":"kein Behälter ✗"}'.encode(), "kein Behälter ✗"),
    "text": ("text/plain; charset=utf-8", b"client version 1.99 is too new\n", "is too new"),
    "text, declared as JSON": (JSON, b"page not found\n", "page not found"),
    "HTML": ("text/html", b"<html><body>Bad\n Gateway</body></html>", "HTML"),
    "HTML without a type": ("", b"<!DOCTYPE html>\n<p>Bad Gateway", "HTML"),
    "nothing": (JSON, b"", "no reason"),
    "blanks": ("text/plain", b" \r\n", "no reason"),
    "JSON without a message": (JSON, b'{"code": 5}', '{"code": 5}'),
    "an empty message": (JSON, b'{"message": ""}', '{"message": ""}'),
    "a message that is not text": (JSON, b'{"message": {"a": 1}}', '{"message": {"a": 1}}'),
    "a list": (JSON, b'["a"]', '["a"]'),
    "a JSON text": (JSON, b'"just this"', "just this"),
    "no UTF-8": ("text/plain", b"caf\xe9", "caf\ufffd"),
    "deep": (JSON, b"[" * 50_000, "[[["),
}


@pytest.mark.parametrize("case", BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("status", [404, 500])
def test_any_error_message_is_passed_on(case, status):
    content_type, body, told = case
    headers = {"Content-Type": content_type} if content_type else {}
    with playing([OK, answer(reply(status, body, headers=headers)), OK]) as (_, client):
        client.SystemPing()
        with pytest.raises(STATUSES[status]) as caught:
            client.ContainerInspect("web")
        assert client.SystemPing() == "OK"
    assert told in caught.value.explanation
    assert caught.value.body == body


def test_a_long_error_is_cut_in_the_message_only():
    body = b"x" * 100_000
    with playing([answer(reply(500, body))]) as (_, client), pytest.raises(ServerError) as caught:
        client.ContainerInspect("web")
    assert len(str(caught.value)) < 1000
    assert caught.value.body == body


def test_an_error_in_chunks():
    refused = chunked(b'{"mess', b'age":"no"}', status=409)
    with playing([answer(refused)]) as (_, client), pytest.raises(Conflict, match="no"):
        client.ContainerStart("web")


def test_an_error_to_head_has_no_body():
    refused = reply(404, json={"message": "no"}).partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    with playing([answer(refused), OK]) as (_, client):
        with pytest.raises(NotFound, match="no reason"):
            client.ContainerArchiveInfo("web", path="/")
        assert client.SystemPing() == "OK"


def test_an_error_names_an_engine_over_tcp():
    with (
        playing([answer(reply(500))], kind="tcp") as (peer, client),
        pytest.raises(ServerError) as caught,
    ):
        client.SystemInfo()
    assert caught.value.host == peer.address
    assert peer.address in str(caught.value)


def test_errors_can_be_pickled():
    """They cross process borders in pools of workers."""
    with (
        playing([answer(reply(404, json={"message": "no"}))]) as (_, client),
        pytest.raises(NotFound) as caught,
    ):
        client.ContainerInspect("web")
    copy = pickle.loads(pickle.dumps(caught.value))
    assert type(copy) is NotFound
    assert (str(copy), vars(copy)) == (str(caught.value), vars(caught.value))
