"""Why there is no call, in words that say what to do."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from playwright.async_api import Route, expect

from tests.support.forked_product import ForkedServer

pytestmark = pytest.mark.asyncio(loop_scope="session")

MARKUP = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
REFUSALS = [
    (
        {"status": 429, "headers": {"Retry-After": "30"}, "json": {"error": "Slow down."}},
        ["Too many calls", "Slow down.", "Try again in about 30 seconds."],
    ),
    (
        {"status": 429, "headers": {"Retry-After": "20000"}, "json": {"error": "Used up."}},
        ["No more calls today", "Used up.", "Try again in about 6 hours."],
    ),
    (
        {"status": 503, "headers": {"Retry-After": "8"}, "json": {"error": "It restarts."}},
        ["no calls right now", "It restarts.", "Try again in about 8 seconds."],
    ),
    (
        {"status": 403, "json": {"error": "Pages of http://a.example may not call."}},
        ["takes no calls from this page", "http://a.example may not call", "own address"],
    ),
    ({"status": 401, "json": {"error": "No token."}}, ["access token", "#token="]),
    ({"status": 400, "json": {"error": MARKUP}}, ["did not accept the call", "<img src=x"]),
    ({"status": 404, "json": {"error": "There is no agent 'x'."}}, ["Reload the page"]),
    ({"status": 200, "body": "<h1>Log in</h1>"}, ["Something else answered", "log in"]),
    ({"status": 502, "body": "<h1>Bad gateway</h1>"}, ["does not answer its proxy"]),
    (
        {"status": 302, "headers": {"Location": "https://login.example/"}},
        ["Something else answered", "log in"],
    ),
]


def refusing(answer: dict[str, Any]) -> Callable[[Route], Awaitable[None]]:
    async def refuse(route: Route) -> None:
        await route.fulfill(**answer)

    return refuse


async def test_a_refusal_says_what_happened_and_what_to_do(server, denying_browser, open_page):
    """All on one page, which tries again each time and is connected in the end."""
    caller = await open_page(denying_browser, server.url)
    page = caller.page
    for answer, words in REFUSALS:
        await page.route("**/api/offer", refusing(answer))
        await page.click("#call")
        notice = await caller.notice(words[0])
        for one in words:
            assert one in notice, answer
        # The card says why; the state only says that the call has ended.
        assert (await page.inner_text("body")).count(words[-1]) == 1, answer
        await expect(page.locator("#call")).to_have_text("Try again")
        await page.unroute("**/api/offer")
    await page.context.set_offline(True)
    await page.click("#call")
    assert await caller.notice("This device has no network")
    await page.context.set_offline(False)
    await caller.call()
    await caller.press("hang-up")


async def test_a_call_that_stays_in_checking_says_where_the_server_did_not_answer(
    server, denying_browser, open_page
):
    caller = await open_page(denying_browser, server.url, own_clock=True)

    async def from_elsewhere(route: Route) -> None:
        if route.request.method != "POST":  # candidates
            await route.continue_()
            return
        response = await route.fetch()
        answer = await response.json()
        elsewhere = "a=candidate:1 1 udp 2130706431 192.0.2.7 7861 typ host\r\n"
        sdp = re.sub("(a=candidate:.*\r\n)+", elsewhere, answer["sdp"])
        # With a wrong password, checks from the server's real address fail as well.
        sdp = re.sub("a=ice-pwd:.*", f"a=ice-pwd:{'x' * 24}", sdp)
        await route.fulfill(response=response, json=answer | {"sdp": sdp})

    await caller.page.route("**/api/offer", from_elsewhere)
    await caller.page.click("#call")
    checking = "() => window.connections?.at(-1)?.iceConnectionState === 'checking'"
    await caller.page.wait_for_function(checking, polling=100)
    await caller.waits_for_state("ended")
    assert "--turn" in await caller.notice("did not answer by UDP at 192.0.2.7")


async def test_a_model_that_takes_its_time_is_waited_for_in_words(
    denying_browser, open_page, tmp_path
):
    scenario = tmp_path / "slow.yaml"
    scenario.write_text("engine: false\notherwise: {think_s: 7, say: At last.}\n")
    async with ForkedServer("--scenario", str(scenario)) as server:
        caller = await open_page(denying_browser, server.url)
        await caller.call()
        await caller.types("hello")
        await expect(caller.page.locator("#state-detail")).to_contain_text(
            "longer than usual", timeout=20_000
        )
        assert await caller.reads_answer() == "At last."
        await expect(caller.page.locator("#state-detail")).not_to_contain_text("longer than usual")


async def test_nothing_that_others_say_is_taken_for_markup(server, denying_browser, open_page):
    caller = await open_page(denying_browser, server.url)
    page = caller.page
    agent = {"agent": MARKUP, "brain": MARKUP, "brain_label": MARKUP, "model": MARKUP}
    agent["destinations"] = [{"service": "custom", "host": MARKUP, "model": MARKUP}]
    info = {**agent, "ice_servers": [], "ready": True}
    info["agents"] = [{"id": name, "description": MARKUP, **agent} for name in (MARKUP, "b")]

    async def markup(route: Route) -> None:
        await route.fulfill(json=info)

    await page.route("**/api/info", markup)
    await page.reload()
    await expect(page.locator("#brain-text")).to_contain_text("<img src=x")
    await page.evaluate(
        """async (markup) => {
             const { Captions } = await import("./view/captions.js");
             const { Notices } = await import("./view/notices.js");
             const { Points } = await import("./view/points.js");
             const place = document.createElement("div");
             document.body.append(place);
             const captions = new Captions(place, place.cloneNode());
             captions.agentSpeaks(markup);
             captions.user(markup, true);
             captions.typed(markup);
             captions.agentDelta(markup);
             captions.interrupted(markup);
             captions.agentFinal(markup);
             captions.toolStarted("1", markup);
             captions.restore([{ who: "user", text: markup }, { who: markup, text: markup }]);
             captions.note(markup, markup);
             const how = { onAction() {}, dismissable: true, leftS: 9 };
             const problem = { title: markup, text: markup, action: markup };
             new Notices(place).show(markup, problem, how);
             const points = new Points(place, document.createElement("video"));
             const box = { box_2d: [0, 0, 900, 900], age_ms: 0, seconds: 9 };
             points.show({ id: markup, label: markup, ...box });
           }""",
        MARKUP,
    )
    assert await page.locator("img").count() == 0
    assert await page.locator("body script").count() == 0
    assert await page.title() != "owned"


async def test_a_page_that_loads_in_part_says_so(server, denying_browser):
    page = await denying_browser.new_page()
    await page.route("**/view/lobby.js", lambda route: route.abort("internetdisconnected"))
    await page.goto(server.url)
    notice = page.locator("#unloaded")
    await expect(notice).to_be_hidden()  # it may still load
    await notice.evaluate("(element) => element.getAnimations()[0].finish()")
    await expect(notice).to_be_visible()
    assert "reload the page." in await notice.inner_text()
    await page.unroute("**/view/lobby.js")
    await page.reload()
    await expect(page.locator("#call")).to_be_enabled()
    await expect(notice).not_to_be_attached()
    await page.close()
