import asyncio
import errno
import socket

import pytest

from tests.rtc.taking import Taking
from vision_agent.rtc.udp_ports import CannotReceive, OnePort, PortRange, bound_to

LOOPBACK = ["127.0.0.1", "127.0.0.2", "::1"]


@pytest.fixture
def taken():
    with bound_to("127.0.0.2", 0) as taken:
        yield taken.getsockname()[1]


async def test_a_port_is_bound_on_every_address_that_there_is():
    port = OnePort(0, needed=True)
    port.bind([*LOOPBACK, "192.0.2.77"])
    for address in LOOPBACK:
        with pytest.raises(OSError, match="in use") as refused:
            bound_to(address, port.port)
        assert refused.value.errno == errno.EADDRINUSE
    assert port.replaced == ""
    await port.close()
    bound_to("127.0.0.1", port.port).close()


async def test_a_port_that_is_taken_is_said_in_a_sentence_and_nothing_stays_bound(taken):
    with pytest.raises(CannotReceive, match=rf"UDP port {taken} on 127\.0\.0\.2 .*--udp-port"):
        OnePort(taken, needed=True).bind(LOOPBACK)
    bound_to("127.0.0.1", taken).close()


async def test_a_port_that_nobody_asked_for_is_replaced_by_a_free_one_and_that_is_said(taken):
    port = OnePort(taken, needed=False)
    port.bind(LOOPBACK)
    assert port.port != taken
    assert str(taken) in port.replaced
    assert str(port.port) in port.replaced
    await port.close()


async def test_a_machine_without_the_address_is_told_so():
    with pytest.raises(CannotReceive, match=r"192\.0\.2\.77.*MEDIA_HOST"):
        OnePort(0, needed=True).bind(["192.0.2.77"])


async def test_a_range_without_a_free_port_is_refused_at_the_start(taken):
    with pytest.raises(CannotReceive, match=rf"{taken} to {taken} .*--udp-ports"):
        PortRange(taken, taken).bind(["127.0.0.2"])
    PortRange(taken, taken).bind(["127.0.0.1"])


async def test_ports_of_a_range_are_taken_in_turn_by_several_processes():
    with bound_to("127.0.0.1", 0) as spare:
        first = spare.getsockname()[1]
    here, there = PortRange(first, first + 2), PortRange(first, first + 2)
    sockets: list[socket.socket] = []
    try:
        sockets += [each.bound_to("127.0.0.1") for each in (here, there, here)]
        ports = {each.getsockname()[1] for each in sockets}
        assert ports == {first, first + 1, first + 2}
    finally:
        for each in sockets:
            each.close()


async def test_an_address_that_a_call_has_added_is_freed_with_the_last_call_that_uses_it():
    port = OnePort(0, needed=True)
    port.bind(["127.0.0.1"])
    await port.start()
    for _ in range(2):
        added = await port.socket_on("127.0.0.2")
        assert added is not None
        one, two = Taking("one"), Taking("two")
        added.join(one)
        added.join(two)
        added.leave(one)
        assert await port.socket_on("127.0.0.2") is added
        added.leave(two)
        await asyncio.sleep(0)
        bound_to("127.0.0.2", port.port).close()
    kept = await port.socket_on("127.0.0.1")
    assert kept is not None
    kept.join(one)
    kept.leave(one)
    assert await port.socket_on("127.0.0.1") is kept
    await port.close()
