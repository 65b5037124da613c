"""Pipecat's client SDKs in Chromium hold a call, from a page of another origin.

They are as published except for the media manager (`rtvi/media_manager.js`): the transport's own
loads its device code from the internet.
"""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright
from playwright.async_api import Error as PlaywrightError

from tests.browser.chromium import chromium
from tests.browser.fake_devices import SCREEN, camera_file, microphone_file
from tests.clients.npm import bundle, node
from tests.clients.site import served
from tests.conftest import RECORDINGS
from tests.support.forked_product import ForkedServer

pytestmark = pytest.mark.asyncio(loop_scope="module")

OLDER = {
    "client_js": "older-client-js",
    "small_webrtc_transport": "older-small-webrtc-transport",
}
VERSIONS = ["newest", "older"]
TOKEN = "s3cret"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three applications, each a page and a bundle."""
    node()
    folder = tmp_path_factory.mktemp("site")
    await bundle("rtvi/client.js", folder / "newest.js")
    await bundle("rtvi/client.js", folder / "older.js", **OLDER)
    await bundle("rtvi/kit.jsx", folder / "kit.js")
    return folder


@pytest.fixture(scope="module")
def site(site_folder: Path) -> Iterator[str]:
    """The origin of the applications."""
    with served(site_folder) as origin:
        yield origin


# The engine hears, and looks for colours and words: a description costs ten times a colour's CPU.
LOOKS = """
voice: tone
answers:
  - when: {words: what do you see}
    say: I see what you send.
"""
# The speech detector finds the question; its words are the scenario's.
SCRIPTED = """
engine: false
hears: ["What do you see?"]
hears_then: again
answers:
  - when: {words: what do you see, spoken: true}
    say: I see what you send.
  - when: {words: what colour}
    say: It is any.
  - when: {words: hello}
    say: Hello.
otherwise: {say: []}
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(
    site: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[ForkedServer]:
    scenario = tmp_path_factory.mktemp("scenario") / "looks.yaml"
    scenario.write_text(LOOKS)
    origins = {"VISION_AGENT_CORS_ORIGINS": site}
    async with ForkedServer("--scenario", str(scenario), environment=origins) as server:
        yield server


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def secured_server(
    site: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[ForkedServer]:
    """A server with a token and scripted answers, for tests of what a client shows."""
    scenario = tmp_path_factory.mktemp("scenario") / "scripted.yaml"
    scenario.write_text(SCRIPTED)
    options = {"VISION_AGENT_CORS_ORIGINS": site, "VISION_AGENT_TOKEN": TOKEN}
    async with ForkedServer("--scenario", str(scenario), environment=options) as server:
        yield server


@pytest.fixture(scope="module")
def camera(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return camera_file(RECORDINGS / "bottle.mp4", tmp_path_factory.mktemp("camera") / "b.y4m")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser(camera: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Browser]:
    """A browser whose microphone asks "What do you see?" once in a call."""
    speech = RECORDINGS / "speech" / "what-do-you-see.wav"
    question = tmp_path_factory.mktemp("mic") / "question.wav"
    microphone = microphone_file([4.0, speech, 120.0], question)
    async with (
        async_playwright() as playwright,
        chromium(playwright, camera=camera, microphone=microphone) as browser,
    ):
        yield browser


class Application:
    """A page with the client SDK, and the calls of the SDK's callbacks."""

    def __init__(self, page: Page) -> None:
        self.page = page

    async def events(self, *kinds: str) -> list[dict[str, Any]]:
        wanted = "(kinds) => events.filter(({ kind }) => kinds.includes(kind))"
        return await self.page.evaluate(wanted, kinds)

    async def event(self, kind: str, wanted: str = "", *, after: int = 0) -> dict[str, Any]:
        """The first event of a kind, counted from the `after`-th, whose JSON has `wanted` in it."""
        found = await self.page.wait_for_function(
            """([wanted, after, text]) => events
                 .filter(({ kind }) => kind === wanted)
                 .slice(after)
                 .find((one) => JSON.stringify(one).includes(text))""",
            arg=[kind, after, wanted],
            polling=100,
            timeout=60_000,
        )
        return await found.json_value()

    async def starts(self, url: str, time: int = 0) -> None:
        """Has the server start the bot and calls it, the `time`-th time after the first."""
        await self.page.evaluate(
            "(endpoint) => client.startBotAndConnect({ endpoint })", f"{url}/start"
        )
        await self.event("ready", after=time)

    async def leaves(self, time: int = 0) -> None:
        await self.page.evaluate("() => client.disconnect()")
        await self.event("disconnected", after=time)

    async def asks(self, text: str) -> str:
        """Types, and waits for an answer that has been spoken.

        An earlier answer may end after the question; it has no words then.
        """
        before = await self.page.evaluate("() => events.map(({ kind }) => kind)")
        await self.page.evaluate("(text) => client.sendText(text)", text)
        said, stops = "", before.count("bot-stopped")
        while not said:
            await self.event("bot-stopped", after=stops)
            stops += 1
            told = await self.page.evaluate("(asked) => events.slice(asked)", len(before))
            last_stop = max(n for n, one in enumerate(told) if one["kind"] == "bot-stopped")
            said = self.words([one for one in told[:last_stop] if one["kind"] == "output"])
        return said

    async def answer_in_text(self, question: str, words: str) -> str:
        """Types, and waits for an answer in text alone that has these words.

        On a slow machine "One moment, please." comes first.
        """
        told = len(await self.events("transcript"))
        asks = "(text) => client.sendText(text, { audio_response: false })"
        await self.page.evaluate(asks, question)
        return (await self.event("transcript", words, after=told))["data"]["text"]

    @staticmethod
    def words(outputs: list[dict[str, Any]]) -> str:
        """What protocol 2.1 shows: the pieces that are `new`, each once."""
        data = [one["data"] for one in outputs]
        return " ".join(one["text"].strip() for one in data if one.get("spoken_status") == "new")


@asynccontextmanager
async def application(browser: Browser, address: str) -> AsyncIterator[Application]:
    async with await browser.new_page() as page:
        await page.goto(address)
        await page.wait_for_function("() => window.client")
        yield Application(page)


STARTS = """
  ([url, token]) => client.startBotAndConnect({
    endpoint: `${url}/start`, headers: new Headers({ Authorization: `Bearer ${token}` }),
  })
"""
CONNECTS = """
  ([url, token]) => client.connect({ webrtcRequestParams: {
    endpoint: `${url}/api/offer`, headers: new Headers({ Authorization: `Bearer ${token}` }),
  } })
"""


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_user_calls_with_a_token_of_theirs_as_often_as_it_says(
    site: str,
    secured_server: ForkedServer,
    browser: Browser,
    version: str,
) -> None:
    url = secured_server.url
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {TOKEN}"}) as http:
        asked = {"user": "ann", "uses": 2}
        given = await http.post(f"{url}/api/tokens", json=asked)
        assert given.status_code == 200, given.text
    called = [url, given.json()["token"]]
    async with application(browser, f"{site}/{version}.html") as app:
        # The microphone asks something else.
        await app.page.evaluate("() => client.enableMic(false)")
        for time, calls in enumerate((STARTS, CONNECTS)):
            await app.page.evaluate(calls, called)
            await app.event("ready", after=time)
            assert await app.asks("hello") == "Hello."
            await app.leaves(time)
        for calls, refused in ((CONNECTS, called), (STARTS, [url, "wrong"])):
            answers: list[int] = []
            app.page.on("response", lambda answer, to=answers: to.append(answer.status))
            with pytest.raises(PlaywrightError):
                await app.page.evaluate(calls, refused)
            assert 401 in answers


# By default the CPU draws the console's spectra 60 times a second.
DRAWS_SELDOM = "requestAnimationFrame = (draw) => setTimeout(() => draw(performance.now()), 250)"


async def test_the_ready_made_console_shows_what_was_asked_and_what_is_answered(
    site: str, secured_server: ForkedServer, browser: Browser
) -> None:
    address = f"{site}/kit.html?offer={secured_server.url}/api/offer&token={TOKEN}"
    calm = {"viewport": {"width": 1024, "height": 640}, "reduced_motion": "reduce"}
    page = await browser.new_page(**calm)
    await page.add_init_script(DRAWS_SELDOM)
    await page.goto(address)
    await page.get_by_role("button", name="Connect").first.click()

    async def shows(*words: str) -> None:
        shown = (
            "(words) => words.every((one) => document.body.innerText.toLowerCase().includes(one))"
        )
        await page.wait_for_function(shown, arg=words, polling=250, timeout=60_000)

    await shows("what do you see", "i see ")
    # The console has one field for narrow and one for wide windows.
    box = page.get_by_placeholder("Type message").locator("visible=true").first
    await box.fill("What colour is this?")
    await box.press("Enter")
    await shows("what colour is this?", "it is ")
    await page.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def called(
    request: pytest.FixtureRequest, site: str, server: ForkedServer, browser: Browser
) -> AsyncIterator[Application]:
    """An application in a call, which all tests of a version share; the last one ends it."""
    async with application(browser, f"{site}/{request.param}.html") as app:
        await app.starts(server.url)
        yield app


in_a_call = functools.partial(pytest.mark.parametrize, "called", indirect=True)


@in_a_call(argvalues=VERSIONS)
async def test_the_client_sdk_asks_by_voice_and_by_text_and_shows_every_word(
    called: Application,
) -> None:
    heard = await called.event("user", '"final":true')
    assert heard["data"]["text"] == "What do you see?"
    stopped = await called.event("bot-stopped")
    # The question is shown before its answer has been spoken.
    assert heard["at"] < stopped["at"]
    outputs = await called.events("output")
    assert called.words(outputs).startswith("I see ")
    assert " is " in await called.asks("What colour is this?")
    assert not await called.events("error", "message-error")
    assert await called.events("voice-track")


@in_a_call(argvalues=VERSIONS)
async def test_a_camera_that_the_sdk_switches_off_is_off_at_once(called: Application) -> None:
    await called.event("server-message", '"source":"camera"')
    await called.page.evaluate("() => client.enableCam(false)")
    assert "camera is off" in await called.answer_in_text("What colour is this?", " is ")
    await called.page.evaluate("() => client.enableCam(true)")
    assert "camera is off" not in await called.answer_in_text("What colour is this?", " is ")


@in_a_call(argvalues=["newest"])
async def test_a_screen_that_the_sdk_shares_is_read_beside_the_camera(called: Application) -> None:
    await called.page.evaluate(SCREEN, 640)
    await called.page.evaluate("() => client.enableScreenShare(true)")
    await called.event("server-message", '"source":"screen"')
    assert await called.answer_in_text("What does my screen say?", "platform nine")
    await called.page.evaluate("() => client.enableScreenShare(false)")
    assert await called.answer_in_text("What does my screen say?", "share your screen any more")
    assert not await called.events("error", "message-error")


@in_a_call(argvalues=["newest"])
async def test_keys_reach_the_agent_and_what_is_not_done_here_fails_the_request_alone(
    called: Application,
) -> None:
    refused = await called.page.evaluate(
        "() => client.sendClientRequest('no-such-request').then(() => null, (e) => `${e}`)"
    )
    assert refused is not None
    await called.page.evaluate("() => client.cancelUIJobGroup('no-such-job')")
    await called.event("message-error", "job groups")
    told, spoken = [len(await called.events(kind)) for kind in ("message-error", "bot-stopped")]
    await called.page.evaluate(
        "() => { client.sendUIEvent('opened', { page: 2 }); client.sendDTMF('12#'); }"
    )
    await called.event("bot-stopped", after=spoken)
    assert len(await called.events("message-error")) == told
    assert not await called.events("error")


@in_a_call(argvalues=VERSIONS)
async def test_the_sdk_leaves_and_starts_the_bot_again(
    called: Application, server: ForkedServer
) -> None:
    await called.leaves()
    await called.starts(server.url, 1)
    await called.leaves(1)
