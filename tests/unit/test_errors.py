"""The exception tree: what each is, what it carries, and that it survives a pickle."""

from __future__ import annotations

import copy
import pickle
import re

import pytest

from dynadock import errors
from dynadock.errors import APIError, BodyError, Fault, ParameterError, ValidationError

TREE = {
    "SpecError": ("DynadockError", ValueError),
    "UnknownOperation": ("DynadockError", AttributeError),
    "ValidationError": ("DynadockError", ValueError),
    "ParameterError": ("ValidationError", ValueError),
    "BodyError": ("ValidationError", ValueError),
    "Unsupported": ("DynadockError", NotImplementedError),
    "EndpointError": ("DynadockError", ValueError),
    "ConfigError": ("DynadockError", ValueError),
    "TransportError": ("DynadockError", OSError),
    "TooLarge": ("TransportError", OSError),
    "SocketMissing": ("TransportError", OSError),
    "PermissionDenied": ("TransportError", OSError),
    "ConnectionRefused": ("TransportError", OSError),
    "TlsError": ("TransportError", OSError),
    "TimedOut": ("TransportError", TimeoutError),
    "ConnectionLost": ("TransportError", OSError),
    "TruncatedStream": ("ConnectionLost", OSError),
    "MalformedStream": ("TransportError", OSError),
    "StreamClosed": ("DynadockError", ValueError),
    "CommandTimeout": ("DynadockError", TimeoutError),
    "UnsafeMember": ("DynadockError", ValueError),
    "APIError": ("DynadockError", Exception),
    "StreamError": ("APIError", Exception),
    "VersionError": ("APIError", Exception),
    "BadRequest": ("APIError", Exception),
    "AccessDenied": ("APIError", Exception),
    "NotFound": ("APIError", Exception),
    "Conflict": ("APIError", Exception),
    "ServerError": ("APIError", Exception),
}


@pytest.mark.parametrize(("name", "parent", "builtin"), [(k, *v) for k, v in TREE.items()])
def test_the_tree(name, parent, builtin):
    kind = getattr(errors, name)
    assert getattr(errors, parent) in kind.__bases__
    assert issubclass(kind, errors.DynadockError)
    assert issubclass(kind, builtin)
    # The page of the module shows the tree, and shows all of it.
    assert re.search(rf"── {name}\b", errors.__doc__)


def test_nothing_is_missing_in_the_tree():
    defined = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, Exception)
        if not issubclass(value, Warning) and value.__module__ == errors.__name__
    }
    assert defined == {*TREE, "DynadockError"}


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
