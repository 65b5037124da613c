"""The sample applications, in a browser, as their users meet them."""

import asyncio
import importlib.util
import logging
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import async_playwright, expect

from tests.browser.chromium import chromium
from tests.browser.fake_devices import camera_file, microphone_file
from tests.conftest import RECORDINGS
from tests.support.samples import SAMPLES
from tests.support.serving_here import serving_here
from tests.support.waiting import until

SCENARIO = """
engine: false
answers:
  - when: {words: ordered}
    call: {name: my_orders}
  - when: {tool: my_orders}
    say: "You ordered {orders}."
otherwise: {say: Go on.}
"""


@pytest_asyncio.fixture
async def shop(monkeypatch: pytest.MonkeyPatch, tmp_path) -> AsyncIterator[str]:
    """The address of `own_login`."""
    scenario = tmp_path / "scenario.yaml"
    scenario.write_text(SCENARIO)
    monkeypatch.setenv("VISION_AGENT_SCENARIO", str(scenario))
    monkeypatch.setenv("VISION_AGENT_SESSION_DB", "memory")
    monkeypatch.setenv("VISION_AGENT_DATA_DIR", str(tmp_path))
    path = SAMPLES.parent / "apps" / "own_login" / "app.py"
    spec = importlib.util.spec_from_file_location("own_login", path)
    sample = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sample)
    async with sample.app.router.lifespan_context(sample.app), serving_here(sample.app) as url:
        yield url


async def test_who_has_logged_in_calls_the_agent_inside_the_page_and_is_known_to_it(
    shop, tmp_path, caplog
):
    caplog.set_level(logging.INFO, "own_login")
    camera = await asyncio.to_thread(
        camera_file, RECORDINGS / "bottle.mp4", tmp_path / "camera.y4m"
    )
    silence = await asyncio.to_thread(microphone_file, [5.0], tmp_path / "silence.wav")
    async with (
        async_playwright() as playwright,
        chromium(playwright, camera=camera, microphone=silence) as browser,
    ):
        page = await browser.new_page()
        for hidden in ("/agent/", "/agent/page.js", "/agent/api/info"):
            assert (await page.request.get(shop + hidden)).status == 401
        await page.goto(shop)
        for password in ("guess", "difference"):
            await page.get_by_label("Name").fill("ada")
            await page.get_by_label("Password").fill(password)
            await page.get_by_role("button", name="Log in").click()
        await expect(page.locator("h1")).to_have_text("Hello, ada")
        agent = page.frame_locator("iframe")
        await expect(agent.locator("#brain")).to_be_visible(timeout=60_000)
        await agent.locator("#call").click()
        await expect(agent.locator('body[data-state="listening"]')).to_be_attached(timeout=60_000)
        await expect(agent.locator("#looks")).to_have_text("Agent sees this", timeout=20_000)
        await agent.locator("#text").fill("What have I ordered?")
        await agent.locator("#text").press("Enter")
        answer = agent.locator('.line-agent[data-state="final"] .text').first
        await expect(answer).to_have_text("You ordered a lamp.", timeout=60_000)
        await agent.locator('[data-control="hang-up"]').click()
        await until(lambda: any("the caller hung up" in text for text in caplog.messages))
        assert "ada calls" in caplog.messages
        assert "ada, caller: What have I ordered?" in caplog.messages
        assert "ada, agent: You ordered a lamp." in caplog.messages
        await page.get_by_role("button", name="Log out").click()
        await expect(page.get_by_label("Name")).to_be_visible()
        assert (await page.request.get(f"{shop}/agent/api/info")).status == 401
