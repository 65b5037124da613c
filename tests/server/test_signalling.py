"""Signalling over HTTP with the real application, as a client sees it."""

import errno
import json
import os
import time

import pytest
import pytest_asyncio
from aiortc import RTCSessionDescription

from tests.support.offers import offer
from tests.support.signalling_client import calls, client, close_calls
from vision_agent.calls.call import Call
from vision_agent.calls.registry import CallRegistry
from vision_agent.live.call_options import CallOptions
from vision_agent.rtc import overload
from vision_agent.server.garbage_collection import Collector

# All tests share a server: starting one takes longer than most of them.
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def http():
    async with client(max_calls=2, voice="Kore") as http:
        yield http


@pytest_asyncio.fixture(autouse=True, loop_scope="module")
async def _every_slot_is_free_again(http):
    yield
    await close_calls(http)


async def test_an_offer_gets_an_answer_and_an_id_and_goodbye_frees_its_slot(http):
    peer, body = await offer()
    try:
        answer = (await http.post("/api/offer", json=body | {"pc_id": None})).json()
        assert answer["type"] == "answer"
        await peer.setRemoteDescription(RTCSessionDescription(answer["sdp"], "answer"))
        assert await calls(http) == 1
        goodbye = await http.delete(f"/api/offer/{answer['pc_id']}")
        assert goodbye.status_code == 204
        assert await calls(http) == 0
    finally:
        await peer.close()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "body"),
        (b"not json", "JSON"),
        (b"[]", "body"),
        (b"{}", "sdp"),
        (b'{"sdp": "", "type": "offer"}', "sdp"),
        (b'{"sdp": "v=0", "type": "answer"}', "offer"),
        (b'{"sdp": "hello", "type": "offer"}', "offer"),
        (json.dumps({"sdp": "a" * 20_000, "type": "offer"}).encode(), ""),
    ],
)
async def test_a_bad_offer_gets_400_with_a_sentence_and_takes_no_slot(http, body, words):
    began = time.perf_counter()
    response = await http.post(
        "/api/offer", content=body, headers={"content-type": "application/json"}
    )
    assert response.status_code == 400
    error = response.json()["error"]
    assert words.lower() in error.lower()
    assert error.endswith((".", "…"))
    assert time.perf_counter() - began < 1
    assert await calls(http) == 0


@pytest.mark.parametrize(
    ("asked", "words"),
    [({"voice": "Koree"}, "Kore"), ({"modalities": ["TEXT", "AUDIO"]}, "one modality")],
)
async def test_a_call_that_asks_for_what_the_model_cannot_gets_400_with_a_sentence(
    http, asked, words
):
    peer, body = await offer()
    await peer.close()
    response = await http.post("/api/offer", json=body | {"requestData": asked})
    assert response.status_code == 400
    assert words in response.json()["error"]
    assert await calls(http) == 0


@pytest.mark.parametrize("path", ["/api/offer", "/start"])
@pytest.mark.parametrize("announced", [True, False])
async def test_a_body_that_is_too_large_gets_413(http, path: str, announced: bool):
    async def chunks():
        for _ in range(70):
            yield b" " * 1000

    content = b" " * 70_000 if announced else chunks()
    response = await http.post(path, content=content, headers={"content-type": "application/json"})
    assert response.status_code == 413
    assert "64 KB" in response.json()["error"]


async def test_an_offer_for_which_there_is_no_descriptor_gets_503_in_words(http, monkeypatch):
    async def answer(call, offer, network):
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(Call, "answer", answer)
    peer, body = await offer()
    try:
        response = await http.post("/api/offer", json=body)
        assert response.status_code == 503
        assert int(response.headers["retry-after"]) > 0
        assert "descriptor" in response.json()["error"]
        assert await calls(http) == 0
    finally:
        await peer.close()


async def test_an_address_that_does_not_exist_is_refused_in_words(http):
    for method, path, status in (
        ("GET", "/no/such", 404),
        ("PUT", "/api/offer", 405),
        ("TRACE", "/api/offer", 405),
        ("PROPFIND", "/", 405),
        ("PURGE", "/whip", 405),
        ("no-such", "/", 405),
        ("OPTIONS", "", 405),
    ):
        response = await http.request(method, path)
        assert response.status_code == status
        assert response.json()["error"].endswith(".")


async def test_a_refused_offer_starts_no_garbage_collection(http, monkeypatch):
    collections = []
    monkeypatch.setattr(Collector, "soon", lambda *_, **__: collections.append(True))
    for sdp in ("v=0\r\n", "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n"):
        response = await http.post("/api/offer", json={"sdp": sdp, "type": "offer"})
        assert response.status_code == 400
    assert collections == []


async def test_a_form_of_another_site_is_refused(http):
    response = await http.post("/api/offer", content=b"{}", headers={"content-type": "text/plain"})
    assert response.status_code == 400


async def test_a_compressed_body_is_refused_in_words(http):
    headers = {"content-type": "application/json", "content-encoding": "gzip"}
    response = await http.post("/api/offer", content=b"{}", headers=headers)
    assert response.status_code == 415
    assert "Content-Encoding" in response.json()["error"]


async def test_an_unknown_call_gets_404(http):
    patch = await http.patch("/api/offer", json={"pc_id": "nobody", "candidates": []})
    delete = await http.delete("/api/offer/nobody")
    _, body = await offer()
    again = await http.post("/api/offer", json=body | {"pc_id": "nobody"})
    assert [r.status_code for r in (patch, delete, again)] == [404] * 3
    assert "no such call" in patch.json()["error"]


async def test_a_full_house_gets_503_and_when_to_try_again(http):
    peers = []
    try:
        for status in (200, 200, 503):
            peer, body = await offer()
            peers.append(peer)
            response = await http.post("/api/offer", json=body)
            assert response.status_code == status
        assert int(response.headers["retry-after"]) > 0
        assert "busy" in response.json()["error"]
        assert await calls(http) == 2
    finally:
        for peer in peers:
            await peer.close()


async def test_an_overloaded_server_takes_no_new_call_and_lets_callers_back(http, monkeypatch):
    monkeypatch.setattr(overload, "current", overload.Overload())
    peers = []
    try:
        token = None
        for status in (200, 503, 200):
            peer, body = await offer()
            peers.append(peer)
            if status == 200:
                body |= {"requestData": {"resume": token}}
            response = await http.post("/api/offer", json=body)
            assert response.status_code == status
            if status == 200:
                token = response.json()["resume"]
                for ago in reversed(range(overload.TIMES)):
                    overload.current.note(1, time.monotonic() - ago * overload.APART_S)
            else:
                assert int(response.headers["retry-after"]) > 0
                assert response.json()["error"].startswith("The server has more to do than it can")
    finally:
        for peer in peers:
            await peer.close()


async def test_candidates_trickle_in_and_bad_ones_are_refused(http):
    peer, body = await offer()
    try:
        call = (await http.post("/api/offer", json=body)).json()["pc_id"]
        good = "candidate:1 1 UDP 2122252543 127.0.0.1 50000 typ host"
        for text, status in ((good, 200), ("", 200), ("candidate:nonsense", 400)):
            response = await http.patch(
                "/api/offer",
                json={
                    "pc_id": call,
                    "candidates": [{"candidate": text, "sdp_mid": "0", "sdp_mline_index": 0}],
                },
            )
            assert response.status_code == status, text
    finally:
        await peer.close()


async def test_start_gives_a_session_whose_offers_work_and_unknown_ones_do_not(http):
    session = (await http.post("/start", json={})).json()["sessionId"]
    peer, body = await offer()
    try:
        assert (await http.post(f"/sessions/{session}/api/offer", json=body)).status_code == 200
        assert (await http.post("/sessions/other/api/offer", json=body)).status_code == 404
    finally:
        await peer.close()


@pytest.mark.parametrize("name", ["requestData", "request_data", "body"])
async def test_what_start_asks_for_holds_for_the_offers_of_its_session(http, monkeypatch, name):
    began: list[CallOptions] = []
    start = CallRegistry.start

    async def noted(self, *given, **options):
        began.append(options["options"])
        return await start(self, *given, **options)

    monkeypatch.setattr(CallRegistry, "start", noted)
    asked = {"silenceMs": 900, "thinking_level": "low", "theme": "dark"}
    session = (await http.post("/start", json={name: asked})).json()["sessionId"]
    peer, body = await offer()
    try:
        own = body | {"requestData": {"thinkingLevel": "high"}}
        answer = await http.post(f"/sessions/{session}/api/offer", json=own)
        assert answer.status_code == 200, answer.text
    finally:
        await peer.close()
    (options,) = began
    assert (options.silence_ms, options.thinking_level, options.voice) == (900, "high", "Kore")


@pytest.mark.parametrize(
    ("asked", "status", "words"),
    [
        ({"thinkingLvl": "low"}, 400, "'thinkingLvl' is not an option. Nearest: thinking_level."),
        ({"silenceMs": 99_999}, 400, "silence_ms: "),
        ({"mediaResolution": "huge"}, 400, "media_resolution: 'huge' is not one of low, medium"),
        ({"voice": "Korre"}, 400, "Nearest: Kore"),
        ({"vocabulary": ["x" * 101]}, 400, "vocabulary: a phrase has at most"),
    ],
)
async def test_an_option_that_can_not_be_is_refused_by_name_by_start_and_by_the_offer(
    http, asked, status, words
):
    refused = await http.post("/start", json={"requestData": asked})
    assert (refused.status_code, words in refused.json()["error"]) == (status, True), refused.text
    peer, body = await offer()
    try:
        refused = await http.post("/api/offer", json=body | {"requestData": asked})
        assert (refused.status_code, words in refused.json()["error"]) == (status, True)
    finally:
        await peer.close()
    assert await calls(http) == 0


async def test_start_takes_what_is_no_json_and_refuses_what_it_can_not_begin(http):
    assert (await http.post("/start")).status_code == 200
    assert (await http.post("/start", content="hello")).status_code == 200
    nobody = await http.post("/start", json={"requestData": {"agent": "nobody"}})
    assert nobody.status_code == 404
    much = await http.post("/start", json={"body": {"user": "x" * 20_000}})
    assert (much.status_code, "larger than" in much.json()["error"]) == (400, True)


async def test_a_token_is_asked_for_when_one_is_set():
    async with client(token="s3cret") as http:
        assert (await http.get("/api/info")).status_code == 401
        wrong = await http.post("/start", headers={"Authorization": "Bearer s3cre"})
        assert wrong.status_code == 401
        right = await http.get("/api/info", headers={"Authorization": "Bearer s3cret"})
        assert right.status_code == 200
        assert "s3cret" not in right.text
        assert (await http.get("/")).status_code == 200


async def test_info_says_which_brain_answers_and_why(http):
    info = (await http.get("/api/info")).json()
    assert info["brain"] == "local"
    assert info["brain_label"] == "local Live API: no key set"
    assert info["agent"] == "vision_agent"


async def test_metrics_are_there_for_prometheus(http):
    text = (await http.get("/metrics")).text
    assert "vision_agent_calls 0.0" in text


async def test_a_bad_offer_builds_nothing_and_is_no_ended_call(http, monkeypatch):
    app = http._transport.app
    ended = app.state.metrics.calls_ended._value.get()
    built = []
    monkeypatch.setattr("vision_agent.calls.registry.Call", lambda *a, **k: built.append(a))
    bad = {"sdp": "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\n", "type": "offer"}
    assert (await http.post("/api/offer", json=bad)).status_code == 400
    assert not built
    assert app.state.metrics.calls_ended._value.get() == ended


async def test_a_failure_of_our_own_is_a_500_in_words_and_is_logged_with_its_cause(
    http, monkeypatch, caplog
):
    def broken(*args: object) -> None:
        raise LookupError("a bug")

    monkeypatch.setattr("vision_agent.calls.call.Call.on_microphone", broken)
    peer, body = await offer()
    response = await http.post("/api/offer", json=body)
    await peer.close()
    assert response.status_code == 500
    assert response.json()["error"].endswith(".")
    assert "a bug" not in response.text
    [record] = [r for r in caplog.records if "answered" in r.message]
    assert "a bug" in repr(record.exc_info)
    assert await calls(http) == 0


async def test_a_call_that_is_closed_while_it_is_answered_says_so(http, monkeypatch):
    registry = http._transport.app.state.registry

    def closed(call, track):
        call.end("the server is stopping")

    monkeypatch.setattr("vision_agent.calls.call.Call.on_microphone", closed)
    peer, body = await offer()
    response = await http.post("/api/offer", json=body)
    await peer.close()
    assert response.status_code == 503
    assert "the server is stopping" in response.json()["error"]
    assert len(registry) == 0
