"""How calls end or fail to begin: each way is explained and leaves no call on the server."""

import os
import signal
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.browser.caller import Caller
from tests.browser.chromium import chromium
from tests.browser.conftest import calls, no_calls
from tests.support.forked_product import ForkedServer
from tests.support.scenarios import SILENT, TONES

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_hanging_up_ends_the_call_on_the_server_and_one_can_call_again(
    tones_server, quiet_browser, open_page
):
    await no_calls(tones_server)
    caller = await open_page(quiet_browser, tones_server.url)
    await caller.call()
    assert calls(tones_server) == 1
    await caller.press("hang-up")
    await caller.sees_state("ended")
    await no_calls(tones_server, within_s=5)
    await expect(caller.page.locator("#call")).to_have_text("Call again")
    live = "() => document.querySelector('video').srcObject === null"
    assert await caller.page.evaluate(live)
    await caller.call()
    await caller.listen()
    await caller.types("hello")
    await caller.hears_voice()
    await caller.press("hang-up")
    await no_calls(tones_server)


async def test_a_page_closed_in_mid_call_ends_the_call_on_the_server(
    server, denying_browser, open_page
):
    caller = await open_page(denying_browser, server.url)
    await caller.call()
    assert calls(server) == 1
    await caller.page.close(run_before_unload=True)
    await no_calls(server, within_s=5)


async def test_leaving_the_page_ends_the_call_on_the_server(server, denying_browser, open_page):
    caller = await open_page(denying_browser, server.url)
    await caller.call()
    await caller.page.goto("about:blank")
    await no_calls(server, within_s=5)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def guarded() -> AsyncIterator[ForkedServer]:
    """A server that asks for a token, and has room for one call."""
    arguments = ("--scenario", str(SILENT), "--max-calls", "1")
    async with ForkedServer(
        *arguments, environment={"VISION_AGENT_TOKEN": "open sesame"}
    ) as server:
        yield server


async def test_a_token_is_taken_from_the_link_and_a_full_house_is_explained(
    guarded, denying_browser, open_page
):
    await no_calls(guarded)
    link = f"{guarded.url}/#token=open%20sesame"
    first = await open_page(denying_browser, link)
    async with first.page.expect_response("**/api/offer") as answered:
        await first.call()
    # The call belongs to this browser's own user, as it does without a token.
    user = await first.page.evaluate("localStorage.getItem('vision-agent-user')")
    assert (await (await answered.value).json())["resume"].endswith(f".{user}")
    second = await open_page(denying_browser, link)
    await second.page.click("#call")
    notice = await second.notice("busy")
    assert "Try again in about 5 seconds" in notice
    assert calls(guarded) == 1
    await first.press("hang-up")
    await no_calls(guarded)
    await expect(second.page.locator("#call")).to_have_text("Try again")
    await second.call()
    # A first visit without the link.
    await first.page.evaluate("() => { sessionStorage.clear(); localStorage.clear(); }")
    await first.leave()
    await first.page.goto(guarded.url)
    await expect(first.page.locator(".notice")).to_contain_text("access token")


async def test_a_link_with_a_token_for_one_call_begins_one(guarded, denying_browser, open_page):
    await no_calls(guarded)
    async with httpx.AsyncClient(headers={"Authorization": "Bearer open sesame"}) as http:
        given = await http.post(f"{guarded.url}/api/tokens", json={"user": "ann"})
    caller = await open_page(denying_browser, f"{guarded.url}/#token={given.json()['token']}")
    await caller.call()
    await caller.press("hang-up")
    await no_calls(guarded)
    await caller.page.evaluate("sessionStorage.clear()")
    await caller.page.reload()
    await caller.page.click("#call")
    assert "may be used once" in await caller.notice("This link begins no more calls")


async def test_a_call_outlives_a_cut_with_what_was_pressed_in_it_and_says_when_its_server_stops(
    denying_browser, open_page, monkeypatch, tmp_path
):
    # To the page a stopped server looks like a lost network. The server's timeout is long here, so
    # that it does not end the page's call when it continues.
    monkeypatch.setenv("VISION_AGENT_VANISHED_AFTER_S", "60")
    async with ForkedServer("--scenario", str(TONES), "--record", str(tmp_path)) as server:
        caller = await open_page(denying_browser, server.url, own_clock=True)
        await caller.call()
        await picked_up_again_where_it_was_cut_off(caller, server)
    await caller.sees_state("ended")
    assert await caller.notice("Call ended")
    # The server no longer answers.
    await caller.page.click("#call")
    assert await caller.notice("can't be reached")
    await expect(caller.page.locator("#call")).to_have_text("Continue")


async def picked_up_again_where_it_was_cut_off(caller: Caller, server: ForkedServer) -> None:
    sign = caller.page.locator("#recording-sign")
    await expect(sign).to_be_visible()
    os.kill(server.pid, signal.SIGSTOP)
    try:
        await caller.waits_for_state("reconnecting")
        await sign.click()
        assert await caller.notice("ends when you are connected again")
        await expect(sign).to_be_visible()
    finally:
        os.kill(server.pid, signal.SIGCONT)
    await caller.sees_state("listening", timeout_s=30)
    assert calls(server) == 1
    await expect(sign).to_be_hidden()
    assert await caller.notice("You have ended it")
    await caller.listen()
    await caller.types("hello")
    await caller.hears_voice()
    assert await caller.reads_answer()


async def test_a_browser_that_may_use_no_address_is_told_so(playwright, server, open_page):
    # Privacy extensions do this; a machine without a network behaves the same.
    flags = ["--force-webrtc-ip-handling-policy=disable_non_proxied_udp"]
    async with chromium(playwright, allow_devices=False, more_flags=flags) as browser:
        caller = await open_page(browser, server.url)
        await caller.page.click("#call")
        assert await caller.notice("no network to call over")
        await no_calls(server, within_s=5)
