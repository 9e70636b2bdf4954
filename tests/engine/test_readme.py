"""The README's sessions: what it shows is what a user gets."""

from __future__ import annotations

from collections import Counter

import pytest

from sessions import TOP, check, engines_of, only_real, statements_of, swept

README = TOP / "README.md"
OURS = ("web", "talk", "hello:latest")
NOT_EMBEDDED = {
    "it builds an image": 1,
    "it asks a registry": 1,
}


@pytest.mark.parametrize("kind", engines_of(README.read_text(encoding="utf-8")))
def test_what_the_readme_shows(kind, speaker):
    with swept(speaker(kind), OURS.__contains__):
        check(README, kind)


def test_what_an_embedded_engine_does_not_run():
    assert Counter(only_real(README.read_text(encoding="utf-8"))) == NOT_EMBEDDED


def test_there_is_something_to_show():
    assert len(statements_of(README.read_text(encoding="utf-8"))) > 20
