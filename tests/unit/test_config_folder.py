"""The configuration folder and its file: where it is, and what it may be."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from docker_config import write_config
from dynadock.config.contexts import chosen_context, read_context
from dynadock.config.folder import config_folder, read_config, spelling
from dynadock.config.headers import http_headers
from dynadock.config.proxies import proxy_variables
from dynadock.errors import ConfigError
from secret_values import SECRET
from tracebacks import check_hidden

AUTH = base64.b64encode(f"me:{SECRET}".encode()).decode()


def test_where_it_is(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", "/home/somebody")
    monkeypatch.delenv("DOCKER_CONFIG")
    assert config_folder() == "/home/somebody/.docker"
    monkeypatch.setenv("DOCKER_CONFIG", "")
    assert config_folder() == "/home/somebody/.docker"
    monkeypatch.setenv("DOCKER_CONFIG", "/etc/docker-of-mine")
    assert config_folder() == "/etc/docker-of-mine"
    assert config_folder(tmp_path) == config_folder(str(tmp_path)) == str(tmp_path)


@pytest.mark.skipif(os.name == "nt", reason="Windows finds a home without a passwd entry")
def test_a_user_without_a_home_has_none(monkeypatch):
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.delenv("DOCKER_CONFIG")
    monkeypatch.setattr("pwd.getpwuid", lambda uid: {}[uid])
    assert not Path(config_folder()).exists()
    assert read_config().values == {}


@pytest.mark.parametrize(
    ("content", "values"),
    [
        (None, {}),
        ("", {}),
        (" \n\t", {}),
        ("null", {}),
        ("{}", {}),
        ('{"credsStore": "x"}', {"credsStore": "x"}),
        ('\ufeff{"a": "ü"}', {"a": "ü"}),
        ("{}\r\n", {}),
    ],
)
def test_what_is_read(tmp_path, content, values):
    write_config(tmp_path, content)
    config = read_config(tmp_path)
    assert config.values == values
    assert config.path == str(tmp_path / "config.json")


def test_a_folder_that_is_not_there(tmp_path):
    (tmp_path / "file").touch()
    assert read_config(tmp_path / "none" / "none").values == {}
    assert read_config(tmp_path / "file").values == {}
    assert read_config(os.devnull).values == {}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "not JSON: see line 1, column 2"),
        ('{\n "a": hunter2}', "not JSON: see line 2, column 7"),
        ("{} {}", "not JSON: see line 1, column 4"),
        ("[]", "not a JSON object"),
        ('"text"', "not a JSON object"),
        ("0", "not a JSON object"),
        (b'{"a": "\xff"}', "not JSON in UTF-8"),
        ('{"a": NaN}', "not JSON in UTF-8"),
        ('{"a":' * 100_000, "not JSON"),
    ],
    ids=range(9),
)
def test_what_makes_no_sense(tmp_path, content, words):
    write_config(tmp_path, content)
    with pytest.raises(ConfigError) as caught:
        read_config(tmp_path)
    assert words in str(caught.value)
    assert str(tmp_path / "config.json") in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_what_cannot_be_read(tmp_path):
    (tmp_path / "config.json").mkdir()
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        read_config(tmp_path)
    loop = tmp_path / "loop"
    loop.mkdir()
    (loop / "config.json").symlink_to("config.json")
    with pytest.raises(ConfigError, match=r"cannot be read: .*symbolic links"):
        read_config(loop)


def test_texts_and_sections(tmp_path):
    write_config(tmp_path, {"credsStore": None, "CREDHELPERS": {"a": "b"}, "auths": [], "x": 5})
    config = read_config(tmp_path)
    assert config.text("credsStore") == config.text("none") == ""
    assert config.section("credHelpers") == {"a": "b"}
    assert config.section("none") == {}
    with pytest.raises(ConfigError, match=r"config\.json: 'auths' is not an object"):
        config.section("auths")
    with pytest.raises(ConfigError, match=r"config\.json: 'x' is not text"):
        config.text("x")


def test_the_exact_name_has_precedence_over_another_case():
    assert spelling({"AUTHS": 1, "auths": 2}, "auths") == "auths"
    assert spelling({"AUTHS": 1}, "auths") == "AUTHS"
    assert spelling({}, "auths") == "auths"


def test_nothing_of_the_file_is_shown(tmp_path):
    write_config(tmp_path, {"auths": {"r.example": {"password": "hunter2"}}})
    config = read_config(tmp_path)
    assert str(tmp_path) in repr(config)
    assert "hunter2" not in f"{config!r}{config}{[config]}"


LATE = {"subprocess", "shutil", "tempfile", "fcntl", "socket", "base64", "requests", "yaml"}


def test_importing_is_cheap():
    modules = ["contexts", "credentials", "folder", "helper", "proxies", "registries", "store"]
    code = "import dynadock.spec.cache, pathlib, sys; before = {*sys.modules};" + "".join(
        f"import dynadock.config.{module};" for module in modules
    )
    code += "import dynadock.call.reference; print(*({*sys.modules} - before))"
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True
    )
    loaded = ran.stdout.split()
    assert "dynadock.config.store" in loaded
    assert LATE.isdisjoint(loaded)
    assert {name for name in loaded if not name.startswith("dynadock.")} <= {"binascii"}


AUTHS = {"r.example": {"auth": AUTH, "identitytoken": SECRET}}
PROXY = f"http://me:{SECRET}@p"
DAMAGED = {
    "cut off": json.dumps({"auths": AUTHS})[:-2],
    "no UTF-8": json.dumps({"auths": AUTHS}).encode() + b"\xff",
    "no object": json.dumps([AUTHS]),
    "a text": json.dumps(SECRET),
    "a context": {"auths": AUTHS, "currentContext": [SECRET]},
    "proxies": {"auths": AUTHS, "proxies": [PROXY]},
    "a proxy": {"proxies": {"default": {"httpProxy": PROXY, "noProxy": [PROXY]}}},
    "headers": {"auths": AUTHS, "HttpHeaders": [SECRET]},
    "a header": {"auths": AUTHS, "HttpHeaders": {"X-A": SECRET, "X-B": [SECRET]}},
}
READS = (chosen_context, lambda: proxy_variables("x"), lambda: http_headers(read_config()))


@pytest.mark.parametrize("config", DAMAGED.values(), ids=DAMAGED)
def test_no_local_variable_shows_a_secret(tmp_path, config, monkeypatch):
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    write_config(tmp_path, config)
    errors = []
    for read in READS:
        try:
            read()
        except ConfigError as error:
            errors.append(error)
    assert errors
    for error in errors:
        check_hidden(error)


def test_no_local_variable_shows_a_contexts_password(tmp_path):
    docker = {"Host": f"tcp://me:{SECRET}@box", "Password": SECRET}
    path = tmp_path / "contexts" / "meta" / "mine" / "meta.json"
    path.parent.mkdir(parents=True)
    for meta in (
        {"Name": "mine", "Endpoints": {"kubernetes": docker}},
        {"Name": "mine", "Endpoints": [docker]},
        {"Name": "mine", "Endpoints": {"docker": {**docker, "Host": [SECRET]}}},
    ):
        path.write_text(json.dumps(meta))
        with pytest.raises(ConfigError) as caught:
            read_context("mine", tmp_path)
        check_hidden(caught.value)
