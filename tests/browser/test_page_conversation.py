"""A conversation in a real browser: a spoken question, a heard answer, an interruption."""

import pytest

from tests.browser.caller import SILENCE_RMS, VOICE_RMS, Heard, until
from tests.browser.chromium import chromium
from tests.browser.conftest import SPEECH
from tests.browser.fake_devices import microphone_file

pytestmark = pytest.mark.asyncio(loop_scope="session")

# From the moment the page knows of the interruption: what the network and the browser's playout
# buffer still hold of the old answer.
LEFTOVER_MS = 500


async def test_a_spoken_question_is_captioned_and_its_answer_heard_and_captioned(
    playwright, server, bottle, open_page, tmp_path
):
    question = microphone_file(
        [2.0, SPEECH / "what_do_you_see.wav", 12.0], tmp_path / "question.wav"
    )
    async with chromium(playwright, camera=bottle, microphone=question) as browser:
        caller = await open_page(browser, server.url)
        assert "Local engine" in await caller.page.inner_text("#brain")
        await caller.call()
        await caller.listen()
        before = len(await caller.heard())
        await caller.hears_voice()
        answer = await caller.reads_answer()

        heard = await caller.heard()
        voiced = [one for one in heard if one.rms > VOICE_RMS]
        assert sum(one.state == "speaking" for one in voiced) > len(voiced) * 0.8
        # Silence until the answer begins: what was heard is the answer.
        assert heard[before].rms < SILENCE_RMS
        assert len(answer.split()) >= 3
        questions = [text.lower() for text in await caller.reads("user")]
        assert any("see" in text for text in questions), questions
        await caller.sees_state("listening")
        assert await caller.page.inner_text("#looks") == "Agent sees this"


async def test_speaking_over_an_answer_silences_it(playwright, server, bottle, open_page, tmp_path):
    # Over and over: each question falls into the answer to the one before.
    insistent = microphone_file(
        [1.0, SPEECH / "what_can_you_do.wav", 2.5], tmp_path / "insistent.wav"
    )
    async with chromium(playwright, camera=bottle, microphone=insistent) as browser:
        caller = await open_page(browser, server.url)
        await caller.call()
        await caller.listen()
        await caller.hears_voice()
        await caller.page.locator('.line[data-state="interrupted"]').first.wait_for(timeout=60_000)
        await falls_silent(caller)


async def test_typing_over_an_answer_silences_it(server, quiet_browser, open_page):
    caller = await open_page(quiet_browser, server.url)
    await caller.call()
    await caller.listen()
    await caller.types("what can you do?")
    await caller.hears_voice()
    await caller.types("stop")
    await falls_silent(caller)


async def falls_silent(caller) -> None:
    """Voice up to the first interruption, and none from just after it on, for half a second."""

    async def half_a_second_later() -> list[Heard] | None:
        heard = await caller.heard()
        cut = next((one.at_ms for one in heard if one.interruptions), None)
        done = cut is not None and heard[-1].at_ms > cut + LEFTOVER_MS + 500
        return heard if done else None

    heard = await until(half_a_second_later, "an interrupted answer")
    cut = next(one.at_ms for one in heard if one.interruptions)
    before = [one.rms for one in heard if cut - 1_500 < one.at_ms < cut]
    after = [one.rms for one in heard if cut + LEFTOVER_MS < one.at_ms < cut + LEFTOVER_MS + 500]
    assert max(before) > VOICE_RMS, "there was an answer to interrupt"
    assert max(after) < SILENCE_RMS, "it went on"


async def test_a_typed_question_is_answered_aloud(server, quiet_browser, open_page):
    caller = await open_page(quiet_browser, server.url)
    await caller.call()
    await caller.listen()
    await caller.types("hello")
    await caller.hears_voice()
    assert await caller.reads("user") == ["hello"]
    assert await caller.reads_answer()


async def test_a_suggested_question_is_asked_by_clicking_it(server, quiet_browser, open_page):
    caller = await open_page(quiet_browser, server.url)
    await caller.call()
    await caller.page.get_by_role("button", name="What do you see?").click()
    assert await caller.reads("user") == ["What do you see?"]
    assert await caller.reads_answer()
    assert await caller.page.locator("#asks").is_hidden()
