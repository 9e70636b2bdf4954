"""What is offered at a prompt: from documents alone, without a call."""

from __future__ import annotations

import re
import sys
import types
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dynadock
from documents import A_FEW, MAIN, VERSIONS, ZOO
from dynadock import Unsupported, load
from dynadock.prompt import plain
from dynadock.prompt.enabling import enable_completion
from dynadock.prompt.offers import offers
from dynadock.spec.loader import load_version
from dynadock.spec.versions import parse_version
from wire.peer import Peer

CLIENT = load(MAIN, host="unix:///nowhere.sock")
RECORD = dynadock.Record({"Id": "1", "odd-key": 2, "State": dynadock.Record({"Pid": 3})})
NAMES = {
    "client": CLIENT,
    "dynadock": dynadock,
    "load": load,
    "record": RECORD,
    "listed": dynadock.Records([RECORD]),
    "mine": types.SimpleNamespace(client=CLIENT),
    "by_name": {"main": CLIENT},
    "other": {"a": 1},
}


def offered(text, names=NAMES):
    """Return what is offered in the place of the fragment."""
    found = offers(text, names)
    return [] if found is None else [text[: found.start] + word for word in found.words]


OFFERED = [
    ('client.operations["VolumeCr', ["VolumeCreate"]),
    ("client.operations.by_tag['Vol", ["Volume"]),
    ('client.ContainerWait("x", condition="', ["not-running", "next-exit", "removed"]),
    ("client.ContainerWait('x', condition=", ['"not-running"', '"next-exit"', '"removed"']),
    ("client.container_wait('x', condition='re", ["removed"]),
    ('client.SystemDataUsage(type=["im', ["image"]),
    ('client.SystemDataUsage(type="im', ["image"]),
    ('client.ContainerCreate(HostConfig={"MemoryR', ["MemoryReservation"]),
    ('client.ContainerCreate(HostConfig={"memoryr', ["MemoryReservation"]),
    ('client.ContainerCreate(HostConfig={"RestartPolicy": {"Na', ["Name"]),
    ("client.ContainerCreate(HostConfig=dict(RestartPolicy=dict(Name='al", ["always"]),
    ('client.ContainerCreate(HostConfig={"PortBindings": {"80/tcp": [{"HostP', ["HostPort"]),
    ('client.ContainerCreate(body={"HostConfig": {"MemoryR', ["MemoryReservation"]),
    ('client.ContainerCreate(**{"HostC', ["HostConfig"]),
    ("client.ContainerList(al", ["all="]),
    ("client.ContainerList.prepare(al", ["all="]),
    ("client.ContainerList.raw(al", ["all="]),
    ('client.ContainerWait.prepare("x", condition="re', ["removed"]),
    ('client.ContainerWait.raw("x", condition="re', ["removed"]),
    ('client.operations["ContainerList"](al', ["all="]),
    ('client.operations["ContainerList"].pre', ["prepare"]),
    ("mine.client.ContainerList(al", ["all="]),
    ("by_name['main'].ContainerList(al", ["all="]),
    ("client.with_options(timeout=5).ContainerList(al", ["all="]),
    ('client.at("1.41").VolumeIn', ["VolumeInspect"]),
    ('client.at("1.41").VolumeUpd', []),
    ('load("1.41").VolumeIn', ["VolumeInspect"]),
    ('load(source="v1.41", host="unix:///x").VolumeIn', ["VolumeInspect"]),
    ("dynadock.v1_41.VolumeIn", ["VolumeInspect"]),
    ('client.schema("RestartPol', ["RestartPolicy"]),
    ("load(ho", ["host="]),
    ("client.with_options(dea", ["deadline="]),
    ('client.with_options(unknown="', ["error", "warn", "send"]),
    ("load('1.42', timeout='", ["auto"]),
    ("client.ContainerList()[0].Nam", ["Names"]),
    ('client.ContainerList()[0]["Nam', ["Names"]),
    ("client.container_inspect('x').State.OOM", ["OOMKilled"]),
    ("client.ContainerInspect('x').NetworkSettings.Networks['a'].Gate", ["Gateway"]),
    ("client.ContainerInspect('x').NetworkSettings.Networks.bridge.Gate", ["Gateway"]),
    ("client.ContainerList().app", ["append"]),
    ("client.ContainerLogs('x').copy_", ["copy_to"]),
    ("client.ImageGet('x').ext", ["extract"]),
    ("client.SystemPing().casef", ["casefold"]),
    ("record.State.P", ["Pid"]),
    ("listed[0].State.Pi", ["Pid"]),
    ('record["odd-k', ["odd-key"]),
    ("from dynadock import erase_", ["erase_credentials"]),
]


@pytest.mark.parametrize(("text", "words"), OFFERED)
def test_what_is_offered(text, words):
    found = offers(text, NAMES)
    assert [*(found.words if found else ())] == words


PAGE = Path(__file__).parents[2] / "docs" / "prompt.md"
ROWS = re.findall(r"^\| `(.+)` \| (`.+) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize(("typed", "told"), ROWS)
def test_what_the_guide_says(typed, told):
    words = offers(typed, NAMES).words
    shown = re.findall("`([^`]+)`", told)
    assert sorted(words)[: len(shown)] == shown or [*words[: len(shown)]] == shown
    assert (len(words) > len(shown)) == told.endswith("…")


def test_the_guide_says_something():
    assert len(ROWS) > 10


VERSIONS_OF_ALL = ['load("', "load(source='", 'dynadock.load("', 'client.at("', 'load("1.']


@pytest.mark.parametrize("text", VERSIONS_OF_ALL)
def test_versions_are_offered(text):
    assert [*offers(text, NAMES).words] == VERSIONS


@pytest.mark.parametrize(
    "text", ["dynadock.v", "from dynadock import v", "from dynadock import (v"]
)
def test_clients_of_versions_are_offered(text):
    clients = [f"v{each.replace('.', '_')}" for each in VERSIONS]
    assert [*offers(text, NAMES).words] == [*clients, "versions"]


def test_what_is_there_already_is_not_offered_again():
    assert "all=" not in offers("client.ContainerList(all=True, ", NAMES).words
    text = 'client.ContainerCreate(HostConfig={"Memory": 1, "Mem'
    assert "Memory" not in offers(text, NAMES).words


NOT_OURS = ["other['", "other.", "len(", "print('", "nobody.", "nobody.x(", "dynadock.errors."]
NOT_OURS += ["load('1.99').", "load(x).", "load('/etc/passwd').", "client.ContainerList(5)(", "[]."]
NOT_OURS += ["client.ContainerList(limit='", "client.ContainerKill('", "f'{client.", "1 ."]
NOT_OURS += ["client.ContainerList(filters={'", "client.ContainerList()['", "from os import "]
NOT_OURS += ["load('1.42', host='", "load('1.42', nobody='", "load('1.42', '", "load(**{'a': '"]
NOT_OURS += ["client.with_options('", "client.at(source={'", "client.ContainerList.example('"]
NOT_OURS += ["client(", "client.version(", "client.operations(", "client.options.", "dynadock("]
NOT_OURS += ["client.ContainerNo(", "client.find('"]


@pytest.mark.parametrize("text", NOT_OURS)
def test_where_we_know_nothing_others_are_left_to_offer(text):
    assert offers(text, NAMES) is None


class Trap:
    """Runs code where somebody looks at it."""

    looked_at = 0

    def __getattr__(self, name):
        Trap.looked_at += 1
        return CLIENT

    def __getitem__(self, key):
        return self.item

    def __call__(self):
        return self.call

    @property
    def client(self):
        return self.property


@pytest.mark.parametrize(
    "text", ["trap.x.", "trap.client.", "trap['x'].", "trap().", "trap.x(", "trap['"]
)
def test_no_code_of_others_is_run(text):
    assert offers(text, {"trap": Trap()}) is None
    assert Trap.looked_at == 0


PIECES = [
    "client",
    ".",
    "ContainerList",
    "ContainerCreate",
    "SystemInfo",
    "(",
    ")",
    "[",
    "]",
    "0",
    '"',
]
PIECES += [
    "=",
    "{",
    "}",
    ",",
    ":",
    "**",
    "HostConfig",
    "all",
    "load",
    "at",
    "operations",
    "by_tag",
    "'",
]
PIECES += [
    "schema",
    "record",
    "State",
    "listed",
    "dynadock",
    "errors",
    "prepare",
    "__class__",
    "v1_41",
]
PIECES += [
    '"1.41"',
    "with_options",
    "options",
    "endpoint",
    "version",
    "dict",
    "other",
    "-",
    " ",
    "find",
]


@settings(max_examples=200)
@given(st.lists(st.sampled_from(PIECES), max_size=12))
def test_whatever_is_typed_nothing_is_raised(pieces):
    found = offers("client" + "".join(pieces), NAMES)
    assert found is None or found.words


ENDINGS = ["", "'", '"', "(", "[", "{", "}", ".", "=", ":", ",", "**", "dict(", "[0]", "x"]


@pytest.mark.parametrize("text", [text for text, _ in OFFERED])
def test_wherever_the_cursor_stands_nothing_is_raised(text):
    for end in range(len(text)):
        for ending in ENDINGS:
            found = offers(text[:end] + ending, NAMES)
            assert found is None or found.words


def test_nothing_is_sent():
    texts = [
        "client.SystemInfo().",
        "client.ContainerList()[0].",
        "client.ContainerLogs('x').",
        "load().",
    ]
    with Peer() as peer:
        names = {"client": load(MAIN, host=peer.address), "load": load}
        assert [bool(offers(text, names)) for text in texts] == [True, True, True, False]
        assert not peer.requests


def _texts(operation, field):
    """Write a call up to where a field's name belongs, and to where its value does."""
    steps = re.findall(r"\[\]|\{\}|[^.\[\]{}]+", field.path)
    text = f"client.{operation.operation_id}(**"
    for step in steps[:-1]:
        text += {"[]": "[", "{}": '{"any": '}.get(step, f'{{"{step}": ')
    return f'{text}{{"', f'{text}{{"{field.name}": "'


@pytest.mark.parametrize("version", A_FEW)
def test_every_field_of_every_body_is_offered_in_its_place(version):
    spec = load_version(parse_version(version))
    names = {"client": CLIENT.at(version)}
    seen = 0
    for operation in spec.values():
        body = operation.body
        for field in body.fields(depth=4) if body and body.kind == "object" else ():
            if "." in field.name or field.name in operation.by_name:
                continue
            seen += 1
            as_key, as_value = _texts(operation, field)
            assert field.name in offers(as_key, names).words
            choices = [
                each for each in field.schema.get("enum", ()) if isinstance(each, str) and each
            ]
            if choices and field.schema.get("type") == "string":
                assert [*offers(as_value, names).words] == choices
    assert seen > 200


@pytest.mark.parametrize("version", A_FEW)
def test_every_fixed_value_of_a_parameter_is_offered(version):
    names = {"client": CLIENT.at(version)}
    seen = 0
    for operation in load_version(parse_version(version)).values():
        for parameter in operation.parameters:
            choices = parameter.enum or (parameter.items.enum if parameter.items else ())
            known = [each for each in choices if isinstance(each, str) and each]
            if known:
                seen += 1
                text = f"client.{operation.operation_id}({parameter.python_name}='"
                assert [*offers(text, names).words] == known
    assert seen


def test_a_documents_odd_words_are_left_out():
    client = load(ZOO, host="unix:///nowhere.sock")
    for operation_id, operation in client.operations.items():
        for name in offered(f"client.{operation_id}(", {"client": client}):
            assert name.removesuffix("=").rpartition("(")[2].isidentifier(), operation


def test_a_key_that_would_end_the_string_or_move_the_cursor_is_left_out():
    odd = dynadock.Record({'a"b': 1, "a\x1b[2J": 2, "a\\": 3, "a\n": 4, "ab": 5})
    assert offered('odd["a', {"odd": odd}) == ['odd["ab']


# -- Python's own prompt


class Line:
    """A readline with one line in it; cuts it as readline does."""

    __doc__ = "GNU"

    def __init__(self, line, other=None):
        self.line = line
        self.completer = other
        self.bound = []

    def get_line_buffer(self):
        return self.line

    def get_endidx(self):
        return len(self.line)

    def get_begidx(self):
        return max(self.line.rfind(mark) for mark in " \t\n`~!@#$%^&*()-=+[{]}\\|;:'\",<>/?") + 1

    def get_completer(self):
        return self.completer

    def set_completer(self, completer):
        self.completer = completer

    def parse_and_bind(self, text):
        self.bound.append(text)

    def complete(self):
        text = self.line[self.get_begidx() :]
        words = []
        while (word := self.completer(text, len(words))) is not None:
            words.append(word)
        return words


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("client.ContainerCr", ["client.ContainerCreate"]),
        ("x = client.ContainerCr", ["client.ContainerCreate"]),
        ("client.ContainerList()[0].Nam", [".Names"]),
        ("client.ContainerList(al", ["all="]),
        ('client.operations["VolumeCr', ["VolumeCreate"]),
        ('record["odd-k', ["key"]),
        ('load("1.4', [each for each in VERSIONS if each.startswith("1.4")]),
        ("client.ContainerWait('x', condition='next-e", ["exit"]),
        ("nobody", ["from another", "nobody"]),
    ],
)
def test_a_plain_prompt_gets_words_in_the_place_of_what_it_cut(line, words):
    other = ["from another", "nobody", None]
    readline = Line(line, lambda text, state: other[state])
    plain.complete_in(readline, NAMES)
    assert readline.complete() == words
    assert readline.bound == ["tab: complete"]


def test_to_enable_it_twice_asks_nobody_twice():
    readline = Line("nobody", lambda text, state: [text, None][state])
    first = readline.completer
    plain.complete_in(readline, NAMES)
    plain.complete_in(readline, NAMES)
    assert readline.completer.other is first
    assert readline.complete() == ["nobody"]


def test_a_prompt_that_had_no_completer():
    readline = Line("nobody")
    plain.complete_in(readline, NAMES)
    assert readline.complete() == []


def test_an_editline_is_bound_in_its_own_way():
    readline = Line("")
    readline.__doc__ = "Importing this module enables command line editing using libedit readline."
    plain.complete_in(readline, NAMES)
    assert readline.bound == ["bind ^I rl_complete"]


@pytest.fixture
def no_prompt(monkeypatch):
    """Be in a process that has neither IPython nor readline."""
    monkeypatch.setitem(sys.modules, "IPython", None)
    monkeypatch.setitem(sys.modules, "readline", None)
    monkeypatch.setitem(sys.modules, "_pyrepl.readline", None)


@pytest.mark.usefixtures("no_prompt")
def test_without_a_readline_it_says_so():
    with pytest.raises(Unsupported, match="readline"):
        enable_completion()


@pytest.mark.usefixtures("no_prompt")
@pytest.mark.parametrize(
    "names", [{"readline"}, {"_pyrepl.readline"}, {"readline", "_pyrepl.readline"}]
)
def test_each_readline_that_may_read_the_lines_gets_it(names, monkeypatch):
    lines = {name: Line("dynadock_of_the_prompt.ContainerCr") for name in names}
    for name, line in lines.items():
        monkeypatch.setitem(sys.modules, name, line)
    monkeypatch.setattr("__main__.dynadock_of_the_prompt", CLIENT, raising=False)
    enable_completion()
    for line in lines.values():
        assert line.complete() == ["dynadock_of_the_prompt.ContainerCreate"]
