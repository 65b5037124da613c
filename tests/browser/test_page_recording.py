"""The page asks for consent before a call is recorded, and shows while it is."""

import asyncio
import json
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.support.forked_product import ForkedServer
from tests.support.scenarios import TONES
from tests.support.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_caller_is_recorded_who_agrees_and_no_longer_who_takes_it_back(
    denying_browser, open_page, tmp_path
):
    kept = tmp_path / "recordings"
    async with ForkedServer(
        "--scenario", str(TONES), "--record", str(kept), "--record-consent"
    ) as server:
        caller = await open_page(denying_browser, server.url)
        page = caller.page
        sign = page.locator("#recording-sign")
        agree, decline = page.get_by_label("I agree to be recorded"), page.get_by_label("Do not")
        await expect(page.locator("#recording-words")).to_contain_text("only if you agree")
        assert not await agree.is_checked()
        assert not await decline.is_checked()
        await caller.call()
        await caller.types("hello")
        await caller.sees_state("speaking")
        assert await sign.is_hidden()
        await caller.press("hang-up")
        await caller.sees_state("ended")
        assert not list(kept.glob("*/call.jsonl"))

        await agree.check()
        await page.reload()
        await expect(agree).to_be_checked()
        await caller.call()
        await expect(sign).to_be_visible()
        await caller.types("hello again")
        await caller.sees_state("speaking")
        await page.get_by_role("button", name="stop recording").click()
        assert await caller.notice("The recording has ended")
        await expect(sign).to_be_hidden()
        await caller.press("hang-up")
        await caller.sees_state("ended")
        await expect(decline).to_be_checked()

        [file] = kept.glob("*/call.jsonl")

        async def lines() -> list[dict]:
            found = [json.loads(line) for line in Path(file).read_text().splitlines()]
            return found if found[-1]["kind"] == "ended" else []

        said = [line for line in await until(lines) if line["kind"] == "transcript"]
        assert {"who": "user", "text": "hello again", "typed": True}.items() <= said[0].items()


async def test_a_caller_who_dials_before_the_page_could_say_so_is_not_recorded(
    server, denying_browser, open_page
):
    caller = await open_page(denying_browser, server.url)
    page = caller.page
    dialled = asyncio.Event()

    async def late(route):
        answer = await route.fetch()
        info = {**await answer.json(), "recording": {"calls": "unless_declined"}}
        await dialled.wait()
        await route.fulfill(json=info)

    await page.route("**/api/info", late)
    await page.reload()
    await page.click("#call:enabled")
    async with page.expect_request("**/api/offer") as offer:
        dialled.set()
    assert (await offer.value).post_data_json["requestData"]["record"] is False
    await caller.press("hang-up")
    await caller.sees_state("ended")
    await expect(page.locator("#recording-words")).to_contain_text("Calls are recorded")
