"""The ways in which a peer ends, without leaving anything behind."""

import asyncio
import socket
import time

import pytest

from tests.rtc.calling import Call, Leftovers, Listener, SoundSource
from tests.rtc.offer_texts import CHROMIUM
from tests.rtc.whole_call import cut_the_cable, whole
from tests.support.waiting import until
from vision_agent.rtc import (
    Camera,
    Microphone,
    Offer,
    Peer,
    Speaker,
)
from vision_agent.rtc.own.aiortc import RTCSessionDescription


async def test_a_peer_that_does_not_connect_is_let_go_in_time():
    leftovers = Leftovers()
    listener = Listener()
    peer = Peer(listener, Speaker(), connect_timeout_s=0.5)
    began = time.monotonic()
    await peer.accept(Offer.parse(CHROMIUM))
    await until(lambda: listener.closed)
    assert time.monotonic() - began < 3
    assert "did not connect" in listener.closed[0]
    await peer.close()
    await leftovers.nothing()
    assert len(listener.closed) == 1


async def test_a_peer_whose_handshake_never_ends_is_let_go_soon(call: Call, monkeypatch):
    monkeypatch.setattr("vision_agent.rtc.liveness.HANDSHAKE_S", 1.0)
    call.caller.addTrack(SoundSource())
    offer = Offer.parse(await call.offer())
    call.peer = Peer(call.listener, call.voice)
    answer = await call.peer.accept(offer)
    released = asyncio.Event()

    async def never(parameters: object) -> None:
        await released.wait()

    call.caller.getTransceivers()[0].receiver.transport.start = never
    await call.caller.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    await until(lambda: call.listener.closed)
    assert "handshake" in call.listener.closed[0]
    released.set()


async def test_a_peer_that_vanishes_is_noticed_in_time_and_nothing_of_it_stays():
    leftovers = Leftovers()
    call = Call()
    whole(call)
    peer = await call.connect(vanished_after_s=2)
    call.run(Microphone(lambda chunk: None).run(call.listener.microphones[0]))
    call.run(Camera(lambda frame: None).run(call.listener.cameras[0]))
    await asyncio.sleep(0.5)
    cut_the_cable(call.caller)
    began = time.monotonic()
    await until(lambda: call.listener.closed, 6)
    assert 1.5 < time.monotonic() - began < 4
    assert "nothing was heard" in call.listener.closed[0]
    await peer.close()
    await call.close()
    await leftovers.nothing()


async def test_a_caller_who_sends_neither_sound_nor_frames_is_still_there(call: Call):
    # Like a caller that has removed its tracks: only RTCP and consent checks arrive.
    call.caller.addTransceiver("audio", direction="recvonly")
    call.caller.createDataChannel("chat")
    await call.connect(vanished_after_s=8)
    await asyncio.sleep(11)
    assert call.listener.closed == []


async def test_a_caller_who_only_pings_is_still_there(call: Call):
    channel = call.caller.createDataChannel("chat")
    await call.connect(vanished_after_s=2)
    await until(lambda: channel.readyState == "open")
    for _ in range(12):
        channel.send("ping: 1")
        await asyncio.sleep(0.25)
    assert call.listener.closed == []


async def test_a_stall_of_this_process_is_not_taken_for_a_peer_that_vanished(call: Call):
    whole(call)
    await call.connect(vanished_after_s=1)
    for _ in range(3):
        time.sleep(1.5)  # noqa: ASYNC251 - the stall
        await asyncio.sleep(0.1)
    await asyncio.sleep(1)
    assert call.listener.closed == []


async def test_a_caller_who_hangs_up_ends_the_call(call: Call):
    whole(call)
    await call.connect()
    await call.caller.close()
    await until(lambda: call.listener.closed, 5)
    assert "hung up" in call.listener.closed[0]


async def test_closing_is_told_once_with_its_reason_however_often_it_is_asked_for(call: Call):
    whole(call)
    peer = await call.connect()
    await asyncio.wait_for(
        asyncio.gather(peer.close("the agent said goodbye"), peer.close("x"), peer.close()), 7
    )
    await peer.close("y")
    assert call.listener.closed == ["the agent said goodbye"]
    assert call.voice.readyState == "ended"


async def test_a_closed_call_leaves_no_task_thread_or_file_behind():
    leftovers = Leftovers()
    for _ in range(2):
        call = Call()
        whole(call)
        await call.connect()
        frames = []
        call.run(Microphone(lambda chunk: None).run(call.listener.microphones[0]))
        call.run(Camera(frames.append).run(call.listener.cameras[0]))
        await until(lambda frames=frames: frames)
        began = time.monotonic()
        await call.peer.close()
        assert time.monotonic() - began < 2
        await call.close()
    await leftovers.nothing()


async def test_tracks_that_nobody_reads_stay_small_and_do_not_delay_closing(call: Call):
    whole(call)
    await call.connect()
    await asyncio.sleep(3)
    for tracks in (call.listener.microphones, call.listener.cameras, call.listener.screens):
        assert tracks[0]._queue.qsize() <= 100
    began = time.monotonic()
    await call.peer.close()
    assert time.monotonic() - began < 1


async def test_a_close_that_hangs_in_aiortc_is_bounded_and_frees_the_sockets(monkeypatch):
    leftovers = Leftovers()
    monkeypatch.setattr("vision_agent.rtc.peer.CLOSE_TIMEOUT_S", 0.3)
    call = Call()
    call.caller.addTrack(SoundSource())
    peer = await call.connect()
    closing = peer._pc.close

    released = asyncio.Event()

    async def hanging() -> None:
        await released.wait()

    peer._pc.close = hanging
    await asyncio.wait_for(peer.close(), 3)
    connection = peer._pc.getTransceivers()[0].receiver.transport.transport._connection
    assert connection._protocols == []
    peer._pc.close = closing
    released.set()
    await closing()
    await call.close()
    await leftovers.nothing()


async def test_a_listener_that_fails_on_being_told_does_not_keep_the_sockets_open():
    leftovers = Leftovers()

    class Failing(Listener):
        def on_closed(self, reason: str) -> None:
            super().on_closed(reason)
            raise LookupError("nobody there")

    listener = Failing()
    peer = Peer(listener, Speaker())
    await peer.accept(Offer.parse(CHROMIUM))
    await peer.close("done")
    await leftovers.nothing()
    assert listener.closed == ["done"]


async def test_closing_before_any_offer_is_harmless():
    listener = Listener()
    peer = Peer(listener, Speaker())
    await peer.close("never mind")
    assert listener.closed == ["never mind"]
    with pytest.raises(RuntimeError):
        await peer.accept(Offer.parse(CHROMIUM))


async def test_a_strangers_datagrams_do_not_keep_a_vanished_callers_line(call: Call):
    whole(call)
    await call.connect(vanished_after_s=2)
    connection = call.peer._pc.getTransceivers()[0].receiver.transport.transport._connection
    [pair] = connection._nominated.values()
    cut_the_cable(call.caller)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.bind(("127.0.0.2", 0))
        while not call.listener.closed:
            for data in (b"x", b"\x80\x6f" + bytes(40), b"\x17\xfe\xfd" + bytes(40)):
                stranger.sendto(data, pair.local_addr)
            await asyncio.sleep(0.05)
    assert "nothing was heard" in call.listener.closed[0]


async def test_garbage_from_the_callers_own_address_does_not_keep_its_line(call: Call):
    whole(call)
    await call.connect(vanished_after_s=2)
    [pair] = call.caller.getTransceivers()[
        0
    ].receiver.transport.transport._connection._nominated.values()
    send = pair.protocol.transport.sendto
    cut_the_cable(call.caller)
    while not call.listener.closed:
        for data in (b"\x80\x6f" + bytes(40), b"\x17\xfe\xfd" + bytes(40)):
            send(data, pair.remote_addr)
        await asyncio.sleep(0.05)
    assert "nothing was heard" in call.listener.closed[0]
