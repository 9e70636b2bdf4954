"""The examples that need no engine: what a user finds there runs as it stands."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from dynadock.embedded import Engine

TOP = Path(__file__).parents[1]
NOBODY = "unix:///nobody/docker.sock"


def run(*arguments, **variables):
    """Run Python on something of the examples; return its exit code, and all that it wrote."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=TOP / "examples",
        env=os.environ | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def test_the_suite_of_the_guide_passes():
    code, output = run("-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, "testing")
    assert code == 0, output
    assert re.search(r"\b11 passed in ", output)
    assert "skipped" not in output


def test_the_demo_works_without_an_engine():
    code, output = run("demo.py", DOCKER_HOST=NOBODY)
    assert code == 0, output
    assert f"No engine answers: {NOBODY}" in output
    assert "this is the embedded engine" in output
    assert "DOCKER_HOST=unix:///path/of.sock" in output
    for shown in ("ContainerCreate", "ContainerLogs", "'it runs\\n'", "stdout=b'5\\n'", "['/web']"):
        assert shown in output
    assert "did you mean 'all'?" in output


def test_the_demo_takes_an_engine_that_answers():
    with Engine() as engine:
        engine.add_container("there")
        code, output = run("demo.py", DOCKER_HOST=engine.url)
        assert code == 0, output
        assert "embedded engine" not in output
        assert "['/there']" in output
        assert {call.method for call in engine.calls} <= {"GET", "HEAD"}


@pytest.mark.parametrize("host", ["nonsense", "tcp://me:password@somewhere"])
def test_the_demo_says_what_is_wrong_with_an_address(host):
    code, output = run("demo.py", DOCKER_HOST=host)
    assert code == 0, output
    assert re.match(r"No engine answers: DOCKER_HOST: .* is not the address of an engine", output)
    assert "me:password" not in output
