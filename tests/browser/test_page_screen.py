"""The page shares a screen beside the camera."""

import pytest
from playwright.async_api import expect

from tests.browser.caller import Caller
from tests.browser.fake_devices import SCREEN

pytestmark = pytest.mark.asyncio(loop_scope="session")

FORBIDDEN = """() => {
    navigator.mediaDevices.getDisplayMedia = async () => {
      throw new DOMException("Permission denied", "NotAllowedError");
    };
  }"""
SENT = """
    async () => {
      for (const one of (await window.connections.at(-1).getStats()).values())
        if (one.type === "outbound-rtp" && one.frameWidth > 1000) return one.frameWidth;
      return 0;
    }
"""


async def test_the_agent_reads_a_shared_screen_and_why_none_is_shared_is_said_in_words(
    server, quiet_browser, open_page
):
    caller = await open_page(quiet_browser, server.url)
    await caller.call()
    await why_none_is_shared_is_said(caller)
    await caller.page.evaluate(SCREEN)
    await caller.press("screen")
    chip = caller.page.locator(".screen-view .chip")
    await expect(chip).to_have_text("Agent sees this", timeout=30_000)
    await expect(caller.page.locator('[data-control="screen"]')).to_have_text("Stop")
    assert await caller.page.evaluate(SENT) == 1536
    assert await caller.page.evaluate("() => shared.contentHint") == "detail"
    await caller.types("What does my screen say?")
    words = caller.page.locator(".line-agent .text").last
    await expect(words).to_contain_text("platform nine", ignore_case=True, timeout=60_000)
    # The camera is the small view beside the screen, until the views are swapped.
    screen, own = caller.page.locator("#screen"), caller.page.locator("#own")

    async def wider_screen() -> bool:
        return (await screen.bounding_box())["width"] > (await own.bounding_box())["width"]

    assert await wider_screen()
    await caller.page.click("#swap-views")
    assert not await wider_screen()
    # "Stop sharing" in the browser's own bar ends the track.
    await caller.page.evaluate("() => { shared.stop(); shared.dispatchEvent(new Event('ended')); }")
    await expect(caller.page.locator(".screen-view")).to_be_hidden()
    await expect(caller.page.locator('[data-control="screen"]')).to_have_text("Share")
    await caller.types("What does my screen say?")
    await expect(words).to_contain_text("share your screen any more", timeout=60_000)
    await caller.press("screen")
    await expect(chip).to_have_text("Agent sees this", timeout=30_000)


async def why_none_is_shared_is_said(caller: Caller) -> None:
    await caller.page.evaluate(FORBIDDEN)
    await caller.press("screen")
    assert "Nothing was chosen" in await caller.notice()
    await caller.page.evaluate("() => (navigator.mediaDevices.getDisplayMedia = undefined)")
    await caller.press("screen")
    await expect(caller.page.locator(".notice").first).to_contain_text("can't share a screen")
