"""A pytest plugin that fails the run if a secret of the tests is printed, logged, raised or warned.

It looks at what tests write to stdout and stderr, at all that is logged (under ``dynadock`` from
DEBUG on), at every warning, and at every error of ours when it is made, whether a test expects it
or not.
"""

from __future__ import annotations

import logging
import os
from functools import partialmethod, wraps

import pytest

from dynadock.errors import DynadockError
from secret_values import is_told_by

OF_THE_ENGINE = ("body", "reply", "value")
"""Where errors keep what an engine has said, which is no secret of ours."""

TOLD = pytest.StashKey[list[str]]()


class _Listener(logging.Handler):
    """Looks at each record as it would be written."""

    def __init__(self, told):
        super().__init__(logging.DEBUG)
        self._told = told

    def emit(self, record):
        if is_told_by(self.format(record)):
            self._told.append(f"{current_test()}: logged by {record.name}")


def current_test():
    return os.environ.get("PYTEST_CURRENT_TEST", "outside of tests").rpartition(" (")[0]


def _family(error_class):
    yield error_class
    for each in error_class.__subclasses__():
        yield from _family(each)


def _watched(error_class, told):
    """Return an ``__init__`` that looks at what its class's own has made."""
    made = vars(error_class).get("__init__") or partialmethod(_pass_on, error_class)

    @wraps(error_class.__init__)
    def __init__(self, *args, **details):  # noqa: N807 - it becomes one
        made.__get__(self, type(self))(*args, **details)
        kept = {name: value for name, value in vars(self).items() if name not in OF_THE_ENGINE}
        if is_told_by(f"{self} {self.args!r} {kept!r}"):
            told.append(f"{current_test()}: raised in a {type(self).__name__}")

    return __init__


def _pass_on(self, error_class, *args):
    super(error_class, self).__init__(*args)


def pytest_configure(config):
    told = config.stash[TOLD] = []
    logger = logging.getLogger("dynadock")
    listener = _Listener(told)
    logging.getLogger().addHandler(listener)
    logger.setLevel(logging.DEBUG)
    patch = pytest.MonkeyPatch()
    for each in {DynadockError, *_family(DynadockError)}:
        if "__init__" in vars(each) or each is DynadockError:
            patch.setattr(each, "__init__", _watched(each, told))

    def undo():
        patch.undo()
        logger.setLevel(logging.NOTSET)
        logging.getLogger().removeHandler(listener)

    config.add_cleanup(undo)
    config.pluginmanager.register(_Reports(told), "secret-watch-reports")


class _Reports:
    """Looks at what tests have written, and at warnings."""

    def __init__(self, told):
        self._told = told

    def pytest_runtest_logreport(self, report):
        # Once each: a test's last report has the sections of all its phases.
        if report.when == "teardown":
            for name, content in report.sections:
                if is_told_by(content):
                    self._told.append(f"{report.nodeid}: {name}")

    def pytest_warning_recorded(self, warning_message, nodeid):
        if is_told_by(str(warning_message.message)):
            self._told.append(f"{nodeid}: warned of in a {warning_message.category.__name__}")


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    """Take over what a worker of pytest-xdist has seen."""
    node.config.stash[TOLD] += getattr(node, "workeroutput", {}).get("told", [])


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session):
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["told"] = session.config.stash[TOLD]
    if session.config.stash[TOLD] and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter, config):
    told = config.stash[TOLD]
    if told:
        terminalreporter.section("secrets that were told", red=True, bold=True)
        # Where, and not what: it may be a test of this very plugin.
        for line in dict.fromkeys(told):
            terminalreporter.line(line)
