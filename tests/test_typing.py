"""What type checkers know of the package: mypy, strict, on a program that uses it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import dynadock

TOP = Path(__file__).parents[1]

USES = """\
from typing import Literal, assert_type
import dynadock
from dynadock import *
from dynadock import load as make

client = make("1.42", host="tcp://h:1", connections=2, timeout="auto", headers={"A": "1"})
assert_type(client, Client)
client.with_options(deadline=5, tty=None, credentials={"r": {"username": "me"}}).ContainerList()
assert_type(client.options.timeout, float | Literal["auto"] | None)
make(timout=5)  # wrong
make(retries="often")  # wrong
client.with_options(validat=False)  # wrong
client.with_options(unknown="ignore")  # wrong
dynadock.Options(proxies="http://p")  # wrong
"""
WRONG = ("timout", "retries", "validat", "unknown", "proxies")


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """Return what mypy says, each with its line's number."""
    program = tmp_path_factory.mktemp("typed") / "program.py"
    names = [f"reveal_type({name})\nreveal_type(dynadock.{name})" for name in dynadock.__all__]
    program.write_text(USES + "\n".join(names), encoding="utf-8")
    ran = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", str(program)],
        capture_output=True,
        text=True,
        check=False,
        cwd=TOP,
    )
    assert not ran.stderr
    said = re.findall(r"program\.py:(\d+): (?:error|note): (.*)", ran.stdout)
    return [(int(line), text) for line, text in said if "defined in" not in text]


def test_options_are_known_by_name_and_type(told):
    lines = [line for line, text in enumerate(USES.splitlines(), 1) if text.endswith("# wrong")]
    said = {line: text for line, text in told if line <= USES.count("\n")}
    assert [*said] == lines
    assert all(f'"{name}"' in text for name, text in zip(WRONG, said.values(), strict=True))


def test_every_public_name_is_known_and_imported_with_the_star(told):
    said = [text for line, text in told if line > USES.count("\n")]
    assert len(said) == 2 * len(dynadock.__all__)
    assert all(text.startswith("Revealed type is ") for text in said)
    assert not [text for text in said if '"Any"' in text]
