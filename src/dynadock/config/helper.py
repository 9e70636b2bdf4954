"""Credential helpers: the programs ``docker-credential-*`` that keep secrets for others.

What they are told and what they answer is the protocol that the docker command speaks: the action
is the argument, the registry's key or a JSON object comes on standard input, and the answer goes to
standard output, errors included.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from dynadock.errors import ConfigError
from dynadock.options import MASK

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


class Answer(NamedTuple):
    """How a helper ended: what it wrote, and its exit code."""

    code: int
    stdout: bytes
    stderr: bytes


class Helper:
    """The program ``docker-credential-<name>``, which may take ``timeout`` seconds for an answer.

    ConfigError from any method if there is no such program, if it fails, is too slow or answers
    nonsense; it names the program and shows what it said of the cause, and no secret.
    """

    def __init__(self, name: str, timeout: float = HELPER_TIMEOUT) -> None:
        if not _NAME.fullmatch(name):
            raise ConfigError(f"{name!r} is no name of a credential helper")
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
        values = self._object("get", answer)
        folded = {name.casefold(): value for name, value in values.items()}
        user, secret = folded.get("username", ""), folded.get("secret", "")
        if not isinstance(user, str) or not isinstance(secret, str):
            raise ConfigError(f"{self.program} get: 'Username' and 'Secret' are to be text")
        return (user, secret) if secret else None

    def keys(self) -> list[str]:
        """Return the keys of all that the helper keeps."""
        answer = self._run("list", "")
        self._check("list", answer)
        return list(self._object("list", answer))

    def store(self, key: str, user: str, secret: str) -> None:
        """Keep ``user`` and ``secret`` under ``key``."""
        values = {"ServerURL": key, "Username": user, "Secret": secret}
        answer = self._run("store", json.dumps(values))
        self._check("store", answer, secret)

    def erase(self, key: str) -> None:
        """Forget what is kept under ``key``, be there anything or not."""
        answer = self._run("erase", key)
        if not _is_missing(answer):
            self._check("erase", answer)

    def _run(self, action: str, text: str) -> Answer:
        # Imported here for start-up time: few configurations have helpers.
        import subprocess  # noqa: PLC0415

        path = find_program(self.program)
        if path is None:
            raise ConfigError(f"{self.program}: there is no such program in the PATH")
        try:
            ran = subprocess.run(  # noqa: S603 - no shell, and the path is a whole one
                [path, action],
                input=text.encode("utf-8", "replace"),
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
        # Raised out here: what hangs on those errors may hold what the program was told or said.
        raise ConfigError(f"{self.program} {action} {problem}")

    def _check(self, action: str, answer: Answer, secret: str = "") -> None:
        if answer.code == 0:
            return
        # The helpers of the docker project write their errors to standard output, where an answer
        # would be too; that has braces, and is not shown.
        said = b"" if b"{" in answer.stdout else answer.stdout
        words = _shown(said + b" " + answer.stderr, secret) or "(it did not say why)"
        raise ConfigError(f"{self.program} {action} failed with code {answer.code}: {words}")

    def _object(self, action: str, answer: Answer) -> dict[str, Any]:
        value: Any = None
        is_json = True
        try:
            # What follows the value does not count, as little as it does to the docker command.
            value, _ = json.JSONDecoder().raw_decode(answer.stdout.decode().lstrip())
        except (ValueError, RecursionError):
            is_json = False
        if not is_json or not isinstance(value, (dict, type(None))):
            said = _shown(answer.stderr)
            problem = "answered with something that is no JSON object"
            raise ConfigError(f"{self.program} {action} {problem}{said and ': '}{said}")
        return value or {}


def find_program(name: str) -> str | None:
    """Return the whole path of a program in the PATH, None if there is none.

    One that is found in the current folder does not count: it may be anybody's.
    """
    # Imported here for start-up time: few configurations have helpers.
    from shutil import which  # noqa: PLC0415

    path = which(name)
    return path if path and Path(path).is_absolute() else None


def default_helper() -> str:
    """Return the name of the helper that the docker command uses unless told otherwise, or "".

    It uses the platform's own if it is installed: release 28.2, tried on Linux, takes ``pass``
    where there is a program of that name, else ``secretservice``.
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
    """Return what a helper wrote as one short line, without ``secret`` and what is called one."""
    text = said.decode("utf-8", "replace")
    for form in (secret, json.dumps(secret)[1:-1]):
        text = text.replace(form, MASK) if form else text
    line = " ".join(_SECRET.sub(rf"\1{MASK}", text).split())
    line = "".join(c if c.isprintable() else "?" for c in line)
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}..."
