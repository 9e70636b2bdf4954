"""Calls about the life of containers."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from dynadock import Client, DynadockError
from likeness.pair import LABEL, Pair

NAMES = ("one", "two", "three")
CONTAINERS = st.sampled_from(["one", "one", "two", "three"])
VOLUMES = st.sampled_from(["data", "more"])
SHORT: dict[str, list[str]] = {
    "true": ["true"],
    "both": ["sh", "-c", "echo out; echo err >&2; exit 3"],
    "lines": ["sh", "-c", "for i in 1 2 3; do echo line $i; done; printf end"],
    "touch": ["sh", "-c", "echo new > /tmp/made; rm -f /etc/hosts.old; mkdir -p /srv/deep"],
    "share": ["sh", "-c", "echo more >> /vol/shared; cat /vol/shared"],
    "nothing": ["/nowhere"],
    "unknown": ["not-a-command"],
}
"""Commands that end by themselves."""

LONG: dict[str, list[str]] = {
    "sleep": ["sleep", "600"],
    "trap": ["sh", "-c", "trap 'echo caught; exit 5' TERM; echo ready; sleep 600 & wait"],
}
COMMANDS = st.sampled_from([*SHORT, *LONG])
MILLISECOND = 1_000_000
HEALTH = {
    "fine": {"Test": ["CMD-SHELL", "echo well"], "Interval": 200 * MILLISECOND, "Retries": 1},
    "ill": {"Test": ["CMD", "false"], "Interval": 200 * MILLISECOND, "Retries": 1},
    "none": {"Test": ["NONE"]},
}
POLICIES = st.sampled_from(
    [
        {"Name": "on-failure", "MaximumRetryCount": 1},
        {"Name": "unless-stopped"},
        {"Name": "always"},
        {"Name": "no"},
    ]
)
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "Env": st.just(["A=1", "B="]),
        "Tty": st.booleans(),
        "OpenStdin": st.booleans(),
        "WorkingDir": st.sampled_from(["/tmp", "/made/up"]),
        "User": st.sampled_from(["", "0", "1000:1000", "stranger"]),
        "Hostname": st.just("hosted"),
        "Labels": st.just({"tier": "web"}),
        "ExposedPorts": st.just({"80/tcp": {}, "53/udp": {}}),
        "StopSignal": st.sampled_from(["SIGTERM", "USR1"]),
        "StopTimeout": st.just(1),
        "Entrypoint": st.sampled_from([[], [""], ["echo", "first"]]),
        "Healthcheck": st.sampled_from([*HEALTH.values()]),
        "Image": st.sampled_from(["busybox:latest", "made:v1"]),
    },
)
HOSTS = st.fixed_dictionaries(
    {},
    optional={
        "Init": st.booleans(),
        "AutoRemove": st.booleans(),
        "Memory": st.sampled_from([0, 2**26, 1024]),
        "RestartPolicy": POLICIES,
        "NetworkMode": st.sampled_from(["none", "host", "bridge", "red", "blue", "container:one"]),
        "Tmpfs": st.just({"/scratch": ""}),
        "Published": st.sampled_from([0, 1]),
        "ReadonlyRootfs": st.just(True),
        "ExtraHosts": st.just(["far:10.0.0.1"]),
        "CapAdd": st.just(["NET_ADMIN"]),
    },
)


class Containers(Pair):
    """Rules about making, starting, stopping and removing containers."""

    def __init__(self) -> None:
        super().__init__()
        self.commands: dict[str, str] = {}
        self.patience: dict[str, int] = {}

    @initialize(
        command=COMMANDS,
        fields=st.just({}) | FIELDS,
        host=st.just({}) | HOSTS,
        volume=st.none() | VOLUMES,
        second=st.booleans(),
    )
    def begin(self, command: str, fields: Any, host: Any, volume: Any, second: bool) -> None:
        """Begin with a container that was started, or two."""
        if not self.make("one", command, fields, self.host(host), volume):
            self.make("one", command, {}, {}, volume)
        self.start("one")
        if second:
            self.make("two", "sleep", {}, self.host(host), volume)
            self.start("two")

    def host(self, drawn: dict[str, Any]) -> dict[str, Any]:
        """Return a host configuration whose names and ports are this sequence's."""
        host = dict(drawn)
        mode = host.get("NetworkMode", "")
        if mode.startswith("container:"):
            host["NetworkMode"] = f"container:{self.name(mode.partition(':')[2])}"
        elif mode in ("red", "blue"):
            host["NetworkMode"] = self.name(mode)
        place = host.pop("Published", None)
        if place is not None:
            host["PortBindings"] = {"80/tcp": [{"HostPort": str(self.port + place)}]}
        return host

    @rule(
        short=CONTAINERS,
        command=COMMANDS,
        fields=FIELDS,
        host=HOSTS,
        volume=st.none() | VOLUMES,
    )
    def create(self, short: str, command: str, fields: Any, host: Any, volume: Any) -> None:
        """Create a container."""
        self.make(short, command, fields, self.host(host), volume)

    def make(self, short: str, command: str, fields: Any, host: Any, volume: Any) -> bool:
        """Create a container that is labelled as ours; tell whether that could be done."""
        name = self.name(short)
        if volume:
            host = {**host, "Binds": [f"{self.name(volume)}:/vol"]}
        if host.get("RestartPolicy", {}).get("Name") in ("always", "unless-stopped"):
            # What ends by itself would be started again and again: where it is then is chance.
            command = "sleep"
            fields = {key: value for key, value in fields.items() if key != "Entrypoint"}
        patience = 0 if command == "sleep" and not host.get("Init") else 2
        if (fields.get("Entrypoint") or [""])[0]:
            command = "true"
        body = {
            "Image": "busybox",
            "Cmd": {**SHORT, **LONG}[command],
            **fields,
            "Labels": {**fields.get("Labels", {}), LABEL: self.prefix},
            "HostConfig": host,
        }
        if body["Image"] == "made:v1":
            body["Image"] = self.name("made:v1")
        if command in ("share", "touch"):
            # Permissions are not simulated: who is not root may write everywhere.
            body["User"] = ""
        if self.both("ContainerCreate", name=name, body=body)[0] != "fine":
            return False
        self.commands[name] = command
        self.patience[name] = patience
        return True

    def patience_for(self, name: str) -> int:
        """Return the seconds before a stop kills: whose signal ends it must not race with that."""
        return self.patience.get(name, 2)

    @rule(short=CONTAINERS)
    def start(self, short: str) -> None:
        """Start a container."""
        self.both("ContainerStart", self.name(short))

    @rule(short=CONTAINERS)
    def stop(self, short: str) -> None:
        """Stop a container."""
        name = self.name(short)
        self.both("ContainerStop", name, t=self.patience_for(name))

    @rule(
        short=CONTAINERS,
        signal=st.sampled_from(
            ["KILL", "TERM", "USR1", "SIGUSR2", "HUP", "int", "WINCH", "9", "15", "NONE", "99"]
        ),
    )
    def kill(self, short: str, signal: str) -> None:
        """Send a signal."""
        if signal == "int" and self.commands.get(self.name(short)) == "trap":
            # A shell at its `wait` is ended by it, which the simulated one is not.
            signal = "TERM"
        self.both("ContainerKill", self.name(short), signal=signal)

    @rule(short=CONTAINERS)
    def restart(self, short: str) -> None:
        """Restart a container."""
        name = self.name(short)
        self.both("ContainerRestart", name, t=self.patience_for(name))

    @rule(short=CONTAINERS, operation_id=st.sampled_from(["ContainerPause", "ContainerUnpause"]))
    def pause(self, short: str, operation_id: str) -> None:
        """Pause, or go on."""
        self.both(operation_id, self.name(short))

    @rule(short=CONTAINERS, other=st.sampled_from([*NAMES, "-bad", ""]))
    def rename(self, short: str, other: str) -> None:
        """Give a container a name, perhaps one that is taken or not allowed."""
        old, new = self.name(short), self.name(other) if other.isalpha() else other
        if self.both("ContainerRename", old, name=new)[0] == "fine":
            self.commands[new] = self.commands.pop(old, "true")
            self.patience[new] = self.patience.pop(old, 2)

    @rule(short=CONTAINERS, force=st.booleans(), volumes=st.booleans())
    def delete(self, short: str, force: bool, volumes: bool) -> None:
        """Delete a container."""
        self.both("ContainerDelete", self.name(short), force=force, v=volumes)

    @rule(
        short=CONTAINERS,
        fields=st.just({"CpuShares": 512})
        | st.just({"Memory": 2**27})
        | st.builds(lambda policy: {"RestartPolicy": policy}, POLICIES),
    )
    def update(self, short: str, fields: Any) -> None:
        """Change a limit or the restart policy."""
        policy = fields.get("RestartPolicy", {}).get("Name")
        ends = self.commands.get(self.name(short)) in SHORT
        if not (ends and policy in ("always", "unless-stopped")):
            self.both("ContainerUpdate", self.name(short), body=fields)

    @rule(short=CONTAINERS, size=st.booleans())
    def inspect(self, short: str, size: bool) -> None:
        """Compare all that is known of a container."""
        self.look("ContainerInspect", self.name(short), size=size)

    @rule(
        filters=st.fixed_dictionaries(
            {},
            optional={
                "status": st.sampled_from(
                    [["running"], ["exited", "created"], ["paused"], ["odd"]]
                ),
                "label": st.sampled_from([["tier=web"], ["tier"], ["tier=db"]]),
                "exited": st.sampled_from([["0"], ["3"], ["137"], ["x"]]),
                "health": st.sampled_from([["healthy"], ["none"], ["unhealthy", "starting"]]),
                "ancestor": st.sampled_from([["busybox"], ["nobody"], ["{}made:v1"]]),
                "network": st.sampled_from([["bridge"], ["{}red"], ["none", "host"]]),
                "volume": st.sampled_from([["{}data"], ["/vol"], ["/elsewhere"]]),
                "before": st.just(["{}two"]),
                "since": st.just(["{}one"]),
                "expose": st.sampled_from([["80"], ["53/udp"], ["1-100/tcp"]]),
                "is-task": st.sampled_from([["true"], ["false"]]),
                "name": st.sampled_from([["{}one"], ["{}t"], ["^/{}two$"]]),
                "odd": st.just(["x"]),
            },
        ),
        everything=st.booleans(),
        limit=st.sampled_from([None, 1, 0, -1]),
    )
    def list_containers(self, filters: Any, everything: bool, limit: Any) -> None:
        """Compare lists of containers, by up to all filters; other sequences' are left out."""
        wanted = {
            key: [text.format(self.prefix) for text in values] for key, values in filters.items()
        }
        wanted["label"] = [*wanted.get("label", ()), f"{LABEL}={self.prefix}"]
        if limit is None or limit < 1:
            self.look("ContainerList", all=everything, filters=wanted, limit=limit)
        elif not filters:
            self.look("ContainerList", filters=wanted, limit=len(NAMES) + limit)

    @rule(label=st.sampled_from(["tier=web", "tier!=web"]))
    def prune(self, label: str) -> None:
        """Remove all of ours that do not run and have a label, or have not."""
        name = "label!" if "!" in label else "label"
        filters = {"label": [f"{LABEL}={self.prefix}"]}
        filters.setdefault(name, []).append(label.replace("!", ""))
        self.both("ContainerPrune", filters=filters)

    @rule(
        short=CONTAINERS,
        condition=st.sampled_from(["not-running", "next-exit", "removed", "odd", ""]),
    )
    def wait(self, short: str, condition: str) -> None:
        """Compare what those are told who waited while a container was stopped and removed."""
        name = self.name(short)
        if self.api >= (1, 30):
            self.each_at_once(
                f"wait {condition} for {name}",
                lambda client: self._told_of_end(client, name, condition),
            )

    def _told_of_end(self, client: Client, name: str, condition: str) -> Any:
        patient = client.with_options(timeout=8)
        with ThreadPoolExecutor(1) as thread:
            told = thread.submit(self.outcome, patient, "ContainerWait", name, condition=condition)
            time.sleep(0.1)
            with suppress(DynadockError):
                client.ContainerStop(name, t=self.patience_for(name))
            time.sleep(0.05)
            with suppress(DynadockError):
                client.ContainerDelete(name, force=True)
            return told.result()

    @rule(
        command=st.sampled_from(["both", "lines", "nothing", "unknown"]),
        tty=st.booleans(),
    )
    def run_and_remove(self, command: str, tty: bool) -> None:
        """Do what ``docker run --rm`` does, and compare output and exit code."""
        body = {
            "Image": "busybox",
            "Cmd": SHORT[command],
            "Tty": tty,
            "AttachStdout": True,
            "AttachStderr": True,
            "Labels": {LABEL: self.prefix},
            "HostConfig": {"AutoRemove": True},
        }
        self.each_at_once(f"run {command} {tty}", lambda client: self._run(client, body))

    def _run(self, client: Client, body: Any) -> Any:
        made = client.ContainerCreate(name=self.name("run"), body=body).Id
        patient = client.with_options(timeout=8)
        with (
            ThreadPoolExecutor(1) as thread,
            client.ContainerAttach(made, stream=True, stdout=True, stderr=True) as attached,
        ):
            code = thread.submit(self.outcome, patient, "ContainerWait", made, condition="removed")
            time.sleep(0.05)
            started = self.outcome(client, "ContainerStart", made)
            output = self.attempt("", lambda: attached)
            return started, output, code.result()
