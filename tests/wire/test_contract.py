"""Contracts: what an engine answers otherwise than documented is recorded, warned of or raised."""

from __future__ import annotations

import json
import pickle
import threading
from contextlib import suppress

import pytest

import dynadock
from documents import MAIN
from dynadock import Contract, ContractError, ContractWarning, Deviations, NotFound
from dynadock.contract import checking
from dynadock.contracts import CLASSES, FAILING
from secret_values import SECRET
from wire.peer import (
    answer,
    chunked,
    expect_broken,
    given_before,
    playing,
    reply,
    shake_hands,
    silence,
    switching,
    until_gone,
)

JSON = "application/json"
CONTAINER = {
    "Id": "c1",
    "State": {"Status": "running", "Pid": 7, "Running": True},
    "HostConfig": {"RestartPolicy": {"Name": "no"}},
    "NetworkSettings": {"Networks": {"bridge": {"Aliases": ["db"]}}},
}
IMAGE = {
    "Id": "i1",
    "ParentId": "",
    "RepoTags": [],
    "RepoDigests": [],
    "Created": 1,
    "Size": 1,
    "SharedSize": -1,
    "VirtualSize": 1,
    "Labels": None,
    "Containers": -1,
}
ALIASES = ("NetworkSettings", "Networks", "bridge", "Aliases")
VOLUME = {
    "Name": "data",
    "Driver": "local",
    "Mountpoint": "/v",
    "Scope": "local",
    "Labels": {},
    "Options": {},
}


def changed(value, *path, to=...):
    """Return a copy of a value with one thing in it changed, or taken away."""
    copy = json.loads(json.dumps(value))
    *way, last = path
    inner = copy
    for step in way:
        inner = inner[step]
    if to is ...:
        del inner[last]
    else:
        inner[last] = to
    return copy


def inspect(client):
    return client.ContainerInspect("c1")


def volume(client):
    return client.VolumeInspect("data")


PLANTED = {
    "a status": (inspect, reply(418, json={"message": "tea"}), "transport", "status", "418"),
    "an error's status": (
        *(inspect, reply(409, json={"message": "x"}), "transport", "status", "409"),
    ),
    "another Content-Type": (
        inspect,
        reply(body=b"{}", headers={"Content-Type": "text/plain"}),
        *("transport", "header Content-Type", "text/plain"),
    ),
    "no Content-Type": (
        *(inspect, reply(body=b"{}"), "transport", "header Content-Type", "nothing"),
    ),
    "no body": (inspect, reply(), "transport", "body", "no body"),
    "an error without a body": (inspect, reply(404), "transport", "body", "no body"),
    "a body where none may be": (
        lambda client: client.ContainerKill("c1"),
        reply(204, headers={"Content-Length": "0"}),
        *(None, "", ""),
    ),
    "a type": (
        inspect,
        reply(json=changed(CONTAINER, "State", "Pid", to="7")),
        *("wrong", "State.Pid", "a text of 1 character"),
    ),
    "an enum": (
        inspect,
        reply(json=changed(CONTAINER, "State", "Status", to="odd")),
        *("wrong", "State.Status", '"odd"'),
    ),
    "an empty text in an enum": (
        inspect,
        reply(json=changed(CONTAINER, "State", "Status", to="")),
        *("wrong", "State.Status", "an empty text"),
    ),
    "a missing field": (
        volume,
        reply(json=changed(VOLUME, "Mountpoint")),
        *("wrong", "Mountpoint", "nothing"),
    ),
    "an error of another type": (
        *(inspect, reply(404, json={"message": 5}), "wrong", "message", "5"),
    ),
    "null that is denied": (
        lambda client: client.ImageList(),
        reply(json=[IMAGE | {"ParentId": None}]),
        *("denied-null", "[].ParentId", "null"),
    ),
    "null where nothing is said": (
        inspect,
        reply(json=changed(CONTAINER, "State", to=None)),
        *(None, "", ""),
    ),
    "a deep field": (
        inspect,
        reply(json=changed(CONTAINER, *ALIASES, to="db")),
        *("wrong", "NetworkSettings.Networks{}.Aliases", "a text of 2 characters"),
    ),
    "a number of another kind": (
        inspect,
        reply(json=CONTAINER | {"RestartCount": 1.5}),
        *("wrong", "RestartCount", "1.5"),
    ),
    "a value of a stream": (
        lambda client: [*client.SystemEvents()],
        chunked(b'{"Type": "image"}', b'{"Type": 5}'),
        *("wrong", "Type", "5"),
    ),
    "an enum in a stream": (
        lambda client: client.SystemEvents().wait(),
        chunked(b'{"Type": "odd"}'),
        *("wrong", "Type", '"odd"'),
    ),
    "a stream's Content-Type": (
        lambda client: [*client.SystemEvents()],
        chunked(b"{}", content_type="text/plain"),
        *("transport", "header Content-Type", "text/plain"),
    ),
    "a stream of another type": (
        lambda client: client.ContainerExport("c1").read(),
        chunked(b"x", content_type="text/plain"),
        *("transport", "header Content-Type", "text/plain"),
    ),
    "a header": (
        lambda client: client.SystemPing(),
        reply(text="OK", headers={"Docker-Experimental": "perhaps"}),
        *("wrong", "header Docker-Experimental", "a text of another form"),
    ),
}
"""What to call, what comes, and what fails: its class, place and what came; None for nothing."""


def call(make, client):
    """Make a call, whatever becomes of it, and return the client's deviations."""
    with suppress(dynadock.APIError, ContractError):
        make(client)
    return client.deviations


@pytest.mark.parametrize("name", PLANTED)
def test_what_is_planted_is_found_where_it_is(name):
    make, came, kind, place, got = PLANTED[name]
    with playing([answer(came)], contract="record") as (_, client):
        found = call(make, client)
    assert not found.unchecked
    assert [(each.kind, each.place, each.got) for each in found.failing] == (
        [(kind, place, got)] if kind else []
    )
    if kind:
        (deviation,) = found.failing
        assert (deviation.count, deviation.version, deviation.part) == (1, MAIN, "reply")
        assert deviation.first == str(found.exchanges[0])
        assert found.exchanges[0].status == int(came.split(b" ", 2)[1])


@pytest.mark.parametrize("name", PLANTED)
def test_it_is_raised_and_warned_of_by_whoever_wants_that(name):
    make, came, kind, place, _ = PLANTED[name]
    with playing([answer(came)], contract="raise") as (_, client):
        if kind is None:
            make(client)
        else:
            with pytest.raises(ContractError, match="deviation from the document") as caught:
                make(client)
            assert [each.place for each in caught.value.findings] == [place]
            assert f"{place}: " in str(caught.value)
            assert "contract=" in str(caught.value)
    with playing([answer(came)], contract="warn") as (_, client):
        if kind is None:
            make(client)
        else:
            with pytest.warns(ContractWarning, match="client.deviations") as told:
                call(make, client)
            assert {each.filename for each in told} == {__file__}


def test_an_error_is_the_cause_and_a_value_is_kept():
    with (
        playing([answer(reply(404, json={"message": 5}))], contract="raise") as (_, client),
        pytest.raises(ContractError) as caught,
    ):
        inspect(client)
    assert isinstance(caught.value.__cause__, NotFound)
    odd = changed(CONTAINER, "State", "Pid", to="7")
    with (
        playing([answer(reply(json=odd))], contract="raise") as (_, client),
        pytest.raises(ContractError) as caught,
    ):
        inspect(client)
    assert caught.value.value == odd
    assert pickle.loads(pickle.dumps(caught.value)).args == caught.value.args


def test_all_deviations_of_a_call_are_named():
    odd = changed(changed(CONTAINER, "State", "Pid", to="7"), "State", "Status", to="odd")
    with (
        playing([answer(reply(json=odd))], contract="raise") as (_, client),
        pytest.raises(ContractError) as caught,
    ):
        inspect(client)
    first, *others = str(caught.value).splitlines()
    assert first == f"ContainerInspect (API {MAIN}): 2 deviations from the document"
    assert {line.split(":")[0].strip() for line in others[:2]} == {"State.Pid", "State.Status"}


def test_a_stream_is_read_to_its_end_before_anything_is_raised():
    values = (b'{"Type": 5}', b'{"Type": "image"}', b'{"Type": 6}')
    with playing([answer(chunked(*values))], contract="raise") as (_, client):
        came = given_before(ContractError, client.SystemEvents(), match="Type: expected")
        assert [each["Type"] for each in came] == [5, "image", 6]
    (deviation,) = client.deviations.failing
    assert deviation.count == 2


def test_a_connection_is_used_again_after_a_deviation():
    with playing([answer(reply(418, json={})), answer(reply(json=CONTAINER))]) as (_, client):
        strict = client.with_options(contract="raise")
        with pytest.raises(ContractError):
            inspect(strict)
        assert inspect(strict).Id == "c1"


def test_all_clients_of_an_engine_share_what_was_found():
    odd = reply(json=changed(CONTAINER, "State", "Pid", to="7"))
    with playing([answer(odd), answer(odd), answer(odd)]) as (_, client):
        inspect(client)
        assert not client.deviations
        inspect(client.with_options(contract="record"))
        inspect(client.at("1.41").with_options(contract="record"))
        found = client.deviations
        assert found is client.at("1.41").deviations
    assert {each.version for each in found.failing} == {"1.41", "1.42"}
    assert found.calls == {
        ("ContainerInspect", "1.42", 200): 1,
        ("ContainerInspect", "1.41", 200): 1,
    }


def test_a_definition_that_operations_share_is_told_once():
    odd = VOLUME | {"Scope": "odd"}
    replies = [answer(reply(json=odd)), answer(reply(json={"Volumes": [odd, odd]}))]
    with playing(replies, contract="record") as (_, client):
        client.VolumeInspect("data")
        client.VolumeList()
        (deviation,) = client.deviations.failing
    assert (deviation.home, deviation.count) == ("Volume.Scope", 2)
    assert deviation.operations == {"VolumeInspect": "Scope", "VolumeList": "Volumes[].Scope"}


NEW = {"Id": "c1", "State": {"Odd": 1}, "ImageManifestDescriptor": {"digest": "x"}}


def test_fields_of_newer_documents_and_of_none():
    with playing([answer(reply(json=NEW))], contract="raise") as (_, client):
        inspect(client)
        newer, undocumented = client.deviations.of("newer"), client.deviations.of("undocumented")
    assert [(each.place, each.since) for each in newer] == [("ImageManifestDescriptor", "1.48")]
    assert [each.home for each in undocumented] == ["ContainerState.Odd"]


def test_classes_that_do_not_fail_do_where_it_is_wanted():
    strict = Contract("raise", classes=["undocumented"])
    odd = changed(NEW, "State", "Status", to="x")
    with (
        playing([answer(reply(json=odd))], contract=strict) as (_, client),
        pytest.raises(ContractError) as caught,
    ):
        inspect(client)
    assert [each.place for each in caught.value.findings] == ["State.Odd"]


KNOWN = {"to": "ContainerInspect", "place": "State.Pid", "kind": "wrong", "why": "It is odd."}


@pytest.mark.parametrize(
    ("row", "is_met"),
    [
        (KNOWN, True),
        ({"place": "ContainerState.Pid", "why": "It is odd."}, True),
        ({"to": ["VolumeList", "ContainerInspect"], "kind": "wrong", "why": "It is odd."}, True),
        (KNOWN | {"api": "1.40-1.42", "engine": "Peer/1"}, True),
        (KNOWN | {"api": "1.43-"}, False),
        (KNOWN | {"engine": "Docker/26"}, False),
        (KNOWN | {"place": "State.Status"}, False),
        (KNOWN | {"kind": "transport"}, False),
    ],
)
def test_what_is_known_is_allowed_and_what_is_not_met_is_told(row, is_met):
    odd = reply(json=changed(CONTAINER, "State", "Pid", to="7"), headers={"Server": "Peer/1.2"})
    contract = Contract("raise", allow=[row])
    with playing([answer(odd)], contract=contract) as (_, client):
        if is_met:
            assert inspect(client).Id == "c1"
        else:
            with pytest.raises(ContractError):
                inspect(client)
        found = client.deviations
    (deviation,) = found.of("wrong")
    assert deviation.allowed == ("It is odd." if is_met else "")
    assert len(found.unmet()) == (not is_met)
    assert ("not met" in repr(found)) == (not is_met)


def test_requests_are_looked_at_as_they_were_sent():
    created = answer(reply(201, json={"Id": "1", "Warnings": []}))
    with playing([created], contract="record", validate=False) as (_, client):
        client.ContainerCreate(name="a/b", body={"Image": 5, "HostConfig": {"Odd": True}})
        found = [(each.kind, each.part, each.place) for each in client.deviations]
    assert ("wrong", "request", "Image") in found
    assert ("undocumented", "request", "HostConfig.Odd") in found
    assert not client.deviations.unchecked


def test_an_unknown_parameter_is_found_in_the_document_that_has_it():
    with playing(
        [answer(reply(201, json={"Id": "1", "Warnings": []}))],
        version="1.40",
        contract="record",
        query={"platform": "linux", "odd": "1"},
    ) as (_, client):
        client.ContainerCreate(Image="x")
        found = {each.place: each for each in client.deviations}
    assert (found["query platform"].kind, found["query platform"].since) == ("newer", "1.41")
    assert found["query odd"].kind == "undocumented"


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json;",
        "application/json; ;",
        "Application/JSON",
        "application/json;x",
        ";",
        "é",
    ],
)
@pytest.mark.parametrize("name", ["a/b/c", "a%2Fb", "json", "x/json"])
def test_odd_names_and_content_types_are_no_trap(content_type, name):
    odd = reply(json=CONTAINER, headers={"Content-Type": content_type})
    with playing([answer(odd)], contract="record") as (_, client):
        with suppress(dynadock.DynadockError):
            client.ImageInspect(name)
        assert not client.deviations.unchecked


@pytest.mark.parametrize("prefix", ["", "/prefix", "/v1.2"])
def test_an_address_with_a_path_of_its_own_is_no_trap(prefix):
    with (
        playing([answer(reply(json=CONTAINER))], kind="tcp") as (peer, _),
        dynadock.load(MAIN, host=f"{peer.address}{prefix}", contract="record") as client,
    ):
        inspect(client)
        assert not client.deviations.unchecked
        assert not client.deviations


def test_replies_that_nobody_reads_here_are_looked_at_by_their_heads():
    script = [answer(reply(404, json={"message": 5})), answer(reply(body=b"{"))]
    with playing(script, contract="record") as (_, client):
        assert client.ContainerInspect.raw("c1").content
        assert client.ContainerInspect.raw("c1").content
        assert [each.place for each in client.deviations] == ["header Content-Type"]
    script = [[answer(switching()), silence], [shake_hands(), expect_broken]]
    with playing(*script, contract="record") as (_, client):
        client.ContainerAttach("c1", stream=True, stdout=True).close()
        client.ContainerAttachWebsocket("c1", stream=True).close()
        assert not client.deviations
        assert [each.status for each in client.deviations.exchanges] == [101, 101]


def test_a_raw_reply_that_deviates_leaves_no_connection_behind():
    script = [answer(reply(418, json={}))]
    with playing(script, contract="raise") as (_, client), pytest.raises(ContractError):
        client.ContainerInspect.raw("c1")


def test_uploads_are_looked_at_without_being_read():
    with playing([answer(reply(200))], [answer(chunked(b'{"status": 5}'))]) as (_, client):
        recording = client.with_options(contract="record")
        recording.PutContainerArchive("c1", path="/", body=iter([b"x"]))
        recording.ImageBuild(body=iter([b"x"])).wait()
        assert not recording.deviations.unchecked
        assert len(recording.deviations.exchanges) == 2


def test_no_secret_is_told():
    odd = {
        "Id": 5,
        "Config": {"Env": [f"PASSWORD={SECRET}", 5], "Labels": {"token": [SECRET]}},
        "State": SECRET,
        "Args": SECRET,
    }
    failing = [answer(reply(json=odd)), answer(reply(json=odd, headers={"X": SECRET}))]
    with playing(failing, contract="record") as (_, client):
        inspect(client)
        asking = client.with_options(contract="raise", query={"token": SECRET})
        with pytest.raises(ContractError) as caught:
            inspect(asking)
        found = client.deviations
    told = [str(caught.value), repr(caught.value), repr(found), found.json(), found._repr_html_()]
    told += [str(each) for each in found.exchanges]
    for text in told:
        assert SECRET not in text
    assert "token=****" in found.exchanges[-1].target


def test_replies_of_any_size_take_bounded_memory_and_time():
    many = {"Id": "c1", **{f"odd{number}": number for number in range(20_000)}}
    wrong = [{"Id": number, "Names": 5} for number in range(20_000)]
    script = [answer(reply(json=many)), answer(reply(json=wrong)), answer(reply(json=wrong * 20))]
    with playing(script, contract="record", limit=None) as (_, client):
        inspect(client)
        client.ContainerList()
        client.ContainerList()
        found = client.deviations
    assert len(found) < 1_000
    assert found.unchecked.total() == 1


def test_many_deviations_are_counted_and_not_kept(monkeypatch):
    monkeypatch.setattr("dynadock.contract.deviations.MOST_KEPT", 3)
    odd = {"Id": 1, "Name": 1, "Path": 1, "Image": 1, "Driver": 1}
    with playing([answer(reply(json=odd))], contract="record") as (_, client):
        inspect(client)
        found = client.deviations
    assert (len(found), found.left_out) == (3, 2)
    assert "too many to keep" in repr(found)


def test_what_fails_inside_does_not_fail_a_call(monkeypatch):
    def fail(*_args):
        raise KeyError("inside")

    monkeypatch.setattr(checking, "findings_in_reply", fail)
    with playing([answer(reply(json=CONTAINER))], contract="raise") as (_, client):
        assert inspect(client).Id == "c1"
        assert client.deviations.unchecked == {"ContainerInspect: KeyError": 1}


def test_threads_count_together():
    odd = reply(json=changed(CONTAINER, "State", "Pid", to="7"))
    script = [until_gone(answer(odd))]
    with playing(*[script] * 4, contract="record", connections=4) as (_, client):
        barrier = threading.Barrier(4)

        def ask():
            barrier.wait()
            for _ in range(10):
                inspect(client)

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        (deviation,) = client.deviations.failing
        assert (deviation.count, client.deviations.calls.total()) == (40, 40)


def test_a_value_is_checked_by_itself():
    with playing([answer(reply(json=CONTAINER))]) as (_, client):
        good = inspect(client)
        check = client.ContainerInspect.check
        assert not check(good)
        found = check(changed(good, "State", "Pid", to="7"))
        assert [str(each) for each in found] == [
            "wrong: ContainerState.Pid: expected an integer, got a text of 1 character"
        ]
        assert not client.deviations
    assert not client.SystemEvents.check({"Type": "image"})
    assert client.SystemEvents.check([{"Type": "image"}, {"Type": 5}]).counts["wrong"] == 1
    assert repr(check(good)) == "no deviations"


def test_an_error_and_a_raw_reply_are_checked_by_themselves():
    script = [answer(reply(404, json={"message": each})) for each in ("no", 5)]
    with playing(script) as (_, client):
        with pytest.raises(NotFound) as caught:
            inspect(client)
        assert not client.ContainerInspect.check(caught.value)
        (row,) = client.ContainerInspect.check(client.ContainerInspect.raw("c1"))
        assert (row.place, row.first) == ("message", "GET /v1.42/containers/{id}/json -> 404")
    caught.value.status = 418
    (found,) = client.ContainerInspect.check(caught.value)
    assert (found.kind, found.place) == ("transport", "status")


def test_deviations_are_shown_and_copied():
    assert "nothing was checked" in repr(Deviations())
    odd = reply(json=changed(CONTAINER, "State", "Pid", to="7"))
    with playing([answer(odd)], contract="record") as (_, client):
        inspect(client)
        found = client.deviations
    assert repr(found).splitlines() == [
        (
            "wrong        ContainerState.Pid: expected an integer, got a text of 1 character"
            "  (ContainerInspect, 1x)"
        ),
        "1 deviation in 1 exchange",
    ]
    assert (
        json.loads(found.json())["deviations"][0]["first"] == "GET /v1.42/containers/c1/json -> 200"
    )
    assert found.as_dict()["counts"] == {**dict.fromkeys(CLASSES, 0), "wrong": 1}
    assert [each.words for each in pickle.loads(pickle.dumps(found))] == [found[0].words]
    assert [each.kind for each in found[:1]] == ["wrong"]
    found.clear()
    assert not found
    assert not found.exchanges
    with pytest.raises(ValueError, match="there is no class 'odd'"):
        found.of("odd")


def test_a_client_that_is_copied_takes_no_deviations_along():
    odd = reply(json=changed(CONTAINER, "State", "Pid", to="7"))
    contract = Contract("record", allow=[KNOWN])
    with playing([answer(odd)], contract=contract) as (_, client):
        inspect(client)
        copy = pickle.loads(pickle.dumps(client))
    assert copy.options.contract == contract
    assert client.deviations
    assert not copy.deviations


def test_classes_are_in_the_order_of_their_weight():
    assert [*CLASSES][-3:] == [*FAILING]
