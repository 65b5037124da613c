"""Datagrams over real sockets on loopback, and which of them a slow protocol gets."""

import asyncio
import contextvars
import errno
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from tests.support.waiting import until
from vision_agent.rtc import failures, overload
from vision_agent.rtc.udp_ports import bound_to
from vision_agent.rtc.udp_transport import AT_A_TIME, FRESH_S, LATE_S, UdpTransport

MEDIA, STUN, DTLS = b"\x80", b"\x00", b"\x16"


class Taking(asyncio.DatagramProtocol):
    """A protocol that does some work for each datagram, and records it."""

    def __init__(self, work: Callable[[], object] = lambda: None) -> None:
        self.work = work
        self.taken: list[bytes] = []
        self.errors: list[Exception] = []
        self.ended: list[Exception | None] = []

    def datagram_received(self, data: bytes, addr: object) -> None:
        self.work()
        self.taken.append(data)

    def error_received(self, exc: Exception) -> None:
        self.errors.append(exc)

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended.append(exc)


@pytest.fixture(autouse=True)
def _own_overload(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overload, "current", overload.Overload())


@pytest.fixture
def sender() -> Iterator[socket.socket]:
    with bound_to("127.0.0.1", 0) as sender:
        yield sender


async def test_every_datagram_arrives_in_order_and_is_answered(sender):
    protocol = Taking()
    transport = UdpTransport(bound_to("127.0.0.1", 0), protocol)
    sent = [number.to_bytes(2, "big") for number in range(20 * AT_A_TIME)]
    for data in [*sent, b""]:
        sender.sendto(data, transport.get_extra_info("sockname"))
    await until(lambda: len(protocol.taken) > len(sent))
    assert protocol.taken == [*sent, b""]
    transport.sendto(b"answer", sender.getsockname())
    assert sender.recv(100) == b"answer"
    assert overload.current.dropped == 0
    transport.close()
    transport.close()
    await until(lambda: protocol.ended == [None])


async def test_the_media_that_has_waited_too_long_is_dropped_and_nothing_else(sender):
    protocol = Taking()
    transport = UdpTransport(bound_to("127.0.0.1", 0), protocol)
    media = [MEDIA + number.to_bytes(2, "big") for number in range(160)]
    held = [first + bytes([number]) for number in range(10) for first in (STUN, DTLS, b"")]
    for data in [*media, *held, *media]:
        sender.sendto(data, transport.get_extra_info("sockname"))
    time.sleep(LATE_S + FRESH_S)  # noqa: ASYNC251 (the event loop is held up)
    sender.sendto(MEDIA, transport.get_extra_info("sockname"))
    await until(lambda: protocol.taken[-1:] == [MEDIA])
    assert protocol.taken == [*media[:AT_A_TIME], *held, MEDIA], "the first turn does not look"
    assert overload.current.dropped == 2 * len(media) - AT_A_TIME
    transport.close()


async def test_one_hold_up_is_no_overload_however_many_sockets_there_are(sender):
    protocols = [Taking() for _ in range(overload.TIMES)]
    transports = [UdpTransport(bound_to("127.0.0.1", 0), protocol) for protocol in protocols]
    for transport in transports:
        for _ in range(2 * AT_A_TIME):
            sender.sendto(MEDIA, transport.get_extra_info("sockname"))
    time.sleep(LATE_S + FRESH_S)  # noqa: ASYNC251 (the event loop is held up)
    await until(lambda: overload.current.dropped == overload.TIMES * AT_A_TIME)
    assert not overload.current.lasts(time.monotonic())
    for transport in transports:
        transport.close()


async def test_what_is_not_media_tells_of_no_overload_however_late_it_comes(sender):
    protocol = Taking()
    transport = UdpTransport(bound_to("127.0.0.1", 0), protocol)
    noted: list[int] = []
    overload.current.note = lambda dropped, now_s: noted.append(dropped)
    for _ in range(2 * AT_A_TIME):
        sender.sendto(STUN, transport.get_extra_info("sockname"))
    time.sleep(LATE_S + FRESH_S)  # noqa: ASYNC251 (the event loop is held up)
    await until(lambda: len(protocol.taken) == 2 * AT_A_TIME)
    assert noted == []
    transport.close()


async def test_nothing_arrives_after_a_late_datagram_that_closed_the_socket(sender):
    protocol = Taking()
    transport = UdpTransport(bound_to("127.0.0.1", 0), protocol)
    for data in [MEDIA] * AT_A_TIME + [STUN]:
        sender.sendto(data, transport.get_extra_info("sockname"))
    time.sleep(LATE_S + FRESH_S)  # noqa: ASYNC251 (the event loop is held up)
    sender.sendto(DTLS, transport.get_extra_info("sockname"))
    protocol.work = lambda: len(protocol.taken) == AT_A_TIME and transport.close()
    await until(lambda: protocol.ended == [None])
    assert protocol.taken == [MEDIA] * AT_A_TIME + [STUN]


async def test_a_burst_that_waited_for_the_event_loop_is_not_dropped(sender):
    protocol = Taking()
    transport = UdpTransport(bound_to("127.0.0.1", 0), protocol)
    for _ in range(200):
        sender.sendto(MEDIA, transport.get_extra_info("sockname"))
    time.sleep(LATE_S / 4)  # noqa: ASYNC251 (the event loop is held up)
    await until(lambda: len(protocol.taken) == 200)
    assert overload.current.dropped == 0
    transport.close()


@pytest.mark.parametrize("kind", [MEDIA, STUN], ids=["media", "STUN"])
async def test_nothing_arrives_after_a_datagram_that_closed_the_socket(sender, kind):
    protocol = Taking()
    transport = UdpTransport(bound_to("127.0.0.1", 0), protocol)
    protocol.work = transport.close
    for _ in range(3):
        sender.sendto(kind, transport.get_extra_info("sockname"))
    await until(lambda: protocol.ended == [None])
    assert protocol.taken == [kind]
    assert transport.is_closing()
    transport.sendto(b"late", sender.getsockname())
    with pytest.raises(BlockingIOError):
        sender.recv(100)


async def test_what_cannot_be_sent_is_told_or_counted(sender, monkeypatch):
    protocol = Taking()
    bound = bound_to("127.0.0.1", 0)
    transport = UdpTransport(bound, protocol)
    transport.sendto(bytes(70_000), sender.getsockname())
    assert [type(error) for error in protocol.errors] == [OSError]
    dropped = failures.dropped_datagrams

    class Full:
        def sendto(self, data: bytes, addr: object) -> int:
            raise BlockingIOError

    monkeypatch.setattr(transport, "_socket", Full())
    transport.sendto(b"media", sender.getsockname())
    assert failures.dropped_datagrams == dropped + 1
    monkeypatch.undo()
    transport.close()
    await until(lambda: protocol.ended == [None])


@pytest.mark.parametrize("code", [errno.EPERM, errno.ENOBUFS])
async def test_a_refusal_to_send_is_counted_each_time_and_logged_once_a_call(
    sender, monkeypatch, caplog, code
):
    monkeypatch.setattr(failures, "counts", Counter())
    monkeypatch.setattr(failures, "dropped_datagrams", 0)
    transport = UdpTransport(bound_to("127.0.0.1", 0), Taking())
    refusing = _Refusing(code)
    with monkeypatch.context() as patched:
        patched.setattr(transport, "_socket", refusing)
        for _ in range(2):  # calls
            context = contextvars.copy_context()
            context.run(failures.current.set, failures.Failures(lambda what: None))
            for _ in range(5):
                context.run(transport.sendto, b"media", sender.getsockname())
    assert failures.counts == {"A datagram could not be sent": 10}
    assert failures.dropped_datagrams == 10
    assert caplog.text.count("A datagram could not be sent.") == 2
    transport.close()


async def test_an_address_to_which_nothing_leads_is_no_failure(sender, monkeypatch, caplog):
    monkeypatch.setattr(failures, "counts", Counter())
    protocol = Taking()
    transport = UdpTransport(bound_to("127.0.0.1", 0), protocol)
    with monkeypatch.context() as patched:
        patched.setattr(transport, "_socket", _Refusing(errno.ENETUNREACH))
        transport.sendto(b"check", sender.getsockname())
    assert not failures.counts
    assert not caplog.text
    assert len(protocol.errors) == 1
    transport.close()


class _Refusing:
    def __init__(self, code: int) -> None:
        self._code = code

    def sendto(self, data: bytes, addr: object) -> int:
        raise OSError(self._code, "not sent")
