"""Which paths a ``.dockerignore`` excludes, held against what the docker command sends."""

from __future__ import annotations

import contextlib
import json
import random
import re
import tracemalloc
from pathlib import Path, PurePosixPath
from types import SimpleNamespace

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from dynadock.archive import ignore, patterns
from dynadock.archive.ignore import Ignore, read_ignore

RECORDED = Path(__file__).parents[1] / "cases" / "archive" / "dockerignore.json"
CASES = json.loads(RECORDED.read_text(encoding="utf-8"))["cases"]
WITH_RULES = {name: case for name, case in CASES.items() if case["rules"] is not None}


def of_kind(kind):
    return [pytest.param(case, id=name) for name, case in WITH_RULES.items() if kind in case]


def paths_of(case):
    """Return every path that a case's folder holds."""
    names = [PurePosixPath(name.partition(" -> ")[0]) for name in case["tree"]]
    above = {str(folder) for name in names for folder in name.parents}
    return {".dockerignore", *map(str, names), *above} - {"."}


@pytest.mark.parametrize("case", of_kind("sent"))
def test_what_the_docker_command_leaves_behind(case):
    rules = Ignore(read_ignore(case["rules"]))
    always = {".dockerignore", case["named"]}
    sent = {name.rstrip("/") for name in case["sent"]} - always
    assert {path for path in paths_of(case) - always if not rules.excludes(path)} == sent


@pytest.mark.parametrize("case", of_kind("refused"))
def test_what_the_docker_command_refuses(case):
    with pytest.raises(ValueError, match="malformed pattern"):
        read_ignore(case["rules"])


def test_both_kinds_were_recorded():
    assert len(of_kind("sent")) > 50
    assert len(of_kind("refused")) > 5


@pytest.mark.parametrize(
    ("text", "patterns"),
    [
        ("", []),
        ("# a\n\n \t\n", []),
        ("\ufeff# a\nb", ["b"]),
        (" a \r\n\tb\n", ["a", "b"]),
        (" # a", ["# a"]),
        ("/a/\n./b//c/.\nd/../e\n/", ["a", "b/c", "e", "/"]),
        ("! /a/\n!b", ["!a", "!b"]),
        ("..\n../a\n/../a", ["..", "../a", "a"]),
        ("a\x0bb\u2028c", ["a\x0bb\u2028c"]),
    ],
)
def test_patterns_are_read(text, patterns):
    assert read_ignore(text) == patterns


def test_a_malformed_pattern_is_named_with_its_line():
    with pytest.raises(
        ValueError, match=r"line 3: malformed pattern '!a\[b': '\[' begins no class"
    ):
        read_ignore("# a comment\n\n ! /a[b \nc")
    with pytest.raises(ValueError, match=r"line 1: malformed pattern '\[b-a\]': .* b-a is empty"):
        read_ignore("[b-a]")
    with pytest.raises(ValueError, match=r"line 1: malformed pattern 'a\\\\': nothing follows"):
        read_ignore("a\\")
    with pytest.raises(ValueError, match=r"malformed pattern '!': nothing follows the '!'"):
        Ignore(["a", "!"])


BROKEN = ["[", "[]", "[^]", "[]a]", "[-]", "[a-]", "[-a]", "[a-b-c]", "[\\"]


@pytest.mark.parametrize("pattern", BROKEN)
def test_classes_that_are_none(pattern):
    with pytest.raises(ValueError, match="malformed"):
        read_ignore(f"x{pattern}")


@pytest.mark.parametrize(
    ("pattern", "path", "excluded"),
    [
        # What the docker command takes for something else, and filepath.Match as it is.
        ("[*]", "*", True),
        ("[*]", "a", False),
        ("[?]x", "?x", True),
        ("[^*]", "a", True),
        (r"\d", "d", True),
        (r"\d", "1", False),
        ("a^*", "a^b", True),
        ("^*", "b", False),
        # A hyphen, a bracket and a caret where they mean nothing, or are escaped.
        ("a-b]", "a-b]", True),
        (r"[\^a]", "^", True),
        (r"[\^a]", "b", False),
        ("[a^]", "^", True),
        (r"[\]-a]", "_", True),
        ("a\nb", "a\nb", True),
    ],
)
def test_characters_stand_for_themselves(pattern, path, excluded):
    assert Ignore([pattern]).excludes(path) is excluded


def test_which_folders_may_hold_exceptions():
    rules = Ignore(["*", "!a/b/c", "!d*/e", "!**/f"])
    opened = {"a", "a/b", "a/b/c", "d*", "**"}
    tried = opened | {"b", "a/b/c/d", "a/c", "ab", "d", "dd", "f", "x/f"}
    assert {folder for folder in tried if rules.may_hold_exceptions(folder)} == opened
    assert not Ignore(["a", "b/c"]).may_hold_exceptions("b")


def test_no_patterns_exclude_nothing():
    assert not Ignore().excludes("a/b")


def test_separators_of_windows(monkeypatch):
    monkeypatch.setattr(ignore, "os", SimpleNamespace(name="nt"))
    assert read_ignore("\\a\\b\\\n!c\\*.txt") == ["a/b", "!c/*.txt"]


# Whatever the rules are, they take time that is linear in the paths

DEEP = "/".join(["a" * 255] * 16)
COSTLY = [
    "a*" * 12 + "b",
    "*a" * 2000 + "b",
    "**/a" * 12 + "b",
    "**/" * 5000 + "a*" * 5000 + "b",
    "a**" * 12 + "b",
    "*[a-b]" * 12 + "?" * 200 + "b",
    "**/*a" * 12 + "b",
    "[^b]*" * 12 + "b",
]


@pytest.mark.parametrize("pattern", COSTLY, ids=lambda pattern: pattern[:16])
def test_a_pattern_never_goes_back(pattern):
    rules = Ignore(read_ignore(pattern))
    assert not rules.excludes(DEEP)
    assert not rules.excludes("a" * 255)


@pytest.mark.parametrize(
    "text", ["[" * 60_000, "[a" * 30_000, "[" + "a-b-" * 15_000, "**/" * 20_000]
)
def test_a_long_line_is_read_once(text):
    with contextlib.suppress(ValueError):
        read_ignore(text)


@pytest.mark.parametrize("length", [65_535, 65_536, 8 * 2**20])
@pytest.mark.parametrize("sign", ["x", "#", "*", " "])
def test_the_longest_line(sign, length):
    """The docker command says "token too long"."""
    text = f"a\n{sign * length}\nb"
    if length <= 65_535:
        assert read_ignore(text)[-1] == "b"
    else:
        with pytest.raises(ValueError, match="line 2: longer than 65535 bytes"):
            read_ignore(text)


def test_many_patterns_without_wildcards_cost_nothing():
    rules = Ignore(read_ignore("\n".join(f"folder/{n}" for n in range(30_000))))
    paths = [f"folder/{n}" for n in range(0, 60_000, 2)]
    assert sum(map(rules.excludes, paths)) == 15_000


def test_many_exceptions_are_looked_up():
    rules = Ignore(["*", *(f"!folder/{n}/x" for n in range(20_000))])
    assert sum(rules.may_hold_exceptions(f"folder/{n}") for n in range(40_000)) == 20_000


def test_what_is_remembered_is_bounded(monkeypatch):
    monkeypatch.setattr(patterns, "_MOST_KEPT", 2**18)
    # Each row of 20 characters is a state of its own.
    rules = Ignore(["*a" + "?" * 20])
    drawn = random.Random(7)
    names = ["".join(drawn.choices("ab", k=250)) for _ in range(60)]
    expected = [name[-21] == "a" for name in names]
    tracemalloc.start()
    try:
        assert [rules.excludes(name) for name in names] == expected
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 2**20


# Drawn by hypothesis

SEGMENTS = st.text("ab", min_size=1, max_size=3)
PATHS = st.lists(SEGMENTS, min_size=1, max_size=4).map("/".join)
PATTERNS = st.lists(st.just("**") | st.text("ab*?", min_size=1, max_size=3), max_size=4, min_size=1)


def fits(pattern, path):
    """Match as the rules say, by trying everything."""
    if not pattern or pattern == "**":
        return bool(pattern) or not path
    if pattern.startswith("**/"):
        starts = [0, *(index + 1 for index, sign in enumerate(path) if sign == "/")]
        return any(fits(pattern[3:], path[start:]) for start in starts)
    if pattern[0] == "*":
        stops = range(len(path.partition("/")[0]) + 1)
        return any(fits(pattern[1:], path[stop:]) for stop in stops)
    same = path[:1] == pattern[0] or (pattern[0] == "?" and path[:1] not in ("", "/"))
    return same and fits(pattern[1:], path[1:])


@given(PATTERNS, PATHS)
@example(["a", "**", "b"], "a/b")
@example(["**", "a", "**"], "b/a/b")
@example(["**"], "a")
def test_a_pattern_matches_as_the_rules_say(segments, path):
    # Two stars that share a segment with other text are a matter of the recorded cases.
    pattern = "/".join(s if s == "**" else s.replace("**", "*") for s in segments)
    above = [str(folder) for folder in PurePosixPath(path).parents][:-1]
    expected = any(fits(pattern, place) for place in [path, *above])
    assert Ignore(read_ignore(pattern)).excludes(path) is expected


@given(st.lists(PATTERNS.map("/".join), max_size=4), st.lists(PATHS, max_size=4))
def test_what_is_forgotten_is_found_again(lines, paths):
    rules = Ignore(lines)
    expected = [rules.excludes(path) for path in paths]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(patterns, "_MOST_KEPT", 0)
        assert [Ignore(lines).excludes(path) for path in paths] == expected


# Each token as a regular expression, which costs what it may here, where all is short.
TOKENS = {
    "a": "a",
    "b": "b",
    "/": "/",
    ".": r"\.",
    r"\*": r"\*",
    "?": "[^/]",
    "*": "[^/]*",
    "[ab]": "[ab]",
    "[^a]": "[^a]",
    "**/": "(?:.*/)?",
}


@given(st.lists(st.sampled_from(list(TOKENS)), min_size=1, max_size=7), PATHS | st.text("ab*/.\n"))
@example(["[^a]", "b"], "/b")
@example(["**/", "**/", "*", "a"], "b/ba")
@example(["a", "**/", "b"], "ab")
def test_a_row_of_tokens_matches_as_their_expressions_do(tokens, path):
    # Without a name before "**/", which would take its stars for three.
    text = "".join(tokens).replace("***/", "**/")
    tokens = [
        t for t, after in zip(tokens, [*tokens[1:], ""], strict=True) if (t, after) != ("*", "**/")
    ]
    assume("**" not in text.replace("**/", "") and not text.endswith("**/"))
    expression = re.compile("".join(TOKENS[token] for token in tokens), re.DOTALL)
    matches = patterns.Patterns([[text]])
    state = matches.after(matches.start, path)
    assert (state.matched == (0,)) is bool(expression.fullmatch(path))


@given(st.lists(PATTERNS.map("/".join), max_size=4), PATHS, SEGMENTS)
def test_without_exceptions_a_folder_takes_all_that_is_in_it(patterns, folder, name):
    rules = Ignore(patterns)
    assert not rules.excludes(folder) or rules.excludes(f"{folder}/{name}")


@given(st.lists(st.text("ab*?[]^-\\!/. #é", max_size=6), max_size=4).map("\n".join), PATHS)
def test_any_text_is_rules_or_a_value_error(text, path):
    try:
        rules = Ignore(read_ignore(text))
    except ValueError as error:
        assert "malformed pattern" in str(error)  # noqa: PT017 - most texts raise nothing
    else:
        assert rules.excludes(path) in (True, False)
