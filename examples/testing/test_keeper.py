"""The tests of keeper.py. They need no Docker; docs/testing.md explains them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import keeper
import pytest

from dynadock import NotFound, ServerError

DAY = 24 * 60 * 60


def test_a_service_is_replaced(dynadock_embedded, dynadock_client):
    dynadock_embedded.add_image("shop:2")
    dynadock_embedded.add_container("shop")
    keeper.replace(dynadock_client, "shop", "shop:2")
    shop = dynadock_client.ContainerInspect("shop")
    assert (shop.Config.Image, shop.State.Status) == ("shop:2", "running")


def test_the_old_container_stays_if_there_is_no_image(dynadock_embedded, dynadock_client):
    old = dynadock_embedded.add_container("shop")
    with pytest.raises(NotFound):
        keeper.replace(dynadock_client, "shop", "shop:2")
    assert dynadock_client.ContainerInspect("shop").Id == old


# A fault


def test_a_pull_is_tried_again(dynadock_embedded, dynadock_client):
    dynadock_embedded.add_image("shop:2")
    dynadock_embedded.fail("ImageCreate", status=500, message="registry is down", times=2)
    keeper.replace(dynadock_client, "shop", "shop:2")
    assert [call.status for call in dynadock_embedded.calls.of("ImageCreate")] == [500, 500, 200]


def test_a_pull_is_not_tried_for_ever(dynadock_embedded, dynadock_client):
    fault = dynadock_embedded.fail("ImageCreate", status=500, message="registry is down")
    with pytest.raises(ServerError, match="registry is down"):
        keeper.replace(dynadock_client, "shop", "shop:2", tries=4)
    assert fault.met == 4


# A state


@pytest.mark.parametrize(
    ("status", "found"), [("healthy", []), ("unhealthy", ["shop"]), ("exited", [])]
)
def test_what_ails(dynadock_embedded, dynadock_client, status, found):
    dynadock_embedded.add_container("shop", status=status)
    assert keeper.ailing(dynadock_client) == found


# The time


@pytest.mark.dynadock_embedded(clock="manual")
def test_only_old_containers_are_swept(dynadock_embedded, dynadock_client):
    dynadock_embedded.add_container("old", status="exited")
    dynadock_embedded.clock.advance(6 * DAY)
    dynadock_embedded.add_container("young", status="exited")
    dynadock_embedded.add_container("running")
    dynadock_embedded.clock.advance(2 * DAY)
    assert keeper.sweep(dynadock_client, days=7) == ["old"]


# Programs


def test_what_a_service_knows_is_saved(dynadock_embedded, dynadock_client):
    dynadock_embedded.program("shop", ["dump"], stdout="3 orders\n")
    dynadock_embedded.add_container("shop", image="shop")
    assert keeper.save(dynadock_client, "shop") == b"3 orders\n"


def test_a_service_that_cannot_say_what_it_knows(dynadock_embedded, dynadock_client):
    dynadock_embedded.program("shop", ["dump"], stderr="disk is full\n", exit_code=1)
    dynadock_embedded.add_container("shop", image="shop")
    with pytest.raises(keeper.SaveError, match="shop: disk is full"):
        keeper.save(dynadock_client, "shop")


# Another program than this one


def test_other_programs_find_the_engine(dynadock_embedded):
    dynadock_embedded.add_container("shop", status="unhealthy")
    script = "import dynadock, keeper; print(keeper.ailing(dynadock.load()))"
    environment = os.environ | {"DOCKER_HOST": dynadock_embedded.url}
    command = [sys.executable, "-c", script]
    folder = Path(__file__).parent
    assert subprocess.check_output(command, env=environment, cwd=folder) == b"['shop']\n"
