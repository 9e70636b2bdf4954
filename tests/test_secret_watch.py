"""The watch over secrets fails a run that shows one, in whatever way, and no other."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from secret_values import MARK, SECRET, is_told_by

TELLING = {
    "printed": "print(SECRET)",
    "printed to stderr": "print(SECRET, file=sys.stderr)",
    "printed in base64": "print(base64.b64encode(f'me:{SECRET}'.encode()))",
    "logged": "logging.getLogger('dynadock.calls').debug('%s', SECRET)",
    "logged by another": "logging.getLogger('other').warning(SECRET)",
    "raised and caught": "pytest.raises(ConfigError, raising, ConfigError(SECRET))",
    "raised in a fault": "pytest.raises(ValidationError, raising, ValidationError('', [SECRET]))",
    "raised with details": "pytest.raises(APIError, raising, APIError('', explanation=SECRET))",
    "warned of": "warnings.warn(SECRET)",
}
DISCREET = {
    "nothing": "pass",
    "what an engine said": "pytest.raises(APIError, raising, APIError('', body=SECRET.encode()))",
    "something else": "print('nothing'); logging.getLogger('dynadock').debug('nothing')",
}
TEST = """
import base64, logging, sys, warnings
import pytest
from dynadock import APIError, ConfigError, ValidationError
from secret_values import SECRET

def raising(error):
    raise error

def test_it():
    {}
"""


@pytest.fixture
def outcome(pytester, monkeypatch, capsys):
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))

    def run(line, *arguments):
        pytester.makepyfile(TEST.format(line))
        plugins = ("-p", "secret_watch", "-p", "no:hypothesispytest")
        result = pytester.runpytest_subprocess(*plugins, *arguments)
        # The secrets that the inner run shows are no failure of this one.
        capsys.readouterr()
        return result

    return run


@pytest.mark.parametrize("line", TELLING.values(), ids=TELLING)
def test_a_run_that_shows_a_secret_fails(outcome, line):
    result = outcome(line)
    result.assert_outcomes(passed=1, warnings=int("warn(" in line))
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*secrets that were told*", "*::test_it*: *"])


@pytest.mark.parametrize("how", ["logged", "raised and caught", "printed"])
def test_a_run_in_which_a_worker_shows_a_secret_fails(outcome, how):
    result = outcome(TELLING[how], "--numprocesses=1")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*secrets that were told*", "*::test_it*: *"])


@pytest.mark.parametrize("line", DISCREET.values(), ids=DISCREET)
def test_a_run_that_shows_none_passes(outcome, line):
    result = outcome(line)
    assert result.ret == pytest.ExitCode.OK
    result.stdout.no_fnmatch_line("*secrets that were told*")


@pytest.mark.parametrize("before", ["", "a", "ab", "abc"])
def test_base64_hides_nothing(before):
    assert MARK in SECRET
    assert is_told_by(base64.b64encode(f"{before}:{SECRET}".encode()).decode())
    assert not is_told_by(base64.b64encode(before.encode()).decode())
