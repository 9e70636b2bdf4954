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
        "POST", "/auth", {"X-Registry-Auth": "hunter2", "A": "b"}, b'{"password": "hunter2"}'
    )
    assert "hunter" not in repr(request)
    assert "POST /auth" in repr(request)
    assert "'A': 'b'" in repr(request)
    assert f"{len(request.body)} bytes" in repr(request)


@pytest.mark.parametrize(
    ("target", "shown"),
    [
        ("/build?t=a%3A1", "/build?t=a%3A1"),
        ("/build?a=http%3A%2F%2Fme%3Ahunter2%40p%3A1", "/build?a=http%3A%2F%2F****%40p%3A1"),
        (
            "/build?a=%22http%3A%2F%2Fp%3A1%22%2C%22https%3A%2F%2Fhunter2%40q%22&b=c%40d",
            "/build?a=%22http%3A%2F%2Fp%3A1%22%2C%22https%3A%2F%2F****%40q%22&b=c%40d",
        ),
        ("/build?remote=https%3A%2F%2Fp%2Fa%40b", "/build?remote=https%3A%2F%2Fp%2Fa%40b"),
    ],
)
def test_passwords_of_addresses_are_not_shown(target, shown):
    assert f"POST {shown}, " in repr(Request("POST", target, {}))
