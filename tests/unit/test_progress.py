"""What the values of a progress stream say."""

from __future__ import annotations

import pytest

from dynadock.call.progress import Progress, error_in

ERRORS = {
    "both": ({"errorDetail": {"code": 1, "message": "no"}, "error": "no"}, "no"),
    "detail alone": ({"errorDetail": {"message": "no"}}, "no"),
    "error alone": ({"error": "no"}, "no"),
    "detail without a message": ({"errorDetail": {"code": 1}, "error": "no"}, "no"),
    "without any message": ({"errorDetail": {"code": 1}}, "an error without a message"),
    "an object": ({"error": {"why": "no"}}, "an error without a message"),
    "empty": ({"error": "", "errorDetail": None}, None),
    "progress": ({"status": "Downloading", "progressDetail": {}}, None),
    "no object": (["error"], None),
}


@pytest.mark.parametrize(("value", "message"), ERRORS.values(), ids=ERRORS)
def test_errors(value, message):
    found = error_in(value)
    assert found is None if message is None else found.startswith(message)


DIGEST = "sha256:" + "0f" * 32

MADE = {
    "a build of Docker": (
        [
            {"stream": "Step 1/1"},
            {"aux": {"ID": DIGEST}},
            {"stream": "Successfully built 0f0f0f0f0f0f\n"},
        ],
        {"ID": DIGEST},
    ),
    "a build that has no aux": (
        [{"stream": "Successfully built 0f0f0f0f0f0f\n"}],
        {"ID": "0f" * 6},
    ),
    "a quiet build of Docker": ([{"stream": f"{DIGEST}\n"}], {"ID": DIGEST}),
    "a quiet build of Podman": ([{"stream": f"{'0f' * 32}\n"}], {"ID": "0f" * 32}),
    "a push of Podman": (
        [{"status": f"1: digest: {DIGEST} size: 427"}],
        {"Tag": "1", "Digest": DIGEST, "Size": 427},
    ),
    "a pull": (
        [{"status": f"Digest: {DIGEST}"}, {"status": "Status: Image is up to date for a:b"}],
        {"Digest": DIGEST},
    ),
    "a push": (
        [{"status": "a: digest: b size: 1"}, {"aux": {"Tag": "a", "Digest": DIGEST, "Size": 5}}],
        {"Tag": "a", "Digest": DIGEST, "Size": 5},
    ),
    "a size that none is": ([{"status": f"1: digest: {DIGEST} size: {'9' * 5000}"}], {}),
    "a load after an odd value": (
        [{"aux": {"Images": 5}}, {"stream": "Loaded image: a:b\n"}],
        {"Images": ["a:b"]},
    ),
    "an import": ([{"status": DIGEST}], {"ID": DIGEST}),
    "a load of Docker": (
        [{"stream": "Loaded image: a:b\n"}, {"stream": f"Loaded image ID: {DIGEST}\n"}],
        {"Images": ["a:b", DIGEST]},
    ),
    "a load of Podman": ([{"stream": "Loaded image: a:b,c:d"}], {"Images": ["a:b", "c:d"]}),
    "nothing": ([{"status": "Waiting"}, {"status": 1}, "text", None], {}),
}


@pytest.mark.parametrize(("values", "made"), MADE.values(), ids=MADE)
def test_what_was_made(values, made):
    progress = Progress()
    assert progress.last is None
    for value in values:
        progress.note(value)
    assert progress.made == made
    assert progress.last == values[-1]
