"""The caller keeps the conversation as text: on the clipboard, and as a file."""

import re
from pathlib import Path

import pytest
from playwright.async_api import Page

pytestmark = pytest.mark.asyncio(loop_scope="session")

SAID = """
    async (steps) => {
      const { Captions } = await import("./view/captions.js");
      const captions = new Captions(document.createElement("ol"), document.createElement("div"));
      for (const [what, ...how] of steps) captions[what](...how);
      return captions.said.map(({ who, text, typed, cut, atMs }) =>
        `${atMs === null ? "earlier " : ""}${who}${typed ? " (typed)" : ""}: ${text}${cut}`);
    }
"""


async def test_the_transcript_is_copied_during_the_call_and_saved_after_it(
    tones_server, denying_browser, open_page
):
    caller = await open_page(denying_browser, tones_server.url)
    page = caller.page
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    copy = page.get_by_role("button", name="Copy transcript")
    await caller.call()
    assert await copy.is_hidden()  # nothing has been said
    await caller.types("hello")
    answer = await caller.reads_answer()
    await copy.focus()
    await page.keyboard.press("Enter")
    await page.wait_for_selector('#copy-transcript use[href="#icon-check"]')
    copied = await page.evaluate("() => navigator.clipboard.readText()")
    title, day, *said = filter(None, copied.split("\n"))
    assert title == await page.title()
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \(UTC[+-]\d\d:\d\d\)", day)
    assert [re.sub(r"^\d\d:\d\d:\d\d ", "", line) for line in said] == [
        "You (typed): hello",
        f"Vision agent: {answer}",
    ]

    await caller.press("hang-up")
    await caller.sees_state("ended")
    async with page.expect_download() as download:
        await page.get_by_role("button", name="Save transcript").click()
    file = await download.value
    assert re.fullmatch(r"vision-agent-\d{4}-\d\d-\d\d-\d\d-\d\d\.txt", file.suggested_filename)
    assert Path(await file.path()).read_text() == copied
    await copied_by_the_copy_command(page, copied)


async def copied_by_the_copy_command(page: Page, copied: str) -> None:
    """Where the page may not use the clipboard, as without HTTPS."""
    await page.evaluate("() => delete Navigator.prototype.clipboard")
    await page.evaluate(
        "() => addEventListener('copy', (event) => "
        "(window.copied = event.clipboardData.getData('text/plain')))"
    )
    await page.wait_for_selector('#copy-transcript use:not([href="#icon-check"])')
    await page.click("#copy-transcript")
    await page.wait_for_selector('#copy-transcript use[href="#icon-check"]')
    assert await page.evaluate("() => window.copied") == copied


async def test_the_transcript_has_every_line_in_the_order_in_which_they_were_begun(module_page):
    async def said(*steps) -> list[str]:
        return await module_page.evaluate(SAID, [list(step) for step in steps])

    assert await said(
        ("restore", [{"who": "user", "text": "hi"}, {"who": "agent", "text": "Hi.", "agent": "a"}]),
        ("typed", "refused", "1"),
        ("refuse", "1", "Too fast."),
        ("userStarted",),
        ("agentDelta", "I see"),
        ("user", "What do you see?", True),
        ("toolStarted", "1", "look"),
        ("agentDelta", " a bottle."),
        ("interrupted", "I see …"),
        ("typed", "stop", "2"),
    ) == [
        "earlier You: hi",
        "earlier A: Hi.",
        "You: What do you see?",
        "A: I see …(you interrupted)",
        "You (typed): stop",
    ]
    # The list shows the newest 300.
    assert len(await said(*[("agentFinal", str(number)) for number in range(400)])) == 400
