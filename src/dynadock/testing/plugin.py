"""A plugin of pytest: the fixture ``dynadock_embedded``, an embedded engine for a test.

Nothing but this file is loaded before a test asks for the fixture.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator

    from dynadock.client import Client
    from dynadock.embedded.engine import Engine

MARKER = "dynadock_embedded"
SCOPES = ("function", "class", "module", "session")

_SCOPE = "dynadock_scope"
_ENGINES = pytest.StashKey[list[Any]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option for the fixture's scope, on the command line and in the configuration."""
    words = "how long an engine of the fixture dynadock_embedded lasts"
    group = parser.getgroup("dynadock")
    group.addoption("--dynadock-scope", choices=SCOPES, help=f"{words} (default: function)")
    parser.addini(_SCOPE, f"{words}: {', '.join(SCOPES)}", default=SCOPES[0])


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.stash[_ENGINES] = []
    config.addinivalue_line(
        "markers",
        f"{MARKER}(api=, seed=, clock=, strict=): what the engine of the fixture"
        " dynadock_embedded is like",
    )


def _scope_of(config: pytest.Config) -> Any:
    scope = config.getoption("--dynadock-scope") or config.getini(_SCOPE)
    if scope not in SCOPES:
        raise pytest.UsageError(f"{_SCOPE}: expected one of {', '.join(SCOPES)}, got {scope!r}")
    return scope


def _scope(fixture_name: str, config: pytest.Config) -> Any:  # noqa: ARG001 - pytest names both
    return _scope_of(config)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Refuse marks that would have no effect, as the engine is made for more than one test."""
    scope = _scope_of(config)
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
def dynadock_client(dynadock_embedded: Engine) -> Client:
    """Return a client of that engine, of the newest version that it speaks."""
    return dynadock_embedded.client()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    """Show what there was in the engines, and what was asked of them, below a failing test."""
    report = yield
    if report.failed and report.when != "teardown":
        for engine in item.config.stash[_ENGINES]:
            report.sections.append((f"dynadock {engine.address}", engine.report()))
    return report
