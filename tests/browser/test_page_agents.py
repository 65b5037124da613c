"""Several agents on one server: the person chooses whom to call."""

import json

import pytest
from playwright.async_api import expect

from tests.test_switchboard import SAMPLES
from vision_agent.server_process import ServerProcess

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_the_person_chooses_whom_to_call(quiet_browser, open_page, tmp_path):
    agents = f"{SAMPLES / 'basic'},{SAMPLES / 'watchman'}"
    async with ServerProcess("--agent", agents) as server:
        caller = await open_page(quiet_browser, server.url, viewport={"width": 390, "height": 844})
        page = caller.page
        choice = page.get_by_label("Who to call")
        assert await choice.locator("option").all_text_contents() == ["Basic", "Watchman"]
        await expect(page.locator("#agent-name")).to_have_text("Basic")
        await choice.select_option("watchman")
        await expect(page.locator("#agent-name")).to_have_text("Watchman")
        await page.screenshot(path=tmp_path / "choice.png")
        async with page.expect_request(lambda r: r.method == "POST") as offered:
            await page.click("#call")
        offer = json.loads((await offered.value).post_data)
        assert offer["requestData"]["agent"] == "watchman"
        assert len(offer["requestData"]["user"]) == 32
        await caller.sees_state("listening")
        await caller.press("hang-up")
        await page.reload()
        async with page.expect_request(lambda r: r.method == "POST") as again:
            await page.click("#call")
        # The same person as before, for the agent's memory.
        assert (
            json.loads((await again.value).post_data)["requestData"]["user"]
            == (offer["requestData"]["user"])
        )


async def test_where_there_is_one_agent_there_is_nothing_to_choose(
    server, quiet_browser, open_page
):
    caller = await open_page(quiet_browser, server.url)
    await expect(caller.page.locator("#agent-choice")).to_be_hidden()


async def test_the_page_shows_who_speaks_after_a_transfer(quiet_browser, open_page):
    async with ServerProcess("--agent", str(SAMPLES / "front_desk")) as server:
        caller = await open_page(quiet_browser, server.url)
        await caller.call()
        await caller.types("hello")
        speakers = caller.page.locator(".line-agent .who")
        await expect(speakers).to_have_text(["Front desk"], timeout=60_000)
        await caller.types("transfer me to repairs")
        await expect(speakers.last).to_have_text("Repairs", timeout=60_000)
        words = caller.page.locator(".line-agent .text").last
        await expect(words).to_contain_text("Repairs here.", timeout=60_000)
        await caller.press("hang-up")
