"""What the messages about a wrong form say: how the value is written, in the words of the call."""

from __future__ import annotations

import re
import warnings

import pytest

from documents import A_FEW, all_operations
from dynadock import BodyError, DoubtfulArgumentWarning, Options
from dynadock.call.bind import bind
from dynadock.spec.loader import load_spec
from secret_values import MARK, SECRET

CREATE = "ContainerCreate"
LIST = "; for example [{'HostIp': '127.0.0.1', 'HostPort': '8080'}]"

# Operation, fields, the fault's place and the end of its problem.
FORMS = {
    # lists of text
    "labels as a list": (CREATE, {"Labels": ["a=b", "c=d=e"]}, "; write {'a': 'b', 'c': 'd=e'}"),
    "labels as a text": (CREATE, {"Labels": "a=b"}, "; write {'a': 'b'}"),
    "a label as a number": (CREATE, {"Labels": {"a": 1}}, "; write '1'"),
    "labels without values": (CREATE, {"Labels": ["a"]}, "; for example {'tier': 'web'}"),
    "an environment as a map": (CREATE, {"Env": {"A": "1"}}, "; for example ['MODE=test']"),
    "hosts as a map": (
        CREATE,
        {"HostConfig": {"ExtraHosts": {"db": "192.0.2.2"}}},
        "; write ['db:192.0.2.2']",
    ),
    "binds as a map": (CREATE, {"HostConfig": {"Binds": {"/a": "/b"}}}, "; write ['/a:/b']"),
    "servers as a text": (CREATE, {"HostConfig": {"Dns": "8.8.8.8"}}, "; write ['8.8.8.8']"),
    "options as a list": (
        "NetworkCreate",
        {"Name": "n", "Options": ["a=b"]},
        "; write {'a': 'b'}",
    ),
    "sysctls as numbers": (CREATE, {"HostConfig": {"Sysctls": {"a": 1}}}, "; write '1'"),
    # commands
    "a command as a text": ("ContainerExec", {"Cmd": "ls -l 'a b'"}, "; write ['ls', '-l', 'a b']"),
    "an open quote": ("ContainerExec", {"Cmd": "ls 'a"}, "; for example ['sleep', '600']"),
    "a service's command": (
        "ServiceCreate",
        {"TaskTemplate": {"ContainerSpec": {"Command": "sleep 6"}}},
        "; write ['sleep', '6']",
    ),
    "a check as a text": (
        CREATE,
        {"Healthcheck": {"Test": "curl x"}},
        "; write ['curl x']",
    ),
    # ports
    "ports as a list": (
        CREATE,
        {"ExposedPorts": ["80/tcp", "53/udp"]},
        "; write {'80/tcp': {}, '53/udp': {}}",
    ),
    "a port as a text": (CREATE, {"ExposedPorts": "80/tcp"}, "; write {'80/tcp': {}}"),
    "a port as a number": (CREATE, {"ExposedPorts": 80}, "; for example {'80/tcp': {}}"),
    "a port's value": (CREATE, {"ExposedPorts": {"80/tcp": 80}}, "; for example {}"),
    "a folder": (CREATE, {"Volumes": "/data"}, "; write {'/data': {}}"),
    "a binding as a number": (CREATE, {"HostConfig": {"PortBindings": {"80/tcp": 8080}}}, LIST),
    "a binding as a text": (CREATE, {"HostConfig": {"PortBindings": {"80": "8080"}}}, LIST),
    "a binding alone": (
        CREATE,
        {"HostConfig": {"PortBindings": {"80/tcp": {"HostPort": 80}}}},
        "; write [{'HostPort': '80'}]",
    ),
    "a port in a binding": (
        CREATE,
        {"HostConfig": {"PortBindings": {"80/tcp": [{"HostPort": 80}]}}},
        "; write '80'",
    ),
    "bindings as a list": (
        CREATE,
        {"HostConfig": {"PortBindings": ["80:8080"]}},
        "; for example {'80/tcp': [{'HostIp': '127.0.0.1', 'HostPort': '8080'}]}",
    ),
    # single values
    "a number as a text": (CREATE, {"HostConfig": {"Memory": "67108864"}}, "; write 67108864"),
    "a size": (CREATE, {"HostConfig": {"Memory": "64m"}}, "expected integer, got '64m'"),
    "a flag as a text": (CREATE, {"Tty": "true"}, "; write True"),
    "a flag as a number": (CREATE, {"HostConfig": {"Init": 0}}, "; write False"),
    "a policy as a text": (
        CREATE,
        {"HostConfig": {"RestartPolicy": "always"}},
        "; for example {'Name': 'no', 'MaximumRetryCount': 1}",
    ),
    "limits as one": (
        CREATE,
        {"HostConfig": {"Ulimits": {"Name": "nofile", "Soft": "5", "Hard": 6}}},
        "; write [{'Name': 'nofile', 'Soft': 5, 'Hard': 6}]",
    ),
    "a body that is a map": ("PluginSet", {"body": {"A": "1"}}, "; for example ['text']"),
}


def faults_of(operation, fields, version="1.42"):
    options = Options()
    args = tuple("x" for _ in load_spec(version)[operation].positional)
    with pytest.raises(BodyError) as caught:
        bind(load_spec(version)[operation], args, fields, options)
    return caught.value.faults


@pytest.mark.parametrize(("operation", "fields", "end"), FORMS.values(), ids=FORMS)
def test_the_right_form_is_shown(operation, fields, end):
    (fault,) = faults_of(operation, fields)
    assert fault.problem.endswith(end)


@pytest.mark.parametrize("version", A_FEW)
@pytest.mark.parametrize(
    "value", [5, "a b", [5], {"A": 5}, True, 1.5, [[]], [{}], {"A": []}], ids=str
)
def test_any_wrong_value_of_any_field_has_a_message(version, value):
    """And what it says is written would be right."""
    operations = load_spec(version)
    for name in sorted(all_operations().intersection(operations)):
        body = operations[name].body
        if body is None or body.kind != "object":
            continue
        args = tuple("x" for _ in operations[name].positional)
        for field in body.properties:
            with warnings.catch_warnings(action="ignore", category=DoubtfulArgumentWarning):
                problem = _problem_of(operations[name], args, {field: value}, field)
                meant = re.search(r"; (?:write|for example) (.+)$", problem)
                if meant and "…" not in meant[1]:
                    again = {field: eval(meant[1])}
                    assert not _problem_of(operations[name], args, again, field)


def _problem_of(operation, args, fields, place):
    try:
        bind(operation, args, fields, Options())
    except ValueError as error:
        return next((each.problem for each in error.faults if each.place == place), "")
    return ""


@pytest.mark.parametrize(
    "fields",
    [
        {"Env": {"PASSWORD": SECRET}},
        {"Env": f"A={SECRET}"},
        {"Env": [[SECRET]]},
        {"HostConfig": {"LogConfig": {"Config": [f"a={SECRET}"]}}},
        {"HostConfig": {"Mounts": {"VolumeOptions": {"DriverConfig": {"Options": {"o": SECRET}}}}}},
    ],
    ids=str,
)
def test_the_right_form_of_a_secret_shows_none_of_it(fields):
    assert MARK not in str(faults_of(CREATE, fields))


LEGAL = {
    "a command as a text": (
        {"Cmd": "sleep 6"},
        r"Cmd: .* 'sleep 6' for one word; write \['sleep', '6'\] for .*, or \['sleep 6'\] if",
    ),
    "a program as a text": (
        {"Entrypoint": "sh -c"},
        "Entrypoint: engines take the text 'sh -c' for one word",
    ),
    "an open quote": ({"Cmd": "echo it's"}, r"write \[.echo it's.\] if you mean that"),
    "a port that is not exposed": (
        {"HostConfig": {"PortBindings": {"80/tcp": [{"HostPort": "1"}]}}},
        "HostConfig.PortBindings: Docker publishes only .* write ExposedPorts={'80/tcp': {}}",
    ),
    "a port that is exposed otherwise": (
        {
            "ExposedPorts": {"80/tcp": {}},
            "HostConfig": {"PortBindings": {"80": [{"HostPort": "1"}]}},
        },
        r"write ExposedPorts={'80/tcp': {}, '80': {}}",
    ),
}


@pytest.mark.parametrize("version", [*A_FEW, "1.36"])
@pytest.mark.parametrize(("fields", "words"), LEGAL.values(), ids=LEGAL)
def test_what_is_legal_and_surely_a_mistake_is_warned_of(version, fields, words):
    with pytest.warns(DoubtfulArgumentWarning, match=words) as caught:
        bind(load_spec(version)[CREATE], (), fields, Options())
    assert caught[0].filename == __file__


@pytest.mark.parametrize(
    "fields",
    [
        {"Cmd": "true"},
        {"Cmd": ["sleep 6"]},
        {"Cmd": ""},
        {"Entrypoint": ["sh", "-c"]},
        {"ExposedPorts": {"80/tcp": {}}},
        {
            "ExposedPorts": {"80/tcp": None, "81/tcp": {}},
            "HostConfig": {"PortBindings": {"80/tcp": [{"HostPort": "1"}]}},
        },
        {"HostConfig": {"PortBindings": {"80/tcp": None, "81/tcp": []}}},
        {"HostConfig": {"PortBindings": {}}},
        {"HostConfig": {}},
    ],
    ids=str,
)
def test_what_is_right_is_not_warned_of(fields):
    bind(load_spec("1.42")[CREATE], (), fields, Options())


def test_what_is_wrong_is_not_warned_of_beside():
    fields = {"Cmd": "sleep 6", "Tty": []}
    (fault,) = faults_of(CREATE, fields)
    assert fault.place == "Tty"
    bind(load_spec("1.42")[CREATE], (), fields, Options(validate=False))
