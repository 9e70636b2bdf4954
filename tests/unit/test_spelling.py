"""Keys in other letters, which engines obey: one misspelling is one fault, with a way out."""

from __future__ import annotations

import json
import warnings
from datetime import timedelta

import pytest

from documents import ZOO
from dynadock import Options, UnknownFieldWarning, ValidationError
from dynadock.call.bind import bind
from dynadock.call.encode import encode
from dynadock.call.kinds import expected_kind
from dynadock.call.registries import wanted_registry
from dynadock.spec.loader import load_spec
from secret_values import MARK, SECRET

WAY_OUT = "with_options(unknown='send')"

CONFIG = {"Name": "c", "Data": "YQ=="}
ANIMAL = {"X_Keeper": "ann", "Name": "Bo"}

# The call; the fault's place and the name that it gives; what is sent in the end.
IN_OTHER_LETTERS = {
    "a required field": (
        ("1.42", "ConfigCreate", {**CONFIG, "Templating": {"name": "golang"}}),
        ("Templating.name", "Name"),
    ),
    "one at the top, as an argument": (
        ("1.42", "SystemAuth", {"Username": "me"}),
        ("Username", "username"),
    ),
    "one at the top of a body": (
        ("zoo", "AnimalCreate", {"X_Keeper": "ann", "body": {"name": "Bo"}}),
        ("name", "Name"),
    ),
    "a required one as an argument": (
        ("zoo", "AnimalCreate", {"X_Keeper": "ann", "name": "Bo"}),
        ("name", "Name"),
    ),
    "one in a recursion": (
        ("zoo", "AnimalCreate", {**ANIMAL, "Mother": {"Name": "Jo", "Mother": {"NAME": "Mo"}}}),
        ("Mother.Mother.NAME", "Name"),
    ),
    "one in a list": (
        ("zoo", "AnimalCreate", {**ANIMAL, "Children": [{"Name": "a"}, {"name": "b"}]}),
        ("Children[1].name", "Name"),
    ),
    "one in a map": (
        ("zoo", "AnimalCreate", {**ANIMAL, "Friends": {"x.y": {"nAME": "b"}}}),
        ("Friends.x.y.nAME", "Name"),
    ),
    "one below another": (
        ("1.42", "ContainerCreate", {"hostconfig": {"memory": 5}}),
        ("hostconfig", "HostConfig"),
    ),
}


def operation(version, name):
    return load_spec(ZOO if version == "zoo" else version)[name]


def sent(version, name, fields, **options):
    chosen = Options(**options)
    request = encode(bind(operation(version, name), (), fields, chosen), chosen)
    return json.loads(request.body)


def faults_of(version, name, fields, **options):
    with pytest.raises(ValidationError) as caught:
        sent(version, name, fields, **options)
    return caught.value.faults, str(caught.value)


def without_parameters(fields):
    return fields.get("body") or {k: v for k, v in fields.items() if k != "X_Keeper"}


@pytest.mark.parametrize(("call", "meant"), IN_OTHER_LETTERS.values(), ids=IN_OTHER_LETTERS)
def test_one_misspelling_is_one_fault_and_the_way_out_works(call, meant):
    place, name = meant
    faults, message = faults_of(*call)
    assert place in [fault.place for fault in faults]
    assert not [fault for fault in faults if fault.kind == "missing"]
    assert f"did you mean {name!r}" in message
    assert WAY_OUT in message
    assert sent(*call, unknown="send") == without_parameters(call[2])


@pytest.mark.parametrize(("call", "meant"), IN_OTHER_LETTERS.values(), ids=IN_OTHER_LETTERS)
def test_it_is_warned_of_where_that_is_wanted(call, meant):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UnknownFieldWarning)
        assert sent(*call, unknown="warn") == without_parameters(call[2])
    assert f"did you mean {meant[1]!r}" in str(caught[0].message)


def test_one_misspelling_is_one_fault():
    for call, _ in IN_OTHER_LETTERS.values():
        count = 2 if "hostconfig" in call[2] else 1
        assert len(faults_of(*call)[0]) <= count


@pytest.mark.parametrize("unknown", ["error", "send"])
def test_its_value_is_checked_as_that_fields(unknown):
    fields = {"HostConfig": {"memory": "much"}}
    faults, _ = faults_of("1.42", "ContainerCreate", fields, unknown=unknown)
    problems = [fault.problem for fault in faults if fault.place == "HostConfig.memory"]
    assert "expected integer, got 'much'" in problems


def test_what_is_below_is_told_in_the_callers_spelling():
    body = {"hostconfig": {"portbindings": {"80/tcp": [None]}}}
    faults, _ = faults_of("1.42", "ContainerCreate", {"body": body}, unknown="send")
    assert [fault.place for fault in faults] == ["hostconfig.portbindings.80/tcp[0]"]


def test_a_value_is_written_as_that_fields():
    fields = {"body": {"name": "s", "data": b"\xff\xfe"}}
    assert sent("1.42", "SecretCreate", fields, unknown="send") == {"name": "s", "data": "//4="}
    check = {"healthcheck": {"interval": timedelta(seconds=1)}}
    assert sent("1.42", "ContainerCreate", check, unknown="send") == {
        "healthcheck": {"interval": 10**9}
    }


def test_a_secret_is_one_in_any_letters():
    for wrong in ([SECRET + "\ud800"], {"A": SECRET}, SECRET):
        for unknown in ("error", "send"):
            _, message = faults_of("1.42", "ContainerCreate", {"env": wrong}, unknown=unknown)
            assert MARK not in message


def test_what_a_reply_is_and_what_credentials_it_wants_go_by_any_letters():
    lenient = Options(unknown="send")
    started = bind(operation("1.42", "ExecStart"), ("e",), {"detach": True}, lenient)
    assert expected_kind(started) == "value"
    task = {"tasktemplate": {"CONTAINERSPEC": {"image": "box:5000/a"}}}
    made = bind(operation("1.42", "ServiceCreate"), (), {"body": task}, lenient)
    (parameter,) = made.operation.credentials
    assert wanted_registry(made, parameter.credentials) == "box:5000"


def test_keys_of_maps_are_anyones():
    labels = {"a": "1", "A": "2"}
    assert sent("1.42", "ContainerCreate", {"Labels": labels}) == {"Labels": labels}


def test_both_spellings_at_once_are_not_merged():
    fields = {"body": {"Image": "a", "image": "b"}}
    faults, _ = faults_of("1.42", "ContainerCreate", fields)
    assert [(fault.place, fault.kind) for fault in faults] == [("image", "unknown")]
    assert sent("1.42", "ContainerCreate", fields, unknown="send") == fields["body"]


# A near name of what is required is not sent all the same, since the engine would not know it.
NEARLY = {
    "a field": (("1.42", "ConfigCreate", {**CONFIG, "Templating": {"Nmae": "golang"}}), "Name"),
    "a field of the topmost": (("zoo", "AnimalCreate", {"X_Keeper": "a", "Nmae": "Bo"}), "Name"),
    "a body's": (("zoo", "AnimalCreate", {"X_Keeper": "a", "body": {"Nmae": "Bo"}}), "Name"),
    "a query's": (("1.42", "ImageSearch", {"trem": "a"}), "term"),
    "a query's in other letters": (("1.42", "ImageSearch", {"Term": "a"}), "term"),
    "a path's": (("1.42", "ContainerStart", {"Id": "a"}), "id"),
}


@pytest.mark.parametrize(("call", "name"), NEARLY.values(), ids=NEARLY)
def test_a_near_name_of_what_is_required_is_one_fault_too(call, name):
    faults, message = faults_of(*call)
    (fault,) = faults
    assert fault.problem.endswith(f"did you mean {name!r}, which is required?")
    assert WAY_OUT not in message
    (missing,) = faults_of(*call, unknown="send")[0]
    assert "missing" in missing.problem


def test_what_is_missing_is_missing_beside_what_is_unknown():
    faults, _ = faults_of("1.42", "ConfigCreate", {"Templating": {"Strange": 1}, "Name": "c"})
    assert {(fault.place, fault.kind) for fault in faults} == {
        ("Templating.Strange", "unknown"),
        ("Templating.Name", "missing"),
    }
    faults, _ = faults_of("1.42", "ImageSearch", {"limits": 1})
    assert [fault.kind for fault in faults] == ["unknown", "missing"]
