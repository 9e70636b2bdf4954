"""Contexts, read from what release 28.2 of the docker command writes."""

from __future__ import annotations

import hashlib
import json

import pytest

from docker_config import recorded, write_config
from dynadock.config.contexts import Choice, Context, chosen_context, context_names, read_context
from dynadock.errors import ConfigError

RECORDED = recorded("contexts")


@pytest.fixture
def folder(tmp_path):
    """Make a configuration folder of what ``docker context create`` wrote."""
    for name, text in RECORDED["files"].items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for name in RECORDED["tls"]:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path


def digest(name):
    return hashlib.sha256(name.encode()).hexdigest()


def write_meta(folder, name, meta):
    path = folder / "contexts" / "meta" / digest(name) / "meta.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(meta if isinstance(meta, str) else json.dumps(meta), encoding="utf-8")
    return path


@pytest.mark.parametrize(("name", "expected"), RECORDED["contexts"].items())
def test_a_context_of_the_docker_command(folder, name, expected):
    host, has_tls, skips = expected
    tls = str(folder / "contexts" / "tls" / digest(name) / "docker") if has_tls else ""
    assert read_context(name, folder) == Context(name, host, tls, skips)


def test_the_names(folder):
    assert context_names(folder) == ["default", *sorted(RECORDED["contexts"])]


def test_no_contexts_at_all(tmp_path, monkeypatch):
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "none"))
    assert context_names() == ["default"]
    assert chosen_context() == Choice("default", "")
    assert read_context("default") == Context("default", "", "", skip_tls_verify=False)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("secure", "there is no context 'secure'; did you mean 'secured'? There are: default, "),
        ("nothing alike", "there is no context 'nothing alike'; There are: default, UPPER, "),
        ("../../x", "there is no context '../../x'"),
        ("", "there is no context ''"),
        ("\ud800", r"there is no context '\ud800'"),
        ("Default", "did you mean 'default'?"),
    ],
)
def test_an_unknown_context(folder, name, words):
    write_meta(folder, "UPPER", {"Name": "UPPER"})
    with pytest.raises(ConfigError) as caught:
        read_context(name, folder)
    assert words in str(caught.value)
    assert str(caught.value).endswith("There are: " + ", ".join(context_names(folder)))


@pytest.mark.parametrize(
    ("meta", "words"),
    [
        ("{", "not JSON"),
        ("[]", "not a JSON object"),
        ("", "names no engine of Docker"),
        ({"Name": "mine"}, "names no engine of Docker"),
        ({"Name": "mine", "Endpoints": {"kubernetes": {"Host": "x"}}}, "names no engine of Docker"),
        ({"Endpoints": []}, "'Endpoints' is not an object"),
        ({"Endpoints": {"docker": "tcp://a:1"}}, "'docker' is not an object"),
        ({"Endpoints": {"docker": {"Host": 5}}}, "'Host' is not text"),
    ],
)
def test_a_damaged_context(folder, meta, words):
    path = write_meta(folder, "mine", meta)
    with pytest.raises(ConfigError) as caught:
        read_context("mine", folder)
    assert words in str(caught.value)
    assert str(path) in str(caught.value)
    # The others are not hidden by it.
    assert {*RECORDED["contexts"]} <= {*context_names(folder)}


@pytest.mark.parametrize(
    ("engine", "host", "skips"),
    [
        ({}, "", False),
        ({"Host": None, "SkipTLSVerify": None}, "", False),
        ({"host": "tcp://a:1", "skiptlsverify": True}, "tcp://a:1", True),
        ({"SkipTLSVerify": "no"}, "", False),
    ],
)
def test_what_else_a_context_may_be(tmp_path, engine, host, skips):
    write_meta(tmp_path, "mine", {"Name": "mine", "Endpoints": {"docker": engine}})
    assert read_context("mine", tmp_path) == Context("mine", host, "", skips)


def write_by_hand(folder, own, meta):
    path = folder / "contexts" / "meta" / own / "meta.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(meta), encoding="utf-8")
    return path


def test_a_context_in_a_folder_of_another_name(folder):
    """`docker context ls` lists it."""
    meta = {"Name": "by hand", "Endpoints": {"docker": {"Host": "tcp://a:1"}}}
    write_by_hand(folder, "anything", meta)
    assert "by hand" in context_names(folder)
    assert read_context("by hand", folder) == Context("by hand", "tcp://a:1")
    # The folder by the digest is the context's own, if there is one.
    write_meta(folder, "by hand", {"Endpoints": {"docker": {"Host": "tcp://b:2"}}})
    assert read_context("by hand", folder) == Context("by hand", "tcp://b:2")


@pytest.mark.parametrize("own", ["anything", digest("by hand")])
def test_its_certificates_are_found(tmp_path, own):
    """Without them there would be no TLS, which nobody asked for."""
    meta = {"Name": "by hand", "Endpoints": {"docker": {"Host": "tcp://a:1"}}}
    write_by_hand(tmp_path, "anything", meta)
    tls = tmp_path / "contexts" / "tls" / own / "docker"
    tls.mkdir(parents=True)
    (tls / "ca.pem").touch()
    assert read_context("by hand", tmp_path).tls_folder == str(tls)


def test_two_contexts_of_one_name(tmp_path):
    meta = {"Name": "mine", "Endpoints": {"docker": {}}}
    paths = [str(write_by_hand(tmp_path, own, meta)) for own in ("a", "b")]
    with pytest.raises(ConfigError, match="more than one context is called 'mine'") as caught:
        read_context("mine", tmp_path)
    assert str(caught.value).endswith(", ".join(paths))


def test_one_file_is_enough_for_tls(tmp_path):
    write_meta(tmp_path, "mine", {"Endpoints": {"docker": {}}})
    tls = tmp_path / "contexts" / "tls" / digest("mine") / "docker"
    tls.mkdir(parents=True)
    assert read_context("mine", tmp_path).tls_folder == ""
    (tls / "notes.txt").touch()
    assert read_context("mine", tmp_path).tls_folder == ""
    (tls / "key.pem").touch()
    assert read_context("mine", tmp_path).tls_folder == str(tls)


def test_which_context_is_chosen(folder, monkeypatch):
    config = folder / "config.json"
    assert chosen_context(folder) == Choice("plain", f"currentContext in {config}")
    monkeypatch.setenv("DOCKER_CONTEXT", "")
    assert chosen_context(folder).name == "plain"
    # It need not be there to be chosen: that it is missing is an error where it is read.
    monkeypatch.setenv("DOCKER_CONTEXT", "gone")
    assert chosen_context(folder) == Choice("gone", "DOCKER_CONTEXT")
    monkeypatch.setenv("DOCKER_CONTEXT", "default")
    assert chosen_context(folder) == Choice("default", "DOCKER_CONTEXT")


def test_a_choice_that_makes_no_sense(tmp_path):
    write_config(tmp_path, {"currentContext": ["plain"]})
    with pytest.raises(ConfigError, match="'currentContext' is not text"):
        chosen_context(tmp_path)
