"""The tables of "Coming from docker-py": what stands there for dynadock is a call that it takes."""

from __future__ import annotations

import ast
import inspect
import re
from base64 import b64encode
from pathlib import Path
from unittest.mock import MagicMock

import pytest

import dynadock
from documents import MAIN
from dynadock.prompt.meaning import Expected, reply_of

PAGE = Path(__file__).parents[1] / "docs" / "coming-from-docker-py.md"
CODE = re.compile(r"`([^`]+)`")
ARGUMENTS = "argument in docker-py"
CLIENT = dynadock.load(MAIN, host="unix:///nowhere.sock")


def tables():
    """Yield the rows of all tables: the first heading of their table, and their cells."""
    heading = ""
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if not line.startswith("|"):
            heading = ""
            continue
        left, right = (cell.strip() for cell in line.strip("|").split("|"))
        if not heading:
            heading = left
        elif not left.startswith("---"):
            yield heading, left, right


ROWS = [*tables()]
CALLS = [(left, right) for heading, left, right in ROWS if heading != ARGUMENTS]
FIELDS = [(left, right) for heading, left, right in ROWS if heading == ARGUMENTS]


class Answer:
    """Stands for what a call returns: has the fields and the methods that such a value has."""

    def __init__(self, expected: Expected) -> None:
        self._expected = expected

    def __getattr__(self, name):
        if name in self._expected.fields:
            return Answer(self._expected.at(name))
        # Headers are named by the engine.
        assert self._expected.of is dynadock.Headers or hasattr(self._expected.of, name), name
        return MagicMock()


class Operation:
    """Stands for an operation: checks its arguments, and sends nothing."""

    def __init__(self, operation) -> None:
        self._operation = operation

    def __call__(self, *args, **kwargs):
        assert self._operation.prepare(*args, **kwargs)
        expected = reply_of(self._operation)
        return None if expected is None else Answer(expected)


class Checking:
    """Stands for a client."""

    def __getattr__(self, name):
        known = getattr(CLIENT, name)
        return Operation(known) if isinstance(known, dynadock.BoundOperation) else MagicMock()


def checking(function, operation_id):
    """Stand for a helper: its arguments are its own, and else an operation's."""

    def check(client, *args, **kwargs):
        own = inspect.signature(function).bind(CLIENT, *args, **kwargs)
        fields = own.arguments.pop("fields", {})
        assert CLIENT.operations[operation_id].prepare(**{**NEEDED[operation_id], **fields})
        return dynadock.Completed(0, b"", b"")

    return check


NEEDED = {"ContainerCreate": {"Image": "busybox"}, "ContainerExec": {"id": "web", "Cmd": ["true"]}}


def loaded(version=None, **where):
    """Stand for `load`, which looks for the contexts of whoever reads the page."""
    inspect.signature(dynadock.load).bind(version, **where)
    where.pop("context", None)
    return dynadock.load(version or MAIN, **where)


NAMES = {
    "client": Checking(),
    "dynadock": dynadock,
    "load": loaded,
    "run": checking(dynadock.run, "ContainerCreate"),
    "execute": checking(dynadock.execute, "ContainerExec"),
    "b64encode": b64encode,
    "Path": Path,
    "data": b"an archive",
}


def test_there_is_a_row_for_each_thing_that_people_do():
    assert len(CALLS) >= 90
    assert len(FIELDS) >= 20


@pytest.mark.parametrize(("left", "right"), CALLS, ids=lambda cell: cell)
def test_a_call_is_one_that_dynadock_takes(left, right, monkeypatch):
    monkeypatch.chdir(PAGE.parents[1])
    calls = CODE.findall(right)
    assert CODE.sub("", right) in ("", " and ")
    for call in calls:
        eval(call, {}, NAMES)


@pytest.mark.parametrize(("left", "right"), FIELDS, ids=lambda cell: cell)
def test_an_argument_is_one_that_dynadock_takes(left, right):
    (fields,) = CODE.findall(right)
    given = eval(f"dict({fields})", {}, {})
    assert CLIENT.ContainerCreate.prepare(**NEEDED["ContainerCreate"] | given)


@pytest.mark.parametrize(("left", "right"), CALLS + FIELDS, ids=lambda cell: cell)
def test_what_stands_for_docker_py_is_python(left, right):
    (code,) = CODE.findall(left)
    assert left == f"`{code}`"
    ast.parse(f"dict({code})" if (left, right) in FIELDS else code, mode="eval")


@pytest.mark.parametrize(
    "call",
    [
        "client.ContainerStop('web', timeout=5)",
        "client.ContainerRun('web')",
        "client.ContainerWait('web').Status",
        "client.ContainerLogs('web').save('x')",
        "client.ContainerCreate(HostConfig={'memory': 1})",
        "load('1.42', hots='x')",
        "run(client, 'busybox', 'true', name=5)",
        "dynadock.NoSuchError",
    ],
)
def test_a_row_that_is_wrong_is_found(call):
    with pytest.raises((AssertionError, AttributeError, TypeError, dynadock.DynadockError)):
        eval(call, {}, NAMES)
