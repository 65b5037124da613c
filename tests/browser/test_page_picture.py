"""A picture that is dropped or picked into the call on the page."""

import base64

import cv2
import numpy as np
import pytest
from playwright.async_api import expect

from tests.browser.caller import Caller

pytestmark = pytest.mark.asyncio(loop_scope="session")

GIVE = """
    ([event, files]) => {
      const given = new DataTransfer();
      for (const [name, base64] of files) {
        const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
        const type = name.endsWith(".png") ? "image/png" : "application/pdf";
        given.items.add(new File([bytes], name, { type }));
      }
      const how = { dataTransfer: given, clipboardData: given, bubbles: true, cancelable: true };
      const kind = event === "paste" ? ClipboardEvent : DragEvent;
      document.body.dispatchEvent(new kind(event, how));
    }
"""

# Whether the page leaves dropped text to the browser.
DROP_WORDS = """
    (where) => {
      const dropped = new DataTransfer();
      dropped.setData("text/plain", "hello");
      const how = { dataTransfer: dropped, bubbles: true, cancelable: true };
      return document.querySelector(where).dispatchEvent(new DragEvent("drop", how));
    }
"""

BLANK = np.full((120, 160, 3), 255, np.uint8)


def sign(words: str) -> bytes:
    pixels = np.full((700, 1200, 3), 255, np.uint8)
    cv2.putText(pixels, words, (100, 350), cv2.FONT_HERSHEY_SIMPLEX, 2, (0, 0, 0), 4, cv2.LINE_AA)
    return cv2.imencode(".png", pixels)[1].tobytes()


async def gives(caller: Caller, how: str, *files: tuple[str, bytes]) -> None:
    """Drops or pastes files into the page, as a browser hands them to it."""
    given = [[name, base64.b64encode(data).decode()] for name, data in files]
    await caller.page.evaluate(GIVE, [how, given])


async def test_a_question_is_about_the_pictures_that_were_dropped_or_pasted_before_it(
    server, denying_browser, open_page, tmp_path
):
    caller = await open_page(denying_browser, server.url)
    await caller.call()
    note = caller.page.locator(".line-note .text").last
    errors = caller.page.locator(".line-error .text")
    closed, plain = sign("Closed on Mondays"), cv2.imencode(".png", BLANK)[1].tobytes()
    await gives(caller, "paste", ("closed.png", closed))
    await expect(note).to_have_text("Picture sent: closed.png. Now ask about it.", timeout=30_000)
    several = [("push.png", sign("Push the button")), ("notes.pdf", b"%PDF"), ("3.png", plain)]
    await gives(caller, "drop", *several, ("4.png", plain))
    named = "Pictures sent: push.png, 3.png, 4.png. Now ask about them."
    await expect(note).to_have_text(named, timeout=30_000)
    await expect(errors).to_have_text(["notes.pdf is not a picture."])
    assert await caller.page.evaluate(DROP_WORDS, "#text"), "the field takes words itself"
    assert not await caller.page.evaluate(DROP_WORDS, "body"), "a dropped link replaces no call"
    await caller.types("Read the text.")
    answer = (await caller.reads_answer()).lower()
    assert "mondays" in answer
    assert "button" in answer
    await gives(caller, "drop", *[(f"{n}.png", plain) for n in range(6)])
    await expect(errors.last).to_have_text(
        "A question is about 4 pictures at most, so without: 4.png, 5.png.", timeout=30_000
    )
    await expect(note).to_have_text(
        "Pictures sent: 0.png, 1.png, 2.png, 3.png. Now ask about them."
    )
    broken = tmp_path / "notes.png"
    broken.write_text("no picture at all")
    await caller.page.set_input_files("#composer input[type=file]", broken)
    error = caller.page.locator(".line-error .text").last
    await expect(error).to_contain_text("can't read notes.png", timeout=30_000)
