"""``show()``: progress on a terminal while it happens, and nothing on anything else."""

from __future__ import annotations

import io
import json
import re
import sys

import pytest

from dynadock import StreamError
from terminal import ESCAPE, terminal
from wire.peer import answer, chunked, playing

SHOW_CURSOR = "\x1b[?25h"

DIGEST = "sha256:" + "ab" * 32
PULL = [
    {"status": "Pulling from hello", "id": "latest"},
    {"status": "Pulling fs layer", "progressDetail": {}, "id": "0123456789ab"},
    {
        "status": "Downloading",
        "progressDetail": {"current": 500, "total": 1000},
        "progress": "[=>  ]",
        "id": "0123456789ab",
    },
    {"status": "Pull complete", "progressDetail": {}, "id": "0123456789ab"},
    {"status": f"Digest: {DIGEST}"},
    {"status": "Status: Downloaded newer image for hello:latest"},
]
BUILD = [
    {"stream": "Step 1/1 : FROM busybox\n"},
    {"stream": "\n"},
    {"stream": " ---> [not markup]\n"},
    {"aux": {"ID": DIGEST}},
]
FAILURE = [PULL[1], {"errorDetail": {"message": "no space"}, "error": "no space"}]


@pytest.fixture(autouse=True)
def kind_of_terminal(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    for name in ("FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def without_rich(monkeypatch):
    """Make imports of rich fail as they do where it is not installed."""
    for name in [name for name in sys.modules if name.split(".")[0] == "rich"]:
        monkeypatch.delitem(sys.modules, name)
    for name in ("rich", "rich.console", "rich.progress"):
        monkeypatch.setitem(sys.modules, name, None)


def pulling(values):
    body = [json.dumps(value).encode() + b"\r\n" for value in values]
    return playing([answer(chunked(*body))])


def test_a_terminal_shows_layers_and_what_is_said():
    with terminal() as shown, pulling(PULL) as (_, client):
        made = client.ImageCreate(fromImage="hello").show(shown.file)
    assert made == {"Digest": DIGEST}
    text = ESCAPE.sub("", shown.text)
    assert re.search(r"0123456789ab +Pull complete", text)
    assert re.search(r"latest +Pulling from hello", text)
    assert "Status: Downloaded newer image for hello:latest\n" in text
    assert SHOW_CURSOR in shown.text


def test_a_terminal_shows_a_builds_output_as_it_is():
    with terminal() as shown, pulling(BUILD) as (_, client):
        made = client.ImageBuild(body=b"").show(shown.file)
    assert made == {"ID": DIGEST}
    text = ESCAPE.sub("", shown.text)
    assert "Step 1/1 : FROM busybox\n" in text
    assert " ---> [not markup]\n" in text


def test_a_failure_leaves_the_terminal_as_it_was():
    failing = pytest.raises(StreamError, match="no space")
    with terminal() as shown, pulling(FAILURE) as (_, client), failing:
        client.ImageCreate(fromImage="hello").show(shown.file)
    assert "Pulling fs layer" in shown.text
    assert SHOW_CURSOR in shown.text


@pytest.mark.parametrize("values", [PULL, BUILD])
def test_without_a_terminal_nothing_is_written(values, monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")
    file = io.StringIO()
    with pulling(values) as (_, client):
        assert client.ImageCreate(fromImage="hello").show(file)
    with pulling(values) as (_, client):
        assert client.ImageCreate(fromImage="hello").show()
    assert file.getvalue() == ""
    assert capsys.readouterr() == ("", "")


def test_without_rich_a_terminal_gets_lines(without_rich):
    with terminal() as shown, pulling(PULL) as (_, client):
        made = client.ImageCreate(fromImage="hello").show(shown.file)
    assert made == {"Digest": DIGEST}
    assert shown.text.splitlines() == [
        "latest: Pulling from hello",
        "0123456789ab: Pulling fs layer",
        "0123456789ab: Pull complete",
        f"Digest: {DIGEST}",
        "Status: Downloaded newer image for hello:latest",
    ]


def test_without_rich_and_without_a_terminal_nothing_is_written(without_rich):
    file = io.StringIO()
    with pulling(BUILD) as (_, client):
        assert client.ImageBuild(body=b"").show(file) == {"ID": DIGEST}
    assert file.getvalue() == ""
