"""The guide's page of what is simulated: it says what the code says, and what the engine does."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from documents import NEWEST, VERSIONS, operations_of
from dynadock import APIError
from dynadock.embedded import Engine
from dynadock.simulation.behaviour.table import names_of, simulated
from dynadock.spec.loader import load_spec

TOP = Path(__file__).parents[1]
SIMULATED, REFUSED, NOT_SIMULATED = "simulated", "refused", "not simulated"
UNKNOWN = 501


@cache
def told():
    """Return the operations that each part of the page names."""
    text = (TOP / "docs" / "embedded.md").read_text(encoding="utf-8")
    parts = dict(re.findall("<!-- drawn: ([a-z ]+) -->\n(.*?)<!-- end -->", text, re.DOTALL))
    rows = re.findall(r"^\| (\d+) \| .* \| (.*) \|$", parts[REFUSED], re.MULTILINE)
    return {
        SIMULATED: re.findall(r"^\| `(\w+)` \|", parts[SIMULATED], re.MULTILINE),
        REFUSED: {name: int(status) for status, names in rows for name in words(names)},
        NOT_SIMULATED: words(parts[NOT_SIMULATED]),
    }


def words(text):
    return re.findall(r"`(\w+)`", text)


def test_it_is_what_the_code_says():
    tool = TOP / "tools" / "draw_simulated.py"
    checked = subprocess.run(
        [sys.executable, str(tool), "--check"], capture_output=True, text=True, check=False
    )
    assert (checked.returncode, checked.stdout) == (0, "")


def test_every_operation_stands_there_once():
    found = Counter(name for names in told().values() for name in names)
    assert set(found.values()) == {1}
    for version in VERSIONS:
        spec = load_spec(version)
        for name in operations_of(version):
            assert len([each for each in names_of(spec[name]) if each in found]) == 1, name
    assert not found.keys() - {name for version in VERSIONS for name in operations_of(version)}


def test_every_behaviour_says_what_it_is():
    for name, words in simulated().items():
        assert re.fullmatch(r"[A-Z].{3,98}\.", words), name


def answer_to(operation):
    """Call an operation as in its example, and return the status of what it answers."""
    try:
        came = operation(**operation.example())
    except APIError as error:
        return error.status
    if hasattr(came, "close"):
        came.close()
    return 200


@pytest.mark.usefixtures("small_folder")
@pytest.mark.parametrize("version", [VERSIONS[0], "1.30", NEWEST])
def test_an_engine_does_what_it_says(version):
    with Engine() as engine:
        client = engine.client(version, timeout=10)
        for name, operation in client.operations.items():
            status = answer_to(operation)
            known = names_of(load_spec(version)[name])
            if any(each in told()[NOT_SIMULATED] for each in known):
                assert status == UNKNOWN, name
            elif name in told()[REFUSED]:
                assert status == told()[REFUSED][name], name
            else:
                assert status != UNKNOWN, name
