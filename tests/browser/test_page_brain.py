"""The page calls an agent whose answers a language model writes, on llama.cpp's server."""

import pytest
from playwright.async_api import expect

from tests.support.forked_product import ForkedServer
from tests.support.llama_server import llama_server

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300)]


# A short instruction and no tools: the model reads 200 words a second.
AGENT = """
from google.adk.agents import Agent

root_agent = Agent(name="brief", model="gemini-3.8-live", instruction="Say one word.")
"""


async def test_a_model_of_ones_own_answers_on_the_page(denying_browser, open_page, tmp_path):
    """The answer's words are not judged: the model is very small."""
    (tmp_path / "brief").mkdir()
    (tmp_path / "brief" / "agent.py").write_text(AGENT)
    agent = ("--agent", str(tmp_path / "brief"))
    async with (
        llama_server() as llama,
        ForkedServer(*agent, "--brain", llama.url, "--brain-images", "0") as server,
    ):
        caller = await open_page(denying_browser, server.url)
        host = llama.url.removeprefix("http://").removesuffix("/v1")
        await expect(caller.page.locator("#brain")).to_contain_text(host)
        await expect(caller.page.locator("#brain-text")).to_contain_text(f"go to {host}")
        await caller.call()
        await caller.types("Say hello.")
        await caller.sees_state("speaking", timeout_s=120)
        words = caller.page.locator(".line-agent .text").first
        await expect(words).not_to_be_empty()
        await caller.press("hang-up")
