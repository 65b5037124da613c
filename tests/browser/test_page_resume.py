"""The page reconnects by itself, and a conversation can be resumed after a reload."""

import json
import os
import signal
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Route, expect

from tests.browser.caller import Caller
from tests.browser.conftest import calls, no_calls
from tests.support.forked_product import ForkedServer
from tests.support.metrics import until_metric
from tests.support.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")

# The local Live API knows a turn's number only from the history that it receives.
COUNTING = """
engine: false
voice: tone
answers:
  - {when: {turn: 1}, say: One.}
  - {when: {turn: 2}, say: Two.}
  - {when: {turn: 3}, say: Three.}
"""


COUNT_TONES = """() => {
  globalThis.tones = 0;
  const start = OscillatorNode.prototype.start;
  OscillatorNode.prototype.start = function (...when) {
    globalThis.tones += 1;
    return start.apply(this, when);
  };
}"""


def counting(folder: Path) -> tuple[str, ...]:
    """Arguments for a server whose agent counts the turns of a conversation."""
    (folder / "scenario.yaml").write_text(COUNTING)
    database = f"sqlite:///{folder}/sessions.db"
    return ("--scenario", str(folder / "scenario.yaml"), "--session-db", database)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def counting_server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ForkedServer]:
    async with ForkedServer(*counting(tmp_path_factory.mktemp("counting"))) as server:
        yield server


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


async def all_written(server: ForkedServer) -> None:
    """Waits for the last write to the database, which a kill would lose."""
    await until_metric(server.url, 'session_events{state="waiting"}', lambda events: events == 0)


async def test_the_page_outlives_a_restart_and_a_kill_of_the_server_in_one_conversation(
    denying_browser, open_page, monkeypatch, tmp_path
):
    monkeypatch.setenv("VISION_AGENT_DRAIN_S", "3")
    same = (*counting(tmp_path), "--port", str(free_port()))
    async with ForkedServer(*same) as first:
        caller = await open_page(denying_browser, first.url, own_clock=True)
        await caller.call()
        await caller.page.evaluate(COUNT_TONES)
        await caller.page.get_by_role("button", name="Dismiss").click()  # it is about devices
        assert await asks(caller, "the first") == "One."
        first._process.send_signal(signal.SIGTERM)
        assert "0:0" in await caller.notice("The server restarts soon")
        await caller.sees_state("reconnecting")
        await first._process.wait()
    async with ForkedServer(*same) as second:
        await caller.sees_state("listening")
        await expect(caller.page.locator(".notice")).to_have_count(0)
        assert await asks(caller, "the second") == "Two."
        await all_written(second)
        os.kill(second.pid, signal.SIGKILL)
        await caller.waits_for_state("reconnecting")
    async with ForkedServer(*same) as third:
        await caller.sees_state("listening")
        assert await asks(caller, "the third") == "Three."
        assert await caller.reads("user") == ["the first", "the second", "the third"]
        assert await caller.reads("agent") == ["One.", "Two.", "Three."]
        # The chime after each reconnection has two tones.
        assert await caller.page.evaluate("tones") == 4
        await caller.press("hang-up")
        await no_calls(third)


# Loses the next typed line, and then the connection.
LOSES_A_LINE = """
    () => {
      const { send } = RTCDataChannel.prototype;
      RTCDataChannel.prototype.send = function (text) {
        if (!text.includes('"send-text"')) return send.call(this, text);
        RTCDataChannel.prototype.send = send;
        const lost = window.connections.at(-1);
        Object.defineProperty(lost, "connectionState", { get: () => "failed" });
        lost.dispatchEvent(new Event("connectionstatechange"));
      };
    }
"""


async def gone(route: Route) -> None:
    """Answers like a server that no longer has the call whose connection is to be replaced."""
    if json.loads(route.request.post_data or "{}").get("restart_pc"):
        await route.fulfill(status=404, json={"error": "There is no such call."})
    else:
        await route.fallback()


async def test_a_line_that_is_lost_with_its_connection_is_sent_on_the_next_one(
    counting_server, denying_browser, open_page
):
    caller = await open_page(denying_browser, counting_server.url)
    await caller.call()
    await caller.page.evaluate(LOSES_A_LINE)
    assert await asks(caller, "the first") == "One."
    assert await asks(caller, "the second") == "Two."
    assert await caller.page.evaluate("connections.length") == 2
    # A lost line is also sent in the next call, whose conversation lacks it.
    await caller.page.route("**/api/offer", gone)
    await caller.page.evaluate(LOSES_A_LINE)
    assert await asks(caller, "the third") == "Three."
    assert await caller.reads("user") == ["the first", "the second", "the third"]
    await caller.press("hang-up")
    await no_calls(counting_server)


async def test_the_very_first_line_is_sent_in_the_next_call_though_its_conversation_has_nothing(
    counting_server, denying_browser, open_page
):
    caller = await open_page(denying_browser, counting_server.url)
    await caller.call()
    await caller.page.route("**/api/offer", gone)
    await caller.page.evaluate(LOSES_A_LINE)
    assert await asks(caller, "the first") == "One."
    assert await caller.reads("user") == ["the first"]
    await caller.press("hang-up")
    await no_calls(counting_server)


async def test_after_a_reload_one_continues_or_starts_anew(
    counting_server, denying_browser, open_page
):
    caller = await open_page(denying_browser, counting_server.url)
    page = caller.page
    await caller.call()
    assert await asks(caller, "the first") == "One."
    await page.reload()
    await no_calls(counting_server, within_s=5)
    await expect(page.locator("#call")).to_have_text("Continue")
    await expect(page.locator("#other-thread")).to_have_text("Start anew")
    await caller.call()
    await expect(page.locator(".line-agent .text")).to_have_text(["One."])
    assert await caller.reads("user") == ["the first"]
    assert await asks(caller, "the second") == "Two."
    heads = await page.locator(".line-agent .who").all_text_contents()
    assert heads[0] == heads[1] != "Agent"
    # After a hang-up the large button begins a new conversation, the small one resumes.
    await caller.press("hang-up")
    await expect(page.locator("#call")).to_have_text("Call again")
    await expect(page.locator("#other-thread")).to_have_text("Continue the conversation")
    await page.click("#other-thread")
    await caller.sees_state("listening")
    assert await caller.reads("agent") == ["One.", "Two."]
    await page.reload()
    await page.click("#other-thread")
    await caller.sees_state("listening")
    assert await caller.reads("agent") == []
    assert await asks(caller, "the first again") == "One."


async def test_of_two_tabs_on_one_conversation_the_older_is_told_and_stays_out(
    counting_server, denying_browser, open_page
):
    await no_calls(counting_server)
    caller = await open_page(denying_browser, counting_server.url)
    await caller.call()
    await asks(caller, "the first")
    kept = await caller.page.evaluate("() => sessionStorage.getItem('vision-agent.thread')")
    other = await open_page(denying_browser, counting_server.url)
    # As when the browser duplicates a tab.
    await other.page.evaluate("(kept) => sessionStorage.setItem('vision-agent.thread', kept)", kept)
    await other.page.reload()
    await other.page.wait_for_selector("#brain:not([hidden])")
    await other.call()
    await caller.sees_state("ended")
    assert await caller.notice("another connection")

    async def one_call() -> bool:
        return calls(counting_server) == 1

    await until(one_call, what="the older call to be gone")
    assert await asks(other, "the second") == "Two."
