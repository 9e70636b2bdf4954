"""What containers are refused for by their configuration alone, in the order that 26.1 looks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from dynadock.simulation.refusal import bad_request
from dynadock.simulation.state.networks import CONTAINER_MODE
from dynadock.simulation.state.signals import is_signal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Fields = Mapping[str, Any]
    Check = Callable[[Fields], Iterator[str]]

SMALLEST_MEMORY = 6 * 2**20
_MILLISECOND = 1_000_000
_POLICIES = ("no", "always", "on-failure", "unless-stopped")


def check_network_mode(config: Fields, host: Fields) -> None:
    """Refuse, 400, what a network mode does not go with."""
    _refuse_first(_conflicts(config, host))


def check_configuration(config: Fields, host: Fields) -> None:
    """Refuse, 400, what is wrong by itself, before image and name are looked at."""
    for of_config in (_config_faults, _health_faults):
        _refuse_first(of_config(config))
    for of_host in (_policy_faults, _host_faults):
        _refuse_first(of_host(host))
    _refuse_first(_memory_faults(host, is_new=True))
    for of_host in (_processor_faults, _mode_faults):
        _refuse_first(of_host(host))


def check_update(host: Fields) -> None:
    """Refuse, 400, what no container can be changed to."""
    _refuse_first(_policy_faults(host))
    _refuse_first(_memory_faults(host, is_new=False))
    _refuse_first(_processor_faults(host))


def _refuse_first(faults: Iterator[str]) -> None:
    for fault in faults:
        raise bad_request(fault)


def _conflicts(config: Fields, host: Fields) -> Iterator[str]:
    mode = str(host.get("NetworkMode") or "")
    if host.get("UTSMode") == "host" and config.get("Hostname"):
        yield "conflicting options: hostname and the UTS mode"
    if mode.partition(":")[0] != CONTAINER_MODE.rstrip(":"):
        return
    if not mode.removeprefix(CONTAINER_MODE) or ":" not in mode:
        yield "Invalid network mode: invalid container format container:<name|id>"
    for is_given, what in (
        (config.get("Hostname"), "hostname and the network mode"),
        (
            host.get("Links"),
            (
                "container type network can't be used with links. This would result in undefined"
                " behavior"
            ),
        ),
        (host.get("Dns"), "dns and the network mode"),
        (host.get("ExtraHosts"), "custom host-to-IP mapping and the network mode"),
        (
            host.get("PortBindings") or host.get("PublishAllPorts"),
            "port publishing and the container type network mode",
        ),
        (config.get("ExposedPorts"), "port exposing and the container type network mode"),
    ):
        if is_given:
            yield f"conflicting options: {what}"


def _config_faults(config: Fields) -> Iterator[str]:
    folder = config.get("WorkingDir")
    if folder and not folder.startswith("/"):
        yield f"the working directory '{folder}' is invalid, it needs to be an absolute path"
    for text in config.get("Env") or ():
        if not text.partition("=")[0]:
            yield f"invalid environment variable: {text}"
    signal = config.get("StopSignal")
    if signal and not is_signal(signal):
        yield f"invalid signal: {signal}"


def _health_faults(config: Fields) -> Iterator[str]:
    check = config.get("Healthcheck") or {}
    for name in ("Interval", "Timeout"):
        yield from _too_short(check, name)
    if (check.get("Retries") or 0) < 0:
        yield "Retries in Healthcheck cannot be negative"
    for name in ("StartPeriod", "StartInterval"):
        yield from _too_short(check, name)


def _too_short(check: Fields, name: str) -> Iterator[str]:
    if check.get(name) and check[name] < _MILLISECOND:
        yield f"{name} in Healthcheck cannot be less than 1ms"


def _policy_faults(host: Fields) -> Iterator[str]:
    policy = host.get("RestartPolicy") or {}
    name, most = policy.get("Name") or "no", policy.get("MaximumRetryCount") or 0
    if name not in _POLICIES:
        yield (
            f"invalid restart policy: unknown policy '{name}'; use one of 'no', 'always',"
            " 'on-failure', or 'unless-stopped'"
        )
    if most and name != "on-failure":
        yield "invalid restart policy: maximum retry count can only be used with 'on-failure'"
    if most < 0:
        yield "invalid restart policy: maximum retry count cannot be negative"


def _host_faults(host: Fields) -> Iterator[str]:
    policy = (host.get("RestartPolicy") or {}).get("Name") or "no"
    if host.get("AutoRemove") and policy != "no":
        yield "can't create 'AutoRemove' container with restart policy"
    for text in host.get("ExtraHosts") or ():
        if ":" not in text:
            yield f'bad format for add-host: "{text}"'
    for name in ("CapAdd", "CapDrop"):
        for text in host.get(name) or ():
            capability = f"CAP_{text.upper().removeprefix('CAP_')}"
            if capability not in _CAPABILITIES:
                yield f'invalid {name}: unknown capability: "{capability}"'
    if "" in (host.get("Annotations") or {}):
        yield "invalid Annotations: the empty string is not permitted as an annotation key"


_CAPABILITIES = frozenset(
    f"CAP_{name}"
    for name in """
        ALL AUDIT_CONTROL AUDIT_READ AUDIT_WRITE BLOCK_SUSPEND BPF CHECKPOINT_RESTORE CHOWN
        DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID IPC_LOCK IPC_OWNER KILL LEASE LINUX_IMMUTABLE
        MAC_ADMIN MAC_OVERRIDE MKNOD NET_ADMIN NET_BIND_SERVICE NET_BROADCAST NET_RAW PERFMON
        SETFCAP SETGID SETPCAP SETUID SYSLOG SYS_ADMIN SYS_BOOT SYS_CHROOT SYS_MODULE SYS_NICE
        SYS_PACCT SYS_PTRACE SYS_RAWIO SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG WAKE_ALARM
    """.split()  # noqa: SIM905 - a list literal would have a line each
)
"""Linux's capabilities (capabilities(7)), and the word for all of them."""


def _memory_faults(host: Fields, *, is_new: bool) -> Iterator[str]:
    memory, swap = host.get("Memory") or 0, host.get("MemorySwap") or 0
    reserved = host.get("MemoryReservation") or 0
    if 0 < memory < SMALLEST_MEMORY:
        yield "Minimum memory limit allowed is 6MB"
    if memory and 0 < swap < memory:
        yield "Minimum memoryswap limit should be larger than memory limit, see usage"
    if is_new and not memory and swap > 0:
        yield "You should always set the Memory limit when using Memoryswap limit, see usage"
    if 0 < reserved < SMALLEST_MEMORY:
        yield "Minimum memory reservation allowed is 6MB"
    if memory and reserved > memory:
        yield "Minimum memory limit can not be less than memory reservation limit, see usage"


def _processor_faults(host: Fields) -> Iterator[str]:
    if host.get("NanoCpus") and host.get("CpuQuota"):
        yield "Conflicting options: Nano CPUs and CPU Quota cannot both be set"
    period, quota = host.get("CpuPeriod") or 0, host.get("CpuQuota") or 0
    if period and not _SHORTEST_PERIOD <= period <= _LONGEST_PERIOD:
        yield (
            f"CPU cfs period can not be less than 1ms (i.e. {_SHORTEST_PERIOD}) or larger than 1s"
            f" (i.e. {_LONGEST_PERIOD})"
        )
    if 0 < quota < _SHORTEST_PERIOD:
        yield f"CPU cfs quota can not be less than 1ms (i.e. {_SHORTEST_PERIOD})"


def _mode_faults(host: Fields) -> Iterator[str]:
    score = host.get("OomScoreAdj") or 0
    if abs(score) > _MOST_OF_SCORES:
        yield (
            f"Invalid value {score}, range for oom score adj is"
            f" [-{_MOST_OF_SCORES}, {_MOST_OF_SCORES}]"
        )
    for name, what in (("PidMode", "PID"), ("IpcMode", "IPC"), ("UTSMode", "UTS")):
        mode = host.get(name) or ""
        if mode and _MODES[name].fullmatch(mode) is None:
            yield f"invalid {what} mode: {mode}"


_SHORTEST_PERIOD = 1_000
_LONGEST_PERIOD = 1_000_000
"""Microseconds."""

_MOST_OF_SCORES = 1_000

_MODES = {
    "PidMode": re.compile("host|container:.+", re.DOTALL),
    "IpcMode": re.compile("none|private|shareable|host|container:.+", re.DOTALL),
    "UTSMode": re.compile("host"),
}
