"""A picture that is dropped or picked into the call on the page."""

import cv2
import numpy as np
import pytest
from playwright.async_api import expect

pytestmark = pytest.mark.asyncio(loop_scope="session")

DROP = """
    async (bytes) => {
      const dropped = new DataTransfer();
      dropped.items.add(new File([new Uint8Array(bytes)], "sign.png", { type: "image/png" }));
      const how = { dataTransfer: dropped, bubbles: true, cancelable: true };
      document.body.dispatchEvent(new DragEvent("drop", how));
    }
"""

# Whether the browser does with dropped words what it does without the page.
DROP_WORDS = """
    (where) => {
      const dropped = new DataTransfer();
      dropped.setData("text/plain", "hello");
      const how = { dataTransfer: dropped, bubbles: true, cancelable: true };
      return document.querySelector(where).dispatchEvent(new DragEvent("drop", how));
    }
"""


def sign(words: str) -> bytes:
    pixels = np.full((1400, 2400, 3), 255, np.uint8)
    cv2.putText(pixels, words, (200, 700), cv2.FONT_HERSHEY_SIMPLEX, 4, (0, 0, 0), 8, cv2.LINE_AA)
    return cv2.imencode(".png", pixels)[1].tobytes()


async def test_a_question_is_about_the_picture_that_was_dropped_before_it(
    server, quiet_browser, open_page, tmp_path
):
    caller = await open_page(quiet_browser, server.url)
    await caller.call()
    await caller.page.evaluate(DROP, list(sign("Closed on Mondays")))
    note = caller.page.locator(".line-note .text").last
    await expect(note).to_have_text("Picture sent: sign.png. Now ask about it.", timeout=30_000)
    assert await caller.page.evaluate(DROP_WORDS, "#text"), "the field takes words itself"
    assert not await caller.page.evaluate(DROP_WORDS, "body"), "a dropped link replaces no call"
    await caller.types("Read the text.")
    assert "mondays" in (await caller.reads_answer()).lower()
    broken = tmp_path / "notes.png"
    broken.write_text("no picture at all")
    await caller.page.set_input_files("#composer input[type=file]", broken)
    error = caller.page.locator(".line-error .text").last
    await expect(error).to_contain_text("can't read notes.png", timeout=30_000)
