"""Instructions of a Dockerfile that change an image's configuration: ``changes`` of two calls.

What they mean and what is said of wrong ones was tried on Docker 26.1.
"""

from __future__ import annotations

import json
import re
from posixpath import join, normpath
from typing import TYPE_CHECKING, Any

from dynadock.call.moments import moment_of
from dynadock.simulation.behaviour.dockerfile_words import meaning_of, words_of, words_of_json
from dynadock.simulation.refusal import Refused, bad_request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    Config = dict[str, Any]

_PORT = re.compile(r"([^/]*)(?:/(.*))?", re.DOTALL)
_RANGE = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5}))?")
_PROTOCOLS = ("tcp", "udp", "sctp")
_LAST_PORT = 65_535
_MOST_PORTS = 3 * _LAST_PORT
"""In one instruction: all that there are, with each protocol."""

_CONTINUED = re.compile(r"\\[ \t]*\n")
_CHECK_OPTION = re.compile(r"--([a-z-]+)=(\S+)\s*")
_MAY_BE_BARE = ("CMD", "ENTRYPOINT")
_TAKE_ONE = ("STOPSIGNAL", "USER", "WORKDIR")


def changed(config: Config, changes: Iterable[str]) -> Config:
    """Return a configuration as instructions change it; Refused, 400, for what they cannot do."""
    texts = list(changes)
    instructions = _instructions(_CONTINUED.sub("", "\n".join(texts)))
    if texts and not instructions:
        raise bad_request("file with no instructions")
    config = dict(config)
    names = [name for name, _ in instructions]
    for name, rest in instructions:
        if name not in _MEANINGS:
            raise bad_request(f"{name} is not a valid change command")
        if not rest and name not in _MAY_BE_BARE:
            count = "exactly" if name in _TAKE_ONE else "at least"
            raise bad_request(f"{name} requires {count} one argument")
        _MEANINGS[name](config, rest)
        if name == "ENTRYPOINT" and "CMD" not in names[: names.index(name)]:
            config["Cmd"] = None
    return config


def _instructions(text: str) -> list[tuple[str, str]]:
    lines = (line.strip() for line in text.split("\n"))
    parts = (line.split(None, 1) for line in lines if line and not line.startswith("#"))
    return [(word.upper(), rest[0] if rest else "") for word, *rest in parts]


def _command(text: str) -> list[str]:
    words = words_of_json(text)
    return ["/bin/sh", "-c", *([text] if text else ())] if words is None else words


def _variables(config: Config) -> dict[str, str]:
    return dict(each.partition("=")[::2] for each in config.get("Env") or ())


def _pairs(name: str, text: str, config: Config) -> dict[str, str]:
    """Return ``a=b c="d e"`` as a dict; in the old form without ``=`` all the rest is one value."""
    variables = _variables(config)
    words = words_of(text)
    if "=" not in words[0]:
        key, _, rest = text.partition(" ")
        if not rest:
            raise bad_request(f"{name} must have two arguments")
        return {meaning_of(key, variables): meaning_of(rest.strip(), variables)}
    pairs = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals:
            raise bad_request(
                f'Syntax error - can\'t find = in "{word}". Must be of the form: name=value'
            )
        pairs[meaning_of(key, variables)] = meaning_of(value, variables)
    return pairs


def _set_variables(config: Config, text: str) -> None:
    variables = _variables(config) | _pairs("ENV", text, config)
    config["Env"] = [f"{name}={value}" for name, value in variables.items()]


def _set_labels(config: Config, text: str) -> None:
    config["Labels"] = {**(config.get("Labels") or {}), **_pairs("LABEL", text, config)}


def _expose(config: Config, text: str) -> None:
    ports = dict(config.get("ExposedPorts") or {})
    count = 0
    variables = _variables(config)
    for word in words_of(text):
        numbers, protocol = _PORT.fullmatch(meaning_of(word, variables)).groups()  # type: ignore[union-attr]
        protocol = (protocol or "tcp").lower()
        if protocol not in _PROTOCOLS:
            raise bad_request(f"Invalid proto: {protocol}")
        found = _RANGE.fullmatch(numbers)
        first, last = (int(found[1]), int(found[2] or found[1])) if found else (1, 0)
        if not first <= last <= _LAST_PORT:
            raise bad_request(f"Invalid containerPort: {numbers}")
        count += last - first
        if count > _MOST_PORTS:
            raise bad_request(f"Invalid containerPort: {numbers}: too many ports")
        ports |= {f"{port}/{protocol}": {} for port in range(first, last + 1)}
    config["ExposedPorts"] = ports


def _add_volumes(config: Config, text: str) -> None:
    words = words_of_json(text)
    variables = _variables(config)
    places = [meaning_of(word, variables) for word in text.split()] if words is None else words
    config["Volumes"] = {**(config.get("Volumes") or {}), **{place: {} for place in places}}


def _set_folder(config: Config, text: str) -> None:
    folder = meaning_of(text, _variables(config))
    config["WorkingDir"] = normpath(join(config.get("WorkingDir") or "/", folder))


def _sets(field: str) -> Callable[[Config, str], None]:
    def change(config: Config, text: str) -> None:
        config[field] = meaning_of(text, _variables(config))

    return change


def _set_command(field: str) -> Callable[[Config, str], None]:
    def change(config: Config, text: str) -> None:
        config[field] = _command(text)

    return change


def _add_trigger(config: Config, text: str) -> None:
    config["OnBuild"] = [*(config.get("OnBuild") or ()), text]


def _set_check(config: Config, text: str) -> None:
    check: dict[str, Any] = {}
    while found := _CHECK_OPTION.match(text):
        text = text[found.end() :]
        field = _CHECK_OPTIONS.get(found[1])
        if field is None:
            raise bad_request(f"unknown flag: {found[1]}")
        check[field] = _retries(found[2]) if field == "Retries" else _duration(found[2])
    kind, _, rest = text.partition(" ")
    if kind.upper() not in ("NONE", "CMD"):
        raise bad_request(f"Unknown type {json.dumps(kind.upper())} in HEALTHCHECK (try CMD)")
    words = words_of_json(rest.strip())
    if kind.upper() == "NONE":
        check["Test"] = ["NONE"]
    else:
        check["Test"] = ["CMD-SHELL", rest.strip()] if words is None else ["CMD", *words]
    config["Healthcheck"] = check


def _duration(text: str) -> int:
    try:
        passed = -moment_of(text, 0)
    except Refused:
        passed = -1
    if passed < 0:
        raise bad_request(f"time: invalid duration {json.dumps(text)}")
    return passed


def _retries(text: str) -> int:
    if not text.isdecimal():
        raise bad_request(f"strconv.ParseInt: parsing {json.dumps(text)}: invalid syntax")
    return int(text)


_CHECK_OPTIONS: Mapping[str, str] = {
    "interval": "Interval",
    "timeout": "Timeout",
    "start-period": "StartPeriod",
    "start-interval": "StartInterval",
    "retries": "Retries",
}

_MEANINGS: Mapping[str, Callable[[Config, str], None]] = {
    "CMD": _set_command("Cmd"),
    "ENTRYPOINT": _set_command("Entrypoint"),
    "ENV": _set_variables,
    "EXPOSE": _expose,
    "HEALTHCHECK": _set_check,
    "LABEL": _set_labels,
    "ONBUILD": _add_trigger,
    "STOPSIGNAL": _sets("StopSignal"),
    "USER": _sets("User"),
    "VOLUME": _add_volumes,
    "WORKDIR": _set_folder,
}
