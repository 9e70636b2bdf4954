"""Credentials written to the file or to a helper, held against what the docker command writes.

What stands here as ``docker login``'s was written by its release 28.2 in the same places.
"""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from docker_config import NOT_FOUND, answer, write_config
from dynadock.config import store
from dynadock.config.credentials import Credentials, credentials_for
from dynadock.config.store import erase_credentials, store_credentials
from dynadock.errors import ConfigError

ME = {"username": "u", "password": "p<&>ü:w"}
HUB = "https://index.docker.io/v1/"


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "config"


@pytest.fixture(autouse=True)
def no_programs(programs):
    """Keep this machine's helpers out: an empty configuration would use the platform's own."""


def written(folder):
    return json.loads((folder / "config.json").read_bytes())


def names_in(folder):
    return [path.name for path in folder.iterdir()]


def mode_of(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize(
    ("registry", "key"),
    [
        ("r.example:5000", "r.example:5000"),
        ("https://t.example/v2/", "t.example"),
        ("docker.io", HUB),
        (HUB, HUB),
        ("[::1]:5000", "[::1]:5000"),
    ],
)
def test_what_docker_login_writes(folder, registry, key):
    store_credentials(registry, ME, folder)
    entry = (
        f'{{\n\t"auths": {{\n\t\t"{key}": {{\n\t\t\t"auth": "dTpwPCY+w7w6dw=="\n\t\t}}\n\t}}\n}}'
    )
    assert (folder / "config.json").read_bytes() == entry.encode()
    assert credentials_for(registry, folder) == {"serveraddress": key, **ME}


@pytest.mark.parametrize(
    ("auth", "entry"),
    [
        ({**ME, "IdentityToken": "IDT"}, {"auth": "dTo=", "identitytoken": "IDT"}),
        ({**ME, "Status": "Login Succeeded", "IdentityToken": ""}, {"auth": "dTpwPCY+w7w6dw=="}),
        ({"identitytoken": "IDT", "IdentityToken": ""}, {"identitytoken": "IDT"}),
        ({"Username": "u", "PASSWORD": "p"}, {"auth": "dTpw"}),
        ({**ME, "email": "u@example", "serveraddress": "other"}, {"auth": "dTpwPCY+w7w6dw=="}),
        (Credentials(username="u", password="p"), {"auth": "dTpw"}),
    ],
)
def test_what_of_an_answer_is_kept(folder, auth, entry):
    store_credentials("r.example", auth, folder)
    assert written(folder) == {"auths": {"r.example": entry}}
    assert credentials_for("r.example", folder)["serveraddress"] == "r.example"


@pytest.mark.parametrize(
    "auth",
    [
        {},
        {"username": "hunter2"},
        {"password": "hunter2"},
        {"username": "", "password": "hunter2"},
        {"username": "hunter2", "password": None},
        {"username": "u", "password": b"hunter2"},
        {"username": ["hunter2"], "password": "p"},
        {"username": "hunter2:x", "password": "p"},
        {"username": "u", "password": "hunter2\0"},
        {"username": "u", "password": "hunter2\ud800"},
        {"username": "u", "IdentityToken": 5},
    ],
)
def test_what_cannot_be_kept(folder, auth):
    with pytest.raises(ConfigError) as caught:
        store_credentials("r.example", auth, folder)
    assert str(caught.value).startswith("credentials")
    assert "hunter2" not in str(caught.value)
    assert not folder.exists()


BEFORE = """{
  "unknown": {"b": [1, 2.5, 1e400, {}], "a": "<\\ud800ü>"},
  "auths": {
    "http://r.example": {},
    "s.example": {"auth": "dTpw", "email": "u@example"}
  },
  "HttpHeaders": {"X": "y"}
}"""


def test_what_else_the_file_says_stays(folder):
    write_config(folder, BEFORE.replace("1e400", "12345678901234567890"))
    store_credentials("r.example", {"username": "u", "password": "p"}, folder)
    text = (folder / "config.json").read_text(encoding="utf-8")
    expected = """{
\t"unknown": {
\t\t"b": [
\t\t\t1,
\t\t\t2.5,
\t\t\t12345678901234567890,
\t\t\t{}
\t\t],
\t\t"a": "<\\ud800ü>"
\t},
\t"auths": {
\t\t"http://r.example": {},
\t\t"s.example": {
\t\t\t"auth": "dTpw",
\t\t\t"email": "u@example"
\t\t},
\t\t"r.example": {
\t\t\t"auth": "dTpw"
\t\t}
\t},
\t"HttpHeaders": {
\t\t"X": "y"
\t}
}"""
    assert text == expected


def test_a_number_that_would_be_lost_is_an_error(folder):
    write_config(folder, BEFORE)
    with pytest.raises(ConfigError, match=r"config\.json holds a number that is too large"):
        store_credentials("r.example", ME, folder)
    assert (folder / "config.json").read_text(encoding="utf-8") == BEFORE


@pytest.mark.parametrize(
    "content",
    ["{", "[]", '{"auths": []}', '{"credsStore": 5}', '{"credHelpers": {"r.example": 1}}'],
)
@pytest.mark.parametrize(
    "change", [lambda *a: store_credentials(a[0], ME, a[1]), erase_credentials]
)
def test_a_file_that_makes_no_sense_is_left_as_it_is(folder, content, change):
    write_config(folder, content)
    with pytest.raises(ConfigError, match=r"config\.json"):
        change("r.example", folder)
    assert (folder / "config.json").read_text(encoding="utf-8") == content
    assert names_in(folder) == ["config.json"]


def test_names_in_another_case_are_kept(folder):
    write_config(folder, {"AUTHS": {"s.example": {"auth": "dTpw"}}})
    store_credentials("r.example", {"identitytoken": "IDT"}, folder)
    assert written(folder) == {
        "AUTHS": {"s.example": {"auth": "dTpw"}, "r.example": {"identitytoken": "IDT"}}
    }
    erase_credentials("s.example", folder)
    assert written(folder) == {"AUTHS": {"r.example": {"identitytoken": "IDT"}}}


def test_erasing_what_docker_logout_erases_and_its_old_names(folder):
    keys = ["r.example", "http://r.example", "https://r.example/v1/", "r.example:443", "s.example"]
    write_config(folder, {"auths": {key: {"auth": "dTpw"} for key in keys}, "psFormat": "x"})
    erase_credentials("r.example", folder)
    assert credentials_for("r.example", folder) is None
    assert list(written(folder)["auths"]) == ["r.example:443", "s.example"]
    assert written(folder)["psFormat"] == "x"


def test_erasing_what_is_not_there_writes_nothing(folder):
    erase_credentials("r.example", folder)
    assert not folder.exists()
    content = '{ "auths" : {"s.example":{}} }'
    write_config(folder, content)
    erase_credentials("r.example", folder)
    assert (folder / "config.json").read_text(encoding="utf-8") == content


@pytest.mark.skipif(os.name == "nt", reason="Windows has no modes of this kind")
class TestModes:
    @pytest.fixture(autouse=True)
    def open_to_all(self):
        before = os.umask(0)
        yield
        os.umask(before)

    def test_what_is_made_is_private(self, folder):
        store_credentials("r.example", ME, folder)
        assert mode_of(folder) == 0o700
        assert mode_of(folder / "config.json") == 0o600

    def test_a_file_that_was_open_to_all_is_no_longer(self, folder):
        write_config(folder, {})
        (folder / "config.json").chmod(0o644)
        store_credentials("r.example", ME, folder)
        assert mode_of(folder / "config.json") == 0o600

    def test_never_for_a_moment_open_to_all(self, folder, monkeypatch):
        seen = []

        def look(descriptor):
            seen.extend(mode_of(path) for path in folder.iterdir())

        monkeypatch.setattr(os, "fsync", look)
        store_credentials("r.example", ME, folder)
        assert seen == [0o600]

    @pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may")
    def test_a_file_stays_with_its_owner(self, folder):
        write_config(folder, {})
        os.chown(folder / "config.json", 1234, 2345)
        store_credentials("r.example", ME, folder)
        status = (folder / "config.json").stat()
        assert (status.st_uid, status.st_gid) == (1234, 2345)


@pytest.mark.parametrize("target", ["../real/config-of-mine.json", "absolute"])
@pytest.mark.parametrize("is_there", [True, False])
def test_a_symlink_stays_one(folder, tmp_path, target, is_there):
    real = tmp_path / "real"
    real.mkdir()
    folder.mkdir()
    file = real / "config-of-mine.json"
    if is_there:
        file.write_text('{"psFormat": "x"}', encoding="utf-8")
    (folder / "config.json").symlink_to(file if target == "absolute" else target)
    store_credentials("r.example", ME, folder)
    assert (folder / "config.json").is_symlink()
    assert not file.is_symlink()
    assert "r.example" in json.loads(file.read_bytes())["auths"]
    assert written(folder).get("psFormat") == ("x" if is_there else None)
    assert names_in(folder) == ["config.json"]
    assert names_in(real) == ["config-of-mine.json"]


def test_what_cannot_be_written(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"config\.json cannot be written: (Not a|File exists)"):
        store_credentials("r.example", ME, tmp_path / "file")
    with pytest.raises(ConfigError, match="cannot be written"):
        store_credentials("r.example", ME, f"{os.devnull}/.docker")


def test_a_write_that_fails_changes_nothing_and_leaves_nothing(folder, monkeypatch):
    write_config(folder, {"psFormat": "x"})

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ConfigError, match="cannot be written: No space left on device"):
        store_credentials("r.example", ME, folder)
    assert written(folder) == {"psFormat": "x"}
    assert names_in(folder) == ["config.json"]


KNOWS = {"get": answer("hu", "hp"), "store": [0, "", ""], "erase": [0, "", ""]}


def told(username, secret, key="r.example"):
    return json.dumps({"ServerURL": key, "Username": username, "Secret": secret})


def test_a_helper_stores_and_the_file_has_an_empty_entry(folder, programs):
    programs.add_helper("one", KNOWS)
    write_config(folder, {"credsStore": "one"})
    store_credentials("r.example", {"username": "u", "password": "p:w"}, folder)
    assert programs.asked == [["one", "store", told("u", "p:w")]]
    assert written(folder) == {"credsStore": "one", "auths": {"r.example": {}}}
    store_credentials("docker.io", {**ME, "IdentityToken": "IDT"}, folder)
    assert programs.asked[1:] == [["one", "store", told("<token>", "IDT", HUB)]]
    assert list(written(folder)["auths"]) == ["r.example", HUB]
    erase_credentials("r.example", folder)
    assert programs.asked[2:] == [["one", "erase", "r.example"]]
    assert written(folder)["auths"] == {HUB: {}}


def test_the_helper_of_a_registry(folder, programs):
    programs.add_helper("one", KNOWS)
    programs.add_helper("two", KNOWS)
    helpers = {"r.example": "two", "s.example": ""}
    write_config(folder, {"credsStore": "one", "credHelpers": helpers})
    store_credentials("r.example", {"username": "a:b", "password": "p"}, folder)
    store_credentials("s.example", {"username": "u", "password": "p"}, folder)
    assert programs.asked == [["two", "store", told("a:b", "p")]]
    assert written(folder)["auths"] == {"r.example": {}, "s.example": {"auth": "dTpw"}}


def test_the_helper_of_the_platform_is_named_in_the_file(folder, programs):
    programs.add_helper("secretservice", KNOWS)
    store_credentials("r.example", {"username": "u", "password": "p"}, folder)
    assert programs.asked == [["secretservice", "store", told("u", "p")]]
    assert written(folder) == {"auths": {"r.example": {}}, "credsStore": "secretservice"}


def test_the_platforms_helper_is_not_used_where_the_file_has_auths(folder, programs):
    programs.add_helper("secretservice", KNOWS)
    write_config(folder, {"auths": {"s.example": {"auth": "dTpw"}}})
    store_credentials("r.example", {"username": "u", "password": "p"}, folder)
    assert programs.asked == []
    assert written(folder)["auths"]["r.example"] == {"auth": "dTpw"}


def test_a_helper_that_fails_leaves_the_file_as_it_is(folder, programs):
    programs.add_helper("one", {"store": [1, 'no: hunter2/"x" is weak, hunter2/\\"x\\" too\n', ""]})
    write_config(folder, {"credsStore": "one"})
    with pytest.raises(ConfigError) as caught:
        store_credentials("r.example", {"username": "u", "password": 'hunter2/"x"'}, folder)
    words = "docker-credential-one store failed with code 1: no: **** is weak, **** too"
    assert str(caught.value) == words
    assert written(folder) == {"credsStore": "one"}


def test_erasing_what_a_helper_does_not_know(folder, programs):
    programs.add_helper("one", {"erase": [1, NOT_FOUND, ""]})
    write_config(folder, {"credsStore": "one", "auths": {"r.example": {}}})
    erase_credentials("r.example", folder)
    assert written(folder)["auths"] == {}
    programs.add_helper("one", {"erase": [1, "the vault is shut", ""]})
    with pytest.raises(ConfigError, match="one erase failed with code 1: the vault is shut"):
        erase_credentials("r.example", folder)


REGISTRIES = [f"r{number}.example" for number in range(24)]


def test_threads_do_not_undo_each_other(folder):
    def login(registry):
        store_credentials(registry, ME, folder)
        return credentials_for(registry, folder)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(login, REGISTRIES))
    assert sorted(written(folder)["auths"]) == sorted(REGISTRIES)
    assert names_in(folder) == ["config.json"]


WRITER = """
import sys
from dynadock.config.store import store_credentials
for registry in sys.argv[2:]:
    store_credentials(registry, {"username": "u", "password": "p"}, sys.argv[1])
"""


def test_processes_do_not_undo_each_other_and_readers_see_whole_files(folder):
    parts = [REGISTRIES[:12], REGISTRIES[12:]]
    writers = [
        subprocess.Popen([sys.executable, "-W", "error", "-c", WRITER, str(folder), *part])
        for part in parts
    ]
    while any(writer.poll() is None for writer in writers):
        # ConfigError if ever it were half a file.
        credentials_for("r0.example", folder)
    assert [writer.returncode for writer in writers] == [0, 0]
    assert sorted(written(folder)["auths"]) == sorted(REGISTRIES)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no locks of folders")
def test_a_lock_that_another_keeps(folder, monkeypatch):
    write_config(folder, {})
    monkeypatch.setattr(store, "_LONGEST_WAIT", 0.05)
    locked = pytest.raises(ConfigError, match="has been locked by another for too long")
    with store._alone_in(folder), locked:
        store_credentials("r.example", ME, folder)
    assert written(folder) == {}
    store_credentials("r.example", ME, folder)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_child_forked_meanwhile_does_not_keep_the_lock(folder):
    write_config(folder, {})
    end, hold = os.pipe()
    with store._alone_in(folder):
        child = os.fork()
        if not child:
            os.close(hold)
            os.read(end, 1)
            os._exit(0)
    os.close(end)
    try:
        store_credentials("r.example", ME, folder)
    finally:
        os.close(hold)
        os.waitpid(child, 0)
    assert "r.example" in written(folder)["auths"]


def test_where_there_are_no_locks(folder, monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setitem(sys.modules, "fcntl", None)
    write_config(folder, {"auths": {"s.example": {}}})
    store_credentials("r.example", ME, folder)
    assert list(written(folder)["auths"]) == ["s.example", "r.example"]
