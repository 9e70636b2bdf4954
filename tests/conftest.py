"""What every test stands on: folders of its own, and an environment that names no engine."""

from __future__ import annotations

import os
import signal
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings

import secret_watch
import workers

pytest_plugins = ["pytester"]

ENGINE_TESTS = Path(__file__).parent / "engine"
ENVIRONMENT = (
    "DOCKER_API_VERSION",
    "DOCKER_CERT_PATH",
    "DOCKER_CONFIG",
    "DOCKER_CONTEXT",
    "DOCKER_HOST",
    "DOCKER_TLS",
    "DOCKER_TLS_VERIFY",
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"),
)

settings.register_profile("dynadock", deadline=None, max_examples=60, print_blob=True)
settings.register_profile(
    "ci", settings.get_profile("dynadock"), derandomize=True, max_examples=100
)
settings.load_profile("ci" if os.environ.get("CI") else "dynadock")


def pytest_configure(config):
    """Give the run a cache and a data folder before the first test module loads a document.

    Workers of pytest-xdist use those of the run that started them.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # As it is in what a shell script starts in the background; tests interrupt themselves.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    config.pluginmanager.register(secret_watch)
    config.pluginmanager.register(workers)
    if hasattr(config, "workerinput"):
        return
    folder = tempfile.TemporaryDirectory(prefix="dynadock-tests-")
    config.add_cleanup(folder.cleanup)
    patch = pytest.MonkeyPatch()
    config.add_cleanup(patch.undo)
    # One cache for the whole run: each document is compiled once, whoever asks for it.
    patch.setenv("DYNADOCK_CACHE", f"{folder.name}/cache")
    patch.setenv("DYNADOCK_DATA", f"{folder.name}/data")


@pytest.fixture(scope="session")
def empty_config(tmp_path_factory):
    """A configuration of the docker command without credentials, and without the platform's helper.

    That helper is not asked where there is an entry in ``auths``.
    """
    folder = tmp_path_factory.mktemp("config")
    (folder / "config.json").write_text('{"auths": {"unused.invalid": {}}}', encoding="utf-8")
    return folder


@pytest.fixture(autouse=True)
def no_engine_in_the_environment(request, monkeypatch, empty_config):
    """Keep tests that need no engine from finding one, and from the user's own credentials.

    Those of engines are told by the environment.
    """
    if ENGINE_TESTS not in request.path.parents:
        for name in ENVIRONMENT:
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("DOCKER_CONFIG", str(empty_config))


@pytest.fixture
def small_folder(monkeypatch, tmp_path):
    """Run a test where the build context of examples, the folder one is in, takes no time."""
    (tmp_path / "Dockerfile").write_text("FROM scratch\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
