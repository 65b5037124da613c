"""Calls between networks that reach nothing but a TURN server."""

from contextlib import AsyncExitStack
from pathlib import Path

from tests.networks.calling import SCENARIO, call
from tests.networks.coturn import SECRET, TCP, TLS, UDP, coturn, relayed
from tests.networks.in_namespace import run_inside
from tests.networks.islands import DOOR, MIDDLE, Islands, islands
from tests.support.waiting import until
from vision_agent import CallClient

SILENT = f"turn:{MIDDLE}:9"
"""Nothing answers there: the next server is used."""


async def outlive_the_relay(net: Islands, folder: Path) -> None:
    async with AsyncExitStack() as stack:
        async with coturn(net.between, folder):
            client = CallClient(f"http://{MIDDLE}:{DOOR}", timeout_s=60)
            await stack.enter_async_context(client)
            assert (await client.type("hello")).text == "Good morning."
        async with coturn(net.between, folder):
            assert (await client.type("hello")).text == "Good morning."


async def test_calls_go_through_a_relay_at_each_end_by_udp_tcp_and_tls(
    tmp_path: Path, monkeypatch
) -> None:
    scenario = tmp_path / "scenario.yaml"
    scenario.write_text(SCENARIO)
    monkeypatch.setenv("VISION_AGENT_TURN_SECRET", SECRET)
    monkeypatch.setenv("VISION_AGENT_ALLOWED_HOSTS", MIDDLE)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    with islands() as net:
        async with coturn(net.between, tmp_path) as log:
            for calls, urls in enumerate(((UDP,), (TCP,), (SILENT, TLS)), 1):
                turn = [word for url in urls for word in ("--turn", url)]
                arguments = (*turn, "--scenario", str(scenario))
                async with net.server_process(*arguments, log=tmp_path / "server.log"):
                    assert await run_inside(net.caller, call) == "Good morning."
                # Each end of a call has a session, which ends with the call.
                await until(lambda n=calls: len(relayed(log)) == 2 * n, what="ended relays")
        # A relay that goes away, and comes back, breaks the TCP connections to it.
        arguments = ("--turn", TCP, "--scenario", str(scenario))
        async with net.server_process(*arguments, log=tmp_path / "server.log"):
            await run_inside(net.caller, lambda: outlive_the_relay(net, tmp_path))
    assert SECRET not in (tmp_path / "server.log").read_text()
