import asyncio
import os
import signal
from pathlib import Path

import psutil
import pytest

from tests.local.recordings import silence, spoken
from tests.support import forked
from tests.support.waiting import until
from vision_agent.local.contract import Request, Transcript
from vision_agent.local.engine.hearing import recognizer as recognizer_module
from vision_agent.local.engine.hearing.endpointing import Sensitivity
from vision_agent.local.engine.hearing.recognizer import (
    LONGEST_BYTES,
    MOST_AT_ONCE,
    Recognizer,
    understood,
)
from vision_agent.local.engine.hearing.vad_stream import SpeechDetector
from vision_agent.local.engine.hearing.whisper_text import Hypothesis
from vision_agent.local.engine.hearing.worker_messages import Recognition, Vocabulary
from vision_agent.local.engine.language.understanding import Understanding

SEE = Transcript("What do you see?", request=Request("see"))


async def test_what_is_said_before_the_worker_is_up_is_heard() -> None:
    recognizer = Recognizer()
    recognizer.start()
    utterance = recognizer.begin()
    assert utterance is not None
    utterance.feed(spoken("what-do-you-see"))
    utterance.end()
    assert await utterance.transcript() == SEE
    await recognizer.close()


async def test_a_worker_that_dies_costs_no_words() -> None:
    recognizer = Recognizer()
    recognizer.start()
    await recognizer.worker.ready(60)
    utterance = recognizer.begin()
    assert utterance is not None
    question = spoken("what-do-you-see")
    utterance.feed(question[:30_000])
    killed = recognizer.worker.pid
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    utterance.feed(question[30_000:])
    utterance.end()
    assert await utterance.transcript() == SEE
    assert recognizer.worker.restarts == 1
    assert recognizer.worker.pid != killed
    await recognizer.close()


async def test_sound_that_kills_every_worker_is_given_up() -> None:
    recognizer = Recognizer()
    recognizer.start()
    utterance = recognizer.begin()
    assert utterance is not None
    for _ in range(2):
        await recognizer.worker.ready(60)
        pid = recognizer.worker.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        await until(lambda pid=pid: recognizer.worker.pid != pid)
    assert await utterance.transcript() == Transcript("", False, lost=True)
    await recognizer.close()


async def test_several_speak_at_once_and_each_is_heard() -> None:
    recognizer = Recognizer()
    recognizer.start()
    names = ["what-do-you-see", "read-the-text", "hello", "what-changed"]
    utterances = [recognizer.begin() for _ in names]
    recordings = [spoken(name) for name in names]
    for start in range(0, max(map(len, recordings)), 3200):
        for utterance, pcm in zip(utterances, recordings, strict=True):
            assert utterance is not None
            utterance.feed(pcm[start : start + 3200])
    heard = []
    for utterance in utterances:
        assert utterance is not None
        utterance.end()
    for utterance in utterances:
        assert utterance is not None
        heard.append((await utterance.transcript()).text)
    assert heard == ["What do you see?", "Read the text.", "Hello.", "What changed?"]
    await recognizer.close()


async def test_no_more_than_a_bounded_number_is_listened_to() -> None:
    recognizer = Recognizer()
    utterances = [recognizer.begin() for _ in range(MOST_AT_ONCE + 1)]
    assert utterances[-1] is None
    first = utterances[0]
    assert first is not None
    first.feed(silence(59_000))
    first.feed(silence(59_000))
    assert len(first.sound) == LONGEST_BYTES
    first.cancel()
    assert await first.transcript() == Transcript("", False)
    assert recognizer.begin() is not None
    await recognizer.close()


async def test_digital_silence_is_nothing_and_spoils_nothing() -> None:
    recognizer = Recognizer()
    recognizer.start()
    for pcm, expected in [(silence(2000), False), (b"", False), (spoken("hello"), True)]:
        utterance = recognizer.begin()
        assert utterance is not None
        utterance.feed(pcm)
        utterance.end()
        assert (await utterance.transcript()).understood is expected
    await recognizer.close()


async def test_closing_ends_the_process_and_whoever_waits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(forked, "KEPT", ())
    recognizer = Recognizer()
    recognizer.start()
    await recognizer.worker.ready(60)
    pid = recognizer.worker.pid
    assert pid is not None
    utterance = recognizer.begin()
    assert utterance is not None
    waiting = asyncio.create_task(utterance.transcript())
    await recognizer.close()
    assert await waiting == Transcript("", False)
    assert not psutil.pid_exists(pid)


async def test_a_worker_that_hangs_is_replaced_and_the_next_utterance_is_heard() -> None:
    recognizer = Recognizer()
    recognizer.start()
    await recognizer.worker.ready(60)
    hung = recognizer.worker.pid
    assert hung is not None
    os.kill(hung, signal.SIGSTOP)
    lost = recognizer.begin()
    assert lost is not None
    lost.end()
    assert await lost.transcript(timeout_s=0.5) == Transcript("", False, lost=True)
    utterance = recognizer.begin()
    assert utterance is not None
    utterance.feed(spoken("what-do-you-see"))
    utterance.end()
    assert await utterance.transcript() == SEE
    assert recognizer.worker.pid != hung
    await recognizer.close()


async def test_a_model_that_can_not_be_loaded_leaves_the_hearing_to_the_bundled_one(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    recognizer = Recognizer(whisper=str(tmp_path))
    recognizer.start()
    utterance = recognizer.begin()
    assert utterance is not None
    utterance.feed(spoken("what-do-you-see"))
    utterance.end()
    assert await utterance.transcript() == SEE
    await recognizer.close()
    assert f"{tmp_path} can't be used for hearing" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("first", "second", "text", "intent"),
    [
        ("And allow.", "Hello?", "Hello?", "hello"),
        ("What changed?", "What stranged?", "What changed?", "changed"),
        ("What changed?", "What do you see?", "What changed?", None),
        ("And allow.", "I am low.", "And allow.", None),
    ],
)
async def test_a_request_counts_unless_the_other_whisper_heard_another_one(
    first: str, second: str, text: str, intent: str | None
) -> None:
    recognition = Recognition(
        first, log_probability=-0.5, second=Hypothesis(second, -0.6, others=("Oh",))
    )
    transcript = await understood(
        Recognition.from_bytes(recognition.to_bytes()), Vocabulary(), None
    )
    assert transcript.text == text
    assert (transcript.request and transcript.request.intent) == intent


async def test_of_two_nouns_the_one_that_people_ask_about_is_heard() -> None:
    understanding = Understanding()
    for first, second, thing in (
        ("Where is my buck?", "Where is my book?", "my book"),
        ("Where is my book?", "Where is my buck?", "my book"),
        ("Where is my zorblax?", "Where is my box?", "my zorblax"),
    ):
        recognition = Recognition(first, log_probability=-0.3, second=Hypothesis(second, -0.3))
        transcript = await understood(recognition, Vocabulary(names=("zorblax",)), understanding)
        assert transcript.request is not None
        assert transcript.request.slots["target"] == thing
    understanding.close()


async def test_without_a_model_nobody_is_heard_and_whoever_speaks_is_told_why(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(recognizer_module, "WORKER", "tests.local.engine.odd_worker")
    monkeypatch.setenv("ODD_WORKER", "refuses")
    recognizer = Recognizer()
    utterance = recognizer.begin()
    assert utterance is not None
    recognizer.start()
    assert (await utterance.transcript()).lost
    assert recognizer.off == "There is nothing to work with."
    detector = SpeechDetector(recognizer, Sensitivity())
    detector.feed(spoken("what-do-you-see") + silence(900))
    heard = await detector.transcript()
    assert (heard.lost, heard.deaf) == (True, recognizer.off)
    await recognizer.close()
