"""Tests on engines and API versions: which there are, what becomes of them, and what is said."""

from __future__ import annotations

import json
import re
from functools import partial
from xml.etree import ElementTree as ET

import pytest

import dynadock.compat.results
import dynadock.contract.deviations
import dynadock.spec.reader
import dynadock.testing.hooks
from documents import NEWEST, NEXT, OLDEST
from dynadock.embedded import Engine
from dynadock.testing import run as of_run
from dynadock.testing.sweeping import sweep
from secret_values import SECRET, is_told_by

OFF = ("-p", "no:cacheprovider")
SEVERAL = ("-n1",)
"""One worker is a process of its own as well as two are."""


@pytest.fixture(scope="module", autouse=True)
def loaded():
    """Load here whatever tests inside of a test load: pytester forgets modules that are new."""
    with Engine() as engine, engine.client(contract="record") as client:
        client.ContainerList()
        assert [*client.deviations] == []
        assert engine.url
        engine.report()
    results = dynadock.compat.results.Results()
    results.add_cell("A", "1.42", "e", "passed")
    assert results.html()
    assert results.junit()


@pytest.fixture
def served():
    """Give two engines at sockets, an older one and one in the middle."""
    with Engine(api="1.30-1.41") as old, Engine(api="1.40-1.43") as middle:
        yield {"old": old.url, "mid": middle.url}, {"old": old, "mid": middle}


@pytest.fixture
def run(pytester, monkeypatch):
    """Run a test file on some engines, and give the result."""
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)

    def begin(source, *arguments, engines=None):
        if source:
            pytester.makepyfile(source)
        named = [f"--dynadock-engine={name}={url}" for name, url in (engines or {}).items()]
        return pytester.runpytest_inprocess(*OFF, *named, *arguments)

    return begin


def row_of(result, name):
    """Return a row of the table at the end, by the names of columns."""
    lines = [line.split() for line in result.outlines]
    head = next(line for line in lines if line[:2] == ["engine", "API"])
    found = next(line for line in lines if "-".join(line[:2]) == name and len(line) == len(head))
    return dict(zip(head[2:], map(int, found[2:]), strict=True))


def said(result):
    return result.stdout.str() + result.stderr.str()


LIST = "def test_list(dynadock_client): assert dynadock_client.ContainerList() == []\n"
VERSION = """
    def test_it(dynadock_client, dynadock_target):
        assert dynadock_client.version == dynadock_target.version
"""


# Which tests there are


@pytest.mark.parametrize(
    ("arguments", "ids"),
    [
        ((), ["old-1.41", "mid-1.43"]),
        (("--dynadock-api=1.41",), ["old-1.41", "mid-1.41"]),
        (
            ("--dynadock-api=1.40-1.42",),
            [f"{e}-1.{v}" for e in ("old", "mid") for v in (40, 41, 42)],
        ),
        (("--dynadock-api=1.42-",), ["old-1.42", "mid-1.42", "mid-1.43"]),
        (("--dynadock-engine=embedded",), ["old-1.41", "mid-1.43", f"embedded-{NEWEST}"]),
    ],
)
def test_a_test_is_run_for_each_engine_and_version(run, served, arguments, ids):
    result = run(VERSION, "--collect-only", "-q", *arguments, engines=served[0])
    found = re.findall(r"::test_it\[(.*)\]", result.stdout.str())
    assert sorted(found) == sorted(ids)


def test_each_speaks_its_version_with_its_engine(run, served):
    urls, engines = served
    result = run(LIST, "--dynadock-api=all", "--dynadock-engine=embedded", engines=urls)
    assert result.ret == 0
    assert row_of(result, f"embedded-{OLDEST}")["passed"] == 1
    assert row_of(result, "mid-1.43") == {"passed": 1, "failed": 0, "skipped": 0, "deselected": 0}
    calls = [call.version for call in engines["mid"].calls.of("ContainerList")]
    # All are listed once more to sweep, at the newest, before and after the tests.
    assert calls == ["1.43", "1.40", "1.41", "1.42", "1.43", "1.43"]


def test_other_arguments_come_behind(run, served):
    source = """
        import pytest

        @pytest.mark.parametrize("letter", ["a", "b"])
        def test_it(letter, dynadock_client): pass
    """
    result = run(source, "-v", engines=served[0])
    result.stdout.fnmatch_lines(["*test_it?old-1.41-a?*", "*test_it?mid-1.43-b?*"])


def test_what_is_configured_counts_less_than_the_command_line(run, served, pytester):
    lines = "\n".join(f"    {name}={url}" for name, url in served[0].items())
    pytester.makeini(f"[pytest]\ndynadock_engine =\n{lines}\ndynadock_api = 1.40\n")
    result = run(VERSION)
    assert row_of(result, "old-1.40")["passed"] == row_of(result, "mid-1.40")["passed"] == 1
    result = run("", "--dynadock-engine=embedded", "--dynadock-api=1.41")
    assert row_of(result, "embedded-1.41")["passed"] == 1
    result.assert_outcomes(passed=1)


def test_without_engines_there_is_the_embedded_one_as_ever(run):
    source = """
        def test_it(request, dynadock_client, dynadock_embedded, dynadock_target, dynadock_name):
            assert str(dynadock_client.endpoint) == dynadock_embedded.address
            assert dynadock_client.version == dynadock_target.version
            assert dynadock_target.kind == "embedded"
            dynadock_client.VolumeCreate(Name=dynadock_name, Labels=dynadock_name.labels)
            assert request.node.name == "test_it"
    """
    result = run(source)
    result.assert_outcomes(passed=1)
    assert "deselected" not in said(result)


def test_a_test_that_asks_for_an_embedded_engine_has_only_that(run, served):
    source = """
        def test_it(dynadock_client, dynadock_embedded, dynadock_host):
            assert str(dynadock_client.endpoint) == dynadock_embedded.address
            assert dynadock_host == dynadock_embedded.url

        def test_other(dynadock_client, dynadock_host):
            assert str(dynadock_client.endpoint) == dynadock_host
    """
    result = run(source, "-v", engines=served[0])
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines([f"*test_it?embedded-{NEWEST}?*"])


def test_a_mark_limits_what_an_embedded_engine_speaks(run):
    source = """
        import pytest

        @pytest.mark.dynadock_embedded(api="1.30-1.41")
        def test_it(dynadock_client): assert dynadock_client.ContainerList() == []
    """
    result = run(source, "-rs", "--dynadock-api=newest,1.42")
    assert row_of(result, "embedded-1.41")["passed"] == 1
    assert row_of(result, "embedded-1.42")["skipped"] == 1
    result.stdout.fnmatch_lines(["*embedded speaks API 1.30 to 1.41, not 1.42*"])


def test_engines_of_a_module_are_shared_and_each_test_sweeps(run):
    source = """
        def test_one(dynadock_client, dynadock_name):
            dynadock_client.VolumeCreate(Name=dynadock_name)

        def test_two(dynadock_client, dynadock_name):
            assert not dynadock_client.VolumeList().Volumes
            dynadock_client.VolumeCreate(Name="kept")

        def test_three(dynadock_client):
            assert [each.Name for each in dynadock_client.VolumeList().Volumes] == ["kept"]
    """
    run(source, "--dynadock-scope=module", "--dynadock-api=1.41").assert_outcomes(passed=3)
    run("", "--dynadock-scope=module").assert_outcomes(passed=3)


# The four outcomes


OUTCOMES = """
    import pytest

    @pytest.mark.dynadock_api("1.42-")
    def test_range(dynadock_client): pass

    @pytest.mark.dynadock_needs("VolumeUpdate", "ContainerCreate.platform")
    def test_needs(dynadock_client): pass

    def test_plain(dynadock_client): dynadock_client.ContainerList()
"""


def test_outcomes_are_kept_apart(run, served):
    engines = {**served[0], "gone": "unix:///nowhere/at-all.sock"}
    result = run(OUTCOMES, "-rs", "--dynadock-api=1.40,1.42,1.43", engines=engines)
    none = {"passed": 0, "failed": 0, "errors": 0, "skipped": 0, "deselected": 0}
    assert row_of(result, "old-1.40") == none | {"passed": 1, "skipped": 1, "deselected": 1}
    assert row_of(result, "old-1.42") == none | {"skipped": 3}
    assert row_of(result, "mid-1.43") == none | {"passed": 3}
    assert row_of(result, "gone-1.43") == none | {"errors": 3}
    lines = said(result)
    assert "old speaks API 1.30 to 1.41, not 1.42" in lines
    assert (
        "API 1.40 has no VolumeUpdate: it arrived in 1.42;"
        " API 1.40 has no ContainerCreate.platform: it arrived in 1.41"
    ) in lines
    assert "gone: not to be reached at unix:///nowhere/at-all.sock: SocketMissing: " in lines
    assert result.ret == 1


def test_an_engine_that_is_missing_is_an_error_even_alone(run):
    result = run(LIST, engines={"gone": "unix:///nowhere/at-all.sock"})
    result.assert_outcomes(errors=1)
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        ["*test_list?gone?*", "gone: not to be reached at unix:///nowhere/at-all.sock: *"]
    )


def test_marks_count_without_options_too(run):
    source = f"""
        import pytest

        @pytest.mark.dynadock_api("-{OLDEST}")
        def test_old(dynadock_client): pass

        @pytest.mark.dynadock_api("1.42-", "-{NEXT}")
        @pytest.mark.dynadock_needs("VolumeUpdate")
        def test_new(dynadock_client): pass

        @pytest.mark.dynadock_needs("VolumeUpdate")
        @pytest.mark.dynadock_embedded(api="1.30-1.41")
        def test_needs(dynadock_client): pass
    """
    result = run(source, "-rs")
    result.assert_outcomes(passed=1, skipped=1, deselected=1)
    assert "API 1.41 has no VolumeUpdate: it arrived in 1.42" in said(result)


@pytest.mark.parametrize(
    ("mark", "words"),
    [
        ('dynadock_api("new")', "dynadock_api: 'new' is not an API version"),
        ("dynadock_api()", "expected a range of API versions, such as '1.41-', as text"),
        ("dynadock_api(1.41)", "as text"),
        ('dynadock_api(api="1.41")', "as text"),
        ("dynadock_needs()", "expected names, such as 'VolumeUpdate'"),
        ('dynadock_needs("VolumeUpdat")', "no API version has 'VolumeUpdat'; did you mean"),
    ],
)
@pytest.mark.parametrize("argument", ["--dynadock-api=1.40", "-q"])
def test_a_mark_that_cannot_be_meant_is_refused(run, mark, words, argument):
    source = f"""
        import pytest

        @pytest.mark.{mark}
        def test_it(dynadock_client): pass
    """
    result = run(source, argument)
    assert words in said(result)
    assert "::test_it" in said(result)
    assert result.ret == pytest.ExitCode.USAGE_ERROR


def test_a_mark_of_a_test_without_an_engine_is_refused(run):
    source = """
        import pytest

        {}
        @pytest.mark.dynadock_api("1.41-")
        def test_it(): pass
    """
    result = run(source.format(""))
    assert "dynadock_api is for tests on an engine, and this one asks for none" in said(result)
    result = run(source.replace("{}\n        @", "pytestmark = ").format(""))
    result.assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("--dynadock-engine=d28", "--dynadock-engine: expected NAME=ADDRESS, such as d28=unix://"),
        ("--dynadock-api=1.99", "--dynadock-api: there is no document for API 1.99"),
        ("--dynadock-report=out.txt", "--dynadock-report: expected a file .html, .json, .xml"),
        ("--dynadock-contract=no", "--dynadock-contract: expected one of off, record, warn, raise"),
    ],
)
def test_an_option_that_cannot_be_meant_is_refused(run, option, words):
    result = run(LIST, option)
    assert words in said(result)
    assert result.ret == pytest.ExitCode.USAGE_ERROR


@pytest.mark.parametrize("several", [(), SEVERAL])
def test_a_run_in_which_everything_was_skipped_fails(run, served, several):
    source = """
        import pytest

        @pytest.mark.dynadock_needs("ImageAttestations")
        def test_it(dynadock_client): pass

        @pytest.mark.dynadock_api("1.50-")
        def test_other(dynadock_client): pass

        def test_without_an_engine(): pass
    """
    if several:
        pytest.importorskip("xdist")
    result = run(source, *several, engines=served[0])
    assert result.ret == 1
    words = "no test ran on an engine (2 skipped, 2 deselected), so the run has failed"
    result.stdout.fnmatch_lines([re.sub(r"([\[\]])", r"[\1]", words)])


def test_a_run_without_tests_on_engines_does_not_fail(run, served):
    result = run("def test_it(): pass", engines=served[0])
    assert result.ret == 0


def test_a_run_of_which_one_test_ran_does_not_fail(run, served):
    result = run(OUTCOMES, "-k", "plain or needs", engines=served[0])
    assert result.ret == 0
    assert row_of(result, "old-1.41")["skipped"] == 1


def test_expected_failures_are_told_apart(run):
    source = """
        import pytest

        @pytest.mark.xfail
        def test_one(dynadock_client): assert 0

        @pytest.mark.xfail(strict=False)
        def test_two(dynadock_client): pass

        def test_three(dynadock_client): pytest.skip("not today")

        @pytest.fixture
        def broken(dynadock_client):
            yield
            assert 0

        def test_four(broken): pass
    """
    row = row_of(run(source, "--dynadock-engine=embedded"), f"embedded-{NEWEST}")
    assert row == {
        "passed": 1,
        "failed": 0,
        "errors": 1,
        "xfailed": 1,
        "xpassed": 1,
        "skipped": 1,
        "deselected": 0,
    }


# Sweeping


MAKES = """
    def test_it(dynadock_client, dynadock_name):
        dynadock_client.VolumeCreate(Name="other", Labels=dynadock_name.labels)
        dynadock_client.NetworkCreate(Name=dynadock_name + "-net")
        assert 0
"""


def test_what_a_failing_test_made_is_removed(run, served):
    urls, engines = served
    run(MAKES, engines=urls).assert_outcomes(failed=2)
    for engine in engines.values():
        with engine.client() as client:
            assert not client.VolumeList().Volumes
            assert "dynadock-test" not in str([each.Name for each in client.NetworkList()])


def test_what_cannot_be_removed_is_an_error_of_its_test(run, served, monkeypatch):
    urls, engines = served
    monkeypatch.setattr(of_run, "sweep", partial(sweep, patience=0.1))
    engines["old"].fail("VolumeDelete", status=409, message="volume is in use")
    result = run(MAKES.replace("assert 0", ""), engines=urls)
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(
        [
            "what the test made cannot be removed:",
            "  volume other: VolumeDelete (API 1.41): 409 *volume is in use",
        ]
    )


# What is said


def test_a_failing_test_says_where_it_ran(run, served):
    result = run("def test_it(dynadock_client): assert 0", "--tb=line", engines=served[0])
    result.stdout.fnmatch_lines(
        [
            "*- dynadock old-1.41 -*",
            "old: docker 26.1.0+embedded, API 1.30 to 1.41, at unix:///*",
        ]
    )


def test_the_header_says_which_engines_there_are(run, served):
    result = run(LIST, "--dynadock-engine=embedded", engines=served[0])
    result.stdout.fnmatch_lines(
        [
            "dynadock: old: docker *, API 1.30 to 1.41, at unix:///*",
            f"dynadock: embedded: embedded *, API {OLDEST} to {NEWEST}, in each test's process",
        ]
    )


def test_junit_has_properties(run, served, pytester):
    run(LIST, "--junitxml=out.xml", "--dynadock-contract=record", engines=served[0])
    tree = ET.fromstring((pytester.path / "out.xml").read_text())
    found = {}
    for case in tree.iter("testcase"):
        found[case.get("name")] = {
            each.get("name"): each.get("value") for each in case.iter("property")
        }
    assert found["test_list[old-1.41]"] == {
        "dynadock_engine": "old",
        "dynadock_kind": "docker",
        "dynadock_release": "26.1.0+embedded",
        "dynadock_version": "1.41",
        "dynadock_deviations": "0",
    }


HOSTILE = "|a`b*<img src=x onerror=y>[x](y)\n\n# head @team #1 ~~x~~ &amp; \\| \x1b[31m ::warning::"


def test_the_step_summary_is_escaped(run, served, pytester, monkeypatch):
    path = pytester.path / "summary.md"
    path.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(path))
    source = f"""
        import pytest

        @pytest.mark.parametrize("text", [{HOSTILE!r}])
        def test_it(dynadock_client, text):
            raise ValueError(text)
    """
    # pytest itself would show the escape sequence in the terminal.
    pytester.makepyfile(source)
    pytester.runpytest_inprocess(*OFF, "--tb=no", f"--dynadock-engine=old={served[0]['old']}")
    text = path.read_text()
    assert text.startswith("before\n### Docker engines and API versions\n")
    assert "| old | 1.41 | 0 | 1 | 0 | 0 |" in text
    failure = text[text.index("Failures:") :]
    assert not set("|`*<>[]()#@~\\\x1b") & set(failure.replace("&#", ""))
    assert failure.count("\n- ") == 1


def test_no_secret_is_told(run, pytester):
    address = f"box=tcp://user:{SECRET}@nowhere.invalid:2375"
    pytester.makeini(f"[pytest]\ndynadock_engine = {address}")
    for option in ((), (f"--dynadock-engine={address}",)):
        result = run(LIST, *option)
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        assert "box: 'tcp://****@nowhere.invalid:2375' is not the address" in said(result)
        assert not is_told_by(said(result))


# Reports


REPORTED = """
    import pytest
    from dynadock import NotFound

    def test_list(dynadock_client): dynadock_client.ContainerList()

    def test_nobody(dynadock_client):
        with pytest.raises(NotFound):
            dynadock_client.VolumeInspect("nobody")

    def test_raises(dynadock_client): dynadock_client.NetworkInspect("nobody")

    def test_asserts(dynadock_client):
        dynadock_client.VolumeList()
        dynadock_client.SystemPing()
        assert 0

    @pytest.mark.dynadock_needs("VolumeUpdate")
    def test_needs(dynadock_client): pass

    def test_refused(dynadock_client):
        with pytest.raises(Exception):
            dynadock_client.SwarmInspect()
"""


@pytest.mark.parametrize("several", [(), SEVERAL])
def test_the_report_has_a_cell_for_each_operation(run, served, pytester, several):
    if several:
        pytest.importorskip("xdist")
    arguments = ("--dynadock-report=out.json", "--junitxml=out.xml", *several)
    result = run(REPORTED, *arguments, engines=served[0])
    assert "report: out.json" in said(result)
    found = (pytester.path / "out.xml").read_text().count('name="dynadock_engine" value="mid"')
    assert found == 6
    tree = json.loads((pytester.path / "out.json").read_text())
    assert [(each["name"], each["kind"], each["address_kind"]) for each in tree["engines"]] == [
        ("old", "docker", "unix"),
        ("mid", "docker", "unix"),
    ]
    cells = {(each["operation"], each["engine"]): each for each in tree["cells"]}
    outcomes = {name: cells[name, "old"]["outcome"] for name, engine in cells if engine == "old"}
    assert outcomes == {
        "ContainerList": "passed",
        "VolumeInspect": "passed",
        "NetworkInspect": "failed",
        "SystemPing": "failed",
        "VolumeList": "untried",
        "VolumeUpdate": "absent",
        "SwarmInspect": "refused",
    }
    assert cells["VolumeUpdate", "old"]["reason"] == "it arrived in 1.42"
    assert cells["ContainerList", "mid"]["version"] == "1.43"
    assert cells["ContainerList", "old"]["tests"] == [
        "test_the_report_has_a_cell_for_each_operation.py::test_list"
    ]
    assert cells["SystemPing", "old"]["exchanges"][0]["status"] == 200
    tests = {(each["id"].partition("::")[2], each["engine"]): each for each in tree["tests"]}
    assert tests["test_asserts", "mid"]["outcome"] == "failed"
    assert tests["test_asserts", "mid"]["reason"] == "assert 0"
    assert tests["test_needs", "old"]["outcome"] == "skipped"
    assert (
        tests["test_needs", "old"]["reason"] == "API 1.41 has no VolumeUpdate: it arrived in 1.42"
    )


def test_a_page_and_its_companions(run, served, pytester):
    run(LIST, "--dynadock-report=page.html", engines=served[0]).assert_outcomes(passed=2)
    for name in ("page.html", "page.json", "page.xml"):
        assert "ContainerList" in (pytester.path / name).read_text() or name == "page.xml"


def test_a_report_that_cannot_be_written_fails_the_run(run, served):
    result = run(LIST, "--dynadock-report=nowhere/at/all.json", engines=served[0])
    assert result.ret == 1
    assert "the report nowhere/at/all.json cannot be written" in said(result)


@pytest.mark.parametrize(("mode", "failed"), [("record", 0), ("raise", 1), ("off", 0)])
def test_contracts(run, mode, failed):
    source = """
        def test_it(dynadock_client, dynadock_embedded):
            dynadock_embedded.fail("ContainerList", status=418, message="teapot")
            try:
                dynadock_client.ContainerList()
            except Exception as error:
                assert type(error).__name__ != "ContractError"
    """
    result = run(source, f"--dynadock-contract={mode}", "--dynadock-engine=embedded")
    result.assert_outcomes(passed=1 - failed, failed=failed)
    row = row_of(result, f"embedded-{NEWEST}")
    assert row.get("deviations", 0) == (0 if mode == "off" else 1)


# Without being asked for


def test_without_options_nothing_of_the_client_is_loaded(pytester):
    pytester.makepyfile(
        """
        def test_it(): pass
        """
    )
    pytester.makeconftest(
        """
        import sys

        BEFORE = {*sys.modules}

        def pytest_unconfigure():
            ours = {name for name in sys.modules if name.startswith("dynadock")}
            assert ours == {"dynadock", "dynadock.testing", "dynadock.testing.plugin"}, ours
            new = {name.partition(".")[0] for name in {*sys.modules} - BEFORE}
            assert not new & {"yaml", "jsonschema", "openapi_core", "requests", "ssl"}, new
        """
    )
    result = pytester.runpytest_subprocess(*OFF)
    result.assert_outcomes(passed=1)
    assert result.ret == 0
    assert "AssertionError" not in said(result)
