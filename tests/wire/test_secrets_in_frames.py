"""Tools that show the locals of a traceback's frames show no secret of a call that failed.

pytest's ``--showlocals``, rich's ``show_locals`` and IPython's ``%xmode Verbose`` print the repr of
every local of every frame; rich looks into dicts, lists and tuples by itself.
"""

from __future__ import annotations

import json
import warnings

import pytest
import rich.pretty

from docker_config import Programs, write_config
from docker_config import answer as helped
from dynadock import Options, erase_credentials, execute, load, run, store_credentials
from dynadock.config.credentials import all_credentials, credentials_for
from secret_values import SECRET, is_told_by
from wire.peer import Peer, answer, hang_up, playing, reply

ACCOUNT = {"username": "me", "password": SECRET}
NOWHERE = {"host": "unix:///nowhere.sock"}


def frames_of(error):
    """Give the frames of an error and of all that it was raised from, without those of tests."""
    while error is not None:
        trace = error.__traceback__
        while trace is not None:
            if "/tests/" not in trace.tb_frame.f_code.co_filename:
                yield trace.tb_frame
            trace = trace.tb_next
        error = error.__cause__ or error.__context__


def told_by(error):
    """List the locals that tell a secret, and where they are."""
    return [
        f"{frame.f_code.co_qualname}: {name}"
        for frame in frames_of(error)
        for name, value in frame.f_locals.items()
        if is_told_by(repr(value) + rich.pretty.pretty_repr(value, max_string=None))
    ]


def fails(call):
    """Tell whether a call fails, and look at all that its frames hold if it does."""
    error = raised_by(call)
    if error is not None:
        assert any("dynadock" in frame.f_code.co_filename for frame in frames_of(error))
        assert told_by(error) == []
    return error is not None


def raised_by(call):
    """Return what a call raises, warnings too, None if it raises nothing."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            call()
    except BaseException as error:  # noqa: BLE001 - KeyboardInterrupt is one of them
        return error
    return None


def raising():
    """Be a body that fails after its first block."""
    yield b"x"
    raise ZeroDivisionError


class Interrupted:
    """A value that fails when it is looked at, as anything may when Ctrl-C comes."""

    def __str__(self):
        raise KeyboardInterrupt

    def __index__(self):
        raise KeyboardInterrupt

    def __fspath__(self):
        raise KeyboardInterrupt


UNCHECKED = {"validate": False}
BEFORE = {
    "a fault": ({}, lambda c: c.SystemAuth(username=5, password=SECRET)),
    "in the secret itself": ({}, lambda c: c.SystemAuth(username="me", password=[SECRET])),
    "one value": ({}, lambda c: c.SystemAuth(body={**ACCOUNT, "x": 1})),
    "a body that is none": ({}, lambda c: c.SystemAuth(body=[SECRET])),
    "without a name": ({}, lambda c: c.SystemAuth(ACCOUNT)),
    "a parameter": ({}, lambda c: c.ImagePush("a", X_Registry_Auth={"password": {SECRET}})),
    "beside a parameter": ({}, lambda c: c.ImagePush("a", tag=5, X_Registry_Auth=ACCOUNT)),
    "build arguments": ({}, lambda c: c.ImageBuild(body=b"", q=5, buildargs={"A": SECRET})),
    "a value of them": ({}, lambda c: c.ImageBuild(body=b"", buildargs={"A": [SECRET]})),
    "an address": ({}, lambda c: c.ImageBuild(body=b"", q=5, remote=f"https://me:{SECRET}@h/x")),
    "an environment": ({}, lambda c: c.ContainerCreate(Image=5, Env=[f"A={SECRET}"])),
    "a secret": ({}, lambda c: c.SecretCreate(Name=5, Data=SECRET.encode())),
    "an unknown field": ({}, lambda c: c.SystemAuth(pasword=SECRET)),
    "an unknown parameter": ({}, lambda c: c.SystemPing(pasword=SECRET)),
    "a warning": ({"unknown": "warn"}, lambda c: c.SystemPing(password=SECRET)),
    "a warning of a field": ({"unknown": "warn"}, lambda c: c.SystemAuth(pasword=SECRET)),
    "an option's header": ({"headers": {"Cookie": f"{SECRET}\n"}}, lambda c: c.SystemPing()),
    "another header": ({"headers": {"Cookie": SECRET, "A": "\n"}}, lambda c: c.SystemPing()),
    "an option's query": ({"query": {"token": f"{SECRET}\ud800"}}, lambda c: c.SystemPing()),
    "interrupted": ({}, lambda c: c.ImagePush("a", tag=Interrupted(), X_Registry_Auth=ACCOUNT)),
    "interrupted behind": (
        UNCHECKED,
        lambda c: c.ImagePush("a", X_Registry_Auth=ACCOUNT, tag=Interrupted()),
    ),
    "interrupted in the secret": (
        UNCHECKED,
        lambda c: c.ImagePush("a", X_Registry_Auth=Interrupted()),
    ),
}


@pytest.mark.parametrize("way", ["call", "prepare", "raw"])
@pytest.mark.parametrize(("options", "call"), BEFORE.values(), ids=BEFORE)
def test_calls_that_are_refused(options, call, way):
    client = load("1.42", **NOWHERE, **options)

    class Ways:
        def __getattr__(self, name):
            operation = getattr(client, name)
            return operation if way == "call" else getattr(operation, way)

    assert fails(lambda: call(Ways()))


GIVEN = {
    "a wrong option": {"headers": {"Cookie": SECRET}, "timeout": "x"},
    "an unknown one": {"query": {"token": SECRET}, "tiemout": 5},
    "no mapping": {"headers": SECRET},
    "wrong keys": {"headers": {5: SECRET}},
    "no accounts": {"credentials": SECRET},
    "no account": {"credentials": {"r.example": SECRET}},
    "a misspelt one": {"credentials": {"r.example": {**ACCOUNT, "pasword": SECRET}}},
    "no text": {"credentials": {"r.example": {**ACCOUNT, "username": 5}}},
    "no text for it": {"credentials": {"r.example": {"password": [SECRET]}}},
    "an address": {"credentials": {f"https://me:{SECRET}@r.example": 5}},
    "no engine": {"headers": {"Cookie": SECRET}, "credentials": {"r.example": ACCOUNT}},
}


@pytest.mark.parametrize("options", GIVEN.values(), ids=GIVEN)
def test_options_that_are_refused(options):
    ways = [
        lambda: load(**NOWHERE, retries=0, **options),
        lambda: load("1.42", **NOWHERE, retries=0, **options).SystemPing(),
        lambda: load("1.42", **NOWHERE, retries=0).with_options(**options).SystemPing(),
        lambda: Options(**options).merged({"timeout": "x"}),
        lambda: Options().merged({**options, "timeout": "x"}),
    ]
    assert all(map(fails, ways))


CALLS = {
    "credentials": lambda c: c.ImagePush("r.example/a", X_Registry_Auth=ACCOUNT).wait(),
    "found ones": lambda c: c.ImagePush("r.example/a").wait(),
    "login": lambda c: c.SystemAuth(**ACCOUNT),
    "a secret": lambda c: c.SecretCreate(Name="a", Data=SECRET.encode()),
    "a long body": lambda c: c.SecretCreate(Name="a", Data=SECRET.encode() * 99_999),
    "a build": lambda c: c.ImageBuild(body=b"x", X_Registry_Config={"r": ACCOUNT}).wait(),
    "a stream": lambda c: c.ImageCreate(fromImage="r.example/a").wait(),
    "headers": lambda c: c.with_options(headers={"Cookie": SECRET}).ContainerList(),
    "query": lambda c: c.with_options(query={"token": SECRET}).ContainerList(),
    "an exec": lambda c: c.ContainerExec("a", Env=[SECRET]),
    "a hijacked one": lambda c: (
        c.with_options(headers={"Cookie": SECRET}, tty=True)
        .ContainerAttach("a", stream=True)
        .close()
    ),
    "a websocket": lambda c: c.with_options(headers={"Cookie": SECRET}).ContainerAttachWebsocket(
        "a", stream=True
    ),
    "a command": lambda c: run(c, "busybox", "true", Env=[f"A={SECRET}"]),
    "another one": lambda c: execute(c, "web", "true", Env=[f"A={SECRET}"]),
    "raw": lambda c: c.ImagePush.raw("a", X_Registry_Auth=ACCOUNT),
}
ENDS = {
    "nobody there": None,
    "hung up": [hang_up],
    "hung up after the request": [answer(b""), hang_up],
    "no HTTP": [answer(b"rubbish\r\n\r\n")],
    "an error": [answer(reply(500, json={"message": "no"}))],
    "no JSON": [answer(reply(body=b"{", headers={"Content-Type": "application/json"}))],
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The configuration folder of the environment, with an account at the registry."""
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "config"))
    write_config(tmp_path / "config", {"auths": {"r.example": ACCOUNT}})
    return tmp_path / "config"


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("name", CALLS)
def test_calls_that_fail_on_the_way(folder, name, end):
    if ENDS[end] is None:
        assert fails(lambda: CALLS[name](load("1.42", **NOWHERE, retries=0)))
        return
    with playing(ENDS[end], retries=0, timeout=5) as (_, client):
        # No JSON is the value of some; what is raw is never looked at.
        assert fails(lambda: CALLS[name](client)) or end == "no JSON" or name == "raw"


def test_a_body_that_fails_while_it_is_sent():
    def read(connection):
        connection.read_head()
        connection.read_to_end()

    with playing([read]) as (_, client):
        config = {"r": ACCOUNT}
        assert fails(lambda: client.ImageBuild(body=raising(), X_Registry_Config=config))


@pytest.mark.parametrize("refusal", [[hang_up], [answer(b"rubbish\r\n\r\n")], [answer(reply(407))]])
def test_a_proxy_that_refuses(monkeypatch, refusal):
    with Peer(refusal, kind="tcp") as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://me:{SECRET}@{proxy.address.partition('://')[2]}")
        assert fails(load("1.42", host="tcp://engine.invalid:2375", retries=0).SystemPing)


WRONG = {
    "cut off": json.dumps({"auths": {"r.example": ACCOUNT}})[:-2],
    "no object": [ACCOUNT],
    "no UTF-8": json.dumps({"auths": {"r.example": ACCOUNT}}).encode() + b"\xff",
    "no base64": {"auths": {"r.example": {"auth": f"{SECRET}!"}}},
    "no text": {"auths": {"r.example": {"identitytoken": SECRET, "password": [SECRET]}}},
    "no entry": {"auths": {"r.example": SECRET}},
    "no auths": {"auths": [SECRET]},
    "a helper": {"credsStore": "one", "auths": {"r.example": ACCOUNT}},
    "its name": {"credsStore": [SECRET]},
}
HELPED = {
    "failing": (1, json.dumps({"Secret": SECRET}), f'no {{"Secret": "{SECRET}"}}'),
    "cut off": (0, json.dumps({"Secret": SECRET})[:-1], ""),
    "no object": (0, json.dumps([SECRET]), ""),
    "no text": (0, json.dumps({"Username": SECRET, "Secret": [SECRET]}), ""),
}
LOOKUPS = {
    "a push": lambda: load("1.42", **NOWHERE).ImagePush("r.example/a"),
    "a build": lambda: load("1.42", **NOWHERE).ImageBuild(body=b""),
    "one": lambda: credentials_for("r.example"),
    "all": all_credentials,
    "storing": lambda: store_credentials("r.example", ACCOUNT),
    "storing none": lambda: store_credentials("r.example", {"password": SECRET}),
    "storing no text": lambda: store_credentials("r.example", {**ACCOUNT, "username": [SECRET]}),
    "storing half a text": lambda: store_credentials(
        "r.example", {"username": "me", "password": f"{SECRET}\ud800"}
    ),
    "erasing": lambda: erase_credentials("r.example"),
}


@pytest.mark.parametrize("config", WRONG)
@pytest.mark.parametrize("lookup", LOOKUPS)
def test_lookups_that_fail(folder, tmp_path, monkeypatch, config, lookup):
    write_config(folder, WRONG[config])
    programs = Programs(tmp_path / "bin", monkeypatch)
    answers = HELPED.values() if config == "a helper" else [helped("me", SECRET)]
    for given in answers:
        programs.add_helper(
            "one", {"get": given, "list": given, "erase": given, "store": (1, f"no {SECRET}", "")}
        )
        # What is wrong with an entry is no business of some; "storing no…" always fails.
        assert fails(LOOKUPS[lookup]) or not lookup.startswith("storing n")


@pytest.mark.parametrize(
    "kept", [SECRET, {"a": SECRET}, [(SECRET.encode(),)]], ids=["text", "dict", "list"]
)
def test_a_secret_in_a_frame_is_found(kept):
    call = compile("def call(kept):\n  raise ZeroDivisionError\ncall(kept)", "elsewhere.py", "exec")
    assert "call: kept" in told_by(raised_by(lambda: exec(call, {"kept": kept})))
