"""Hints: what is meant by an argument that an operation does not have."""

from __future__ import annotations

import pytest

from documents import MAIN, NEWEST
from dynadock import ValidationError, load
from dynadock.call.hints import hint_for_argument
from dynadock.spec.fields import fields
from dynadock.spec.loader import load_spec

CLIENT = load(MAIN, host="unix:///nowhere.sock")


def problems(client, operation_id, *args, **kwargs):
    with pytest.raises(ValidationError) as caught:
        client.operations[operation_id].prepare(*args, **kwargs)
    return {fault.place: fault.problem for fault in caught.value.faults}


@pytest.mark.parametrize(
    ("operation_id", "name", "hint"),
    [
        # keywords of docker-py and options of the docker command
        ("ContainerStop", "timeout", "; did you mean 't'?"),
        ("ContainerRestart", "time", "; did you mean 't'?"),
        ("ContainerCreate", "environment", "; did you mean 'Env' (['NAME=value'])?"),
        ("ContainerCreate", "command", "; did you mean 'Cmd' (a list: ['sleep', '60'])?"),
        (
            "ContainerCreate",
            "mem_limit",
            "; did you mean 'HostConfig.Memory' (bytes: 512 MiB is 512 * 2**20)?",
        ),
        (
            "ContainerCreate",
            "cpus",
            "; did you mean 'HostConfig.NanoCpus' (billionths: 1.5 is 1_500_000_000)?",
        ),
        ("ContainerUpdate", "cpus", "; did you mean 'NanoCpus' (billionths"),
        ("ServiceCreate", "cpus", "; did you mean 'TaskTemplate.Resources.Limits.NanoCPUs' (bil"),
        ("ContainerCreate", "detach", "; not needed: ContainerStart does not wait"),
        ("ContainerCreate", "ports", "; did you mean 'HostConfig.PortBindings' ({'80/tcp': "),
        ("ContainerCreate", "volumes", "; did you mean 'HostConfig.Binds' ("),
        ("ContainerCreate", "network", "; did you mean 'HostConfig.NetworkMode'?"),
        ("ContainerCreate", "auto_remove", "; did you mean 'HostConfig.AutoRemove'?"),
        ("ContainerCreate", "working_dir", "; did you mean 'WorkingDir'?"),
        ("ContainerCreate", "mac_address", "; did you mean 'MacAddress'"),
        ("ContainerCreate", "annotation", "; did you mean 'HostConfig.Annotations' (it arrived"),
        ("ImageBuild", "tag", "; did you mean 't'?"),
        ("ImageBuild", "path", "; did you mean 'inputStream' (build_context(folder) makes one)?"),
        ("ImageBuild", "no-cache", "; did you mean 'nocache'?"),
        ("ContainerDelete", "volumes", "; did you mean 'v'?"),
        ("NetworkConnect", "aliases", "; did you mean 'EndpointConfig.Aliases'?"),
        # one level deeper, or more
        ("ContainerCreate", "Memory", "; did you mean 'HostConfig.Memory'?"),
        ("ContainerCreate", "memory", "; did you mean 'HostConfig.Memory'?"),
        ("ContainerCreate", "CpuShares", "; did you mean 'HostConfig.CpuShares'?"),
        ("ServiceCreate", "Image", "; did you mean 'TaskTemplate.ContainerSpec.Image'?"),
        ("NetworkCreate", "Subnet", "; did you mean 'IPAM.Config[].Subnet'?"),
        ("ContainerCreate", "Annotations", "; did you mean 'HostConfig.Annotations' (it arrived"),
        # misspelt
        ("ContainerList", "al", "; did you mean 'all'?"),
        ("ContainerCreate", "enviroment", "; did you mean 'Env' (['NAME=value'])?"),
        ("ContainerExec", "DetachStdin", "; did you mean 'Detach'?"),
        # of other operations
        ("ContainerStart", "HostConfig", "; it belongs to ContainerCreate ('HostConfig')"),
        (
            "ContainerStart",
            "Memory",
            "; it belongs to ContainerCreate ('HostConfig.Memory'), ContainerUpdate ('Memory')",
        ),
        ("ContainerList", "tail", "; it belongs to ContainerLogs ('tail')"),
        # options
        ("SystemPing", "timeout", "; it is an option: with_options(timeout=…)"),
        ("ContainerList", "headers", "; it is an option: with_options(headers=…)"),
        ("ContainerExec", "tty", "; did you mean 'Tty'?"),
        # nothing is meant
        ("ContainerCreate", "qwertz", "; client.find('qwertz') searches"),
    ],
)
def test_what_is_meant_by_an_argument(operation_id, name, hint):
    arguments = {p.python_name: "x" for p in CLIENT.operations[operation_id].parameters[:1]}
    problem = problems(CLIENT, operation_id, **{**arguments, name: "x"})[name]
    assert problem.startswith(f"unknown parameter{hint}")


@pytest.mark.parametrize(
    ("body", "place", "hint"),
    [
        ({"name": "x"}, "name", "; did you mean the parameter 'name', beside the body?"),
        ({"Memory": 1}, "Memory", "; did you mean 'HostConfig.Memory'?"),
        ({"Aliases": [""]}, "Aliases", "; did you mean 'NetworkingConfig.EndpointsConfig{}.Alias"),
        ({"mem_limit": 1}, "mem_limit", "; did you mean 'HostConfig.Memory' (bytes"),
        (
            {"HostConfig": {"Env": ["A=b"]}},
            "HostConfig.Env",
            "; did you mean 'Env', at the top of the body?",
        ),
        ({"HostConfig": {"cpus": 1}}, "HostConfig.cpus", "; did you mean 'HostConfig.NanoCpus' ("),
        ({"HostConfig": {"memory": 1}}, "HostConfig.memory", "; did you mean 'Memory'?"),
        (
            {"HostConfig": {"MaximumRetryCount": 1}},
            "HostConfig.MaximumRetryCount",
            "; did you mean 'HostConfig.RestartPolicy.MaximumRetryCount'?",
        ),
    ],
)
def test_what_is_meant_by_a_field(body, place, hint):
    problem = problems(CLIENT, "ContainerCreate", body={"Image": "x", **body})[place]
    assert problem.startswith(f"unknown field{hint}")


@pytest.mark.parametrize("version", [MAIN, NEWEST])
def test_every_field_inside_another_is_found_from_the_top(version):
    spec = load_spec(version)
    missed = []
    for operation in spec.values():
        if operation.body is None or operation.body.kind != "object":
            continue
        known = {*operation.by_name, *operation.body.properties}
        folded = {name.replace("_", "").replace("-", "").lower() for name in known}
        deep = {
            field.name: field.path
            for field in fields(operation.body.schema, spec.definitions, depth=2)
            if field.depth and field.name.lower() not in folded
        }
        for name in deep:
            hint = hint_for_argument(operation, name)
            if f".{name}'" not in hint and f"{name}: " not in hint:
                missed.append((operation.operation_id, name, hint))
    assert not missed


KEYWORDS = """
    auto_remove blkio_weight_device blkio_weight cap_add cap_drop cgroup_parent cgroupns command
    cpu_count cpu_percent cpu_period cpu_quota cpu_rt_period cpu_rt_runtime cpu_shares cpuset_cpus
    cpuset_mems detach device_cgroup_rules device_read_bps device_read_iops device_requests
    device_write_bps device_write_iops devices dns dns_opt dns_search domainname entrypoint
    environment extra_hosts group_add healthcheck hostname init init_path ipc_mode isolation
    kernel_memory labels links log_config mac_address mem_limit mem_reservation mem_swappiness
    memswap_limit mounts name nano_cpus network network_disabled network_mode networking_config
    oom_kill_disable oom_score_adj pid_mode pids_limit platform ports privileged publish_all_ports
    read_only remove restart_policy runtime security_opt shm_size stdin_open stdout stderr
    stop_signal storage_opt stream sysctls tmpfs tty ulimits use_config_proxy user userns_mode
    uts_mode version volume_driver volumes volumes_from working_dir
"""
OPTIONS = """
    add-host annotation attach blkio-weight cap-add cap-drop cgroup-parent cgroupns cidfile
    cpu-period cpu-quota cpu-rt-period cpu-rt-runtime cpu-shares cpus cpuset-cpus cpuset-mems detach
    device device-cgroup-rule device-read-bps device-read-iops device-write-bps device-write-iops
    dns dns-option dns-search domainname entrypoint env env-file expose gpus group-add health-cmd
    health-interval health-retries health-start-period health-timeout hostname init interactive ip
    ip6 ipc isolation kernel-memory label label-file link log-driver log-opt mac-address memory
    memory-reservation memory-swap memory-swappiness mount name network network-alias no-healthcheck
    oom-kill-disable oom-score-adj pid pids-limit platform privileged publish publish-all pull quiet
    read-only restart rm runtime security-opt shm-size sig-proxy stop-signal stop-timeout
    storage-opt sysctl tmpfs tty ulimit user userns uts volume volume-driver volumes-from workdir
"""
OF_BUILDS = """
    buildargs cache_from container_limits custom_context decode dockerfile encoding extra_hosts
    fileobj forcerm gzip isolation labels network_mode nocache path platform pull quiet rm shmsize
    squash tag target timeout use_config_proxy
    add-host build-arg cache-from cgroup-parent cpu-period cpu-quota cpu-shares cpuset-cpus
    cpuset-mems file force-rm label memory memory-swap network no-cache output secret security-opt
    shm-size ssh tag target ulimit
"""
OF_SERVICES = """
    args cap-add cap-drop config constraint container-label dns dns-option dns-search endpoint-mode
    entrypoint env generic-resource group health-cmd health-interval health-retries
    health-start-period health-timeout host hostname init isolation label limit-cpu limit-memory
    limit-pids log-driver log-opt max-concurrent mode mount name network placement-pref publish
    read-only replicas replicas-max-per-node reserve-cpu reserve-memory restart-condition
    restart-delay restart-max-attempts restart-window rollback-delay rollback-failure-action
    rollback-max-failure-ratio rollback-monitor rollback-order rollback-parallelism secret
    stop-grace-period stop-signal sysctl tty ulimit update-delay update-failure-action
    update-max-failure-ratio update-monitor update-order update-parallelism user with-registry-auth
    workdir
    image command constraints container_labels endpoint_spec healthcheck hosts log_driver
    maxreplicas mounts networks open_stdin platform preferences privileges resources restart_policy
    rollback_config secrets stop_grace_period update_config
"""


@pytest.mark.parametrize(
    ("operation_id", "names"),
    [
        ("ContainerCreate", KEYWORDS + OPTIONS),
        ("ImageBuild", OF_BUILDS),
        ("ServiceCreate", OF_SERVICES),
    ],
)
def test_every_keyword_of_docker_py_and_every_option_is_known(operation_id, names):
    operation = load_spec(MAIN)[operation_id]
    unknown = {
        name
        for name in names.split()
        if name not in operation.by_name and "searches" in hint_for_argument(operation, name)
    }
    assert not unknown


def test_many_unknown_fields_cost_no_walk_each():
    body = {"Image": "x", **{f"Unknown{number}": 1 for number in range(3000)}}
    assert len(problems(CLIENT, "ContainerCreate", body=body)) == 3000
