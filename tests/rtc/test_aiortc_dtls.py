"""DTLS, and failures in the tasks that aiortc starts and nobody awaits."""

import asyncio
import datetime
import logging
import struct

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.rtc.by_hand import OPUS_SILENCE, Line
from tests.rtc.calling import Call, SoundSource
from tests.support.waiting import until
from vision_agent.rtc import Offer, Peer, failures
from vision_agent.rtc.aiortc_dtls import (
    MAX_BAD_PACKETS_IN_A_ROW,
    AnyPeerCertificate,
    GuardedDtlsTransport,
)
from vision_agent.rtc.own.aiortc import RTCCertificate, RTCPeerConnection, RTCSessionDescription


def rsa_certificate() -> RTCCertificate:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "caller")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    # aiortc's own class offers no cipher suites for RSA keys.
    return AnyPeerCertificate(key, certificate)


def give_certificate(pc: RTCPeerConnection, certificate: RTCCertificate) -> None:
    setattr(pc, "_RTCPeerConnection__certificates", [certificate])  # noqa: B010


@pytest.mark.parametrize("role", ["actpass", "active", "passive"])
async def test_a_peer_with_an_rsa_certificate_connects_in_each_dtls_role(call: Call, role):
    give_certificate(call.caller, rsa_certificate())
    call.caller.addTrack(SoundSource())
    offer = (await call.offer()).replace("a=setup:actpass", f"a=setup:{role}")
    call.peer = Peer(call.listener, call.voice)
    answer = await call.peer.accept(Offer.parse(offer))
    assert ("a=setup:active" in answer) == (role == "passive")
    await call.caller.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    await until(lambda: call.listener.connected)


def dtls_of(call: Call) -> GuardedDtlsTransport:
    return call.peer._pc.getTransceivers()[0].receiver.transport


async def test_a_packet_that_cannot_be_handled_is_dropped_and_counted(call: Call, caplog):
    call.caller.addTrack(SoundSource())
    channel = call.caller.createDataChannel("chat")
    await call.connect()
    await until(lambda: channel.readyState == "open" and call.listener.channels)
    before = failures.counts["A packet could not be handled"]
    got: list[str] = []

    dtls = dtls_of(call)
    stock = dtls._data_receiver._handle_data

    async def handle(data: bytes) -> None:
        await stock(data)
        if b"bad" in data:
            raise LookupError("a bug below")

    dtls._data_receiver._handle_data = handle
    call.listener.channels[0].on("message", got.append)
    for text in ("bad", "bad", "good"):
        channel.send(text)
    await until(lambda: "good" in got)
    await until(lambda: failures.counts["A packet could not be handled"] == before + 2)
    assert len([r for r in caplog.records if "could not be handled" in r.message]) == 1
    assert call.listener.closed == []


async def test_a_receive_loop_that_fails_for_ever_ends_the_call_in_words(call: Call, caplog):
    call.caller.addTrack(SoundSource())
    await call.connect()
    dtls = dtls_of(call)
    calls = 0

    def broken() -> None:
        nonlocal calls
        calls += 1
        raise LookupError("the transport is broken")

    dtls.transport._recv = broken
    await until(lambda: call.listener.closed)
    assert calls == MAX_BAD_PACKETS_IN_A_ROW + 1
    assert call.listener.closed == ["the connection failed on the server: receiving failed"]
    assert "the transport is broken" in caplog.text


def media_by_hand(line: Line, sequence: int) -> bytes:
    head = struct.pack("!BBHII", 0x80, line.sound_type, sequence, sequence * 960, 7)
    sender = line.call.caller.getTransceivers()[0].sender
    encrypted: bytes = sender.transport._tx_srtp.protect(head + OPUS_SILENCE)
    return encrypted


async def test_media_goes_from_its_socket_to_its_receiver_in_one_step(line: Line):
    dtls = dtls_of(line.call)
    [pair] = dtls.transport._connection._nominated.values()
    for n in range(3):
        verified = dtls.verified
        pair.protocol.datagram_received(media_by_hand(line, n), pair.remote_addr)
        assert dtls.verified == verified + 1
        assert line.streams("audio")[7].packets_received == n + 1


async def test_media_does_not_overtake_what_waits_for_dtls(line: Line):
    connection = dtls_of(line.call).transport._connection
    [pair] = connection._nominated.values()
    pair.protocol.datagram_received(b"\x17\xfe\xfd" + bytes(60), pair.remote_addr)
    pair.protocol.datagram_received(media_by_hand(line, 1), pair.remote_addr)
    assert connection._queue.qsize() == 2
    await until(lambda: 7 in line.streams("audio"))


async def test_media_that_nothing_can_be_made_of_ends_the_call_in_words(line: Line, caplog):
    dtls = dtls_of(line.call)
    calls = 0

    def broken(packet: object) -> None:
        nonlocal calls
        calls += 1
        raise LookupError("the router is broken")

    dtls._router.route_rtp = broken
    for n in range(MAX_BAD_PACKETS_IN_A_ROW + 1):
        assert line.call.listener.closed == []
        await line.sound(n)
    await until(lambda: line.call.listener.closed)
    assert line.call.listener.closed == ["the connection failed on the server: receiving failed"]
    assert "the router is broken" in caplog.text


async def test_a_voice_that_can_no_longer_be_sent_ends_the_call_in_words(call: Call, caplog):
    call.caller.addTrack(SoundSource())
    await call.connect()

    def broken(pcm: bytes) -> None:
        raise LookupError("the encoder is broken")

    call.voice._encoder.encode = broken
    await until(lambda: call.listener.closed)
    assert call.listener.closed == ["the connection failed on the server: sending the voice failed"]
    assert "the encoder is broken" in caplog.text


async def test_a_task_of_aiortcs_that_fails_ends_the_call_in_words(call: Call, caplog, monkeypatch):
    async def broken(self: object, parameters: object) -> None:
        raise LookupError("the handshake is broken")

    call.caller.addTrack(SoundSource())
    offer = await call.offer()
    call.peer = Peer(call.listener, call.voice)
    answer = await call.peer.accept(Offer.parse(offer))
    dtls_of(call).start = broken.__get__(dtls_of(call))
    await call.caller.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    await until(lambda: call.listener.closed)
    assert "a task of the connection failed" in call.listener.closed[0]
    assert "the handshake is broken" in caplog.text


async def test_a_timer_of_the_data_channel_that_fails_ends_the_call_in_words(call: Call, caplog):
    channel = call.caller.createDataChannel("chat")
    await call.connect()
    await until(lambda: channel.readyState == "open")

    def broken(*args: object) -> None:
        raise LookupError("the timer is broken")

    sctp = call.peer._pc.sctp
    sctp._maybe_abandon = broken
    sctp._sent_queue.append(object())
    asyncio.get_running_loop().call_later(0, sctp._t3_expired)
    await until(lambda: call.listener.closed)
    assert "a timer of the data channel failed" in call.listener.closed[0]


async def test_only_authentic_packets_are_counted_as_such(call: Call):
    call.caller.addTrack(SoundSource())
    channel = call.caller.createDataChannel("chat")
    await call.connect()
    await until(lambda: channel.readyState == "open")
    dtls = dtls_of(call)
    verified = dtls.verified
    await until(lambda: dtls.verified > verified, what="sound counts")
    # From here on, the caller sends the test's packets only.
    for transceiver in call.caller.getTransceivers():
        await transceiver.sender.stop()
        await transceiver.receiver.stop()
    await until(lambda: dtls.transport._connection._queue.empty())
    verified = dtls.verified
    [pair] = call.caller.sctp.transport.transport._connection._nominated.values()
    for _ in range(50):
        pair.protocol.transport.sendto(b"\x80\x6f" + bytes(60), pair.remote_addr)
        pair.protocol.transport.sendto(b"\x17\xfe\xfd" + bytes(60), pair.remote_addr)
    server = dtls.transport._connection
    await until(lambda: server._queue.empty())
    channel.send("this counts")
    await until(lambda: dtls.verified > verified)
    assert dtls.verified - verified < 10


async def test_hanging_up_is_not_reported_as_a_failure(call: Call, caplog):
    call.caller.addTrack(SoundSource())
    call.caller.createDataChannel("chat")
    with caplog.at_level(logging.WARNING):
        await call.connect()
        await call.caller.close()
        await until(lambda: call.listener.closed)
        await call.peer.close()
    assert not [r for r in caplog.records if r.name.startswith("vision_agent")]
