"""Requests: frozen, and discreet about what they carry."""

from __future__ import annotations

import pytest

from dynadock import Request


def test_a_request_is_frozen():
    request = Request("GET", "/info", {})
    with pytest.raises(AttributeError):
        request.target = "/version"
    assert request.body is None
    assert request == Request("GET", "/info", {}, None)


def test_secrets_are_not_shown():
    request = Request(
        "POST", "/auth", {"X-Registry-Auth": "hunter2", "A": "b"}, b'{"password": "hunter3"}'
    )
    assert "hunter" not in repr(request)
    assert "POST /auth" in repr(request)
    assert "'A': 'b'" in repr(request)
    assert f"{len(request.body)} bytes" in repr(request)
