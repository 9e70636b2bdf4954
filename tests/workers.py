"""How a run is shared among the processes of pytest-xdist: a file each, and the engines to one."""

from __future__ import annotations

import pytest

ENGINE_TESTS = "tests/engine/"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    from xdist.scheduler import LoadFileScheduling

    class EnginesToOne(LoadFileScheduling):
        """What tests make on engines, and what a whole run has seen of them, has one owner."""

        def _split_scope(self, nodeid):
            if nodeid.startswith(ENGINE_TESTS):
                return ENGINE_TESTS
            return super()._split_scope(nodeid)

    return EnginesToOne(config, log)
