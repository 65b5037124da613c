import asyncio
import socket

import pytest

from tests.rtc.stun_server import Answering
from vision_agent.rtc.public_address import NoPublicAddress, announced, seen_by


def test_each_public_address_is_announced_with_each_port_of_its_family():
    hosts = [("10.0.0.2", 7861), ("10.0.1.2", 7861), ("fd00::2", 7861), ("127.0.0.1", 7861)]
    assert announced(["203.0.113.5", "2001:db8::5"], hosts) == [
        ("203.0.113.5", 7861),
        ("2001:db8::5", 7861),
    ]
    assert announced(["203.0.113.5"], [("10.0.0.2", 5001), ("10.0.1.2", 5002)]) == [
        ("203.0.113.5", 5001),
        ("203.0.113.5", 5002),
    ]


def test_a_port_that_is_another_from_outside_is_announced_in_the_place_of_the_sockets():
    hosts = [("10.0.0.2", 7861), ("10.0.1.2", 7861), ("fd00::2", 7861)]
    assert announced(["203.0.113.5:40000", "[2001:db8::5]:40001", "[2001:db8::6]"], hosts) == [
        ("203.0.113.5", 40_000),
        ("2001:db8::5", 40_001),
        ("2001:db8::6", 7861),
    ]


def test_what_a_socket_has_itself_and_what_only_loopback_could_take_is_not_announced():
    assert announced(["192.0.2.2"], [("192.0.2.2", 7861)]) == []
    assert announced(["203.0.113.5"], [("127.0.0.1", 7861), ("fd00::2", 7861)]) == []


async def test_a_stun_server_says_the_public_address():
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        Answering, local_addr=("127.0.0.1", 0)
    )
    assert await seen_by(*transport.get_extra_info("sockname")) == "203.0.113.5"
    transport.close()


async def test_a_server_that_is_silent_or_unknown_is_named_in_a_sentence(monkeypatch):
    monkeypatch.setattr("vision_agent.rtc.public_address.STUN_WAIT_S", 0.3)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        port = silent.getsockname()[1]
        with pytest.raises(NoPublicAddress, match=rf"stun:127\.0\.0\.1:{port} .*no answer"):
            await seen_by("127.0.0.1", port)
    with pytest.raises(NoPublicAddress, match=r"stun:127\.0\.0\.1:.*refused"):
        await seen_by("127.0.0.1", port)
