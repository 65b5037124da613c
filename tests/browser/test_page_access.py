"""Accessibility: axe-core in every state, keyboards, screen readers, thumbs, small screens."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from playwright.async_api import Page, Route, expect

from tests.browser.caller import Caller
from tests.browser.conftest import no_calls
from tests.support.forked_product import ForkedServer
from tests.support.scenarios import TONES

pytestmark = pytest.mark.asyncio(loop_scope="session")

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
DESK = {"viewport": {"width": 1440, "height": 900}}
AXE = Path(__file__).parent.parent / "javascript" / "node_modules" / "axe-core" / "axe.min.js"

# Controls that are smaller than a thumb.
SMALL = """
    () => [...document.querySelectorAll("button, select, input, a[href]")]
      .filter((one) => one.checkVisibility())
      .map((one) => [one.textContent.trim() || one.id, one.getBoundingClientRect()])
      .filter(([, { width, height }]) => Math.min(width, height) < 44)
      .map(([name, { width, height }]) => `${name}: ${width} by ${height}`)
"""
# Reporting the rules that pass would take most of axe's time.
RUN_AXE = "() => axe.run({ resultTypes: ['violations', 'incomplete'] })"
FOCUS = "() => document.activeElement.id || document.activeElement.tagName"


async def on_each_screen(page: Page) -> AsyncIterator[str]:
    """Emulates a phone with a dark colour scheme, then a desktop: one call serves both."""
    devtools = await page.context.new_cdp_session(page)
    for name, screen, scheme in (("phone", PHONE, "dark"), ("desk", DESK, "light")):
        mobile = screen is PHONE
        metrics = {**screen["viewport"], "deviceScaleFactor": 1, "mobile": mobile}
        await devtools.send("Emulation.setDeviceMetricsOverride", metrics)
        await devtools.send("Emulation.setTouchEmulationEnabled", {"enabled": mobile})
        await page.emulate_media(color_scheme=scheme)
        for query, expected in (
            ("(pointer: coarse)", mobile),
            (f"(prefers-color-scheme: {scheme})", True),
            (f"(width: {screen['viewport']['width']}px)", True),
        ):
            assert await page.evaluate(f"() => matchMedia('{query}').matches") == expected, query
        yield name


@pytest.fixture
def accessible() -> Callable[[Page], Awaitable[None]]:
    """Fails with axe-core's violations, with rules it leaves undecided, and with small controls."""
    if not AXE.is_file():
        pytest.skip("axe-core is not installed; `make test` installs it.")

    async def check(page: Page) -> None:
        if not await page.evaluate("() => 'axe' in window"):
            await page.evaluate(f"() => {{ {AXE.read_text()} }}")
        async for screen in on_each_screen(page):
            found = await page.evaluate(RUN_AXE)
            assert [
                f"{one['id']}: {node['html']} {node['failureSummary']}"
                for one in found["violations"]
                for node in one["nodes"]
            ] == [], screen
            undecided = {one["id"] for one in found["incomplete"]}
            # The contrast of text over the video depends on the video.
            assert undecided <= {"color-contrast", "video-caption"}, screen
            assert await page.evaluate(SMALL) == [], screen

    return check


async def test_the_lobby_the_call_and_its_end_are_accessible(
    tones_server, quiet_browser, open_page, accessible
):
    caller = await open_page(quiet_browser, tones_server.url, **DESK)
    page = caller.page
    await accessible(page)
    await caller.call()
    await expect(page.locator("#looks")).to_have_text("Agent sees this", timeout=20_000)
    await accessible(page)
    await m_mutes_while_the_focus_is_on_the_call_and_is_a_letter_elsewhere(page)
    await caller.types("what can you do?")
    await caller.sees_state("speaking")
    await caller.press("microphone")
    await caller.press("camera")
    await accessible(page)
    await caller.press("hang-up")
    await caller.sees_state("ended")
    await accessible(page)


async def m_mutes_while_the_focus_is_on_the_call_and_is_a_letter_elsewhere(page: Page) -> None:
    mute = page.locator('[data-control="microphone"]')
    assert await mute.get_attribute("aria-keyshortcuts") == "M"
    await page.keyboard.press("m")
    await expect(mute).to_have_accessible_name("Unmute microphone")
    await page.keyboard.press("Control+m")
    await page.locator("#text").press("m")
    await expect(page.locator("#text")).to_have_value("m")
    await expect(mute).to_have_accessible_name("Unmute microphone")
    await mute.focus()
    await page.keyboard.press("M")
    await expect(mute).to_have_accessible_name("Mute microphone")


async def test_a_call_without_devices_is_accessible_and_the_focus_stays_when_an_element_disappears(
    server, denying_browser, open_page, accessible
):
    caller = await open_page(denying_browser, server.url, **DESK)
    page = caller.page
    await page.locator("#call").focus()
    await page.keyboard.press("Enter")
    await caller.sees_state("listening")
    assert await page.evaluate(FOCUS) == "stage"
    await caller.notice()
    await accessible(page)
    # The accessible name is the visible label, which speech input needs.
    label = page.get_by_role("button", name="Use mic", exact=True)
    async for _ in on_each_screen(page):
        await expect(label).to_be_visible()
    await page.get_by_role("button", name="Dismiss").focus()
    await page.keyboard.press("Enter")
    await expect(page.locator(".notice")).to_have_count(0)
    assert await page.evaluate(FOCUS) == "stage"
    await page.locator("#asks button").first.focus()
    await page.keyboard.press("Enter")
    await expect(page.locator("#asks")).to_be_hidden()
    assert await page.evaluate(FOCUS) == "stage"
    await page.locator('[data-control="hang-up"]').focus()
    await page.keyboard.press("Enter")
    await caller.sees_state("ended")
    assert await page.evaluate(FOCUS) == "call"


async def test_the_loss_of_the_server_is_accessible_and_said_once(
    quiet_browser, open_page, accessible
):
    async with ForkedServer("--scenario", str(TONES)) as server:
        caller = await open_page(quiet_browser, server.url, own_clock=True, **DESK)
        page = caller.page
        await caller.call()
        await caller.types("what can you do?")
        await caller.sees_state("speaking")
        await expect(page.locator("#looks")).to_be_visible()
        server._process.kill()
        await caller.waits_for_state("reconnecting")
        # Without a connection the agent sees nothing.
        await expect(page.locator("#looks")).to_be_hidden()
        await accessible(page)
        await caller.waits_for_state("ended")
    await accessible(page)
    assert "Connection lost" in await caller.notice()
    shown = await page.inner_text("body")
    assert shown.count("Check that the server is running") == 1
    assert "you interrupted" not in shown
    await expect(page.locator(".line-agent .cut")).to_have_text(" (the connection was lost)")


async def test_with_a_phones_keyboard_open_the_newest_words_can_be_read(
    tones_server, quiet_browser, open_page
):
    caller = await open_page(quiet_browser, tones_server.url, **PHONE)
    page = caller.page
    await caller.call()
    await caller.types("hello, " * 30)
    await caller.reads_answer()
    await page.locator("#text").focus()
    await page.set_viewport_size({"width": 390, "height": 420})
    await expect(page.locator("#own")).to_be_hidden()
    captions = await page.locator("#captions").bounding_box()
    assert captions["height"] >= 120
    await expect(page.locator(".line").last).to_be_in_viewport(ratio=0.3)
    for selector in ("#text", '[data-control="hang-up"]', "#state"):
        await expect(page.locator(selector)).to_be_in_viewport(ratio=1)
    # In landscape there is room for both.
    await page.set_viewport_size({"width": 740, "height": 360})
    for selector in ("#own", "#text", '[data-control="hang-up"]'):
        await expect(page.locator(selector)).to_be_in_viewport(ratio=1)


async def test_a_question_in_the_lobby_calls_and_asks(tones_server, denying_browser, open_page):
    caller = await open_page(denying_browser, tones_server.url)
    await caller.page.get_by_role("button", name="What do you see?").click()
    assert await caller.reads_answer()
    assert await caller.reads("user") == ["What do you see?"]
    await caller.press("hang-up")
    await caller.sees_state("ended")
    await no_calls(tones_server)
    # The question is asked once, not in the next call.
    await Caller.call(caller)
    assert await caller.reads("user") == []


async def test_what_the_lobby_says_of_recordings_is_accessible(
    server, denying_browser, open_page, accessible
):
    caller = await open_page(denying_browser, server.url, **DESK)
    page = caller.page
    recording: dict[str, object] = {}

    async def info(route: Route) -> None:
        response = await route.fetch()
        await route.fulfill(
            response=response, json=await response.json() | {"recording": recording}
        )

    await page.route("**/api/info", info)
    for calls, needs_consent, words, answers in (
        ("all", False, "Calls are recorded: ", 0),
        ("asked", True, "A call is recorded only if you agree: ", 2),
    ):
        recording |= {"calls": calls, "needs_consent": needs_consent}
        await page.reload()
        await expect(page.locator("#recording-words")).to_contain_text(words)
        assert await page.locator("#recording input:visible").count() == answers
        await accessible(page)
