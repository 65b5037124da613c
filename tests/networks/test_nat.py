"""A server behind a NAT that forwards one UDP port to it, as a container's host does."""

import re
from pathlib import Path

import pytest

from tests.networks.calling import SCENARIO, call
from tests.networks.coturn import PORT, coturn
from tests.networks.in_namespace import run_inside
from tests.networks.islands import CALLER, DOOR, MIDDLE, SERVER, Islands, islands
from vision_agent import CallClient, CallFailed

PUBLIC = "203.0.113.5"
UDP_PORT = DOOR + 1
OTHER_PORT = 40_000

RULES = f"""
table ip nat {{
    chain arriving {{
        type nat hook prerouting priority dstnat
        ip daddr {PUBLIC} udp dport {UDP_PORT} dnat to {SERVER}
    }}
    chain leaving {{
        type nat hook postrouting priority srcnat
        ip saddr {SERVER} snat to {PUBLIC}
    }}
}}
table ip filter {{
    chain passing {{
        type filter hook forward priority filter; policy drop
        ct state established,related accept
        ct status dnat accept
        ip daddr {CALLER} udp dport {PORT} accept
    }}
}}
"""


RENUMBERED = f"""
flush chain ip nat arriving
add rule ip nat arriving ip daddr {PUBLIC} udp dport {OTHER_PORT} dnat to {SERVER}:{UDP_PORT}
"""


def translate(net: Islands) -> None:
    """Sets up the NAT: the caller reaches the server's public address only, the server STUN."""
    net.forward()
    net.run(net.between, "ip", "address", "add", f"{PUBLIC}/32", "dev", "lo")
    net.run(net.between, "/usr/sbin/nft", RULES)


async def fails_to_connect() -> None:
    with pytest.raises(CallFailed, match="connect"):
        async with CallClient(f"http://{MIDDLE}:{DOOR}", timeout_s=8) as client:
            await client.type("hello")


async def test_a_call_into_a_nat_connects_if_the_public_address_is_announced_and_only_then(
    tmp_path: Path, monkeypatch
) -> None:
    scenario = tmp_path / "scenario.yaml"
    scenario.write_text(SCENARIO)
    monkeypatch.setenv("VISION_AGENT_ALLOWED_HOSTS", MIDDLE)
    arguments, log = ("--scenario", str(scenario)), tmp_path / "server.log"
    with islands() as net:
        translate(net)
        async with net.server_process(*arguments, log=log):
            await run_inside(net.caller, fails_to_connect)
        async with coturn(net.caller, tmp_path, CALLER):
            finding = ("--public-ip", f"stun:{CALLER}:{PORT}", *arguments)
            async with net.server_process(*finding, log=log) as server:
                assert [line for line in server.says if re.search(f"{UDP_PORT}.*{PUBLIC}", line)]
                assert await run_inside(net.caller, call) == "Good morning."
        # From now on the NAT forwards another port only.
        net.run(net.between, "/usr/sbin/nft", RENUMBERED)
        renumbered = ("--public-ip", f"{PUBLIC}:{OTHER_PORT}", *arguments)
        async with net.server_process(*renumbered, log=log):
            assert await run_inside(net.caller, call) == "Good morning."
