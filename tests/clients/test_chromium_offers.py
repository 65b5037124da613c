"""Chromium accepts the answer to every kind of offer that it makes, and the call goes on."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import async_playwright

from tests.browser.chromium import chromium
from tests.clients.npm import HERE
from tests.support.forked_product import ForkedServer

EVERYTHING = ["video", "audio", "data"]
OFFERS = {
    "wideband, and one layer of simulcast": (
        {"order": EVERYTHING, "audio": ["g722"], "policy": "balanced", "layers": True},
        {"sections": [True, True, True], "videos": 1, "codec": "audio/G722"},
    ),
    "a telephone's sound, and a video that can't be seen": (
        {"order": EVERYTHING, "audio": ["pcmu"], "video": ["av1"], "policy": "max-compat"},
        {"sections": [True, True, True], "videos": 0, "codec": "audio/PCMU"},
    ),
    "a video that can't be seen, whose transport all others share": (
        {"order": EVERYTHING, "video": ["vp9"], "policy": "max-bundle"},
        {"sections": [True, True, True], "videos": 0, "codec": "audio/opus"},
    ),
    "more sections than are used": (
        {
            "order": ["audio", "audio", "video", "video", "video"],
            "audio": ["pcma"],
            "video": ["h264"],
            "policy": "balanced",
        },
        {"sections": [True, False, True, True, False], "videos": 2, "codec": "audio/PCMA"},
    ),
}


async def test_chromium_holds_a_call_with_every_kind_of_offer(tmp_path: Path) -> None:
    scenario = tmp_path / "silent.yaml"
    scenario.write_text("engine: false\notherwise: {say: []}\n")
    module = (HERE / "offer.js").read_text().replace("export async function", "async function")
    async with (
        ForkedServer("--scenario", str(scenario)) as server,
        async_playwright() as playwright,
        chromium(playwright) as browser,
    ):
        page = await browser.new_page()
        await page.goto(f"{server.url}/healthz")  # the page's modules are not used
        offers = [how for how, _ in OFFERS.values()]
        calls = f"(offers) => {{ {module}; return Promise.all(offers.map(call)); }}"
        found = await page.evaluate(calls, offers)
    wanted = [expected | {"state": "connected"} for _, expected in OFFERS.values()]
    assert dict(zip(OFFERS, found, strict=True)) == dict(zip(OFFERS, wanted, strict=True))
