"""Proxies for containers, held against what release 28.2 of the docker command sends."""

from __future__ import annotations

import pytest

from docker_config import recorded, write_config
from dynadock.config.proxies import proxy_variables, with_variables
from dynadock.errors import ConfigError

HOST = "unix:///engine.sock"
CASES = recorded("proxies")


@pytest.fixture
def variables(case, tmp_path):
    write_config(tmp_path, {} if case["proxies"] is None else {"proxies": case["proxies"]})
    return proxy_variables(HOST, tmp_path)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_proxies_of_containers(case, variables):
    sent = with_variables(case["given"], variables)
    assert sorted(sent) == case["sent"]
    assert sent[: len(case["given"])] == case["given"] or len({*sent}) < len(case["given"])


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_proxies_of_builds(case, variables):
    given = {}
    for argument in case["given"]:
        name, equals, value = argument.partition("=")
        given[name] = value if equals else None
    assert {**variables, **given} == case["buildargs"]


def test_the_order_in_which_they_come(tmp_path):
    write_config(tmp_path, {"proxies": {"default": {"noProxy": "x", "httpProxy": "y"}}})
    variables = proxy_variables(HOST, tmp_path)
    assert list(variables) == ["HTTP_PROXY", "http_proxy", "NO_PROXY", "no_proxy"]
    assert with_variables(None, variables)[0] == "HTTP_PROXY=y"
    assert with_variables(["A"], variables)[:2] == ["A", "HTTP_PROXY=y"]


def test_nothing_is_changed_in_place(tmp_path):
    given = ["A=1"]
    assert with_variables(given, {"B": "2"}) == ["A=1", "B=2"]
    assert given == ["A=1"]


@pytest.mark.parametrize(
    ("proxies", "words"),
    [
        ([], "'proxies' is not an object"),
        ({"default": "http://me:s3cret@p"}, "'proxies': 'default' is not an object"),
        ({HOST: "http://me:s3cret@p"}, f"'proxies': '{HOST}' is not an object"),
        ({"default": {"httpProxy": ["s3cret"]}}, "'proxies': 'httpProxy' is not text"),
    ],
)
def test_what_makes_no_sense(tmp_path, proxies, words):
    write_config(tmp_path, {"proxies": proxies})
    with pytest.raises(ConfigError) as caught:
        proxy_variables(HOST, tmp_path)
    assert words in str(caught.value)
    assert "s3cret" not in str(caught.value)
