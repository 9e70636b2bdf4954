"""Configuration folders of the docker command, and credential helpers, made for tests."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

RECORDED = Path(__file__).parent / "cases" / "config"
NOT_FOUND = "credentials not found in native keychain\n"


def recorded(name):
    """Return what was recorded of the docker command's release 28.2."""
    return json.loads((RECORDED / f"{name}.json").read_text(encoding="utf-8"))


def write_config(folder, config):
    """Write a ``config.json``: of a value, of a text or bytes as they are, none for None."""
    folder.mkdir(parents=True, exist_ok=True)
    if config is None:
        return
    if not isinstance(config, (str, bytes)):
        config = json.dumps(config)
    content = config if isinstance(config, bytes) else config.encode()
    (folder / "config.json").write_bytes(content)


def answer(username, secret):
    """Return what a helper gives that knows a user: exit code, standard output and error."""
    values = {"ServerURL": "https://other.example", "Username": username, "Secret": secret}
    return 0, json.dumps(values) + "\n", ""


class Programs:
    """A folder of programs, the only one in the PATH; ``asked`` are the calls of helpers in it."""

    def __init__(self, folder, monkeypatch):
        self.folder = folder
        folder.mkdir()
        monkeypatch.setenv("PATH", str(folder))
        self._log = folder / "log"

    def add(self, name, script=""):
        """Write a program of the shell, which finds no other programs but with their path."""
        path = self.folder / name
        # A program may write any bytes: "\udcff" stands for 0xff.
        path.write_text(f"#!/bin/sh\n{script}", encoding="utf-8", errors="surrogateescape")
        path.chmod(0o755)

    def add_helper(self, name, actions):
        """Write a helper that ends each action with an exit code, standard output and error."""
        log = shlex.quote(str(self._log))
        lines = ["read -r input", f'printf "%s %s %s\\n" {name} "$1" "$input" >> {log}']
        lines += ['case "$1" in']
        for action, (code, out, err) in actions.items():
            quoted = shlex.quote(out), shlex.quote(err)
            lines.append(
                f"{action}) printf %s {quoted[0]}; printf %s {quoted[1]} >&2; exit {code};;"
            )
        self.add(f"docker-credential-{name}", "\n".join([*lines, "esac", "exit 9", ""]))

    @property
    def asked(self):
        """Return what helpers were asked so far: their name, the action and their input."""
        if not self._log.exists():
            return []
        lines = self._log.read_text(encoding="utf-8").splitlines()
        return [line.split(" ", 2) for line in lines]
