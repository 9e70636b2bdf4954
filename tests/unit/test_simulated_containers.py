"""The life of simulated containers, as Docker 26.1 has it, on a clock that only the test moves."""

from __future__ import annotations

import threading
import time
from itertools import pairwise

import pytest

from dynadock import NOT_MODIFIED, BadRequest, Conflict, NotFound, ServerError, TimedOut, load
from dynadock.simulation import registry
from dynadock.simulation.engine import SimulatedEngine

SCRIPT = "trap 'echo bye; exit 7' TERM; echo ready; while :; do sleep 1; done"


@pytest.fixture
def engine():
    return SimulatedEngine(manual_clock=True, seed=1)


@pytest.fixture
def client(engine):
    name = registry.add(engine)
    with load("1.45", host=f"embedded://{name}", timeout=10) as made:
        yield made
    registry.forget(name)


@pytest.fixture
def start(client):
    """Create and start a container, and give its name."""

    def begin(name="box", *command, **fields):
        command = [*command] or ["sleep", "600"]
        client.ContainerCreate(name=name, Image="busybox", Cmd=command, **fields)
        client.ContainerStart(name)
        return name

    return begin


def state(client, name="box"):
    return client.ContainerInspect(name).State


def status(client, name="box"):
    return client.ContainerList(all=True, filters={"name": name})[0].Status


def actions(client, engine):
    seconds = engine.state.clock.now() // 10**9
    return [
        event.Action
        for event in client.SystemEvents(since=seconds - 10_000, until=seconds + 1)
        if event.Type == "container"
    ]


def test_a_life(client, engine, start):
    created = client.ContainerCreate(name="box", Image="busybox", Cmd=["sleep", "30"])
    assert len(created.Id) == 64
    assert (state(client).Status, status(client)) == ("created", "Created")
    client.ContainerStart("box")
    assert state(client).Running
    assert state(client).Pid > 0
    engine.state.advance(12)
    assert status(client) == "Up 12 seconds"
    engine.state.advance(18)
    ended = state(client)
    assert (ended.Status, ended.ExitCode, ended.Running, ended.Pid) == ("exited", 0, False, 0)
    engine.state.advance(3600 * 3)
    assert status(client) == "Exited (0) 3 hours ago"
    client.ContainerStart("box")
    assert state(client).Running
    client.ContainerDelete("box", force=True)
    with pytest.raises(NotFound, match="No such container: box"):
        client.ContainerInspect("box")


def test_time_that_nobody_watches_has_passed_when_somebody_looks(client, engine, start):
    start("box", "sh", "-c", "for i in 1 2 3; do echo $i; sleep 10; done; exit 4")
    engine.state.advance(3600)
    lines = client.ContainerLogs("box", stdout=True, timestamps=True).text().splitlines()
    seconds = [line.split()[0][17:19] for line in lines]
    assert [(int(b) - int(a)) % 60 for a, b in pairwise(seconds)] == [10, 10]
    seen = state(client)
    assert seen.ExitCode == 4
    assert status(client) == "Exited (4) 59 minutes ago"


class TestStopping:
    def test_the_first_process_ignores_what_it_does_not_handle(self, client, engine, start):
        start()
        client.ContainerKill("box", signal="TERM")
        assert state(client).Running
        client.ContainerKill("box", signal="KILL")
        assert state(client).ExitCode == 137

    def test_with_an_init_it_does_not(self, client, start):
        start(HostConfig={"Init": True})
        client.ContainerKill("box", signal="SIGTERM")
        assert state(client).ExitCode == 143

    def test_a_trap_runs_when_the_sleep_is_over(self, client, engine, start):
        start("box", "sh", "-c", SCRIPT)
        client.ContainerKill("box", signal="15")
        assert state(client).Running
        engine.state.advance(1)
        assert state(client).ExitCode == 7
        assert client.ContainerLogs("box", stdout=True).text() == "ready\nbye\n"

    def test_kill_comes_after_the_timeout(self, client, engine, start):
        start()
        with pytest.raises(TimedOut):
            client.with_options(timeout=0.05).ContainerStop("box", t=5)
        engine.state.advance(4.9)
        assert state(client).Running
        engine.state.advance(0.2)
        assert state(client).ExitCode == 137

    def test_somebody_else_may_move_the_clock(self, client, engine, start):
        start("box", "sleep", "7200", StopTimeout=3600)
        mover = threading.Timer(0.05, engine.state.advance, (3600,))
        mover.start()
        client.with_options(timeout=10).ContainerStop("box")
        mover.join()
        assert state(client).ExitCode == 137

    def test_twice(self, client, start):
        start()
        assert client.ContainerStop("box", t=0) is None
        assert client.ContainerStop("box", t=0) is NOT_MODIFIED

    def test_the_stop_signal_of_the_container(self, client, engine, start):
        start("box", "sh", "-c", SCRIPT.replace("TERM", "USR1"), StopSignal="SIGUSR1")
        threading.Timer(0.05, engine.state.advance, (1,)).start()
        client.ContainerStop("box")
        assert state(client).ExitCode == 7


class TestRestarts:
    def test_on_failure_with_a_limit(self, client, engine, start):
        policy = {"RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 2}}
        start("box", "sh", "-c", "sleep 1; exit 2", HostConfig=policy)
        engine.state.advance(1)
        seen = state(client)
        assert (seen.Status, seen.Running, seen.Restarting) == ("restarting", True, True)
        assert status(client) == "Restarting (2) Less than a second ago"
        engine.state.advance(60)
        assert client.ContainerInspect("box").RestartCount == 2
        assert state(client).Status == "exited"

    def test_the_delay_doubles_and_is_forgotten_by_who_ran_long(self, client, engine, start):
        start("box", "false", HostConfig={"RestartPolicy": {"Name": "always"}})
        for delay in (0.1, 0.2, 0.4, 0.8):
            before = client.ContainerInspect("box").RestartCount
            engine.state.advance(delay - 0.02)
            assert client.ContainerInspect("box").RestartCount == before
            engine.state.advance(0.02)
            assert client.ContainerInspect("box").RestartCount == before + 1

    @pytest.mark.parametrize("policy", ["always", "unless-stopped"])
    def test_who_is_stopped_by_hand_stays_so(self, client, engine, start, policy):
        start(HostConfig={"RestartPolicy": {"Name": policy}})
        client.ContainerStop("box", t=0)
        engine.state.advance(100)
        assert state(client).Status == "exited"

    def test_by_hand(self, client, start):
        start()
        first = state(client)
        client.ContainerRestart("box", t=0)
        again = state(client)
        assert again.Running
        assert again.Pid != first.Pid


class TestPauses:
    def test_nothing_goes_on(self, client, engine, start):
        start("box", "sh", "-c", "sleep 1; echo late; sleep 600")
        client.ContainerPause("box")
        engine.state.advance(100)
        assert client.ContainerLogs("box", stdout=True).text() == ""
        assert status(client) == "Up About a minute (Paused)"
        client.ContainerUnpause("box")
        assert client.ContainerLogs("box", stdout=True).text() == "late\n"

    def test_refusals(self, client, start):
        start()
        with pytest.raises(ServerError, match="is not paused"):
            client.ContainerUnpause("box")
        client.ContainerPause("box")
        with pytest.raises(Conflict, match="is already paused"):
            client.ContainerPause("box")
        with pytest.raises(Conflict, match="cannot start a paused container, try unpause instead"):
            client.ContainerStart("box")
        with pytest.raises(Conflict, match="unpause the container before exec"):
            client.ContainerExec("box", Cmd=["true"])


class TestWaiting:
    def test_for_who_does_not_run(self, client, start):
        start("box", "sh", "-c", "exit 3")
        assert client.ContainerWait("box").StatusCode == 3
        assert client.ContainerWait("box").StatusCode == 3

    def test_for_the_next_end(self, client, engine, start):
        start("box", "sleep", "5")
        threading.Timer(0.05, engine.state.advance, (5,)).start()
        assert client.ContainerWait("box", condition="next-exit").StatusCode == 0
        with pytest.raises(TimedOut):
            client.with_options(timeout=0.05).ContainerWait("box", condition="next-exit")

    def test_for_the_removal(self, client, engine, start):
        start("box", "sh", "-c", "sleep 2; exit 9", HostConfig={"AutoRemove": True})
        threading.Timer(0.05, engine.state.advance, (2,)).start()
        assert client.ContainerWait("box", condition="removed").StatusCode == 9
        assert client.ContainerList(all=True) == []

    def test_a_waiter_who_hangs_up_is_forgotten(self, client, engine, start):
        start()
        for _ in range(20):
            with pytest.raises(TimedOut):
                client.with_options(timeout=0.001).ContainerWait("box")
        client.ContainerDelete("box", force=True)

    def test_for_nothing_that_there_is(self, client, start):
        start()
        with pytest.raises(BadRequest, match='invalid condition: "soon"'):
            client.with_options(validate=False).ContainerWait("box", condition="soon")


class TestPrograms:
    @pytest.mark.parametrize(
        ("command", "complaint", "exit_code"),
        [
            (["nope"], r'exec: "nope": executable file not found in \$PATH', 127),
            (["/nope"], 'exec: "/nope": stat /nope: no such file or directory', 127),
            (["/etc/passwd"], 'exec: "/etc/passwd": permission denied', 126),
        ],
    )
    def test_a_command_that_runs_nothing(self, client, command, complaint, exit_code):
        client.ContainerCreate(name="box", Image="busybox", Cmd=command)
        with pytest.raises(BadRequest, match=complaint):
            client.ContainerStart("box")
        seen = state(client)
        assert (seen.Status, seen.ExitCode) == ("created", exit_code)
        assert complaint.replace("\\", "") in seen.Error

    def test_a_user_that_is_not_there(self, client):
        client.ContainerCreate(name="box", Image="busybox", Cmd=["id"], User="somebody")
        with pytest.raises(ServerError, match="unable to find user somebody: no matching entries"):
            client.ContainerStart("box")

    def test_a_folder_that_is_not_there_is_made(self, client, start):
        start("box", "pwd", WorkingDir="/deep/down")
        assert client.ContainerLogs("box", stdout=True).text() == "/deep/down\n"

    def test_a_program_that_never_waits_does_not_stop_the_engine(self, client, start):
        start("box", "sh", "-c", "while :; do :; done")
        start("other", "echo", "fine")
        began = time.monotonic()
        assert client.ContainerLogs("other", stdout=True).text() == "fine\n"
        client.ContainerDelete("box", force=True)
        assert time.monotonic() - began < 20


class TestNames:
    def test_one_for_each(self, client):
        first = client.ContainerCreate(name="box", Image="busybox")
        taken = f'name "/box" is already in use by container "{first.Id}"'
        with pytest.raises(Conflict, match=taken):
            client.ContainerCreate(name="box", Image="busybox")

    def test_made_up(self, client):
        made = client.ContainerCreate(Image="busybox")
        assert "_" in client.ContainerInspect(made.Id).Name

    @pytest.mark.parametrize("name", ["a b", "x", "-box"])
    def test_none_at_all(self, client, name):
        with pytest.raises(BadRequest, match="Invalid container name"):
            client.with_options(validate=False).ContainerCreate(name=name, Image="busybox")

    def test_by_the_beginning_of_an_id(self, client):
        made = client.ContainerCreate(name="box", Image="busybox")
        assert client.ContainerInspect(made.Id[:12]).Id == made.Id

    def test_another_one(self, client):
        client.ContainerCreate(name="box", Image="busybox")
        client.ContainerRename("box", name="case")
        assert client.ContainerInspect("case").Name == "/case"
        client.ContainerCreate(name="box", Image="busybox")
        with pytest.raises(Conflict):
            client.ContainerRename("case", name="box")
        with pytest.raises(BadRequest, match="the same name as its current name"):
            client.ContainerRename("case", name="case")

    def test_the_same_seed_gives_the_same(self):
        engines = [SimulatedEngine(seed=5), SimulatedEngine(seed=5)]
        hosts = [f"embedded://{registry.add(each)}" for each in engines]
        made = [load("1.45", host=each).ContainerCreate(Image="busybox").Id for each in hosts]
        assert made[0] == made[1]


CHECK = {"Test": ["CMD-SHELL", "test -f /fine && echo ok"], "Interval": 10**9, "Retries": 2}


class TestHealth:
    def test_healthy_and_not(self, client, engine, start):
        start(Healthcheck=CHECK)
        assert status(client) == "Up Less than a second (health: starting)"
        engine.state.advance(1)
        seen = state(client).Health
        assert (seen.Status, seen.FailingStreak, seen.Log[0].ExitCode) == ("starting", 1, 1)
        engine.state.advance(1)
        assert state(client).Health.Status == "unhealthy"
        made = client.ContainerExec("box", Cmd=["touch", "/fine"]).Id
        client.ExecStart(made, Detach=True)
        engine.state.advance(1)
        seen = state(client).Health
        assert (seen.Status, seen.FailingStreak, seen.Log[-1].Output) == ("healthy", 0, "ok\n")
        assert status(client).endswith("(healthy)")

    def test_a_check_that_takes_too_long(self, client, engine, start):
        start(Healthcheck={"Test": ["CMD", "sleep", "9"], "Interval": 10**9, "Timeout": 2 * 10**9})
        engine.state.advance(3)
        last = state(client).Health.Log[-1]
        assert (last.ExitCode, last.Output) == (-1, "Health check exceeded timeout (2s)")

    def test_five_results_are_kept(self, client, engine, start):
        start(Healthcheck=CHECK)
        engine.state.advance(20)
        assert len(state(client).Health.Log) == 5


def test_what_is_refused_of_a_running_one(client, start):
    start()
    with pytest.raises(Conflict, match="container is running: stop the container before removing"):
        client.ContainerDelete("box")
    assert client.ContainerStart("box") is NOT_MODIFIED
    client.ContainerStop("box", t=0)
    with pytest.raises(Conflict, match="is not running"):
        client.ContainerKill("box")
    with pytest.raises(Conflict, match="is not running"):
        client.ContainerExec("box", Cmd=["true"])
    with pytest.raises(Conflict, match="is not running"):
        client.ContainerTop("box")


class TestSignalsByName:
    @pytest.mark.parametrize("signal", ["15", "SIGTERM", "term", "RTMIN+3", "64", "POLL"])
    def test_names_and_numbers(self, client, start, signal):
        start()
        client.ContainerKill("box", signal=signal)

    @pytest.mark.parametrize(
        ("signal", "words"),
        [
            ("NONE", "invalid signal: NONE"),
            ("0", "invalid signal: 0"),
            ("99", "the linux daemon does not support signal 99"),
            ("-1", "the linux daemon does not support signal -1"),
        ],
    )
    def test_what_is_none(self, client, start, signal, words):
        start()
        with pytest.raises(BadRequest, match=f"cannot kill container: box: {words}"):
            client.ContainerKill("box", signal=signal)

    def test_stops_have_words_of_their_own(self, client, start):
        start()
        with pytest.raises(ServerError, match="cannot stop container: box: invalid signal: NONE"):
            client.ContainerStop("box", signal="NONE")
        with pytest.raises(ServerError, match="Cannot restart container box: invalid signal"):
            client.ContainerRestart("box", signal="NONE")


class TestWhatIsPaused:
    @pytest.mark.parametrize("signal", ["TERM", "USR1"])
    def test_goes_on_when_a_signal_may_end_it(self, client, engine, start, signal):
        start()
        client.ContainerPause("box")
        client.ContainerKill("box", signal=signal)
        assert state(client).Status == "running"
        assert told(client, engine, "container")[-2:] == ["kill", "unpause"]

    def test_stays_where_another_signal_would(self, client, start):
        start(StopSignal="USR2")
        client.ContainerPause("box")
        client.ContainerKill("box", signal="TERM")
        assert state(client).Status == "paused"

    def test_is_not_removed(self, client, start):
        start()
        client.ContainerPause("box")
        with pytest.raises(Conflict, match="container is paused and must be unpaused first"):
            client.ContainerDelete("box")


@pytest.mark.parametrize(
    ("policy", "status"), [("unless-stopped", "exited"), ("always", "running")]
)
def test_any_signal_is_a_stop_for_one_policy(client, engine, start, policy, status):
    host = {"RestartPolicy": {"Name": policy}, "Init": True}
    start(StopSignal="USR1", HostConfig=host)
    client.ContainerKill("box", signal="HUP")
    engine.state.advance(1)
    assert state(client).Status == status


class TestWhatRestarts:
    @pytest.fixture(autouse=True)
    def restarting(self, client, engine, start):
        start("box", "false", HostConfig={"RestartPolicy": {"Name": "always"}})
        assert state(client).Status == "restarting"

    def test_is_started_already(self, client):
        assert client.ContainerStart("box") is NOT_MODIFIED

    def test_is_not_removed(self, client):
        with pytest.raises(Conflict, match="container is restarting: stop the container before"):
            client.ContainerDelete("box")

    def test_any_signal_ends_that(self, client, engine):
        client.ContainerKill("box", signal="USR1")
        assert state(client).Status == "exited"
        engine.state.advance(60)
        assert client.ContainerInspect("box").RestartCount == 0
        assert "kill" not in told(client, engine, "container")


class TestWhatIsTold:
    def test_of_looking_at_processes_and_of_sizes(self, client, engine, start):
        start(Tty=True)
        client.ContainerTop("box")
        client.ContainerResize("box", h=20, w=70)
        assert told(client, engine, "container")[-2:] == ["top", "resize"]

    def test_a_commit_pauses_before_it_reads_its_instructions(self, client, engine, start):
        start()
        with pytest.raises(BadRequest):
            client.ImageCommit(container="box", repo="made", changes=["ODD x"])
        assert told(client, engine, "container")[-2:] == ["pause", "unpause"]

    def test_volumes_are_mounted_for_who_looks_into_files(self, client, engine):
        client.ContainerCreate(
            name="box", Image="busybox", HostConfig={"Binds": ["data:/vol", "more:/more"]}
        )
        client.ContainerArchiveInfo("box", path="/tmp")
        assert told(client, engine, "volume", "data") == ["create", "mount", "unmount"]
        assert told(client, engine, "volume", "more") == ["create", "mount", "unmount"]

    def test_volumes_are_given_back_even_by_who_did_not_get_them(self, client, engine):
        host = {"Binds": ["data:/vol"], "NetworkMode": "nowhere"}
        client.ContainerCreate(name="box", Image="busybox", HostConfig=host)
        with pytest.raises(NotFound, match="network nowhere not found"):
            client.ContainerStart("box")
        assert told(client, engine, "volume", "data") == ["create", "unmount"]


def told(client, engine, kind, name=""):
    engine.state.advance(2)
    seconds = engine.state.clock.now() // 10**9
    events = client.SystemEvents(since=seconds - 10_000, until=seconds)
    return [each.Action for each in events if each.Type == kind and name in (each.Actor.ID, "")]


def test_lists_put_quotes_around_blanks_alone(client, start):
    start("box", "sh", "-c", "trap 'echo bye' TERM; sleep 60", "x'y")
    assert client.ContainerList()[0].Command == "sh -c 'trap 'echo bye' TERM; sleep 60' x'y"


def test_an_exec_shows_its_container_s_user(client, start):
    start(User="1000:1000")
    made = client.ContainerExec("box", Cmd=["true"]).Id
    assert client.ExecInspect(made).ProcessConfig.user == "1000:1000"


def test_waiting_tells_why_it_did_not_start_while_it_is_there(client):
    client.ContainerCreate(name="box", Image="busybox", Cmd=["/nowhere"])
    with pytest.raises(BadRequest):
        client.ContainerStart("box")
    told = client.ContainerWait("box")
    assert told.StatusCode == 127
    assert "/nowhere: no such file or directory" in told.Error.Message


def test_an_empty_name_is_refused_before_the_container_is_looked_for(client):
    with pytest.raises(BadRequest, match="Neither old nor new names may be empty"):
        client.ContainerRename("nobody", name="")
