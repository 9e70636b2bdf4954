"""What the docker command sent, recorded at several API versions: the checks refuse none of it.

Keys that are newer than the client's version are faults; then the fault says when they arrived.
``tests/recording/record.py`` makes the cases, in ``tests/cases/recorded``.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import parse_qsl, unquote

import pytest

from dynadock.call.body import check_body
from dynadock.spec.loader import load_spec

FOLDER = Path(__file__).parent / "cases" / "recorded"
FILES = sorted(FOLDER.glob("*.json"))
WITHOUT_OPERATION = re.compile(r"(/session|/grpc)$")
"""Connections of the builder, which carry no JSON."""


def operation_of(case):
    """Return the operation that a recorded request is of, and what stands in its path."""
    spec = load_spec(case["api_version"])
    path = unquote(case["target"].partition("?")[0]).removeprefix(spec.base_path)
    matching = [
        operation
        for operation in spec.values()
        if operation.method == case["method"]
        and re.fullmatch(re.sub(r"\\{.*?\\}", ".+", re.escape(operation.path)), path)
    ]
    # Where more than one does, the one that says most of the path itself is meant.
    return max(matching, key=lambda operation: len(re.sub(r"\{.*?\}", "", operation.path)))


def faults_of(case):
    operation = operation_of(case)
    assert operation.body is not None
    yield from check_body(operation, operation.body, case["body"], "error")


def test_there_are_recordings_of_old_and_new_versions():
    versions = {case["api_version"] for path in FILES for case in json.loads(path.read_text())}
    assert {"1.30", "1.41", "1.42", "1.45", "1.51"} <= versions


def test_the_commands_of_the_main_jobs_are_among_them():
    cases = [case for path in FILES for case in json.loads(path.read_text())]
    recorded = {operation_of(case).operation_id for case in cases}
    assert recorded >= {
        *("ContainerCreate", "ContainerUpdate", "ContainerExec", "ExecStart", "NetworkCreate"),
        *("ServiceCreate", "ServiceUpdate", "SwarmInit", "VolumeCreate", "SecretCreate"),
    }


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_recorded_bodies_are_accepted(path):
    cases = json.loads(path.read_text(encoding="utf-8"))
    assert cases
    refused = [
        f"{case['command']}: {fault}"
        for case in cases
        if not WITHOUT_OPERATION.search(case["target"])
        for fault in faults_of(case)
        if not (fault.kind == "unknown" and "arrived in" in fault.problem)
    ]
    assert not refused


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_recorded_parameters_are_known(path):
    unknown = [
        f"{case['command']}: {name}"
        for case in json.loads(path.read_text(encoding="utf-8"))
        for name in (*_query(case), *case["headers"])
        if name.lower() not in _known(case)
    ]
    assert not unknown


def _query(case):
    return [name for name, _ in parse_qsl(case["target"].partition("?")[2], keep_blank_values=True)]


def _known(case):
    return {"content-type", *(each.name.lower() for each in operation_of(case).parameters)}
