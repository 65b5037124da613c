"""Servers and one Playwright for all tests; a browser for each set of devices."""

import json
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, Playwright, ViewportSize, async_playwright

from tests.browser.caller import Caller
from tests.browser.chromium import chromium
from tests.browser.fake_devices import camera_file, microphone_file
from tests.conftest import RECORDINGS
from tests.support.forked_product import ForkedServer
from tests.support.scenarios import TONES
from tests.support.waiting import until

SPEECH = RECORDINGS / "speech"

Open = Callable[..., Awaitable[Caller]]

CHEAP = {"viewport": {"width": 800, "height": 600}, "reduced_motion": "reduce"}
"""A context's options where the test names none. Without a graphics card the CPU draws every
moving pixel, and drawing is a third of what a call costs in Chromium."""

UNPROCESSED = """
    const { mediaDevices } = navigator; // none on a page that is not secure
    const open = mediaDevices?.getUserMedia.bind(mediaDevices);
    const off = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
    if (open) mediaDevices.getUserMedia = ({ audio, ...rest }) =>
      open({ ...rest, ...(audio && { audio: { ...audio, ...off } }) });
"""
"""A silent microphone's sound is not processed: processing is an eighth of what a call costs."""

FORGET = """
    if (origin !== "null" && name !== "kept") {
      name = "kept"; // what the page itself keeps outlives a reload
      localStorage.clear();
      sessionStorage.clear();
    }
"""


def calls(server: ForkedServer) -> int:
    """How many calls the server has right now."""
    with urllib.request.urlopen(f"{server.url}/healthz", timeout=10) as response:
        return json.load(response)["calls"]


async def no_calls(server: ForkedServer, *, within_s: float = 12) -> None:
    """Waits until the server has no call.

    A goodbye ends a call at once; without one, the server notices after some 8 s.
    """

    async def none() -> bool:
        return calls(server) == 0

    await until(none, within_s, "the server to let go of the call")


@pytest.fixture(scope="session")
def bottle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three bottles on a table, for the camera."""
    return camera_file(RECORDINGS / "bottle.mp4", tmp_path_factory.mktemp("camera") / "b.y4m")


@pytest.fixture(scope="session")
def silence(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A quiet room, for the microphone."""
    return microphone_file([5.0], tmp_path_factory.mktemp("microphone") / "silence.wav")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def playwright() -> AsyncIterator[Playwright]:
    async with async_playwright() as playwright:
        yield playwright


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared_server() -> AsyncIterator[ForkedServer]:
    async with ForkedServer() as server:
        yield server


@pytest_asyncio.fixture(loop_scope="session")
async def server(shared_server: ForkedServer) -> ForkedServer:
    """The real server, with no call on it."""
    await no_calls(shared_server)
    return shared_server


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def tones_server() -> AsyncIterator[ForkedServer]:
    """A server that answers at once, in tones: for tests that need some answer, not which."""
    async with ForkedServer("--scenario", str(TONES)) as server:
        yield server


@pytest.fixture(scope="session")
def silent_browsers() -> set[Browser]:
    """The browsers whose microphone is silent."""
    return set()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def quiet_browser(
    playwright: Playwright, bottle: Path, silence: Path, silent_browsers: set[Browser]
) -> AsyncIterator[Browser]:
    """A browser whose camera shows bottles, whose microphone is silent, and which allows both."""
    async with chromium(playwright, camera=bottle, microphone=silence) as browser:
        silent_browsers.add(browser)
        yield browser


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def strict_browser(
    playwright: Playwright, bottle: Path, silence: Path, silent_browsers: set[Browser]
) -> AsyncIterator[Browser]:
    """A browser that allows a device only to contexts that were granted it."""
    async with chromium(
        playwright, camera=bottle, microphone=silence, allow_devices=None
    ) as browser:
        silent_browsers.add(browser)
        yield browser


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def denying_browser(playwright: Playwright) -> AsyncIterator[Browser]:
    """A browser whose user denies both devices, for tests that are about neither.

    A call costs half as much without them.
    """
    async with chromium(playwright, allow_devices=False) as browser:
        yield browser


class Pages:
    """Pages that tests reuse: a page that a test has left is cleared for the next test.

    Opening the page in a context of its own takes 0.2 CPU-s more.
    """

    def __init__(self) -> None:
        self._left: dict[tuple[Browser, str], list[Caller]] = {}

    @asynccontextmanager
    async def opening(self, silent_browsers: set[Browser]) -> AsyncIterator[Open]:
        async with AsyncExitStack() as stack:

            async def open_one(
                browser: Browser, url: str, *, own_clock: bool = False, **context: object
            ) -> Caller:
                left = self._left.setdefault((browser, f"{context}"), [])
                if own_clock or not left:
                    own = await browser.new_context(**CHEAP | context)
                    await own.add_init_script(FORGET)
                    if browser in silent_browsers:
                        await own.add_init_script(UNPROCESSED)
                    caller = await Caller.on(await own.new_page(), own_clock=own_clock)
                else:
                    caller = left.pop()
                # Leaving the page ends its call at once, so the next test need not wait.
                viewport = (CHEAP | context)["viewport"]
                stack.push_async_callback(_leave, caller, None if own_clock else left, viewport)
                await caller.open(url)
                return caller

            yield open_one


async def _leave(caller: Caller, left: list[Caller] | None, viewport: ViewportSize) -> None:
    """Ends the call, and keeps the page unless it has a clock of its own."""
    page = caller.page
    await caller.leave()
    if left is None or page.is_closed():
        await page.context.close()
        return
    await page.evaluate("() => (name = '')")  # see FORGET
    await page.unroute_all()
    await page.set_viewport_size(viewport)
    await page.context.set_offline(False)
    await page.context.clear_permissions()
    left.append(caller)


@pytest.fixture(scope="session")
def pages() -> Pages:
    return Pages()


@pytest_asyncio.fixture(loop_scope="session")
async def open_page(pages: Pages, silent_browsers: set[Browser]) -> AsyncIterator[Open]:
    """Opens the page as a first visit: `await open_page(browser, url, **context)`."""
    async with pages.opening(silent_browsers) as open_one:
        yield open_one


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def module_page(
    shared_server: ForkedServer,
    denying_browser: Browser,
    pages: Pages,
    silent_browsers: set[Browser],
) -> AsyncIterator[Page]:
    """One page for tests that only import its modules: opening one takes 0.3 CPU-s."""
    async with pages.opening(silent_browsers) as open_one:
        yield (await open_one(denying_browser, shared_server.url)).page
