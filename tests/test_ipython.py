"""Tab completion and ``?`` in a real IPython, with its settings as they come."""

from __future__ import annotations

import re
import sys

import pytest
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

import dynadock
from documents import VERSIONS

VERSIONS_AS_NAMES = {f"v{version.replace('.', '_')}" for version in VERSIONS}
COLOUR = re.compile("\x1b\\[[0-9;]*m")


@pytest.fixture(scope="module")
def shell(tmp_path_factory):
    """Return an IPython with a client, a record and operations in its names."""
    config = Config()
    config.HistoryManager.enabled = False
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IPYTHONDIR", str(tmp_path_factory.mktemp("ipython")))
        # A shell puts its own in this place.
        patch.setitem(sys.modules, "__main__", sys.modules["__main__"])
        shell = InteractiveShell(config=config)
    shell.push(
        {
            "dynadock": dynadock,
            "load": dynadock.load,
            "client": dynadock.load("1.42", host="unix:///nowhere.sock"),
            "record": dynadock.Record({"Id": "1", "odd-key": 2, "State": {"Pid": 3}}),
        }
    )
    shell.run_cell("operations = client.operations; groups = operations.by_tag")
    return shell


@pytest.fixture(scope="module")
def extended(shell):
    """Return the same IPython after ``%load_ext dynadock``."""
    shell.run_line_magic("load_ext", "dynadock")
    yield shell
    shell.run_line_magic("unload_ext", "dynadock")


def offered(shell, text):
    with provisionalcompleter():
        return {each.text for each in shell.Completer.completions(text, len(text))}


@pytest.mark.parametrize(
    ("text", "some"),
    [
        ("client.ContainerCr", {"ContainerCreate"}),
        ("client.container_", {"container_create", "container_list"}),
        ("client.", {"ContainerList", "container_list", "find", "schema", "with_options"}),
        # options
        ("client.with_options(", set(map("{}=".format, dynadock.Options().as_dict()))),
        ("client.with_options(dea", {"deadline="}),
        ("load('1.42', val", {"validate="}),
        ("load(ho", {"host="}),
        # an operation's parameters and body fields
        ("client.ContainerList(", {"all=", "limit=", "size=", "filters="}),
        ("client.ContainerList(all=True, fil", {"filters="}),
        ("client.ContainerInspect(", {"id=", "size="}),
        ("client.ContainerCreate(Ho", {"Hostname=", "HostConfig="}),
        ("client.ContainerCreate(name='web', HostC", {"HostConfig="}),
        ("client.container_create(name='web', HostC", {"HostConfig="}),
        ("client.ImagePush('hello', X_", {"X_Registry_Auth="}),
        ("client.ContainerList.prepare(al", {"all="}),
        ("client.ContainerWait.raw('x', con", {"condition="}),
        ("client.ContainerCreate.prepare(HostC", {"HostConfig="}),
        # what an operation can do beside being called
        ("client.ContainerCreate.", {"describe", "example", "history", "prepare", "raw"}),
        ("client.ContainerCreate.example(", {"full="}),
        # mappings
        ("operations['Vol", {"VolumeCreate", "VolumeList"}),
        ("groups['Net", {"Network"}),
        # records
        ("record['", {"Id", "odd-key", "State"}),
        ("record[", {"'Id'", "'odd-key'", "'State'"}),
        ("record.St", {"State"}),
        ("dynadock.Un", {"Unsupported", "UnknownOperation"}),
        # versions
        ("dynadock.v1_", VERSIONS_AS_NAMES),
        ("from dynadock import v1_", VERSIONS_AS_NAMES),
    ],
)
def test_completion(shell, text, some):
    assert some <= offered(shell, text)


@pytest.mark.parametrize(
    ("text", "all_of"),
    [
        ("client.operations['VolumeC", {"VolumeCreate"}),
        ('client.operations.by_tag["Vol', {"Volume"}),
        ('load("1.', {*VERSIONS}),
        ("client.at('", {*VERSIONS}),
        ('client.ContainerWait("x", condition="', {"not-running", "next-exit", "removed"}),
        ('client.ContainerWait(\n    "x",\n    condition="re', {"removed"}),
        ('%time client.ContainerWait("x", condition="re', {"removed"}),
        ('client.ContainerCreate(HostConfig={"MemoryR', {"MemoryReservation"}),
        ('client.ContainerCreate(HostConfig={"Memory": 1, "RestartPolicy": {"N', {"Name"}),
        ("client.ContainerList()[0].Nam", {"Names"}),
        ("client.ContainerInspect('x').State.OOM", {"OOMKilled"}),
        ("client.ContainerCr", {"ContainerCreate"}),
    ],
)
def test_with_the_extension_nothing_else_is_offered(extended, text, all_of):
    assert offered(extended, text) == all_of


def test_with_the_extension_a_value_may_stand_for_an_argument(extended):
    assert {"all=", "operations"} <= offered(extended, "client.ContainerList(")


def test_with_the_extension_other_peoples_names_are_completed_as_before(extended):
    extended.push({"other": {"key": 1}})
    assert offered(extended, "other['k") == {"key"}
    assert "keys" in offered(extended, "other.k")


def test_the_extension_is_there_once_and_goes(extended):
    matchers = extended.Completer.custom_matchers
    extended.run_line_magic("reload_ext", "dynadock")
    assert len(matchers) == 1
    extended.push({"enable_completion": dynadock.enable_completion})
    extended.run_line_magic("unload_ext", "dynadock")
    assert not matchers
    extended.run_line_magic("load_ext", "dynadock")
    assert len(matchers) == 1


def test_one_call_enables_it_where_an_ipython_runs(shell, monkeypatch):
    monkeypatch.setattr("IPython.get_ipython", lambda: shell)
    before = [*shell.Completer.custom_matchers]
    dynadock.enable_completion()
    assert len(shell.Completer.custom_matchers) == 1
    shell.Completer.custom_matchers[:] = before


@pytest.mark.parametrize(
    ("text", "none_of"),
    [
        ("record.", {"odd-key"}),
        ("client.at('1.41').Vol", {"VolumeUpdate"}),
        ("dynadock.", {"Any", "annotations", "import_module"}),
    ],
)
def test_completion_offers_nothing_that_is_no_name(shell, text, none_of):
    assert offered(shell, text).isdisjoint(none_of)


@pytest.mark.parametrize("name", ["client.ContainerKill", "client.container_kill"])
def test_a_question_mark_shows_the_help(shell, name):
    text = COLOUR.sub("", shell.object_inspect_mime(name)["text/plain"])
    assert "(id: str, *, signal: Any = None)" in text
    for line in shell.user_ns["client"].ContainerKill.describe().splitlines():
        assert line in text


def test_what_is_found_and_records_print_as_they_do_at_pythons_prompt(shell):
    for name in ("client", "record", "operations", "groups['Exec']", "client.find('ping')"):
        shown = shell.display_formatter.format(shell.ev(name))[0]
        assert shown["text/plain"] == repr(shell.ev(name))


def test_records_show_themselves_in_a_notebook(shell):
    shown, _ = shell.display_formatter.format(shell.user_ns["record"])
    assert "<details open>" in shown["text/html"]
    assert "odd-key" in shown["text/html"]
