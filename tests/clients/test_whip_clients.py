"""WHIP clients of other projects hold a call: a spoken question before a camera is answered."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import async_playwright

from tests.browser.chromium import chromium
from tests.browser.fake_devices import microphone_file
from tests.clients.conftest import SPEECH
from tests.clients.npm import HERE, bundle, node
from tests.clients.site import served
from tests.support.forked_product import ForkedServer
from tests.support.metrics import metric, until_metric
from tests.support.programs import run
from tests.support.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")

TOKEN = "a-long-enough-token"
# The speech detector finds the question. A tone answers it if there is a frame.
SCENARIO = """
engine: false
hears: [what do you see]
answers:
  - when: {spoken: true, frames: 1}
    say: I see what you send, and you hear that I do, for two seconds and a bit.
otherwise: {say: []}
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    node()
    folder = tmp_path_factory.mktemp("site")
    await bundle("whip/client.js", folder / "whip.js")
    return folder


@pytest.fixture(scope="module")
def site(site_folder: Path) -> Iterator[str]:
    with served(site_folder) as origin:
        yield origin


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(
    site: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[ForkedServer]:
    scenario = tmp_path_factory.mktemp("scenario") / "seen.yaml"
    scenario.write_text(SCENARIO)
    options = {"VISION_AGENT_CORS_ORIGINS": site, "VISION_AGENT_TOKEN": TOKEN}
    async with ForkedServer("--scenario", str(scenario), environment=options) as server:
        yield server


async def test_gstreamers_webrtcbin_trickles_and_hears_the_agent(
    server: ForkedServer, long_speech: Path, system_python: str
) -> None:
    program = HERE / "whip_webrtcbin.py"
    printed = await run(system_python, program, server.url, TOKEN, long_speech, "H264", cwd=HERE)
    report = json.loads(printed)
    assert report["loud_ms"] >= 1000
    assert report["statuses"]["POST"] == [201]
    assert set(report["statuses"]["PATCH"]) == {204}
    assert report["statuses"]["DELETE"] == [200]


async def test_eyevinns_client_calls_from_a_page_of_another_origin(
    server: ForkedServer, site: str, tmp_path: Path
) -> None:
    """As published it receives no audio; with an offer that asks for it, it gets the voice."""
    microphone = microphone_file([2.0, SPEECH, 60.0], tmp_path / "question.wav")
    unheard = await metric(server.url, "calls_unheard_total")
    async with async_playwright() as playwright, chromium(playwright, microphone=microphone) as it:
        page = await it.new_page()
        statuses: list[tuple[str, int]] = []
        page.on("response", lambda one: statuses.append((one.request.method, one.status)))
        await page.goto(f"{site}/whip.html")
        await page.wait_for_function("() => window.begin")

        async def calls(hears: bool) -> None:
            seen = await metric(server.url, "frames_total")
            await page.evaluate(
                "([endpoint, token, hears]) => begin(endpoint, token, hears)",
                [f"{server.url}/whip", TOKEN, hears],
            )
            await page.wait_for_function("() => connection.connectionState === 'connected'")
            await until_metric(server.url, "frames_total", lambda now: now > seen)

        await calls(hears=False)
        await page.evaluate("() => client.destroy()")
        await until_metric(server.url, "calls", lambda calls: calls == 0)
        assert await metric(server.url, "calls_unheard_total") == unheard + 1

        await calls(hears=True)

        async def heard() -> bool:
            return await page.evaluate("() => heard()") > 1e-4

        await until(heard, what="the agent's voice")
        await page.evaluate("() => client.destroy()")
        await until_metric(server.url, "calls", lambda calls: calls == 0)
        assert await metric(server.url, "calls_unheard_total") == unheard + 1
    told = {(method, status) for method, status in statuses if method in ("POST", "DELETE")}
    assert told == {("POST", 201), ("DELETE", 200)}
