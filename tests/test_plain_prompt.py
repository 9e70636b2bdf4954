"""The Tab key at Python's own prompt, on a pseudo-terminal."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.util import find_spec

import pytest

from lacking import give_up

if find_spec("readline") is None:
    give_up("this Python has no readline")

CLIENT = "import dynadock; client = dynadock.load('1.42', host='unix:///nowhere.sock')"
CLEAR = "\x15"
ESCAPES = re.compile("\x1b\\[[0-9;?]*[A-Za-z]|\x07")


class Prompt:
    """A Python that has its prompt on a pseudo-terminal."""

    def __init__(self, folder) -> None:
        self._master, slave = os.openpty()
        quiet = {
            "HOME": str(folder),
            "TERM": "dumb",
            "PYTHON_BASIC_REPL": "1",
            "INPUTRC": "/dev/null",
        }
        self.process = subprocess.Popen(
            [sys.executable, "-i", "-c", CLIENT],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**os.environ, **quiet},
            start_new_session=True,
        )
        os.close(slave)
        self.until(">>> ")

    def until(self, end: str) -> str:
        """Return what comes until it ends so; the test's own time limit is the only one."""
        seen = ""
        while not seen.endswith(end):
            seen = ESCAPES.sub("", seen + os.read(self._master, 1024).decode())
        return seen

    def type(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._master)


@pytest.fixture(scope="module")
def prompt(tmp_path_factory):
    prompt = Prompt(tmp_path_factory.mktemp("home"))
    yield prompt
    prompt.close()


def test_what_a_plain_prompt_completes_by_itself(prompt):
    for typed, whole in [
        ("client.VolumeCr", "client.VolumeCreate("),
        ("client.VolumeCreate.prep", "client.VolumeCreate.prepare("),
    ]:
        prompt.type(f"{typed}\t")
        prompt.until(whole)
        prompt.type(CLEAR)


def test_what_it_completes_once_that_is_enabled(prompt):
    prompt.type("dynadock.enable_completion()\n")
    prompt.until("\n>>> ")
    for typed, whole in [
        ('client.operations["VolumeCr', 'client.operations["VolumeCreate"'),
        ("client.VolumeCreate(DriverO", "client.VolumeCreate(DriverOpts="),
        ('client.ContainerWait("x", condition="re', 'condition="removed"'),
        ('client.ContainerCreate(HostConfig={"MemoryR', '{"MemoryReservation"'),
        ("client.ContainerList()[0].Nam", "client.ContainerList()[0].Names"),
        ("dynadock.load('1.26", "dynadock.load('1.26'"),
        ("from dynadock import erase_c", "from dynadock import erase_credentials"),
        ("import dynadock.err", "import dynadock.errors"),
    ]:
        prompt.type(f"{typed}\t")
        prompt.until(whole)
        prompt.type(CLEAR)
