"""Where containers' logs go: drivers, their options, and the details that they add to lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dynadock.simulation.refusal import bad_request

if TYPE_CHECKING:
    from dynadock.simulation.state.container import Container

NOTHING_LOGGED = "none"
"""The driver that keeps no log."""

_OF_FILES = frozenset({"max-file", "max-size", "compress"})
_OF_DETAILS = frozenset({"labels", "labels-regex", "env", "env-regex", "tag"})

_OPTIONS = {"json-file": _OF_FILES | _OF_DETAILS, "local": _OF_FILES, NOTHING_LOGGED: None}
"""The options of each driver that there is; None for one that takes whatever comes (26.1)."""


def check_log_config(config: dict[str, Any]) -> None:
    """Refuse drivers and options that there are not."""
    driver = config["Type"]
    if driver not in _OPTIONS:
        raise bad_request(f'error looking up logging plugin {driver}: plugin "{driver}" not found')
    known = _OPTIONS[driver]
    for name in config["Config"]:
        if known is not None and name not in known:
            raise bad_request(f"unknown log opt '{name}' for {driver} log driver")


def details_of(container: Container) -> str:
    """Return what lines of the log have in front with ``details``: labels, variables, a tag."""
    options = container.host_config["LogConfig"]["Config"]
    found = _chosen(options.get("labels", ""), container.labels)
    found |= _chosen(options.get("env", ""), container.environment)
    if options.get("tag"):
        found["tag"] = _tag(options["tag"], container)
    return ",".join(f"{name}={value}" for name, value in sorted(found.items()))


def _chosen(names: str, values: dict[str, str]) -> dict[str, str]:
    wanted = (name.strip() for name in names.split(","))
    return {name: values[name] for name in wanted if name in values}


def _tag(template: str, container: Container) -> str:
    """Fill in the usual fields of a tag; whatever else a template may say is left as it is."""
    fields = {
        "Name": container.name,
        "ID": container.id[:12],
        "FullID": container.id,
        "ImageName": container.image_name,
    }
    for name, value in fields.items():
        template = template.replace(f"{{{{.{name}}}}}", value)
    return template
