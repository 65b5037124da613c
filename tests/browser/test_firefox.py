"""The page in Firefox holds a call: it is heard, answered by voice and in captions, and hung up."""

import asyncio

import pytest

from tests.browser.caller import KEEP_CONNECTIONS, LISTEN, VOICE_RMS
from tests.browser.conftest import SPEECH, no_calls
from tests.browser.firefox import Firefox, firefox
from tests.talk.pulse import pulse_audio

pytestmark = pytest.mark.asyncio(loop_scope="session")

LINES = "Array.from(document.querySelectorAll('{} .text'), (line) => line.textContent)"
ANSWERS = LINES.format('.line-agent[data-state="final"]')
QUESTIONS = LINES.format(".line-user")


async def answered(page: Firefox, *, times: int) -> str:
    """Waits for so many whole answers; the newest."""
    return (await page.until(f"{ANSWERS}.length >= {times} && {ANSWERS}"))[-1]


async def test_a_call_is_spoken_heard_captioned_and_outlives_a_stopped_camera(server, tmp_path):
    for folder in ("pulse", "profile"):
        (tmp_path / folder).mkdir()
    with pulse_audio(tmp_path / "pulse") as pulse:
        # Its voice must not come out of the sink that the microphone listens to.
        sound = pulse.environment | {"PULSE_SINK": "speaker"}
        async with firefox(tmp_path / "profile", sound) as page:
            await page.goto(server.url)
            await page.until("!document.querySelector('#brain').hidden")
            await page.evaluate(f"(() => {{ {KEEP_CONNECTIONS} }})()")
            await page.click("#call")
            await page.until("document.body.dataset.state === 'listening'")
            await page.evaluate(f"({LISTEN})()")
            question = pulse.play_into_microphone(SPEECH / "what-do-you-see.wav")
            assert await asyncio.to_thread(question.wait) == 0
            assert len((await answered(page, times=1)).split()) >= 3
            assert any("see" in text for text in await page.evaluate(QUESTIONS))
            loud = f"samples.some((one) => one.state === 'speaking' && one.rms > {VOICE_RMS})"
            assert await page.evaluate(loud)

            stop = "connections[0].getSenders().find((one) => one.track?.kind === 'video').track"
            await page.evaluate(f"{stop}.stop()")
            before = len(await page.evaluate(ANSWERS))
            await page.evaluate(
                "(() => { const text = document.querySelector('#text');"
                "text.value = 'What do you see?'; text.form.requestSubmit(); })()"
            )
            await answered(page, times=before + 1)
            assert await page.evaluate("connections.length") == 1
            assert await page.evaluate("connections[0].connectionState") == "connected"
            await page.click('[data-control="hang-up"]')
            await page.until("document.body.innerText.includes('You hung up.')")
            await no_calls(server)
