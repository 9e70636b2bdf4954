"""Many tests on engines at once, workers that crash, and runs that are killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest

import dynadock.spec.reader
import dynadock.testing.hooks
from dynadock.embedded import Engine
from dynadock.testing.names import living_run

pytest.importorskip("xdist")

PLUGINS = ("-p", "xdist.plugin", "-p", "dynadock.testing.plugin")
PATIENCE = 100.0

LOADED = (dynadock.spec.reader, dynadock.testing.hooks)
"""What tests inside of a test load: pytester forgets modules that are new."""


@pytest.fixture(autouse=True)
def no_other_plugins(monkeypatch):
    """Have workers that begin quickly."""
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")


@pytest.fixture
def engines():
    with Engine(api="1.25-1.50") as one, Engine(api="1.25-1.50") as other:
        yield {"one": one, "other": other}


def named(engines):
    return [f"--dynadock-engine={name}={engine.url}" for name, engine in engines.items()]


def made_in(engine):
    """Return the names of what tests have made in an engine."""
    with engine.client() as client:
        rows = [*client.NetworkList(), *(client.VolumeList().Volumes or ())]
        found = [row.Name for row in rows]
        found += [name for row in client.ContainerList(all=True) for name in row.Names]
        found += [tag for row in client.ImageList() for tag in row.RepoTags or ()]
    return [name for name in found if "dynadock-test-" in name]


MAKES = """
    import pytest

    def make(client, name):
        client.VolumeCreate(Name=name, Labels=name.labels)
        client.NetworkCreate(Name=f"{name}-net", Labels=name.labels)
        client.ContainerCreate(name=name, Image="busybox")
"""

EACH = f"""{MAKES}
    @pytest.mark.parametrize("letter", "abcdefghijklmnopqrst")
    def test_it(dynadock_client, dynadock_name, letter):
        mine = {{"label": [f"dynadock.test={{dynadock_name}}"]}}
        assert not dynadock_client.VolumeList(filters=mine).Volumes
        dynadock_client.VolumeCreate(Name=dynadock_name, Labels=dynadock_name.labels)
        dynadock_client.NetworkCreate(Name=f"{{dynadock_name}}-net")
        assert [each.Name for each in dynadock_client.VolumeList(filters=mine).Volumes] == [
            dynadock_name
        ]
        if letter in "et":
            raise RuntimeError("on purpose")
"""


@pytest.mark.timeout(240)
def test_two_hundred_at_once_do_not_disturb_each_other(pytester, engines):
    pytester.makepyfile(EACH)
    arguments = (*PLUGINS, "--dynadock-api=1.40-1.44", "-n2", "--tb=no", *named(engines))
    result = pytester.runpytest_inprocess(*arguments)
    result.assert_outcomes(passed=180, failed=20)
    assert [made_in(each) for each in engines.values()] == [[], []]


CRASHES = f"""{MAKES}
    def test_it(dynadock_client, dynadock_name):
        make(dynadock_client, dynadock_name)
        if dynadock_client.version == "1.31":
            import os

            os._exit(3)
"""


def test_what_a_crashed_worker_made_is_removed_at_the_end(pytester, engines):
    pytester.makepyfile(CRASHES)
    arguments = (*PLUGINS, "--dynadock-api=1.30-1.33", "-n2", "--tb=no", *named(engines))
    result = pytester.runpytest_inprocess(*arguments)
    result.assert_outcomes(passed=6, failed=2)
    assert [made_in(each) for each in engines.values()] == [[], []]


SLEEPS = f"""{MAKES}
    def test_it(dynadock_client, dynadock_name):
        make(dynadock_client, dynadock_name)
        import pathlib, time

        pathlib.Path(f"made-{{dynadock_name}}").touch()
        time.sleep(600)
"""


@contextmanager
def running(pytester, *arguments):
    """Run pytest in a process group of its own, which is killed at the end."""
    command = [sys.executable, "-m", "pytest", *arguments]
    with subprocess.Popen(
        command,
        cwd=pytester.path,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as ran:
        try:
            yield ran
        finally:
            os.killpg(ran.pid, signal.SIGKILL)


def wait_for(pytester, count):
    end = time.monotonic() + PATIENCE
    while len([*pytester.path.glob("made-*")]) < count:
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.skipif(sys.platform == "win32", reason="it needs groups of processes")
def test_what_a_killed_run_has_left_is_removed_by_the_next(pytester, engines):
    pytester.makepyfile(SLEEPS)
    pytester.makepyfile(test_other="def test_it(dynadock_client): pass")
    arguments = (*PLUGINS, *named(engines))
    with living_run() as run:
        alive = run.name()
        with engines["one"].client() as client:
            client.VolumeCreate(Name=alive)
        with running(pytester, *arguments, "-n2", "--dynadock-api=1.41,1.42"):
            wait_for(pytester, 2)
            # The next run, meanwhile, disturbs neither.
            pytester.runpytest_inprocess(*arguments, "test_other.py").assert_outcomes(passed=2)
            assert sum(len(made_in(each)) for each in engines.values()) == 1 + 2 * 3
        result = pytester.runpytest_inprocess(*arguments, "test_other.py")
        result.assert_outcomes(passed=2)
        assert [made_in(each) for each in engines.values()] == [[alive], []]
