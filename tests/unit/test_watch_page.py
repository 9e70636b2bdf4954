"""The page of what was watched."""

from hypothesis import given, settings

from dynadock.compat.watch_page import watch_page
from page_checks import Tree, faults
from unit.test_pages import TEXTS


def known(text=""):
    row = {
        "kind": "wrong",
        "part": "reply",
        "place": f"State.Pid{text}",
        "operations": {f"ContainerInspect{text}": "State.Pid"},
        "expected": f"an integer{text}",
        "got": f"a text{text}",
        "count": 2,
        "first": f"GET /x{text} -> 200",
        "since": "",
        "allowed": text,
    }
    exchange = {
        "operation_id": f"ContainerInspect{text}",
        "version": "1.41",
        "method": f"GET{text}",
        "target": f"/v1.41/containers/a/json{text}",
        "status": 200,
        "milliseconds": 1.25,
        "sent": 0,
        "received": 1200,
        "connection": 1,
        "took_over": True,
        "fault": text,
    }
    lacking = [
        {
            "place": f"HostConfig.CgroupnsMode{text}",
            "kind": "field",
            "operations": [f"ContainerCreate{text}"],
            "reason": f"arrived in 1.41{text}",
        }
    ]
    return {
        "to": f"unix:///run/x.sock{text}",
        "pin": "1.41",
        "requests": 3,
        "broken": 1,
        "bytes": {"sent": 10, "received": 20},
        "engine": {"server": f"Docker/28{text}", "newest": "1.51"},
        "versions": {"1.41": 2, "": 1},
        "operations": [
            {
                "operation": f"ContainerInspect{text}",
                "version": "1.41",
                "count": 3,
                "statuses": {"200": 1, "404": 1, "no reply": 1},
            }
        ],
        "unrecognised": [{"method": "GET", "path": f"/x{text}", "why": f"none{text}", "count": 1}],
        "exchanges": [exchange, {**exchange, "status": None, "milliseconds": None}],
        "deviations": {"deviations": [row, {**row, "kind": "zero", "since": "1.42"}]},
        "usage": {
            "versions": {"1.39": lacking, "1.40": lacking, "1.41": [], "1.42": [f"X{text}"]},
            "operations": {
                f"ContainerInspect{text}": {
                    "parameters": {f"size{text}": 1},
                    "fields": {f"A.B{number}{text}": 1 for number in range(20)},
                    "empty": {f"E{text}": 1},
                    "values": {f"A.B{text}": {f"private{text}": 2}},
                    "unknown": {f"Odd{text}": 1},
                    "unreadable": 1,
                }
            },
        },
    }


def test_it_keeps_to_what_every_page_has_to():
    assert not [*faults(watch_page(known()))]


@given(TEXTS)
@settings(max_examples=15)
def test_texts_of_others_stay_texts(text):
    assert not [*faults(watch_page(known(text)))]


def test_it_says_which_versions_have_all_and_what_others_lack():
    text = Tree(watch_page(known())).shown
    assert "All that was used is there in API 1.41." in text
    assert (
        "1.39\N{EN DASH}1.40!lacks someHostConfig.CgroupnsMode in ContainerCreate: arrived in 1.41"
        in text
    )
    assert "1 of 4" in text


def test_it_says_what_was_used_and_what_deviates():
    text = Tree(watch_page(known())).shown
    assert "Parameters: size" in text
    assert "8 more" in text
    assert "A.B = private" in text
    assert "Unknown to the documents: !Odd" in text
    assert "Expected an integer, got a text." in text
    assert "The document has no such field yet; it arrived in 1.42." in text


def test_nothing_watched_is_a_page_too():
    assert not [*faults(watch_page({}))]
