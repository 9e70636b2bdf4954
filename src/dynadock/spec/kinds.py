"""The kinds of replies: one row for each, which everything that tells them apart reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class ReplyKind(NamedTuple):
    """What is to be known of a kind of reply.

    ``words`` name what a caller gets and ``use`` says what to do with it; ``stream`` is the class
    of it, empty where the reply is one value, read whole; ``two_way`` tells that it takes the
    connection over, ``has_output`` that it carries what a container writes: in frames, or raw from
    a terminal. ``media_types`` are those by which a document declares such a reply.
    """

    words: str
    stream: str = ""
    use: str = ""
    two_way: bool = False
    has_output: bool = False
    media_types: tuple[str, ...] = ()


MULTIPLEXED = "application/vnd.docker.multiplexed-stream"

_TWO_WAY_WORDS = "output, and input to write to (Duplex)"
_OUTPUT_USE = "Iterate over its frames, or take .lines(), .text(), .collect() or .copy_to(file)"
_TWO_WAY_USE = f"{_OUTPUT_USE}; .write(data) sends input, .close_stdin() ends it."

KINDS: Mapping[str, ReplyKind] = {
    # JSON, text or nothing: the reply itself tells.
    "value": ReplyKind("nothing"),
    "none": ReplyKind("nothing"),
    "headers": ReplyKind("headers"),
    "json-stream": ReplyKind(
        "a stream of values (JsonStream)",
        stream="JsonStream",
        use="Iterate over the values, and close it when you have seen enough.",
        media_types=("application/json-seq", "application/jsonl", "application/x-ndjson"),
    ),
    "frames": ReplyKind(
        "a stream of output (FrameStream)",
        stream="FrameStream",
        use=f"{_OUTPUT_USE}.",
        has_output=True,
        media_types=(MULTIPLEXED, "application/vnd.docker.raw-stream"),
    ),
    "duplex": ReplyKind(
        _TWO_WAY_WORDS, stream="Duplex", use=_TWO_WAY_USE, two_way=True, has_output=True
    ),
    # Its messages are what a terminal shows, or both outputs in one.
    "websocket": ReplyKind(_TWO_WAY_WORDS, stream="Duplex", use=_TWO_WAY_USE, two_way=True),
    "raw-duplex": ReplyKind(
        "bytes both ways (RawDuplex)",
        stream="RawDuplex",
        use="Iterate over the bytes; .write(data) sends some.",
        two_way=True,
    ),
    "tar": ReplyKind(
        "a tar archive (TarStream)",
        stream="TarStream",
        use=(
            "Iterate over the bytes, .save(path) or .extract(folder) it, or look at its .members()."
        ),
        media_types=("application/x-tar",),
    ),
    "bytes": ReplyKind(
        "bytes (Download)",
        stream="Download",
        use="Iterate over the bytes, or .save(path) them.",
        media_types=("application/octet-stream",),
    ),
}
"""Every kind that a document or the overlay may give a reply, by its name."""
