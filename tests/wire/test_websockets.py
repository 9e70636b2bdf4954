"""Attaching through a websocket: the handshake, the messages, and every way to end."""

from __future__ import annotations

import base64
import os
import re
import select
import threading

import pytest

from dynadock import (
    APIError,
    BadRequest,
    ConnectionLost,
    Duplex,
    DynadockError,
    Line,
    MalformedStream,
    NotFound,
    StreamClosed,
    TimedOut,
    TransportError,
    TruncatedStream,
    Unsupported,
)
from wire.peer import (
    BINARY,
    CLOSE,
    OK,
    PATIENCE,
    PING,
    PONG,
    TEXT,
    accepted,
    answer,
    close_frame,
    expect,
    expect_message,
    given_before,
    hang_up,
    head,
    ignore,
    in_pieces,
    message,
    playing,
    reply,
    reset,
    send,
    send_until_gone,
    shake_hands,
    silence,
    switching,
    tell,
    wait,
)

CONTINUED = 0


def BYE(connection):
    """Take our half of the close, whatever its code."""
    kind, _ = connection.read_message()
    assert kind == CLOSE, kind


def said(duplex):
    """Return all that comes; how it is cut is not the engine's to say."""
    assert duplex.is_terminal
    return b"".join(frame.data for frame in duplex)


def attach(client):
    return client.ContainerAttachWebsocket("web", stream=True, stdin=True, stdout=True)


def frames(*datas):
    return [("console", data) for data in datas]


# The handshake


def test_the_request_asks_for_a_websocket():
    keys = []
    with playing(*[[shake_hands(close_frame()), BYE, hang_up]] * 2) as (peer, client):
        for _ in range(2):
            assert list(attach(client)) == []
    for seen in peer.requests:
        assert seen.method == "GET"
        assert seen.target == "/v1.42/containers/web/attach/ws?stream=true&stdin=true&stdout=true"
        assert seen.header("Connection") == "Upgrade"
        assert seen.header("Upgrade") == "websocket"
        assert seen.header("Sec-WebSocket-Version") == "13"
        assert seen.header("Host")
        assert seen.body == b""
        keys.append(seen.header("Sec-WebSocket-Key"))
    assert [len(base64.b64decode(key)) for key in keys] == [16, 16]
    assert keys[0] != keys[1]


def test_a_websocket_is_a_duplex_of_one_channel():
    script = [shake_hands(message(b"one")), send(message(b"two"), close_frame()), BYE, hang_up]
    with playing(script, [OK]) as (_, client):
        duplex = attach(client)
        assert type(duplex) is Duplex
        assert duplex.status == 101
        assert said(duplex) == b"".join([b"one", b"two"])
        assert duplex.closed
        assert client.SystemPing() == "OK"


WRONG_KEYS = {
    "none": None,
    "another's": accepted("dGhlIHNhbXBsZSBub25jZQ=="),
    "the key itself": "key",
    "empty": "",
}


@pytest.mark.parametrize("wrong", WRONG_KEYS.values(), ids=WRONG_KEYS)
def test_a_wrong_key_is_refused(wrong):
    """A server with a wrong key speaks no WebSocket, or replays the reply to another client."""

    def agree(connection):
        expect(connection)
        key = connection.peer.requests[-1].header("Sec-WebSocket-Key")
        fields = {"Upgrade": "websocket", "Connection": "Upgrade"}
        if wrong is not None:
            fields["Sec-WebSocket-Accept"] = key if wrong == "key" else wrong
        connection.send([head(101, fields)])

    with playing([agree, silence], [OK]) as (peer, client):
        with pytest.raises(MalformedStream, match="handshake") as caught:
            attach(client)
        assert caught.value.endpoint == peer.address
        assert client.SystemPing() == "OK"


@pytest.mark.parametrize("space", [" ", "\t", ""])
def test_the_key_may_stand_in_white_space(space):
    def agree(connection):
        expect(connection)
        key = accepted(connection.peer.requests[-1].header("Sec-WebSocket-Key"))
        lines = [
            "HTTP/1.1 101 Ok",
            "upgrade: WebSocket",
            f"sec-websocket-accept:{space}{key}{space}",
        ]
        connection.send(["\r\n".join([*lines, "", ""]).encode() + message(b"x") + close_frame()])

    with playing([agree, BYE, hang_up]) as (_, client):
        assert said(attach(client)) == b"".join([b"x"])


@pytest.mark.parametrize(("status", "error"), [(404, NotFound), (400, BadRequest)])
def test_a_refusal_is_the_engines_own(status, error):
    refusal = reply(status, json={"message": "no such container: web"})
    # A bad request makes the client ask whether it was the version that was bad.
    ping = answer(reply(text="OK", headers={"Api-Version": "1.42"}))
    asked = [[ping, answer(reply(json={}))]] if status == 400 else []
    refused = pytest.raises(error, match="no such container: web")
    with playing([answer(refusal)], *asked) as (_, client), refused:
        attach(client)


NO_WEBSOCKETS = {
    "a stream": reply(200, b"raw output"),
    "nothing": reply(200),
    "another upgrade": switching(),
}


@pytest.mark.parametrize("data", NO_WEBSOCKETS.values(), ids=NO_WEBSOCKETS)
def test_what_is_no_websocket_is_not_taken_for_one(data):
    """A proxy may drop the upgrade and pass the rest on."""
    with playing([answer(data), silence], [OK]) as (_, client):
        with pytest.raises(DynadockError):
            attach(client)
        assert client.SystemPing() == "OK"


# Messages


def test_every_split_of_a_websocket():
    def script_of(cut):
        def agree(connection):
            expect(connection)
            key = accepted(connection.peer.requests[-1].header("Sec-WebSocket-Key"))
            fields = {"Upgrade": "websocket", "Sec-WebSocket-Accept": key}
            data = head(101, fields) + message(b"one") + message(b"\0" * 130) + close_frame()
            connection.send([data[:cut], data[cut:]])

        return [agree, BYE, hang_up]

    size = len(head(101, {"Upgrade": "websocket", "Sec-WebSocket-Accept": "=" * 28}))
    cuts = range(1, size + 5 + 134 + 4)
    with playing(*map(script_of, cuts)) as (_, client):
        for cut in cuts:
            assert said(attach(client)) == b"one" + b"\0" * 130, cut


def test_one_byte_writes():
    data = message(b"one") + message(b"two" * 50) + close_frame()
    with playing([shake_hands(b"", *in_pieces(data, 1)), BYE, hang_up]) as (_, client):
        assert said(attach(client)) == b"".join([b"one", b"two" * 50])


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65535, 65536, 3_000_000])
def test_messages_of_every_size(size):
    data = os.urandom(size)
    with playing([shake_hands(message(data), close_frame()), BYE, hang_up]) as (_, client):
        assert b"".join(each.data for each in attach(client)) == data


@pytest.mark.parametrize("size", [1, 125, 126, 65535, 65536, 3_000_000])
def test_what_is_written_is_one_message(size):
    data = os.urandom(size)
    script = [shake_hands(), expect_message(BINARY, data), send(close_frame()), BYE, hang_up]
    with playing(script) as (_, client), attach(client) as duplex:
        duplex.write(data)
        assert list(duplex) == []


@pytest.mark.parametrize("make", [bytes, bytearray, memoryview], ids=lambda each: each.__name__)
def test_all_that_holds_bytes_is_written(make):
    data = bytes(range(256))
    script = [shake_hands(), expect_message(BINARY, data), send(close_frame()), BYE, hang_up]
    with playing(script) as (_, client), attach(client) as duplex:
        duplex.write(make(data))
        assert list(duplex) == []


def test_text_is_bytes_too():
    """Engines send text until API 1.27, and binary messages from 1.28 on."""
    data = "hello \u00e4\u20ac".encode()
    with playing([shake_hands(message(data, TEXT), close_frame()), BYE, hang_up]) as (_, client):
        assert said(attach(client)) == b"".join([data])


def test_text_may_be_anything_that_a_container_prints():
    """Until API 1.27 engines call it text whatever it is, cut wherever a read of theirs ended."""
    euro = "\u20ac".encode()
    pieces = [message(each, TEXT) for each in (euro[:1], euro[1:], b"\xff\xfe\0")]
    script = [shake_hands(b"".join(pieces), close_frame()), BYE, hang_up]
    with playing(script, version="1.27") as (_, client):
        duplex = client.ContainerAttachWebsocket("web", stream=True)
        assert said(duplex) == b"".join([euro[:1], euro[1:], b"\xff\xfe\0"])


def test_messages_in_fragments():
    data = (
        message(b"on", last=False)
        + message(b"", CONTINUED, last=False)
        + message(b"e", CONTINUED)
        + message(b"two")
        + close_frame()
    )
    for pieces in ([data], in_pieces(data, 1)):
        with playing([shake_hands(*pieces), BYE, hang_up]) as (_, client):
            assert b"".join(each.data for each in attach(client)) == b"onetwo"


def test_a_ping_is_answered_even_inside_a_message():
    data = message(b"on", last=False) + message(b"are you there", PING)
    script = [
        shake_hands(data),
        expect_message(PONG, b"are you there"),
        send(message(b"e", CONTINUED), message(b"", PING)),
        expect_message(PONG, b""),
        send(message(b"unasked", PONG), message(b"two"), close_frame()),
        BYE,
        hang_up,
    ]
    with playing(script) as (_, client):
        assert said(attach(client)) == b"".join([b"one", b"two"])


def test_a_ping_of_a_peer_that_has_closed_hides_nothing():
    """Nobody waits for the answer; what came behind the ping has come all the same."""
    gone = threading.Event()
    data = message(b"?", PING) + message(b"last words") + close_frame()
    with playing([shake_hands(data), hang_up, tell(gone)]) as (_, client):
        duplex = attach(client)
        assert gone.wait(PATIENCE)
        assert said(duplex) == b"".join([b"last words"])


def test_empty_messages_are_no_end():
    data = message(b"") + message(b"one") + message(b"", TEXT) + message(b"two") + close_frame()
    with playing([shake_hands(data), BYE, hang_up]) as (_, client):
        assert said(attach(client)) == b"".join([b"one", b"two"])


def test_many_messages():
    data = [b"%d\n" % number for number in range(3000)]
    body = b"".join(map(message, data))
    with playing([shake_hands(body, close_frame()), BYE, hang_up]) as (_, client):
        assert said(attach(client)) == b"".join(data)


def test_the_helpers():
    data = message(b"one\r\ntw") + message(b"o\r\n") + close_frame()
    script = [shake_hands(data), BYE, hang_up]
    with playing(script, script, script) as (_, client):
        assert attach(client).collect() == (b"one\r\ntwo\r\n", b"")
        assert attach(client).text() == "one\r\ntwo\r\n"
        assert list(attach(client).lines()) == [Line("console", "one"), Line("console", "two")]


def test_a_conversation():
    steps = [shake_hands(message(b"$ "))]
    for number in range(20):
        steps += [expect_message(BINARY, b"%d?" % number), send(message(b"%d!" % number))]
    with (
        playing([*steps, send(close_frame()), BYE, hang_up]) as (_, client),
        attach(client) as duplex,
    ):
        assert next(duplex).data == b"$ "
        for number in range(20):
            duplex.write(b"%d?" % number)
            assert next(duplex).data == b"%d!" % number
        assert list(duplex) == []


def test_one_thread_writes_while_another_reads():
    count = 300

    def echo(connection):
        for _ in range(count):
            kind, data = connection.read_message()
            assert kind == BINARY
            connection.send([message(data)])

    with playing([shake_hands(), echo, send(close_frame()), BYE, hang_up]) as (_, client):
        duplex = attach(client)
        data = [os.urandom(5000) for _ in range(count)]
        writer = threading.Thread(target=lambda: [duplex.write(each) for each in data])
        writer.start()
        assert said(duplex) == b"".join(data)
        writer.join()


def test_select_reports_when_there_is_something_to_read():
    go_on = threading.Event()
    script = [shake_hands(), wait(go_on), send(message(b"now") + close_frame()), BYE, hang_up]
    with playing(script) as (_, client), attach(client) as duplex:
        assert select.select([duplex], [], [], 0) == ([], [], [])
        go_on.set()
        assert select.select([duplex], [], [], PATIENCE)[0] == [duplex]
        assert said(duplex) == b"".join([b"now"])


# The end


GOODBYES = {
    "done": close_frame(1000),
    "going away": close_frame(1001),
    "without a code": close_frame(None),
}


@pytest.mark.parametrize("bye", GOODBYES.values(), ids=GOODBYES)
@pytest.mark.parametrize("waits", [True, False], ids=["waits", "hangs up"])
def test_a_close_frame_is_the_end(bye, waits):
    """Engines hang up behind theirs and do not wait for ours."""
    gone = threading.Event()
    begun = [shake_hands(message(b"one") + bye)]
    script = [*begun, BYE, hang_up] if waits else [*begun, hang_up, tell(gone)]
    with playing(script, [OK]) as (_, client):
        duplex = attach(client)
        assert waits or gone.wait(PATIENCE)
        assert said(duplex) == b"".join([b"one"])
        assert duplex.closed
        assert list(duplex) == []
        with pytest.raises(StreamClosed):
            duplex.write(b"x")
        assert client.SystemPing() == "OK"


@pytest.mark.parametrize("code", [1002, 1003, 1008, 1011, 3000, 4999])
def test_a_close_frame_may_be_an_error(code):
    data = message(b"one") + close_frame(code, "too b\u00e4d".encode())
    with playing([shake_hands(data), BYE, hang_up], [OK]) as (peer, client):
        duplex = attach(client)
        match = (
            f"{re.escape(peer.address)}.*: the websocket was closed with code {code} too b\u00e4d"
        )
        assert given_before(ConnectionLost, duplex, match) == frames(b"one")
        assert duplex.closed
        assert client.SystemPing() == "OK"


CUTS = {
    "between messages": b"",
    "in a header": message(b"two")[:1],
    "behind a header": message(b"two")[:2],
    "in a long header": message(b"x" * 200)[:3],
    "in a message": message(b"two")[:4],
    "between fragments": message(b"tw", last=False),
    "in a fragment": message(b"tw", last=False) + message(b"o.", CONTINUED)[:3],
    "in a ping": message(b"hello", PING)[:4],
    "in a close_frame": close_frame()[:3],
}


@pytest.mark.parametrize("cut", CUTS.values(), ids=CUTS)
def test_an_end_without_a_close_frame_is_an_error_after_the_messages_before(cut):
    with playing([shake_hands(message(b"one") + cut), hang_up], [OK]) as (peer, client):
        duplex = attach(client)
        given = given_before(TruncatedStream, duplex, peer.address)
        assert b"".join(frame.data for frame in given).startswith(b"one")
        assert duplex.closed
        assert given_before(TruncatedStream, duplex) == []
        assert client.SystemPing() == "OK"


@pytest.mark.parametrize("cut", [b"", message(b"two")[:3]], ids=["between", "inside"])
def test_a_reset_is_an_error_after_the_messages_before(cut):
    script = [shake_hands(message(b"one") + cut, b""), reset]
    with playing(script, [OK], kind="tcp") as (peer, client):
        given = given_before(ConnectionLost, attach(client), peer.address)
        # A reset may overtake what the client has not read yet.
        assert given in ([], frames(b"one"))
        assert client.SystemPing() == "OK"


@pytest.mark.parametrize("option", ["timeout", "deadline"])
@pytest.mark.parametrize("cut", [b"", message(b"two")[:3]], ids=["between", "inside"])
def test_silence_is_a_timeout_after_the_messages_before(option, cut):
    script = [shake_hands(message(b"one") + cut), silence]
    with playing(script, **{option: 0.3}) as (_, client):
        duplex = attach(client)
        match = rf"with_options\({option}"
        assert given_before(TimedOut, duplex, match) == frames(b"one")
        assert given_before(TimedOut, duplex, match) == []


GARBAGE = {
    "HTTP": reply(200, b"x" * 500),
    "reserved bits": bytes([0x72, 1]) + b"x",
    "an unknown kind": message(b"x", 5),
    "a continuation of nothing": message(b"x", CONTINUED),
    "a ping in fragments": message(b"x", PING, last=False),
    "a ping that is too long": message(b"x" * 126, PING),
    "a close_frame of one byte": message(b"x", CLOSE),
    "a close_frame with no such code": close_frame(5),
    "a message inside a message": message(b"x", last=False) + message(b"y"),
}


@pytest.mark.parametrize("data", GARBAGE.values(), ids=GARBAGE)
def test_what_is_no_message_is_an_error_after_the_messages_before(data):
    def leave(connection):
        connection.read_to_end()

    with playing([shake_hands(message(b"one") + data), leave], [OK], timeout=20) as (peer, client):
        duplex = attach(client)
        given = given_before(MalformedStream, duplex, f"{peer.address}.*websocket")
        assert b"".join(frame.data for frame in given) in (b"one", b"onex")
        assert duplex.closed
        assert given_before(MalformedStream, duplex) == []
        assert client.SystemPing() == "OK"


def test_closing_hangs_up():
    gone = threading.Event()

    def leave(connection):
        connection.read_to_end()
        gone.set()

    with playing([shake_hands(message(b"one")), leave], [OK]) as (_, client):
        with attach(client) as duplex:
            assert next(duplex).data == b"one"
        assert gone.wait(PATIENCE)
        assert client.SystemPing() == "OK"


# What a websocket cannot do


def test_the_end_of_input_cannot_be_sent():
    script = [
        shake_hands(message(b"one")),
        expect_message(BINARY, b"more"),
        send(close_frame()),
        BYE,
    ]
    with playing([*script, hang_up]) as (_, client), attach(client) as duplex:
        with pytest.raises(Unsupported, match="no way to end the input"):
            duplex.close_stdin()
        # It is as open as before.
        assert not duplex.closed
        duplex.write(b"more")
        assert said(duplex) == b"".join([b"one"])


def test_communicating_says_so_too():
    with playing([shake_hands(), expect_message(BINARY, b"x"), ignore]) as (_, client):
        duplex = attach(client)
        with pytest.raises(Unsupported, match="no way to end the input"):
            duplex.communicate(b"x")
        assert duplex.closed


def test_reading_all_without_input():
    with playing([shake_hands(message(b"one"), close_frame()), BYE, hang_up]) as (_, client):
        assert attach(client).communicate(None) == (b"one", b"")


def test_a_size_cannot_be_set_through_it():
    with playing([shake_hands(), silence]) as (_, client), attach(client) as duplex:
        with pytest.raises((Unsupported, APIError), match="size"):
            duplex.resize(40, 120)
        assert not duplex.closed


@pytest.mark.parametrize("option", ["timeout", "deadline"])
def test_a_write_that_nobody_reads_is_a_timeout(option):
    script = [shake_hands(), ignore]
    late = pytest.raises(TimedOut, match=option)
    with playing(script, **{option: 0.3}) as (_, client), attach(client) as duplex, late:
        duplex.write(b"x" * (8 << 20))


def test_writing_to_a_closed_peer_is_an_error():
    gone = threading.Event()
    with playing([shake_hands(message(b"one")), hang_up, tell(gone)]) as (peer, client):
        duplex = attach(client)
        assert gone.wait(PATIENCE)
        with pytest.raises(TransportError, match=peer.address):
            duplex.write(b"x" * (8 << 20))
        duplex.close()


def test_an_answer_that_nobody_reads_is_a_timeout():
    """Pings are answered while reading: who does not take the answers stops that."""
    pings = message(b"x" * 100, PING) * 40_000
    script = [shake_hands(), send_until_gone(pings), ignore]
    with playing(script, timeout=0.5) as (_, client):
        assert given_before(TimedOut, attach(client)) == []
