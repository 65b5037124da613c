"""The page comes back by itself, and whoever reloads it can go on where they were."""

import os
import signal
import socket

import pytest
from playwright.async_api import expect

from tests.browser.caller import Caller, until
from tests.browser.conftest import calls, no_calls
from vision_agent.server_process import ServerProcess

pytestmark = pytest.mark.asyncio(loop_scope="session")


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


async def asks(caller: Caller, text: str) -> str:
    """Types a question and reads the whole answer."""
    answers = caller.page.locator('.line-agent[data-state="final"] .text')
    before = await answers.count()
    await caller.types(text)
    await expect(answers).to_have_count(before + 1, timeout=60_000)
    await caller.sees_state("listening")
    return await answers.last.inner_text()


def first_words(text: str) -> str:
    return " ".join(text.split()[:4])


async def test_the_page_outlives_a_restart_and_a_kill_of_the_server_in_one_conversation(
    quiet_browser, open_page, tmp_path, monkeypatch
):
    monkeypatch.setenv("VISION_AGENT_DRAIN_S", "3")
    port = str(free_port())
    same = ("--port", port, "--session-db", f"sqlite:///{tmp_path}/sessions.db")
    async with ServerProcess(*same) as first:
        caller = await open_page(quiet_browser, first.url)
        await caller.call()
        can_do = await asks(caller, "what can you do?")
        first._process.send_signal(signal.SIGTERM)
        notice = await caller.notice()
        assert "The server restarts soon" in notice
        assert "0:0" in notice
        await caller.sees_state("reconnecting")
        await first._process.wait()
    async with ServerProcess(*same) as second:
        await caller.sees_state("listening")
        await expect(caller.page.locator(".notice")).to_have_count(0)
        assert first_words(can_do) in await asks(caller, "what did you say?")
        os.kill(second.pid, signal.SIGKILL)
        await caller.sees_state("reconnecting", timeout_s=15)
    async with ServerProcess(*same) as third:
        await caller.sees_state("listening")
        assert first_words(can_do) in await asks(caller, "what did you say?")
        assert await caller.reads("user") == ["what can you do?"] + ["what did you say?"] * 2
        assert len(await caller.reads("agent")) == 3
        await caller.press("hang-up")
        await no_calls(third)


async def test_after_a_reload_one_continues_or_starts_anew(server, quiet_browser, open_page):
    caller = await open_page(quiet_browser, server.url)
    page = caller.page
    await caller.call()
    can_do = await asks(caller, "what can you do?")
    await page.reload()
    await no_calls(server, within_s=5)
    await expect(page.locator("#call")).to_have_text("Continue")
    await expect(page.locator("#other-thread")).to_have_text("Start anew")
    await caller.call()
    assert await caller.reads("user") == ["what can you do?"]
    assert await caller.reads("agent") == [can_do]
    assert first_words(can_do) in await asks(caller, "what did you say?")
    # Who hangs up means it: the large button begins anew, the small one still continues.
    await caller.press("hang-up")
    await expect(page.locator("#call")).to_have_text("Call again")
    await expect(page.locator("#other-thread")).to_have_text("Continue the conversation")
    await page.click("#other-thread")
    await caller.sees_state("listening")
    assert len(await caller.reads("user")) == 2
    await page.reload()
    await page.click("#other-thread")
    await caller.sees_state("listening")
    assert await caller.reads("agent") == []
    assert first_words(can_do) not in await asks(caller, "what did you say?")
    await caller.press("hang-up")
    await no_calls(server)


async def test_of_two_tabs_on_one_conversation_the_older_is_told_and_stays_out(
    server, quiet_browser, open_page
):
    caller = await open_page(quiet_browser, server.url)
    await caller.call()
    await asks(caller, "hello")
    kept = await caller.page.evaluate("() => sessionStorage.getItem('vision-agent.thread')")
    other = await open_page(quiet_browser, server.url)
    # What the browser does when a tab is duplicated.
    await other.page.evaluate("(kept) => sessionStorage.setItem('vision-agent.thread', kept)", kept)
    await other.page.reload()
    await other.page.wait_for_selector("#brain:not([hidden])")
    await other.call()
    await caller.sees_state("ended")
    assert "another connection" in await caller.notice()

    async def one_call() -> bool:
        return calls(server) == 1

    await until(one_call, "the older call to be gone")
    await other.press("hang-up")
    await no_calls(server)
