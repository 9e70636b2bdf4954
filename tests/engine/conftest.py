"""What the tests on real engines share: targets, clients, expectations, and tidying up.

Every test that asks for ``target`` (or for something that stands on it, such as ``client``) runs
once for each engine and API version: the newest version that both sides speak up to the main one,
and the newest of all. ``@pytest.mark.api("1.30-1.42")`` asks for every version of that range that
the engine announces, ``@pytest.mark.at("1.30", "newest")`` for those versions, as far as it
announces them; ``@pytest.mark.each_engine`` for each engine once, at its newest version, and
``@pytest.mark.one_engine`` for one engine only, which stands for all.

Where ``DYNADOCK_TEST_API`` names versions, ``1.30-1.42,newest``, a test that would run at the main
ones runs at all of them, and none that is only for other versions or has nothing to do with one.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from shutil import copytree
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from dynadock import APIError, BoundOperation, Client, NotFound, load
from dynadock.spec.versions import parse_range
from engine.answers import Expected, end_of
from engine.engines import (
    ENGINES,
    GUARDED,
    LOGIN,
    MAIN_VERSION,
    NEWEST,
    NO_ENGINE,
    REGISTRY,
    STREAM_VERSIONS,
    Target,
    addresses,
    asked,
    engines,
    one_of,
)
from engine.ledger import Ledger
from engine.things import IMAGE, LABELS, SWARM_ADDRESS, new_name
from engine.tidy import tidy, tidy_registry
from lacking import REQUIRED, give_up
from sessions import EMBEDDED, embedded_engine

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from dynadock.spec.versions import Version
    from engine.engines import Engine

HERE = Path(__file__).parent
LAST = "test_completeness.py"


LEDGER = pytest.StashKey[Ledger]()

NOT_ASKED = "not asked for"

BY_ENGINE = ("each_engine", "one_engine")
"""Markers of tests that are about engines, whatever the version."""

RESULTS = "DYNADOCK_TEST_RESULTS"
"""Names a folder for a file of results for each engine and version."""

BEYOND = {"registry", "guarded"}
"""Fixtures of what the embedded engine does not reach."""


def pytest_configure(config: pytest.Config) -> None:
    config.stash[LEDGER] = Ledger()
    config.addinivalue_line("markers", "api(range): at every version of the range, e.g. 1.30-1.42")
    config.addinivalue_line("markers", "at(version, ...): at these versions, 'newest' among them")
    config.addinivalue_line("markers", "each_engine: on every engine once, at its newest version")
    config.addinivalue_line("markers", "one_engine: on one engine, at its newest version")
    config.addinivalue_line("markers", "anywhere: needs no more of a registry than its name")
    config.addinivalue_line("markers", "simulated: on the embedded engine alone")
    config.addinivalue_line("markers", "real: not on the embedded engine: other programs ask it")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "target" not in metafunc.fixturenames:
        return
    marker = _marker(metafunc.definition)
    by_engine = marker is not None and marker.name in BY_ENGINE
    if by_engine and asked():
        metafunc.parametrize("target", [None], ids=[NOT_ASKED], indirect=True, scope="module")
        return
    chosen = one_of(engines()) if marker is not None and marker.name == "one_engine" else engines()
    marked = metafunc.definition.get_closest_marker
    is_beyond = BEYOND & {*metafunc.fixturenames} and not marked("anywhere")
    if marked("real") or is_beyond:
        chosen = tuple(each for each in chosen if each.kind != EMBEDDED)
    if marked("simulated"):
        chosen = tuple(each for each in chosen if each.kind == EMBEDDED)
    targets = [Target(each, at) for each in chosen for at in _versions(each, marker)] or [None]
    ids = [_id(target, by_engine=by_engine) for target in targets]
    metafunc.parametrize("target", targets, ids=ids, indirect=True, scope="module")


def _marker(test: pytest.Function) -> pytest.Mark | None:
    """Return the marker that says at which versions: a test's own comes before its module's."""
    names = ("api", "at", *BY_ENGINE)
    markers = (each for each in test.iter_markers() if each.name in names)
    return next(markers, None)


def _versions(engine: Engine, marker: pytest.Mark | None) -> list[Any]:
    if engine.fault:
        return [None]
    if not asked():
        return _usual_versions(engine, marker)
    if marker is None or marker.args == STREAM_VERSIONS:
        return engine.asked_versions
    return [each for each in _usual_versions(engine, marker) if each in engine.asked_versions]


def _usual_versions(engine: Engine, marker: pytest.Mark | None) -> list[Version]:
    if marker is None:
        return engine.main_versions
    if marker.name in BY_ENGINE:
        return engine.versions_at(NEWEST)
    if marker.name == "at":
        return engine.versions_at(*marker.args)
    return engine.versions(parse_range(marker.args[0]))


def _id(target: Target | None, *, by_engine: bool) -> str:
    if target is None:
        return NOT_ASKED if asked() else "no engine"
    if by_engine or target.version is None:
        return target.engine.name
    return f"{target.engine.name}-{target.version}"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Run last what looks back on the run, and note whether all of it is to run."""
    items.sort(key=lambda item: item.path.parent == HERE and item.path.name == LAST)
    files = {item.path for item in items if item.path.parent == HERE}
    all_there = files == set(HERE.glob("test_*.py"))
    if not all_there or any("::" in argument for argument in config.args):
        config.stash[LEDGER].whole = False
    _leave_out(config, items)


def _leave_out(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is not about the versions that are asked for, or about an engine not there."""
    ledger = config.stash[LEDGER]
    is_whole = ledger.whole
    kept, left = [], []
    for item in items:
        (kept if _is_wanted(item) else left).append(item)
    if left:
        config.hook.pytest_deselected(items=left)
    ledger.whole = is_whole
    items[:] = kept


def _is_wanted(item: pytest.Item) -> bool:
    if _target_of(item):
        return not asked() or item.path.name != LAST
    return not asked() and item.get_closest_marker("simulated") is None


def pytest_deselected(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent == HERE:
            item.config.stash[LEDGER].whole = False


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, Any, Any]:
    """Let a test end where the table says that an engine has nothing more to say to it."""
    try:
        return (yield)
    except APIError as error:
        target = getattr(pyfuncitem, "funcargs", {}).get("target")
        answer = None if target is None else end_of(target, error)
        if answer is None:
            raise
        pyfuncitem.config.stash[LEDGER].note_answer(target, answer)
        return True


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note if calls were made in vain, and give all skips one place.

    So the summary has one line for each reason to skip.
    """
    report = yield
    ledger = item.config.stash[LEDGER]
    target = _target_of(item)
    name = _name_of(item, target)
    if target is None or _is_by_engine(item):
        ledger.settle(name, passed=report.passed, but=target)
    else:
        ledger.settle(name, passed=report.passed)
        error = None if call.excinfo is None else call.excinfo.value
        ledger.put(target, name, report, error)
    ledger.go_on()
    if report.skipped and isinstance(report.longrepr, tuple):
        report.longrepr = (str(HERE), None, report.longrepr[2])
        if "target" in getattr(item, "fixturenames", ()):
            ledger.whole = False
    return report


def _target_of(item: pytest.Item) -> Target | None:
    """Return what a test runs at, None for one that names no engine or has none."""
    return getattr(item, "callspec", None) and item.callspec.params.get("target")


def _is_by_engine(item: pytest.Item) -> bool:
    """Tell whether a test is about an engine, whatever the version that it runs at."""
    marker = _marker(item)
    return marker is not None and marker.name in BY_ENGINE


def _name_of(item: pytest.Item, target: Target | None) -> str:
    """Return a test's name without its engine and version: ``test_exec.py::test_it[a case]``."""
    name, bracket, case = item.nodeid.rpartition("tests/engine/")[2].partition("[")
    own = "" if target is None else _id(target, by_engine=_is_by_engine(item))
    parts = case.removesuffix("]").replace(own, "").strip("-").replace("--", "-")
    return f"{name}[{parts}]" if bracket and parts else name


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Write the columns of a run that has come to its end and left nothing out."""
    ledger, folder = session.config.stash[LEDGER], os.environ.get(RESULTS)
    ended = exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
    if folder and ledger.whole and ended and not session.config.option.collectonly:
        ledger.write(Path(folder))


@pytest.fixture(scope="session")
def ledger(pytestconfig: pytest.Config) -> Ledger:
    """What this run has seen so far."""
    return pytestconfig.stash[LEDGER]


@pytest.fixture(scope="module")
def target(request: pytest.FixtureRequest) -> Target:
    """An engine and the API version to speak with it."""
    if request.param is None:
        pytest.skip(NO_ENGINE)
    if request.param.engine.fault:
        engine = request.param.engine
        why = f"{ENGINES} names it" if addresses(ENGINES) else f"{REQUIRED} is set"
        pytest.fail(f"{engine.name} is not to be reached, and {why}: {engine.fault}", pytrace=False)
    return request.param


@pytest.fixture(scope="module")
def engine(target: Target) -> Engine:
    """The engine of the target."""
    return target.engine


class WatchedOperation:
    """An operation that says when a call of it raised nothing."""

    def __init__(self, operation: BoundOperation, note: Callable[[str], None]) -> None:
        self._operation = operation
        self._note = note

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        value = self._operation(*args, **kwargs)
        self._note(self._operation.operation_id)
        return value

    def __getattr__(self, name: str) -> Any:
        return getattr(self._operation, name)


class WatchedClient:
    """A client whose operations say when a call of them raised nothing."""

    def __init__(self, client: Client, note: Callable[[str], None]) -> None:
        self._client = client
        self._note = note

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        is_operation = isinstance(found, BoundOperation)
        return WatchedOperation(found, self._note) if is_operation else found

    def with_options(self, **options: Any) -> WatchedClient:
        return WatchedClient(self._client.with_options(**options), self._note)


def _recording() -> dict[str, Any]:
    """Return the options that have replies held against their documents.

    Only where versions are asked for: it takes about as long as all the rest of a test.
    """
    return {"contract": "record"} if os.environ.get(RESULTS) and asked() else {}


@pytest.fixture(scope="module")
def client(target: Target, ledger: Ledger) -> Iterator[WatchedClient]:
    """A client of the target; what the module makes with it is removed at the module's end."""
    with load(str(target.version), host=target.engine.address, **_recording()) as plain:
        if _recording():
            ledger.watch(target, plain)
        try:
            yield WatchedClient(plain, partial(ledger.note_call, target))
        finally:
            tidy(plain)


@pytest.fixture(scope="module")
def expected(target: Target, client: Client, ledger: Ledger) -> Expected:
    """What the target is expected to do: see `Expected`."""
    return Expected(target, client, partial(ledger.note_answer, target))


@pytest.fixture(scope="module")
def image(client: Client, engine: Engine) -> str:
    """The image that containers are made of; pulled where an engine does not have it."""
    try:
        client.ImageInspect(IMAGE)
    except NotFound:
        try:
            client.ImageCreate(fromImage=IMAGE).wait()
        except APIError as error:
            give_up(f"{engine.name} has no {IMAGE} and cannot pull it: {error}")
    return IMAGE


@pytest.fixture(scope="module")
def new_container(client: Client, image: str) -> Callable[..., str]:
    """Make containers that sleep or do what ``Cmd`` says, and give their names."""

    def make(name: str | None = None, **fields: Any) -> str:
        name = name or new_name("container")
        defaults = {"Cmd": ["sleep", "600"], "StopSignal": "SIGKILL", "Labels": LABELS}
        client.ContainerCreate(name=name, body={"Image": image, **defaults, **fields})
        return name

    return make


@pytest.fixture(scope="module")
def running(client: Client, new_container: Callable[..., str]) -> str:
    """The name of a running container that the module's tests share and leave as it is."""
    name = new_container()
    client.ContainerStart(name)
    return name


@pytest.fixture(scope="module")
def swarm(client: Client, engine: Engine, expected: Expected, image: str) -> Iterator[None]:
    """The engine is the manager of a swarm of its own, where it can be."""
    state = client.SystemInfo().Swarm.LocalNodeState
    if state != "inactive":
        give_up(f"{engine.name} is in somebody's swarm already ({state})")
    try:
        with expected("SwarmInit"):
            client.SwarmInit(
                ListenAddr=SWARM_ADDRESS,
                AdvertiseAddr="127.0.0.1",
                AutoLockManagers=True,
                Spec={"EncryptionConfig": {"AutoLockManagers": True}, "Labels": LABELS},
            )
        yield
    finally:
        with expected("SwarmLeave"):
            client.SwarmLeave(force=True)


@pytest.fixture(scope="module")
def registry(engine: Engine) -> Iterator[str]:
    """The address of an open registry, which the engine reaches too."""
    address = os.environ.get(REGISTRY)
    if not address:
        give_up(f"{REGISTRY} names no registry")
    yield address
    tidy_registry(address)


class Guarded(NamedTuple):
    """A registry that wants an account, and one that it knows."""

    address: str
    user: str
    password: str

    @property
    def auth(self) -> dict[str, str]:
        return {"username": self.user, "password": self.password}

    @property
    def accounts(self) -> dict[str, dict[str, str]]:
        """What the option ``credentials`` takes."""
        return {self.address: self.auth}


@pytest.fixture(scope="module")
def guarded(engine: Engine) -> Iterator[Guarded]:
    """A registry that wants an account, which the engine reaches too."""
    address = os.environ.get(GUARDED)
    if not address:
        give_up(f"{GUARDED} names no registry")
    user, _, password = os.environ.get(LOGIN, "").partition(":")
    yield Guarded(address, user, password)
    tidy_registry(address, (user, password))


@pytest.fixture
def speaker(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, empty_config: Path
) -> Iterator[Callable[[str], Client]]:
    """Return what sets the environment that a page was written in, and gives a client of it.

    It takes a kind of engine: one of Docker speaks the main version, of Podman its own newest; an
    embedded one is made for it.
    """

    def speak(kind: str) -> Client:
        main = parse_range(f"-{MAIN_VERSION}" if kind == "podman" else str(MAIN_VERSION))
        if kind == EMBEDDED:
            address, version = stack.enter_context(embedded_engine()).address, MAIN_VERSION
        else:
            found = [each for each in engines() if each.kind == kind and each.versions(main)]
            if not found:
                give_up(f"no engine of {kind} that speaks API {main}")
            address, version = found[0].address, found[0].versions(main)[-1]
        config = copytree(empty_config, tmp_path / "config")
        monkeypatch.setenv("DOCKER_HOST", address)
        monkeypatch.setenv("DOCKER_CONFIG", str(config))
        return load(str(version))

    with ExitStack() as stack:
        yield speak
