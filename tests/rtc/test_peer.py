"""None"""

import asyncio
import contextlib
import socket
import time

import pytest

from tests.rtc.calling import Call, FrameSource, Leftovers, Listener, SoundSource
from tests.rtc.offer_texts import CHROMIUM, OFFERS
from tests.rtc.whole_call import whole
from tests.support.waiting import until
from vision_agent.rtc import (
    BadOffer,
    Microphone,
    Network,
    Offer,
    Peer,
    Speaker,
)
from vision_agent.rtc.aiortc_patches import decoder_queue_of
from vision_agent.rtc.own import aioice
from vision_agent.rtc.own.aiortc import RTCIceServer, RTCSessionDescription
from vision_agent.rtc.probes import MAX_PROBED


async def test_a_whole_call_connects_and_each_track_is_told_what_it_is(call: Call):
    whole(call)
    await call.connect()
    listener = call.listener
    await until(lambda: listener.channels)
    assert listener.connected == 1
    tracks = (listener.microphones, listener.cameras, listener.screens)
    assert [len(of_a_kind) for of_a_kind in tracks] == [1, 1, 1]
    assert listener.channels[0].label == "chat"
    assert [track.kind for track in call.heard].count("audio") == 1


async def test_a_screen_without_a_camera_is_not_taken_for_the_camera(call: Call):
    call.caller.addTrack(SoundSource())
    call.caller.addTransceiver("video", direction="recvonly")
    call.caller.addTransceiver(FrameSource(), direction="sendonly")
    await call.connect()
    assert call.listener.cameras == []
    assert len(call.listener.screens) == 1


async def test_parameter_sets_that_an_offer_states_of_the_screen_complete_its_frames(call: Call):
    whole(call)
    head, screen = (await call.offer()).rsplit("m=video", 1)
    stated = "sprop-parameter-sets=Z0IAKeKQFAe2AtwEBAaQeJEV,aM48gA==;packetization-mode=1"
    screen = screen.replace("packetization-mode=1", stated)
    assert stated in screen
    call.peer = Peer(call.listener, call.voice)
    await call.peer.accept(Offer.parse(f"{head}m=video{screen}"))
    slice = b"\0\0\0\1\x65\x88"
    begins = {}
    for name, (track,) in (("camera", call.listener.cameras), ("screen", call.listener.screens)):
        begins[name] = decoder_queue_of(track).parameter_sets.completed(slice, key=True)[4]
    assert begins == {"camera": 0x65, "screen": 0x67}


async def test_the_voice_is_on_the_first_section(call: Call):
    whole(call)
    await call.connect()
    sections = call.answer.split("m=")[1:]
    assert sections[0].startswith("audio")
    assert "a=sendrecv" in sections[0]
    assert "useinbandfec=1" in sections[0]
    assert "a=recvonly" in sections[1]
    assert "a=recvonly" in sections[2]


@pytest.mark.parametrize("what", ["sound", "video", "data"])
async def test_an_offer_of_one_thing_only_is_a_call_too(call: Call, what):
    if what == "sound":
        call.caller.addTrack(SoundSource())
    elif what == "video":
        call.caller.addTrack(FrameSource())
    else:
        call.caller.createDataChannel("chat")
    await call.connect(vanished_after_s=30)
    assert call.listener.connected == 1


async def test_the_answer_offers_the_loopback_address_besides_the_others(monkeypatch):
    monkeypatch.undo()
    addresses = aioice.ice.get_host_addresses(use_ipv4=True, use_ipv6=False)
    assert addresses.count("127.0.0.1") == 1
    assert "127.0.0.1" not in aioice.ice.get_host_addresses(use_ipv4=False, use_ipv6=True)


async def test_no_server_is_asked_for_addresses_unless_one_is_configured(call: Call):
    call.caller.addTrack(SoundSource())
    await call.connect()
    assert call.peer._pc.getTransceivers()[0].receiver.transport.transport.iceGatherer
    connection = call.peer._pc.getTransceivers()[0].receiver.transport.transport._connection
    assert connection.stun_server is None
    assert connection.turn_server is None


@pytest.mark.parametrize("scheme", ["turn", "stun"])
async def test_a_server_that_does_not_answer_holds_up_one_answer_only(call: Call, caplog, scheme):
    call.caller.addTrack(SoundSource())
    offer = Offer.parse(await call.offer())
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        silent.setblocking(False)
        url = f"{scheme}:127.0.0.1:{silent.getsockname()[1]}"
        was_asked = []
        for _ in range(2):
            server = RTCIceServer(url, username="u", credential="c")
            peer = Peer(call.listener, Speaker(), ice_servers=[server])
            assert "a=ice-ufrag" in await peer.accept(offer)
            await peer.close()
            was_asked.append(False)
            with contextlib.suppress(BlockingIOError):
                while silent.recv(1000):
                    was_asked[-1] = True
    assert was_asked == [True, False]
    assert [url in record.message for record in caplog.records].count(True) == 1


async def test_a_real_browsers_offer_is_answered_within_a_second():
    leftovers = Leftovers()
    peer = Peer(Listener(), Speaker())
    began = time.monotonic()
    answer = await peer.accept(Offer.parse(CHROMIUM))
    assert time.monotonic() - began < 1  # hidden (mDNS) addresses are not asked for
    assert [line.split()[0] for line in answer.splitlines() if line.startswith("m=")] == [
        "m=audio", "m=video", "m=video", "m=application",
    ]  # fmt: skip
    await peer.close()
    await leftovers.nothing()


async def test_candidates_that_come_later_connect_the_call(call: Call):
    whole(call)
    offer = await call.offer()
    lines = offer.splitlines()
    candidates = [line[2:] for line in lines if line.startswith("a=candidate")]
    bare = [x for x in lines if not x.startswith(("a=candidate", "a=end-of"))]
    peer = call.peer = Peer(call.listener, call.voice)
    answer = await peer.accept(Offer.parse("\r\n".join(bare) + "\r\n"))
    # The caller gets no candidates of the peer: only its own, sent later, can connect the call.
    told = [x for x in answer.splitlines() if not x.startswith(("a=candidate", "a=end-of"))]
    await call.caller.setRemoteDescription(RTCSessionDescription("\r\n".join(told), "answer"))
    await peer.add_candidates(
        [
            *({"candidate": text, "sdp_mid": "0", "sdp_mline_index": 0} for text in candidates),
            {"candidate": "", "sdp_mid": "0", "sdp_mline_index": 0},
        ]
    )
    await until(lambda: call.listener.connected)


@pytest.mark.parametrize(
    "candidate",
    [
        {"candidate": "nonsense", "sdp_mid": "0", "sdp_mline_index": 0},
        {"candidate": "1 1 udp 1 1.2.3.4 99999 typ host", "sdp_mid": "0", "sdp_mline_index": 0},
        {"candidate": "1 1 udp x 1.2.3.4 5 typ host", "sdp_mid": "0", "sdp_mline_index": 0},
        {"candidate": "1 1 udp 1 1.2.3.4 5 typ host"},
        {"candidate": 5},
        {"candidate": "x" * 10_000},
        {},
        "candidate",
    ],
)
async def test_bad_candidates_are_refused_and_the_call_goes_on(call: Call, candidate):
    whole(call)
    peer = await call.connect()
    with pytest.raises(BadOffer, match=r"\.$"):
        await peer.add_candidates([candidate])
    assert call.listener.closed == []


async def test_candidates_are_bounded(call: Call):
    call.caller.addTrack(SoundSource())
    peer = await call.connect()
    many = [
        {"candidate": f"1 1 udp 1 192.0.2.1 {n} typ host", "sdp_mid": "0", "sdp_mline_index": 0}
        for n in range(1, 200)
    ]
    with pytest.raises(BadOffer, match="At most"):
        await peer.add_candidates(many)


async def test_candidates_before_the_offer_are_refused():
    with pytest.raises(BadOffer):
        await Peer(Listener(), Speaker()).add_candidates([{"candidate": ""}])


async def test_a_peer_takes_one_offer(call: Call):
    call.caller.addTrack(SoundSource())
    peer = await call.connect()
    with pytest.raises(RuntimeError):
        await peer.accept(Offer.parse(CHROMIUM))


async def test_a_caller_with_ice_lite_is_checked_and_nominated_by_this_side(call: Call):
    """A lite agent, such as a gateway with a public address, only answers checks (RFC 8445 2.5)."""
    call.caller.addTrack(SoundSource())
    lite = "\r\na=ice-lite\r\nm=audio"
    sdp = (await call.offer()).replace("\r\nm=audio", lite, 1)
    ice = call.caller.getTransceivers()[0].receiver.transport.transport._connection

    async def only_answer(pair):
        ice.check_state(pair, pair.State.SUCCEEDED)
        pair.nominated = pair.remote_nominated
        ice.check_complete(pair)

    ice.check_start = only_answer
    ice.ice_controlling = False
    call.peer = Peer(call.listener, call.voice)
    answer = await call.peer.accept(Offer.parse(sdp))
    await call.caller.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    await until(lambda: call.listener.connected, what="connected")
    chunks: list[bytes] = []
    call.run(Microphone(chunks.append).run(call.listener.microphones[0]))
    await until(lambda: len(chunks) > 50, what="the caller's voice")
    await asyncio.wait_for(call.heard[0].recv(), 5)


async def test_a_peer_that_is_retired_while_it_connects_says_goodbye_and_tells_nobody_here():
    leftovers = Leftovers()
    call = Call()
    call.caller.addTrack(SoundSource())
    call.peer = Peer(call.listener, call.voice)
    answer = await call.peer.accept(Offer.parse(await call.offer()))
    call.peer.retire("replaced by a new connection")
    await call.caller.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    await until(lambda: call.caller.connectionState == "closed", what="the caller is told")
    assert call.listener.connected == 0
    assert call.listener.closed == []
    await call.close()
    await leftovers.nothing()


async def test_at_most_ten_addresses_that_a_caller_names_get_checks_offered_and_trickled():
    victims = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(30)]
    for victim in victims:
        victim.bind(("127.0.0.9", 0))
        victim.setblocking(False)
    named = [
        f"{n} 1 udp {1000 - n} 127.0.0.9 {victim.getsockname()[1]} typ host"
        for n, victim in enumerate(victims)
    ]
    offered = "".join(f"a=candidate:{text}\r\n" for text in named[:15])
    listener = Listener()
    peer = Peer(listener, Speaker(), connect_timeout_s=3)
    await peer.accept(Offer.parse(OFFERS["h264_baseline"] + offered))
    await peer.add_candidates(
        [{"candidate": text, "sdp_mid": "0", "sdp_mline_index": 0} for text in named[15:]]
    )
    await until(lambda: listener.closed)
    asked = 0
    for victim in victims:
        with contextlib.suppress(BlockingIOError):
            victim.recv(2000)
            asked += 1
        victim.close()
    assert asked == MAX_PROBED
    await peer.close()


async def test_addresses_that_are_no_single_machines_are_neither_checked_nor_a_mistake():
    peer = Peer(Listener(), Speaker(), network=Network(caller_is_local=False))
    await peer.accept(Offer.parse(OFFERS["h264_baseline"]))
    for host in ("127.0.0.1", "::1", "169.254.169.254", "224.0.0.251", "255.255.255.255"):
        text = f"1 1 udp 1 {host} 9 typ host"
        await peer.add_candidates([{"candidate": text, "sdp_mid": "0"}])
    connection = peer._pc.getTransceivers()[0].receiver.transport.transport._connection
    assert connection.remote_candidates == []
    await peer.close()


async def test_a_caller_whose_addresses_get_no_checks_connects_by_its_own(call: Call):
    call.caller.addTrack(SoundSource())
    offer = Offer.parse(await call.offer())
    assert offer.candidates
    network = Network(caller_is_local=False)  # so that loopback candidates are left out
    call.peer = Peer(call.listener, call.voice, network=network)
    answer = await call.peer.accept(offer)
    await call.caller.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    await until(lambda: call.listener.connected)


async def test_a_watch_that_fails_ends_the_call_in_words(call: Call, monkeypatch, caplog):
    def broken(self: object) -> int:
        raise LookupError("the count is broken")

    monkeypatch.setattr("vision_agent.rtc.aiortc_patches.Transports.checks", broken)
    call.caller.addTrack(SoundSource())
    call.peer = Peer(call.listener, call.voice, vanished_after_s=1)
    await call.peer.accept(Offer.parse(await call.offer()))
    await until(lambda: call.listener.closed)
    assert "watching the connection failed" in call.listener.closed[0]
    assert "the count is broken" in caplog.text
