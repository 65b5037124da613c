"""Further offers on a peer's connection."""

import asyncio

import pytest

from tests.rtc.calling import Call, FrameSource, SoundSource
from tests.rtc.offer_texts import CHROMIUM
from tests.support.waiting import until
from vision_agent.rtc import (
    Camera,
    CannotRenegotiate,
    Offer,
)
from vision_agent.rtc.own.aiortc import RTCSessionDescription


async def test_a_second_data_channel_is_closed(call: Call):
    first = call.caller.createDataChannel("chat")
    await call.connect()
    await until(lambda: first.readyState == "open")
    second = call.caller.createDataChannel("more")
    await until(lambda: second.readyState == "closed")
    assert len(call.listener.channels) == 1


async def renegotiated(call: Call) -> str:
    answer = await call.peer.renegotiate(Offer.parse(await call.offer()))
    await call.caller.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    return answer


async def test_a_camera_that_is_added_later_is_seen_on_the_same_connection(call: Call):
    call.caller.addTrack(SoundSource())
    channel = call.caller.createDataChannel("chat")
    await call.connect()
    await until(lambda: channel.readyState == "open" and call.listener.channels)
    got: list[str] = []
    call.listener.channels[0].on("message", got.append)
    call.caller.addTransceiver(FrameSource(), direction="sendonly")
    answer = await renegotiated(call)
    assert "a=setup:passive" in answer
    assert "sha-384" not in answer
    await until(lambda: call.listener.cameras)
    frames: list[object] = []
    call.run(Camera(frames.append).run(call.listener.cameras[0]))
    await until(lambda: frames)
    channel.send("still here")
    await until(lambda: got == ["still here"])
    frame = await asyncio.wait_for(call.heard[0].recv(), 5)
    assert frame.samples
    assert call.listener.connected == 1
    assert len(call.listener.channels) == 1
    assert call.listener.closed == []


async def test_the_voice_is_heard_on_a_microphone_that_is_added_later(call: Call):
    channel = call.caller.createDataChannel("chat")
    await call.connect()
    await until(lambda: channel.readyState == "open")
    call.caller.addTrack(SoundSource())
    await renegotiated(call)
    await until(lambda: call.listener.microphones and call.heard)
    assert (await asyncio.wait_for(call.heard[0].recv(), 5)).samples
    assert call.listener.closed == []


async def test_a_data_channel_can_be_added_later_and_directions_can_change(call: Call):
    sender = call.caller.addTransceiver(SoundSource(), direction="sendrecv")
    await call.connect()
    for direction in ("recvonly", "sendrecv", "inactive", "sendrecv"):
        sender.direction = direction
        await renegotiated(call)
    channel = call.caller.createDataChannel("chat")
    await renegotiated(call)
    await until(lambda: channel.readyState == "open" and call.listener.channels)
    assert call.listener.closed == []


async def test_an_offer_of_another_connection_is_no_renegotiation_and_changes_nothing(call: Call):
    call.caller.addTrack(SoundSource())
    await call.connect()
    other = Offer.parse(CHROMIUM)
    assert not call.peer.continues(other)
    assert call.peer.continues(Offer.parse(call.caller.localDescription.sdp))
    with pytest.raises(CannotRenegotiate, match=r"\.$"):
        await call.peer.renegotiate(other)
    frame = await asyncio.wait_for(call.heard[0].recv(), 5)
    assert frame.samples
    assert call.listener.closed == []


async def test_a_data_channel_that_is_closed_and_opened_anew_is_taken(call: Call):
    first = call.caller.createDataChannel("chat")
    await call.connect()
    await until(lambda: first.readyState == "open" and call.listener.channels)
    first.close()
    await until(lambda: first.readyState == "closed")
    second = call.caller.createDataChannel("chat")
    await until(lambda: second.readyState == "open" and len(call.listener.channels) == 2)
    got: list[str] = []
    call.listener.channels[1].on("message", got.append)
    second.send("here again")
    await until(lambda: got == ["here again"])
