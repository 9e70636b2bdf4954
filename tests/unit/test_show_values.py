"""Values as people see them: at a prompt, by rich, in notebooks."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from documents import all_operations
from dynadock import Record, Records
from dynadock.show.layout import laid_out
from dynadock.show.table import columns_of
from dynadock.spec.data import bundled_data


def records(values, operation_id):
    return Records([Record(value) for value in values], operation_id)


def plain(value, width=120):
    console = Console(width=width, color_system=None)
    with console.capture() as captured:
        console.print(value)
    return [line.rstrip() for line in captured.get().splitlines()]


# At a prompt


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({}, "{}"),
        ([], "[]"),
        ({"Id": "1", "Warnings": []}, "{'Id': '1', 'Warnings': []}"),
        ([1, None, "a"], "[1, None, 'a']"),
    ],
)
def test_what_is_short_is_written_as_python_does(value, text):
    assert laid_out(value) == text
    assert laid_out(value, "Record") == f"Record({text})"


def test_what_is_long_has_a_line_for_each_member():
    value = {"Id": "a" * 60, "State": {"Status": "running", "Pid": 1}, "Mounts": [{"a": "b" * 90}]}
    assert laid_out(value, "Record").splitlines() == [
        "Record({",
        f"  'Id': '{'a' * 60}',",
        "  'State': {'Status': 'running', 'Pid': 1},",
        "  'Mounts': [",
        "    {",
        f"      'a': '{'b' * 74}…,",
        "    },",
        "  ],",
        "})",
    ]


@pytest.mark.parametrize(
    ("value", "mark"),
    [
        (list(range(1000)), "… 994 more"),
        ({f"key {number}": "x" * 20 for number in range(50)}, "… 10 more"),
        ({"a": {"b": {"c": {"d": {"e": "x" * 99}}}}}, "{… 1}"),
        ("x" * 200, "…"),
    ],
)
def test_what_is_many_deep_or_long_is_cut_and_says_so(value, mark):
    text = laid_out(value)
    assert mark in text
    assert len(text.splitlines()) < 50
    assert all(len(line) <= 101 for line in text.splitlines())


def test_a_cut_repr_changes_nothing_of_the_value():
    record = Record({"Values": list(range(1000))})
    assert "… 994 more" in repr(record)
    assert json.loads(json.dumps(record)) == {"Values": list(range(1000))}
    assert str(Records(range(3), "ContainerList")) == "[0, 1, 2]"


# Tables


NOW = datetime.now(UTC)
LISTS = {
    "ContainerList": (
        [
            {
                "Id": "0123456789abcdef" * 4,
                "Names": ["/web"],
                "Image": "busybox",
                "Command": "sleep 600",
                "Created": int((NOW - timedelta(hours=3)).timestamp()),
                "State": "running",
                "Status": "Up 3 hours",
                "Ports": [
                    {"PrivatePort": 80, "PublicPort": 8080, "IP": "::", "Type": "tcp"},
                    {"PrivatePort": 53, "Type": "udp"},
                ],
            }
        ],
        ["0123456789ab ", "web", "busybox", "sleep 600", "3 hours ago", "[::]:8080->80/tcp"],
    ),
    "ImageList": (
        [{"Id": "sha256:" + "ab" * 32, "RepoTags": ["a:1", "a:2"], "Size": 4_261_000}],
        ["abababababab", "a:1", "a:2", "4.26 MB"],
    ),
    "NetworkList": (
        [{"Id": "ab" * 32, "Name": "bridge", "Driver": "bridge", "Scope": "local"}],
        ["abababababab", "bridge", "local"],
    ),
    "VolumeList": (
        [{"Name": "data", "Driver": "local", "CreatedAt": (NOW - timedelta(days=1)).isoformat()}],
        ["data", "local", "1 day ago"],
    ),
    "ServiceList": (
        [{"ID": "abcdefghijklmnopqrstuvwxy", "Spec": {"Name": "web", "Mode": {"Global": {}}}}],
        ["abcdefghijkl", "web"],
    ),
}


@pytest.mark.parametrize("operation_id", LISTS)
def test_lists_are_tables(operation_id):
    values, shown = LISTS[operation_id]
    listed = records(values, operation_id)
    text = "\n".join(plain(listed, 150))
    html = listed._repr_mimebundle_()["text/html"]
    for title, *_ in columns_of(operation_id):
        assert title in text.splitlines()[0]
        assert f"<th>{title}</th>" in html
    for part in shown:
        assert part in text
    assert html.count("<tr>") == 1 + len(values)


@pytest.mark.parametrize("inner", [[], Record()], ids=["lists", "records"])
def test_what_is_nested_without_end_can_be_shown(inner):
    value = inner
    for _ in range(100_000):
        value = [value] if isinstance(inner, list) else Record(a=value)
    for shown in (Record(a=value), Records([value])):
        assert len(repr(shown)) < 1000
        assert len(shown._repr_mimebundle_()["text/html"]) < 10_000
        console = Console(width=80, file=io.StringIO())
        console.print(shown)
        assert len(console.file.getvalue()) < 20_000


def test_lists_without_columns_are_trees():
    listed = records([{"Name": "a"}], "NoSuchList")
    assert plain(listed) == ["NoSuchList", "└── [0]", "    └── Name  'a'"]
    assert "<details open>" in listed._repr_mimebundle_()["text/html"]


def test_a_table_stands_odd_values():
    odd = [
        {},
        {"Names": None, "Created": "yesterday", "Ports": "all"},
        {"Created": 1e30, "Id": 7, "Names": "x", "Ports": [None]},
        {"Command": "\x1b[2Jclear\a", "Image": "sha256:" + "ab" * 32},
    ]
    text = "\n".join(plain(records(odd, "ContainerList")))
    assert "yesterday" in text
    assert " abababababab " in text
    assert "\x1b" not in text
    assert "\\x1b[2Jclear" in text
    listed = records([{"Names": ["/<b>&"]}], "ContainerList")
    assert "&lt;b&gt;&amp;" in listed._repr_mimebundle_()["text/html"]


ODD = [True, 7, -1.5, 2**5000, float("inf"), "x", [], [[None]], ["x"], {}, {"a": [1]}, {"IP": 5}]


@pytest.mark.parametrize("operation_id", sorted(bundled_data("tables.yaml")))
def test_any_table_stands_any_value(operation_id):
    names = {path.partition(".")[0] for each in columns_of(operation_id) for path in each.fields}
    rows = [dict.fromkeys(names, value) for value in (*ODD, [{"IP": 5, "PublicPort": []}])]
    for table in (records(rows, operation_id), Records(ODD, operation_id)):
        plain(table)
        assert table._repr_mimebundle_()["text/html"]


def test_columns_are_of_what_operations_list():
    for operation_id in bundled_data("tables.yaml"):
        assert operation_id in all_operations()
        assert columns_of(operation_id)


# Trees


RECORD = Record({"Id": "a", "State": Record({"Pid": 3}), "Many": list(range(99)), "None": {}})


def test_a_record_is_a_tree():
    lines = plain(RECORD)
    assert lines[:5] == ["Record", "├── Id  'a'", "├── State", "│   └── Pid  3", "├── Many"]
    assert lines[-1] == "└── None  {}"
    assert any("87 more" in line for line in lines)


def test_a_record_in_a_notebook_unfolds():
    bundle = Record({"<i>": {"Pid": "<b>"}})._repr_mimebundle_()
    assert bundle["text/plain"] == "Record({'<i>': {'Pid': '<b>'}})"
    assert "<summary>&lt;i&gt;</summary>" in bundle["text/html"]
    assert "&lt;b&gt;" in bundle["text/html"]
    assert "<i>" not in bundle["text/html"]


def test_markup_in_values_is_text():
    assert "[red]x[/red]" in "\n".join(plain(Record({"[bold]": "[red]x[/red]"})))


def test_all_but_rich_works_without_rich():
    code = """
import sys
sys.modules["rich"] = None
from dynadock import Record, Records, load
client = load("1.42", host="unix:///nowhere.sock")
listed = Records([Record({"Id": "1"})], "ContainerList")
print(listed, listed._repr_mimebundle_().keys(), listed[0]._repr_mimebundle_().keys())
print(client, client.find("prune"), client.ContainerKill.describe(), client.ContainerKill.example())
try:
    listed.__rich__()
except ImportError as error:
    print("ImportError")
"""
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True
    )
    assert ran.stdout.startswith("[{'Id': '1'}] dict_keys(['text/plain', 'text/html'])")
    assert ran.stdout.endswith("ImportError\n")
    assert ran.stderr == ""
