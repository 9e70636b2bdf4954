"""Every operation of every bundled version: its example, and what it says of its history."""

from __future__ import annotations

import ast
import inspect
from functools import cache

import pytest

from documents import VERSIONS
from dynadock import load

every_version = pytest.mark.parametrize("version", VERSIONS)
both_kinds = pytest.mark.parametrize("full", [False, True], ids=["short", "full"])


@cache
def client_of(version):
    return load(version, host="unix:///nowhere.sock")


class Prompt:
    """Stands where a client stands in a printed call: it prepares what the client would send."""

    def __init__(self, client):
        self._client = client

    def __getattr__(self, name):
        return self._client.operations[name].prepare


def sent(request):
    """Return what a request sends, archives by what is in them."""
    body = request.body
    if isinstance(body, (bytes, type(None))):
        return request.method, request.target, request.headers, body
    return request.method, request.target, request.headers, type(body)


@both_kinds
@every_version
def test_it_passes_the_checks_and_binds(version, full):
    for name, operation in client_of(version).operations.items():
        example = operation.example(full=full)
        inspect.signature(operation).bind(**example)
        assert operation.prepare(**example), name


@both_kinds
@every_version
def test_it_is_printed_as_the_call_that_it_is(version, full):
    client = client_of(version)
    for operation in client.operations.values():
        example = operation.example(full=full)
        *imports, call = ast.parse(repr(example)).body
        names = {"client": Prompt(client)}
        exec(compile(ast.Module(imports, []), "imports", "exec"), names)
        made = eval(compile(ast.Expression(call.value), "call", "eval"), names)
        assert sent(made) == sent(operation.prepare(**example))


@every_version
def test_a_full_example_leaves_nothing_out(version):
    for operation in client_of(version).operations.values():
        example = operation.example(full=True)
        assert {each.python_name for each in operation.parameters} <= set(example)
        if operation.body is not None and operation.body.kind == "object":
            assert set(operation.body.properties) <= set(example) | {"body"}


def test_a_full_example_has_deep_fields_too():
    example = client_of("1.42").ContainerCreate.example(full=True)
    assert example["HostConfig"]["Memory"] == 67108864
    assert example["HostConfig"]["RestartPolicy"]["Name"]
    assert example["NetworkingConfig"]["EndpointsConfig"]


@both_kinds
def test_it_may_be_changed_without_changing_the_next(full):
    operation = client_of("1.42").ContainerCreate
    example = operation.example(full=full)
    example["HostConfig"]["Memory"] = 1
    example["Cmd"].append("x")
    assert operation.example(full=full) != example
    assert operation.example(full=full)["HostConfig"]["Memory"] == 67108864


@every_version
def test_its_history_leads_up_to_the_version(version):
    """What arrived and did not leave since is there, what left and did not come back is not.

    What only changed was there before and is there after.
    """
    client = client_of(version)
    minor = int(version.partition(".")[2])
    for operation in client.operations.values():
        there = {each.name for each in operation.parameters}
        state = {}
        for change in operation.history():
            if change.what == "parameter" and change.version.minor <= minor:
                state[change.name] = change.kind
        for name, kind in state.items():
            assert (name in there) == (kind != "left"), (operation.operation_id, name)
