"""Which simulated containers are listed and pruned, and which processes run in them."""

from __future__ import annotations

import time
from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from documents import VERSIONS
from dynadock import APIError, BadRequest, Conflict, NotFound, ServerError, load
from dynadock.call.values import Refused
from dynadock.simulation.behaviour.filters import fits_name
from dynadock.simulation.engine import SimulatedEngine
from dynadock.simulation.registry import add
from simulated import conforms


@pytest.fixture
def docker():
    return load("1.45", host="embedded://")


@pytest.fixture
def three():
    """An engine with a container that runs, one that never did, and one that has ended."""
    docker = load("1.45", host="embedded://")
    docker.ContainerCreate(
        name="run",
        Image="busybox",
        Cmd=["sleep", "600"],
        Labels={"k": "v", "e": ""},
        ExposedPorts={"80/tcp": {}, "90/udp": {}},
        HostConfig={"PortBindings": {"80/tcp": [{"HostPort": "18080"}]}, "Binds": ["data:/data"]},
    )
    docker.ContainerStart("run")
    docker.ContainerCreate(name="new", Image="busybox:latest")
    docker.ContainerCreate(name="end", Image="busybox", Cmd=["sh", "-c", "exit 3"])
    docker.ContainerStart("end")
    docker.ContainerWait("end")
    return docker


def names(found):
    return sorted(each.Names[0].removeprefix("/") for each in found)


ALL = ["end", "new", "run"]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, ALL),
        ({"status": ["exited"]}, ["end"]),
        ({"status": ["running", "created"]}, ["new", "run"]),
        ({"status": ["removing"]}, []),
        ({"exited": ["3"]}, ["end"]),
        ({"exited": ["0"]}, []),
        ({"exited": ["1", "+3"]}, ["end"]),
        ({"health": ["none"]}, ALL),
        ({"health": ["healthy"]}, []),
        ({"is-task": ["true"]}, []),
        ({"is-task": ["false"]}, ALL),
        ({"isolation": ["anything"]}, ALL),
        ({"expose": ["80/tcp"]}, ["run"]),
        ({"expose": ["80"]}, ["run"]),
        ({"expose": ["85-95/udp"]}, ["run"]),
        ({"publish": ["18080"]}, ["run"]),
        ({"publish": ["80"], "expose": ["80"]}, ["run"]),
        ({"expose": ["90"]}, []),
        ({"expose": ["80/other"]}, []),
        ({"publish": ["80"]}, []),
        ({"before": ["new"]}, ["run"]),
        ({"since": ["run"]}, ["end", "new"]),
        ({"since": ["run", "new"]}, ["end"]),
        ({"ancestor": ["busybox"]}, ALL),
        ({"ancestor": ["busybox:latest"]}, ALL),
        ({"ancestor": ["nothing"]}, []),
        ({"ancestor": ["nothing", "busybox"]}, ALL),
        ({"label": ["k"]}, ["run"]),
        ({"label": ["k=v", "e="]}, ["run"]),
        ({"label": ["k=x"]}, []),
        ({"label": ["k", "z"]}, []),
        ({"name": ["n"]}, ALL),
        ({"name": ["^/?run$"]}, ["run"]),
        ({"name": ["/run"]}, ["run"]),
        ({"name": ["[nr][eu]"]}, ["new", "run"]),
        ({"name": [".*e.*"]}, ["end", "new"]),
        ({"name": ["run", "new"]}, ["new", "run"]),
        ({"name": ["RUN"]}, []),
        ({"name": ["["]}, []),
        ({"network": ["bridge"]}, ALL),
        ({"network": ["bri"]}, []),
        ({"network": ["host"]}, []),
        ({"volume": ["nothing"]}, []),
        ({"volume": ["data"]}, ["run"]),
        ({"volume": ["/data"]}, ["run"]),
        ({"volume": ["/data/"]}, []),
        ({"volume": ["dat"]}, []),
        ({"label": ["k"], "status": ["exited"]}, []),
    ],
    ids=str,
)
def test_filters_of_containers(three, filters, expected):
    assert names(three.ContainerList(all=True, filters=filters)) == expected


def test_sizes_are_told_to_whom_asks_and_nothing_written_is_left_out(docker):
    docker.ContainerCreate(name="one", Image="busybox", Cmd=["sh", "-c", "echo hello > /file"])
    docker.ContainerCreate(name="two", Image="busybox")
    docker.ContainerStart("one")
    docker.ContainerWait("one")
    two, one = docker.ContainerList(all=True, size=True)
    assert one.SizeRw == len("hello\n")
    assert "SizeRw" not in two
    assert one.SizeRootFs > two.SizeRootFs > 0
    assert not {"SizeRw", "SizeRootFs"} & {*docker.ContainerList(all=True)[0]}


def test_who_waits_for_the_next_start_has_not_exited(docker):
    policy = {"Name": "always", "MaximumRetryCount": 0}
    docker.ContainerCreate(
        name="one", Image="busybox", Cmd=["false"], HostConfig={"RestartPolicy": policy}
    )
    docker.ContainerStart("one")
    assert names(docker.ContainerList(filters={"status": ["restarting"]})) == ["one"]
    assert names(docker.ContainerList(all=True, filters={"exited": ["1"]})) == []
    with pytest.raises(Conflict, match="is restarting, wait until the container is running"):
        docker.ContainerTop("one")


def test_ids_and_networks_may_be_shortened(three):
    container = three.ContainerInspect("run")
    assert names(three.ContainerList(filters={"id": [container.Id[:5]]})) == ["run"]
    assert names(three.ContainerList(filters={"id": [container.Id[1:6] + "-"]})) == []
    network = container.NetworkSettings.Networks.bridge.NetworkID
    assert names(three.ContainerList(filters={"network": [network[:12]]})) == ["run"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, ["run"]),
        ({"limit": 2}, ["end", "new"]),
        ({"limit": -1}, ["run"]),
        ({"filters": {"status": ["exited"]}}, ["end"]),
        ({"filters": {"exited": ["3"]}}, []),
        ({"filters": {"name": ["e"]}}, []),
        ({"filters": {"name": ["e"]}, "limit": 1}, ["end"]),
    ],
    ids=str,
)
def test_without_all_only_the_running_ones_are_listed(three, arguments, expected):
    assert names(three.ContainerList(**arguments)) == expected


@pytest.mark.parametrize(
    ("filters", "error", "words"),
    [
        ({"x": ["y"]}, BadRequest, "invalid filter 'x'"),
        ({"until": ["1h"]}, BadRequest, "invalid filter 'until'"),
        ({"status": ["zz"]}, BadRequest, "invalid filter 'status=zz'"),
        (
            {"exited": ["3", "x"]},
            BadRequest,
            "invalid filter 'exited=x': strconv.Atoi: parsing \"x\": invalid syntax",
        ),
        ({"health": ["x"]}, BadRequest, "unrecognized filter value for health: x"),
        ({"is-task": ["maybe"]}, BadRequest, "invalid filter 'is-task=[maybe]'"),
        ({"is-task": ["true", "false"]}, BadRequest, "invalid filter 'is-task=[false true]'"),
        (
            {"expose": ["abc"]},
            ServerError,
            'looking up for expose abc: strconv.ParseUint: parsing "abc": invalid syntax',
        ),
        (
            {"publish": ["70000"]},
            ServerError,
            'for publish 70000: strconv.ParseUint: parsing "70000": value out of range',
        ),
        (
            {"expose": ["95-80"]},
            ServerError,
            "error while looking up for expose 95-80: Invalid range specified for the Port: 95-80",
        ),
        ({"before": ["none"]}, NotFound, "No such container: none"),
        ({"since": ["none"]}, NotFound, "No such container: none"),
        ({"before": ["none"], "status": ["zz"]}, BadRequest, "invalid filter 'status=zz'"),
        (
            {"name": ["(a+)+$"]},
            BadRequest,
            "the embedded engine does not run the pattern '(a+)+$'",
        ),
    ],
    ids=str,
)
def test_filters_that_are_refused(three, filters, error, words):
    with pytest.raises(error) as caught:
        three.ContainerList(filters=filters)
    assert caught.value.explanation.endswith(words)


@given(st.text("a.*+?()[]|^${}1,\\\\", max_size=24))
@example(".*.*.*b")
@example("(a*)*b")
@example("(a|a)+b")
@example("a*a*b")
@example("a*a*a*a*a*b")
def test_no_pattern_takes_for_ever(pattern):
    before = time.process_time()
    with suppress(Refused):
        fits_name("a" * 5000, [pattern])
    assert time.process_time() - before < 1


@given(st.sampled_from("ab"), st.text("ab", min_size=1, max_size=12))
def test_a_text_without_signs_is_found_wherever_it_stands(text, name):
    assert fits_name(name, [text]) == (text in name)


def test_pruning_takes_what_does_not_run(three):
    reply = three.ContainerPrune()
    assert len(reply.ContainersDeleted) == 2
    assert names(three.ContainerList(all=True)) == ["run"]
    assert three.ContainerPrune().ContainersDeleted is None


@pytest.mark.parametrize(
    ("filters", "left"),
    [
        ({"label": ["k"]}, ["two"]),
        ({"label": ["k=x"]}, ["one", "two"]),
        ({"label!": ["k"]}, ["one"]),
        ({"label!": ["k=x"]}, []),
        ({"label!": ["k", "other"]}, ["one"]),
        ({"label": ["k"], "label!": ["k"]}, ["one", "two"]),
        ({"until": ["24h"]}, ["one", "two"]),
        ({"until": ["0s"]}, []),
        ({"until": ["2100-01-01"]}, []),
        ({"until": ["1000000000"]}, ["one", "two"]),
        ({"until": ["0s"], "label": ["k"]}, ["two"]),
    ],
    ids=str,
)
def test_filters_of_pruning(docker, filters, left):
    docker.ContainerCreate(name="one", Image="busybox", Labels={"k": "v"})
    docker.ContainerCreate(name="two", Image="busybox")
    time.sleep(0.001)
    docker.ContainerPrune(filters=filters)
    assert names(docker.ContainerList(all=True)) == left


@pytest.mark.parametrize(
    ("filters", "words"),
    [
        ({"x": ["y"]}, "invalid filter 'x'"),
        ({"until": ["1h", "2h"]}, "more than one until filter specified"),
        ({"until": ["x"]}, 'failed to parse value as time or duration: "x"'),
        ({"until": ["1d"]}, 'failed to parse value as time or duration: "1d"'),
    ],
    ids=str,
)
def test_filters_of_pruning_that_are_refused(docker, filters, words):
    docker.ContainerCreate(name="one", Image="busybox")
    with pytest.raises(BadRequest) as caught:
        docker.ContainerPrune(filters=filters)
    assert caught.value.explanation == words
    assert names(docker.ContainerList(all=True)) == ["one"]


def test_what_was_written_is_reclaimed(docker):
    docker.ContainerCreate(name="one", Image="busybox", Cmd=["sh", "-c", "echo hello > /file"])
    docker.ContainerStart("one")
    docker.ContainerWait("one")
    assert docker.ContainerPrune().SpaceReclaimed == len("hello\n")


@pytest.mark.parametrize("version", VERSIONS)
def test_lists_and_what_is_pruned_are_what_the_document_says(version):
    docker = load(version, host="embedded://")
    docker.ContainerCreate(name="one", Image="busybox", Cmd=["sleep", "60"])
    docker.ContainerCreate(name="two", Image="busybox")
    docker.ContainerStart("one")
    conforms(docker, "ContainerList", docker.ContainerList(all=True, size=True))
    conforms(docker, "ContainerTop", docker.ContainerTop("one"))
    conforms(docker, "ContainerPrune", docker.ContainerPrune())


FULL = "UID PID PPID C STIME TTY TIME CMD"
BSD = "USER PID %CPU %MEM VSZ RSS TTY STAT START TIME COMMAND"


@pytest.mark.parametrize(
    ("arguments", "titles"),
    [
        ("-ef", FULL),
        ("-w -ef", FULL),
        ("aux", BSD),
        ("-aux", BSD),
        ("aux ww", BSD),
        ("-e", "PID TTY TIME CMD"),
        ("--sort pid", "PID TTY TIME CMD"),
        ("ax", "PID TTY STAT TIME COMMAND"),
        ("-o pid,comm", "PID COMMAND"),
        ("-e -o pid -o comm", "PID COMMAND"),
        ("-eo pid,args:50", "PID COMMAND"),
        ("axo pid,cmd", "PID CMD"),
        ("-o ppid,pid,etime,stat", "PPID PID ELAPSED STAT"),
        ("-j", "PID PGID SID TTY TIME CMD"),
        ("j", "PPID PID PGID SID TTY TPGID STAT UID TIME COMMAND"),
        ("-l", "F S UID PID PPID C PRI NI ADDR SZ WCHAN TTY TIME CMD"),
        ("l", "F UID PID PPID PRI NI VSZ RSS WCHAN STAT TTY TIME COMMAND"),
        ("-eF", "UID PID PPID C SZ RSS PSR STIME TTY TIME CMD"),
    ],
)
def test_columns_of_processes(three, arguments, titles):
    reply = three.ContainerTop("run", ps_args=arguments)
    assert reply.Titles == titles.split()
    (process,) = reply.Processes
    assert len(process) == len(reply.Titles)
    assert process[reply.Titles.index("PID")] == str(three.ContainerInspect("run").State.Pid)


def test_the_default_is_everything_about_all_processes(three):
    three.ExecStart(three.ContainerExec("run", Cmd=["sleep", "77"], User="1000").Id, Detach=True)
    reply = three.ContainerTop("run")
    assert reply.Titles == FULL.split()
    users, commands = [row[0] for row in reply.Processes], [row[-1] for row in reply.Processes]
    assert users == ["root", "1000"]
    assert commands == ["sleep 600", "sleep 77"]


@pytest.mark.parametrize(
    ("seconds", "age"),
    [(0, "00:00"), (59, "00:59"), (3599, "59:59"), (3600, "01:00:00"), (93784, "1-02:03:04")],
)
def test_ages_of_processes(seconds, age):
    engine = SimulatedEngine(manual_clock=True)
    docker = load("1.45", host=f"embedded://{add(engine)}", timeout=5)
    docker.ContainerCreate(name="one", Image="busybox", Cmd=["sleep", "100000"])
    docker.ContainerStart("one")
    engine.state.advance(seconds)
    (process,) = docker.ContainerTop("one", ps_args="-o pid,etime,etimes").Processes
    assert process[1:] == [age, str(seconds)]


def test_fields_are_cut_at_blanks_and_the_last_has_the_rest(three):
    reply = three.ContainerTop("run", ps_args="-o args,pid")
    pid = str(three.ContainerInspect("run").State.Pid)
    assert reply.Processes == [["sleep", f"600 {pid}"]]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("-o comm", "Couldn't find PID field in ps output"),
        ("-o pid=P,comm", "Couldn't find PID field in ps output"),
        ("-o nope", 'ps: error: unknown user-defined format specifier "nope"'),
        ("-o", "ps: error: format specification must follow -o"),
        ("xyz", "ps: error: unsupported option (BSD syntax)"),
        ("-z", "ps: error: unsupported SysV option"),
        ("--zzz", "ps: error: unknown gnu long option"),
    ],
)
def test_arguments_that_ps_refuses(three, arguments, words):
    with pytest.raises(ServerError) as caught:
        three.ContainerTop("run", ps_args=arguments)
    assert caught.value.explanation == words


def test_who_does_not_run_has_no_processes(three):
    with pytest.raises(Conflict, match="is not running"):
        three.ContainerTop("new")
    with pytest.raises(APIError, match="No such container: none"):
        three.ContainerTop("none")
