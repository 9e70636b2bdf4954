"""Calls about what runs in containers: logs, attaching, execs, processes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from likeness.containers import CONTAINERS, Containers
from likeness.pair import LABEL

if TYPE_CHECKING:
    from dynadock import Client


class Output(Containers):
    """Rules about output and input."""

    @rule(
        short=CONTAINERS,
        tail=st.sampled_from(["all", "0", "1", "2", "odd"]),
        channels=st.sampled_from([(True, True), (True, False), (False, True), (False, False)]),
        when=st.fixed_dictionaries(
            {"timestamps": st.booleans()},
            optional={"since": st.sampled_from([1, 4_000_000_000]), "until": st.just(1)},
        ),
    )
    def logs(self, short: str, tail: str, channels: Any, when: Any) -> None:
        """Compare what was written, of the moments only how they are written."""
        stdout, stderr = channels
        given = {"tail": tail, **when}
        if self.api < (1, 35):
            given.pop("until", None)
        self.each_until_alike(
            f"ContainerLogs {short} {stdout} {stderr} {given}",
            lambda client: self.outcome(
                client, "ContainerLogs", self.name(short), stdout=stdout, stderr=stderr, **given
            ),
        )

    @rule(short=CONTAINERS)
    def look_back(self, short: str) -> None:
        """Compare what attaching shows of what was written before."""
        self.look(
            "ContainerAttach", self.name(short), logs=True, stream=False, stdout=True, stderr=True
        )

    @rule(
        short=CONTAINERS,
        command=st.sampled_from(
            [
                ["sh", "-c", "echo hi; echo no >&2; exit 4"],
                ["cat", "/etc/hostname-of-nobody"],
                ["cat", "/etc/hosts"],
                ["ls", "/tmp"],
                ["not-a-command"],
                ["/tmp"],
                ["pwd"],
                ["id", "-u"],
                ["sh", "-c", "echo $A.$B.$HOME"],
                ["sh", "-c", "echo x >> /vol/shared; wc -l < /vol/shared"],
                ["touch", "/tmp/touched"],
            ]
        ),
        fields=st.fixed_dictionaries(
            {},
            optional={
                "WorkingDir": st.sampled_from(["/tmp", "/not/there"]),
                "User": st.sampled_from(["1000", "stranger", "0:0"]),
                "Tty": st.booleans(),
                "Env": st.just(["A=exec"]),
                "Privileged": st.just(True),
            },
        ),
    )
    def execute(self, short: str, command: list[str], fields: Any) -> None:
        """Run something in a container, and compare its output and exit code."""
        if "/vol/" in command[-1]:
            # Permissions are not simulated: who is not root may write everywhere.
            fields = {**fields, "User": "0"}
        self.each(
            f"execute {short} {command} {fields}",
            lambda client: self._executed(
                client,
                self.name(short),
                {"Cmd": command, "AttachStdout": True, "AttachStderr": True, **fields},
                b"",
            ),
        )

    @rule(
        short=CONTAINERS,
        command=st.sampled_from([["cat"], ["sh"], ["sh", "-c", "read line; echo got $line"]]),
        given=st.sampled_from([b"", b"echo fed\n", b"echo a\necho b >&2\n"]),
    )
    def feed(self, short: str, command: list[str], given: bytes) -> None:
        """Run something that reads its input."""
        fields = {"AttachStdin": True, "AttachStdout": True, "AttachStderr": True}
        self.each(
            f"feed {short} {command} {given!r}",
            lambda client: self._executed(
                client, self.name(short), {"Cmd": command, **fields}, given
            ),
        )

    def _executed(self, client: Client, name: str, fields: dict[str, Any], given: bytes) -> Any:
        def act() -> Any:
            made = client.ContainerExec(name, **fields).Id
            with client.ExecStart(made, Tty=bool(fields.get("Tty"))) as duplex:
                if fields.get("AttachStdin"):
                    duplex.write(given)
                    duplex.close_stdin()
                output = duplex.collect()
            return {"output": [output.stdout, output.stderr], "seen": _ended(client, made)}

        return self.attempt("ExecInspect", act)

    @rule(given=st.sampled_from([b"", b"hello\n", b"a\nb\n" * 500]), detach=st.booleans())
    def talk_to_cat(self, given: bytes, detach: bool) -> None:
        """Write to a main process, end its input, and compare what it writes and its end."""
        self.each(f"talk_to_cat {given[:20]!r} {detach}", lambda one: self._talk(one, given))

    def _talk(self, client: Client, given: bytes) -> Any:
        body = {
            "Image": "busybox",
            "Cmd": ["cat"],
            "OpenStdin": True,
            "StdinOnce": True,
            "Labels": {LABEL: self.prefix},
        }
        made = client.ContainerCreate(name=self.name("cat"), body=body).Id
        asked = {"stream": True, "stdin": True, "stdout": True, "stderr": True}
        with client.ContainerAttach(made, **asked) as duplex:
            client.ContainerStart(made)
            duplex.write(given)
            duplex.close_stdin()
            output = duplex.collect()
        code = client.ContainerWait(made).StatusCode
        logs = client.ContainerLogs(made, stdout=True, stderr=True)
        with logs:
            kept = logs.collect().stdout
        client.ContainerDelete(made)
        return output.stdout, output.stderr, code, kept

    @rule(short=CONTAINERS, options=st.sampled_from(["-o pid,comm", "-o user,pid,args", "-ef"]))
    def top(self, short: str, options: str) -> None:
        """Compare titles, and the commands that are shown."""
        self.each_until_alike(
            f"ContainerTop {short} {options}", lambda client: self._top(client, short, options)
        )

    def _top(self, client: Client, short: str, options: str) -> Any:
        came = self.outcome(client, "ContainerTop", self.name(short), ps_args=options)
        if came[0] != "fine":
            return came
        shown = came[1]
        commands = sorted(row[-1] for row in shown["Processes"])
        if self.commands.get(self.name(short)) == "trap":
            # A shell and what it runs in the background are one program here.
            commands = [each for each in commands if not each.startswith("sleep")]
        return shown["Titles"], commands

    @rule(short=CONTAINERS)
    def stats(self, short: str) -> None:
        """Compare the shape of a sample."""
        asked = {"stream": False} | ({"one_shot": True} if self.api >= (1, 41) else {})
        if self.api >= (1, 41):
            self.each_until_alike(
                f"ContainerStats {short}",
                lambda client: _shape_of(
                    self.outcome(client, "ContainerStats", self.name(short), **asked)
                ),
            )

    @rule(short=CONTAINERS)
    def resize(self, short: str) -> None:
        """Give a terminal a size."""
        self.both("ContainerResize", self.name(short), h=20, w=70)


def _ended(client: Client, exec_id: str) -> Any:
    """Return what is known of an exec once it has ended."""
    for _ in range(200):
        seen = client.ExecInspect(exec_id)
        if not seen.Running and seen.ExitCode is not None:
            return seen
        time.sleep(0.01)
    return seen


def _shape_of(outcome: Any) -> Any:
    return ("fine", shape(outcome[1])) if outcome[0] == "fine" else outcome


def shape(value: Any) -> Any:
    """Return a value with kinds in the place of numbers, and one member in that of a list's."""
    if isinstance(value, dict):
        return {name: shape(each) for name, each in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return "number"
    return value
