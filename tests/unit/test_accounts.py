"""Credentials that are given in code: checked, and hidden."""

from __future__ import annotations

import copy
import pickle

import pytest

from dynadock import Options, load
from dynadock.accounts import accounts
from dynadock.secret import Hidden

ME = {"username": "u", "password": "s3cret"}


def test_they_are_copied_and_their_names_made_small():
    given = {"r.example": {"UserName": "u", "PASSWORD": "p"}}
    checked = accounts(given)
    given["r.example"]["UserName"] = "v"
    assert checked == {"r.example": {"username": "u", "password": "p"}}


@pytest.mark.parametrize(
    ("given", "kind", "words"),
    [
        ("s3cret", TypeError, "credentials: expected True, False or a mapping, got str"),
        (None, TypeError, "credentials: expected True, False or a mapping, got NoneType"),
        ([ME], TypeError, "credentials: expected True, False or a mapping, got list"),
        ({5: ME}, TypeError, "credentials: expected registries as text for keys"),
        ({"r": "s3cret"}, TypeError, "credentials: 'r': expected a mapping, got str"),
        ({"r": {"password": b"s3cret"}}, TypeError, "'r': password: expected text, got bytes"),
        ({"r": {"pasword": "s3cret"}}, ValueError, "unknown 'pasword'; did you mean 'password'?"),
        ({"r": {"auth": "s3cret"}}, ValueError, "unknown 'auth'; there are username, password"),
        ({"r": {5: "s3cret"}}, ValueError, "credentials: 'r': unknown 5; there are username"),
    ],
)
def test_wrong_ones(given, kind, words):
    with pytest.raises(kind) as caught:
        Options(credentials=given)
    assert words in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_they_are_never_shown():
    options = Options(credentials={"r.example": ME})
    shown = "credentials={'r.example': …}"
    assert shown in repr(options)
    assert repr(options.credentials["r.example"]) == "{'username': …, 'password': …}"
    assert f"{options.credentials}" == "{'r.example': …}"
    with load("1.42", host="tcp://h:1", credentials={"r.example": ME}) as client:
        for each in (client, client.options, client.ImageCreate, client.ImageCreate.prepare()):
            assert "s3cret" not in repr(each)


def test_they_are_never_pickled():
    with pytest.raises(TypeError, match="credentials are not pickled"):
        pickle.dumps(accounts({"r.example": ME}))
    options = Options(credentials={"r.example": ME}, timeout=5)
    client = load("1.42", host="tcp://h:1", credentials={"r.example": ME})
    for each in (options, client, client.ImageCreate):
        assert b"s3cret" not in pickle.dumps(each)
    assert pickle.loads(pickle.dumps(options)) == Options(timeout=5)
    assert pickle.loads(pickle.dumps(client)).options.credentials is True


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy])
def test_copies_within_the_process(duplicate):
    options = Options(credentials={"r.example": ME})
    assert duplicate(options) == options
    assert isinstance(duplicate(options.credentials), Hidden)


@pytest.mark.parametrize("value", [True, False])
def test_a_plain_choice_stays(value):
    options = Options(credentials=value)
    assert pickle.loads(pickle.dumps(options)).credentials is value
    assert options.without_secrets().credentials is value


def test_others_take_the_place_of_the_first():
    first = Options(credentials={"r.example": ME})
    assert list(first.merged({"credentials": {"s.example": ME}}).credentials) == ["s.example"]
    assert first.merged({"timeout": 5}).credentials == first.credentials
    assert first.merged({"credentials": False}).credentials is False


def test_proxies_are_on_or_off():
    with pytest.raises(TypeError, match="proxies: expected True or False, got 'http://p'"):
        Options(proxies="http://p")
    assert Options().proxies is False
