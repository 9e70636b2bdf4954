"""Every bundled document: it builds, and every operation of it can be called and looked at."""

from __future__ import annotations

import copy
import inspect
import json
import pickle
import pydoc
from functools import cache

import pytest
from jsonschema import Draft202012Validator

from documents import A_FEW, MAIN, VERSIONS, operations_of
from dynadock import Client, UnknownOperation, load
from dynadock.call.body import check_body
from dynadock.explore.describe import describe
from dynadock.spec.schema import strict_schema
from samples import least_arguments, least_body

BODIES = {"object", "array"}


@cache
def client_of(version):
    return load(version, host="unix:///nowhere.sock")


def specs_operations(version):
    return list(client_of(version)._spec.values())


every_version = pytest.mark.parametrize("version", VERSIONS)


@every_version
def test_it_has_all_operations(version):
    client = client_of(version)
    assert client.version == version
    assert sorted(client.operations) == sorted(operations_of(version))
    assert list(client.operations) == [o.operation_id for o in client.operations.values()]


def in_snake_case(name):
    """Write a name in snake_case letter by letter: a capital after a small letter or a digit."""
    words = ""
    for before, letter in zip(" " + name, name, strict=False):
        words += "_" if letter.isupper() and not before.isupper() and before != " " else ""
        words += letter.lower()
    return words


@every_version
def test_snake_case_names_are_unique_and_lead_to_their_operation(version):
    client = client_of(version)
    names = [in_snake_case(operation_id) for operation_id in client.operations]
    assert len(set(names)) == len(operations_of(version))
    for operation_id, name in zip(client.operations, names, strict=True):
        assert getattr(client, name) == getattr(client, operation_id)
        assert getattr(client, name).operation_id == operation_id


def test_names_are_those_that_generators_make():
    client = client_of(MAIN)
    names = {name for name in dir(client) if name in client._spec.names}
    assert names == {in_snake_case(operation_id) for operation_id in operations_of(MAIN)}
    assert names > {"container_list", "get_plugin_privileges", "put_container_archive", "session"}


def test_no_member_of_a_client_is_named_like_an_operation():
    members = {*dir(Client), *vars(client_of("1.42").at("1.42"))}
    operations = {name for v in VERSIONS for name in client_of(v).operations}
    snake_case = {in_snake_case(name) for name in operations}
    assert members.isdisjoint(operations | snake_case)


@every_version
def test_every_operation_binds_and_encodes(version):
    client = client_of(version)
    for operation in specs_operations(version):
        arguments = least_arguments(operation)
        request = client.operations[operation.operation_id].prepare(**arguments)
        assert request.method == operation.method
        assert request.target.startswith(f"/v{version}/")
        assert "{" not in request.target
        body = operation.body
        if body is not None and body.required and body.kind in BODIES:
            assert json.loads(request.body) == arguments[body.python_name]


@every_version
def test_path_parameters_may_be_positional(version):
    client = client_of(version)
    for operation in specs_operations(version):
        arguments = least_arguments(operation)
        in_path = [arguments.pop(each.python_name) for each in operation.positional]
        bound = client.operations[operation.operation_id]
        by_name = bound.prepare(**least_arguments(operation))
        assert bound.prepare(*in_path, **arguments) == by_name


@every_version
def test_signatures_and_help_render(version):
    client = client_of(version)
    for operation in specs_operations(version):
        bound = client.operations[operation.operation_id]
        signature = inspect.signature(bound)
        for parameter in operation.parameters:
            assert parameter.python_name in signature.parameters
        signature.bind(**least_arguments(operation))
        text = describe(operation)
        assert f"{operation.method} {operation.path} (API {version}" in text
        assert text == inspect.getdoc(bound)
        for parameter in operation.parameters:
            assert f"  {parameter.python_name} " in text
        assert operation.operation_id in repr(bound)


@pytest.mark.parametrize("version", A_FEW)
def test_help_of_every_operation_stands_alone(version):
    client = client_of(version)
    for operation_id, operation in client.operations.items():
        text = pydoc.render_doc(operation, renderer=pydoc.plaintext)
        assert operation_id in text
        assert f"(API {version}" in text
        assert "Methods defined here" not in text


@cache
def _check_schema(text):
    """Check one schema once: most are the same in many versions."""
    Draft202012Validator.check_schema(json.loads(text))


@every_version
def test_strict_schemas_are_schemas(version):
    for operation in specs_operations(version):
        body = operation.body
        if body is not None:
            _check_schema(json.dumps(strict_schema(body.schema, body.definitions)))


@every_version
def test_the_least_bodies_pass(version):
    for operation in specs_operations(version):
        body = operation.body
        if body is not None and body.kind in BODIES:
            least = least_body(body)
            assert list(check_body(operation, body, least, "error")) == [], operation
            assert list(check_body(operation, body, None, "error")) == [], operation


@every_version
def test_operations_describe_themselves(version):
    for bound in client_of(version).operations.values():
        assert bound.method in {"GET", "POST", "PUT", "DELETE", "HEAD"}
        assert bound.path.startswith("/")
        assert isinstance(bound.tag, str)
        for parameter in bound.parameters:
            assert parameter.location in {"path", "query", "header"}
            assert parameter.python_name.isidentifier()
            assert parameter.type in {"string", "boolean", "integer", "array"}
            assert isinstance(parameter.required, bool)
        names = [parameter.python_name for parameter in bound.parameters]
        assert len(set(names)) == len(names)


@every_version
def test_clients_and_operations_can_be_pickled_and_copied(version):
    client = client_of(version)
    operations = specs_operations(version)
    for twin in (pickle.loads(pickle.dumps(client)), copy.copy(client)):
        assert twin.version == version
        assert list(twin._spec.values()) == operations
        assert dir(twin._spec) == dir(client._spec)
        assert set(map(hash, twin._spec.values())) == set(map(hash, operations))


@every_version
def test_operations_of_other_versions_say_when(version):
    client = client_of(version)
    here = set(client._spec) | set(client._spec.names)
    elsewhere = {name for v in VERSIONS for name in client_of(v).operations} - here
    for name in elsewhere:
        known = [v for v in VERSIONS if name in client_of(v).operations]
        later = [v for v in known if VERSIONS.index(v) > VERSIONS.index(version)]
        expected = f"it arrived in {later[0]}" if later else f"its last version is {known[-1]}"
        for spelling in (name, in_snake_case(name)):
            with pytest.raises(UnknownOperation) as caught:
                getattr(client, spelling)
            assert f"API {version} has no operation {spelling!r}" in str(caught.value)
            assert expected in str(caught.value)


def test_operations_compare_by_version_name_and_place():
    one, other = client_of("1.42"), client_of("1.41")
    assert one._spec["ContainerList"] == one.at("1.42")._spec["ContainerList"]
    assert one._spec["ContainerList"] != other._spec["ContainerList"]
    assert one._spec["ContainerList"] != one._spec["ContainerInspect"]
    assert one.ContainerList == one.container_list
    assert one.ContainerList != other.ContainerList
    assert one.ContainerList != one.with_options(timeout=1).ContainerList
    assert len({one.ContainerList, one.container_list, other.ContainerList}) == 2
    assert one.ContainerList != "ContainerList"
