"""How a run is shared among the processes of pytest-xdist.

A file is one process's; of the tests on engines all that an engine is used for are, and those of
other clients, which compare with one. What they make there, and what a whole run has seen of it,
then has one owner, and engines wait for nobody.
"""

from __future__ import annotations

import re

import pytest

ENGINE_TESTS = "tests/engine/"
CLIENT_TESTS = "tests/clients/"
PODMAN = "podman"
TARGET = re.compile(r"\[([^\]-]+)")
"""The engine with which a test's arguments begin, as in ``[d26-1.42-a case]``."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    from xdist.scheduler import LoadFileScheduling

    from clients.reference import found
    from engine.engines import engines, one_of

    names = {each.name for each in engines()}
    # Pages and others that name no engine are run on the one that stands for all.
    default = next((each.name for each in one_of(engines())), "none")

    # A page that is run on Podman is run on the first one (`speaker` in engine/conftest.py).
    podman = next((each.name for each in engines() if each.kind == PODMAN), default)
    reference = found()

    class AnEngineEach(LoadFileScheduling):
        def _split_scope(self, nodeid):
            if nodeid.startswith(CLIENT_TESTS) and reference is not None:
                return reference.name
            if not nodeid.startswith(ENGINE_TESTS):
                return super()._split_scope(nodeid)
            found = TARGET.search(nodeid)
            if found and found[1] == PODMAN:
                return podman
            return found[1] if found and found[1] in names else default

    return AnEngineEach(config, log)
