"""What the docker command's configuration adds to a call, read from the prepared request."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import warnings
from urllib.parse import parse_qs, urlsplit

import pytest

from docker_config import NOT_FOUND, answer, write_config
from documents import NEWEST, OLDEST
from dynadock import ConfigError, DynadockWarning, load, reveal
from dynadock.config.registries import HUB_KEY

HOST = "unix:///engine.sock"
R = "r.example:5000"
OF_R = {"serveraddress": R, "username": "u", "password": "p"}
OF_HUB = {"serveraddress": HUB_KEY, "username": "h", "password": "h"}
AUTHS = {R: {"auth": "dTpw"}, HUB_KEY: {"auth": "aDpo"}}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The configuration folder of the environment, with credentials for a registry and the Hub."""
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "config"))
    write_config(tmp_path / "config", {"auths": AUTHS})
    return tmp_path / "config"


@pytest.fixture
def client():
    return load("1.42", host=HOST)


def decoded(value):
    return None if value is None else json.loads(base64.urlsafe_b64decode(value))


def sent(request):
    """Return the credentials in a request, None without any."""
    headers = reveal(request.headers)
    return decoded(headers.get("X-Registry-Auth") or headers.get("X-Registry-Config"))


def with_image(name):
    return {"TaskTemplate": {"ContainerSpec": {"Image": name}}}


DIGEST = "sha256:" + "a" * 64

CALLS = {
    "a pull": ("ImageCreate", {"fromImage": f"{R}/a/b", "tag": "1"}, OF_R),
    "a pull by digest": ("ImageCreate", {"fromImage": f"{R}/a@{DIGEST}"}, OF_R),
    "a pull from the Hub": ("ImageCreate", {"fromImage": "busybox:latest"}, OF_HUB),
    "the Hub in full": ("ImageCreate", {"fromImage": "docker.io/library/busybox"}, OF_HUB),
    "the Hub's other name": ("ImageCreate", {"fromImage": "index.docker.io/a/b"}, OF_HUB),
    "a pull from elsewhere": ("ImageCreate", {"fromImage": "s.example/a"}, None),
    "a name like a boolean": ("ImageCreate", {"fromImage": "true"}, OF_HUB),
    "the same host, no port": ("ImageCreate", {"fromImage": "r.example/a"}, None),
    "no reference": ("ImageCreate", {"fromImage": f"https://{R}/a"}, None),
    "an id": ("ImageCreate", {"fromImage": "a" * 64}, None),
    "an import": ("ImageCreate", {"fromSrc": "-", "repo": f"{R}/a", "inputImage": b""}, None),
    "a push": ("ImagePush", {"name": f"{R}/a", "tag": "1"}, OF_R),
    "a push to nobody": ("ImagePush", {"name": "s.example/a"}, {}),
    "a push to the Hub": ("ImagePush", {"name": "me/a"}, OF_HUB),
    "what a registry has": ("DistributionInspect", {"name": f"{R}/a:1"}, OF_R),
    "a search": ("ImageSearch", {"term": "busybox"}, OF_HUB),
    "a search in a registry": ("ImageSearch", {"term": f"{R}/any THING"}, OF_R),
    "a search elsewhere": ("ImageSearch", {"term": "s.example/a"}, None),
    "a plugin": ("PluginPull", {"remote": f"{R}/p", "name": "q", "body": []}, OF_R),
    "its upgrade": ("PluginUpgrade", {"name": "q", "remote": f"{R}/p:2"}, OF_R),
    "its rights": ("GetPluginPrivileges", {"remote": f"{R}/p"}, OF_R),
    "its push": ("PluginPush", {"name": f"{R}/p:1"}, OF_R),
    "a service": ("ServiceCreate", with_image(f"{R}/a:1"), OF_R),
    "a service of elsewhere": ("ServiceCreate", with_image("s.example/a:1"), None),
    "a service of no image": ("ServiceCreate", {"Name": "x"}, None),
    "a service in one value": ("ServiceCreate", {"body": with_image(f"{R}/a")}, OF_R),
    "an update": ("ServiceUpdate", {"id": "x", "version": 1, **with_image(f"{R}/a")}, OF_R),
    "an update with the old ones": (
        "ServiceUpdate",
        {"id": "x", "version": 1, "registryAuthFrom": "spec", **with_image(f"{R}/a")},
        None,
    ),
    "a step back": (
        "ServiceUpdate",
        {"id": "x", "version": 1, "rollback": "previous", **with_image(f"{R}/a")},
        None,
    ),
    "a build": ("ImageBuild", {"inputStream": b""}, {R: OF_R, HUB_KEY: OF_HUB}),
    "what asks no registry": ("ContainerCreate", {"Image": f"{R}/a"}, None),
}


@pytest.mark.parametrize(("operation", "arguments", "expected"), CALLS.values(), ids=CALLS)
def test_what_calls_are_given(folder, client, operation, arguments, expected):
    prepare = client.operations[operation].prepare
    assert sent(prepare(**arguments)) == expected


@pytest.mark.parametrize(("operation", "arguments", "expected"), CALLS.values(), ids=CALLS)
def test_what_code_gives_is_found_in_the_same_way(client, operation, arguments, expected):
    given = {f"https://{R}/v2/": {"username": "u", "password": "p"}, "docker.io": OF_HUB}
    prepare = client.with_options(credentials=given).operations[operation].prepare
    assert sent(prepare(**arguments)) == expected


@pytest.mark.parametrize(("operation", "arguments"), [case[:2] for case in CALLS.values()])
def test_none_are_sent_where_none_are_wanted(folder, client, operation, arguments):
    write_config(folder, {"auths": "damaged, and never read"})
    for nobody in (False, {}):
        prepare = client.with_options(credentials=nobody).operations[operation].prepare
        assert sent(prepare(**arguments)) == ({} if operation == "ImagePush" else None)


@pytest.mark.parametrize("version", [OLDEST, "1.30", "1.41", NEWEST])
def test_at_other_versions(folder, client, version):
    client = client.at(version)
    assert sent(client.ImageCreate.prepare(fromImage=f"{R}/a")) == OF_R
    assert sent(client.GetPluginPrivileges.prepare(remote=f"{R}/a")) == OF_R


def test_the_header_is_base64url_with_padding(folder, client):
    write_config(folder, {"auths": {R: {"username": "j", "password": "??>>ü"}}})
    headers = reveal(client.ImageCreate.prepare(fromImage=f"{R}/a").headers)
    value = headers["X-Registry-Auth"]
    assert base64.urlsafe_b64decode(value) == (
        b'{"serveraddress":"r.example:5000","username":"j","password":"??>>\\u00fc"}'
    )
    assert "_" in value
    assert len(value) % 4 == 0


def test_what_a_repr_shows(folder, client):
    request = client.ImageCreate.prepare(fromImage=f"{R}/a")
    assert "'X-Registry-Auth': '****'" in repr(request)
    assert reveal(request.headers)["X-Registry-Auth"] not in repr(request)


EXPLICIT = {
    "an argument": ({}, {"X_Registry_Auth": {"username": "me"}}, {"username": "me"}),
    "nobody": ({}, {"X_Registry_Auth": {}}, {}),
    "its other name": ({}, {"X-Registry-Auth": {"username": "me"}}, {"username": "me"}),
    "an option": ({"headers": {"x-registry-auth": "e30="}}, {}, None),
}


@pytest.mark.parametrize(("options", "arguments", "expected"), EXPLICIT.values(), ids=EXPLICIT)
def test_what_the_caller_says_wins_and_nothing_is_read(
    folder, client, options, arguments, expected
):
    write_config(folder, {"auths": "damaged"})
    client = client.with_options(**options)
    for prepare in (client.ImageCreate.prepare, client.ImagePush.prepare):
        names = {"fromImage": f"{R}/a"} if prepare == client.ImageCreate.prepare else {}
        place = () if names else (f"{R}/a",)
        request = prepare(*place, **names, **arguments)
        if expected is None:
            assert request.headers["x-registry-auth"] == "e30="
            assert "X-Registry-Auth" not in request.headers
        else:
            assert sent(request) == expected


def test_an_argument_of_none_is_none_given(folder, client):
    assert sent(client.ImageCreate.prepare(fromImage=f"{R}/a", X_Registry_Auth=None)) == OF_R


def test_identity_and_registry_tokens(folder, client, programs):
    programs.add_helper("one", {"get": answer("<token>", "IDT")})
    auths = {R: {"auth": "dTo=", "identitytoken": "IDT"}, "s.example": {"registrytoken": "RT"}}
    write_config(folder, {"auths": auths, "credHelpers": {"t.example": "one"}})
    expected = {
        R: {"serveraddress": R, "username": "u", "identitytoken": "IDT"},
        "s.example": {"serveraddress": "s.example", "registrytoken": "RT"},
        "t.example": {"serveraddress": "t.example", "identitytoken": "IDT"},
    }
    for registry, auth in expected.items():
        assert sent(client.ImageCreate.prepare(fromImage=f"{registry}/a")) == auth
    assert sent(client.ImageBuild.prepare(inputStream=b"")) == expected


def test_a_helper_is_asked_by_calls_that_need_it_and_no_others(folder, client, programs):
    programs.add_helper("one", {"get": answer("u", "p"), "list": [0, "{}", ""]})
    write_config(folder, {"credsStore": "one"})
    load("1.42", host=HOST).with_options(credentials=True).at("1.41")
    client.ContainerCreate.prepare(Image=f"{R}/a")
    client.ImageInspect.prepare(f"{R}/a")
    client.SystemAuth.prepare(username="u", password="p", serveraddress=R)
    client.ImageCreate.prepare(fromSrc="-", inputImage=b"")
    assert programs.asked == []
    assert sent(client.ImageCreate.prepare(fromImage=f"{R}/a")) == OF_R
    assert programs.asked == [["one", "get", R]]


def test_a_wrong_call_runs_no_helper(folder, client, programs):
    programs.add_helper("one", {"get": answer("u", "p")})
    write_config(folder, {"credsStore": "one"})
    with pytest.raises(ValueError, match="unknown parameter"):
        client.ImageCreate.prepare(fromImage=f"{R}/a", fromImag="x")
    assert programs.asked == []


def test_a_helper_without_credentials(folder, client, programs):
    programs.add_helper("one", {"get": [1, NOT_FOUND, ""]})
    write_config(folder, {"credsStore": "one"})
    assert sent(client.ImageCreate.prepare(fromImage=f"{R}/a")) is None
    assert sent(client.ImagePush.prepare(f"{R}/a")) == {}


FAULTS = {
    "no JSON": ("{s3cret", r"config\.json is not JSON"),
    "no text": ({"auths": {R: {"auth": ["s3cret"]}}}, "'auth' is not text"),
    "a helper that is not there": ({"credsStore": "gone"}, "docker-credential-gone: there is no"),
    "a helper that fails": ({"credsStore": "one"}, "one get failed with code 1: the vault is shut"),
}


@pytest.mark.parametrize(("config", "words"), FAULTS.values(), ids=FAULTS)
def test_a_configuration_that_cannot_be_used(folder, client, programs, config, words):
    programs.add_helper("one", {"get": [1, "the vault is shut\n", ""]})
    write_config(folder, config)
    with pytest.raises(ConfigError, match=words) as caught:
        client.ImageCreate.prepare(fromImage=f"{R}/a")
    text = str(caught.value)
    assert text.startswith("ImageCreate (API 1.42): ")
    assert text.endswith("\n  (to call without: with_options(credentials=False))")
    assert "s3cret" not in text
    free = client.with_options(credentials=False)
    with warnings.catch_warnings(record=True) as caught_warnings:
        warnings.simplefilter("always")
        assert sent(free.ImageCreate.prepare(fromImage=f"{R}/a")) is None
    # Its headers are for every call, and cannot be read either.
    told = [str(each.message) for each in caught_warnings]
    assert [text for text in told if "no HttpHeaders are sent" not in text] == []
    assert len(told) == (words == r"config\.json is not JSON")


def test_a_helper_that_is_slower_than_the_whole_call_may_be(folder, client, programs):
    programs.add("docker-credential-one", "exec /bin/sleep 100\n")
    write_config(folder, {"credsStore": "one"})
    with pytest.raises(ConfigError, match=r"gave no answer within 0\.2 s"):
        client.with_options(deadline=0.2).ImageCreate.prepare(fromImage=f"{R}/a")


def test_a_build_goes_on_without_a_helper_that_fails(folder, client, programs):
    write_config(folder, {"auths": {R: {"auth": "dTpw"}}, "credHelpers": {"s.example": "gone"}})
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert sent(client.ImageBuild.prepare(inputStream=b"")) == {R: OF_R}
    (warning,) = caught
    assert warning.category is DynadockWarning
    assert str(warning.message).startswith("no credentials for s.example: docker-credential-gone")
    assert warning.filename == __file__


def test_a_build_where_there_are_none(folder, client):
    write_config(folder, {"auths": {}, "credsStore": ""})
    assert client.ImageBuild.prepare(inputStream=b"").headers.keys() == {
        "User-Agent",
        "Content-Type",
    }


def test_other_calls_load_nothing_of_it():
    code = f"""
import sys, dynadock
client = dynadock.load("1.42", host="{HOST}")
client.ContainerList.prepare(all=True)
client.ContainerCreate.prepare(Image="busybox", body=None)
print(*(name for name in sys.modules if name.startswith("dynadock.conf")))
client.ImageCreate.prepare(fromImage="r.example/a")
print("dynadock.configured" in sys.modules)
"""
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True
    )
    first, second = ran.stdout.splitlines()
    assert not {"dynadock.configured", "dynadock.config.credentials"} & {*first.split()}
    assert second == "True"


PROXIES = {
    "default": {"httpProxy": "http://me:s3cret@p:1", "noProxy": "localhost"},
    "tcp://box:2375": {"httpsProxy": "http://q:2"},
}
VARIABLES = {
    "HTTP_PROXY": "http://me:s3cret@p:1",
    "http_proxy": "http://me:s3cret@p:1",
    "NO_PROXY": "localhost",
    "no_proxy": "localhost",
}
ADDED = [f"{name}={value}" for name, value in VARIABLES.items()]


class TestProxies:
    @pytest.fixture(autouse=True)
    def proxies(self, folder):
        write_config(folder, {"auths": {"unused.invalid": {}}, "proxies": PROXIES})

    @pytest.fixture
    def telling(self, client):
        return client.with_options(proxies=True)

    @pytest.mark.parametrize(
        ("given", "expected"),
        [
            ({}, ADDED),
            ({"Env": None}, ADDED),
            ({"Env": []}, ADDED),
            ({"Env": ["A=1"]}, ["A=1", *ADDED]),
            ({"Env": ("A=1",)}, ["A=1", *ADDED]),
            ({"body": {"Image": "a", "Env": ["A=1"]}, "Image": None}, ["A=1", *ADDED]),
            ({"Env": ["HTTP_PROXY=mine"]}, ["HTTP_PROXY=mine", *ADDED[1:]]),
            ({"Env": ["HTTP_PROXY", "no_proxy="]}, ["HTTP_PROXY", "no_proxy=", *ADDED[1:3]]),
        ],
    )
    def test_of_containers(self, client, telling, given, expected):
        arguments = {"Image": "a", **given}
        body = json.loads(telling.ContainerCreate.prepare(**arguments).body)
        assert sorted(body["Env"]) == sorted(expected)
        assert b"http://me:" not in client.ContainerCreate.prepare(**arguments).body

    @pytest.mark.parametrize(
        ("given", "expected"),
        [
            ({}, VARIABLES),
            ({"buildargs": {}}, VARIABLES),
            ({"buildargs": {"A": "1", "B": None}}, {**VARIABLES, "A": "1", "B": None}),
            ({"buildargs": '{"no_proxy": ""}'}, {**VARIABLES, "no_proxy": ""}),
            ({"buildargs": {"HTTP_PROXY": None}}, {**VARIABLES, "HTTP_PROXY": None}),
        ],
    )
    def test_of_builds(self, client, telling, given, expected):
        def buildargs(client):
            target = reveal(client.ImageBuild.prepare(inputStream=b"", **given).target)
            found = parse_qs(urlsplit(target).query).get("buildargs", ["null"])
            return [json.loads(text) for text in found]

        assert buildargs(telling) == [expected]
        if not given:
            assert buildargs(client) == [None]

    def test_a_call_that_is_prepared_twice(self, telling):
        body = {"Image": "a", "Env": ["A=1"]}
        first = telling.ContainerCreate.prepare(body=body)
        assert body == {"Image": "a", "Env": ["A=1"]}
        assert telling.ContainerCreate.prepare(body=body) == first

    def test_of_the_host(self, telling):
        there = load("1.42", host="tcp://box:2375", proxies=True)
        body = json.loads(there.ContainerCreate.prepare(Image="a").body)
        assert body["Env"] == ["HTTPS_PROXY=http://q:2", "https_proxy=http://q:2"]

    def test_other_calls_get_no_proxies(self, client, telling):
        assert telling.ContainerList.prepare() == client.ContainerList.prepare()
        assert telling.ContainerExec.prepare("a", Cmd=["b"]) == client.ContainerExec.prepare(
            "a", Cmd=["b"]
        )

    def test_what_is_sent_unchecked_stays(self, telling):
        loose = telling.with_options(validate=False)
        body = json.loads(loose.ContainerCreate.prepare(Image="a", Env="A=1").body)
        assert body["Env"] == "A=1"
        body = json.loads(loose.ContainerCreate.prepare(Image="a", env=["A=1"]).body)
        assert body["env"] == ["A=1", *ADDED]
        for odd in ("rubbish", "[1]"):
            request = loose.ImageBuild.prepare(inputStream=b"", buildargs=odd)
            assert parse_qs(urlsplit(reveal(request.target)).query)["buildargs"] == [odd]

    def test_a_password_in_them_is_not_shown(self, telling):
        request = telling.ImageBuild.prepare(inputStream=b"")
        assert "s3cret" in reveal(request.target)
        assert "s3cret" not in repr(request)
        assert "s3cret" not in repr(telling.ContainerCreate.prepare(Image="a"))

    def test_a_configuration_that_cannot_be_used(self, client, telling, folder):
        write_config(folder, {"proxies": {"default": {"httpProxy": ["s3cret"]}}})
        with pytest.raises(ConfigError, match="'httpProxy' is not text") as caught:
            telling.ContainerCreate.prepare(Image="a")
        assert str(caught.value).startswith("ContainerCreate (API 1.42): ")
        assert str(caught.value).endswith("\n  (to call without: with_options(proxies=False))")
        assert "s3cret" not in str(caught.value)
        assert client.ContainerCreate.prepare(Image="a")
