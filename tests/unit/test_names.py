"""Names: snake_case, Python's names for the wire's, and what was probably meant."""

from __future__ import annotations

import pytest

from dynadock.spec.names import closest, python_name, snake_case


@pytest.mark.parametrize(
    ("operation_id", "name"),
    [
        ("ContainerList", "container_list"),
        ("GetPluginPrivileges", "get_plugin_privileges"),
        ("Session", "session"),
        ("ImageGetAll", "image_get_all"),
        ("Ipv6Route", "ipv6_route"),
        ("HTTPProxy", "httpproxy"),
        ("already_snake", "already_snake"),
    ],
)
def test_snake_case(operation_id, name):
    assert snake_case(operation_id) == name


@pytest.mark.parametrize(
    ("wire_name", "name"),
    [
        ("all", "all"),
        ("X-Registry-Auth", "X_Registry_Auth"),
        ("one-shot", "one_shot"),
        ("a.b c$", "a_b_c_"),
        ("2nd", "_2nd"),
        ("q\u24eb", "q_"),
        ("\u2460\ufb01", "_1fi"),
        ("ö-ß", "ö_ß"),
    ],
)
def test_python_names(wire_name, name):
    assert python_name(wire_name) == name
    assert python_name(wire_name).isidentifier()


@pytest.mark.parametrize(
    ("name", "known", "meant"),
    [
        ("al", ["all", "limit"], "all"),
        ("ALL", ["limit", "all"], "all"),
        ("hostconfig", ["Hostname", "HostConfig"], "HostConfig"),
        ("host_config", ["Hostname", "HostConfig"], "HostConfig"),
        ("one_shot", ["one-shot"], "one-shot"),
        ("imgae", ["Image", "Env"], "Image"),
        ("qwertz", ["Image", "Env"], None),
        ("all", [], None),
        ("", ["all"], None),
    ],
)
def test_the_closest_name(name, known, meant):
    assert closest(name, known) == meant
    assert closest(name, iter(known)) == meant
