"""The plugin of pytest: engines for tests, how long they last, and what a failing test shows."""

from __future__ import annotations

import sys
from contextlib import suppress

import pytest

from dynadock import NotFound
from dynadock.embedded import Engine
from secret_values import SECRET, is_told_by

PLUGIN = ("-p", "dynadock.testing.plugin")
COUNTS = """
    def test_one(dynadock_embedded, dynadock_client):
        assert dynadock_client.ContainerList(all=True) == []
        dynadock_embedded.add_container("box")

    def test_two(dynadock_embedded, dynadock_client):
        assert len(dynadock_client.ContainerList()) == {}
"""


@pytest.fixture(scope="module")
def loaded():
    """Load here whatever tests inside of a test load: pytester forgets modules that are new."""
    with Engine(api="1.30", strict=True, clock="manual") as engine:
        for client in (engine.client(), Engine().client()):
            client.ContainerList(all=True)
        engine.add_container("box", status="unhealthy")
        with suppress(NotFound):
            client.ContainerInspect("nobody")
        client.ContainerCreate(name="made", Image="busybox", Env=["A=b"])
        assert engine.report()


@pytest.fixture
def run(pytester, loaded):
    """Run a test file with the plugin, and give the result."""

    def begin(source, *arguments):
        pytester.makepyfile(source)
        return pytester.runpytest_inprocess(*_plugin(), "-p", "no:cacheprovider", *arguments)

    return begin


def _plugin():
    """Return the arguments that turn the plugin on, unless it is on as an entry point is."""
    from importlib.metadata import entry_points

    return () if "dynadock" in entry_points(group="pytest11").names else PLUGIN


def test_each_test_has_an_engine_of_its_own(run):
    run(COUNTS.format(0)).assert_outcomes(passed=2)


@pytest.mark.parametrize("scope", ["class", "module", "session"])
def test_or_shares_it(run, scope):
    # Functions outside of classes are no class's, so each has its own.
    count = 0 if scope == "class" else 1
    run(COUNTS.format(count), f"--dynadock-scope={scope}").assert_outcomes(passed=2)


def test_the_scope_may_be_configured(run, pytester):
    pytester.makeini("[pytest]\ndynadock_scope = module")
    run(COUNTS.format(1)).assert_outcomes(passed=2)


def test_the_command_line_counts_more(run, pytester):
    pytester.makeini("[pytest]\ndynadock_scope = module")
    run(COUNTS.format(0), "--dynadock-scope=function").assert_outcomes(passed=2)


def test_a_scope_that_is_none_is_refused(run, pytester):
    pytester.makeini("[pytest]\ndynadock_scope = day")
    result = run(COUNTS.format(0))
    assert "dynadock_scope: expected one of function, class, module, session, got 'day'" in (
        result.stdout.str() + result.stderr.str()
    )


def test_a_mark_says_what_the_engine_is_like(run):
    source = """
        import pytest

        @pytest.mark.dynadock_embedded(api="1.30-1.41", clock="manual", seed=5)
        def test_it(dynadock_embedded, dynadock_client):
            began = dynadock_embedded.clock.now()
            dynadock_embedded.clock.advance(60)
            assert dynadock_embedded.clock.now() == began + 60
            assert dynadock_client.version == "1.41"
    """
    run(source, "--strict-markers").assert_outcomes(passed=1)


def test_a_module_s_mark_counts_for_a_module_s_engine(run):
    source = """
        import pytest

        pytestmark = pytest.mark.dynadock_embedded(api="1.30")

        def test_it(dynadock_client):
            assert dynadock_client.version == "1.30"
    """
    run(source, "--dynadock-scope=module").assert_outcomes(passed=1)


def test_a_mark_that_would_have_no_effect_is_refused(run):
    source = """
        import pytest

        @pytest.mark.dynadock_embedded(clock="manual")
        def test_it(dynadock_embedded):
            pass
    """
    result = run(source, "--dynadock-scope=module")
    assert "takes no mark of a single test; mark the module" in (
        result.stdout.str() + result.stderr.str()
    )


def test_what_an_engine_does_not_take_is_an_error(run):
    source = """
        import pytest

        @pytest.mark.dynadock_embedded(colour="red")
        def test_it(dynadock_embedded):
            pass
    """
    result = run(source)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines("*unexpected keyword argument 'colour'*")


def test_a_failing_test_shows_containers_and_calls(run):
    source = f"""
        def test_it(dynadock_embedded, dynadock_client):
            dynadock_embedded.add_container("web", image="busybox", status="unhealthy")
            dynadock_client.ContainerCreate(Image="busybox", name="made", Env=["TOKEN={SECRET}"])
            dynadock_client.ContainerInspect("nobody")
    """
    result = run(source, "--tb=line")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*dynadock embedded://engine-*",
            "containers: 2",
            "  web   busybox  Up *(unhealthy)",
            "  made  busybox  Created",
            "calls: *",
            "*ContainerCreate (API *) name='made'*-> 201>",
            "*ContainerInspect (API *) id='nobody' -> 404 No such container: nobody>",
        ]
    )
    shown = result.stdout.str()
    assert not is_told_by(shown[shown.index("containers: 2") :])


def test_a_passing_test_shows_nothing(run):
    result = run(COUNTS.format(0), "-rA")
    assert "containers:" not in result.stdout.str()


def test_nothing_is_loaded_before_it_is_used(pytester):
    pytester.makepyfile(
        """
        import sys

        def test_it():
            ours = {name for name in sys.modules if name.startswith("dynadock")}
            assert ours == {"dynadock", "dynadock.testing", "dynadock.testing.plugin"}
        """
    )
    result = pytester.runpytest_subprocess(*_plugin(), "-p", "no:cacheprovider")
    result.assert_outcomes(passed=1)


def test_it_can_be_left_out(pytester):
    pytester.makepyfile("def test_it(dynadock_embedded): pass")
    named = ("-p", "no:dynadock", "-p", "no:dynadock.testing.plugin")
    result = pytester.runpytest_subprocess(*named, "-p", "no:cacheprovider")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines("*fixture 'dynadock_embedded' not found*")


def test_it_goes_with_xdist(run):
    pytest.importorskip("xdist")
    run(COUNTS.format(1), "--dynadock-scope=session", "-n1").assert_outcomes(passed=2)


def test_the_package_names_it_for_pytest():
    tomllib = pytest.importorskip("tomllib")
    from pathlib import Path

    root = Path(__file__).parents[2]
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["entry-points"]["pytest11"] == {"dynadock": PLUGIN[1]}
    assert PLUGIN[1] in sys.modules or (root / "src/dynadock/testing/plugin.py").exists()
