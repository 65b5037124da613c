"""The page in a network namespace: through a relay, and from one network to another."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest_asyncio
from playwright.async_api import Playwright, async_playwright

from tests.browser.caller import Caller
from tests.browser.chromium import chromium
from tests.networks.coturn import SECRET, TCP, TLS, UDP, coturn
from tests.networks.islands import CALLER, DOOR, MIDDLE, OTHER_CALLER, Islands, islands
from tests.support.waiting import until

URL = f"http://{MIDDLE}:{DOOR}"
SCENARIO = """
engine: false
answers:
  - {when: {words: hello, turn: 1}, say: The first.}
  - {when: {words: hello, turn: 2}, say: The second.}
otherwise: {say: Pardon.}
"""
SELECTED = """
    async () => {
      const stats = [...(await window.connections.at(-1).getStats()).values()];
      const pair = stats.find((s) => s.type === "candidate-pair" && s.nominated && s.bytesReceived);
      const of = (id) => stats.find((one) => one.id === id);
      return [of(pair.localCandidateId), of(pair.remoteCandidateId)].map((s) => s.candidateType);
    }
"""

# How many connections the page has made, and the packets of the agent's voice by the last one.
RECEIVED = """
    async () => {
      const stats = [...(await window.connections.at(-1).getStats()).values()];
      const voice = stats.find((s) => s.type === "inbound-rtp" && s.kind === "audio");
      return [window.connections.length, voice?.packetsReceived ?? 0];
    }
"""


@pytest_asyncio.fixture
async def playwright() -> AsyncIterator[Playwright]:
    async with async_playwright() as playwright:
        yield playwright


@asynccontextmanager
async def page_in(net: Islands, playwright: Playwright, folder: Path) -> AsyncIterator[Caller]:
    """The page, opened by a browser in the caller's namespace."""
    names = ("chromium-headless-shell", "chromium")
    program = next(filter(None, map(shutil.which, names)), "/usr/bin/chromium")
    inside = folder / "chromium"
    inside.write_text(f'#!/bin/sh\nexec ip netns exec {net.caller} {program} "$@"\n')
    inside.chmod(0o755)
    flags = [f"--unsafely-treat-insecure-origin-as-secure={URL}"]
    async with chromium(playwright, executable=inside, more_flags=flags) as browser:
        caller = await Caller.on(await browser.new_page())
        await caller.open(URL)
        yield caller


async def test_the_page_calls_through_a_relay_alone(
    tmp_path: Path, monkeypatch, playwright: Playwright
) -> None:
    scenario = tmp_path / "scenario.yaml"
    scenario.write_text(SCENARIO)
    monkeypatch.setenv("VISION_AGENT_TURN_SECRET", SECRET)
    monkeypatch.setenv("VISION_AGENT_ALLOWED_HOSTS", MIDDLE)
    with islands() as net:
        turn = [word for url in (UDP, TCP, TLS) for word in ("--turn", url)]
        async with (
            coturn(net.between, tmp_path),
            net.server_process(*turn, "--scenario", str(scenario), log=tmp_path / "server.log"),
            page_in(net, playwright, tmp_path) as caller,
        ):
            await caller.call()
            await caller.types("hello")
            assert await caller.reads_answer() == "The first."
            assert await caller.page.evaluate(SELECTED) == ["relay", "relay"]


async def test_the_page_continues_its_call_from_another_address(
    tmp_path: Path, monkeypatch, playwright: Playwright
) -> None:
    scenario = tmp_path / "scenario.yaml"
    scenario.write_text(SCENARIO)
    monkeypatch.setenv("VISION_AGENT_ALLOWED_HOSTS", MIDDLE)
    with islands() as net:
        net.forward()
        async with (
            net.server_process("--scenario", str(scenario), log=tmp_path / "server.log"),
            page_in(net, playwright, tmp_path) as caller,
        ):
            await caller.call()
            await caller.types("hello")
            assert await caller.reads_answer() == "The first."
            await asyncio.to_thread(net.unlink, net.caller, CALLER)
            await caller.types("hello")  # before anybody has noticed the loss
            await asyncio.to_thread(net.link, net.caller, OTHER_CALLER)
            # Chromium's ICE may find the new path by itself; if not, the page makes a connection.
            received = await caller.page.evaluate(RECEIVED)

            async def more_is_received() -> bool:
                connections, packets = await caller.page.evaluate(RECEIVED)
                return connections > received[0] or packets > received[1] + 50

            await until(more_is_received, what="the voice by the new address")
            await caller.page.get_by_text("The second.").first.wait_for(timeout=60_000)
