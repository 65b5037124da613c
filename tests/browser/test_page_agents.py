"""Several agents on one server: the caller chooses one."""

import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.browser.conftest import calls, no_calls
from tests.support.forked_product import ForkedServer
from tests.support.samples import SAMPLES

pytestmark = pytest.mark.asyncio(loop_scope="session")


OF_THEIR_OWN = {
    "elsewhere": """
from google.adk.agents.llm_agent import LlmAgent
from google.adk.models.google_llm import Gemini

root_agent = LlmAgent(
    name="elsewhere",
    model=Gemini(model="gemini-3.8-live", base_url="https://me:secret@models.example:8443/v1"),
)
""",
    "searcher": """
from google.adk.agents import Agent
from google.adk.tools import google_search

root_agent = Agent(name="searcher", instruction="Search.", tools=[google_search])
""",
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def several_agents(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ForkedServer]:
    """Three samples, an agent with its own model, and one with a tool that works in no call."""
    folder = tmp_path_factory.mktemp("agents")
    for name, source in OF_THEIR_OWN.items():
        (folder / name).mkdir()
        (folder / name / "agent.py").write_text(source)
    agents = [SAMPLES / name for name in ("basic", "watchman", "front_desk")]
    agents += [folder / name for name in OF_THEIR_OWN]
    async with ForkedServer("--agent", ",".join(map(str, agents))) as server:
        yield server


async def test_the_person_chooses_whom_to_call(
    several_agents, denying_browser, open_page, tmp_path
):
    caller = await open_page(denying_browser, several_agents.url)
    page = caller.page
    await page.set_viewport_size({"width": 390, "height": 844})
    choice = page.get_by_label("Who to call")
    names = await choice.locator("option").all_text_contents()
    assert names == ["Basic", "Watchman", "Front desk", "Elsewhere", "Searcher"]
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
    # The page keeps the user's id, which the agent's memory goes by.
    assert (
        json.loads((await again.value).post_data)["requestData"]["user"]
        == (offer["requestData"]["user"])
    )


async def test_where_there_is_one_agent_there_is_nothing_to_choose(
    server, denying_browser, open_page
):
    caller = await open_page(denying_browser, server.url)
    await expect(caller.page.locator("#agent-choice")).to_be_hidden()


async def test_the_page_shows_who_speaks_after_a_transfer(
    several_agents, denying_browser, open_page
):
    caller = await open_page(denying_browser, several_agents.url)
    await caller.page.get_by_label("Who to call").select_option("front_desk")
    await caller.call()
    await caller.types("hello")
    speakers = caller.page.locator(".line-agent .who")
    await expect(speakers).to_have_text(["Front desk"], timeout=60_000)
    await caller.types("transfer me to repairs")
    await expect(speakers.last).to_have_text("Repairs", timeout=60_000)
    words = caller.page.locator(".line-agent .text").last
    await expect(words).to_contain_text("Repairs here.", timeout=60_000)
    await caller.press("hang-up")


async def test_a_conversation_is_continued_with_the_agent_it_was_with(
    several_agents, denying_browser, open_page
):
    caller = await open_page(denying_browser, several_agents.url)
    page = caller.page
    choice = page.get_by_label("Who to call")
    await choice.select_option("watchman")
    await caller.call()
    await caller.types("hello")
    await caller.reads_answer()
    await page.reload()
    await expect(choice).to_have_value("watchman")
    await expect(page.locator("#agent-name")).to_have_text("Watchman")
    await expect(page.locator("#call")).to_have_text("Continue")
    # With another agent there is nothing to resume.
    await choice.select_option("basic")
    await expect(page.locator("#call")).to_have_text("Call")
    await expect(page.locator("#other-thread")).to_be_hidden()
    async with page.expect_request(lambda r: r.method == "POST") as offered:
        await choice.select_option("watchman")
        await page.click("#call")
    asked = json.loads((await offered.value).post_data)["requestData"]
    assert asked["agent"] == "watchman"
    assert asked["resume"]
    await caller.sees_state("listening")
    await expect(page.locator(".line-user .text")).to_have_text(["hello"])
    await caller.press("hang-up")


async def test_a_call_to_one_agent_leaves_another_ones_alone(
    several_agents, denying_browser, open_page
):
    await no_calls(several_agents)
    first = await open_page(denying_browser, several_agents.url)
    await first.call()
    kept = await first.page.evaluate("() => sessionStorage.getItem('vision-agent.thread')")
    other = await open_page(denying_browser, several_agents.url)
    stolen = {**json.loads(kept), "agent": "watchman"}
    await other.page.evaluate(
        "(kept) => sessionStorage.setItem('vision-agent.thread', kept)", json.dumps(stolen)
    )
    await other.page.reload()
    await expect(other.page.locator("#call")).to_have_text("Continue")
    await other.call()
    await expect(other.page.locator(".line-note")).to_contain_text("A new conversation")
    await first.sees_state("listening")
    assert calls(several_agents) == 2
    for caller in (first, other):
        await caller.press("hang-up")


async def test_the_page_says_where_an_agents_model_is_and_what_of_it_has_no_effect_in_a_call(
    several_agents, denying_browser, open_page
):
    caller = await open_page(denying_browser, several_agents.url)
    page = caller.page
    words, notice = page.locator("#brain-text"), page.locator("#lobby-notices .notice")
    await expect(words).to_contain_text("Sound and pictures stay there.")
    await page.get_by_label("Who to call").select_option("elsewhere")
    await expect(words).to_have_text(
        "During a call, sound and pictures go to the model service that this agent chose, "
        "at models.example:8443."
    )
    assert "secret" not in await page.content()
    await page.get_by_label("Who to call").select_option("basic")
    await expect(page.locator("#agent-name")).to_have_text("Basic")
    await expect(notice).to_have_count(0)
    await page.get_by_label("Who to call").select_option("searcher")
    await expect(notice).to_contain_text("Not all of this agent works in a call")
    await expect(notice).to_contain_text("google_search, which runs at Google only")
    await caller.call()
    await caller.press("hang-up")
