"""Further offers of a call over HTTP: for the same peer connection, or for a new one."""

import asyncio
from typing import Any

import pytest
import pytest_asyncio
from aiortc import RTCPeerConnection, RTCSessionDescription

from tests.support.offers import offer
from tests.support.scenarios import SILENT
from tests.support.signalling_client import calls, client, close_calls
from tests.support.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def http():
    async with client(max_calls=2, scenario=SILENT) as http:
        yield http


@pytest_asyncio.fixture(autouse=True, loop_scope="module")
async def _every_slot_is_free_again(http):
    yield
    await close_calls(http)


async def test_a_call_can_be_rebuilt_under_its_id(http):
    first, body = await offer()
    second, again = await offer()
    try:
        call = (await http.post("/api/offer", json=body)).json()["pc_id"]
        answer = await http.post("/api/offer", json=again | {"pc_id": call, "restart_pc": True})
        assert answer.json()["pc_id"] == call
        assert await calls(http) == 1
    finally:
        await first.close()
        await second.close()


async def connected(http, peer: RTCPeerConnection, body: dict[str, Any]) -> str:
    answer = (await http.post("/api/offer", json=body)).json()
    await peer.setRemoteDescription(RTCSessionDescription(answer["sdp"], "answer"))
    await until(lambda: peer.connectionState == "connected")
    return answer["pc_id"]


@pytest.mark.parametrize("said", [{"restart_pc": False}, {}])
async def test_a_further_offer_of_the_same_connection_is_answered_by_the_same_peer(http, said):
    peer, body = await offer()
    try:
        call = await connected(http, peer, body)
        peer.addTransceiver("video", direction="sendonly")
        await peer.setLocalDescription(await peer.createOffer())
        again = {"sdp": peer.localDescription.sdp, "type": "offer", "pc_id": call} | said
        response = await http.post("/api/offer", json=again)
        assert response.status_code == 200
        await peer.setRemoteDescription(RTCSessionDescription(response.json()["sdp"], "answer"))
        assert response.json()["sdp"].count("m=video") == 2
        assert peer.connectionState == "connected"
        assert await calls(http) == 1
    finally:
        await peer.close()


async def test_an_offer_that_the_connection_cannot_go_on_with_gets_409_and_changes_nothing(http):
    peer, body = await offer()
    other, again = await offer()
    try:
        call = await connected(http, peer, body)
        response = await http.post("/api/offer", json=again | {"pc_id": call, "restart_pc": False})
        assert response.status_code == 409
        assert "restart_pc" in response.json()["error"]
        assert peer.connectionState == "connected"
        assert await calls(http) == 1
    finally:
        await peer.close()
        await other.close()


async def test_of_two_restarts_at_once_the_older_is_refused_and_the_newer_connects(http):
    peer, body = await offer()
    rivals = [await offer() for _ in range(3)]
    try:
        call = await connected(http, peer, body)
        responses = await asyncio.gather(
            *(
                http.post("/api/offer", json=again | {"pc_id": call, "restart_pc": True})
                for _, again in rivals
            )
        )
        assert sorted(response.status_code for response in responses) == [200, 409, 409]
        for (rival, _), response in zip(rivals, responses, strict=True):
            if response.status_code == 200:
                sdp = response.json()["sdp"]
                await rival.setRemoteDescription(RTCSessionDescription(sdp, "answer"))
                await until(lambda rival=rival: rival.connectionState == "connected")
            else:
                assert response.json()["error"].endswith(".")
        assert await calls(http) == 1
    finally:
        for each in (peer, *(rival for rival, _ in rivals)):
            await each.close()


async def test_a_connection_that_is_replaced_before_it_connected_is_told(http):
    peer, body = await offer()
    loser, first = await offer()
    winner, second = await offer()
    try:
        call = await connected(http, peer, body)
        early = await http.post("/api/offer", json=first | {"pc_id": call, "restart_pc": True})
        late = await http.post("/api/offer", json=second | {"pc_id": call, "restart_pc": True})
        for rival, response in ((loser, early), (winner, late)):
            sdp = response.json()["sdp"]
            await rival.setRemoteDescription(RTCSessionDescription(sdp, "answer"))
        await until(
            lambda: (loser.connectionState, winner.connectionState) == ("closed", "connected")
        )
        assert await calls(http) == 1
    finally:
        for each in (peer, loser, winner):
            await each.close()
