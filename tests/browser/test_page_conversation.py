"""A conversation in a real browser: a spoken question, an audible answer, an interruption."""

import pytest
from playwright.async_api import expect

from tests.browser.caller import SILENCE_RMS, VOICE_RMS, Caller, Sample
from tests.browser.chromium import chromium
from tests.browser.conftest import SPEECH
from tests.browser.fake_devices import microphone_file
from tests.support.waiting import until
from vision_agent.rtc.channel import TEXT_BURST
from vision_agent.rtc.rtvi import MAX_TEXT_CHARS

pytestmark = pytest.mark.asyncio(loop_scope="session")

INTERRUPTED = '.line[data-state="interrupted"]'


async def test_a_spoken_question_is_captioned_and_its_answer_played_and_captioned(
    playwright, server, bottle, open_page, tmp_path
):
    # The file is looped, so a call that connects after the question gets the next one.
    question = microphone_file(
        [4.0, SPEECH / "what-do-you-see.wav", 40.0], tmp_path / "question.wav"
    )
    async with chromium(playwright, camera=bottle, microphone=question) as browser:
        caller = await open_page(browser, server.url)
        assert "Local engine" in await caller.page.inner_text("#brain")
        await caller.call()
        await caller.listen()
        before = len(await caller.samples())
        await caller.hears_voice()
        answer = await caller.reads_answer()

        samples = await caller.samples()
        voiced = [one for one in samples if one.rms > VOICE_RMS]
        assert sum(one.state == "speaking" for one in voiced) > len(voiced) * 0.8
        # Silence until the answer begins, so the voice is the answer's.
        assert samples[before].rms < SILENCE_RMS
        assert len(answer.split()) >= 3
        questions = [text.lower() for text in await caller.reads("user")]
        assert any("see" in text for text in questions), questions
        await caller.sees_state("listening")
        assert await caller.page.inner_text("#looks") == "Agent sees this"
        await caller.leave()


async def test_without_a_camera_a_call_is_by_voice_and_speaking_over_an_answer_silences_it(
    playwright, server, open_page, tmp_path
):
    # The caller talks all the time; the mute button decides what the agent hears.
    talk = microphone_file([SPEECH / "what-do-you-see.wav", 1.0], tmp_path / "talk.wav")
    async with chromium(playwright, microphone=talk, cameras=0) as browser:
        caller = await open_page(browser, server.url)
        await caller.call()
        assert "No camera found" in await caller.notice()
        await expect(caller.page.locator("#no-camera")).to_have_text("No camera found")
        await expect(caller.page.get_by_role("button", name="Mute microphone")).to_be_visible()
        await caller.press("hang-up")
        await caller.page.click("#call-voice")
        await caller.press("microphone")
        await caller.sees_state("listening")
        await caller.listen()
        await caller.types("what can you do?")
        await caller.hears_voice()
        assert await caller.page.locator(INTERRUPTED).count() == 0
        now_ms = await caller.now_ms()
        await caller.press("microphone")
        await falls_silent(caller, now_ms)
        await caller.leave()


async def falls_silent(caller: Caller, since_ms: float) -> None:
    """Asserts that a voice plays at `since_ms`, and then silence longer than between words.

    The silence begins at most two seconds after the page shows the answer as interrupted: if
    nobody stops them, these answers last several seconds more. The next one may follow soon.
    """

    async def interrupted_and_silent() -> tuple[list[Sample], float] | None:
        samples = await caller.samples()
        silent_ms = first_silence(samples, since_ms)
        return (samples, silent_ms) if silent_ms and samples[-1].interruptions else None

    shown = "() => samples.at(-1)?.interruptions"
    await caller.page.wait_for_function(shown, polling=100, timeout=60_000)
    samples, silent_ms = await until(interrupted_and_silent, what="an interrupted answer")
    assert any(one.rms > VOICE_RMS for one in samples if since_ms - 1_500 < one.at_ms <= since_ms)
    shown_ms = next(one.at_ms for one in samples if one.interruptions)
    assert silent_ms <= shown_ms + 2_000


def first_silence(samples: list[Sample], since_ms: float) -> float | None:
    """When the first silence of 300 ms after `since_ms` begins."""
    began_ms = None
    for one in samples:
        if one.at_ms < since_ms or one.rms > SILENCE_RMS:
            began_ms = None
        elif began_ms is None:
            began_ms = one.at_ms
        elif one.at_ms - began_ms >= 300:
            return began_ms
    return None


async def test_questions_are_clicked_and_typed_over_answers_and_those_not_taken_are_returned(
    tones_server, denying_browser, open_page
):
    """One call: to open the page and to begin a call takes as long as each of its parts."""
    caller = await open_page(denying_browser, tones_server.url)
    await caller.call()
    await caller.page.get_by_role("button", name="What do you see?").click()
    assert await caller.reads("user") == ["What do you see?"]
    assert await caller.reads_answer()
    assert await caller.page.locator("#asks").is_hidden()
    await answered_aloud_when_typed(caller)
    await silenced_by_typing_over_it(caller)
    await told_and_kept_where_it_is_too_long(caller)
    await marked_where_not_taken_and_the_last_comes_back(caller)


async def answered_aloud_when_typed(caller: Caller) -> None:
    answers = caller.page.locator('.line-agent[data-state="final"]')
    await caller.sees_state("listening")
    before = await answers.count()
    await caller.listen()
    await caller.types("hello")
    await caller.hears_voice()
    assert (await caller.reads("user"))[1:] == ["hello"]
    await answers.nth(before).wait_for(timeout=60_000)


async def silenced_by_typing_over_it(caller: Caller) -> None:
    answers = caller.page.locator('.line-agent[data-state="final"]')
    await caller.sees_state("listening")
    await caller.page.evaluate("() => (window.samples = [])")  # with the voice of earlier answers
    answered = await answers.count()
    await caller.types("what can you do?")
    await caller.hears_voice()
    now_ms = await caller.now_ms()
    await caller.types("stop")
    await falls_silent(caller, now_ms)
    await answers.nth(answered).wait_for(timeout=60_000)


async def told_and_kept_where_it_is_too_long(caller: Caller) -> None:
    users = caller.page.locator(".line-user")
    answers = caller.page.locator('.line-agent[data-state="final"]')
    asked, answered = await users.count(), await answers.count()
    long = "ä" * (MAX_TEXT_CHARS + 1)
    await caller.types(long)
    await expect(caller.page.locator(".line-error")).to_contain_text(
        "4,001 characters, and at most 4,000"
    )
    await expect(caller.page.locator("#text")).to_have_value(long)
    assert await users.count() == asked
    await caller.types("a" * MAX_TEXT_CHARS)
    await expect(users).to_have_count(asked + 1)
    await answers.nth(answered).wait_for(timeout=60_000)


async def marked_where_not_taken_and_the_last_comes_back(caller: Caller) -> None:
    page = caller.page
    errors = await page.locator(".line-error").count()
    # Faster than a person types: the server takes a burst, then two lines a second.
    await page.evaluate(
        """(count) => {
             const text = document.getElementById("text");
             for (let n = 0; n < count; n++) {
               text.value = `line ${n}`;
               document.getElementById("composer").requestSubmit();
             }
           }""",
        TEXT_BURST + 30,
    )
    refused = page.locator('.line-user[data-state="refused"]')
    await expect(refused.first).to_contain_text("Not sent.", timeout=30_000)
    # How many are taken depends on the speed of the machine; the others are returned.
    first = await refused.locator(".text").first.inner_text()
    await expect(page.locator("#text")).to_have_value(first)
    await expect(page.locator(".line-error")).to_have_count(errors)
