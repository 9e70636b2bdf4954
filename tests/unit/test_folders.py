"""A user's folders: what the environment says, what the platform has, and users without a home."""

from __future__ import annotations

import os
import pwd

import platformdirs
import pytest

from dynadock.spec import cache, library
from dynadock.spec.folders import CACHE, DATA, folder_of_user

KINDS = [CACHE, DATA]


@pytest.fixture
def home(monkeypatch, tmp_path):
    """Make a home of the test's own, with nothing in the environment that leads elsewhere."""
    for variable in ("VARIABLE", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def homeless(home, monkeypatch):
    """Be a user without a passwd entry and without HOME."""

    def unknown(user_id):
        raise KeyError(user_id)

    monkeypatch.delenv("HOME")
    monkeypatch.setattr(pwd, "getpwuid", unknown)


def of_the_platform(kind):
    return str(getattr(platformdirs, kind[0])("dynadock", appauthor=False))


@pytest.mark.parametrize("kind", KINDS)
def test_the_variable_comes_first(home, monkeypatch, kind):
    monkeypatch.setenv("VARIABLE", "/chosen")
    assert folder_of_user(kind, "VARIABLE") == "/chosen"


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_where_the_platform_has_such_folders(home, kind):
    assert folder_of_user(kind, "VARIABLE") == of_the_platform(kind)
    assert folder_of_user(kind, "VARIABLE").startswith(str(home))


@pytest.mark.parametrize("kind", KINDS)
def test_a_folder_that_was_moved(home, monkeypatch, kind):
    monkeypatch.setenv(kind[1], "/moved")
    assert folder_of_user(kind, "VARIABLE") == of_the_platform(kind) == "/moved/dynadock"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("odd", ["", "relative", "~/relative"])
def test_what_is_no_absolute_path_moves_nothing(home, monkeypatch, kind, odd):
    monkeypatch.setenv(kind[1], odd)
    assert folder_of_user(kind, "VARIABLE").startswith(str(home))


@pytest.mark.parametrize("kind", KINDS)
def test_other_platforms_say_it_themselves(home, monkeypatch, kind):
    monkeypatch.setattr("sys.platform", "darwin")
    assert folder_of_user(kind, "VARIABLE") == of_the_platform(kind)


@pytest.mark.parametrize("platform", ["linux", "darwin"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_user_without_a_home_has_none(homeless, monkeypatch, kind, platform):
    def refuse(*_arguments, **_more):
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr("sys.platform", platform)
    monkeypatch.setattr(platformdirs, kind[0], refuse)
    assert folder_of_user(kind, "VARIABLE") == os.devnull


def test_our_own_folders_are_in_them(home, monkeypatch):
    monkeypatch.delenv(cache.CACHE_VARIABLE, raising=False)
    monkeypatch.delenv(library.DATA_VARIABLE, raising=False)
    assert cache.cache_folder() == f"{of_the_platform(CACHE)}/compiled"
    assert library.user_folder() == f"{of_the_platform(DATA)}/specs"
