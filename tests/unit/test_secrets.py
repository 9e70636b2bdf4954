"""No secret of a call is shown by what checks it, carries it or fails with it."""

from __future__ import annotations

import copy
import enum
import logging
import pickle
import traceback

import pytest

from dynadock import Options, Request, ValidationError, load
from dynadock.secret import is_secret_name
from secret_values import SECRET

CLIENT = load("1.42", host="unix:///nowhere.sock")


class Password(enum.Enum):
    ONE = SECRET


def nested(levels, value):
    return [nested(levels - 1, value)] if levels else value


WRONG = {
    "text for an object": ("SystemAuth", {"body": SECRET}),
    "a list for an object": ("SystemAuth", {"body": [{"password": SECRET}]}),
    "a list for text": ("SystemAuth", {"password": [SECRET]}),
    "an object for text": ("SystemAuth", {"identitytoken": {"a": SECRET}}),
    "a key that is not text": ("SecretCreate", {"Data": {SECRET.encode(): 1}}),
    "bytes for text": ("SystemAuth", {"registrytoken": SECRET.encode()}),
    "a misspelt field": ("SystemAuth", {"pasword": SECRET}),
    "a body beside fields": ("SystemAuth", {"body": SECRET, "username": "me"}),
    "a body too many": ("SystemAuth", {"body": {"password": SECRET}, "authConfig": SECRET}),
    "without a name": ("SystemAuth", {}),
    "a secret's data": ("SecretCreate", {"Name": "a", "Data": [SECRET]}),
    "a config's data": ("ConfigCreate", {"Name": "a", "Data": [SECRET]}),
    "far below": ("SwarmInit", {"Spec": [{"CAConfig": {"SigningCAKey": SECRET}}]}),
    "a key": ("SwarmInit", {"Spec": {"CAConfig": {"SigningCAKey": [SECRET]}}}),
    "a join token": ("SwarmJoin", {"JoinToken": [SECRET]}),
    "an unlock key": ("SwarmUnlock", {"UnlockKey": [SECRET]}),
    "an environment": ("ContainerCreate", {"Image": "a", "Env": {"PASSWORD": SECRET}}),
    "a variable": ("ContainerCreate", {"Image": "a", "Env": [[SECRET]]}),
    "a variable of a command": ("ContainerExec", {"id": "a", "Env": SECRET}),
    "a service's variable": (
        "ServiceCreate",
        {"Name": "a", "TaskTemplate": {"ContainerSpec": {"Env": [{"A": SECRET}]}}},
    ),
    "a share's password": ("VolumeCreate", {"DriverOpts": {"o": [SECRET]}}),
    "credentials that are none": ("ImagePush", {"name": "a", "X_Registry_Auth": [SECRET]}),
    "credentials in an enum": ("ImagePush", {"name": "a", "X_Registry_Auth": Password.ONE}),
    "credentials as text": ("ImagePush", {"name": "a", "X_Registry_Auth": f"{SECRET}!"}),
    "cut off credentials": ("ImagePush", {"name": "a", "X_Registry_Auth": f'{{"a": "{SECRET}'}),
    "arguments of a build": ("ImageBuild", {"body": b"", "buildargs": f'["{SECRET}"]'}),
    "an argument of a build": ("ImageBuild", {"body": b"", "buildargs": {"a": {1, SECRET}}}),
    "an enum's argument": ("ImageBuild", {"body": b"", "buildargs": Password.ONE}),
    "an address": ("ImageBuild", {"remote": [SECRET]}),
    "half a character": ("ImageBuild", {"remote": f"{SECRET}\ud800"}),
    "a line too many": ("ImagePush", {"name": "a", "X_Registry_Auth": f"{SECRET}\r\n"}),
}


def everything_about(error):
    """Return all that anybody might print of an error, and all that is pickled with it."""
    shown = [*traceback.format_exception(error)]
    while error is not None:
        shown.append(f"{error} {error!r} {error.args!r} {vars(error)!r} {pickle.dumps(error)!r}")
        error = error.__cause__ or error.__context__
    return shown


@pytest.mark.parametrize("options", [{}, {"validate": False}, {"unknown": "send"}], ids=str)
@pytest.mark.parametrize(("name", "arguments"), WRONG.values(), ids=WRONG)
def test_faults_show_no_secret(name, arguments, options):
    client = CLIENT.with_options(**options)
    positional = () if arguments else ({"password": SECRET},)
    shown = []
    try:
        shown.append(repr(client.operations[name].prepare(*positional, **arguments)))
        assert options
    except ValidationError as error:
        shown += everything_about(error)
    assert SECRET not in "".join(shown)


def test_faults_of_checked_calls_are_what_is_tried():
    refused = 0
    for name, arguments in WRONG.values():
        try:
            CLIENT.operations[name].prepare(**arguments)
        except ValidationError:
            refused += 1
    assert refused >= len(WRONG) - 2


def test_what_is_no_secret_is_still_shown():
    with pytest.raises(ValidationError, match="expected string, got 5"):
        CLIENT.ContainerCreate.prepare(Image=5)
    with pytest.raises(ValidationError, match=r"Env: expected array, got a str that is not shown"):
        CLIENT.ContainerCreate.prepare(Image="a", Env="b")


SECRET_CALLS = [
    CLIENT.ImagePush.prepare("a", X_Registry_Auth={"password": SECRET}),
    CLIENT.ImageBuild.prepare(body=b"", buildargs={"TOKEN": SECRET}, t="web"),
    CLIENT.ImageBuild.prepare(remote=f"https://me:{SECRET}@host/x.git"),
    CLIENT.SystemAuth.prepare(username="me", password=SECRET),
    CLIENT.with_options(headers={"Authorization": SECRET}).SystemPing.prepare(),
    CLIENT.with_options(query={"X-Token": SECRET}).SystemPing.prepare(),
    CLIENT.with_options(unknown="send").SystemPing.prepare(password=SECRET),
    CLIENT.with_options(query={"buildargs": SECRET}).ImageBuild.prepare(body=b""),
]


@pytest.mark.parametrize("request_", SECRET_CALLS, ids=lambda each: each.target.partition("?")[0])
def test_requests_show_no_secret(request_):
    assert SECRET not in f"{request_!r} {request_.shown_target} {request_.shown_headers}"


def test_a_request_shows_the_rest():
    request = Request(
        "POST", "/a?x=1&y=2&z&y=3", {"A": "b", "X-Y": "c"}, secrets=frozenset({"y", "X-Y"})
    )
    assert request.shown_target == "/a?x=1&y=****&z&y=****"
    assert request.shown_headers == {"A": "b", "X-Y": "****"}
    assert Request("GET", "/a", {}).shown_target == "/a"


@pytest.mark.parametrize(
    "name",
    [
        "Authorization",
        "Proxy-Authorization",
        "Cookie",
        "X-Auth-Token",
        "x-registry-config",
        "Api-Key",
    ],
)
def test_names_of_secrets(name):
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name", ["Author", "author", "User-Agent", "X-Trace", "Content-Type", "Host"]
)
def test_names_of_what_is_none(name):
    assert not is_secret_name(name)


def test_options_leave_secrets_behind_when_they_are_pickled_and_not_when_they_are_copied():
    options = Options(headers={"Cookie": SECRET, "X-A": "1"}, query={"token": SECRET, "x": [1]})
    assert SECRET not in repr(options)
    assert SECRET.encode() not in pickle.dumps(options)
    assert pickle.loads(pickle.dumps(options)) == Options(headers={"X-A": "1"}, query={"x": [1]})
    assert copy.copy(options) == copy.deepcopy(options) == options
    assert copy.deepcopy(options).query["x"] is not options.query["x"]


@pytest.mark.parametrize("make", [lambda c: c, lambda c: c.ImagePush], ids=["client", "operation"])
def test_clients_and_operations_show_no_secret(make):
    made = make(CLIENT.with_options(headers={"X-Registry-Auth": SECRET, "Cookie": SECRET}))
    assert SECRET not in f"{made!r} {made.__dict__}"
    assert SECRET.encode() not in pickle.dumps(made)


def test_nothing_is_logged_of_what_is_not_sent(caplog):
    caplog.set_level(logging.DEBUG)
    CLIENT.SystemAuth.prepare(username="me", password=SECRET)
    assert not caplog.records
