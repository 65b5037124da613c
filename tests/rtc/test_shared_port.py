"""Many calls on one UDP port, each a real peer that speaks in a pitch of its own."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
import pytest
from av import AudioFrame

from tests.rtc.calling import Call, Leftovers, SoundSource, connection_of, pitch_hz, tone
from tests.rtc.stun_server import Answering
from tests.support.waiting import until
from vision_agent.rtc import Network, Offer, Peer
from vision_agent.rtc.opus_decoder import Sound
from vision_agent.rtc.own import aioice
from vision_agent.rtc.own.aiortc import RTCIceServer, RTCSessionDescription
from vision_agent.rtc.udp_ports import NoFreePort, OnePort, PortRange, bound_to

CALLS = 22


@asynccontextmanager
async def port_on(*addresses: str) -> AsyncIterator[OnePort]:
    port = OnePort(0, needed=True)
    port.bind(addresses)
    await port.start()
    try:
        yield port
    finally:
        await port.close()


def first_channel(frame: AudioFrame | Sound) -> np.ndarray:
    if isinstance(frame, Sound):
        return np.frombuffer(frame.pcm, np.int16)
    return frame.to_ndarray().reshape(-1)[:: len(frame.layout.channels)]


async def pitch_of(track: object, wanted_hz: float) -> None:
    """Receive until there is loud sound, and check that it has this pitch."""
    samples = np.zeros(0, np.int16)
    async with asyncio.timeout(30):
        while True:
            frame = await track.recv()
            samples = np.append(samples, first_channel(frame))[-9600:]
            loud = len(samples) == 9600 and np.abs(samples[-960:].astype(int)).max() > 1000
            if loud:
                assert abs(pitch_hz(samples, frame.sample_rate) - wanted_hz) < 15
                return


async def test_twenty_two_calls_over_one_port_hear_and_are_heard_each_by_its_own_peer(one_port):
    leftovers = Leftovers()
    calls = [Call() for _ in range(CALLS)]
    pitches = [300.0 + 60 * n for n in range(CALLS)]
    try:
        for call, hz in zip(calls, pitches, strict=True):
            call.caller.addTrack(SoundSource(np.tile(tone(hz, 1, 48_000), 60)))
            call.voice.write(np.tile(tone(hz + 30, 1, 24_000), 20).tobytes())
        network = Network("127.0.0.1", ports=one_port)
        await asyncio.gather(*(call.connect(network=network) for call in calls))
        ports = {
            p.local_candidate.port for c in calls for p in connection_of(c.peer._pc)._protocols
        }
        assert ports == {one_port.port}
        heard = [
            pitch_of(call.listener.microphones[0], hz)
            for call, hz in zip(calls, pitches, strict=True)
        ]
        hearing = [
            pitch_of(call.heard[0], hz + 30) for call, hz in zip(calls, pitches, strict=True)
        ]
        await asyncio.gather(*heard, *hearing)
    finally:
        await asyncio.gather(*(call.close() for call in calls))
    [shared] = one_port._sockets.values()
    assert not shared.members
    await leftovers.nothing()


async def test_a_restarted_call_has_two_connections_on_the_port_until_the_old_one_is_closed(
    one_port, call
):
    network = Network("127.0.0.1", ports=one_port)
    call.caller.addTrack(SoundSource())
    await call.connect(network=network)
    again = Call()
    again.caller.addTrack(SoundSource())
    await again.connect(network=network)
    call.peer.retire("it is replaced")
    [shared] = one_port._sockets.values()
    await until(lambda: len(shared.members) == 1)
    transport = again.caller.getTransceivers()[0].receiver.transport
    verified = transport.verified
    await until(lambda: transport.verified > verified + 5)
    await again.close()


async def test_calls_over_ipv6_share_the_port(monkeypatch):
    monkeypatch.setattr(aioice.ice, "get_host_addresses", lambda use_ipv4, use_ipv6: ["::1"])
    async with port_on("::1") as port:
        for _ in range(2):
            call = Call()
            call.caller.addTrack(SoundSource())
            await call.connect(network=Network("::1", ports=port))
            [pair] = connection_of(call.peer._pc)._nominated.values()
            assert pair.local_addr == ("::1", port.port)
            await call.close()


async def test_an_address_that_the_machine_has_since_the_start_gets_the_port_too(call, monkeypatch):
    monkeypatch.setattr(aioice.ice, "get_host_addresses", lambda use_ipv4, use_ipv6: ["127.0.0.4"])
    async with port_on("127.0.0.1") as port:
        call.caller.addTrack(SoundSource())
        offer = Offer.parse(await call.offer())
        call.peer = Peer(call.listener, call.voice, network=Network("127.0.0.4", ports=port))
        answer = await call.peer.accept(offer)
        assert f"127.0.0.4 {port.port} typ host" in answer
        await call.caller.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        await until(lambda: call.listener.connected)
        await call.close()


async def test_sections_that_are_not_bundled_have_connections_of_their_own_on_the_port(one_port):
    call = Call()
    call.caller.addTrack(SoundSource())
    call.caller.createDataChannel("chat")
    sdp = await call.offer()
    sdp = "".join(f"{line}\r\n" for line in sdp.splitlines() if not line.startswith("a=group"))
    network = Network("127.0.0.1", ports=one_port)
    call.peer = Peer(call.listener, call.voice, network=network)
    answer = await call.peer.accept(Offer.parse(sdp))
    [shared] = one_port._sockets.values()
    assert len(shared.members) == 2
    assert answer.count("a=ice-ufrag:") == 2
    assert all(f"a=ice-ufrag:{fragment.decode()}" in answer for fragment in shared.members)
    await call.close()


async def test_a_stun_server_is_asked_from_the_shared_port_and_answers_the_call_that_asked(
    one_port,
):
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        Answering, local_addr=("127.0.0.1", 0)
    )
    url = f"stun:127.0.0.1:{transport.get_extra_info('sockname')[1]}"
    call = Call()
    call.caller.addTrack(SoundSource())
    network = Network("127.0.0.1", ports=one_port)
    away = RTCIceServer("stun:127.0.0.1:9")
    await call.connect(network=network, ice_servers=[away, RTCIceServer(url)])
    assert f"203.0.113.5 4242 typ srflx raddr 127.0.0.1 rport {one_port.port}" in call.answer
    await call.close()
    transport.close()


async def test_names_tcp_and_link_local_candidates_cost_no_lookup_and_keep_nobody_out(
    one_port, monkeypatch
):
    def looked_up(*args: object, **kwargs: object) -> None:
        raise AssertionError("a name was looked up")

    call = Call()
    call.caller.addTrack(SoundSource())
    lines = (await call.offer()).splitlines()
    hidden = [
        f"a=candidate:{n} 1 {kind} typ host"
        for n, kind in enumerate(
            (
                "udp 9 b2c1d0e4-3f5a-4c6b-8d7e-9f0a1b2c3d4e.local 50000",
                "tcp 8 192.0.2.7 9",
                "udp 7 169.254.7.7 50000",
                "udp 6 fe80::7 50000",
                "udp 5 10.0.0.1 53",
            )
        )
    ]
    lines = [line for line in lines if not line.startswith("a=candidate")] + hidden
    offer = Offer.parse("".join(f"{line}\r\n" for line in lines))
    assert len(offer.candidates) == len(hidden)
    call.peer = Peer(call.listener, call.voice, network=Network("127.0.0.1", ports=one_port))
    monkeypatch.setattr(socket, "getaddrinfo", looked_up)
    monkeypatch.setattr(aioice.ice, "get_or_create_mdns_protocol", looked_up)
    answer = await call.peer.accept(offer)
    assert connection_of(call.peer._pc).remote_candidates == []
    await call.caller.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    await until(lambda: call.listener.connected)
    await call.close()


async def test_each_call_has_a_port_of_the_range_and_a_call_too_many_is_refused_in_words():
    with bound_to("127.0.0.1", 0) as free:
        first = free.getsockname()[1]
    network = Network("127.0.0.1", ports=PortRange(first, first))
    calls = [Call(), Call(), Call()]
    for call in calls:
        call.caller.addTrack(SoundSource())
    await calls[0].connect(network=network)
    assert f" {first} typ host" in calls[0].answer
    with pytest.raises(NoFreePort, match=f"All UDP ports from {first} to {first} are taken"):
        await calls[1].connect(network=network)
    await calls[0].close()
    await calls[2].connect(network=network)
    for call in calls:
        await call.close()
