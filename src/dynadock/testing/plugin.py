"""A plugin of pytest: embedded engines for tests, and tests on engines and API versions.

Nothing but this file is loaded before a test asks for a fixture, or the command line for engines.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator

    from dynadock.client import Client
    from dynadock.embedded.engine import Engine
    from dynadock.testing.names import Name
    from dynadock.testing.run import Run
    from dynadock.testing.targets import Target

MARKER = "dynadock_embedded"
API = "dynadock_api"
NEEDS = "dynadock_needs"
SCOPES = ("function", "class", "module", "session")

_SCOPE = "dynadock_scope"
_HOOKS = "dynadock-hooks"
_ENGINES = pytest.StashKey[list[Any]]()
_RUN = pytest.StashKey["Run"]()

_OPTIONS = {
    "engine": "an engine to run tests on, NAME=ADDRESS or 'embedded' (may be repeated)",
    "api": "API versions to test at: newest (by default), all, 1.40-1.43 or 1.30,1.41",
    "report": "a file for the report: .html, .json or .xml (may be repeated)",
    "contract": "hold answers against documents: off, record (with a report), warn or raise",
}
"""Options of a run on engines; each may stand in the configuration, too."""

_MARKERS = (
    (MARKER, "api=, seed=, clock=, strict=", f"what the engine of the fixture {MARKER} is like"),
    (API, "range", "the API versions that a test is for, such as '1.41-'; deselected at others"),
    (NEEDS, "name, ...", "operations, parameters, fields that it needs; skipped without them"),
)

_SEVERAL = ("engine", "report")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options, on the command line and in the configuration."""
    words = "how long an engine of the fixture dynadock_embedded lasts"
    group = parser.getgroup("dynadock")
    group.addoption("--dynadock-scope", choices=SCOPES, help=f"{words} (default: function)")
    parser.addini(_SCOPE, f"{words}: {', '.join(SCOPES)}", default=SCOPES[0])
    for name, about in _OPTIONS.items():
        if name in _SEVERAL:
            group.addoption(f"--dynadock-{name}", action="append", help=about)
            parser.addini(f"dynadock_{name}", about, type="linelist")
        else:
            group.addoption(f"--dynadock-{name}", help=about)
            parser.addini(f"dynadock_{name}", about, default="")


def pytest_configure(config: pytest.Config) -> None:
    """Make the markers known, and begin a run on engines if one is asked for."""
    config.stash[_ENGINES] = []
    for name, arguments, about in _MARKERS:
        config.addinivalue_line("markers", f"{name}({arguments}): {about}")
    if any(_asked_for(config).values()):
        from dynadock.testing.hooks import Hooks

        config.pluginmanager.register(Hooks(_run(config)), _HOOKS)


def _asked_for(config: pytest.Config) -> dict[str, Any]:
    """Return the options' values: what stands on the command line counts more."""
    return {
        name: config.getoption(f"--dynadock-{name}") or config.getini(f"dynadock_{name}")
        for name in _OPTIONS
    }


def _run(config: pytest.Config) -> Run:
    if _RUN not in config.stash:
        from dynadock.testing.run import Options, Run

        config.stash[_RUN] = Run(config, Options(*_asked_for(config).values()))
    return config.stash[_RUN]


def _scope_of(config: pytest.Config) -> Any:
    scope = config.getoption("--dynadock-scope") or config.getini(_SCOPE)
    if scope not in SCOPES:
        raise pytest.UsageError(f"{_SCOPE}: expected one of {', '.join(SCOPES)}, got {scope!r}")
    return scope


def _scope(fixture_name: str, config: pytest.Config) -> Any:  # noqa: ARG001 - pytest names both
    return _scope_of(config)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Refuse marks that would have no effect, and choose the tests that can run."""
    _refuse_marks_of_single_tests(_scope_of(config), items)
    hooks = config.pluginmanager.get_plugin(_HOOKS)
    if hooks or any(item.get_closest_marker(name) for item in items for name in (API, NEEDS)):
        from dynadock.testing.choosing import choose

        chosen, deselected = choose(items, _run(config).target_of)
        items[:] = chosen
        if hooks:
            hooks.note(chosen, deselected)
        if deselected:
            config.hook.pytest_deselected(items=deselected)


def _refuse_marks_of_single_tests(scope: str, items: list[pytest.Item]) -> None:
    """Refuse marks of engines that are made for more than one test."""
    if scope == SCOPES[0]:
        return
    for item in items:
        if any(mark.name == MARKER for mark in item.own_markers):
            raise pytest.UsageError(
                f"{item.nodeid}: the engine of a {scope} takes no mark of a single test; mark the"
                f" {'module' if scope == 'session' else scope}, or set {_SCOPE} to function"
            )


@pytest.fixture(scope=_scope)
def dynadock_embedded(request: pytest.FixtureRequest) -> Generator[Engine]:
    """Return an embedded engine of the test's own; ``@pytest.mark.dynadock_embedded`` sets it."""
    from dynadock.embedded.engine import Engine

    mark = request.node.get_closest_marker(MARKER)
    if mark is not None and mark.args:
        raise pytest.UsageError(f"{MARKER}: what the engine is like is given by name")
    engines = request.config.stash[_ENGINES]
    with Engine(**({} if mark is None else mark.kwargs)) as engine:
        engines.append(engine)
        try:
            yield engine
        finally:
            engines.remove(engine)


@pytest.fixture(scope=_scope)
def dynadock_target(request: pytest.FixtureRequest) -> Target:
    """Return what the test runs on: ``name``, ``kind``, ``release``, and ``version`` of the API.

    An engine that was asked for and does not answer is an error.
    """
    from dynadock.testing.targets import Target

    target = getattr(request, "param", None)
    if not isinstance(target, Target):
        return _run(request.config).target_of(request.node)
    if target.engine.fault:
        pytest.fail(str(target.engine), pytrace=False)
    return target


@pytest.fixture(scope=_scope)
def dynadock_client(request: pytest.FixtureRequest, dynadock_target: Target) -> Generator[Client]:
    """Return a client of the engine that the test runs on, at its API version.

    Unless engines are asked for, it is of the embedded engine, at the newest that it speaks.
    """
    own = partial(request.getfixturevalue, MARKER)
    with _run(request.config).client(dynadock_target, own) as client:
        yield client


@pytest.fixture(scope=_scope)
def dynadock_host(request: pytest.FixtureRequest, dynadock_target: Target) -> str:
    """Return the address of the engine that the test runs on, for other programs: DOCKER_HOST."""
    return _run(request.config).host(dynadock_target, partial(request.getfixturevalue, MARKER))


@pytest.fixture
def dynadock_name(request: pytest.FixtureRequest, dynadock_target: Target) -> Generator[Name]:
    """Return a name that nothing else has; its ``labels`` label things as this test's.

    What has the label, and what is called so or begins with it, is removed after the test.
    """
    has_own = _scope_of(request.config) != SCOPES[0]
    own = partial(request.getfixturevalue, MARKER) if has_own else None
    yield from _run(request.config).named(dynadock_target, own)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    """Show what there was in the engines, and what was asked of them, below a failing test."""
    report = yield
    if report.failed and report.when != "teardown":
        for engine in item.config.stash[_ENGINES]:
            report.sections.append((f"dynadock {engine.address}", engine.report()))
    return report
