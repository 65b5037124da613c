"""Which connection a datagram on a shared socket belongs to; over a real socket on loopback."""

import os
import socket
import struct
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.rtc.taking import Taking
from tests.support.waiting import until
from vision_agent.rtc import failures
from vision_agent.rtc.own.aioice import stun
from vision_agent.rtc.shared_socket import MAX_ADDRESSES, SharedSocket
from vision_agent.rtc.udp_ports import bound_to

MEDIA = b"\x80" + bytes(30)


@pytest.fixture
async def shared() -> AsyncIterator[SharedSocket]:
    shared = SharedSocket(bound_to("127.0.0.1", 0))
    shared.start()
    yield shared
    await shared.close()


@pytest.fixture
def sender() -> Iterator[socket.socket]:
    with bound_to("127.0.0.1", 0) as sender:
        yield sender


def members(shared: SharedSocket) -> tuple[Taking, Taking]:
    one, two = Taking("one"), Taking("two")
    shared.join(one)
    shared.join(two)
    return one, two


def check_for(fragment: str) -> bytes:
    request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    request.attributes["PRIORITY"] = 1  # libnice writes it before the name
    request.attributes["USERNAME"] = f"{fragment}:theirs"
    return bytes(request)


async def test_a_check_goes_by_the_name_in_it_a_response_by_its_request_the_rest_by_its_sender(
    shared, sender
):
    one, two = members(shared)
    transaction = os.urandom(12)
    response = bytes(stun.Message(stun.Method.BINDING, stun.Class.RESPONSE, transaction))
    shared.expect(transaction, one)
    shared.claim(sender.getsockname(), two, answered=False)
    sent = [check_for("one"), check_for("two"), response, MEDIA]
    for data in sent:
        sender.sendto(data, shared.address)
    await until(lambda: len(one.taken) + len(two.taken) == 4)
    assert one.taken == [sent[0], response]
    assert two.taken == [sent[1], MEDIA]


async def test_what_belongs_to_nobody_is_dropped_and_counted(shared, sender):
    one, _ = members(shared)
    shared.forget(b"x" * 12)
    many_attributes = struct.pack("!HHI", 1, 8000, stun.COOKIE) + bytes(12 + 8000)
    indication = bytes(stun.Message(stun.Method.BINDING, stun.Class.INDICATION))
    unasked = bytes(stun.Message(stun.Method.BINDING, stun.Class.RESPONSE))
    unnamed = bytes(stun.Message(stun.Method.BINDING, stun.Class.REQUEST))
    strange = [b"", b"\0", MEDIA, check_for("three"), many_attributes, indication, unasked, unnamed]
    strange += [unnamed + b"\0\x06\xff\xff" + b"one", unnamed + b"\0\x06", b"\x16" * 72]
    dropped = failures.dropped_datagrams
    for data in strange:
        sender.sendto(data, shared.address)
    sender.sendto(check_for("one"), shared.address)
    await until(lambda: one.taken)
    assert failures.dropped_datagrams == dropped + len(strange) - 1
    assert one.taken[0] == unnamed + b"\0\x06\xff\xff" + b"one", "it is for the parser to refuse"


async def test_an_address_in_use_changes_hands_only_when_it_has_answered_the_other_ones_check(
    shared, sender
):
    one, two = members(shared)
    addr = one.used = sender.getsockname()
    shared.claim(addr, one, answered=True)
    # A caller can forge the source address of its own check.
    shared.claim(addr, two, answered=False)
    sender.sendto(MEDIA, shared.address)
    await until(lambda: one.taken)
    shared.claim(addr, two, answered=True)
    sender.sendto(MEDIA, shared.address)
    await until(lambda: two.taken)
    # The address is now the second connection's; the first one's end does not free it.
    shared.leave(one)
    sender.sendto(MEDIA, shared.address)
    await until(lambda: len(two.taken) == 2)
    assert len(one.taken) == 1


async def test_an_address_that_its_holder_does_not_use_goes_to_whoever_checks_from_it(
    shared, sender
):
    one, two = members(shared)
    shared.claim(sender.getsockname(), one, answered=False)
    shared.claim(sender.getsockname(), two, answered=False)
    sender.sendto(MEDIA, shared.address)
    await until(lambda: two.taken)
    assert not one.taken


async def test_a_connection_holds_so_many_addresses_and_leaves_none_behind(shared, sender):
    one, two = members(shared)
    for port in range(1, 3 * MAX_ADDRESSES):
        shared.claim(("127.0.0.9", port), one, answered=False)
        shared.claim(sender.getsockname(), one, answered=True)  # as repeated consent checks do
    shared.expect(b"x" * 12, one)
    assert len(shared._senders) == MAX_ADDRESSES
    sender.sendto(MEDIA, shared.address)
    await until(lambda: one.taken)
    shared.leave(one)
    shared.leave(one)
    shared.claim(sender.getsockname(), one, answered=True)  # by a check that was on the way
    assert not shared._senders
    assert not shared._requests
    assert list(shared.members.values()) == [two]
