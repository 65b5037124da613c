import socket

import pytest

from vision_agent.rtc.udp_ports import CannotReceive
from vision_agent.server.receiving import Receiving
from vision_agent.settings import Settings


def receiving(**settings: object) -> Receiving:
    return Receiving(Settings(_env_file=None, **settings))


async def test_calls_use_the_port_after_the_servers_one_or_a_free_one_if_that_is_taken():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        async with receiving(port=port - 1) as served:
            assert served.ports.port != port
            assert f"UDP port {port} on 127.0.0.1" in served.described
            assert f"{served.ports.port} instead" in served.described
        with pytest.raises(CannotReceive, match=f"UDP port {port}"):
            async with receiving(udp_port=port):
                pass
    async with receiving(port=port - 1) as served:
        assert served.described == f"Calls use UDP port {port}."
        network = served.network("127.0.0.1", caller_is_local=True)
        assert network.ports is served.ports


async def test_a_range_random_ports_and_public_addresses_are_described():
    async with receiving(udp_ports="40000-65000", public_ip="203.0.113.5") as served:
        assert served.described == "Calls use UDP ports 40000 to 65000. Announced: 203.0.113.5."
        assert served.network("", caller_is_local=False).public_addresses == ("203.0.113.5",)
    async with receiving(udp_port=0) as served:
        assert served.described == "Calls use random UDP ports."
        assert served.network("", caller_is_local=False).ports is None


async def test_auto_without_a_stun_server_is_refused_in_words():
    with pytest.raises(CannotReceive, match="--public-ip stun:host:port"):
        await receiving(public_ip="auto").find_public_addresses()
