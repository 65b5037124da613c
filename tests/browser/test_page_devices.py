"""Camera and microphone: missing, denied, muted, off; the video sender's limits; the wake lock."""

import asyncio
import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.support.forked_product import ForkedServer
from tests.support.scenarios import TONES
from tests.support.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")

VANISHED_AFTER_S = 3


async def test_a_denied_camera_is_explained_and_the_call_goes_on_with_voice(
    server, strict_browser, open_page
):
    caller = await open_page(strict_browser, server.url)
    await caller.page.context.grant_permissions(["microphone"])
    await caller.call()
    notice = await caller.notice()
    assert "camera is not allowed" in notice
    assert "hears you" in notice
    await expect(caller.page.locator("#no-camera")).to_have_text("The camera is not allowed")
    await expect(caller.page.get_by_role("button", name="Mute microphone")).to_be_visible()


async def test_a_denied_microphone_is_explained_and_a_typed_question_answered_aloud(
    tones_server, strict_browser, open_page
):
    caller = await open_page(strict_browser, tones_server.url)
    await caller.page.context.grant_permissions(["camera"])
    await caller.call()
    assert "microphone is not allowed" in await caller.notice()
    assert "type" in (await caller.page.inner_text("#state-detail")).lower()
    await caller.listen()
    await caller.types("hello")
    await caller.hears_voice()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def known_server() -> AsyncIterator[ForkedServer]:
    """A server that is also called `agent.test`, and soon gives up a peer that sends nothing."""
    options = {
        "VISION_AGENT_ALLOWED_HOSTS": "agent.test",
        "VISION_AGENT_VANISHED_AFTER_S": str(VANISHED_AFTER_S),
    }
    async with ForkedServer("--scenario", str(TONES), environment=options) as server:
        yield server


async def test_with_both_denied_the_call_lasts_longer_than_a_vanished_peer_would(
    known_server, denying_browser, open_page
):
    caller = await open_page(denying_browser, known_server.url)
    await caller.call()
    assert "camera and microphone are not allowed" in await caller.notice()
    began = asyncio.get_running_loop().time()

    async def later() -> bool:
        return asyncio.get_running_loop().time() - began > VANISHED_AFTER_S + 2

    await until(later, what="two seconds more")
    await caller.types("hello")
    assert await caller.reads_answer()


# `window.allow()` answers the permission prompt; `window.tracks` has the tracks opened then.
PROMPT = """
    () => {
      window.original ??= navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
      window.tracks = [];
      const answered = new Promise((resolve) => (window.allow = resolve));
      navigator.mediaDevices.getUserMedia = async (constraints) => {
        await answered;
        const stream = await original(constraints);
        window.tracks.push(...stream.getTracks());
        return stream;
      };
    }
"""


async def test_a_hang_up_during_the_permission_prompt_leaves_no_device_open(
    server, quiet_browser, open_page
):
    caller = await open_page(quiet_browser, server.url)

    async def states() -> list[str]:
        return await caller.page.evaluate("() => window.tracks.map((one) => one.readyState)")

    for button, devices in (("#call", 2), ("#call-voice", 1)):
        await caller.page.evaluate(PROMPT)
        await caller.page.click(button)
        await caller.sees_state("asking")
        await caller.press("hang-up")
        await caller.sees_state("ended")
        await caller.page.evaluate("() => window.allow()")
        closed = ["ended"] * devices

        async def all_closed(closed: list[str] = closed) -> bool:
            return await states() == closed

        await until(all_closed, 10, f"the devices of {button} to be closed")
        assert await caller.page.evaluate("() => document.body.dataset.state") == "ended"


COUNT_LOCKS = """() => {
  window.locks = new Set();
  const request = WakeLock.prototype.request;
  WakeLock.prototype.request = async function (...kind) {
    const lock = await request.apply(this, kind);
    window.locks.add(lock);
    lock.addEventListener("release", () => window.locks.delete(lock));
    return lock;
  };
}"""


async def test_devices_that_are_allowed_later_join_a_call_which_keeps_the_screen_on(
    server, strict_browser, open_page
):
    # The headless shell has no wake lock.
    caller = await open_page(strict_browser, server.url)
    await caller.page.evaluate(COUNT_LOCKS)
    await caller.call()
    await caller.page.wait_for_function("() => window.locks.size === 1", polling=100)
    await caller.notice()
    await caller.page.context.grant_permissions(["camera", "microphone"])
    await expect(caller.page.locator("#looks")).to_have_text("Agent sees this", timeout=20_000)
    await expect(caller.page.locator(".notice")).to_have_count(0)
    await expect(caller.page.get_by_role("button", name="Mute microphone")).to_be_visible()
    await caller.press("hang-up")
    await caller.page.wait_for_function("() => window.locks.size === 0", polling=100)


async def test_muting_is_shown_and_the_camera_sends_two_frames_a_second_and_nothing_while_off(
    server, quiet_browser, open_page
):
    caller = await open_page(quiet_browser, server.url)
    await caller.call()
    await muting_is_shown_and_undone(caller.page)
    await expect(caller.page.locator("#looks")).to_have_text("Agent sees this", timeout=20_000)
    first = await caller.video_sent()
    last = await caller.video_sent(after_ms=first["at_ms"] + 5_000)
    seconds = (last["at_ms"] - first["at_ms"]) / 1_000
    rate_hz = (last["framesSent"] - first["framesSent"]) / seconds
    assert 1.4 <= rate_hz <= 2.6
    assert max(last["width"], last["height"]) <= 768
    await caller.page.get_by_role("button", name="Turn camera off").click()
    await expect(caller.page.locator("#no-camera")).to_have_text("Your camera is off")
    await expect(caller.page.locator('[data-control="camera"] .label')).to_have_text("Camera off")
    assert await caller.page.locator("#looks").is_hidden()
    assert await caller.page.evaluate("() => document.querySelector('video').srcObject === null")
    off = await caller.video_sent()
    await caller.types("what colour is this?")
    assert (await caller.reads_answer()).startswith("Your camera is off; the last picture is ")
    later = await caller.video_sent(after_ms=off["at_ms"] + 2_000)
    assert later["framesSent"] - off["framesSent"] <= 1  # one may have been on its way
    await caller.page.get_by_role("button", name="Turn camera on").click()
    await expect(caller.page.locator("#looks")).to_have_text("Agent sees this", timeout=20_000)

    async def more() -> bool:
        return (await caller.video_sent())["framesSent"] > later["framesSent"] + 2

    await until(more, what="frames again")


async def muting_is_shown_and_undone(page: Page) -> None:
    await page.get_by_role("button", name="Mute microphone").click()
    await expect(page.locator("#state-detail")).to_contain_text(re.compile("muted", re.I))
    enabled = "() => window.connections.at(-1).getSenders()[0].track.enabled"
    assert await page.evaluate(enabled) is False
    await page.get_by_role("button", name="Unmute microphone").click()
    assert await page.evaluate(enabled) is True


async def test_plain_http_on_another_host_is_explained_and_a_typed_call_works(
    known_server, quiet_browser, open_page
):
    port = known_server.url.rpartition(":")[2]
    caller = await open_page(quiet_browser, f"http://agent.test:{port}")
    await caller.call()
    notice = await caller.notice()
    assert "https" in notice
    blocked = "The browser blocks the camera here"
    await expect(caller.page.locator("#no-camera")).to_have_text(blocked)
    await caller.listen()
    await caller.types("what can you do?")
    await caller.hears_voice()
