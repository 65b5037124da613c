"""Closing a call always finishes, whatever fails on the way; in one process, to make it fail."""

import asyncio
import json
import re
from contextlib import asynccontextmanager
from operator import attrgetter

import httpx
import pytest
import pytest_asyncio
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import VideoStreamTrack

from tests.support.waiting import until
from vision_agent import Settings, create_app
from vision_agent.calls.call import Call
from vision_agent.calls.unseen_screen import UNSEEN_SCREEN
from vision_agent.live.sessions.history import ConversationLine, newest
from vision_agent.rtc.budget import Budget

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def http():
    app = create_app(Settings(_env_file=None, max_calls=1, session_db="memory", share_screen=False))
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
            http.app = app
            yield http


@asynccontextmanager
async def calling(
    http, max_message_bytes: int | None = None, video: VideoStreamTrack | None = None
):
    """A connected caller's channel, the messages it has received, and the server's `Call`."""
    peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    peer.addTransceiver("audio")
    if video is not None:
        peer.addTransceiver(video, direction="sendonly")
    channel = peer.createDataChannel("chat")
    messages: list[dict] = []
    channel.on("message", lambda text: messages.append(json.loads(text)))
    await peer.setLocalDescription(await peer.createOffer())
    sdp = peer.localDescription.sdp
    if max_message_bytes is not None:
        sdp = re.sub("max-message-size:.*", f"max-message-size:{max_message_bytes}\r", sdp)
    answer = (await http.post("/api/offer", json={"sdp": sdp, "type": "offer"})).json()
    call = http.app.state.registry.find(answer["pc_id"])
    await peer.setRemoteDescription(RTCSessionDescription(answer["sdp"], "answer"))
    await until(lambda: channel.readyState == "open")
    ready = {"label": "rtvi-ai", "type": "client-ready", "id": "1", "data": {}}
    channel.send(json.dumps(ready))
    try:
        await until(lambda: call._connected)
        yield channel, messages, call
    finally:
        await peer.close()


async def slots_are_free(http) -> None:
    registry = http.app.state.registry
    await until(lambda: len(registry) == 0, within_s=20)
    assert not registry._by_session
    async with calling(http) as (_, messages, call):
        await until(lambda: messages)
        await call.close("the test is over")
    await until(lambda: len(registry) == 0)


def broken(*_: object, **__: object) -> None:
    raise LookupError("a step of closing is broken")


async def broken_later(*_: object, **__: object) -> None:
    await asyncio.sleep(0)
    broken()


@pytest.mark.parametrize(
    ("part", "method", "step"),
    [
        ("_view", "set_state", broken),
        ("_live_queue", "close", broken),
        ("_view.channel", "close", broken),
        ("_view.channel", "drain", broken_later),
        ("_tool_context", "close", broken_later),
        ("_connections.present", "close", broken_later),
        ("_input", "close", broken),
        ("_memory_recorder", "flush", broken_later),
    ],
)
async def test_a_step_that_fails_is_logged_once_and_keeps_no_other_from_being_done(
    http, monkeypatch, caplog, part, method, step
):
    async with calling(http) as (_, _messages, call):
        tasks = list(call._tasks)
        peer_close = call._connections.present.close
        monkeypatch.setattr(attrgetter(part)(call), method, step)
        await call.close("over")
        assert http.app.state.registry.find(call.call_id) is None
        assert all(task.done() for task in tasks)
        await peer_close()  # the step that the test replaced
    failures = [r for r in caplog.records if "closing" in r.message and r.exc_info]
    assert len(failures) == 1
    assert "a step of closing is broken" in str(failures[0].exc_info[1])
    await slots_are_free(http)


async def test_a_step_that_hangs_is_not_waited_for(http, monkeypatch, caplog):
    monkeypatch.setattr("vision_agent.closing.STEP_OF_A_CALL_S", 0.2)
    released = asyncio.Event()

    async def deaf() -> None:
        while not released.is_set():
            try:
                await released.wait()
            except asyncio.CancelledError:
                continue

    async with calling(http) as (_, _messages, call):
        monkeypatch.setattr(call._memory_recorder, "flush", deaf)
        await call.close("over")
        assert "closing the memory takes longer than 0.2 s" in caplog.text
    released.set()
    await slots_are_free(http)


async def test_a_caller_that_takes_only_short_messages_is_let_go_like_any_other(http):
    async with calling(http, max_message_bytes=16_384) as (channel, _messages, call):
        call._view.channel.error("word " * 20_000, fatal=False)
        bye = {"label": "rtvi-ai", "type": "disconnect-bot", "id": "2", "data": {}}
        channel.send(json.dumps(bye))
        await until(lambda: call._closing is not None)
        await call.close("over")
    await slots_are_free(http)


async def test_what_comes_after_the_end_of_a_call_starts_nothing(http):
    async with calling(http) as (_, _messages, call):
        await call.close("over")
        call._connected = False
        call.on_connected()
        call.on_microphone(None)
        assert not call._tasks
    await slots_are_free(http)


async def test_texts_wait_in_a_bounded_number_while_the_model_is_away(http):
    async with calling(http) as (channel, messages, call):
        await until(lambda: call._view.state == "listening")
        call._live_queue.hold()
        call._view.channel._texts = Budget(per_s=1, burst=100)  # faster than a caller may type

        def type(text: str) -> None:
            data = {"content": text}
            channel.send(
                json.dumps({"label": "rtvi-ai", "type": "send-text", "id": "3", "data": data})
            )

        for n in range(20):
            type(f"text {n}")
        await until(lambda: not call._input.takes_text)
        type("one more")
        await until(lambda: any(m["type"] == "error" for m in messages))
        error = next(m for m in messages if m["type"] == "error")
        assert "has not read the last 20 texts" in error["data"]["message"]
        assert call._live_queue.texts_waiting == 20
        await call.close("over")
    await slots_are_free(http)


async def test_what_is_said_wrong_is_counted_while_the_call_goes_on(http):
    async with calling(http) as (channel, _messages, call):
        before = http.app.state.metrics.messages.labels("refused")._value.get()
        channel.send("{")
        channel.send("{")
        await until(
            lambda: http.app.state.metrics.messages.labels("refused")._value.get() == before + 2
        )
        await call.close("over")
    await slots_are_free(http)


async def test_a_caller_who_shares_a_screen_is_told_once_that_it_is_not_seen(http, monkeypatch):
    # aiortc's own callers send nothing in a second video section, so the first one is the screen.
    monkeypatch.setattr(Call, "on_camera", Call.on_screen)
    async with calling(http, video=VideoStreamTrack()) as (_, messages, call):
        await until(lambda: any(m["type"] == "error" for m in messages))
        call.on_screen(call._connections.present._tracks[1])  # again, after a restart
        call._unseen_screen.check()
        await call.close("over")
        told = [m["data"] for m in messages if m["type"] == "error"]
        assert [(error["message"], error["fatal"]) for error in told] == [(UNSEEN_SCREEN, False)]
    await slots_are_free(http)


async def test_of_a_long_conversation_the_newest_lines_are_told_that_the_client_takes(http):
    async with calling(http, max_message_bytes=16_384) as (channel, messages, call):
        call.lease.resumed = True
        call.lease.earlier = [ConversationLine("user", f"{n} " + "ü" * 900) for n in range(12)]
        ready = {"label": "rtvi-ai", "type": "client-ready", "id": "1", "data": {}}
        channel.send(json.dumps(ready))
        await until(lambda: any(m.get("data", {}).get("kind") == "resumed" for m in messages))
        told = next(m["data"] for m in messages if m.get("data", {}).get("kind") == "resumed")
        assert "shortened" not in told
        assert [line["text"].split()[0] for line in told["earlier"]] == list(map(str, range(4, 12)))
        await call.close("over")
    assert newest([], 100) == []
    await slots_are_free(http)


async def test_what_a_call_without_a_camera_sends_is_counted_while_it_goes_on(http):
    async with calling(http) as (channel, _messages, call):
        before = http.app.state.metrics.texts._value.get()
        data = {"content": "hello"}
        text = {"label": "rtvi-ai", "type": "send-text", "id": "2", "data": data}
        channel.send(json.dumps(text))
        await until(lambda: http.app.state.metrics.texts._value.get() == before + 1)
        assert call._closing is None
        await call.close("over")
    await slots_are_free(http)
