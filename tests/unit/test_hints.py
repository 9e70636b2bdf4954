"""Hints: what is meant by a name that no operation has, and never something dangerous."""

from __future__ import annotations

import copy
import pickle
import re
import traceback

import pytest

import dynadock
from documents import MAIN, NEWEST
from dynadock import UnknownOperation, load
from dynadock.spec import elsewhere, history
from dynadock.spec.hints import meant_by
from dynadock.spec.library import bundled_versions
from dynadock.spec.loader import load_spec, load_version

HOST = "unix:///nowhere.sock"
CLIENT = load(MAIN, host=HOST)
SPEC = load_spec(MAIN)

MEANT = {
    # names of the docker command
    "ContainerRun": "ContainerCreate ContainerStart",
    "run": "ContainerCreate ContainerStart",
    "docker_run": "ContainerCreate ContainerStart",
    "ps": "ContainerList",
    "rm": "ContainerDelete",
    "rmi": "ImageDelete",
    "ImagePull": "ImageCreate",
    "pull": "ImageCreate",
    "image_import": "ImageCreate",
    "ImageSave": "ImageGet",
    "ContainerLs": "ContainerList",
    "container_cp": "ContainerArchive PutContainerArchive",
    "ContainerDiff": "ContainerChanges",
    "login": "SystemAuth",
    "ping": "SystemPing",
    "info": "SystemInfo",
    "SystemDf": "SystemDataUsage",
    "VolumeRm": "VolumeDelete",
    "NetworkRm": "NetworkDelete",
    "NodePromote": "NodeUpdate",
    "ServiceScale": "ServiceUpdate",
    "ServiceRollback": "ServiceUpdate",
    "ServicePs": "TaskList",
    "StackDeploy": "ServiceCreate",
    "BuilderPrune": "BuildPrune",
    "BuildxPrune": "BuildPrune",
    "ManifestInspect": "DistributionInspect",
    "PluginInstall": "PluginPull",
    # names of docker-py
    "images": "ImageList",
    "containers": "ContainerList",
    "volumes": "VolumeList",
    "create_container": "ContainerCreate",
    "inspect_image": "ImageInspect",
    "put_archive": "PutContainerArchive",
    "get_archive": "ContainerArchive",
    "exec_create": "ContainerExec",
    "exec_run": "ContainerExec ExecStart",
    "remove_image": "ImageDelete",
    "prune_volumes": "VolumePrune",
    "import_image_from_url": "ImageCreate",
    "init_swarm": "SwarmInit",
    "get_unlock_key": "SwarmUnlockkey",
    # words that mean the same
    "ContainerRemove": "ContainerDelete",
    "RemoveContainer": "ContainerDelete",
    "containers_remove": "ContainerDelete",
    "ImageShow": "ImageList ImageInspect",
    "ImageDescribe": "ImageInspect",
    "VolumeNew": "VolumeCreate",
    "ContainerExecute": "ContainerExec",
    "ContainerFreeze": "ContainerPause",
    "ContainerResume": "ContainerUnpause",
    "EngineInfo": "SystemInfo",
    # misspelt
    "ContainerLst": "ContainerList",
    "containerlst": "ContainerList",
    "contanier_list": "ContainerList",
    "ContainerPase": "ContainerPause",
    "ContainerUnpase": "ContainerUnpause",
    "ContainerDelte": "ContainerDelete",
    "VolumePrnue": "VolumePrune",
    "ContainerKil": "ContainerKill",
    "ImagePul": "ImageCreate",
    "ImagePus": "ImagePush",
    "ContainerStrat": "ContainerStart ContainerStats",
}


@pytest.mark.parametrize("name", MEANT)
def test_what_people_call_it_names_what_they_mean(name):
    with pytest.raises(UnknownOperation) as caught:
        getattr(CLIENT, name)
    hint = str(caught.value).partition("did you mean ")[2].partition(" (")[0]
    assert sorted(each.replace("_", "").lower() for each in re.findall(r"\w+", hint)) == sorted(
        MEANT[name].lower().split()
    )


@pytest.mark.parametrize(
    "name",
    [
        *("Qwertz", "ContainerFrobnicate", "ContainerReset", "ContainerRemote", "ContainerBill"),
        *("ContainerFill", "VolumePrume", "SwarmLock", "SwarmLive", "x", "ContainerBuild"),
        *("ImagePu", "ContainerPrint", "ü" * 20, "A" * 100_000),
    ],
)
def test_where_nothing_is_meant_the_search_is_named(name):
    with pytest.raises(UnknownOperation) as caught:
        getattr(CLIENT, name)
    assert "mean" not in str(caught.value)
    assert re.search(r"; client\.find\('.+'\) searches$", str(caught.value))


DESTRUCTIVE = {
    each for each in SPEC if SPEC[each].method == "DELETE" or each.endswith(("Prune", "Kill"))
} | {"SwarmLeave"}


def edits(name):
    """Yield a name with a letter left out, doubled, swapped with the next, or another one."""
    for at in range(1, len(name)):
        yield name[:at] + name[at + 1 :]
        yield name[:at] + name[at] + name[at:]
        yield name[:at] + "q" + name[at + 1 :]
        if at + 1 < len(name):
            yield name[:at] + name[at + 1] + name[at] + name[at + 2 :]


def test_a_misspelt_name_never_leads_to_what_destroys_or_is_the_opposite():
    opposite = {"ImagePush": "ImageCreate", "PluginEnable": "PluginDisable"}
    opposite |= {"ContainerPause": "ContainerUnpause", "NetworkConnect": "NetworkDisconnect"}
    wrong = []
    for operation_id in sorted({*SPEC} - DESTRUCTIVE)[::3] + sorted(opposite):
        for name in edits(operation_id):
            meaning = None if name in SPEC else meant_by(SPEC, name)
            means = {*meaning.means} if meaning else set()
            if means & (DESTRUCTIVE | {opposite.get(operation_id)}):
                wrong.append((name, means))
    assert not wrong


def test_most_misspelt_names_lead_to_what_was_misspelt():
    found = [
        operation_id in (getattr(meant_by(SPEC, name), "means", ()))
        for operation_id in sorted({*SPEC} - DESTRUCTIVE)[::4]
        for name in edits(operation_id)
        if name not in SPEC
    ]
    assert sum(found) / len(found) > 0.95


@pytest.mark.parametrize(
    ("version", "name", "hint"),
    [
        ("1.41", "VolumeUpdate", "; it arrived in 1.42"),
        ("1.41", "volumeupdate", "; did you mean VolumeUpdate (it arrived in 1.42)?"),
        ("1.29", "VolumeModify", "; did you mean VolumeUpdate (it arrived in 1.42)?"),
        ("1.25", "SecretRm", "; did you mean SecretDelete?"),
        ("1.29", "ConfigRm", "; did you mean ConfigDelete (it arrived in 1.30)?"),
        ("1.27", "get_archive", "; did you mean container_get_archive?"),
    ],
)
def test_what_another_version_has(version, name, hint):
    with pytest.raises(UnknownOperation) as caught:
        load_version(load_spec(version).version).find(name)
    assert str(caught.value).endswith(hint)


def test_python_adds_no_suggestion_of_its_own():
    with pytest.raises(UnknownOperation) as caught:
        _ = CLIENT.ContainerLis
    text = "".join(traceback.format_exception(caught.value))
    assert "Did you mean" not in text
    assert caught.value.name == "ContainerLis"
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("version", "not an operation but the API version, '1.42'; did you mean SystemVersion?"),
        ("endpoint", "not an operation but where the engine is"),
        ("options", "not an operation but how calls are made"),
        ("operations", "not an operation but a mapping of all operations"),
    ],
)
def test_a_clients_attribute_that_is_called_says_what_it_is(name, hint):
    with pytest.raises(TypeError, match=re.escape(f"client.{name} is {hint}")):
        getattr(CLIENT, name)()
    with pytest.raises(TypeError, match="not an operation"):
        getattr(CLIENT, name)("web", all=True)


def test_the_version_is_text_all_the_same():
    assert CLIENT.version == MAIN
    assert repr(CLIENT.version) == repr(MAIN)
    assert type(pickle.loads(pickle.dumps(CLIENT.version))) is str
    assert copy.deepcopy(CLIENT.version) == MAIN


@pytest.mark.parametrize("name", ["from_env", "DockerClient", "APIClient"])
def test_names_of_docker_pys_module(name):
    with pytest.raises(AttributeError, match=rf"'{name}'; did you mean dynadock\.load\?"):
        getattr(dynadock, name)
    assert not hasattr(dynadock, name)


def test_other_names_of_the_module_are_just_unknown():
    with pytest.raises(AttributeError, match=r"no attribute 'qwertz'$"):
        _ = dynadock.qwertz


class TestTheDataAboutNames:
    KNOWN = frozenset(
        name for version in bundled_versions() for name in load_version(version)
    ) | frozenset(lifetime.name for lifetime in history.operations())

    def test_every_operation_that_is_meant_exists(self):
        for meaning in elsewhere.operations().values():
            assert meaning.means
            assert self.KNOWN.issuperset(meaning.means), meaning

    def test_no_row_hides_another(self):
        rows = elsewhere._data()["operations"]
        assert len({elsewhere.words_of(name) for name in rows}) == len(rows)

    def test_what_is_meant_is_offered_by_the_module(self):
        for meaning in elsewhere.module_names().values():
            assert hasattr(dynadock, meaning.means[0])

    def test_every_argument_that_is_meant_exists(self):
        from dynadock.spec.fields import fields

        places: dict[str, set[str]] = {}
        for version in (*bundled_versions()[::5], bundled_versions()[-1]):
            spec = load_version(version)
            for operation in spec.values():
                there = places.setdefault(operation.operation_id, {"body"})
                there |= {*operation.by_name}
                if operation.body is not None:
                    schema = operation.body.schema
                    there |= {each.path for each in fields(schema, spec.definitions, depth=6)}
        assert {*elsewhere.arguments()} <= {*places}
        for group in elsewhere._data()["arguments"]:
            for name in group["names"]:
                meant = elsewhere.arguments()[group["of"][0]][elsewhere.folded(name)]
                there = set().union(*(places[each] for each in group["of"]))
                for place in meant.means:
                    assert there & {place, *ends(place)}, (name, place)


def ends(place):
    """Yield a place without its first steps."""
    while "." in place:
        place = place.partition(".")[2]
        yield place


COMMANDS = """
    attach build commit cp create diff events exec export history images import info inspect kill
    load login logout logs pause port ps pull push rename restart rm rmi run save search start stats
    stop tag top unpause update version wait
    builder_build builder_prune buildx_build buildx_du buildx_prune
    config_create config_inspect config_ls config_rm
    container_attach container_commit container_cp container_create container_diff container_exec
    container_export container_inspect container_kill container_logs container_ls container_pause
    container_port container_prune container_rename container_restart container_rm container_run
    container_start container_stats container_stop container_top container_unpause container_update
    container_wait
    image_build image_history image_import image_inspect image_load image_ls image_prune image_pull
    image_push image_rm image_save image_tag manifest_inspect
    network_connect network_create network_disconnect network_inspect network_ls network_prune
    network_rm
    node_demote node_inspect node_ls node_promote node_ps node_rm node_update
    plugin_create plugin_disable plugin_enable plugin_inspect plugin_install plugin_ls plugin_push
    plugin_rm plugin_set plugin_upgrade
    secret_create secret_inspect secret_ls secret_rm
    service_create service_inspect service_logs service_ls service_ps service_rm service_rollback
    service_scale service_update
    stack_config stack_deploy stack_ls stack_ps stack_rm stack_services
    swarm_ca swarm_init swarm_join swarm_join_token swarm_leave swarm_unlock swarm_unlock_key
    swarm_update
    system_df system_events system_info system_prune
    volume_create volume_inspect volume_ls volume_prune volume_rm volume_update
"""
METHODS = """
    containers images networks volumes services nodes secrets configs plugins swarm df info login
    ping events
    attach attach_socket commit connect_container_to_network containers create_config
    create_container create_endpoint_config create_host_config create_network
    create_networking_config create_plugin create_secret create_service create_swarm_spec
    create_volume diff disable_plugin disconnect_container_from_network enable_plugin exec_create
    exec_inspect exec_resize exec_start export get_archive get_image get_unlock_key history
    import_image import_image_from_data import_image_from_file import_image_from_image
    import_image_from_stream import_image_from_url init_swarm inspect_config inspect_container
    inspect_distribution inspect_image inspect_network inspect_node inspect_plugin inspect_secret
    inspect_service inspect_swarm inspect_task inspect_volume join_swarm kill leave_swarm load_image
    networks nodes pause plugin_privileges plugins port prune_builds prune_containers prune_images
    prune_networks prune_volumes pull pull_plugin push push_plugin put_archive remove_config
    remove_container remove_image remove_network remove_node remove_plugin remove_secret
    remove_service remove_volume rename resize restart search secrets service_logs services start
    stats stop tag tasks top unlock_swarm unpause update_container update_node update_service
    update_swarm upgrade_plugin volumes wait
"""


@pytest.mark.parametrize("version", [MAIN, NEWEST])
def test_every_command_and_every_method_of_docker_py_is_known(version):
    spec = load_spec(version)
    names = sorted({*COMMANDS.split(), *METHODS.split()} - {*spec.names})
    assert [name for name in names if meant_by(spec, name) is None] == []


def test_a_document_with_very_long_names_is_answered_at_once():
    path = {"get": {"operationId": "DeleteListInspectCreate" * 10, "responses": {"200": {}}}}
    document = {
        "swagger": "2.0",
        "info": {"version": MAIN, "title": "long"},
        "basePath": f"/v{MAIN}",
        "paths": {"/things": path},
    }
    client = load(document, host=HOST)
    with pytest.raises(UnknownOperation, match="searches"):
        _ = client.Qwertz
    assert client.find("list") == [client.operations["DeleteListInspectCreate" * 10]]
