"""An engine inside the program: what it takes, how it is reached, what it remembers."""

from __future__ import annotations

import gc
import logging
import os
import pickle
import signal
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

import dynadock
from dynadock import (
    BadRequest,
    ConnectionRefused,
    NotFound,
    SpecError,
    TransportError,
    VersionError,
    execute,
    load,
    reveal,
    run,
)
from dynadock.embedded import Engine
from secret_values import SECRET, is_told_by

VERSION = "1.45"


@pytest.fixture
def engine():
    with Engine(seed=7, clock="manual") as made:
        yield made


@pytest.fixture
def client(engine):
    return engine.client(VERSION, timeout=10)


def started(client, name, *command, image="busybox", **fields):
    client.ContainerCreate(name=name, Image=image, Cmd=[*command] or None, **fields)
    client.ContainerStart(name)
    return name


def state(client, name):
    return client.ContainerInspect(name).State


def logs(client, name, **arguments):
    return client.ContainerLogs(name, stdout=True, stderr=True, **arguments).text()


def open_descriptors():
    # The one that this looks with is closed again.
    return sorted(each.name for each in Path("/proc/self/fd").iterdir())


class TestReaching:
    def test_it_is_an_attribute_of_the_package(self):
        assert dynadock.embedded.Engine is Engine
        offered = dynadock.embedded.__all__
        assert set(offered) <= set(dir(dynadock.embedded))
        assert all(isinstance(getattr(dynadock.embedded, name), type) for name in offered)
        with pytest.raises(AttributeError, match="no attribute 'Engines'"):
            _ = dynadock.embedded.Engines
        assert "embedded" in dir(dynadock)

    def test_clients_of_one_engine_see_the_same(self, engine, client):
        client.ContainerCreate(name="box", Image="busybox")
        others = (engine.client("1.30"), engine.client(), load(VERSION, host=engine.address))
        assert [each.ContainerInspect("box").Name for each in others] == ["/box"] * 3

    def test_options_are_those_of_load(self, engine):
        assert engine.client(VERSION, timeout=3.5).options.timeout == 3.5
        with pytest.raises(TypeError, match="tiemout"):
            engine.client(VERSION, tiemout=3.5)

    def test_two_engines_share_nothing(self, client):
        client.ContainerCreate(name="box", Image="busybox")
        with Engine() as other:
            assert other.client(VERSION).ContainerList(all=True) == []

    def test_one_with_a_name_is_found_by_it(self, monkeypatch):
        with Engine(name="mine") as made:
            made.add_container("box")
            monkeypatch.setenv("DOCKER_HOST", "embedded://mine")
            assert load(VERSION).ContainerInspect("box").Name == "/box"
            with pytest.raises(ValueError, match="'mine'"):
                Engine(name="mine")

    def test_a_closed_one_is_refused_and_never_another(self, engine, client):
        engine.close()
        engine.close()
        with pytest.raises(ConnectionRefused):
            client.SystemPing()
        with pytest.raises(ConnectionRefused):
            load(VERSION, host=engine.address).SystemPing()

    def test_others_reach_it_at_a_socket_of_its_own(self, engine, client):
        engine.add_container("box")
        path = Path(engine.url.removeprefix("unix://"))
        assert path.stat().st_mode & 0o777 == 0o600
        with load(VERSION, host=engine.url) as other:
            assert other.ContainerInspect("box").Id == client.ContainerInspect("box").Id
        assert engine.url == f"unix://{path}"
        engine.close()
        assert not path.parent.exists()

    def test_nothing_is_left_when_it_is_closed(self):
        threads, descriptors = threading.enumerate(), open_descriptors()
        with Engine() as made:
            made.program("fun", lambda process: process.sleep(1000))
            for host in (made.address, made.url):
                with load(VERSION, host=host) as one:
                    started(one, f"box{len(one.ContainerList())}", image="fun")
        assert threading.enumerate() == threads
        assert open_descriptors() == descriptors


class TestVersions:
    def test_it_speaks_the_range_that_it_is_given(self):
        with Engine(api="1.30-1.41") as made:
            assert made.client().version == "1.41"
            assert made.client("1.30").SystemPing() == "OK"
            for version in ("1.29", "1.42"):
                with pytest.raises(VersionError, match=r"1\.30.*1\.41"):
                    made.client(version).ContainerList()

    @pytest.mark.parametrize(
        ("api", "words"),
        [("1.90-", r"1\.90-; there are 1\.25 to"), ("new", "'new' is not an API version")],
    )
    def test_a_range_without_documents_is_refused(self, api, words):
        with pytest.raises(SpecError, match=words):
            Engine(api=api)

    def test_ids_are_the_same_for_one_seed(self):
        made = []
        for _ in range(2):
            with Engine(seed="x") as engine:
                created = engine.client(VERSION).ContainerCreate(Image="busybox")
                made.append((created.Id, engine.client(VERSION).ContainerInspect(created.Id).Name))
        assert made[0] == made[1]


class TestStrict:
    @pytest.fixture
    def loose(self):
        with Engine(strict=True) as made:
            yield made.client(VERSION, unknown="send", validate=False)

    def test_what_the_document_does_not_know_is_refused(self, loose):
        with pytest.raises(BadRequest, match=r"siez: unknown parameter; did you mean .size"):
            loose.ContainerList(siez=True)
        with pytest.raises(BadRequest, match="Imgae") as caught:
            loose.ContainerCreate(Image="busybox", Imgae="busybox", Cmd=5)
        assert "Cmd" in caught.value.explanation

    def test_what_it_knows_is_done(self, loose):
        loose.ContainerCreate(name="box", Image="busybox", Labels={"any": "thing"})
        assert [each.Names for each in loose.ContainerList(all=True)] == [["/box"]]

    def test_others_are_as_lenient_as_engines_are(self, engine):
        loose = engine.client(VERSION, unknown="send")
        assert loose.ContainerList(siez=True) == []


class TestClock:
    def test_a_manual_one_stands_still_until_it_is_moved(self, engine, client):
        began = engine.clock.now()
        started(client, "box", "sleep", "60")
        time.sleep(0.01)
        assert engine.clock.now() == began
        engine.clock.advance(59)
        assert state(client, "box").Running
        engine.clock.advance(1)
        assert not state(client, "box").Running
        assert engine.clock.now() == began + 60
        assert engine.clock.is_manual

    def test_a_real_one_goes_and_can_be_put_forward(self):
        with Engine() as made:
            assert abs(made.clock.now() - time.time()) < 5
            client = made.client(VERSION)
            started(client, "box", "sleep", "3600")
            made.clock.advance(3600)
            assert not state(client, "box").Running

    def test_it_never_goes_back(self, engine):
        with pytest.raises(ValueError, match="forward"):
            engine.clock.advance(-1)

    def test_there_are_two_kinds(self):
        with pytest.raises(ValueError, match="'real' or 'manual', got 'fast'"):
            Engine(clock="fast")


class TestImages:
    def test_one_without_a_command_runs_until_it_is_stopped(self, engine, client):
        engine.add_image("registry.test:5000/nginx:1.25")
        started(client, "web", image="registry.test:5000/nginx:1.25")
        engine.clock.advance(100)
        assert client.ContainerInspect("web").Path == "nginx"
        client.ContainerStop("web")
        assert state(client, "web").ExitCode == 0

    def test_it_has_the_files_and_the_shell_of_its_base(self, engine, client):
        engine.add_image(
            "app",
            cmd=["/start.sh"],
            files={"/start.sh": "#!/bin/sh\necho $GREETING; cat /data/x\n", "/data/x": b"bytes\n"},
            env={"GREETING": "hello"},
            labels={"of": "tests"},
            config={"StopSignal": "SIGINT"},
        )
        started(client, "box", image="app")
        assert logs(client, "box") == "hello\nbytes\n"
        config = client.ContainerInspect("box").Config
        assert (config.StopSignal, config.Labels["of"]) == ("SIGINT", "tests")

    def test_the_name_goes_to_the_new_one(self, engine, client):
        first = engine.add_image("app", cmd=["one"])
        second = engine.add_image("app:latest", cmd=["two"])
        client.ContainerCreate(name="box", Image="app")
        assert first != second
        assert client.ContainerInspect("box").Image == second

    def test_one_that_is_pullable_is_there_once_it_is_pulled(self, engine, client):
        engine.add_image("app", cmd=["true"], pullable=True)
        with pytest.raises(NotFound):
            client.ContainerCreate(Image="app")
        client.ImageCreate(fromImage="app", tag="latest").wait()
        assert client.ContainerCreate(Image="app").Id

    def test_what_is_no_image_is_refused(self, engine):
        with pytest.raises(ValueError, match="absolute"):
            engine.add_image("app", files={"x": "y"})
        with pytest.raises(TypeError, match="list of words"):
            engine.add_image("app", cmd="a b")
        with pytest.raises(NotFound, match="nowhere"):
            engine.add_image("app", base="nowhere")


class TestContainers:
    @pytest.mark.parametrize(
        ("status", "shown"),
        [
            ("created", "created"),
            ("running", "running"),
            ("paused", "paused"),
            ("restarting", "restarting"),
            ("removing", "removing"),
            ("exited", "exited"),
            ("dead", "dead"),
        ],
    )
    def test_any_state_can_be_had(self, engine, client, status, shown):
        engine.add_container("box", status=status)
        assert state(client, "box").Status == shown
        assert client.ContainerList(all=True)[0].State == shown

    @pytest.mark.parametrize("health", ["starting", "healthy", "unhealthy"])
    def test_and_any_health(self, engine, client, health):
        engine.add_container("box", status=health)
        assert state(client, "box").Health.Status == health
        found = client.ContainerList(filters={"health": health})
        assert [each.Names for each in found] == [["/box"]]

    def test_exit_codes_and_bodies_are_taken(self, engine, client):
        engine.add_container(
            "box",
            status="exited",
            exit_code=137,
            env=["A=b"],
            body={"HostConfig": {"Memory": 2**30}},
        )
        inspected = client.ContainerInspect("box")
        assert (inspected.State.ExitCode, inspected.Config.Env) == (137, ["A=b"])
        assert inspected.HostConfig.Memory == 2**30

    def test_one_may_have_written_something(self, engine, client):
        engine.add_container("box", status="dead", logs="one\ntwo")
        assert logs(client, "box") == "one\ntwo"

    def test_a_running_one_stays_so_until_it_is_stopped(self, engine, client):
        engine.add_container("box")
        engine.clock.advance(10**6)
        assert state(client, "box").Running
        client.ContainerStop("box")
        assert state(client, "box").ExitCode == 0

    def test_what_cannot_be_is_refused(self, engine):
        with pytest.raises(ValueError, match=r"expected one of created, .*got 'asleep'"):
            engine.add_container("box", status="asleep")
        with pytest.raises(NotFound, match="nowhere"):
            engine.add_container("box", image="nowhere")
        engine.add_container("box")
        with pytest.raises(ValueError, match="already in use"):
            engine.add_container("box")


class TestVolumesAndNetworks:
    def test_a_volume_has_its_files(self, engine, client):
        engine.add_volume("data", files={"/a/b": "text\n"}, labels={"of": "tests"})
        assert client.VolumeInspect("data").Labels["of"] == "tests"
        mounted = {"HostConfig": {"Binds": ["data:/srv"]}}
        assert run(client, "busybox", ["cat", "/srv/a/b"], **mounted).stdout == b"text\n"

    def test_a_network_has_its_range(self, engine, client):
        made = engine.add_network("net", subnet="10.9.0.0/16", labels={"of": "tests"})
        inspected = client.NetworkInspect("net")
        assert (inspected.Id, inspected.IPAM.Config[0].Subnet) == (made, "10.9.0.0/16")

    def test_what_cannot_be_is_refused(self, engine):
        engine.add_network("net")
        with pytest.raises(ValueError, match="already exists"):
            engine.add_network("net")
        with pytest.raises(ValueError, match="invalid characters"):
            engine.add_volume("a b")
        with pytest.raises(ValueError, match="absolute"):
            engine.add_volume("data", files={"x": "y"})


class TestCalls:
    def test_they_say_what_was_asked_and_answered(self, engine, client):
        client.ContainerCreate(name="box", Image="busybox", Cmd=["true"])
        with suppress(NotFound):
            client.ContainerInspect("nobody", size=True)
        created, inspected = engine.calls
        assert created.operation_id == "ContainerCreate"
        assert created.arguments["name"] == "box"
        assert created.body == {"Image": "busybox", "Cmd": ["true"]}
        assert (created.version, created.status, created.error) == (VERSION, 201, "")
        assert inspected.arguments == {"id": "nobody", "size": True}
        assert (inspected.status, inspected.error) == (404, "No such container: nobody")
        assert engine.calls.of("ContainerInspect")[-1] is inspected
        assert len(engine.calls.of("ContainerStart")) == 0
        engine.calls.clear()
        assert not engine.calls

    def test_what_waits_has_no_answer_yet(self, engine, client):
        started(client, "box", "sleep", "5")
        client.ContainerKill("box")
        stopping = threading.Thread(target=client.ContainerStop, args=("slow",), kwargs={"t": 60})
        started(client, "slow", "sleep", "5")
        stopping.start()
        while not engine.calls.of("ContainerStop"):
            time.sleep(0.001)
        assert engine.calls.of("ContainerStop")[0].status == 0
        assert "not answered" in repr(engine.calls)
        engine.clock.advance(60)
        stopping.join()
        assert engine.calls.of("ContainerStop")[0].status == 204

    def test_they_show_no_secret(self, engine, client):
        with suppress(dynadock.APIError):
            client.SystemAuth(username="me", password=SECRET, serveraddress="registry.test")
        with suppress(dynadock.APIError):
            client.ImagePush("app", X_Registry_Auth={"username": "me", "password": SECRET})
        client.ContainerCreate(Image="busybox", Env=[f"DB_PASSWORD={SECRET}"])
        for call in engine.calls:
            assert not is_told_by(repr(call))
            assert not is_told_by(f"{call.arguments} {call.body}")
        assert not is_told_by(engine.report())
        assert reveal(engine.calls.of("SystemAuth")[0].body)["password"] == SECRET

    def test_only_the_newest_are_kept(self, engine, client):
        client.ContainerList()
        for _ in range(1000):
            client.SystemPing()
        assert len(engine.calls) == 1000
        assert not engine.calls.of("ContainerList")

    def test_what_means_no_operation_is_there_too(self, engine, client):
        with suppress(dynadock.APIError):
            client.with_options(query={}).SystemPing.raw()
        assert engine.calls[-1].operation_id == "SystemPing"
        assert engine.calls[-1].method == "GET"


class TestSnapshots:
    def test_everything_is_put_back_as_often_as_wanted(self, engine, client):
        started(client, "box", "sh", "-c", "echo one; sleep 1000")
        client.ContainerCreate(name="other", Image="busybox")
        engine.add_image("app")
        saved, moment = engine.snapshot(), engine.clock.now()
        for _ in range(2):
            engine.clock.advance(5)
            client.ContainerDelete("box", force=True)
            client.ContainerRename("other", name="renamed")
            client.ContainerCreate(name="new", Image="app")
            engine.restore(saved)
            assert engine.clock.now() == moment
            names = {name for each in client.ContainerList(all=True) for name in each.Names}
            assert names == {"/box", "/other"}
            assert state(client, "box").Running

    def test_programs_begin_anew_and_logs_go_on(self, engine, client):
        started(client, "box", "sh", "-c", "echo begun; sleep 5; echo done")
        engine.clock.advance(3)
        saved = engine.snapshot()
        engine.restore(saved)
        assert logs(client, "box") == "begun\nbegun\n"
        engine.clock.advance(4)
        assert state(client, "box").Running
        engine.clock.advance(1)
        assert logs(client, "box") == "begun\nbegun\ndone\n"

    def test_files_are_those_of_the_moment(self, engine, client):
        started(
            client, "box", "sh", "-c", "echo one > /kept; sleep 10; echo two > /kept; cat /kept"
        )
        saved = engine.snapshot()
        engine.clock.advance(10)
        assert logs(client, "box") == "two\n"
        engine.restore(saved)
        execute(client, "box", ["sh", "-c", "cat /kept > /seen; echo x >> /kept"])
        assert execute(client, "box", ["cat", "/seen"]).stdout == b"one\n"
        engine.restore(saved)
        assert execute(client, "box", ["cat", "/kept"]).stdout == b"one\n"

    def test_containers_still_share_their_volumes(self, engine, client):
        mounted = {"HostConfig": {"Binds": ["data:/srv"]}}
        for name in ("one", "two"):
            engine.add_container(name, body=mounted)
        engine.restore(engine.snapshot())
        execute(client, "one", ["sh", "-c", "echo shared > /srv/x"])
        assert execute(client, "two", ["cat", "/srv/x"]).stdout == b"shared\n"
        assert run(client, "busybox", ["cat", "/srv/x"], **mounted).stdout == b"shared\n"

    def test_images_networks_volumes_and_events_are_put_back(self, engine, client):
        began = int(engine.clock.now()) - 1
        client.VolumeCreate(Name="data")
        client.NetworkCreate(Name="net")
        client.ImageTag("busybox", repo="mine", tag="1")
        engine.clock.advance(5)
        happened = [each.Action for each in client.SystemEvents(since=began, until=began + 5)]
        saved = engine.snapshot()
        client.VolumeDelete("data")
        client.NetworkDelete("net")
        client.ImageDelete("mine:1")
        engine.restore(saved)
        assert client.VolumeInspect("data").Name == "data"
        assert client.NetworkInspect("net").Name == "net"
        assert "mine:1" in client.ImageInspect("busybox").RepoTags
        events = client.SystemEvents(since=began, until=began + 5)
        assert [each.Action for each in events] == happened

    def test_who_waits_is_not_left_waiting(self, engine, client):
        started(client, "box", "sleep", "1000")
        saved = engine.snapshot()
        followed = client.ContainerLogs("box", stdout=True, follow=True)
        ended = []
        waiting = [
            threading.Thread(target=lambda: ended.append(client.ContainerWait("box"))),
            threading.Thread(target=lambda: ended.append(followed.text())),
        ]
        for each in waiting:
            each.start()
        while not engine.calls.of("ContainerWait"):
            time.sleep(0.001)
        engine.restore(saved)
        for each in waiting:
            each.join(5)
        assert len(ended) == 2

    def test_calls_that_are_delayed_are_answered(self, engine, client):
        saved, answers = engine.snapshot(), []
        engine.fail("SystemPing", delay=60)
        asking = threading.Thread(target=lambda: answers.append(client.SystemPing()))
        asking.start()
        while not engine.calls.of("SystemPing"):
            time.sleep(0.001)
        engine.restore(saved)
        engine.clock.advance(60)
        asking.join(5)
        assert answers == ["OK"]

    def test_forced_states_and_paused_ones_are_kept(self, engine, client):
        for status in ("paused", "restarting", "dead", "unhealthy"):
            engine.add_container(status, status=status)
        engine.restore(engine.snapshot())
        assert state(client, "paused").Paused
        assert state(client, "restarting").Restarting
        assert state(client, "dead").Dead
        assert state(client, "unhealthy").Health.Status == "unhealthy"
        client.ContainerUnpause("paused")
        client.ContainerStop("paused")

    def test_another_engine_s_is_refused(self, engine):
        with Engine() as other, pytest.raises(ValueError, match="another engine"):
            engine.restore(other.snapshot())

    def test_it_is_cheap(self, engine, client):
        engine.add_image("big", files={"/big": b"x" * 50_000_000})
        engine.add_container("box", image="big")
        saved = engine.snapshot()
        begun = time.process_time()
        for _ in range(20):
            engine.restore(saved)
        assert time.process_time() - begun < 2


class TestThreads:
    @pytest.fixture(autouse=True)
    def quiet(self, caplog):
        """Keep the locks of logging's handlers out of it."""
        caplog.set_level(logging.WARNING, "dynadock")

    def test_many_clients_at_once(self, engine):
        failed = []

        def work(number):
            try:
                client = engine.client(VERSION, timeout=30)
                for turn in range(10):
                    name = f"box-{number}-{turn}"
                    assert (
                        run(client, "busybox", ["echo", name], name=name).stdout
                        == f"{name}\n".encode()
                    )
            except BaseException as error:
                failed.append(error)
                raise

        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        assert not failed
        assert engine.client(VERSION).ContainerList(all=True) == []

    # Streams whose making was interrupted complain when they are dropped.
    @pytest.mark.filterwarnings(
        "ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning"
    )
    def test_a_signal_handler_s_exception_leaves_it_usable(self):
        class Interrupted(Exception):
            pass

        def interrupt(_number, _frame):
            raise Interrupted

        before = signal.signal(signal.SIGALRM, interrupt)
        met = 0
        try:
            with Engine() as engine:
                client = engine.client(VERSION, timeout=10)
                client.ContainerList(all=True)
                run(client, "busybox", ["echo", "x"])
                for turn in range(100):
                    signal.setitimer(signal.ITIMER_REAL, 0.0003 + (turn % 50) / 50_000)
                    try:
                        # One that comes while an object is dropped is swallowed by Python.
                        for _ in range(20):
                            client.ContainerList(all=True)
                            run(client, "busybox", ["echo", "x"])
                    except Interrupted:
                        met += 1
                    except (dynadock.DynadockError, RuntimeError):
                        # What was interrupted may not have been done to its end.
                        continue
                    finally:
                        signal.setitimer(signal.ITIMER_REAL, 0)
                asked = []
                other = threading.Thread(
                    target=lambda: asked.append(engine.client(VERSION).SystemPing()), daemon=True
                )
                other.start()
                other.join(10)
                assert asked == ["OK"]
        finally:
            signal.signal(signal.SIGALRM, before)
        assert met > 20

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
    @pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
    def test_a_forked_child_has_an_engine_of_its_own(self, engine, client):
        engine.add_container("box")
        client.ContainerList()
        stop = threading.Event()

        def ask():
            while not stop.is_set():
                engine.client(VERSION).ContainerList()

        asking = threading.Thread(target=ask)
        asking.start()
        try:
            for _ in range(20):
                child = os.fork()
                if child == 0:
                    signal.signal(signal.SIGALRM, signal.SIG_DFL)
                    signal.alarm(10)
                    client.ContainerDelete("box", force=True)
                    os._exit(len(client.ContainerList(all=True)))
                assert os.waitpid(child, 0)[1] == 0
        finally:
            stop.set()
            asking.join()
        assert state(client, "box").Running

    def test_five_hundred_stand_side_by_side(self):
        engines = [Engine() for _ in range(500)]
        try:
            for place, each in enumerate(engines):
                each.add_container(f"box{place}")
            threads = threading.active_count()
            names = [each.client(VERSION).ContainerList()[0].Names[0] for each in engines]
            assert names == [f"/box{place}" for place in range(500)]
            assert threading.active_count() == threads
        finally:
            for each in engines:
                each.close()


def test_a_dropped_engine_takes_its_memory_with_it():
    import weakref

    engine = Engine()
    engine.add_container("box")
    engine.client(VERSION).ContainerList()
    reference = weakref.ref(engine)
    del engine
    gc.collect()
    assert reference() is None


def test_clients_can_be_pickled_and_find_it_again(engine, client):
    engine.add_container("box")
    assert pickle.loads(pickle.dumps(client)).ContainerInspect("box").Name == "/box"


def test_it_is_gone_and_back(engine, client):
    started(client, "box", "sleep", "1000")
    followed = client.ContainerLogs("box", stdout=True, follow=True)
    client.SystemPing()
    engine.stop()
    with pytest.raises(TransportError):
        followed.text()
    for _ in range(2):
        with pytest.raises(ConnectionRefused):
            client.SystemPing()
    engine.start()
    assert state(client, "box").Running


def test_its_socket_is_gone_and_back(engine):
    with load(VERSION, host=engine.url) as client:
        client.SystemPing()
        engine.stop()
        with pytest.raises(TransportError):
            client.SystemPing()
        engine.start()
        assert client.SystemPing() == "OK"
