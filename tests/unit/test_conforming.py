"""The check of replies that tests of the simulated engine share can fail."""

from __future__ import annotations

import pytest

from conforming import conforms
from documents import NEWEST, OLDEST


def image(**fields):
    """Return a line of a list of images, which has everything that is required."""
    return {
        "Id": "sha256:0",
        "ParentId": "",
        "RepoTags": [],
        "RepoDigests": None,
        "Created": 1,
        "Size": 1,
        "SharedSize": -1,
        "VirtualSize": 1,
        "Labels": None,
        "Containers": -1,
        **fields,
    }


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_what_the_document_says_passes_and_more_fields_do(version):
    reply = [image(), image(Something="else", Labels={"k": "v"})]
    assert conforms(version, "ImageList", reply) is reply


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"Size": "1"}, "0.Size"),
        ({"Size": None}, "0.Size"),
        ({"Size": 2**63}, "0.Size"),
        ({"RepoTags": [None]}, "0.RepoTags.0"),
        ({"Labels": {"k": 1}}, "0.Labels.k"),
        ({"Labels": []}, "0.Labels"),
    ],
    ids=str,
)
def test_wrong_values_are_found(fields, place):
    with pytest.raises(AssertionError, match=rf"\n{place}: "):
        conforms(NEWEST, "ImageList", [image(**fields)])


def test_what_is_missing_is_found():
    with pytest.raises(AssertionError, match="'VirtualSize' is a required property"):
        conforms(OLDEST, "ImageList", [{k: v for k, v in image().items() if k != "VirtualSize"}])


def test_words_are_those_of_the_document():
    conforms(NEWEST, "SystemEvents", {"Type": "container", "scope": "local"})
    with pytest.raises(AssertionError, match="scope"):
        conforms(NEWEST, "SystemEvents", {"scope": "galactic"})


def test_the_reply_itself_is_never_null():
    with pytest.raises(AssertionError, match="the reply: None is not of type 'array'"):
        conforms(NEWEST, "ImageList", None)


def test_null_may_be_allowed_by_name():
    conforms(OLDEST, "ImageList", [image(Size=None)], nulls=["Size"])
