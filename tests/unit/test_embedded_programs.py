"""Programs that tests bring: canned output, Python functions, steps."""

from __future__ import annotations

import threading
import time

import pytest

import dynadock
from dynadock import StuckProgramWarning, execute, run
from dynadock.embedded import Engine

VERSION = "1.45"


@pytest.fixture
def engine():
    with Engine(seed=7, clock="manual") as made:
        yield made


@pytest.fixture
def client(engine):
    return engine.client(VERSION, timeout=10)


@pytest.fixture
def start(client):
    """Create and start a container of an image, and give its name."""

    def begin(image="app", *command, **fields):
        name = f"box{len(client.ContainerList(all=True))}"
        client.ContainerCreate(name=name, Image=image, Cmd=[*command] or None, **fields)
        client.ContainerStart(name)
        return name

    return begin


def state(client, name):
    return client.ContainerInspect(name).State


def logs(client, name, **arguments):
    return client.ContainerLogs(name, stdout=True, stderr=True, **arguments).text()


class TestCanned:
    def test_it_writes_and_ends(self, engine, client, start):
        engine.program("app", ["serve"], stdout="ready\n", stderr=b"\xff\n", exit_code=3)
        box = start()
        assert client.ContainerInspect(box).Path == "serve"
        output = client.ContainerLogs(box, stdout=True, stderr=True).collect()
        assert (output.stdout, output.stderr) == (b"ready\n", b"\xff\n")
        assert state(client, box).ExitCode == 3

    def test_each_line_has_its_time(self, engine, client, start):
        lines = [(2, "stderr", "second\n"), (0.5, "stdout", b"first\n")]
        engine.program("app", lines=lines, after=10, exit_code=1)
        box = start()
        began = engine.clock.now()
        seen = []
        for _ in range(4):
            seen.append((logs(client, box), state(client, box).Running))
            engine.clock.advance(1)
        assert seen == [
            ("", True),
            ("first\n", True),
            ("first\nsecond\n", True),
            ("first\nsecond\n", True),
        ]
        engine.clock.advance(5.9)
        assert state(client, box).Running
        engine.clock.advance(0.1)
        assert not state(client, box).Running
        stamped = [
            line.split("T")[1][6:12] for line in logs(client, box, timestamps=True).splitlines()
        ]
        expected = [time.strftime("%S", time.gmtime(began + after)) for after in (0.5, 2)]
        assert [each[:2] for each in stamped] == expected

    def test_the_last_line_comes_before_the_end(self, engine, client, start):
        engine.program("app", lines=[(5, "stdout", "late\n")], exit_code=2)
        box = start()
        engine.clock.advance(5)
        assert (logs(client, box), state(client, box).ExitCode) == ("late\n", 2)

    def test_one_that_runs_for_ever_ends_when_it_is_told_to(self, engine, client, start):
        engine.program("app", stdout="ready\n", runs="forever", exit_code=9)
        box = start()
        engine.clock.advance(10**7)
        assert state(client, box).Running
        client.ContainerStop(box)
        assert state(client, box).ExitCode == 0

    @pytest.mark.parametrize(
        "said",
        [
            (None, "SIGTERM", 0),
            (None, "INT", 0),
            ({"TERM": 143}, "TERM", 143),
            ({"SIGHUP": 5}, "HUP", 5),
            ({"USR1": None}, "USR1", None),
            ({}, "TERM", None),
            (None, "HUP", None),
            ({"TERM": None}, "KILL", 137),
        ],
    )
    def test_signals_do_what_is_said(self, engine, client, start, said):
        signals, signal, exit_code = said
        engine.program("app", runs="forever", signals=signals)
        box = start()
        client.ContainerKill(box, signal=signal)
        found = state(client, box)
        assert found.Running == (exit_code is None)
        assert exit_code is None or found.ExitCode == exit_code

    def test_a_stubborn_one_is_killed_after_the_timeout(self, engine, client, start):
        engine.program("app", runs="forever", signals={"TERM": None})
        box = start()
        stopping = threading.Thread(target=client.ContainerStop, args=(box,), kwargs={"t": 7})
        stopping.start()
        while not engine.calls.of("ContainerStop"):
            time.sleep(0.001)
        engine.clock.advance(6.9)
        assert state(client, box).Running
        engine.clock.advance(0.1)
        stopping.join(5)
        assert state(client, box).ExitCode == 137

    def test_the_longest_beginning_of_a_command_counts(self, engine, client, start):
        engine.program("app", stdout="any\n")
        engine.program("app", ["serve"], stdout="serve\n")
        engine.program("app", ["serve", "--loud"], stdout="SERVE\n")
        outputs = [
            logs(client, start("app", *command))
            for command in (["x"], ["serve", "-q"], ["serve", "--loud", "-v"])
        ]
        assert outputs == ["any\n", "serve\n", "SERVE\n"]

    def test_execs_and_other_images_are_meant_too(self, engine, client, start):
        engine.program("busybox", ["pg_isready"], stdout="accepting\n", exit_code=0)
        engine.add_container("box")
        done = execute(client, "box", ["pg_isready", "-q"])
        assert (done.stdout, done.exit_code) == (b"accepting\n", 0)
        assert execute(client, "box", ["echo", "x"]).stdout == b"x\n"

    def test_much_output_waits_for_who_reads_it(self, engine, client):
        engine.program("app", stdout=b"x" * 20_000_000)
        assert len(run(client, "app").stdout) == 20_000_000

    @pytest.mark.parametrize(
        ("wrong", "words"),
        [
            ({"lines": [(1, "stdin", "x")]}, "'stdout' or 'stderr' for a channel, got 'stdin'"),
            ({"lines": ["x"]}, r"expected \(seconds, channel, text\), got 'x'"),
            ({"lines": [(-1, "stdout", "x")]}, "lines: expected seconds, 0 or more, got -1"),
            ({"stdout": 5}, "expected text or bytes, got int"),
            ({"after": None}, "after: expected seconds as a number, got None"),
            ({"runs": "twice"}, "'once' or 'forever', got 'twice'"),
            ({"signals": {"KILL": 0}}, "no program handles 'KILL'"),
        ],
    )
    def test_what_makes_no_program_is_refused(self, engine, wrong, words):
        with pytest.raises((TypeError, ValueError), match=words):
            engine.program("app", **wrong)

    def test_a_command_is_a_list_of_words(self, engine):
        with pytest.raises(TypeError, match=r"expected \['serve', '-q'\]"):
            engine.program("app", "serve -q")


class TestFunctions:
    def test_it_sees_what_a_program_sees(self, engine, client, start):
        seen = {}

        def program(process):
            seen.update(vars(process))
            return 4

        engine.program("app", program)
        box = start(
            "app", "go", "on", Env=["A=b"], WorkingDir="/srv", User="5", Hostname="there", Tty=True
        )
        assert state(client, box).ExitCode == 4
        assert (seen["args"], seen["env"]["A"], seen["cwd"]) == (["go", "on"], "b", "/srv")
        assert (seen["user"], seen["hostname"], seen["is_tty"], seen["pid"]) == (
            "5",
            "there",
            True,
            1,
        )

    def test_it_reads_and_writes(self, engine, client):
        def program(process):
            print("begin", file=process.stdout)
            for line in process.stdin:
                process.stdout.write(line.upper())
            process.stderr.write("end\n")

        engine.program("app", program)
        done = run(client, "app", stdin=b"one\ntwo\nrest")
        assert (done.stdout, done.stderr, done.exit_code) == (b"begin\nONE\nTWO\nREST", b"end\n", 0)

    def test_input_is_read_in_all_ways(self, engine, client):
        seen = []

        def program(process):
            seen.extend((process.stdin.readline(), process.stdin.read(3), process.stdin.read1(2)))
            seen.extend((process.stdin.read(), process.stdin.read(), process.stdin.readline()))

        engine.program("app", program)
        run(client, "app", stdin=b"line\nabcdefgh")
        assert seen == [b"line\n", b"abc", b"de", b"fgh", b"", b""]

    def test_it_waits_for_the_engine_s_clock(self, engine, client, start):
        def program(process):
            for number in range(1000):
                print(number, int(process.now() - began), file=process.stdout)
                process.sleep(60)

        began = engine.clock.now()
        engine.program("app", program)
        box = start()
        assert logs(client, box) == "0 0\n"
        engine.clock.advance(3600)
        lines = [f"{number} {number * 60}" for number in range(61)]
        assert logs(client, box).splitlines() == lines

    def test_on_a_real_clock_it_goes_on_by_itself(self):
        done = threading.Event()

        def program(process):
            process.sleep(0.05)
            done.set()

        with Engine() as engine:
            engine.program("app", program)
            client = engine.client(VERSION)
            client.ContainerCreate(name="box", Image="app")
            client.ContainerStart("box")
            assert done.wait(5)

    def test_it_uses_the_container_s_files(self, engine, client, start):
        def program(process):
            files = process.files
            files.make_folder("/var/lib/app")
            files.write("/var/lib/app/x", "one\n")
            files.write("/var/lib/app/x", b"two\n", append=True)
            assert files.read("/var/lib/app/x") == b"one\ntwo\n"
            assert files.names("/var/lib/app") == ["x"]
            files.remove("/etc/group")
            assert not files.exists("/etc/group")
            try:
                files.read("/nowhere")
            except FileNotFoundError:
                process.sleep(1000)

        engine.program("busybox", ["app"], program)
        box = start("busybox", "app")
        assert engine.errors == []
        assert execute(client, box, ["cat", "/var/lib/app/x"]).stdout == b"one\ntwo\n"

    @pytest.mark.parametrize(("signal", "exit_code"), [("TERM", 143), ("INT", 130), ("KILL", 137)])
    def test_signals_end_it_at_its_next_wait(self, engine, client, start, signal, exit_code):
        cleaned = threading.Event()

        def program(process):
            try:
                process.sleep(1000)
            finally:
                cleaned.set()

        engine.program("app", program)
        box = start()
        client.ContainerKill(box, signal=signal)
        assert state(client, box).ExitCode == exit_code
        assert cleaned.wait(5)

    def test_signals_that_it_handles_wait_for_it(self, engine, client, start):
        def program(process):
            process.handle("TERM", "SIGHUP")
            print("ready", file=process.stdout)
            assert process.wait_signal(timeout=5) is None
            while (signal := process.wait_signal()) != "TERM":
                print(signal, file=process.stdout)
            return 7

        engine.program("app", program)
        box = start()
        engine.clock.advance(5)
        client.ContainerKill(box, signal="HUP")
        assert logs(client, box) == "ready\nHUP\n"
        client.ContainerStop(box)
        assert state(client, box).ExitCode == 7

    def test_an_exception_is_a_traceback_and_the_test_s_to_see(self, engine, client, start):
        def program(process):
            raise RuntimeError("no such luck")

        engine.program("app", program)
        box = start()
        assert state(client, box).ExitCode == 1
        assert "RuntimeError: no such luck" in logs(client, box)
        assert "Traceback" in client.ContainerLogs(box, stderr=True).text()
        assert [str(error) for error in engine.errors] == ["no such luck"]
        assert "no such luck" in engine.report()

    @pytest.mark.parametrize(
        "said",
        [(None, 0, ""), (5, 5, ""), ("gone wrong", 1, "gone wrong\n")],
    )
    def test_system_exit_is_what_it_is_in_python(self, engine, client, start, said):
        code, exit_code, words = said

        def program(process):
            raise SystemExit(code)

        engine.program("app", program)
        box = start()
        assert (state(client, box).ExitCode, logs(client, box)) == (exit_code, words)
        assert engine.errors == []

    @pytest.mark.parametrize("value", [True, "0", 1.0])
    def test_what_is_no_exit_code_is_an_error(self, engine, client, start, value):
        engine.program("app", lambda process: value)
        box = start()
        assert state(client, box).ExitCode == 1
        assert "exit code or None" in logs(client, box)

    def test_a_paused_one_has_no_turns(self, engine, client, start):
        def program(process):
            while True:
                print("x", file=process.stdout)
                process.sleep(1)

        engine.program("app", program)
        box = start()
        client.ContainerPause(box)
        engine.clock.advance(10)
        assert logs(client, box) == "x\n"
        client.ContainerUnpause(box)
        assert logs(client, box) == "x\nx\n"

    def test_it_may_ask_its_own_engine(self, engine, client, start):
        def program(process):
            inner = engine.client(VERSION, timeout=10)
            for each in inner.ContainerList():
                print(each.Names[0], file=process.stdout)
            inner.ContainerCreate(name="made", Image="busybox")

        engine.program("app", program)
        begun = time.monotonic()
        box = start()
        assert client.ContainerWait(box).StatusCode == 0
        assert time.monotonic() - begun < 0.2
        assert logs(client, box) == f"/{box}\n"
        assert client.ContainerInspect("made").Name == "/made"

    def test_one_that_takes_long_is_not_waited_for(self, engine, client, start):
        may_go_on = threading.Event()

        def program(process):
            may_go_on.wait(10)
            print("done", file=process.stdout)

        engine.program("app", program)
        begun = time.monotonic()
        box = start()
        assert state(client, box).Running
        assert time.monotonic() - begun < 2
        may_go_on.set()
        assert client.ContainerWait(box).StatusCode == 0
        assert logs(client, box) == "done\n"

    def test_many_run_at_once_and_none_is_left(self, engine, client, start):
        before = threading.active_count()

        def program(process):
            while True:
                process.sleep(1)
                print("tick", file=process.stdout)

        engine.program("app", program)
        boxes = [start() for _ in range(20)]
        assert threading.active_count() == before + 20
        engine.clock.advance(3)
        assert all(logs(client, box) == "tick\n" * 3 for box in boxes)
        for box in boxes:
            client.ContainerDelete(box, force=True)
        end = time.monotonic() + 5
        while threading.active_count() > before and time.monotonic() < end:
            time.sleep(0.001)
        assert threading.active_count() == before

    def test_execs_can_be_functions(self, engine, client):
        engine.program(
            "busybox", ["greet"], lambda process: print(*process.args, file=process.stdout)
        )
        engine.add_container("box")
        assert execute(client, "box", ["greet", "you"]).stdout == b"greet you\n"

    def test_its_output_can_be_followed_while_it_waits_for_input(self, engine, client):
        def program(process):
            for line in process.stdin:
                print(line.strip().decode()[::-1], file=process.stdout)

        engine.program("app", program)
        client.ContainerCreate(
            name="box", Image="app", OpenStdin=True, StdinOnce=True, AttachStdin=True
        )
        with client.ContainerAttach("box", stream=True, stdin=True, stdout=True) as attached:
            client.ContainerStart("box")
            frames = iter(attached)
            for word in ("abc", "def"):
                attached.write(f"{word}\n".encode())
                assert next(frames).data == f"{word[::-1]}\n".encode()

    def test_a_text_without_a_line_s_end_goes_out_before_it_waits(self, engine, client):
        def program(process):
            process.stdout.write("a? ")
            process.stderr.write("b? ")
            process.stdout.write("c? ")
            process.sleep(10)

        engine.program("app", program)
        client.ContainerCreate(name="box", Image="app")
        with client.ContainerAttach("box", stream=True, stdout=True, stderr=True) as attached:
            client.ContainerStart("box")
            frames = iter(attached)
            seen = [
                (each.channel, each.data) for each in (next(frames), next(frames), next(frames))
            ]
        assert seen == [("stdout", b"a? "), ("stderr", b"b? "), ("stdout", b"c? ")]

    def test_one_that_never_waits_is_warned_of(self):
        stop = threading.Event()

        def program(process):
            while not stop.is_set():
                time.sleep(0.001)

        engine = Engine()
        engine.program("app", program)
        client = engine.client(VERSION)
        client.ContainerCreate(name="box", Image="app")
        client.ContainerStart("box")
        with pytest.warns(StuckProgramWarning, match="program: still running"):
            engine.close()
        stop.set()

    def test_async_functions_are_refused(self, engine):
        async def program(process):
            pass

        with pytest.raises(TypeError, match="not async"):
            engine.program("app", program)


class TestSteps:
    def test_generators_take_no_thread(self, engine, client, start):
        def program(process):
            end = process.now() + 5_000_000_000
            process.write(1, b"begin\n")
            while process.now() < end:
                yield end
            process.write(1, b"end\n")
            return 6

        before = {*threading.enumerate()}
        engine.program("app", program)
        box = start()
        assert {*threading.enumerate()} <= before
        engine.clock.advance(5)
        assert (logs(client, box), state(client, box).ExitCode) == ("begin\nend\n", 6)


def test_programs_outlive_a_restart_of_their_container(engine, client, start):
    engine.program("app", stdout="ready\n", runs="forever")
    box = start()
    client.ContainerRestart(box)
    assert logs(client, box) == "ready\n" * 2


def test_restart_policies_run_them_again(engine, client, start):
    engine.program("app", stdout="try\n", exit_code=1)
    box = start("app", HostConfig={"RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 2}})
    engine.clock.advance(60)
    assert logs(client, box) == "try\n" * 3
    assert dynadock.plain(state(client, box))["ExitCode"] == 1
