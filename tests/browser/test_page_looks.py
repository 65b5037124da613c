"""Layout and operation: small screens, keyboards, screen readers, and no foreign requests."""

from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import cv2
import numpy as np
import pytest
from playwright.async_api import Page, expect

from tests.browser.caller import Caller
from tests.browser.chromium import chromium
from tests.browser.conftest import CHEAP
from tests.browser.fake_devices import drawn_camera_file

pytestmark = pytest.mark.asyncio(loop_scope="session")

WIDTHS = [320, 390, 820, 821, 1440]
PHONES = [(390, 844), (375, 667), (320, 568), (844, 390), (640, 320)]
# Buttons whose label is wider than the button.
CUT_LABELS = """
    () => [...document.querySelectorAll("#controls button:not([hidden])")]
      .filter((one) => one.querySelector(".label").scrollWidth > one.clientWidth)
      .map((one) => one.innerText)
"""
OVERFLOW = "() => document.documentElement.scrollWidth - innerWidth"


async def resized(page: Page, sizes: Iterable[tuple[int, int]]) -> AsyncIterator[tuple[int, int]]:
    """Shows one page in all sizes: opening it and calling in each size takes a second."""
    for width, height in sizes:
        await page.set_viewport_size({"width": width, "height": height})
        yield width, height


async def test_the_page_fits_every_window_in_the_lobby_in_a_call_and_after_it(
    tones_server, quiet_browser, open_page
):
    caller = await open_page(quiet_browser, tones_server.url)
    page = caller.page
    await nothing_scrolls_sideways(page)
    await settings_are_beside_the_name_on_a_phone(page)
    await caller.call()
    await expect(page.get_by_role("status")).to_have_text("Connected.")
    await a_call_fits_the_screen_of_a_phone(page)
    await caller.types("hello")
    answer = await caller.reads_answer()
    # The live region for screen readers.
    await expect(page.locator("#spoken-captions")).to_have_text(f"Vision agent: {answer}")
    await at_400_percent_captions_can_be_read_and_words_typed(page)
    await caller.types("a" * 300)
    await expect(page.locator(".line-user")).to_have_count(2)
    await nothing_scrolls_sideways(page)
    await caller.press("hang-up")
    await caller.sees_state("ended")
    await nothing_scrolls_sideways(page)


async def nothing_scrolls_sideways(page: Page) -> None:
    sizes = resized(page, [(width, 844) for width in WIDTHS])
    over = {width: await page.evaluate(OVERFLOW) async for width, _ in sizes}
    assert {width: pixels for width, pixels in over.items() if pixels > 0} == {}


async def settings_are_beside_the_name_on_a_phone(page: Page) -> None:
    settings, name = page.locator("#settings-open"), page.locator("#agent-name")
    async for size in resized(page, PHONES):
        apart = (await settings.bounding_box())["y"] - (await name.bounding_box())["y"]
        assert abs(apart) < 30, size


async def a_call_fits_the_screen_of_a_phone(page: Page) -> None:
    shown = ("#own", '[data-control="hang-up"]', "#state", "#text", '#composer [type="submit"]')
    async for width, height in resized(page, PHONES):
        for selector in shown:
            box = await page.locator(selector).bounding_box()
            assert box is not None, (selector, width, height)
            assert 0 <= box["y"] <= height - box["height"], (selector, width, height)
            assert 0 <= box["x"] <= width - box["width"], (selector, width, height)
        assert await page.evaluate(CUT_LABELS) == [], (width, height)


async def at_400_percent_captions_can_be_read_and_words_typed(page: Page) -> None:
    # Windows of 1280 pixels at 400 %.
    async for size in resized(page, [(320, 256), (320, 240)]):
        assert await page.evaluate(OVERFLOW) <= 0, size
        await page.locator("#text").scroll_into_view_if_needed()
        typing = await page.locator("#text").bounding_box()
        captions = await page.locator("#captions").bounding_box()
        assert typing["width"] >= 150, size
        assert captions["width"] >= 280, size
        assert captions["height"] >= 80, size
        assert captions["y"] >= 0, size
        assert typing["y"] + typing["height"] <= size[1], size


async def test_a_call_by_keyboard_asks_only_this_server_and_nothing_is_complained_about(
    server, quiet_browser
):
    context = await quiet_browser.new_context(**CHEAP)
    page = await context.new_page()
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda line: complaints.append(line.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    caller = Caller(page)
    await caller.open(server.url)
    for button in ("#settings-open", "#call"):
        await page.keyboard.press("Tab")
        await expect(page.locator(button)).to_be_focused()
    outline = "() => getComputedStyle(document.activeElement).outlineStyle"
    assert await page.evaluate(outline) != "none"
    await page.keyboard.press("Enter")
    await caller.sees_state("listening")
    for _ in range(10):
        await page.keyboard.press("Tab")
        if await page.evaluate("() => document.activeElement.dataset.control === 'hang-up'"):
            break
    await page.keyboard.press("Enter")
    await caller.sees_state("ended")
    await expect(page.locator("#call")).to_be_focused()
    await context.close()
    assert len(asked) > 10
    assert all(url.startswith((server.url, "data:")) for url in asked), asked
    assert complaints == []


@pytest.fixture
def half_red(tmp_path: Path) -> Path:
    """A camera whose frames are red on the left and white on the right."""
    pixels = np.full((480, 640, 3), 255, np.uint8)
    pixels[:, :320] = (200, 20, 30)
    return drawn_camera_file([pixels] * 5, tmp_path / "halves.y4m")


async def test_the_frame_is_shown_as_the_agent_sees_it(
    playwright, server, silence, half_red, open_page, tmp_path
):
    async with chromium(playwright, camera=half_red, microphone=silence) as browser:
        caller = await open_page(browser, server.url)
        await caller.call()
        await expect(caller.page.locator("#looks")).to_have_text("Agent sees this", timeout=20_000)
        png = await caller.page.locator("#own").screenshot(path=tmp_path / "halves.png")
        pixels = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR).astype(int)
        left, right = pixels[:, : pixels.shape[1] // 3], pixels[:, -pixels.shape[1] // 3 :]
        assert np.median(left[..., 1]) < 90  # red: little green
        assert np.median(right[..., 1]) > 200
        # The corner brackets stand out from the white wall and from the red one.
        corners = [pixels[10:60, 10:60], pixels[10:60, -60:-10]]
        for corner, wall in zip(corners, (left, right), strict=True):
            away = np.abs(corner - np.median(wall.reshape(-1, 3), axis=0)).max(axis=2)
            assert (away > 70).sum() > 50
        await caller.leave()
