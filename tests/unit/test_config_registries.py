"""How registries are called in the docker command's configuration."""

from __future__ import annotations

import pytest

from dynadock.config.registries import auth_key, matching_keys

HUB = "https://index.docker.io/v1/"


@pytest.mark.parametrize(
    ("registry", "key"),
    [
        ("docker.io", HUB),
        ("index.docker.io", HUB),
        ("https://index.docker.io/v1/", HUB),
        ("http://docker.io", HUB),
        ("registry-1.docker.io", "registry-1.docker.io"),
        ("docker.io:443", "docker.io:443"),
        ("r.example:5000", "r.example:5000"),
        ("https://r.example:5000", "r.example:5000"),
        ("http://r.example/v2/any/thing", "r.example"),
        ("r.example/", "r.example"),
        ("HTTPS://R.example", "R.example"),
        ("[::1]:5000", "[::1]:5000"),
        ("https://[::1]/v1/", "[::1]"),
        ("https://me:secret@r.example/", "r.example"),
        ("localhost", "localhost"),
    ],
)
def test_the_key_of_a_registry(registry, key):
    assert auth_key(registry) == key
    assert auth_key(key) == key


@pytest.mark.parametrize(
    ("registry", "keys", "found"),
    [
        ("r.example", ["https://r.example/v1/", "s.example", "r.example"], [2, 0]),
        ("r.example", ["http://r.example", "https://r.example", "r.example/v2/x"], [0, 1, 2]),
        ("r.example", ["r.example:443", "x.r.example", "R.example", "", "example"], []),
        ("docker.io", ["docker.io", "index.docker.io/", HUB, HUB[:-1]], [2, 0, 1, 3]),
        ("index.docker.io", [HUB], [0]),
        ("docker.io", [f"{HUB}access-token", f"{HUB}refresh-token", "docker.io/me"], []),
        ("https://r.example", ["r.example"], [0]),
    ],
)
def test_keys_that_stand_for_a_registry(registry, keys, found):
    assert matching_keys(registry, keys) == [keys[index] for index in found]
