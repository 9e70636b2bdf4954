"""Credentials, held against what release 28.2 of the docker command sends to an engine.

A case of ``credentials.json`` is a ``config`` (with ``helpers``: for each action exit code,
standard output and error; and other ``programs``), what the command ``sent`` with pulls from
registries, ``ours`` where that is meant to differ, what it ``asked`` helpers for them, and what was
sent with a build (``built``).
"""

from __future__ import annotations

import copy
import json
import pickle
import pprint
import sys
import warnings

import pytest

from docker_config import NOT_FOUND, answer, recorded, write_config
from dynadock import reveal
from dynadock.config import helper
from dynadock.config.credentials import Credentials, all_credentials, credentials_for
from dynadock.errors import ConfigError, DynadockWarning

CASES = recorded("credentials")


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "config"


def prepare(case, folder, programs):
    write_config(folder, case["config"])
    for name, actions in case.get("helpers", {}).items():
        programs.add_helper(name, actions)
    for name in case.get("programs", ()):
        programs.add(name)


def without_email(sent):
    """Return what counts of an AuthConfig: an address alone is as good as nothing."""
    counts = {name: value for name, value in sent.items() if name != "email"}
    return counts if counts.keys() - {"serveraddress"} else None


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_is_sent_with_a_pull(case, folder, programs):
    prepare(case, folder, programs)
    for registry, sent in case["sent"].items():
        before = len(programs.asked)
        found = credentials_for(registry, folder)
        assert found == case.get("ours", {}).get(registry, without_email(sent))
        assert programs.asked[before:] == case.get("asked", {}).get(registry, [])


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_is_sent_with_a_build(case, folder, programs):
    prepare(case, folder, programs)
    built = {key: without_email(sent) for key, sent in case["built"].items()}
    assert all_credentials(folder) == {key: sent for key, sent in built.items() if sent}


def test_the_folder_of_the_environment(folder, monkeypatch):
    write_config(folder, {"auths": {"r.example": {"auth": "dTpw"}}})
    monkeypatch.setenv("DOCKER_CONFIG", str(folder))
    assert credentials_for("r.example")["password"] == "p"
    assert list(all_credentials()) == ["r.example"]


def test_nothing_is_kept_between_calls(folder):
    write_config(folder, {"auths": {"r.example": {"auth": "dTpw"}}})
    assert credentials_for("r.example", folder)["password"] == "p"
    write_config(folder, {"auths": {"r.example": {"auth": "dTpx"}}})
    assert credentials_for("r.example", folder)["password"] == "q"


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"auths": {"r.example": {"auth": "hunter2"}}}, "'auth' is not base64"),
        ({"auths": {"r.example": {"auth": "czNjcmV0"}}}, "'auth' is not base64"),
        ({"auths": {"r.example": {"auth": "OnMzY3JldA=="}}}, "'auth' is not base64"),
        ({"auths": {"r.example": {"auth": "czNjcmV0Ov8="}}}, "'auth' is not base64"),
        ({"auths": {"r.example": {"auth": "s3crét"}}}, "'auth' is not base64"),
        ({"auths": {"r.example": {"auth": ["hunter2"]}}}, "'auth' is not text"),
        ({"auths": {"r.example": {"password": {"hunter2": 1}}}}, "'password' is not text"),
        ({"auths": {"r.example": "hunter2"}}, "'auths' for r.example is not an object"),
        ({"auths": {"https://me:hunter2@r.example": 1}}, "'auths' for r.example is not an object"),
        ({"auths": ["hunter2"]}, "'auths' is not an object"),
        ({"credsStore": {"hunter2": 1}}, "'credsStore' is not text"),
        ({"credHelpers": ["hunter2"]}, "'credHelpers' is not an object"),
        ({"credHelpers": {"r.example": ["hunter2"]}}, "'credHelpers': 'r.example' is not text"),
        ({"credsStore": "../../bin/x"}, "'../../bin/x' is not the name of a credential helper"),
        ({"credsStore": "a\\b"}, r"'a\\b' is not the name of a credential helper"),
        ({"credsStore": "a b"}, "'a b' is not the name of a credential helper"),
        ({"credHelpers": {"r.example": "x\n"}}, r"'x\n' is not the name of a credential helper"),
    ],
)
def test_a_file_that_makes_no_sense(folder, programs, config, words):
    write_config(folder, config)
    for look in (lambda: credentials_for("r.example", folder), lambda: all_credentials(folder)):
        with pytest.raises(ConfigError) as caught:
            look()
        assert words in str(caught.value)
        assert "hunter2" not in str(caught.value)


def test_what_is_wrong_with_one_registry_does_not_touch_another(folder):
    auths = {"bad.example": {"auth": "!"}, "r.example": {"auth": "dTpw"}}
    write_config(folder, {"auths": auths})
    assert credentials_for("r.example", folder)["username"] == "u"


FAILURES = {
    "on standard output": ([1, "the vault is shut\n", ""], "failed with code 1: the vault is shut"),
    "on standard error": (
        [3, "", "the vault\nis  shut\n"],
        "failed with code 3: the vault is shut",
    ),
    "on both": ([1, "first", "then"], "failed with code 1: first then"),
    "in silence": ([1, "", ""], "failed with code 1: (it did not say why)"),
    "with an answer": ([1, '{"Secret": "hunter2"}', "oh"], "failed with code 1: oh"),
    "at length": ([1, "x" * 5000, ""], f"failed with code 1: {'x' * 300}..."),
    "in control": ([1, "\x1b[31mred\x07", ""], "failed with code 1: ?[31mred?"),
    "telling the answer": ([1, "", 'at {"Secret":"s3\\"cret"}'], 'at {"Secret":****}'),
    "with nothing": ([0, "", ""], "not a JSON object"),
    "with words": ([0, "hunter2", "hm"], "not a JSON object: hm"),
    "with a list": ([0, '["hunter2"]', ""], "not a JSON object"),
    "with half": ([0, '{"Secret": "hunter2', ""], "not a JSON object"),
    "with bytes": ([0, "\udcff", ""], "not a JSON object"),
    "with a number": ([0, '{"Username": "u", "Secret": 5}', ""], "must be text"),
}


@pytest.mark.parametrize(("answered", "words"), FAILURES.values(), ids=FAILURES)
def test_a_helper_that_fails(folder, programs, answered, words):
    programs.add_helper("one", {"get": answered, "list": [0, '{"r.example": "u"}', ""]})
    write_config(folder, {"credsStore": "one"})
    with pytest.raises(ConfigError) as caught:
        credentials_for("r.example", folder)
    assert str(caught.value).startswith("docker-credential-one get")
    assert str(caught.value).endswith(words)
    assert "cret" not in str(caught.value).replace("Secret", "")
    with pytest.warns(DynadockWarning) as warned:
        assert all_credentials(folder) == {}
    (warning,) = warned
    assert str(warning.message) == f"no credentials for r.example: {caught.value}"


@pytest.mark.parametrize(
    "answered",
    [
        [1, NOT_FOUND, ""],
        [1, "", NOT_FOUND],
        [0, NOT_FOUND, ""],
        [1, "Credentials not found\n", "a warning"],
        [0, '{"ServerURL": "r.example", "Username": "", "Secret": ""}', ""],
        [0, "{}", ""],
    ],
)
def test_a_helper_that_knows_none(folder, programs, answered):
    programs.add_helper("one", {"get": answered})
    write_config(folder, {"credsStore": "one"})
    assert credentials_for("r.example", folder) is None


def test_a_helper_that_cannot_be_run(folder, programs):
    write_config(folder, {"credsStore": "one"})
    missing = "docker-credential-one: there is no such program in the PATH"
    with pytest.raises(ConfigError, match=missing):
        credentials_for("r.example", folder)
    programs.add("docker-credential-one")
    path = programs.folder / "docker-credential-one"
    path.chmod(0o644)
    with pytest.raises(ConfigError, match=missing):
        credentials_for("r.example", folder)
    path.write_bytes(b"\x7fELF nothing at all")
    path.chmod(0o755)
    with pytest.raises(ConfigError, match="docker-credential-one get cannot be run: Exec format"):
        credentials_for("r.example", folder)


def test_a_helper_in_the_current_folder_is_not_run(folder, programs, monkeypatch):
    programs.add_helper("one", {"get": answer("u", "s")})
    write_config(folder, {"credsStore": "one"})
    monkeypatch.chdir(programs.folder)
    monkeypatch.setenv("PATH", ".")
    with pytest.raises(ConfigError, match="no such program"):
        credentials_for("r.example", folder)
    assert programs.asked == []


def test_a_helper_that_is_too_slow(folder, programs):
    programs.add("docker-credential-one", "echo hunter2; exec /bin/sleep 100\n")
    write_config(folder, {"credsStore": "one"})
    with pytest.raises(ConfigError, match=r"one get gave no answer within 0\.2 s") as caught:
        credentials_for("r.example", folder, timeout=0.2)
    assert caught.value.__context__ is None
    with pytest.warns(DynadockWarning, match=r"one list gave no answer within 0\.2 s"):
        assert all_credentials(folder, timeout=0.2) == {}


def test_one_helper_that_fails_hides_no_others(folder, programs):
    programs.add_helper("one", {"get": answer("u", "s")})
    helpers = {"a.example": "one", "b.example": "gone", "c.example": "one"}
    write_config(folder, {"credHelpers": helpers, "auths": {"d.example": {"auth": "dTpw"}}})
    with pytest.warns(DynadockWarning, match="no credentials for b.example: .*-gone: there is no"):
        found = all_credentials(folder)
    assert sorted(found) == ["a.example", "c.example", "d.example"]


def test_a_warning_is_of_the_line_that_asked(folder, programs):
    write_config(folder, {"credsStore": "gone"})
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        all_credentials(folder)
        write_config(folder, {"credHelpers": {"r.example": "gone"}})
        all_credentials(folder)
    assert [warning.filename for warning in caught] == [__file__, __file__]


@pytest.mark.parametrize(
    ("platform", "name"),
    [("linux", "pass"), ("freebsd14", "pass"), ("darwin", "osxkeychain"), ("win32", "wincred")],
)
def test_the_helpers_of_platforms(monkeypatch, platform, name):
    # The programs of other platforms cannot be here, so that they are said to be.
    monkeypatch.setattr(helper, "find_program", lambda program: f"/bin/{program}")
    monkeypatch.setattr(sys, "platform", platform)
    assert helper.default_helper() == name


CREDENTIALS = Credentials(
    serveraddress="r.example",
    username="me",
    password="hunter2",
    identitytoken="hunter2",
    registrytoken="hunter2",
)


@pytest.mark.parametrize("make", [lambda c: c, copy.copy, copy.deepcopy, Credentials.copy])
def test_credentials_hide_their_secrets(make):
    credentials = make(CREDENTIALS)
    assert credentials == CREDENTIALS
    shown = f"{credentials} {credentials!r} {[credentials]} %s" % credentials
    shown += pprint.pformat({"a": credentials}) + format(credentials)
    assert "hunter2" not in shown
    assert "'me'" in shown
    assert "'r.example'" in shown


def test_credentials_are_sent_but_not_pickled():
    assert "hunter2" in json.dumps(reveal(CREDENTIALS))
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError, match="not pickled"):
            pickle.dumps(CREDENTIALS, protocol)
