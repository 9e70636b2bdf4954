"""What holds a secret shows a mask in every way in which people look, and `reveal` the secret."""

from __future__ import annotations

import copy
import dataclasses
import json
import logging
import pickle
import pprint

import pytest
import rich.pretty
import yaml

from dynadock import Options, Request, load, reveal
from dynadock.config.credentials import Credentials
from dynadock.secret import Hidden, Secret, SecretBytes, conceal, discreet_address
from secret_values import SECRET, is_told_by

CLIENT = load("1.42", host="unix:///nowhere.sock")
ADDRESS = f"https://me:{SECRET}@r.example/v1/"
ACCOUNT = {"username": "me", "password": SECRET, "identitytoken": SECRET}
KNOWN = Credentials(serveraddress=ADDRESS, **ACCOUNT)
OPTIONS = Options(
    headers={"Authorization": SECRET, "X-A": "1"},
    query={"token": [SECRET], "x": 1},
    credentials={ADDRESS: ACCOUNT},
)


@dataclasses.dataclass
class Keeper:
    """A value of a program that keeps one of ours."""

    kept: object


HOLDERS = {
    "a text": Secret(SECRET),
    "bytes": SecretBytes(SECRET.encode()),
    "concealed": conceal({"a": [SECRET, SECRET.encode()], "b": {"c": SECRET}}),
    "credentials": KNOWN,
    "merged credentials": KNOWN | {},
    "credentials merged": {} | KNOWN,
    "credentials set": Credentials(KNOWN, Password=SECRET) | {"identitytoken": SECRET},
    "options": OPTIONS,
    "headers": OPTIONS.headers,
    "query": OPTIONS.query,
    "accounts": OPTIONS.credentials,
    "an account": OPTIONS.credentials[ADDRESS],
    "a request": CLIENT.ImagePush.prepare("a", X_Registry_Auth=ACCOUNT),
    "a body": CLIENT.SystemAuth.prepare(**ACCOUNT),
    "a query": CLIENT.ImageBuild.prepare(body=b"", buildargs={"A": SECRET}),
    "a request by hand": Request("GET", f"/?a={SECRET}", {"b": SECRET}, None, frozenset("ab")),
    "options' headers": CLIENT.with_options(headers={"Cookie": SECRET}).SystemPing.prepare(),
    "its headers": CLIENT.ImagePush.prepare("a", X_Registry_Auth=ACCOUNT).headers,
    "its target": CLIENT.ImageBuild.prepare(body=b"", buildargs={"A": SECRET}).target,
}


def pickled(value):
    try:
        return repr(pickle.dumps(value))
    except TypeError as error:
        return f"{error}"


def as_json(value):
    return json.dumps(value, default=str)


def items(value):
    if isinstance(value, bytes) or not hasattr(value, "__iter__"):
        return ""
    pairs = value.items() if hasattr(value, "items") else value
    return ";".join(f"{pair}" for pair in pairs) + "".join(map(str, value))


def in_a_dataclass(value):
    keeper = Keeper(value)
    return f"{keeper} {dataclasses.asdict(keeper)} {dataclasses.astuple(keeper)}"


def logged(value):
    record = logging.LogRecord("x", logging.INFO, "x", 1, "%s %r", (value, value), None)
    return record.getMessage()


def attributes(value):
    return [getattr(value, name) for name in dir(value) if name in ("headers", "target", "_fields")]


WAYS = {
    "repr": repr,
    "str": str,
    "format": lambda value: f"{value}" + format(value),
    "percent": lambda value: "%s %r" % (value, value),  # noqa: UP031 - one of the ways
    "pprint": pprint.pformat,
    "rich": lambda value: rich.pretty.pretty_repr(value, expand_all=True),
    "items": items,
    "json": as_json,
    "pickle": pickled,
    "copy": lambda value: repr(copy.copy(value)),
    "deepcopy": lambda value: as_json(copy.deepcopy(value)),
    "dataclass": in_a_dataclass,
    "logging": logged,
    "dict": lambda value: str(dict(value)) if isinstance(value, dict) else "",
    "unpacked": lambda value: as_json({**value}) if isinstance(value, dict) else "",
    "merged": lambda value: as_json(value | {}) if isinstance(value, dict) else "",
    "attributes": attributes,
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("holder", HOLDERS)
def test_no_way_of_looking_shows_a_secret(holder, way):
    assert not is_told_by(f"{WAYS[way](HOLDERS[holder])}")


@pytest.mark.parametrize("holder", ["credentials", "merged credentials", "its headers", "headers"])
def test_what_is_no_secret_is_still_there(holder):
    assert {*HOLDERS[holder].values()} & {"me", "1", "dynadock/0.1.0"}


def test_reveal_gives_all_in_plain():
    assert reveal(KNOWN) == {"serveraddress": ADDRESS, **ACCOUNT}
    assert json.loads(json.dumps(reveal(KNOWN))) == {"serveraddress": ADDRESS, **ACCOUNT}
    assert reveal(OPTIONS.headers) == {"Authorization": SECRET, "X-A": "1"}
    assert json.dumps(reveal(OPTIONS.credentials)) == json.dumps({ADDRESS: ACCOUNT})
    assert reveal(HOLDERS["its target"]) == f"/v1.42/build?buildargs=%7B%22A%22%3A%22{SECRET}%22%7D"
    assert is_told_by(reveal(HOLDERS["its headers"])["X-Registry-Auth"])
    assert reveal(conceal((b"a", "b", {"c": "d"}, 5))) == [b"a", "b", {"c": "d"}, 5]
    assert type(reveal(conceal(b"a"))) is bytes


def test_a_secret_equals_its_text_and_hashes_as_it():
    assert Secret(SECRET) == SECRET == Secret(Secret(SECRET))
    assert Secret(SECRET) != "****"
    assert Secret("a") != Secret("b")
    assert {SECRET: 1}[Secret(SECRET)] == 1
    assert not Secret("")


SENT = {
    "credentials": lambda: CLIENT.ImagePush.prepare("a", X_Registry_Auth=KNOWN),
    "a copy of them": lambda: CLIENT.ImagePush.prepare("a", X_Registry_Auth={**KNOWN}),
    "by registry": lambda: CLIENT.ImageBuild.prepare(body=b"", X_Registry_Config={"r": {**KNOWN}}),
    "as fields": lambda: CLIENT.SystemAuth.prepare(**KNOWN),
    "as a body": lambda: CLIENT.SystemAuth.prepare(body=dict(KNOWN)),
    "below": lambda: CLIENT.ContainerCreate.prepare(Image="a", Env=[KNOWN["password"]]),
    "in a path": lambda: CLIENT.ContainerInspect.prepare(KNOWN["password"]),
    "in the query": lambda: CLIENT.ImageBuild.prepare(remote=KNOWN["password"]),
    "in JSON there": lambda: CLIENT.ImageBuild.prepare(
        body=b"", buildargs={"A": KNOWN["password"]}
    ),
    "in filters": lambda: CLIENT.ContainerList.prepare(filters={"label": [KNOWN["password"]]}),
    "in one of them": lambda: CLIENT.ContainerList.prepare(filters={"label": KNOWN["password"]}),
    "unchecked": lambda: CLIENT.with_options(validate=False).ImageList.prepare(
        all=KNOWN["password"]
    ),
    "headers": CLIENT.with_options(headers={"Cookie": SECRET}).SystemPing.prepare,
    "as a header": CLIENT.with_options(headers={"A": KNOWN["password"]}).SystemPing.prepare,
    "query": CLIENT.with_options(query={"token": SECRET}).SystemPing.prepare,
    "lists there": CLIENT.with_options(query={"token": [SECRET]}).SystemPing.prepare,
    "objects there": CLIENT.with_options(query={"token": {"a": SECRET}}).SystemPing.prepare,
    "given by registry": lambda: CLIENT.with_options(
        credentials={"r.example": KNOWN}
    ).ImagePush.prepare("r.example/a"),
    "by an address with a password": lambda: CLIENT.with_options(
        credentials={ADDRESS: ACCOUNT}
    ).ImagePush.prepare("r.example/a"),
}


@pytest.mark.parametrize("prepare", SENT.values(), ids=SENT)
def test_secrets_are_sent_as_they_are(prepare):
    request = prepare()
    sent = f"{reveal(request.target)} {reveal(request.headers)} {request.body}"
    assert is_told_by(sent)
    assert "****" not in sent
    assert "KioqK" not in sent  # base64 of the mask


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("r.example:5000", "r.example:5000"),
        ("https://u@r.example", "https://u@r.example"),
        (ADDRESS, "https://****@r.example/v1/"),
        (f"me:{SECRET}@r.example", "****@r.example"),
        (f"https://me:{SECRET}/@{SECRET}@r.example", "https://****@r.example"),
    ],
)
def test_addresses_of_registries(address, shown):
    assert str(discreet_address(address)) == shown
    assert discreet_address(address) == address


@pytest.mark.parametrize(
    "given", [{ADDRESS: SECRET}, {ADDRESS: {"password": 5}}, {ADDRESS: {"pasword": SECRET}}]
)
def test_errors_about_accounts_show_no_address_with_a_password(given):
    with pytest.raises(
        (TypeError, ValueError), match=r"credentials: 'https://\*\*\*\*@r"
    ) as caught:
        Options(credentials=given)
    assert not is_told_by(f"{caught.value!r}")


def test_a_mask_is_never_written_to_yaml_in_place_of_a_secret_unseen():
    with pytest.raises(yaml.YAMLError):
        yaml.safe_dump({"a": Secret(SECRET)})


def test_hidden_dicts_are_dicts():
    assert Hidden(a=1) == {"a": 1}
    assert repr(Hidden(a=1)) == "{'a': …}"


def test_requests_are_frozen():
    request = HOLDERS["a body"]
    for change in (lambda: setattr(request, "body", b""), lambda: delattr(request, "body")):
        with pytest.raises(AttributeError, match="body: requests are frozen; prepare another one"):
            change()
