"""Datagrams from strangers and from the caller's own address, on real sockets."""

import asyncio
import contextlib
import os
import random
import socket
import struct
from collections.abc import Iterator

import pylibsrtp
import pytest

from tests.rtc.calling import Call, FrameSource, Leftovers, SoundSource, connection_of
from tests.support.waiting import until
from vision_agent.rtc import Network, Offer, Peer, aiortc_ice, aiortc_socket, failures
from vision_agent.rtc.aiortc_ice import MAX_LEARNT_ADDRESSES, GuardedConnection
from vision_agent.rtc.aiortc_socket import GuardedProtocol
from vision_agent.rtc.own import aioice
from vision_agent.rtc.own.aioice import stun
from vision_agent.rtc.own.aiortc import RTCPeerConnection, RTCSessionDescription
from vision_agent.rtc.udp_ports import OnePort


def server_ports(call: Call) -> list[int]:
    return [p.local_candidate.port for p in connection_of(call.peer._pc)._protocols]


def protocol_of(pc: RTCPeerConnection) -> GuardedProtocol:
    [pair] = connection_of(pc)._nominated.values()
    return pair.protocol


@pytest.fixture(params=["a socket of its own", "one port for all calls"])
async def live(one_port: OnePort, call: Call, request: pytest.FixtureRequest) -> Call:
    """A connected call with audio, video and a data channel."""
    shares = request.param == "one port for all calls"
    call.caller.addTrack(SoundSource())
    call.caller.addTransceiver(FrameSource(), direction="sendonly")
    call.channel = call.caller.createDataChannel("chat")
    await call.connect(network=Network("127.0.0.1", ports=one_port if shares else None))
    await until(lambda: call.channel.readyState == "open" and call.listener.channels)
    assert server_ports(call) == [one_port.port] or not shares
    return call


@pytest.fixture
def stranger() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.bind(("127.0.0.2", 0))
        yield stranger


async def goes_on(call: Call) -> None:
    """Check that the caller's messages still arrive at the peer, and the voice at the caller."""
    got: list[str] = []
    call.listener.channels[0].on("message", got.append)
    call.channel.send("still here")
    await until(lambda: got == ["still here"], what="the channel works")
    sent = connection_of(call.caller)
    transport = call.caller.sctp.transport
    verified = transport.verified
    await until(lambda: transport.verified > verified + 5, what="the voice arrives")
    assert sent._nominated
    assert call.listener.closed == []


def malformed() -> list[bytes]:
    """Malformed datagrams: empty, random, and truncated packets of each protocol."""
    dice = random.Random(4)
    request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    request.attributes["USERNAME"] = "who:me"
    request.attributes["PRIORITY"] = 1
    request.add_message_integrity(b"wrong")
    whole = {
        "stun": bytes(request),
        "dtls": b"\x16\xfe\xfd" + bytes(8) + struct.pack("!H", 60) + bytes(60),
        "alert": b"\x15\xfe\xfd" + bytes(8) + b"\x00\x02\x02\x28",
        "rtp": b"\x80\x6f" + bytes(40),
        "rtcp": b"\x81\xc9\x00\x07" + bytes(28),
    }
    datagrams = [b""]
    datagrams += [bytes([first]) for first in range(256)]
    datagrams += [bytes([first]) + dice.randbytes(dice.randint(1, 90)) for first in range(256)]
    datagrams += [text[:length] for text in whole.values() for length in range(len(text))]
    # Attributes of a wrong length after a valid header.
    for kind in (0x0006, 0x0008, 0x0009, 0x0020, 0x0024, 0x8028, 0x8029):
        for length in (0, 1, 3, 5):
            body = struct.pack("!HH", kind, length) + bytes(length) + bytes(-length % 4)
            datagrams.append(struct.pack("!HHI", 1, len(body), stun.COOKIE) + os.urandom(12) + body)
    return datagrams


async def test_no_datagram_of_a_stranger_ends_a_call(live: Call, stranger):
    for n, data in enumerate(malformed()):
        for port in server_ports(live):
            stranger.sendto(data, ("127.0.0.1", port))
        if n % 20 == 0:
            await asyncio.sleep(0)
    await goes_on(live)


async def test_no_datagram_from_the_callers_own_address_ends_a_call(live: Call):
    connection = connection_of(live.caller)
    [pair] = connection._nominated.values()
    for n, data in enumerate(malformed()):
        pair.protocol.transport.sendto(data, pair.remote_addr)
        if n % 20 == 0:
            await asyncio.sleep(0)
    await goes_on(live)


@pytest.fixture
def quick_consent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aiortc_ice, "CONSENT_EVERY_S", 0.05)


async def test_consent_is_kept_by_answers_that_take_longer_than_aioice_waits(quick_consent, live):
    connection, path = connection_of(live.peer._pc), protocol_of(live.caller)
    late: list[float] = []

    def send_late(message: stun.Message, addr: tuple[str, int], send=path.send_stun) -> None:
        late.append(aioice.stun.RETRY_RTO * 1.2)
        asyncio.get_running_loop().call_later(late[-1], send, message, addr)

    path.send_stun = send_late
    await until(lambda: late, 10, what="a check was sent")
    checks = connection.checks
    await until(lambda: connection.checks >= checks + 4, 15, what="late answers count")
    assert not connection.consent_expired
    del path.send_stun
    await goes_on(live)


async def test_a_peer_that_sends_and_answers_no_consent_check_is_given_up(
    quick_consent, live, monkeypatch
):
    monkeypatch.setattr(aiortc_socket, "CONSENT_ANSWER_S", 0.05)
    protocol_of(live.caller).send_stun = lambda message, addr: None
    await until(lambda: live.listener.closed, 15)
    assert live.listener.closed == ["the peer answers no more"]


async def test_what_is_not_stun_does_not_reach_dtls_from_a_stranger(live: Call, stranger):
    connection = connection_of(live.peer._pc)
    [pair] = connection._nominated.values()
    let_in, dropped = pair.protocol.data_packets, failures.dropped_datagrams
    reached: list[bytes] = []
    stock, take_media = aioice.ice.Connection.data_received, connection.take_media

    def watched(self: object, data: bytes, component: int) -> None:
        reached.append(data)
        stock(self, data, component)

    def taking(data: bytes) -> bool:
        if taken := take_media(data):
            reached.append(data)
        return taken

    connection.take_media = taking
    aioice.ice.Connection.data_received = watched
    try:
        for data in (b"", b"\x16" * 40, b"\x80" * 40, b"\x40" * 40, b"\x00" * 5):
            stranger.sendto(data, ("127.0.0.1", pair.local_candidate.port))
        await until(lambda: failures.dropped_datagrams >= dropped + 5)
        await until(lambda: pair.protocol.data_packets > let_in)
    finally:
        aioice.ice.Connection.data_received = stock
    assert reached
    assert not [data for data in reached if data in (b"\x16" * 40, b"\x80" * 40, b"\x00" * 5)]


async def test_a_callers_dtls_is_let_in_before_a_check_of_ours_has_succeeded(call: Call):
    # This side answers the caller's checks, and gets no answer to its own. A caller whose check
    # has succeeded may send (RFC 8445 12.1).
    call.caller.addTrack(SoundSource())
    offer = Offer.parse(await call.offer())
    peer = call.peer = Peer(call.listener, call.voice)
    answer = await peer.accept(offer)
    connection = connection_of(peer._pc)

    async def unanswered(self: object, *args: object, **kwargs: object) -> None:
        await asyncio.sleep(3600)

    for protocol in connection._protocols:
        protocol.request = unanswered.__get__(protocol)
    await call.caller.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    await until(lambda: any(p.data_packets for p in connection._protocols), what="DTLS is let in")


async def test_addresses_learnt_from_checks_are_bounded(live: Call):
    connection = connection_of(live.peer._pc)
    [port] = server_ports(live)
    before = len(connection._remote_candidates)
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(40)]
    for client in sockets:
        client.bind(("127.0.0.3", 0))
        request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
        request.attributes["USERNAME"] = f"{connection.local_username}:{connection.remote_username}"
        request.attributes["PRIORITY"] = 1
        request.attributes["ICE-CONTROLLING"] = 1
        request.add_message_integrity(connection.local_password.encode())
        client.sendto(bytes(request), ("127.0.0.1", port))
    await until(lambda: len(connection._remote_candidates) > before)
    await goes_on(live)
    assert len(connection._remote_candidates) <= before + MAX_LEARNT_ADDRESSES
    for client in sockets:
        client.close()


async def test_an_authenticated_check_without_its_attributes_ends_nothing(live: Call):
    server = connection_of(live.peer._pc)
    [pair] = connection_of(live.caller)._nominated.values()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        for attributes in ({}, {"USE-CANDIDATE": None}, {"ICE-CONTROLLED": 1}):
            request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
            request.attributes["USERNAME"] = f"{server.local_username}:{server.remote_username}"
            request.attributes.update(attributes)
            request.add_message_integrity(server.local_password.encode())
            client.sendto(bytes(request), pair.remote_addr)
    await goes_on(live)


async def test_a_strangers_check_is_not_answered(live: Call, stranger):
    request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    connection = connection_of(live.peer._pc)
    stranger.settimeout(0)
    for key in (None, b"wrong"):
        request.attributes["USERNAME"] = f"{connection.local_username}:x"
        if key:
            request.add_message_integrity(key)
        dropped = failures.dropped_datagrams
        stranger.sendto(bytes(request), ("127.0.0.1", server_ports(live)[0]))
        await until(lambda dropped=dropped: failures.dropped_datagrams > dropped)
    with pytest.raises(BlockingIOError):
        stranger.recv(2000)


async def test_no_authenticated_packet_of_the_caller_ends_a_call(live: Call):
    dice = random.Random(6)
    transport = live.caller.sctp.transport
    for first in range(256):
        for length in (0, 1, 3, 11, 12, 40, 200):
            data = bytes([first]) + dice.randbytes(length)
            await transport._send_data(data)
            if 128 <= first < 192 and length >= 11:
                with contextlib.suppress(pylibsrtp.Error):
                    await transport._send_rtp(data)
        await asyncio.sleep(0)
    await goes_on(live)


async def test_sockets_over_which_nothing_goes_are_closed_once_connected(monkeypatch):
    monkeypatch.setattr(
        aioice.ice,
        "get_host_addresses",
        lambda use_ipv4, use_ipv6: ["127.0.0.1", "127.0.0.5", "127.0.0.6"],
    )
    leftovers = Leftovers()
    call = Call()
    call.caller.addTrack(SoundSource())
    call.channel = call.caller.createDataChannel("chat")
    await call.connect(vanished_after_s=1)  # checked every 125 ms
    connection = connection_of(call.peer._pc)
    assert len(connection._protocols) == 3
    await until(lambda: len(connection._protocols) == 1)
    await until(lambda: call.channel.readyState == "open")
    await goes_on(call)
    await call.close()
    await leftovers.nothing()


async def test_a_server_on_loopback_receives_media_on_loopback_only(monkeypatch):
    monkeypatch.undo()
    for network, expected in (
        (Network("127.0.0.1"), {"127.0.0.1"}),
        (Network(), {"127.0.0.1", *aioice.ice.get_host_addresses(True, True)}),
    ):
        call = Call()
        call.caller.addTrack(SoundSource())
        call.peer = Peer(call.listener, call.voice, network=network)
        answer = await call.peer.accept(Offer.parse(await call.offer()))
        bound = {p.local_candidate.host for p in connection_of(call.peer._pc)._protocols}
        assert bound == expected
        await call.caller.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        await until(lambda call=call: call.listener.connected)
        await call.close()


@pytest.mark.parametrize("moment", range(12))
async def test_closing_at_any_moment_of_connecting_leaves_no_task_behind(moment):
    leftovers = Leftovers()
    call = Call()
    call.caller.addTrack(SoundSource())
    call.peer = Peer(call.listener, call.voice)
    answer = await call.peer.accept(Offer.parse(await call.offer()))
    connection = connection_of(call.peer._pc)
    await call.caller.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    await until(lambda: connection._nominated)
    for _ in range(moment):
        await asyncio.sleep(0)
    await call.peer.close()
    await call.caller.close()
    await leftovers.nothing(within_s=4)


async def test_a_connection_that_is_closed_at_once_does_not_block_the_event_loop():
    connection = GuardedConnection(ice_controlling=False)
    await connection.close()
    # aiortc polls until it gets this event, in a loop that suspends nowhere else.
    assert isinstance(await connection.get_event(), aioice.ice.ConnectionClosed)
