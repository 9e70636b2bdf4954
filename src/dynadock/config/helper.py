"""Credential helpers: the programs ``docker-credential-*`` that store the docker command's secrets.

Their protocol: the action (``get``, ``list``, ``store``, ``erase``) is the only argument, the
registry's key or a JSON object is on standard input, and the answer goes to standard output, errors
included.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from dynadock.errors import ConfigError
from dynadock.secret import MASK, SecretBytes, conceal, plain_string, reveal

if TYPE_CHECKING:
    from typing import Any

HELPER_TIMEOUT = 30.0
"""Seconds that a helper may take: it may have to ask a user, or a service."""

TOKEN_USER = "<token>"  # noqa: S105 - the name that says that the secret is an identity token

_PREFIX = "docker-credential-"
_NAME = re.compile(r"[\w.+@-]+", re.ASCII)
_NOT_FOUND = "credentials not found"
_LONGEST = 300
_SECRET = re.compile(r'("Secret"\s*:\s*)(?:"(?:\\.|[^"\\])*"?|[^,}\s]+)', re.IGNORECASE)


class Answer:
    """How a helper ended: what it wrote, which may hold a secret, and its exit code."""

    def __init__(self, code: int, stdout: bytes, stderr: bytes) -> None:
        self.code = code
        self.stdout: bytes = SecretBytes(stdout)
        self.stderr: bytes = SecretBytes(stderr)


class Helper:
    """The program ``docker-credential-<name>``, which may take ``timeout`` seconds for an answer.

    ConfigError from any method if there is no such program, if it fails, is too slow or gives an
    invalid answer; it names the program and quotes its error message, without secrets.
    """

    def __init__(self, name: str, timeout: float = HELPER_TIMEOUT) -> None:
        if not _NAME.fullmatch(name):
            raise ConfigError(f"{name!r} is not the name of a credential helper")
        self.program = f"{_PREFIX}{name}"
        self._timeout = timeout

    def __repr__(self) -> str:
        return f"Helper({self.program!r})"

    def get(self, key: str) -> tuple[str, str] | None:
        """Return the user and the secret kept under ``key``, None if there are none."""
        answer = self._run("get", key)
        if _is_missing(answer):
            return None
        self._check("get", answer)
        values = conceal(self._object("get", answer))
        folded = {name.casefold(): value for name, value in values.items()}
        user, secret = folded.get("username", ""), folded.get("secret", "")
        if not isinstance(user, str) or not isinstance(secret, str):
            raise ConfigError(f"{self.program} get: 'Username' and 'Secret' must be text")
        return (plain_string(user), secret) if secret else None

    def keys(self) -> list[str]:
        """Return the keys of all credentials that the helper stores."""
        answer = self._run("list", "")
        self._check("list", answer)
        return list(self._object("list", answer))

    def store(self, key: str, user: str, secret: str) -> None:
        """Store ``user`` and ``secret`` under ``key``."""
        values = {"ServerURL": key, "Username": user, "Secret": secret}
        answer = self._run("store", conceal(json.dumps(reveal(values))))
        self._check("store", answer, secret)

    def erase(self, key: str) -> None:
        """Erase what is stored under ``key``, if anything is."""
        answer = self._run("erase", key)
        if not _is_missing(answer):
            self._check("erase", answer)

    def _run(self, action: str, text: str) -> Answer:
        import subprocess

        path = find_program(self.program)
        if path is None:
            raise ConfigError(f"{self.program}: there is no such program in the PATH")
        try:
            ran = subprocess.run(  # noqa: S603 - no shell, and the path is a whole one
                [path, action],
                input=SecretBytes(plain_string(text).encode("utf-8", "replace")),
                capture_output=True,
                timeout=self._timeout,
                check=False,
            )
        except subprocess.TimeoutExpired:
            problem = f"gave no answer within {self._timeout:g} s"
        except OSError as error:
            problem = f"cannot be run: {error.strerror or error}"
        else:
            return Answer(ran.returncode, ran.stdout, ran.stderr)
        # Not raised in an except block: those errors, which may hold the program's input and
        # output, would become its context.
        raise ConfigError(f"{self.program} {action} {problem}")

    def _check(self, action: str, answer: Answer, secret: str = "") -> None:
        if answer.code == 0:
            return
        # The docker project's helpers write errors to standard output. What has braces is an answer
        # and may hold a secret, so it is not shown.
        said = b"" if b"{" in answer.stdout else answer.stdout
        words = _shown(said + b" " + answer.stderr, secret) or "(it did not say why)"
        raise ConfigError(f"{self.program} {action} failed with code {answer.code}: {words}")

    def _object(self, action: str, answer: Answer) -> dict[str, Any]:
        value = _object_in(answer.stdout)
        if value is None:
            said = _shown(answer.stderr)
            problem = "answered with something that is not a JSON object"
            raise ConfigError(f"{self.program} {action} {problem}{said and ': '}{said}")
        return value


def _object_in(stdout: bytes) -> dict[str, Any] | None:
    """Return the JSON object that a helper wrote, None if it wrote something else."""
    try:
        # Anything after the value is ignored, as by the docker command.
        value, _ = json.JSONDecoder().raw_decode(stdout.decode().lstrip())
    except (ValueError, RecursionError):
        return None
    if value is None:
        return {}
    return value if isinstance(value, dict) else None


def find_program(name: str) -> str | None:
    """Return the whole path of a program in the PATH, None if there is none.

    A program in the current folder does not count: anybody may have put it there.
    """
    from shutil import which

    path = which(name)
    return path if path and Path(path).is_absolute() else None


def default_helper() -> str:
    """Return the name of the helper that the docker command uses by default, "" if there is none.

    That is the platform's own, if it is installed. On Linux it is ``pass`` if there is a program of
    that name, else ``secretservice`` (seen with release 28.2).
    """
    if sys.platform == "win32":
        name = "wincred"
    elif sys.platform == "darwin":
        name = "osxkeychain"
    else:
        name = "pass" if find_program("pass") else "secretservice"
    return name if find_program(f"{_PREFIX}{name}") else ""


def _is_missing(answer: Answer) -> bool:
    return any(
        _NOT_FOUND.encode() in text.lower() and b"{" not in text
        for text in (answer.stdout, answer.stderr)
    )


def _shown(said: bytes, secret: str = "") -> str:
    """Return a helper's output as one short line, with ``secret`` and any "Secret" masked."""
    text = said.decode("utf-8", "replace")
    plain = plain_string(secret)
    for form in (plain, json.dumps(plain)[1:-1]):
        text = text.replace(form, MASK) if form else text
    line = " ".join(_SECRET.sub(rf"\1{MASK}", text).split())
    line = "".join(c if c.isprintable() else "?" for c in line)
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}..."
