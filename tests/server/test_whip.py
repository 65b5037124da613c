"""WHIP over HTTP with the real application and real peers, as a client sees it."""

import re
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import httpx
import pytest
import pytest_asyncio
from aiortc import (
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpSender,
    RTCSessionDescription,
)
from aiortc.mediastreams import AudioStreamTrack

from tests.rtc.offer_texts import RECORDED
from tests.support.dialling import DarkCamera
from tests.support.metrics import read
from tests.support.offers import offer
from tests.support.scenarios import SILENT
from tests.support.waiting import until
from vision_agent import Settings, create_app
from vision_agent.rtc.sdp_fragment import MEDIA_TYPE
from vision_agent.server.whip import ice_server_links

ORIGIN = "https://studio.example.org"
TOKEN = "a-long-enough-token"
OBS = RECORDED["obs30-whip-sendonly-h264-tinywhip2-completed"]
SDP = {"content-type": "application/sdp", "authorization": f"Bearer {TOKEN}"}

# All tests share a server: starting one takes longer than most of them.
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def http():
    settings = Settings(
        _env_file=None,
        scenario=SILENT,
        max_calls=2,
        token=TOKEN,
        cors_origins=[ORIGIN],
    )
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
            yield http


@pytest_asyncio.fixture(autouse=True, loop_scope="module")
async def _every_slot_is_free_again(http):
    yield
    registry = http._transport.app.state.registry
    await registry.close("the test is over")
    assert len(registry) == 0


async def metric(http, name: str) -> float:
    return read((await http.get("/metrics")).text)[f"vision_agent_{name}"]


async def sending(recorded: str) -> tuple[RTCPeerConnection, str]:
    """A peer that sends sound and H.264, and a recorded offer with the peer's transport in it."""
    peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    peer.addTransceiver(AudioStreamTrack(), direction="sendonly")
    video = peer.addTransceiver(DarkCamera(), direction="sendonly")
    codecs = RTCRtpSender.getCapabilities("video").codecs
    video.setCodecPreferences([codec for codec in codecs if codec.mimeType == "video/H264"])
    await peer.setLocalDescription(await peer.createOffer())
    own = peer.localDescription.sdp
    sdp = recorded
    for name in ("ice-ufrag", "ice-pwd", "fingerprint:sha-256"):
        line = re.search(f"a={name}[: ].*\r\n", own)[0]
        sdp = re.sub(f"a={name}[: ].*\r\n", line, sdp)
    return peer, re.sub("a=candidate:.*\r\n", "", sdp)


@asynccontextmanager
async def session(http, path: str = "/whip"):
    """A session that has just begun: its peer, and the response that began it."""
    peer, body = await offer()
    try:
        response = await http.post(path, content=body["sdp"], headers=SDP)
        assert response.status_code == 201, response.text
        yield peer, response
    finally:
        await peer.close()


async def test_a_session_begins_with_201_and_ends_with_delete(http):
    async with session(http) as (peer, begun):
        assert begun.headers["content-type"] == "application/sdp"
        assert begun.headers["accept-patch"] == MEDIA_TYPE
        assert begun.headers["cache-control"] == "no-store"
        assert re.fullmatch(r'"[^"]+"', begun.headers["etag"])
        await peer.setRemoteDescription(RTCSessionDescription(begun.text, "answer"))
        await until(lambda: peer.connectionState == "connected")
        place = begun.headers["location"]
        for method in ("GET", "HEAD", "OPTIONS", "POST", "PUT"):
            refused = await http.request(method, place, headers=SDP)
            assert (refused.status_code, refused.headers["allow"]) == (405, "PATCH, DELETE")
        assert (await http.delete(place)).status_code == 401
        # An entity tag does not matter to DELETE (RFC 9725 4.3.1).
        ended = await http.delete(place, headers=SDP | {"if-match": '"another"'})
        assert ended.status_code == 200
        for again in (await http.delete(place, headers=SDP), await http.get(place, headers=SDP)):
            assert (again.status_code, again.json()["error"][-1]) == (404, ".")
        assert (await http.get("/healthz")).json()["calls"] == 0


async def test_ice_servers_are_links_with_their_credentials():
    turn = {
        "urls": ["turn:turn.example.org?transport=udp"],
        "username": 'a"b',
        "credential": "c\\d",
    }
    assert ice_server_links([{"urls": "stun:stun.example.org"}, turn]) == [
        '<stun:stun.example.org>; rel="ice-server"',
        '<turn:turn.example.org?transport=udp>; rel="ice-server"; username="a\\"b"; '
        'credential="c\\\\d"; credential-type="password"',
    ]


async def test_the_address_of_a_session_can_not_be_guessed(http):
    async with session(http) as (_, one), session(http) as (_, other):
        places = [urlsplit(begun.headers["location"]).path for begun in (one, other)]
        keys = [re.fullmatch("/whip/sessions/([A-Za-z0-9_-]{32})", place)[1] for place in places]
        assert keys[0] != keys[1]
        calls = [call.call_id for call in http._transport.app.state.registry._calls.values()]
        assert not [key for key in keys for call in calls if call in key or key in call]


CANDIDATE = "a=candidate:1 1 udp 2130706431 127.0.0.1 40000 typ host\r\n"


def fragment(sdp: str, candidates: str = CANDIDATE, ufrag: str | None = None) -> str:
    own = {name: re.search(f"a={name}:(\\S+)", sdp)[1] for name in ("ice-ufrag", "ice-pwd")}
    return (
        f"a=ice-ufrag:{ufrag or own['ice-ufrag']}\r\na=ice-pwd:{own['ice-pwd']}\r\n"
        f"m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n{candidates}"
    )


async def test_candidates_trickle_in_by_the_rules_of_conditional_requests(http):
    async with session(http) as (peer, begun):
        place, tag, own = begun.headers["location"], begun.headers["etag"], peer.localDescription

        async def patch(body: str | bytes, if_match: str | None = tag, kind: str = MEDIA_TYPE):
            headers = SDP | {"content-type": kind} | ({"if-match": if_match} if if_match else {})
            response = await http.patch(place, content=body, headers=headers)
            assert response.is_success or response.json()["error"].endswith(".")
            return response

        taken = await patch(fragment(own.sdp))
        assert (taken.status_code, taken.content, "etag" in taken.headers) == (204, b"", False)
        for every in ("*", '"*"', f'"x", {tag}'):
            assert (await patch(fragment(own.sdp), every)).status_code == 204
        # Candidates that can't be used or resolved are left out, and the others are taken.
        elsewhere = "a=candidate:2 1 tcp 1 192.0.2.1 9 typ host tcptype active\r\n"
        hidden = "a=candidate:3 1 udp 1 5f2c.local 9 typ host\r\na=end-of-candidates\r\n"
        assert (await patch(fragment(own.sdp, elsewhere + hidden))).status_code == 204
        assert (await patch("a=end-of-candidates\r\n")).status_code == 204

        assert (await patch(fragment(own.sdp), None)).status_code == 428
        assert (await patch(fragment(own.sdp), '"another"')).status_code == 412
        assert (await patch(fragment(own.sdp), f"W/{tag}")).status_code == 412
        refused = await patch(fragment(own.sdp), kind="application/sdp")
        assert (refused.status_code, refused.headers["accept-patch"]) == (415, MEDIA_TYPE)
        bad = ["", "hello", "a=sendrecv", fragment(own.sdp, "a=candidate:none\r\n"), b"a=\xff"]
        bad.append(fragment(own.sdp).replace("a=mid:0", "a=mid:nowhere"))
        for body in bad:
            assert (await patch(body)).status_code == 400, body
        assert (await patch(fragment(own.sdp, CANDIDATE * 200))).status_code == 400
        # A refused ICE restart leaves the session as it is.
        assert (await patch(fragment(own.sdp, ufrag="abcd"), "*")).status_code == 422
        await peer.setRemoteDescription(RTCSessionDescription(begun.text, "answer"))
        await until(lambda: peer.connectionState == "connected")


async def test_what_is_no_offer_is_refused_in_words_and_takes_no_slot(http):
    peer, body = await offer()
    await peer.close()

    async def refused(status: int, content: str | bytes, *, path: str = "/whip", **headers: str):
        response = await http.post(path, content=content, headers=SDP | headers)
        assert response.status_code == status, response.text
        assert response.json()["error"].endswith((".", "…"))
        return response

    wrong = await refused(415, body["sdp"], **{"content-type": "application/json"})
    assert wrong.headers["accept-post"] == "application/sdp"
    for text in ("", "hello", "v=0\r\n", b"v=0\xff"):
        await refused(400, text)
    await refused(413, " " * 70_000)
    await refused(401, body["sdp"], authorization="Bearer wrong")
    await refused(403, body["sdp"], origin="https://elsewhere.example.org")
    await refused(404, body["sdp"], path="/whip?agent=nobody")
    await refused(404, body["sdp"], path="/whip/nobody")
    await refused(400, body["sdp"], path="/whip?voice=Korre")
    await refused(400, body["sdp"], path="/whip?thinkingLvl=low")
    assert (await http.get("/healthz")).json()["calls"] == 0
    for method in ("GET", "HEAD", "PUT", "PATCH", "DELETE"):
        response = await http.request(method, "/whip", headers=SDP)
        assert (response.status_code, response.headers["allow"]) == (405, "OPTIONS, POST")


async def test_a_full_house_says_when_to_come_again(http):
    async with session(http, "/whip/vision_agent"), session(http, "/whip?agent=vision_agent"):
        peer, body = await offer()
        response = await http.post("/whip", content=body["sdp"], headers=SDP)
        await peer.close()
        assert (response.status_code, int(response.headers["retry-after"]) > 0) == (503, True)


async def test_pages_of_allowed_origins_may_ask_and_read_what_they_need(http):
    preflight = {
        "origin": ORIGIN,
        "access-control-request-method": "PATCH",
        "access-control-request-headers": "authorization,content-type,if-match",
    }
    allowed = await http.options("/whip/sessions/x", headers=preflight)
    assert allowed.status_code == 200
    assert allowed.headers["access-control-allow-origin"] == ORIGIN
    assert "PATCH" in allowed.headers["access-control-allow-methods"]
    described = await http.options("/whip", headers=SDP | {"origin": ORIGIN})
    assert (described.status_code, described.headers["accept-post"]) == (204, "application/sdp")
    exposed = described.headers["access-control-expose-headers"].lower()
    assert {"location", "link", "etag", "accept-patch"} <= set(exposed.split(", "))


async def test_an_encoder_that_only_sends_is_heard_and_seen_and_its_deafness_is_counted(http):
    """The offer of OBS 30, its transport replaced by that of a live peer."""
    before = {name: await metric(http, f"{name}_total") for name in ("calls_unheard", "frames")}
    peer, sdp = await sending(OBS)
    try:
        begun = await http.post("/whip", content=sdp, headers=SDP)
        assert begun.status_code == 201, begun.text
        assert re.findall("^a=(sendrecv|sendonly|recvonly|inactive)", begun.text, re.M) == [
            "recvonly",
            "recvonly",
        ]
        await peer.setRemoteDescription(RTCSessionDescription(begun.text, "answer"))
        await until(lambda: peer.connectionState == "connected")

        async def seen() -> bool:
            return await metric(http, "frames_total") > before["frames"]

        async def heard() -> bool:
            return await metric(http, "audio_ms_total") > 500

        await until(seen)
        await until(heard)
        assert await metric(http, "calls_unheard_total") == before["calls_unheard"] + 1
        assert (await http.delete(begun.headers["location"], headers=SDP)).status_code == 200
    finally:
        await peer.close()
