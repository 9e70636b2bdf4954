"""The README's sessions: what it shows is what a user gets."""

from __future__ import annotations

import contextlib
import io
import os
import re
from itertools import takewhile
from pathlib import Path
from shutil import copytree
from typing import NamedTuple

import pytest

import dynadock
from dynadock.spec.versions import VersionRange
from engine.engines import (
    GUARDED,
    LOGIN,
    MAIN_VERSION,
    NO_ENGINE,
    REGISTRY,
    engines,
    is_required,
)

TOP = Path(__file__).parents[2]
README = TOP / "README.md"
BLOCK = re.compile(r"^```pycon\n(.*?)^```$", re.MULTILINE | re.DOTALL)

# What differs from one engine, or one run, to the next.
CHANGING = (
    (re.compile(r"\b[0-9a-f]{64}\b"), "ID"),
    (re.compile(r"(unix|tcp)://[^\s:,>]+(:\d+)?"), "HOST"),
    (re.compile(r"'\d+\.\d+\.\d+\+[\w.]+'"), "RELEASE"),
    (re.compile(r"API \d\.\d+ to \d\.\d+"), "API RANGE"),
    (re.compile(r"API \d\.\d+ at HOST"), "API NEWEST at HOST"),
    (re.compile(r"Docker/\S+ \(\w+\)"), "ENGINE"),
    (re.compile(r"\b\d{4}-\d\d-\d\d\b"), "DAY"),
    (re.compile(r"\s+"), " "),
)

REGISTRY_SHOWN = "localhost:5000"
GUARDED_SHOWN = "localhost:5001"
ACCOUNT_SHOWN = ("tester", "s3cret")
CONTAINERS = ("web", "talk")
IMAGES = ("hello", f"{REGISTRY_SHOWN}/hello", f"{GUARDED_SHOWN}/hello")

MAIN = VersionRange(MAIN_VERSION, MAIN_VERSION)
SPEAKERS = [each for each in engines() if each.kind == "docker" and each.versions(MAIN)]


class Example(NamedTuple):
    """A statement of a session and what came of it."""

    source: str
    want: str


def examples() -> list[Example]:
    blocks = BLOCK.findall(README.read_text(encoding="utf-8"))
    return [_example(text) for block in blocks for text in re.split(r"(?m)^>>> ", block)[1:]]


def _example(text: str) -> Example:
    first, *lines = text.splitlines()
    more = [line.removeprefix("... ") for line in takewhile(_goes_on, lines)]
    return Example("\n".join([first, *more]) + "\n", "\n".join(lines[len(more) :]))


def _goes_on(line: str) -> bool:
    return line.startswith("...")


def steadied(text: str) -> str:
    for changing, word in CHANGING:
        text = changing.sub(word, text)
    return text.strip()


def outcome(source: str, names: dict[str, object]) -> str:
    """Return what a session prints after a statement: output, the value, or the error."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        try:
            exec(compile(source, "README.md", "single"), names)
        except dynadock.DynadockError as error:
            print(f"{type(error).__name__}: {error}")
    return printed.getvalue()


@pytest.fixture
def speaker(monkeypatch, tmp_path, empty_config):
    """Set the environment that the README was written in: an engine, the checkout's folder."""
    if not SPEAKERS:
        assert not is_required(), "no Docker Engine that speaks the README's API version"
        pytest.skip(NO_ENGINE)
    monkeypatch.setenv("DOCKER_HOST", SPEAKERS[0].address)
    monkeypatch.setenv("DOCKER_CONFIG", str(copytree(empty_config, tmp_path / "config")))
    monkeypatch.chdir(TOP)
    client = dynadock.load(str(MAIN_VERSION))
    yield client
    for name in CONTAINERS:
        with contextlib.suppress(dynadock.NotFound):
            client.ContainerDelete(name, force=True)
    for name in IMAGES:
        with contextlib.suppress(dynadock.NotFound):
            client.ImageDelete(here(name), force=True)


def here(text: str) -> str:
    """Write the registries and the account that there are for those that the README shows."""
    text = text.replace(REGISTRY_SHOWN, os.environ.get(REGISTRY, REGISTRY_SHOWN))
    text = text.replace(GUARDED_SHOWN, os.environ.get(GUARDED, GUARDED_SHOWN))
    account = os.environ.get(LOGIN, ":".join(ACCOUNT_SHOWN)).partition(":")
    for shown, known in zip(ACCOUNT_SHOWN, (account[0], account[2]), strict=True):
        text = text.replace(f'"{shown}"', f'"{known}"')
    return text


def is_missing(source: str) -> bool:
    """Tell whether an example needs a registry, or an account at one, that is not there."""
    needs_account = any(word in source for word in (GUARDED_SHOWN, "account", "said"))
    needs_registry = REGISTRY_SHOWN in source
    return (needs_registry and REGISTRY not in os.environ) or (
        needs_account and GUARDED not in os.environ
    )


def test_what_the_readme_shows(speaker):
    names: dict[str, object] = {}
    for example in examples():
        if is_missing(example.source):
            continue
        shown = outcome(here(example.source), names)
        assert steadied(shown) == steadied(here(example.want)), f"after {example.source}"


def test_there_is_something_to_show():
    assert len(examples()) > 20
