"""The page under a prefix: mounted in another application, or behind a proxy that strips it."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from fastapi import FastAPI
from playwright.async_api import expect
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.browser.caller import Caller
from tests.support.scenarios import TONES
from tests.support.serving_here import serving_here
from tests.support.waiting import until
from vision_agent import Settings, create_app

pytestmark = pytest.mark.asyncio(loop_scope="session")


def mounted(agent: FastAPI) -> ASGIApp:
    """An application that has the agent under /agent/."""
    parent = FastAPI()
    parent.mount("/agent", agent)
    return parent


def proxied(agent: FastAPI) -> ASGIApp:
    """What nginx does with `location /agent/ { proxy_pass http://agent/; }`."""

    async def strip(scope: Scope, receive: Receive, send: Send) -> None:
        if not scope["path"].startswith("/agent/"):
            await send({"type": "http.response.start", "status": 404, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            return
        path = scope["path"].removeprefix("/agent")
        await agent({**scope, "path": path, "raw_path": path.encode()}, receive, send)

    return strip


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def agent() -> AsyncIterator[FastAPI]:
    app = create_app(Settings(scenario=TONES))
    async with app.router.lifespan_context(app):
        yield app


@pytest.mark.parametrize("put", [mounted, proxied])
async def test_a_call_works_under_a_prefix(agent, quiet_browser, open_page, put):
    async with serving_here(put(agent)) as url:
        await calls_and_comes_back(await open_page(quiet_browser, f"{url}/agent/"), agent)


async def calls_and_comes_back(caller: Caller, agent: FastAPI) -> None:
    page, url = caller.page, caller.page.url
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await caller.call()
    await expect(page.locator("#looks")).to_have_text("Agent sees this", timeout=20_000)
    await caller.listen()
    await caller.types("hello")
    await caller.hears_voice()
    assert await caller.reads_answer()
    await caller.press("hang-up")
    await caller.sees_state("ended")
    await until(lambda: len(agent.state.registry) == 0)
    # The key names the prefix: another application of the origin has conversations of its own.
    kept = await page.evaluate("() => Object.keys(sessionStorage)")
    assert kept == ["vision-agent.thread /agent/"]
    await page.reload()
    await page.get_by_role("button", name="Continue the conversation").click()
    await caller.sees_state("listening")
    assert await caller.reads("user") == ["hello"]
    await caller.press("hang-up")
    await until(lambda: len(agent.state.registry) == 0)
    assert asked
    assert all(one.startswith((url, "data:")) for one in asked), asked
