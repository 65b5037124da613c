"""The voice, with the real hibari and espeak-ng in their worker processes."""

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import psutil
import pytest
import pytest_asyncio
from numpy.typing import NDArray

from tests.support.waiting import until
from vision_agent.local.engine.speech import synthesizer_process
from vision_agent.local.engine.speech.synthesis import Speech, SpeechError, speak_question

RATE_HZ = 24_000
SENTENCE = "I can see a dark blue cup on the left, and a person in the middle."
LONG = "This is one of very many sentences that nobody listens to. " * 15


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def speech() -> AsyncIterator[Speech]:
    voice = await Speech.start()
    yield voice
    await voice.close()


async def sound(
    speech: Speech, text: str, voice: str | None = None, language: str | None = None
) -> NDArray[np.float64]:
    pieces = [piece async for piece in speech.say(text, voice, language)]
    return np.frombuffer(b"".join(pieces), "<i2") / 32768


async def test_a_text_is_spoken_alike_whatever_was_spoken_before(speech: Speech) -> None:
    for voice in ("Kore", "Schedar", "Umbriel"):
        first = await sound(speech, SENTENCE, voice)
        await sound(speech, "Something else.", "Puck")
        again = await sound(speech, SENTENCE, voice)
        # hibari's samples were the same when this was measured; a small difference is allowed.
        assert len(again) == pytest.approx(len(first), rel=0.02)
        assert np.std(again) == pytest.approx(np.std(first), rel=0.1)


def workers() -> set[psutil.Process]:
    return {
        child
        for child in psutil.Process().children()
        if any("vision_agent.local.engine.speech" in word for word in child.cmdline())
    }


def worker_of(speech: Speech) -> psutil.Process:
    """The process in which hibari speaks."""
    return psutil.Process(speech.worker_pids["hibari"])


async def ended(worker: psutil.Process) -> None:
    await until(lambda: not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE)


async def test_a_sentence_is_loud_enough_unclipped_and_as_long_as_it_takes_to_say(
    speech: Speech,
) -> None:
    voice = await sound(speech, SENTENCE)
    assert 3.0 < len(voice) / RATE_HZ < 7.0
    peak_db = 20 * np.log10(np.abs(voice).max())
    assert -6.5 < peak_db < -2.9
    voiced = np.abs(voice) > 0.02
    assert voiced[: RATE_HZ // 10].any(), "it begins with a long silence"
    assert voiced[-RATE_HZ * 4 // 10 :].any(), "it ends with a long silence"


async def test_the_sound_comes_in_pieces_of_a_tenth_of_a_second(speech: Speech) -> None:
    pieces = [piece async for piece in speech.say(SENTENCE)]
    assert {len(piece) for piece in pieces[:-1]} == {RATE_HZ // 10 * 2}
    assert 0 < len(pieces[-1]) <= RATE_HZ // 10 * 2
    assert len(pieces[-1]) % 2 == 0


async def test_unknown_voices_and_languages_still_speak(speech: Speech) -> None:
    plain = await sound(speech, SENTENCE)
    np.testing.assert_array_equal(await sound(speech, SENTENCE, "Nobody"), plain)
    assert len(await sound(speech, SENTENCE, "Nobody", "xx-YY")) > RATE_HZ


async def test_what_is_no_english_is_said_by_espeak_in_the_middle_of_a_sentence(
    speech: Speech,
) -> None:
    before = len(await sound(speech, "It says."))
    assert len(await sound(speech, "It says: Привет, мир")) > before + RATE_HZ // 2
    assert len(await sound(speech, "🙂")) > 0
    assert set(speech.worker_pids) == {"hibari", "espeak"}


async def test_a_language_is_spoken_as_it_is(speech: Speech) -> None:
    english = await sound(speech, "99 98 97", None, "en-US")
    french = await sound(speech, "99 98 97", None, "fr-FR")  # quatre-vingt-…
    assert len(french) > 1.1 * len(english)


async def test_a_long_text_begins_long_before_all_of_it_is_synthesised(speech: Speech) -> None:
    began = time.perf_counter()
    pieces = speech.say(LONG)
    await anext(pieces)
    first_s = time.perf_counter() - began
    count = 1
    async for _ in pieces:
        count += 1
    whole_s = time.perf_counter() - began
    assert count > 300
    assert first_s < whole_s / 3


async def test_who_stops_listening_does_not_disturb_the_next(speech: Speech) -> None:
    alone = await sound(speech, "Yes.")
    for _ in range(5):
        pieces = speech.say(LONG)
        await anext(pieces)
        await pieces.aclose()
        after = await sound(speech, "Yes.")
        assert len(after) == pytest.approx(len(alone), abs=RATE_HZ // 50)


async def test_a_cancelled_listener_leaves_the_voice_usable(speech: Speech) -> None:
    heard = asyncio.Event()

    async def listen() -> None:
        async for _ in speech.say(LONG):
            heard.set()

    listener = asyncio.create_task(listen())
    await heard.wait()
    listener.cancel()
    with pytest.raises(asyncio.CancelledError):
        await listener
    assert len(await sound(speech, "Yes.")) > 0


async def test_a_short_text_does_not_wait_for_a_long_one(speech: Speech) -> None:
    long_pieces = 0

    async def listen() -> None:
        nonlocal long_pieces
        async for _ in speech.say(LONG):
            long_pieces += 1

    listener = asyncio.create_task(listen())
    while not long_pieces:
        await asyncio.sleep(0)
    await sound(speech, "Yes.")
    assert not listener.done()
    await listener
    assert long_pieces > 300


async def test_a_listener_who_dawdles_holds_up_nobody(speech: Speech) -> None:
    dawdler = speech.say(LONG)
    await anext(dawdler)
    assert len(await sound(speech, "Yes.")) > 0
    await dawdler.aclose()


async def test_texts_spoken_at_once_are_not_mixed(speech: Speech) -> None:
    texts = ["One.", "Two is a number. It is even.", "Three. Four. Five."]
    alone = [len(await sound(speech, text)) for text in texts]
    together = await asyncio.gather(*(sound(speech, text) for text in texts))
    for expected, voice in zip(alone, together, strict=True):
        assert len(voice) == pytest.approx(expected, abs=RATE_HZ // 50)


@pytest.mark.parametrize("text", ["", "   \n", "...", "\x00", "\u200b"])
async def test_nothing_to_say_is_no_sound(speech: Speech, text: str) -> None:
    assert len(await sound(speech, text)) == 0


@pytest.mark.parametrize(
    "text",
    [
        "a\x00b \ud800 \x1b[31m",
        "🙂 ¿Qué? 你好 שלום <speak>&amp;</speak> [[h@'loU]]",
        "9" * 200,
        "-" * 500 + "x",
        "%s%n" * 8,
    ],
)
async def test_odd_characters_are_spoken_or_skipped(speech: Speech, text: str) -> None:
    voice = await sound(speech, text)
    assert 0 < len(voice) / RATE_HZ < 130
    assert len(await sound(speech, "Yes.")) > 0


async def test_the_running_text_fails_in_words_when_the_worker_dies(speech: Speech) -> None:
    worker = worker_of(speech)
    worker.suspend()
    listener = asyncio.create_task(sound(speech, SENTENCE))
    await asyncio.sleep(0)
    worker.kill()
    with pytest.raises(SpeechError, match="ended unexpectedly"):
        await listener
    assert len(await sound(speech, SENTENCE)) > 0
    assert worker_of(speech).pid != worker.pid


async def test_a_worker_that_died_unnoticed_is_replaced(speech: Speech) -> None:
    worker = worker_of(speech)
    worker.kill()
    # The first request may fail if this process does not know of the death yet; the next may not.
    with contextlib.suppress(SpeechError):
        await sound(speech, SENTENCE)
    assert len(await sound(speech, SENTENCE)) > 0
    assert worker_of(speech).pid != worker.pid


async def test_a_worker_that_hangs_is_replaced(
    speech: Speech, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vision_agent.local.engine.speech.synthesizer_process._SILENCE_S", 0.2)
    worker = worker_of(speech)
    worker.suspend()
    with pytest.raises(SpeechError, match="has sent nothing for"):
        await sound(speech, SENTENCE)
    assert not worker.is_running()
    monkeypatch.undo()
    assert len(await sound(speech, SENTENCE)) > 0


async def test_closing_leaves_no_process_and_fails_what_is_being_spoken() -> None:
    speech = await Speech.start()
    worker = worker_of(speech)
    worker.suspend()
    pieces = speech.say(LONG)
    listener = asyncio.create_task(anext(pieces))
    await asyncio.sleep(0)
    began = time.perf_counter()
    await speech.close()
    assert time.perf_counter() - began < 3
    assert not worker.is_running()
    with pytest.raises(SpeechError, match="closed"):
        await listener
    with pytest.raises(SpeechError, match="closed"):
        await anext(speech.say("Yes."))
    await speech.close()


async def test_ctrl_c_does_not_reach_the_worker(speech: Speech) -> None:
    worker = worker_of(speech)
    worker.send_signal(signal.SIGINT)
    assert len(await sound(speech, SENTENCE)) > 0
    assert worker_of(speech) == worker


async def test_the_worker_ends_when_its_parent_is_killed() -> None:
    code = (
        "import asyncio, sys\n"
        "from vision_agent.local.engine.speech.synthesis import Speech\n"
        "async def main():\n"
        "    speech = await Speech.start()\n"
        "    print('ready', flush=True)\n"
        "    await asyncio.Event().wait()\n"
        "asyncio.run(main())\n"
    )
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    assert await parent.stdout.readline() == b"ready\n"
    (worker,) = psutil.Process(parent.pid).children()
    parent.kill()
    await parent.wait()
    await ended(worker)
    assert not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE


async def test_no_more_texts_than_can_wait_are_taken(speech: Speech) -> None:
    await sound(speech, "Ja.", language="de")
    worker = psutil.Process(speech.worker_pids["espeak"])
    worker.suspend()
    listeners = [
        asyncio.create_task(anext(speech.say("Ja.", language_code="de")))
        for _ in range(synthesizer_process.MAX_TEXTS + 50)
    ]
    await until(lambda: any(task.done() for task in listeners))
    refused = [task for task in listeners if task.done()]
    worker.resume()
    for task in refused:
        with pytest.raises(SpeechError, match="waiting"):
            task.result()
    await asyncio.gather(*(task for task in listeners if task not in refused))


@pytest.mark.usefixtures("children_as_always")
async def test_a_question_is_spoken_as_a_whole_and_leaves_no_process() -> None:
    others = workers()
    pcm, rate_hz = await speak_question("What do you see?")
    assert rate_hz == RATE_HZ
    assert 0.5 < len(pcm) / 2 / rate_hz < 3
    assert np.abs(np.frombuffer(pcm, "<i2")).max() > 10_000
    assert workers() == others


@pytest.mark.usefixtures("children_as_always")
async def test_a_worker_that_cannot_start_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", os.devnull)
    with pytest.raises(SpeechError, match="could not be started"):
        await Speech.start()


def _break(monkeypatch: pytest.MonkeyPatch, folder: Path, *, espeak: bool) -> None:
    """Hide hibari's files, and espeak-ng's on demand, from workers that start from now on."""
    (folder / "hibari").mkdir()
    (folder / "hibari" / "__init__.py").touch()
    if espeak:
        (folder / "espeakng_loader.py").write_text(
            "def get_data_path(): return '/nowhere/data'\n"
            "def get_library_path(): return '/nowhere/library'\n"
        )
    monkeypatch.setenv("PYTHONPATH", str(folder))


@pytest.mark.usefixtures("children_as_always")
async def test_without_hibaris_files_espeak_speaks_and_the_log_says_why_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    _break(monkeypatch, tmp_path, espeak=False)
    speech = await Speech.start()
    assert len(await sound(speech, "Yes. It is a cup.")) > RATE_HZ
    assert set(speech.worker_pids) == {"espeak"}
    await speech.close()
    [words] = [record.getMessage() for record in caplog.records]
    assert "espeak-ng speaks instead" in words
    assert "can't be read" in words


@pytest.mark.usefixtures("children_as_always")
async def test_the_worker_says_itself_why_there_is_no_voice(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _break(monkeypatch, tmp_path, espeak=True)
    others = workers()
    with pytest.raises(SpeechError, match=r"^espeak-ng cannot be loaded: .*/nowhere"):
        await Speech.start()
    assert workers() == others


@pytest.mark.usefixtures("children_as_always")
async def test_a_voice_that_does_not_come_up_is_given_up(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("hibari", "espeakng_loader"):
        (tmp_path / f"{name}.py").write_text("import time; time.sleep(600)\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(synthesizer_process, "_START_TIMEOUT_S", 0.5)
    others = workers()
    with pytest.raises(SpeechError, match=r"within 0\.5 s"):
        await Speech.start()
    assert workers() == others
