"""``history()``: what arrived and left in which version."""

from __future__ import annotations

import pytest

from documents import SPAN
from dynadock import load

CLIENT = load("1.42", host="unix:///nowhere.sock")


@pytest.mark.parametrize(
    ("operation_id", "lines"),
    [
        ("VolumeUpdate", ["1.42  + operation VolumeUpdate"]),
        ("ContainerWait", ["1.30  + parameter condition"]),
        (
            "ContainerCreate",
            [
                "1.27  + field HostConfig.NanoCPUs",
                "1.28  - field HostConfig.NanoCPUs",
                "1.41  + parameter platform",
                "1.44  + field Healthcheck.StartInterval",
            ],
        ),
    ],
)
def test_changes_print_as_lines(operation_id, lines):
    shown = repr(getattr(CLIENT, operation_id).history()).splitlines()
    assert [line for line in shown if line in lines] == lines


def test_changes_come_oldest_first():
    changes = CLIENT.ContainerCreate.history()
    assert [each.version for each in changes] == sorted(each.version for each in changes)
    first = changes[0]
    assert (str(first.version), first.kind, first.what) == ("1.27", "arrived", "field")
    assert first.name == "HostConfig.NanoCPUs"


def test_what_came_with_its_parent_is_not_named_beside_it():
    names = {each.name for each in CLIENT.ContainerCreate.history()}
    assert "HostConfig.DeviceRequests" in names
    assert not any(name.startswith("HostConfig.DeviceRequests[]") for name in names)


def test_it_is_the_same_from_every_version():
    assert CLIENT.at("1.30").ContainerCreate.history() == CLIENT.ContainerCreate.history()


def test_no_change_is_said():
    assert CLIENT.SystemPing.history() == ()
    assert repr(CLIENT.SystemPing.history()) == f"no change from {SPAN}"
