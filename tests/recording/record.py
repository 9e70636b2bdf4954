"""Drive the docker command through a proxy that watches, and write what it sent as test cases.

``python tests/recording/record.py SOCKET VERSION...`` runs the commands of ``commands.yaml`` at
each API version against the engine behind the unix socket SOCKET, and writes a file of cases for
each group and version: what the command line was, and each request with a JSON body it led to.

The engine must be in no swarm: the groups that need one make it and leave it. Everything made there
bears a name that begins with ``rec-`` and is removed again, as is what bore such a name before.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

from dynadock.compat.watch import Watch
from dynadock.wire.messages import media_type

if TYPE_CHECKING:
    from dynadock.compat.exchanges import Passed
    from dynadock.spec.model import Operation
    from dynadock.wire.messages import Request

HERE = Path(__file__).parent
CASES = HERE.parent / "cases" / "recorded"
PREFIX = "rec-"
KEPT_HEADERS = re.compile(r"content-type|x-registry-.*")
NO_CREDENTIALS = frozenset({"", "e30=", "e30"})  # nothing, and an empty object in base64
SECRETS = [
    (re.compile(r"SWMTKN-1-\w+-\w+"), "SWMTKN-1-masked-masked"),
    (re.compile(r"SWMKEY-1-[\w+/=-]+"), "SWMKEY-1-masked"),
]
STARTED = re.compile(r"/containers/([0-9a-f]{64})/start$")
PLUGIN = {
    "description": "does nothing",
    "entrypoint": ["/bin/true"],
    "interface": {"types": ["docker.volumedriver/1.0"], "socket": "rec.sock"},
    "network": {"type": "host"},
    "linux": {"capabilities": ["CAP_SYS_ADMIN"], "allowAllDevices": True},
    "env": [
        {"name": "MODE", "settable": ["value"], "value": ""},
        {"name": "LEVEL", "settable": ["value"], "value": "1"},
    ],
}

# How to list the names of what there is, and how to remove one; services before what they use.
SWEEP = [
    ("service ls --format {{.Name}}", "service rm"),
    ("ps --all --format {{.Names}}", "rm --force --volumes"),
    ("secret ls --format {{.Name}}", "secret rm"),
    ("config ls --format {{.Name}}", "config rm"),
    ("network ls --format {{.Name}}", "network rm"),
    ("volume ls --format {{.Name}}", "volume rm --force"),
    ("plugin ls --format {{.Name}}", "plugin rm --force"),
    ("plugin ls --filter enabled=false --format {{.Name}}", "plugin rm --force"),
    ("image ls --format {{.Repository}}:{{.Tag}}", "image rm --force"),
]


class Line(NamedTuple):
    """One line of ``commands.yaml``."""

    command: str
    stdin: str = ""
    since: str = "0.0"

    def speaks(self, version: str) -> bool:
        return _numbers(self.since) <= _numbers(version)


class Docker:
    """The docker command against one engine at one API version, without the user's settings."""

    def __init__(self, engine: Path, version: str, folder: Path) -> None:
        self.engine = engine
        self.version = version
        self._folder = folder
        self._plugin = make_plugin(folder / "plugin")

    def run(self, line: Line, socket: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run a line, through another socket than the engine's own where one is given."""
        return subprocess.run(
            [self._filled_in(word) for word in shlex.split(line.command)],
            input=line.stdin,
            capture_output=True,
            text=True,
            check=False,
            cwd=HERE,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(self._folder),
                "DOCKER_CONFIG": str(self._folder),
                "DOCKER_HOST": f"unix://{socket or self.engine}",
                "DOCKER_API_VERSION": self.version,
            },
        )

    def _filled_in(self, word: str) -> str:
        if word == "{plugin}":
            return str(self._plugin)
        if word == "{node}":
            nodes = self.ask("node ls --quiet")
            return nodes[0] if nodes else sys.exit("the engine has left its swarm by itself")
        return word

    def ask(self, command: str) -> list[str]:
        """Return the lines a command prints; none where it fails."""
        return self.run(Line(f"docker {command}")).stdout.split()

    def recorded(self, line: Line) -> tuple[list[dict[str, Any]], str]:
        """Run a line through the proxy: its requests, and what the command had to complain of."""
        listen = self._folder / "watch.sock"
        requests = Requests()
        with Watch(f"unix://{self.engine}", f"unix://{listen}", recorder=requests):
            done = self.run(line, listen)
        return requests.lines, done.stderr.strip()

    def sweep(self) -> None:
        """Remove everything whose name begins with the prefix."""
        for listing, removal in SWEEP:
            for name in self.ask(listing):
                if name.rpartition("/")[2].startswith(PREFIX):
                    self.ask(f"{removal} {name}")


class Requests:
    """Takes what passes: of each request ``method``, ``target``, ``headers``, ``status``, ``body``.

    Headers have their names in small letters, a body is there where it was JSON, and a status is
    None where no reply came.
    """

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []

    def write(self, passed: Passed, _operation: Operation | None, _request: Request) -> None:
        headers = {name.lower(): value for name, value in passed.request_headers.items()}
        line = {
            "method": passed.method,
            "target": passed.target,
            "headers": headers,
            "status": passed.status,
        }
        body = passed.request_body.data
        if body and media_type(passed.request_headers) == "application/json":
            line["body"] = json.loads(body)
        self.lines.append(line)

    def close(self) -> None:
        """Take no more."""


def make_plugin(folder: Path) -> Path:
    """Make what ``docker plugin create`` takes: a description and a root folder."""
    if not folder.exists():
        (folder / "rootfs").mkdir(parents=True)
        (folder / "rootfs" / "empty").touch()
        (folder / "config.json").write_text(json.dumps(PLUGIN))
    return folder


def read_groups(section: dict[str, Any]) -> dict[str, dict[str, list[Line]]]:
    """Return a section's groups: of each, the lines of "before" and "record"."""
    return {
        group: {
            part: [Line(entry) if isinstance(entry, str) else Line(**entry) for entry in entries]
            for part, entries in parts.items()
        }
        for group, parts in section.items()
    }


def record_group(docker: Docker, engine: str, parts: dict[str, list[Line]]) -> list[dict[str, Any]]:
    """Return the cases of one group; say which lines gave none."""
    cases = []
    for line in parts.get("before", []):
        if (done := docker.run(line)).returncode:
            sys.exit(f"{line.command}: {done.stderr}")
    for line in parts["record"]:
        if not line.speaks(docker.version):
            continue
        requests, complaint = docker.recorded(line)
        bodies = [request for request in requests if "body" in request]
        if complaint and not bodies:
            print(f"{docker.version}: no body from {line.command}\n  {complaint}")
        cases += [case(line, docker.version, engine, request) for request in bodies]
        for request in requests:
            if started := STARTED.search(request["target"]):
                docker.ask(f"rename {started[1]} {PREFIX}{started[1]}")
    docker.sweep()
    return cases


def case(line: Line, version: str, engine: str, request: dict[str, Any]) -> dict[str, Any]:
    """Return a recorded request as a case, without what is secret."""
    headers = {
        name: value
        for name, value in request["headers"].items()
        if KEPT_HEADERS.fullmatch(name)
        and (not name.startswith("x-registry-") or value in NO_CREDENTIALS)
    }
    return {
        "command": line.command,
        "api_version": version,
        "engine": engine,
        "method": request["method"],
        "target": request["target"],
        "headers": headers,
        "body": masked(request["body"]),
        "status": request["status"],
    }


def masked(value: Any) -> Any:
    """Return a JSON value with its secrets masked in their own form."""
    if isinstance(value, dict):
        return {key: masked(part) for key, part in value.items()}
    if isinstance(value, list):
        return [masked(part) for part in value]
    if isinstance(value, str):
        for pattern, mask in SECRETS:
            value = pattern.sub(mask, value)
    return value


def write_cases(folder: Path, group: str, version: str, cases: list[dict[str, Any]]) -> None:
    """Write a file of cases, one a line; none where there are none."""
    if cases:
        text = ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases)
        (folder / f"{group}-{version}.json").write_text(f"[\n{text}\n]\n", encoding="utf-8")


def record_version(docker: Docker, folder: Path) -> None:
    """Record all groups at one version."""
    (engine,) = docker.ask("version --format {{.Server.Version}}")
    if docker.ask("info --format {{.Swarm.LocalNodeState}}") != ["inactive"]:
        sys.exit("the engine is in a swarm; this wants one that it may make and leave")
    docker.sweep()
    for name, section in yaml.safe_load((HERE / "commands.yaml").read_text()).items():
        try:
            for group, parts in read_groups(section).items():
                cases = record_group(docker, engine.partition("+")[0], parts)
                write_cases(folder, group, docker.version, cases)
        finally:
            if name == "swarm":
                docker.ask("swarm leave --force")
            docker.sweep()


def _numbers(version: str) -> list[int]:
    return [int(number) for number in version.split(".")]


def main() -> None:
    parser = argparse.ArgumentParser(description="Record the docker command's requests as cases.")
    parser.add_argument("socket", type=Path, help="the engine's unix socket")
    parser.add_argument("versions", nargs="+", help="API versions that the engine speaks")
    parser.add_argument("--to", type=Path, default=CASES, help="the folder for the cases")
    given = parser.parse_args()
    given.to.mkdir(parents=True, exist_ok=True)
    for version in given.versions:
        with tempfile.TemporaryDirectory() as folder:
            record_version(Docker(given.socket, version, Path(folder)), given.to)


if __name__ == "__main__":
    main()
