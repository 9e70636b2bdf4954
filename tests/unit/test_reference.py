"""Image references, held against what the docker command makes of the same texts.

``references.json`` has texts that release 28.2 takes, with registry, path, tag and digest as it
tells them to an engine (less the tag ``latest`` that it adds), and texts that it refuses, with a
part of our own words; ``r_x.io/a`` is the only one of these that it takes.
"""

from __future__ import annotations

import json
import pickle
import string
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dynadock.call.reference import (
    ImageReference,
    parse_reference,
    registry_of_image,
    registry_of_term,
)

RECORDED = Path(__file__).parents[1] / "cases" / "config" / "references.json"
CASES = json.loads(RECORDED.read_text(encoding="utf-8"))


@pytest.mark.parametrize(("text", "parts"), CASES["read"].items())
def test_what_the_docker_command_takes(text, parts):
    reference = parse_reference(text)
    assert reference == ImageReference(*parts)
    assert parse_reference(str(reference)) == reference


@pytest.mark.parametrize(("text", "words"), CASES["refused"].items())
def test_what_is_refused(text, words):
    with pytest.raises(ValueError) as caught:
        parse_reference(text)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("text", "short", "repository"),
    [
        ("busybox", "busybox", "docker.io/library/busybox"),
        ("docker.io/library/busybox:1", "busybox:1", "docker.io/library/busybox"),
        ("index.docker.io/a/b", "a/b", "docker.io/a/b"),
        ("library/a/b", "library/a/b", "docker.io/library/a/b"),
        ("registry-1.docker.io/library/a", *["registry-1.docker.io/library/a"] * 2),
        ("[::1]:5000/a/b:c", "[::1]:5000/a/b:c", "[::1]:5000/a/b"),
        (f"a:1@sha256:{'0' * 64}", f"a:1@sha256:{'0' * 64}", "docker.io/library/a"),
        # Shortened further, these would be other images, or none.
        ("docker.io/localhost/a", "docker.io/localhost/a", "docker.io/localhost/a"),
        ("docker.io/a.b/c:d", "docker.io/a.b/c:d", "docker.io/a.b/c"),
        (f"library/{'f' * 64}", *[f"docker.io/library/{'f' * 64}"] * 2),
    ],
)
def test_the_forms_of_a_name(text, short, repository):
    reference = parse_reference(text)
    assert str(reference) == short
    assert reference.repository == repository
    assert parse_reference(repository)[:2] == reference[:2]


def test_no_password_of_an_address_is_shown():
    for text in ("https://me:s3cret@r.example/a", "me:s3cret@r.example/a"):
        with pytest.raises(ValueError) as caught:
            parse_reference(text)
        assert "s3cret" not in str(caught.value)


def test_a_long_text_is_not_shown_whole():
    with pytest.raises(ValueError) as caught:
        parse_reference("x" * 100_000)
    assert len(str(caught.value)) < 300


def test_a_reference_is_pickled():
    reference = parse_reference("r.example:5000/a:b")
    assert pickle.loads(pickle.dumps(reference)) == reference


LOWER = string.ascii_lowercase + string.digits
LABELS = st.text(LOWER + string.ascii_uppercase, min_size=1, max_size=5)
HOSTS = st.one_of(
    st.lists(LABELS, min_size=2, max_size=3).map(".".join),
    st.ip_addresses(v=4).map(str),
    st.text(string.hexdigits + ":", min_size=1, max_size=8).map("[{}]:80".format),
    st.sampled_from(["localhost", "docker.io", "index.docker.io", "a-b.example"]),
)
REGISTRIES = HOSTS | HOSTS.filter(lambda host: "]" not in host).map("{}:5000".format)
WORDS = st.text(LOWER, min_size=1, max_size=5)
PARTS = st.builds("{}{}{}".format, WORDS, st.sampled_from([".", "_", "__", "-", "---"]), WORDS)
PATHS = st.lists(WORDS | PARTS, min_size=1, max_size=3).map("/".join)
TAGS = st.just("") | st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,12}", fullmatch=True)
DIGESTS = st.just("") | st.sampled_from([f"sha256:{'1' * 64}", f"sha512:{'a' * 128}"])


@given(registry=REGISTRIES, path=PATHS, tag=TAGS, digest=DIGESTS)
def test_every_reference_is_read_back(registry, path, tag, digest):
    reference = parse_reference(f"{registry}/{path}{tag and f':{tag}'}{digest and f'@{digest}'}")
    assert reference.registry == ("docker.io" if registry == "index.docker.io" else registry)
    assert reference.path in (path, f"library/{path}")
    assert reference[2:] == (tag, digest)
    assert parse_reference(str(reference)) == reference
    assert parse_reference(f"{reference.repository}:x") == reference._replace(tag="x", digest="")


@given(st.text(st.sampled_from("aA0.:/@-_[] \nü"), max_size=12) | st.text(max_size=6))
@example("docker.io/docker.io/a")
@example("docker.io/index.docker.io/a")
def test_any_text_is_read_or_refused(text):
    try:
        reference = parse_reference(text)
    except ValueError:
        return
    assert parse_reference(str(reference)) == reference


@pytest.mark.parametrize(
    ("text", "registry"),
    [
        ("busybox", "docker.io"),
        ("index.docker.io/a", "docker.io"),
        ("r.example:5000/a/b:1", "r.example:5000"),
        (f"r.example/a@{'sha256:' + 'a' * 64}", "r.example"),
        ("localhost/a", "localhost"),
        ("Upper/a", "Upper"),
        ("[::1]:5000/a", "[::1]:5000"),
        ("", ""),
        ("a" * 64, ""),
        ("https://r.example/a", ""),
        ("r.example/A", ""),
        ("Upper", ""),
    ],
)
def test_the_registry_of_an_image(text, registry):
    assert registry_of_image(text) == registry


@pytest.mark.parametrize(
    ("text", "registry"),
    [
        ("busybox", "docker.io"),
        ("any thing", "docker.io"),
        ("me/busybox", "docker.io"),
        ("Upper/a", "docker.io"),
        ("", "docker.io"),
        ("r.example", "docker.io"),
        ("r.example/any THING", "r.example"),
        ("r:5000/", "r:5000"),
        ("localhost/a", "localhost"),
        ("https://r.example/a", ""),
        ("me@r.example/a", ""),
        ("r.example\nother:/a", ""),
    ],
)
def test_the_registry_that_a_search_asks(text, registry):
    assert registry_of_term(text) == registry


@given(st.text())
def test_any_text_has_a_registry_or_none(words):
    for registry in (registry_of_image(words), registry_of_term(words)):
        assert registry.isprintable()
        assert not {*registry} & {*"/@ "}
