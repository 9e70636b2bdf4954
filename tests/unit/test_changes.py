"""``history()``: what arrived, left and changed in which version."""

from __future__ import annotations

import pytest

from documents import NEWEST, OLDEST, SPAN, operations_of
from dynadock import SpecError, diff, history, load

CLIENT = load("1.42", host="unix:///nowhere.sock")


@pytest.mark.parametrize(
    ("operation_id", "lines"),
    [
        ("VolumeUpdate", ["1.42  + operation VolumeUpdate"]),
        ("ContainerWait", ["1.30  + parameter condition"]),
        (
            "ContainerCreate",
            [
                "1.40  + field HostConfig.Capabilities",
                "1.41  + parameter platform",
                "1.41  - field HostConfig.Capabilities",
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
    assert (str(first.version), first.kind, first.what) == ("1.28", "arrived", "field")
    assert first.name == "HostConfig.DeviceCgroupRules"


def test_what_came_with_its_parent_is_not_named_beside_it():
    names = {each.name for each in CLIENT.ContainerCreate.history()}
    assert "HostConfig.DeviceRequests" in names
    assert not any(name.startswith("HostConfig.DeviceRequests[]") for name in names)


def test_it_is_the_same_from_every_version():
    assert CLIENT.at("1.30").ContainerCreate.history() == CLIENT.ContainerCreate.history()


def test_no_change_is_said():
    assert CLIENT.ContainerExport.history() == ()
    assert repr(CLIENT.ContainerExport.history()) == f"no change from {SPAN}"
    assert repr(CLIENT.ContainerWait.history("1.42", "1.43")) == "no change from 1.42 to 1.43"
    assert repr(CLIENT.ContainerExport.history(last="1.42")) == f"no change from {OLDEST} to 1.42"


def row(change):
    return (str(change.version), change.kind, change.what, change.name, change.words)


@pytest.mark.parametrize(
    ("operation_id", "expected"),
    [
        (
            "SystemPing",
            ("1.40", "arrived", "reply header", "Cache-Control", "a new header, string"),
        ),
        ("ContainerWait", ("1.34", "arrived", "reply field", "Error", "a new field, object")),
        ("ContainerWait", ("1.30", "arrived", "status", "400", "a further status of failure, 400")),
        (
            "ImageInspect",
            ("1.44", "left", "reply field", "VirtualSize", "the field is gone; it was integer"),
        ),
        ("ImageInspect", ("1.44", "changed", "reply field", "Created", "may be null")),
        (
            "ContainerList",
            ("1.42", "changed", "reply field", "[].Mounts[].Type", 'may be "cluster"'),
        ),
        (
            "ImageGet",
            ("1.52", "changed", "parameter", "platform", "list of string, which was string"),
        ),
        (
            "ContainerAttach",
            (
                "1.42",
                "changed",
                "reply",
                "",
                "may also be application/vnd.docker.multiplexed-stream",
            ),
        ),
        ("ContainerLogs", ("1.40", "left", "status", "101", "status 101 is gone")),
    ],
    ids=str,
)
def test_replies_types_and_values_are_changes_too(operation_id, expected):
    assert expected in [row(change) for change in getattr(CLIENT, operation_id).history()]


@pytest.mark.parametrize("version", ["1.25", "1.42"])
def test_a_renamed_operation_has_its_history_under_both_names(version):
    changes = CLIENT.at(version).ContainerArchive.history()
    assert [row(each) for each in changes] == [
        (
            *("1.28", "renamed", "operation", "ContainerArchive"),
            "called ContainerArchive, which was ContainerGetArchive",
        )
    ]
    assert changes == history("ContainerGetArchive") == history("ContainerArchive")


def test_a_range_leaves_out_its_first_version():
    found = CLIENT.ImageInspect.history("1.43", "1.44")
    assert found
    assert {str(each.version) for each in found} == {"1.44"}
    whole = [*CLIENT.ImageInspect.history(last="1.43"), *CLIENT.ImageInspect.history("1.43")]
    assert whole == [*CLIENT.ImageInspect.history()]


def test_a_range_in_the_wrong_order_is_refused():
    with pytest.raises(
        SpecError, match=r"1\.42 is newer than 1\.40; the older version comes first"
    ):
        CLIENT.ImageInspect.history("1.42", "1.40")
    with pytest.raises(SpecError, match="not an API version"):
        CLIENT.ImageInspect.history("newest")


def test_each_change_has_the_words_that_there_are():
    shown = repr(CLIENT.ContainerStats.history("1.40", "1.41"))
    assert shown.startswith(
        "1.41  + parameter one-shot\n        With stream=false, answers at once"
    )


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("HostConfig.CgroupnsMode", ["1.41  + field HostConfig.CgroupnsMode"]),
        ("HostConfig.KernelMemory", ["1.42  - field Resources.KernelMemory"]),
        (
            "Mount.Type",
            [
                '1.42  ~ field MountType: may be "cluster"',
                '1.48  ~ field MountType: may be "image"',
            ],
        ),
        (
            "HostConfig.Mounts[].BindOptions.NonRecursive",
            ["1.40  + field Mount.BindOptions.NonRecursive"],
        ),
        ("ServiceSpec.Mode.GlobalJob", ["1.41  + field ServiceSpec.Mode.GlobalJob"]),
        ("MountType", ['1.42  ~ field MountType: may be "cluster"']),
        ("HostConfig.Privileged", [f"no change from {SPAN}"]),
    ],
)
def test_histories_of_definitions_and_fields(name, lines):
    shown = repr(history(name)).splitlines()
    assert [line for line in shown if line in lines] == lines


def test_a_definitions_history_has_what_is_inside_it():
    names = {each.name for each in history("HostConfig")}
    assert {
        "HostConfig.CgroupnsMode",
        "Resources.KernelMemory",
        "Mount.BindOptions.NonRecursive",
    } <= names


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("HostConfg", "did you mean HostConfig?"),
        ("HostConfig.Nonsense", "'HostConfig.Nonsense'"),
        ("container_lst", "'container_lst'; did you mean"),
    ],
)
def test_a_name_that_no_version_knows_is_refused(name, words):
    with pytest.raises(SpecError) as refused:
        history(name)
    assert "no version has an operation, a definition or a field" in str(refused.value)
    assert words in str(refused.value)


def test_no_change_is_said_only_where_nothing_differs():
    """A history tells what differs from the oldest to the newest version, in words of its own."""
    whole = diff(OLDEST, NEWEST)
    silent = [name for name in operations_of(NEWEST) if not history(name)]
    assert silent
    assert not [name for name in silent if len(whole.of(name))]
