"""Credentials from the docker command's configuration, used at a registry that wants accounts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from docker_config import Programs, answer, write_config
from dynadock import (
    AccessDenied,
    ServerError,
    StreamError,
    erase_credentials,
    run,
    store_credentials,
)
from engine.engines import STREAM_VERSIONS
from engine.plugin import archive
from engine.things import IMAGE, LABELS, PREFIX, eventually, new_name, tar_of

if TYPE_CHECKING:
    from pathlib import Path

    from dynadock import Client
    from engine.answers import Expected
    from engine.conftest import Guarded


pytestmark = pytest.mark.at(*STREAM_VERSIONS)

WRONG = "wr0ng-s3cret"
REFUSED = (AccessDenied, ServerError, StreamError)
"""What engines make of a registry's refusal: 401, 500, or an error in the stream under 200."""

NO_ACCOUNT = r"no basic auth credentials|authentication required"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The docker command's configuration folder, in which there are no credentials."""
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "config"))
    write_config(tmp_path / "config", {"auths": {"unused.invalid": {}}})
    return tmp_path / "config"


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    return Programs(tmp_path / "bin", monkeypatch)


@pytest.fixture
def name(client: Client, image: str, guarded: Guarded) -> str:
    """A name of the common image in the registry, which does not have it yet."""
    repository, tag = f"{guarded.address}/{PREFIX}", new_name("tag")
    client.ImageTag(image, repo=repository, tag=tag)
    return f"{repository}:{tag}"


def another(client: Client, name: str) -> str:
    """Return one more name of the common image, in the repository of another."""
    repository, tag = name.rpartition(":")[0], new_name("tag")
    client.ImageTag(IMAGE, repo=repository, tag=tag)
    return f"{repository}:{tag}"


def push(client: Client, name: str) -> Any:
    repository, _, tag = name.rpartition(":")
    return client.ImagePush(repository, tag=tag).wait()


@pytest.fixture
def pushed(client: Client, guarded: Guarded, name: str) -> str:
    """The name of an image that the registry has, and the engine no more."""
    push(client.with_options(credentials=guarded.accounts), name)
    client.ImageDelete(name)
    return name


def in_the_file(folder: Path, _programs: Programs, guarded: Guarded) -> None:
    store_credentials(guarded.address, guarded.auth)
    assert guarded.password not in (folder / "config.json").read_text(encoding="utf-8")


def in_plain_words(folder: Path, _programs: Programs, guarded: Guarded) -> None:
    write_config(folder, {"auths": {f"http://{guarded.address}/v2/": guarded.auth}})


def with_a_helper(folder: Path, programs: Programs, guarded: Guarded) -> None:
    programs.add_helper("mine", {"get": answer(guarded.user, guarded.password)})
    write_config(folder, {"credHelpers": {guarded.address: "mine"}})


def with_a_store(folder: Path, programs: Programs, guarded: Guarded) -> None:
    listed = [0, json.dumps({guarded.address: guarded.user}), ""]
    programs.add_helper("mine", {"get": answer(guarded.user, guarded.password), "list": listed})
    write_config(folder, {"credsStore": "mine"})


WAYS = {
    "auths": in_the_file,
    "auths in plain words": in_plain_words,
    "credHelpers": with_a_helper,
    "credsStore": with_a_store,
}


@pytest.fixture(params=WAYS.values(), ids=WAYS)
def kept(
    request: pytest.FixtureRequest, folder: Path, programs: Programs, guarded: Guarded
) -> Programs:
    """What helpers were asked, where the account is kept in each of the ways."""
    request.param(folder, programs, guarded)
    return programs


def test_push_pull_and_what_the_registry_has(
    client: Client, expected: Expected, kept: Programs, guarded: Guarded, name: str
) -> None:
    digest = push(client, name).Digest
    with expected("DistributionInspect"):
        assert client.DistributionInspect(name).Descriptor.digest == digest
    client.ImageDelete(name)
    client.ImageCreate(fromImage=name).wait()
    assert client.ImageInspect(name).Os == "linux"
    assert {tuple(each) for each in kept.asked} <= {("mine", "get", guarded.address)}


def test_accounts_in_code(client: Client, folder: Path, guarded: Guarded, name: str) -> None:
    with_account = client.with_options(credentials=guarded.accounts)
    push(with_account, name)
    client.ImageDelete(name)
    with_account.ImageCreate(fromImage=name).wait()
    assert client.ImageInspect(name)


@pytest.mark.parametrize(
    "credentials", [False, True, {}], ids=["none wanted", "none kept", "none given"]
)
def test_nobody_is_refused(
    client: Client, folder: Path, guarded: Guarded, pushed: str, credentials: object
) -> None:
    if credentials is False:
        store_credentials(guarded.address, guarded.auth)
    nobody = client.with_options(credentials=credentials)
    with pytest.raises(REFUSED, match=NO_ACCOUNT):
        nobody.ImageCreate(fromImage=pushed).wait()
    with pytest.raises(REFUSED, match=NO_ACCOUNT):
        push(nobody, another(client, pushed))


def test_a_wrong_password(
    client: Client, expected: Expected, folder: Path, guarded: Guarded, pushed: str
) -> None:
    store_credentials(guarded.address, {"username": guarded.user, "password": WRONG})
    for call in (
        lambda: client.ImageCreate(fromImage=pushed).wait(),
        lambda: push(client, another(client, pushed)),
    ):
        with pytest.raises(REFUSED, match="authentication required") as caught:
            call()
        assert WRONG not in f"{caught.value}{caught.value!r}{vars(caught.value)}"
    with expected("DistributionInspect: with a wrong password"):
        client.DistributionInspect(pushed)


def test_what_the_caller_says_wins(
    client: Client, folder: Path, guarded: Guarded, pushed: str
) -> None:
    store_credentials(guarded.address, {"username": guarded.user, "password": WRONG})
    client.ImageCreate(fromImage=pushed, X_Registry_Auth=guarded.auth).wait()
    client.ImageDelete(pushed)
    store_credentials(guarded.address, guarded.auth)
    with pytest.raises(REFUSED, match=NO_ACCOUNT):
        client.ImageCreate(fromImage=pushed, X_Registry_Auth={}).wait()


def test_log_in_keep_push_and_forget(
    client: Client, expected: Expected, folder: Path, guarded: Guarded, name: str
) -> None:
    with expected("SystemAuth: at a registry with accounts"):
        said = client.SystemAuth(serveraddress=guarded.address, **guarded.auth)
        assert said.Status == "Login Succeeded"
        store_credentials(guarded.address, {**guarded.auth, **said})
        assert push(client, name).Digest.startswith("sha256:")
        erase_credentials(guarded.address)
        with pytest.raises(StreamError, match=NO_ACCOUNT):
            push(client, another(client, name))


def test_log_in_with_a_wrong_password(client: Client, expected: Expected, guarded: Guarded) -> None:
    with expected("SystemAuth: with a wrong password"):
        client.SystemAuth(serveraddress=guarded.address, username=guarded.user, password=WRONG)


def test_a_build_on_an_image_of_the_registry(client: Client, kept: Programs, pushed: str) -> None:
    context = tar_of({"Dockerfile": f"FROM {pushed}\nENV COLOUR=red\n".encode()})
    arguments = {"inputStream": context, "pull": True, "labels": LABELS}
    with pytest.raises(StreamError, match=NO_ACCOUNT):
        client.with_options(credentials=False).ImageBuild(**arguments).wait()
    made = client.ImageBuild(**arguments).wait()
    assert "COLOUR=red" in client.ImageInspect(made.ID).Config.Env


def test_a_plugin(client: Client, expected: Expected, folder: Path, guarded: Guarded) -> None:
    name = f"{guarded.address}/{PREFIX}:{new_name('plugin')}"
    store_credentials(guarded.address, guarded.auth)
    nobody = client.with_options(credentials=False)
    with expected("PluginCreate"):
        assert client.PluginCreate(name=name, tarContext=archive(name)) is None
    with expected("PluginPush"):
        client.PluginPush(name).wait()
        # It falls back from HTTPS to HTTP with an account only, and says so.
        with pytest.raises(StreamError, match=f"{NO_ACCOUNT}|gave HTTP response to HTTPS client"):
            nobody.PluginPush(name).wait()
        client.PluginDelete(name)
    privileges = []
    with expected("GetPluginPrivileges"):
        privileges = client.GetPluginPrivileges(remote=name)
        assert "capabilities" in {each.Name for each in privileges}
    with expected("PluginPull"):
        client.PluginPull(remote=name, name=name, body=privileges).wait()
    with expected("PluginUpgrade"):
        client.PluginUpgrade(name, remote=name, body=privileges).wait()
        assert client.PluginInspect(name).PluginReference == name


@pytest.mark.at("1.29", "newest")
@pytest.mark.usefixtures("swarm", "folder")
def test_a_service(client: Client, expected: Expected, guarded: Guarded, pushed: str) -> None:
    store_credentials(guarded.address, guarded.auth)

    def spec(name: str, image: str) -> dict[str, Any]:
        container = {"Image": image, "Command": ["sleep", "600"], "StopGracePeriod": 0}
        return {"Name": name, "Labels": LABELS, "TaskTemplate": {"ContainerSpec": container}}

    def states(service: str) -> set[str]:
        tasks = client.TaskList(filters={"service": service, "desired-state": "running"})
        return {task.Status.State for task in tasks}

    with expected("ServiceCreate"):
        name = new_name("service")
        made = client.ServiceCreate(**spec(name, pushed)).ID
        eventually(lambda: states(made) == {"running"})
        # An update without credentials keeps those that the service has. Until 1.29 it shows: with
        # them, and not otherwise, the engine finds the image's digest.
        finds_digests = client.version == "1.29"
        nobody = client.with_options(credentials=False)
        for arguments, has_some in (({}, True), ({"X_Registry_Auth": {}}, False)):
            version = client.ServiceInspect(made).Version.Index
            nobody.ServiceUpdate(made, version=version, **spec(name, pushed), **arguments)
            known = client.ServiceInspect(made).Spec.TaskTemplate.ContainerSpec.Image
            assert ("@sha256:" in known) is (finds_digests and has_some)
        client.ServiceDelete(made)


PROXIES = {"httpProxy": "http://proxy.invalid:3128", "noProxy": "localhost,.invalid"}
VARIABLES = {
    "HTTP_PROXY=http://proxy.invalid:3128",
    "http_proxy=http://proxy.invalid:3128",
    "NO_PROXY=localhost,.invalid",
    "no_proxy=localhost,.invalid",
}


class TestProxies:
    @pytest.fixture(autouse=True)
    def proxies(self, folder: Path) -> None:
        write_config(folder, {"auths": {"unused.invalid": {}}, "proxies": {"default": PROXIES}})

    def test_containers_see_them_on_request(self, client: Client, image: str) -> None:
        telling = client.with_options(proxies=True)
        seen = set(run(telling, image, "env", Labels=LABELS).stdout.decode().splitlines())
        assert seen >= VARIABLES
        given = ["HTTP_PROXY=http://mine.invalid", "no_proxy="]
        seen = set(run(telling, image, "env", Env=given, Labels=LABELS).stdout.decode().split("\n"))
        assert seen >= {*given, "http_proxy=http://proxy.invalid:3128"}
        assert "NO_PROXY=localhost,.invalid" in seen
        assert VARIABLES - seen == {
            "HTTP_PROXY=http://proxy.invalid:3128",
            "no_proxy=localhost,.invalid",
        }

    def test_containers_do_not_see_them_otherwise(self, client: Client, image: str) -> None:
        seen = set(run(client, image, "env", Labels=LABELS).stdout.decode().splitlines())
        assert not VARIABLES & seen

    def test_builds_see_them_on_request(self, client: Client, image: str) -> None:
        lines = f"FROM {image}\nRUN env && echo marker\n"
        context = tar_of({"Dockerfile": lines.encode()})

        def build(client: Client, **buildargs: str) -> set[str]:
            arguments = {"nocache": True, "labels": LABELS, "buildargs": buildargs or None}
            with client.ImageBuild(inputStream=context, **arguments) as steps:
                said = "".join(step.get("stream", "") for step in steps)
            assert "marker" in said
            return set(said.splitlines())

        telling = client.with_options(proxies=True)
        assert build(telling) >= VARIABLES
        seen = build(telling, HTTP_PROXY="http://mine.invalid")
        assert "HTTP_PROXY=http://mine.invalid" in seen
        assert VARIABLES - seen == {"HTTP_PROXY=http://proxy.invalid:3128"}
        assert not build(client) & VARIABLES
