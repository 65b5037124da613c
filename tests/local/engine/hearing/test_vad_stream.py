from collections.abc import AsyncIterator

import av
import numpy as np
import pytest
import pytest_asyncio

from tests.local.recordings import QUESTIONS, SPEECH, jfk, silence, spoken
from vision_agent.local.contract import SpeechStarted, SpeechStopped, Transcript
from vision_agent.local.engine.hearing.endpointing import Sensitivity
from vision_agent.local.engine.hearing.recognizer import MOST_AT_ONCE, Recognizer
from vision_agent.local.engine.hearing.vad_stream import SpeechDetector
from vision_agent.local.engine.language.phrase_matching import match
from vision_agent.local.engine.speech.synthesis import Speech


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def recognizer() -> AsyncIterator[Recognizer]:
    recognizer = Recognizer()
    recognizer.start()
    yield recognizer
    await recognizer.close()


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture
def deaf() -> Recognizer:
    """A recogniser without a worker, for tests of the detection of speech alone."""
    return Recognizer()


def feed(
    detector: SpeechDetector, pcm: bytes, chunk_bytes: int = 640
) -> list[SpeechStarted | SpeechStopped]:
    return [
        event
        for start in range(0, len(pcm), chunk_bytes)
        for event in detector.feed(pcm[start : start + chunk_bytes])
    ]


def noise(ms: int, rms: float) -> bytes:
    samples = np.random.default_rng(1).normal(0, rms, 16 * ms)
    return samples.astype("<i2").tobytes()


async def hear(recognizer: Recognizer, pcm: bytes) -> Transcript:
    detector = SpeechDetector(recognizer, Sensitivity())
    events = feed(detector, pcm + silence(900))
    assert isinstance(events[-1], SpeechStopped)
    heard = await detector.transcript()
    await detector.close()
    return heard


@pytest.mark.parametrize("path", sorted(SPEECH.glob("*.wav")), ids=lambda path: path.stem)
async def test_a_spoken_question_is_understood_and_other_speech_is_not(
    recognizer: Recognizer, path: object
) -> None:
    name = path.stem  # type: ignore[attr-defined]
    heard = await hear(recognizer, spoken(name))
    question = next((q for q in QUESTIONS if name.startswith(q)), None)
    if question is None:
        assert not heard.understood
        assert "sister" in heard.text
    else:
        assert heard.understood, heard
        request = match(heard.text)
        assert request is not None
        assert request.intent == QUESTIONS[question]


async def test_every_question_has_two_voices() -> None:
    names = [path.stem for path in SPEECH.glob("*.wav")]
    for question in [*QUESTIONS, "off-topic"]:
        assert sum(name.startswith(question) for name in names) == 2


async def test_a_speech_of_a_president_is_found_and_is_no_command(recognizer: Recognizer) -> None:
    detector = SpeechDetector(recognizer, Sensitivity(silence_ms=400))
    events = feed(detector, jfk() + silence(1000))
    started = [event.at_ms for event in events if isinstance(event, SpeechStarted)]
    stopped = [event.at_ms for event in events if isinstance(event, SpeechStopped)]
    # "And so, my fellow Americans" · "ask not" · "what your country can do for you" ·
    # "ask what you can do for your country"
    assert len(started) == len(stopped) == 4
    assert started[0] < 500
    assert 3_100 < started[1] < 3_600
    assert 5_200 < started[2] < 5_700
    assert 8_000 < started[3] < 8_500
    assert 10_200 < stopped[3] <= 11_100
    heard = [await detector.transcript() for _ in stopped]
    await detector.close()
    assert not any(phrase.understood for phrase in heard)
    assert all(phrase.text for phrase in heard)


async def test_the_same_sound_gives_the_same_words(recognizer: Recognizer) -> None:
    first = await hear(recognizer, spoken("off-topic"))
    await hear(recognizer, spoken("hello"))
    assert await hear(recognizer, spoken("off-topic")) == first


async def test_loudness_does_not_matter(recognizer: Recognizer) -> None:
    loud = np.frombuffer(spoken("what-do-you-see"), "<i2")
    quiet = (loud * 0.05).astype("<i2").tobytes()
    heard = await hear(recognizer, quiet)
    assert (heard.text, heard.understood) == ("What do you see?", True)


async def test_two_utterances_are_heard_in_the_order_they_were_spoken(
    recognizer: Recognizer,
) -> None:
    detector = SpeechDetector(recognizer, Sensitivity())
    feed(detector, spoken("hello") + silence(900) + spoken("read-the-text") + silence(900))
    assert (await detector.transcript()).text == "Hello."
    assert (await detector.transcript()).text == "Read the text."
    assert await detector.transcript() == Transcript("", False)
    await detector.close()


async def test_a_marked_activity_is_heard_without_detection(recognizer: Recognizer) -> None:
    detector = SpeechDetector(recognizer, Sensitivity())
    feed(detector, silence(500))
    detector.begin_activity()
    assert feed(detector, silence(1000) + spoken("what-changed") + silence(2000)) == []
    detector.end_activity()
    heard = await detector.transcript()
    assert (heard.text, heard.understood) == ("What changed?", True)
    await detector.close()


async def test_speech_is_dated_within_a_tenth_of_a_second(deaf: Recognizer) -> None:
    # The recording itself has 300 ms of silence on either side.
    question = spoken("what-do-you-see")
    detector = SpeechDetector(deaf, Sensitivity(silence_ms=600))
    [started, stopped] = feed(detector, silence(1000) + question + silence(1000))
    assert abs(started.at_ms - 1300) <= 150
    assert abs(stopped.at_ms - (1000 + len(question) // 32 - 300)) <= 200


async def test_the_size_of_the_chunks_does_not_matter(deaf: Recognizer) -> None:
    pcm = silence(500) + spoken("what-colour-is-this") + silence(1000)
    expected = feed(SpeechDetector(deaf, Sensitivity()), pcm)
    assert len(expected) == 2
    for chunk_bytes in (2, 314, 3200, len(pcm)):
        assert feed(SpeechDetector(deaf, Sensitivity()), pcm, chunk_bytes) == expected


async def test_noise_is_not_speech(deaf: Recognizer) -> None:
    assert feed(SpeechDetector(deaf, Sensitivity()), noise(5000, 300.0)) == []


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_many_talkers_at_once_begin_no_turn_not_even_at_first(
    deaf: Recognizer, seed: int
) -> None:
    pieces = np.frombuffer(jfk() + spoken("off-topic") + spoken("off-topic-rms"), "<i2")
    pieces = pieces[: len(pieces) // 320 * 320].reshape(-1, 320).astype(int)
    talk = pieces[np.abs(pieces).max(axis=1) > 1000].ravel()  # without the pauses
    offsets = np.random.default_rng(seed).integers(0, len(talk), 10)
    crowd = np.sum([np.roll(talk, offset) for offset in offsets], axis=0)[: 8 * 16_000]
    crowd = crowd * (1640 / np.sqrt(np.mean(crowd**2)))  # -26 dBFS
    assert feed(SpeechDetector(deaf, Sensitivity()), crowd.astype("<i2").tobytes()) == []


async def test_speech_in_noise_is_found(deaf: Recognizer) -> None:
    question = np.frombuffer(silence(1500) + spoken("what-do-you-see") + silence(1500), "<i2")
    level = float(np.sqrt(np.mean(np.square(question[24_000:-24_000], dtype=np.float64))))
    hiss = np.frombuffer(noise(len(question) // 16 + 1, level / 10), "<i2")[: len(question)]
    mixed = np.clip(question.astype(int) + hiss, -32768, 32767).astype("<i2").tobytes()
    [started, stopped] = feed(SpeechDetector(deaf, Sensitivity()), mixed)
    assert abs(started.at_ms - 1800) <= 250
    assert stopped.at_ms > started.at_ms + 500


async def test_after_a_reset_nothing_is_being_said(deaf: Recognizer) -> None:
    detector = SpeechDetector(deaf, Sensitivity())
    assert len(feed(detector, spoken("off-topic")[:40_000])) == 1
    detector.reset()
    assert feed(detector, silence(2000)) == []
    assert await detector.transcript() == Transcript("", False)


def louder(pcm: bytes, by_db: float) -> bytes:
    samples = np.frombuffer(pcm, "<i2") * 10 ** (by_db / 20)
    return np.clip(np.rint(samples), -32768, 32767).astype("<i2").tobytes()


def together(*sounds: bytes) -> bytes:
    mixed = np.zeros(max(map(len, sounds)) // 2, np.int64)
    for sound in sounds:
        mixed[: len(sound) // 2] += np.frombuffer(sound, "<i2")
    return np.clip(mixed, -32768, 32767).astype("<i2").tobytes()


async def test_how_far_a_voice_stands_out_from_the_noise_is_told(recognizer: Recognizer) -> None:
    question = silence(3500) + spoken("what-colour-is-this")
    # An RMS of 33 is -60 dBFS.
    loud, quiet = [
        (await hear(recognizer, together(noise(6000, 33.0), louder(question, db)))).snr_db
        for db in (0, -12)
    ]
    assert loud is not None
    assert quiet is not None
    assert loud - quiet == pytest.approx(12, abs=1)
    assert 20 < loud < 50


async def test_the_agents_echo_does_not_interrupt_it_and_the_caller_does() -> None:
    speech = await Speech.start()
    said = "I can see a dark blue cup on the left, and a person in the middle. It says: exit."
    pieces = [piece async for piece in speech.say(said, "Zephyr")]
    await speech.close()
    echo = louder(room(at_16_khz(b"".join(pieces))), -20)

    def starts(pcm: bytes, *, over_agent: bool) -> list[int]:
        detector = SpeechDetector(Recognizer(), Sensitivity())
        events = [
            event
            for start in range(0, len(pcm), 640)
            for event in detector.feed(pcm[start : start + 640], over_agent=over_agent)
        ]
        return [event.at_ms for event in events if isinstance(event, SpeechStarted)]

    assert starts(silence(1000) + echo, over_agent=False) != []
    assert starts(silence(1000) + echo, over_agent=True) == []
    caller = silence(3000) + spoken("what-do-you-see")
    [at_ms] = starts(together(silence(1000) + echo, caller), over_agent=True)
    assert abs(at_ms - 3300) <= 150


def at_16_khz(pcm_24_khz: bytes) -> bytes:
    frame = av.AudioFrame.from_ndarray(
        np.frombuffer(pcm_24_khz, "<i2").reshape(1, -1), format="s16", layout="mono"
    )
    frame.sample_rate = 24_000
    resampler = av.AudioResampler("s16", "mono", 16_000)
    frames = [*resampler.resample(frame), *resampler.resample(None)]
    return b"".join(frame.to_ndarray().tobytes() for frame in frames)


def room(pcm: bytes) -> bytes:
    """Sound delayed by 120 ms, with 250 ms of reverberation, at the same level."""
    dry = np.frombuffer(pcm, "<i2").astype(float)
    tail = np.random.default_rng(1).normal(size=4000) * np.exp(-np.arange(4000) / 700) / 2
    wet = np.convolve(dry, np.concatenate((np.zeros(1920), [1.0], tail)))
    wet *= np.sqrt(np.mean(dry**2) / np.mean(wet[: len(dry)] ** 2))
    return np.clip(np.rint(wet), -32768, 32767).astype("<i2").tobytes()


async def test_who_cannot_be_listened_to_is_told_from_who_said_nothing(
    deaf: Recognizer,
) -> None:
    others = [deaf.begin() for _ in range(MOST_AT_ONCE)]
    assert None not in others
    detector = SpeechDetector(deaf, Sensitivity())
    feed(detector, spoken("what-changed") + silence(900))
    heard = await detector.transcript()
    assert heard.lost
    assert not heard.understood
    assert not (await detector.transcript()).lost
