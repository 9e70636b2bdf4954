"""Arguments and bodies of requests, read as Docker 26.1 reads them, and refused in its words."""

from __future__ import annotations

import base64
import json
import time

import pytest

from dynadock.call.encodings import ENCODINGS
from dynadock.call.percent import quote
from dynadock.call.reading import read_arguments, strict_faults
from dynadock.call.received import read_body, strict_faults_of_body
from dynadock.call.values import Refused
from dynadock.simulation.routes import Routes, read_target
from dynadock.spec.loader import load_spec
from dynadock.wire.messages import Headers
from refusals import CASES, compared, headers_of, name_of

SPEC = load_spec("1.45")
JSON = "application/json"


def arguments(operation_id, query="", headers=(), segments=(), spec=SPEC):
    operation = spec[operation_id]
    return read_arguments(operation, query, Headers(dict(headers)), dict(segments))


def refused(operation_id, query):
    with pytest.raises(Refused) as caught:
        arguments(operation_id, query)
    return caught.value.status, caught.value.message


def body(operation_id, value, content_type=JSON):
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return read_body(SPEC[operation_id], content_type, data)


def refused_body(operation_id, value, content_type=JSON, **options):
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    with pytest.raises(Refused) as caught:
        read_body(SPEC[operation_id], content_type, data, **options)
    return caught.value.status, caught.value.message


def answer(case):
    """Return what is answered to a request that is not even looked at: status and words."""
    target = read_target(f"/v{SPEC.version}{case['target']}")
    found = Routes(SPEC).find(case["method"], target.path)
    if found is None:
        return 404, "page not found"
    operation, headers = SPEC[found.operation_id], Headers(headers_of(case))
    try:
        read_arguments(operation, target.query, headers, found.segments)
        read_body(operation, headers.get("Content-Type"), case.get("body", "").encode())
    except Refused as refused:
        return refused.status, compared(refused.message)
    return None


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_what_docker_refuses_is_refused_in_its_words(case):
    assert answer(case) == (case["status"], case["words"])


# Parameters


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *((text, False) for text in ("", "0", "no", "NO", "false", "False", "none", "None", "%20")),
        *((text, True) for text in ("1", "true", "True", "yes", "maybe", "00", "null", "off")),
    ],
)
def test_booleans(text, value):
    assert arguments("ContainerList", f"all={text}")["all"] is value


@pytest.mark.parametrize(("text", "value"), [("5", 5), ("-1", -1), ("%2B7", 7), ("007", 7)])
def test_integers(text, value):
    assert arguments("ContainerList", f"limit={text}")["limit"] == value


def test_what_is_empty_is_not_there():
    assert "limit" not in arguments("ContainerList", "limit=&filters=")
    assert "buildargs" not in arguments("ImageBuild", "buildargs=&cachefrom=")
    assert arguments("ContainerWait", "condition=")["condition"] == "not-running"
    assert arguments("ContainerLogs", "tail=&since=")["tail"] == "all"
    assert arguments("ImageTag", "repo=&tag=") == {"repo": "", "tag": ""}


NO_INTEGER = 'strconv.Atoi: parsing "{}": invalid syntax'


@pytest.mark.parametrize("text", ["abc", "1.5", " 1", "0x10", "1_0", "1e3", "٣", "-", "+-1"])
def test_what_is_no_integer(text):
    assert refused("ContainerList", f"limit={quote(text)}") == (500, NO_INTEGER.format(text))
    assert refused("ContainerStop", f"t={quote(text)}") == (500, NO_INTEGER.format(text))
    assert refused("ContainerResize", f"h={quote(text)}&w=1") == (400, NO_INTEGER.format(text))


@pytest.mark.parametrize("text", ["9" * 20, "-" + "9" * 20, str(2**63), "9" * 5000])
def test_integers_that_are_too_large(text):
    words = f'strconv.Atoi: parsing "{text}": value out of range'
    assert refused("ContainerList", f"limit={text}") == (500, words)


@pytest.mark.parametrize(
    ("operation_id", "query", "status", "words"),
    [
        ("ImageSearch", "limit=x", 400, f"invalid limit specified: {NO_INTEGER.format('x')}"),
        ("VolumeList", "filters=x", 400, "error reading volume filters: invalid filter"),
        ("SecretUpdate", "version=x", 400, "invalid secret version"),
        (
            "NodeUpdate",
            "version=",
            400,
            "invalid node version '': strconv.ParseUint: parsing \"\": invalid syntax",
        ),
        ("ImageBuild", "shmsize=x", 500, 'strconv.ParseInt: parsing "x": invalid syntax'),
    ],
)
def test_some_operations_have_words_of_their_own(operation_id, query, status, words):
    assert refused(operation_id, query) == (status, words)


def test_some_numbers_may_be_anything():
    assert arguments("ImageBuild", "memory=x&cpuquota=5")["memory"] == 0


def test_an_integer_that_must_be_there():
    assert refused("ContainerResize", "h=1") == (400, NO_INTEGER.format(""))
    assert refused("ContainerResize", "w=&h=1") == (400, NO_INTEGER.format(""))


@pytest.mark.parametrize(("text", "value"), [("all", "all"), ("5", 5), ("-5", -5), ("abc", "abc")])
def test_numbers_that_may_be_words(text, value):
    assert arguments("ContainerLogs", f"tail={text}")["tail"] == value


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        *(("0", 0), ("1", 10**9), ("-1", -(10**9)), ("1.5", 15 * 10**8)),
        *(("1700000000.123456789", 1700000000123456789), ("1.000000001", 1000000001)),
        *(("1.1234567891", 1123456789), ("%2B1", 10**9)),
    ],
)
def test_timestamps_are_exact(text, nanoseconds):
    assert arguments("SystemEvents", f"since={text}")["since"] == nanoseconds


@pytest.mark.parametrize(
    ("text", "part"),
    [
        *(("abc", "abc"), ("10m", "10m"), ("1.", ""), (".5", ""), ("1.x", "x"), ("1e3", "1e3")),
        *(("2020-01-01T00:00:00Z", "2020-01-01T00:00:00Z"), ("2020-01-01", "2020-01-01")),
    ],
)
def test_what_is_no_timestamp(text, part):
    words = f'strconv.ParseInt: parsing "{part}": invalid syntax'
    assert refused("SystemEvents", f"since={quote(text)}") == (500, words)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"label": ["a=b", "c"]}', {"label": ["a=b", "c"]}),
        ('{"label": {"a=b": true, "c": false}}', {"label": ["a=b", "c"]}),
        ('{"label": {"a": true}, "name": {"b": true}}', {"label": ["a"], "name": ["b"]}),
        ('{"label": ["a", "a"]}', {"label": ["a"]}),
        *(("{}", {}), ("null", {}), ('{"label": null}', {"label": []})),
        *(('{"label": [null]}', {"label": [""]}), ('{"label": {"a": null}}', {"label": ["a"]})),
        ('{"nope": ["a"]}', {"nope": ["a"]}),
    ],
)
def test_filters_of_both_forms(text, value):
    assert arguments("ContainerList", f"filters={quote(text)}")["filters"] == value


@pytest.mark.parametrize(
    "text",
    [
        *("{", "[]", "5", '"a"', '{"label":"x"}', '{"label":5}', '{"label":{"a":1}}'),
        *('{"label":[1]}', '{"label":["a"]} x', '{"label":["a"],"status":{"b":true}}', "[" * 9999),
    ],
)
def test_filters_that_are_none(text):
    assert refused("ContainerList", f"filters={quote(text)}") == (400, "invalid filter")


def test_json():
    query = "buildargs=%7B%22a%22%3A%22b%22%2C%22c%22%3Anull%7D&cachefrom=%5B%22x%22%5D&labels=null"
    found = arguments("ImageBuild", query)
    assert (found["cachefrom"], found["labels"]) == (["x"], {})
    # Null takes the value of the engine's own variable.
    assert found["buildargs"] == {"a": "b", "c": None}


def test_json_that_is_none():
    words = "error reading build args: unexpected end of JSON input"
    assert refused("ImageBuild", "buildargs=%7B") == (400, words)
    words = "error reading labels: json: cannot unmarshal array into Go value"
    assert refused("ImageBuild", "labels=[]") == (400, words)
    assert refused("ImageBuild", "labels=NaN")[1].endswith("looking for beginning of value")
    assert refused("ImageBuild", "labels={}}")[1].endswith("'}' after top-level value")


def test_json_of_a_known_form_is_spelt_as_the_document_has_it():
    spec = load_spec("1.49")
    given = quote('{"OS": "linux", "Architecture": "arm64", "nope": 1}')
    found = arguments("ImageInspect", f"platform={given}", spec=spec)
    assert found["platform"] == {"os": "linux", "architecture": "arm64"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (base64.urlsafe_b64encode(b'{"a": "\xc3\xbf\xc3\xbe?"}').decode(), {"a": "ÿþ?"}),
        *((text, {}) for text in ("e30=", "e30", "!!", "W10=", "bnVsbA==", "{}", "ey==")),
    ],
)
def test_credentials_and_what_is_read_of_broken_ones(text, value):
    found = arguments("ImagePush", headers={"x-registry-auth": text})
    assert found["X-Registry-Auth"] == value


def test_headers_have_any_case_and_queries_have_one():
    assert "limit" not in arguments("ContainerList", "Limit=abc")
    found = arguments("ImageCreate", headers={"X_REGISTRY_AUTH": "e30="})
    assert found["X-Registry-Auth"] == {}


def test_the_first_of_a_name_counts():
    assert arguments("ContainerList", "limit=1&limit=abc")["limit"] == 1
    assert refused("ContainerList", "limit=abc&limit=1") == (500, NO_INTEGER.format("abc"))


def test_lists_of_names():
    assert arguments("ImageGetAll", "names=a%2Fb&names=c,d")["names"] == ["a/b", "c,d"]
    assert "names" not in arguments("ImageGetAll")


def test_defaults_of_the_document_and_what_has_none():
    found = arguments("ContainerLogs")
    assert found["tail"] == "all"
    assert found["follow"] is False
    assert (found["since"], found["until"]) == (0, 0)
    assert arguments("ContainerStop") == {}


def test_segments_and_unknown_names():
    found = arguments("ContainerInspect", "size=1&nope=2&nope", segments={"id": "a/b"})
    assert found == {"size": True, "id": "a/b"}


def test_what_is_encoded_in_a_query():
    found = arguments("ImageTag", "repo=a+b%2Fc&&tag=%c3%a4&=x&")
    assert found == {"repo": "a b/c", "tag": "ä"}
    assert arguments("ImageTag", "repo=a=b&tag")["repo"] == "a=b"


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("x=%zz", 'invalid URL escape "%zz"'),
        ("%=1", 'invalid URL escape "%"'),
        ("a;b", "invalid semicolon separator in query"),
    ],
)
def test_what_is_no_query(query, words):
    assert refused("ContainerList", query) == (400, words)


def test_every_encoding_reads_what_it_writes():
    for name, row in ENCODINGS.items():
        text = row.write(row.check(row.example))
        value = row.example * 10**9 if name == "timestamp" else row.example
        assert row.receive(text) == value


@pytest.mark.parametrize("query", ["a&" * 100_000, "limit=1&" * 50_000, "%41" * 100_000])
def test_long_queries_take_linear_time(query):
    start = time.process_time()
    arguments("ContainerList", query)
    assert time.process_time() - start < 2


# Bodies


def test_keys_in_any_letters_come_out_as_the_document_spells_them():
    given = {
        "image": "a",
        "hostCONFIG": {"memory": 1, "portbindings": {"80/TCP": [{"hostport": "1"}]}},
    }
    assert body("ContainerCreate", given) == {
        "Image": "a",
        "HostConfig": {"Memory": 1, "PortBindings": {"80/TCP": [{"HostPort": "1"}]}},
    }


def test_the_last_of_a_key_counts():
    data = b'{"Image": "a", "image": "b", "Tty": true, "tty": null}'
    assert body("ContainerCreate", data) == {"Image": "b", "Tty": True}


def test_unknown_fields_are_dropped_and_maps_keep_their_keys():
    given = {
        "Nope": {"x": 1},
        "Labels": {"NOPE": "x"},
        "HostConfig": {"nope": 1, "Sysctls": {"A": "b"}},
    }
    assert body("ContainerCreate", given) == {
        "Labels": {"NOPE": "x"},
        "HostConfig": {"Sysctls": {"A": "b"}},
    }


def test_null_is_nothing_for_a_field_and_empty_in_lists_and_maps():
    given = {
        "Image": None,
        "Env": ["a", None],
        "Labels": {"a": None},
        "HostConfig": {"Memory": None, "PortBindings": {"80/tcp": [None]}},
        "NetworkingConfig": {"EndpointsConfig": {"net": None}},
    }
    assert body("ContainerCreate", given) == {
        "Env": ["a", ""],
        "Labels": {"a": ""},
        "HostConfig": {"PortBindings": {"80/tcp": [{}]}},
        "NetworkingConfig": {"EndpointsConfig": {"net": {}}},
    }


def test_null_stays_where_the_document_allows_it():
    given = {"ExposedPorts": {"80/tcp": None}, "HostConfig": {"PortBindings": {"80/tcp": None}}}
    assert body("ContainerCreate", given) == given


def test_a_command_that_is_one_text():
    given = {"Cmd": "a b", "Entrypoint": ""}
    assert body("ContainerCreate", given) == {"Cmd": ["a b"], "Entrypoint": [""]}
    status, message = refused_body("ContainerExec", {"Cmd": "x"})
    assert status == 400
    assert "cannot unmarshal string into Go struct field" in message


@pytest.mark.parametrize(
    ("value", "came", "place", "kind"),
    [
        ({"Image": 5}, "number", "Image", "string"),
        ({"Tty": "true"}, "string", "Tty", "bool"),
        ({"Tty": 1}, "number", "Tty", "bool"),
        ({"Env": [5]}, "number", "Env[0]", "string"),
        ({"Env": {"a": 1}}, "object", "Env", "[]string"),
        ({"Labels": []}, "array", "Labels", "map[string]string"),
        ({"labels": {"a": 5}}, "number", "Labels.a", "string"),
        ({"HostConfig": []}, "array", "HostConfig", "object"),
        ({"HostConfig": {"Memory": "1"}}, "string", "HostConfig.Memory", "int64"),
        ({"HostConfig": {"Memory": True}}, "bool", "HostConfig.Memory", "int64"),
        ({"HostConfig": {"Memory": 1.5}}, "number 1.5", "HostConfig.Memory", "int64"),
        ({"HostConfig": {"Memory": 2**63}}, f"number {2**63}", "HostConfig.Memory", "int64"),
    ],
)
def test_values_of_wrong_types(value, came, place, kind):
    status, message = refused_body("ContainerCreate", value)
    assert status == 400
    assert message == (
        f"invalid JSON: json: cannot unmarshal {came} into Go struct field"
        f" ContainerCreate.{place} of type {kind}"
    )


@pytest.mark.parametrize(("value", "came"), [([], "array"), (5, "number"), ("x", "string")])
def test_bodies_of_wrong_types(value, came):
    words = f"invalid JSON: json: cannot unmarshal {came} into Go value"
    assert refused_body("ContainerCreate", value) == (400, words)


def test_whole_numbers_written_as_others_are_refused():
    for text in (b"1.0", b"1e3"):
        status, _ = refused_body("ContainerCreate", b'{"HostConfig": {"Memory": %b}}' % text)
        assert status == 400


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"{", "invalid JSON: unexpected EOF"),
        (b'{"Image": "a', "invalid JSON: unexpected EOF"),
        (b'{"Image":', "invalid JSON: unexpected EOF"),
        (b"{}x", "unexpected content after JSON"),
        (b"{} {}", "unexpected content after JSON"),
        (b'{"Image":NaN}', "invalid JSON: invalid character 'N' looking for beginning of value"),
        (b"x", "invalid JSON: invalid character 'x' looking for beginning of value"),
        (b"[-Infinity]", "invalid JSON: invalid character 'I' in numeric literal"),
        (b"[tru]", "invalid JSON: invalid character ']' in literal true (expecting 'e')"),
        (b"[nXll]", "invalid JSON: invalid character 'X' in literal null (expecting 'u')"),
        (b"fals", "invalid JSON: unexpected EOF"),
        (b'["\\x"]', "invalid JSON: invalid character 'x' in string escape code"),
        (b'["\\', "invalid JSON: unexpected EOF"),
        (
            b"{'Image':1}",
            r"invalid JSON: invalid character '\'' looking for beginning of object key string",
        ),
        (
            b'{"Image":"a" "x":1}',
            "invalid JSON: invalid character '\"' after object key:value pair",
        ),
        (b'{"Image" 1}', "invalid JSON: invalid character '1' after object key"),
        (b'{"Image":"a\nb"}', r"invalid JSON: invalid character '\n' in string literal"),
        (b"[" * 10_000, "invalid JSON: exceeded max depth"),
        (b'{"a":' * 9_000 + b"1" + b"}" * 9_000, "invalid JSON: exceeded max depth"),
    ],
)
def test_json_that_cannot_be_read(data, words):
    assert refused_body("ContainerCreate", data) == (400, words)


def test_numbers_of_very_many_digits():
    assert refused_body("ContainerCreate", b'{"StopTimeout": %b}' % (b"9" * 10_000))[0] == 400


def test_text_is_always_unicode():
    assert body("ContainerCreate", b'{"Image": "a\xff"}') == {"Image": "a\ufffd"}
    assert body("ContainerCreate", b'{"Image": "\\ud800x"}') == {"Image": "\ufffdx"}
    assert body("ContainerCreate", b'{"Image": "\\ud83d\\ude00"}') == {"Image": "\U0001f600"}


def test_base64():
    assert body("SecretCreate", {"Name": "a", "Data": "YQ=="}) == {"Name": "a", "Data": "YQ=="}
    assert refused_body("SecretCreate", {"Data": "***"})[1].startswith(
        "invalid JSON: illegal base64"
    )
    assert refused_body("SecretCreate", {"Data": 5})[1].endswith("of type []uint8")


def test_no_body():
    for content_type in (JSON, None, ""):
        assert read_body(SPEC["ContainerExec"], content_type, b"") is None
        words = "invalid JSON: got EOF while reading request body"
        assert refused_body("ContainerCreate", b"", content_type) == (400, words)
    assert body("ContainerCreate", None) == {}
    assert body("PluginPull", None) == []
    assert body("ContainerCreate", b" {}\n ") == {}
    assert body("ContainerCreate", b"{} } x") == {}


def test_bodies_that_are_not_json_are_left_as_they_are():
    assert read_body(SPEC["ImageBuild"], "text/plain", b"\0tar") == b"\0tar"
    assert read_body(SPEC["ContainerStart"], "text/plain", b"{") == b"{"


@pytest.mark.parametrize(
    ("content_type", "words"),
    [
        ("text/plain", "unsupported Content-Type header (text/plain): must be 'application/json'"),
        ("", "malformed Content-Type header (): mime: no media type"),
        (None, "malformed Content-Type header (): mime: no media type"),
        (
            "application/json; x",
            "malformed Content-Type header (application/json; x): mime: invalid media parameter",
        ),
    ],
)
def test_other_types_of_content(content_type, words):
    assert refused_body("ContainerCreate", b"{}", content_type) == (400, words)


@pytest.mark.parametrize(
    "content_type",
    ["APPLICATION/JSON", "application/json; charset=utf-8", ' application/json ;a="b c";'],
)
def test_types_that_are_json_all_the_same(content_type):
    assert body("ContainerCreate", {}, content_type) == {}


def test_an_empty_body_of_another_type_is_refused_too():
    assert refused_body("ContainerExec", b"", "text/plain")[0] == 400


def test_credentials_are_read_whatever_their_type():
    assert body("SystemAuth", {"UserName": "a"}, "text/plain") == {"username": "a"}
    assert refused_body("SystemAuth", b"", None) == (500, "EOF")
    assert refused_body("SystemAuth", b"{") == (500, "unexpected EOF")
    words = "json: cannot unmarshal array into Go value"
    assert refused_body("SystemAuth", b"[]") == (500, words)


def test_a_body_may_have_so_many_bytes():
    assert refused_body("ContainerCreate", b'{"Image": "abc"}', limit=10)[0] == 413


# What a strict engine says


def faults(operation_id, query="", headers=(), segments=()):
    operation = SPEC[operation_id]
    found = strict_faults(operation, query, Headers(dict(headers)), dict(segments))
    return [(each.place, each.kind) for each in found]


@pytest.mark.parametrize(
    ("operation_id", "query", "places"),
    [
        ("ContainerList", "all=1&limit=5&filters=%7B%22label%22:[%22a%22]%7D", []),
        ("ContainerList", "all=0&limit=&filters=", []),
        ("ContainerList", "all=True", ["all"]),
        ("ContainerList", "limit=x", ["limit"]),
        ("ContainerList", "nope=1&Limit=2", ["nope", "Limit"]),
        ("ContainerList", "limit=1&limit=2", ["limit"]),
        ("ContainerList", "filters=%7B%22label%22:5%7D", []),
        ("ContainerList", "filters=x", ["filters"]),
        ("ContainerWait", "condition=never", ["condition"]),
        ("SystemEvents", "since=1.5&until=2", []),
        ("SystemEvents", "since=soon", ["since"]),
        ("ContainerArchive", "", ["path"]),
    ],
)
def test_faults_of_parameters(operation_id, query, places):
    segments = {each.name: "x" for each in SPEC[operation_id].positional}
    assert [place for place, _ in faults(operation_id, query, segments=segments)] == places


def test_kinds_of_faults():
    found = faults("ContainerArchive", "pat=/x", segments={"id": ".."})
    assert ("pat", "unknown") in found
    assert ("path", "missing") in found
    assert ("id", "value") in found


def test_faults_of_secrets_do_not_show_them():
    (fault,) = strict_faults(
        SPEC["ImagePush"], "", Headers({"X-Registry-Auth": "s3cret!"}), {"name": "a"}
    )
    assert "s3cret" not in str(fault)


@pytest.mark.parametrize(
    ("value", "places"),
    [
        ({"Image": "a"}, []),
        ({"Nope": 1}, ["Nope"]),
        ({"Nope": None}, []),
        ({"image": "a"}, ["image"]),
        (
            {"HostConfig": {"RestartPolicy": {"Name": "sometimes"}}},
            ["HostConfig.RestartPolicy.Name"],
        ),
        (None, []),
    ],
)
def test_faults_of_bodies(value, places, recwarn):
    found = strict_faults_of_body(SPEC["ContainerCreate"], json.dumps(value).encode())
    assert [each.place for each in found] == places
    assert not recwarn


def test_no_warnings_of_what_is_only_doubtful(recwarn):
    assert strict_faults_of_body(SPEC["ContainerCreate"], b'{"Cmd": "echo a"}') == []
    assert not recwarn
