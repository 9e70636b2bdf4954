"""Binding, checking and encoding a large call, beside jsonschema alone on the same body."""

from __future__ import annotations

import gc
import time
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator
from report import Sample, Table, milliseconds, times

from dynadock.call.body import validator_for

if TYPE_CHECKING:
    from dynadock import Client

HOST_CONFIG: dict[str, Any] = {
    "Binds": ["/srv/data:/data:ro", "cache:/var/cache"],
    "BlkioWeight": 300,
    "CapAdd": ["NET_ADMIN", "SYS_TIME"],
    "CapDrop": ["MKNOD"],
    "CgroupnsMode": "private",
    "CpuPeriod": 100000,
    "CpuQuota": 50000,
    "CpuShares": 512,
    "CpusetCpus": "0,1",
    "DeviceCgroupRules": ["c 13:* rwm"],
    "Devices": [
        {"PathOnHost": "/dev/fuse", "PathInContainer": "/dev/fuse", "CgroupPermissions": "rwm"}
    ],
    "Dns": ["192.0.2.1"],
    "DnsSearch": ["example.org"],
    "ExtraHosts": ["db:192.0.2.7"],
    "GroupAdd": ["audio"],
    "Init": True,
    "IpcMode": "private",
    "LogConfig": {"Type": "json-file", "Config": {"max-size": "10m"}},
    "Memory": 2**28,
    "MemorySwap": 2**29,
    "Mounts": [{"Type": "volume", "Source": "state", "Target": "/state", "ReadOnly": False}],
    "NanoCpus": 500000000,
    "NetworkMode": "bridge",
    "OomScoreAdj": 100,
    "PidsLimit": 200,
    "PortBindings": {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8080"}]},
    "ReadonlyRootfs": True,
    "RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 3},
    "ShmSize": 2**26,
    "Ulimits": [{"Name": "nofile", "Soft": 1024, "Hard": 4096}],
}


def measure(client: Client, rounds: int) -> Table:
    create = client.ContainerCreate
    first = {"Image": "busybox", "Cmd": ["true"], "ExposedPorts": {"80/tcp": {}}}
    body = {**first, "HostConfig": HOST_CONFIG}
    validator = Draft202012Validator(validator_for(create.body).schema)
    ours, theirs = [], []
    create.prepare(name="web", **body)
    gc.collect()
    for _ in range(rounds):
        begun = time.perf_counter()
        create.prepare(name="web", **body)
        between = time.perf_counter()
        assert not list(validator.iter_errors(body))
        theirs.append(time.perf_counter() - between)
        ours.append(between - begun)
    prepared, validated = Sample(ours), Sample(theirs)
    return Table(
        f"ContainerCreate with {len(HOST_CONFIG)} fields in HostConfig: bind, check and encode",
        "Beside one run of a reused jsonschema validator over the same body and schema.",
        ("", "median", "least", "to iter_errors", "expected"),
        [
            ["dynadock: ContainerCreate.prepare(…)", *_figures(prepared, validated), "<= 1.5 x"],
            ["jsonschema: list(validator.iter_errors(body))", *_figures(validated, validated), ""],
        ],
    )


def _figures(sample: Sample, reference: Sample) -> list[str]:
    return [milliseconds(sample.median), milliseconds(sample.least), times(sample / reference)]
