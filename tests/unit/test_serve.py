"""`python -m dynadock serve`: an engine at a socket until Ctrl-C, or for one command."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from dynadock import BadRequest, load
from serving import comes_true

SERVE = [sys.executable, "-W", "error", "-m", "dynadock", "serve"]


@contextmanager
def serving(*arguments):
    """Serve, and give the process and the address that it prints."""
    with subprocess.Popen(
        [*SERVE, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            line = process.stdout.readline().strip()
            yield process, line.removeprefix("export DOCKER_HOST=")
        finally:
            process.kill()


def ran(*arguments, **options):
    return subprocess.run(
        [*SERVE, *arguments], capture_output=True, text=True, timeout=30, check=False, **options
    )


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_it_serves_until_it_is_told_to_end(ending):
    with serving() as (process, host):
        with load("1.42", host=host, timeout=10) as client:
            assert client.ContainerList() == []
            process.send_signal(ending)
            assert process.wait(5) == 0
        folder = Path(host.removeprefix("unix://")).parent
        assert not folder.exists()
        assert (process.stdout.read(), process.stderr.read()) == ("", "")


def test_the_socket_lies_in_a_folder_for_this_user_alone():
    with serving() as (_, host):
        assert Path(host.removeprefix("unix://")).parent.stat().st_mode & 0o777 == 0o700


def test_it_serves_where_it_is_told_to(tmp_path):
    address = f"unix://{tmp_path}/with a blank.sock"
    with serving("-H", address) as (_, host):
        assert host == f"'{address}'"
    with (
        serving("--host", "tcp://127.0.0.1:0") as (_, host),
        load("1.42", host=host, timeout=10) as client,
    ):
        assert client.SystemPing() == "OK"


def test_it_speaks_the_versions_that_it_is_told_to():
    with (
        serving("--api", "1.30-1.41") as (_, host),
        load("1.41", host=host, timeout=10) as client,
    ):
        version = client.SystemVersion()
    assert (version.MinAPIVersion, version.ApiVersion) == ("1.30", "1.41")


def test_ids_are_the_same_with_the_same_seed():
    ids = set()
    for _ in range(2):
        with (
            serving("--seed", "7") as (_, host),
            load("1.41", host=host, timeout=10) as client,
        ):
            ids.add(client.ContainerCreate(body={"Image": "busybox"}).Id)
    assert len(ids) == 1


@pytest.mark.parametrize("strict", [True, False])
def test_a_strict_one_refuses_what_documents_do_not_know(strict):
    with (
        serving(*(["--strict"] if strict else [])) as (_, host),
        load("1.42", host=host, timeout=10, unknown="send") as client,
    ):
        if strict:
            with pytest.raises(BadRequest, match="nonsense"):
                client.ContainerList(nonsense=1)
        else:
            assert client.ContainerList(nonsense=1) == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--api", "9.1"], "there are 1.25 to"),
        (["--api", "new"], "'new' is not an API version"),
        (["-H", "ssh://there"], "unix:///path"),
        (["-H", "tcp://0.0.0.0:0"], "other machines"),
        (["--nonsense"], "No such option"),
    ],
)
def test_what_is_wrong_is_said_without_a_traceback(arguments, words):
    found = ran(*arguments)
    assert found.returncode != 0
    assert words in found.stderr
    assert "Traceback" not in found.stderr


def test_a_warning_says_who_may_reach_it():
    found = ran("-H", "tcp://0.0.0.0:0", "--allow-remote", "--", "true")
    assert found.returncode == 0
    assert found.stderr.startswith("Warning: tcp://0.0.0.0 can be reached from other machines")


# With a command

CALL = "import dynadock; print(dynadock.load('1.42').SystemPing())"


def test_a_command_finds_the_engine():
    found = ran("--", sys.executable, "-c", CALL)
    assert (found.returncode, found.stdout, found.stderr) == (0, "OK\n", "")


def test_a_command_is_not_led_to_another_engine():
    elsewhere = {"DOCKER_TLS_VERIFY": "1", "DOCKER_CONTEXT": "there", "DOCKER_CERT_PATH": "/no"}
    found = ran("--", sys.executable, "-c", CALL, env={**os.environ, **elsewhere})
    assert (found.returncode, found.stdout) == (0, "OK\n")


def test_a_commands_output_and_exit_code_are_its_own():
    found = ran("sh", "-c", "cat; echo trouble >&2; exit 7", input="typed")
    assert (found.returncode, found.stdout, found.stderr) == (7, "typed", "trouble\n")


def test_a_command_that_a_signal_ends_has_a_shells_exit_code():
    assert ran("--", "sh", "-c", "kill -TERM $$").returncode == 128 + signal.SIGTERM


def test_a_command_that_is_not_there_has_a_shells_exit_code(tmp_path):
    assert ran("--", "no-such-command").returncode == 127
    (tmp_path / "file").write_text("no program")
    assert ran("--", str(tmp_path / "file")).returncode == 126


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGUSR1])
def test_signals_are_handed_on_to_the_command(tmp_path, number):
    trap = f"trap 'echo caught > {tmp_path}/it; exit 5' INT TERM USR1"
    script = f"{trap}; echo on; while :; do sleep 0.05; done"
    with subprocess.Popen(
        [*SERVE, "--", "sh", "-c", script], stdout=subprocess.PIPE, start_new_session=True
    ) as process:
        try:
            assert process.stdout.readline() == b"on\n"
            process.send_signal(number)
            assert process.wait(10) == 5
        finally:
            process.kill()
    assert comes_true((tmp_path / "it").exists)


# Help


@pytest.mark.parametrize("command", [[], ["serve"]])
def test_help_says_what_it_is_for(command):
    found = subprocess.run(
        [sys.executable, "-m", "dynadock", *command, "--help"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "engine" in found.stdout
    assert found.stderr == ""
