"""The exception tree: what each is, what it carries, and that it survives a pickle."""

from __future__ import annotations

import builtins
import copy
import pickle
import re
from pathlib import Path

import pytest

from dynadock import errors
from dynadock.errors import APIError, BodyError, Fault, ParameterError, ValidationError

BRANCH = re.compile(r"^([│ ]*)[├└]── (\w+)(?:.*\((\w+)\)$)?", re.MULTILINE)


def shown_tree():
    """Return the tree on the page of the module: of each error its parent, and its builtin."""
    tree, path = {}, ["DynadockError"]
    for indent, name, builtin in BRANCH.findall(errors.__doc__):
        depth = len(indent) // 4
        path[depth:] = [name]
        tree[name] = (path[depth - 1], builtin)
    return tree


TREE = shown_tree()


@pytest.mark.parametrize(("name", "parent", "builtin"), [(k, *v) for k, v in TREE.items()])
def test_the_tree_that_is_shown_is_the_one_that_there_is(name, parent, builtin):
    bases = (getattr(errors, parent), *([getattr(builtins, builtin)] if builtin else []))
    assert getattr(errors, name).__bases__ == bases


def test_nothing_is_missing_in_the_tree():
    defined = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, Exception)
        if not issubclass(value, Warning) and value.__module__ == errors.__name__
    }
    assert defined == {*TREE, "DynadockError"}


def test_the_guide_tells_of_each_way_to_get_no_whole_answer():
    page = (Path(__file__).parents[2] / "docs" / "errors.md").read_text("utf-8")
    section = page.partition("\n## No whole answer\n")[2].partition("\n## ")[0]
    cells = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    told = {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}
    kinds = [getattr(errors, name) for name in TREE]
    below = {kind.__name__ for kind in kinds if issubclass(kind, errors.TransportError)}
    assert told == below - {"TransportError"}


FAULTS = [Fault("a", "wrong", "query"), Fault("B.c", "odd", "body")]


@pytest.mark.parametrize(
    ("faults", "kind", "message"),
    [
        (FAULTS, ParameterError, "Op (API 1.42): 2 faults\n  a: wrong\n  B.c: odd"),
        (FAULTS[:1], ParameterError, "Op (API 1.42): 1 fault\n  a: wrong"),
        (FAULTS[1:], BodyError, "Op (API 1.42): 1 fault\n  B.c: odd"),
    ],
)
def test_faults_become_one_error(faults, kind, message):
    error = ValidationError.of("Op", "1.42", iter(faults))
    assert type(error) is kind
    assert str(error) == message
    assert error.faults == tuple(faults)
    assert (error.operation_id, error.version) == ("Op", "1.42")


DETAILS = {
    "status": 404,
    "explanation": "gone",
    "operation_id": "Op",
    "method": "GET",
    "path": "/x",
    "version": "1.42",
    "host": "unix:///x",
    "body": b"{}",
}
SAMPLES = [
    *(getattr(errors, name)("text") for name in TREE),
    ValidationError.of("Op", "1.42", FAULTS),
    errors.TimedOut("late", "unix:///x"),
    errors.NotFound("no", **DETAILS),
    errors.VersionError("old", **DETAILS, minimum="1.24", maximum="1.41", reply={"a": 1}),
]


@pytest.mark.parametrize("error", SAMPLES, ids=lambda error: type(error).__name__)
def test_errors_survive_pickle_and_copy(error):
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(twin) is type(error)
        assert str(twin) == str(error)
        assert vars(twin) == vars(error)


def test_an_api_error_carries_what_was_asked_and_answered():
    assert vars(APIError("no", **DETAILS)) == DETAILS


def test_a_connection_error_names_its_endpoint():
    assert errors.SocketMissing("no socket", "unix:///x").endpoint == "unix:///x"


def test_warnings_are_shown_by_default():
    assert issubclass(errors.UnknownFieldWarning, errors.DynadockWarning)
    assert issubclass(errors.DynadockWarning, UserWarning)
