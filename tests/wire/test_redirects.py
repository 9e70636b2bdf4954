"""Redirects are not followed: what a call carries goes to the chosen engine or nowhere."""

from __future__ import annotations

import pytest

from dynadock import APIError
from secret_values import SECRET
from wire.peer import Peer, answer, hang_up, playing, reply

AUTH = {"username": "me", "password": SECRET}
CALLS = {
    "plain": lambda c: c.DistributionInspect("a", X_Registry_Auth=AUTH),
    "a body": lambda c: c.SystemAuth(**AUTH),
    "a stream": lambda c: c.ImagePush("a", X_Registry_Auth=AUTH),
    "an upload": lambda c: c.ImageBuild(body=iter([b"tar"]), X_Registry_Config={"r": AUTH}),
    "an upgrade": lambda c: c.ContainerAttach("a", stream=True),
    "a websocket": lambda c: c.ContainerAttachWebsocket("a", stream=True),
}


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_redirect_is_an_error_and_is_not_followed(call, status):
    with Peer(kind="tcp") as other:
        location = other.address.replace("tcp", "http") + "/v1.42/elsewhere"
        moved = reply(status, headers={"Location": location})
        with playing([answer(moved), hang_up], kind="tcp") as (peer, client):
            secretive = client.with_options(headers={"Authorization": SECRET})
            with pytest.raises(APIError, match=r"a redirect to .* not followed") as caught:
                call(secretive)
    assert caught.value.status == status
    assert location in caught.value.explanation
    assert [each.header("Authorization") for each in peer.requests] == [SECRET]
    assert other.connections == 0


def test_a_raw_reply_is_the_redirect_itself():
    with Peer(kind="tcp") as other:
        moved = reply(302, headers={"Location": other.address.replace("tcp", "http")})
        with (
            playing([answer(moved)], kind="tcp") as (_, client),
            client.DistributionInspect.raw("a", X_Registry_Auth=AUTH) as response,
        ):
            assert response.status_code == 302
            assert SECRET not in f"{response.request.headers} {response.request.url}"
    assert other.connections == 0
