"""No secret of the configuration is ever shown: not by an error, nor by what hangs on one."""

from __future__ import annotations

import base64
import json
import logging
import traceback
import warnings

import pytest

from docker_config import answer, write_config
from dynadock.config.contexts import chosen_context, read_context
from dynadock.config.credentials import all_credentials, credentials_for
from dynadock.config.folder import read_config
from dynadock.config.proxies import proxy_variables
from dynadock.config.store import erase_credentials, store_credentials
from dynadock.errors import ConfigError
from secret_values import SECRET

AUTH = base64.b64encode(f"me:{SECRET}".encode()).decode()
BROKEN = base64.b64encode(f":{SECRET}".encode()).decode()
BYTES = base64.b64encode(b"me:" + SECRET.encode() + b"\xff").decode()
FORMS = (SECRET, AUTH, BROKEN, BYTES, AUTH.rstrip("="), SECRET[:-1])
"""What must not be seen: the secret, in clear and as the file has it."""

GOOD = {"auths": {"r.example": {"auth": AUTH, "identitytoken": SECRET}}}
CONFIGS = {
    "good": GOOD,
    "cut off": json.dumps(GOOD)[:-9],
    "a bad escape": json.dumps(GOOD).replace(SECRET, f"\\q{SECRET}"),
    "a line break in a text": json.dumps(GOOD).replace(SECRET, f"\n{SECRET}"),
    "no UTF-8": json.dumps(GOOD).encode() + b"\xff",
    "something behind": f'{json.dumps(GOOD)} "{SECRET}"',
    "no object": json.dumps([GOOD]),
    "NaN": json.dumps(GOOD).replace("}", ', "x": NaN}', 1),
    "too large a number": json.dumps(GOOD).replace("}", ', "x": 1e999}', 1),
    "no base64": {"auths": {"r.example": {"auth": f"{AUTH}!"}}},
    "no user": {"auths": {"r.example": {"auth": BROKEN}}},
    "bytes": {"auths": {"r.example": {"auth": BYTES}}},
    "no text": {"auths": {"r.example": {"auth": [AUTH], "password": [SECRET]}}},
    "no entry": {"auths": {"r.example": AUTH}},
    "no auths": {"auths": [AUTH]},
    "in an address": {"auths": {f"https://me:{SECRET}@r.example/": {"auth": 5}}},
    "proxies": {"proxies": {"default": f"http://me:{SECRET}@p"}},
    "a proxy": {"proxies": {"default": {"httpProxy": [f"http://me:{SECRET}@p"]}}},
    "a store": {"credsStore": {"x": SECRET}},
    "helpers": {"credHelpers": {"r.example": [SECRET]}},
    "a context": {"currentContext": [SECRET]},
    "a helper": {"credsStore": "one"},
    "a helper of a registry": {"credHelpers": {"r.example": "one"}, **GOOD},
}
SAID = json.dumps({"ServerURL": "r.example", "Username": "me", "Secret": SECRET})
HELPERS = {
    "good": answer("me", SECRET),
    "failing": (1, SAID, ""),
    "failing aloud": (1, "", f"panic: {SAID}"),
    "cut off": (0, SAID[:-5], f"wrote {SAID[:-5]}"),
    "no text": (0, json.dumps({"Username": "me", "Secret": [SECRET]}), ""),
    "no object": (0, json.dumps([SECRET]), ""),
    "words": (0, SECRET, ""),
    "no UTF-8": (0, f"{SAID}\udcff", ""),
}


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "config"


def calls(folder):
    """Give all that can be asked of a configuration."""
    auth = {"username": "me", "password": SECRET}
    yield lambda: read_config(folder)
    yield lambda: credentials_for("r.example", folder)
    yield lambda: credentials_for("r.example", folder, timeout=0.0)
    yield lambda: all_credentials(folder)
    yield lambda: proxy_variables("unix:///engine.sock", folder).keys()
    yield lambda: chosen_context(folder)
    yield lambda: read_context("mine", folder)
    yield lambda: store_credentials("r.example", {**auth, "username": f"{SECRET}:x"}, folder)
    yield lambda: store_credentials("r.example", {**auth, "password": f"{SECRET}\ud800"}, folder)
    yield lambda: store_credentials("r.example", {"password": SECRET}, folder)
    yield lambda: store_credentials("r.example", {"identitytoken": [SECRET]}, folder)
    yield lambda: store_credentials("r.example", auth, folder)
    yield lambda: store_credentials("r.example", auth, folder / "config.json")
    yield lambda: erase_credentials("r.example", folder)


def chain(error):
    """Give an error and all that hangs on it."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


KEPT = ("object", "doc", "output", "stdout", "stderr", "cmd")


def all_that_is_shown(folder, caught):
    """Return what all calls raise, warn of and answer, as anybody might print it."""
    shown = []
    for call in calls(folder):
        try:
            shown.append(f"{call()!r}")
        except ConfigError as error:
            shown.append("".join(traceback.format_exception(error)))
            for each in chain(error):
                shown.append(f"{each} {each!r} {each.args} {vars(each)}")
                # Where other libraries' errors keep what they were about.
                shown += [repr(getattr(each, name, "")) for name in KEPT]
    shown += [f"{warning.message!r}" for warning in caught]
    return shown


def check(folder, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        shown = all_that_is_shown(folder, caught)
    shown += [caplog.text, *capfd.readouterr()]
    assert any("ConfigError" in text for text in shown)
    assert [text for text in shown if any(form in text for form in FORMS)] == []


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_a_configuration_shows_no_secret(folder, programs, caplog, capfd, config):
    programs.add_helper("one", {"get": answer("me", SECRET)})
    write_config(folder, config)
    check(folder, caplog, capfd)


@pytest.mark.parametrize("answered", HELPERS.values(), ids=HELPERS)
def test_a_helper_shows_no_secret(folder, programs, caplog, capfd, answered):
    failed = (1, f"no {SECRET} for me", f"not even {json.dumps(SECRET)}")
    listed = (0, '{"r.example": "me"}', "")
    programs.add_helper("one", {"get": answered, "list": listed, "store": failed})
    write_config(folder, {"credsStore": "one"})
    check(folder, caplog, capfd)


def test_the_context_of_an_error_is_searched_too():
    outer = KeyError(SECRET)
    outer.__context__ = KeyError(AUTH)
    assert [each.args[0] for each in chain(outer)] == [SECRET, AUTH]
