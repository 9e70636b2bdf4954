"""The README's sessions: what it shows is what a user gets."""

from __future__ import annotations

from sessions import TOP, check, statements_of, swept

README = TOP / "README.md"
OURS = ("web", "talk", "hello:latest")


def test_what_the_readme_shows(speaker):
    with swept(speaker("docker"), OURS.__contains__):
        check(README)


def test_there_is_something_to_show():
    assert len(statements_of(README.read_text(encoding="utf-8"))) > 20
