import asyncio
import contextlib
import random
import re
import socket
import time

import pytest

from tests.rtc.calling import Call, FrameSource, Leftovers, Listener, SoundSource
from tests.rtc.offer_texts import CHROMIUM, OFFERS, RECORDED
from tests.rtc.strict_client import faults
from tests.support.waiting import until
from vision_agent.rtc import (
    BadOffer,
    Camera,
    CannotRenegotiate,
    Microphone,
    Network,
    Offer,
    Peer,
    Speaker,
)
from vision_agent.rtc.aiortc_patches import lane_of
from vision_agent.rtc.own import aioice
from vision_agent.rtc.own.aiortc import RTCIceServer, RTCPeerConnection, RTCSessionDescription
from vision_agent.rtc.probes import MAX_PROBED


def whole(call: Call) -> None:
    """Gives the caller what a browser has: sound, camera, screen, data."""
    call.caller.addTrack(SoundSource())
    call.caller.addTransceiver(FrameSource(), direction="sendrecv")
    call.caller.addTransceiver(FrameSource(), direction="sendonly")
    call.caller.createDataChannel("chat")


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
        begins[name] = lane_of(track).parameter_sets.completed(slice, key=True)[4]
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
    # The caller is not told where the peer is: only the candidates can make the call.
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


BROKEN = {
    "short candidate": ("a=mid:0", "a=mid:0\r\na=candidate:1"),
    "bad port": ("a=sctp-port:5000", "a=sctp-port:x"),
    "empty fingerprint": ("a=fingerprint:sha-256", "a=fingerprint:\r\na=x:"),
    "bad extmap": ("a=extmap:1 ", "a=extmap:x "),
    "version": ("v=0", "v=0x"),
}


@pytest.mark.parametrize("what", BROKEN)
async def test_what_can_not_be_read_is_a_bad_offer_and_leaves_nothing_behind(what):
    broken = CHROMIUM.replace(*BROKEN[what], 1)
    assert broken != CHROMIUM
    leftovers = Leftovers()
    listener = Listener()
    with pytest.raises(BadOffer, match=r"^[A-Z].*\.$"):
        await Peer(listener, Speaker()).accept(Offer.parse(broken))
    await leftovers.nothing()
    assert listener.closed == []


async def test_what_is_not_used_may_be_malformed():
    odd = CHROMIUM
    for before, after in [
        ("a=fmtp:111 ", "a=fmtp:99 "),
        (" 63 ", " x 72 "),
        ("a=rtpmap:63 red/48000/2", "a=rtpmap:63"),
        ("a=ssrc-group:FID ", "a=ssrc-group:FID x "),
        ("c=IN IP4 0.0.0.0", "c=IN IP4 host.example"),
        ("a=rtcp:9 IN IP4 0.0.0.0", "a=rtcp:x"),
        ("a=msid-semantic:", "a=msid-semantic"),
    ]:
        assert before in odd, before
        odd = odd.replace(before, after, 1)
    odd = re.sub(r"a=ssrc:\d+ cname", "a=ssrc:x cname", odd)
    peer = Peer(Listener(), Speaker())
    assert faults(odd, await peer.accept(Offer.parse("\r\n" + odd.replace("\r\n", "\n")))) == []
    await peer.close()


async def accepted(peer: Peer, sdp: str) -> str:
    return await peer.accept(Offer.parse(sdp))


@pytest.mark.parametrize("kind", [name for name in OFFERS if not name.startswith("refused_")])
async def test_offers_of_other_stacks_are_answered(kind):
    leftovers = Leftovers()
    offer = Offer.parse(OFFERS[kind])
    peer = Peer(Listener(), Speaker())
    answer = await peer.accept(offer)
    assert faults(OFFERS[kind], answer) == []
    await peer.close()
    await leftovers.nothing()


async def test_a_strict_client_accepts_the_answer_to_every_recorded_offer():
    wrong = {}
    for name, sdp in RECORDED.items():
        if "no-dtls" in name or "rtcp-without-port" in name:
            continue
        peer = Peer(Listener(), Speaker())
        wrong[name] = faults(sdp, await peer.accept(Offer.parse(sdp)))
        await peer.close()
    assert len(wrong) > 20
    assert {name: found for name, found in wrong.items() if found} == {}


async def test_a_video_on_which_nothing_is_sent_is_answered_in_its_own_codec():
    sdp = RECORDED["firefox-videofirst-bundleonly-audio-sendrecv-completed"].replace("VP8", "H261")
    peer = Peer(Listener(), Speaker())
    answer = await peer.accept(Offer.parse(sdp))
    assert faults(sdp, answer) == []
    assert "a=rtpmap:120 H261/90000" in answer.partition("m=audio")[0]
    assert "a=inactive" in answer.partition("m=audio")[0]
    await peer.close()


async def test_payload_types_below_96_are_the_same_in_the_answer():
    sdp = OFFERS["h264_baseline"].replace("126", "45")
    peer = Peer(Listener(), Speaker())
    answer = await peer.accept(Offer.parse(sdp))
    assert "a=rtpmap:45 H264/90000" in answer
    await peer.close()


async def test_offers_with_random_damage_are_answered_or_refused_and_leave_nothing_behind():
    dice = random.Random(5)
    originals = [CHROMIUM, *RECORDED.values()]
    answered, sentences = 0, set()
    leftovers = Leftovers()
    for _ in range(120):
        lines = dice.choice(originals).splitlines()
        for _ in range(dice.randint(1, 4)):
            at = dice.randrange(len(lines))
            match dice.randrange(5):
                case 0:
                    lines[at] = ""
                case 1:
                    lines[at] = lines[at][: dice.randint(0, len(lines[at]))]
                case 2:
                    lines.insert(at, lines[dice.randrange(len(lines))])
                case 3:
                    text = lines[at]
                    cut = dice.randint(0, len(text))
                    lines[at] = text[:cut] + dice.choice(" :=;/x9\t\x00é") + text[cut + 1 :]
                case 4:
                    other = dice.choice(originals).splitlines()
                    lines.insert(at, dice.choice(other))
        peer = Peer(Listener(), Speaker())
        try:
            await asyncio.wait_for(accepted(peer, "\r\n".join(lines) + "\r\n"), 5)
            answered += 1
        except BadOffer as refused:
            sentences.add(str(refused))
        await asyncio.wait_for(peer.close(), 7)
    assert 10 < answered < 120
    assert all(re.fullmatch(r"[A-Z][^\n]*\.", sentence) for sentence in sentences)
    await leftovers.nothing()


async def test_a_caller_with_ice_lite_is_checked_and_nominated_by_this_side(call: Call):
    """A lite agent, as gateways with a public address are, only answers checks (RFC 8445 2.5)."""
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


def cut_the_cable(pc: RTCPeerConnection) -> None:
    """Makes a peer vanish: it sends nothing more, not even a goodbye."""
    for transceiver in pc.getTransceivers():
        connection = transceiver.receiver.transport.transport._connection
        for protocol in connection._protocols:
            protocol.transport.sendto = lambda *args: None


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
    # Muted by taking the tracks away: what still comes is RTCP and consent checks.
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
