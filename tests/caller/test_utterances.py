from pathlib import Path

import numpy as np
import pytest

from tests.support.signals import silence, tone
from vision_agent.caller.recording import read_sound
from vision_agent.caller.utterances import PAUSE_MS, Span, utterances

RATE_HZ = 48_000


def test_silence_and_nothing_hold_no_utterance() -> None:
    assert utterances(silence(2000), RATE_HZ) == []
    assert utterances(silence(0), RATE_HZ) == []


def test_an_utterance_ends_with_its_last_voiced_window() -> None:
    sound = np.concatenate([silence(300), tone(1000), silence(900)])
    assert utterances(sound, RATE_HZ) == [Span(300, 1300)]


def test_a_long_pause_parts_two_utterances_and_a_short_one_does_not() -> None:
    short = np.concatenate([tone(400), silence(PAUSE_MS - 50), tone(400)])
    long = np.concatenate([tone(400), silence(PAUSE_MS + 50), tone(400)])
    assert len(utterances(short, RATE_HZ)) == 1
    assert utterances(long, RATE_HZ) == [Span(0, 400), Span(1150, 1550)]


def test_noise_under_a_voice_is_not_taken_for_it() -> None:
    random = np.random.default_rng(1)
    sound = np.concatenate([silence(1000), tone(1000), silence(1000)]).astype(np.float64)
    noisy = (sound + random.normal(0, 150, len(sound))).astype(np.int16)
    assert utterances(noisy, RATE_HZ) == [Span(1000, 2000)]


def test_a_quiet_voice_is_found_and_a_click_is_not() -> None:
    click = tone(20)
    sound = np.concatenate([tone(800, level=400), silence(1500), click, silence(500)])
    spans = utterances(sound, RATE_HZ)
    assert [span for span in spans if span.start_ms > 900] == []


def test_one_short_question_in_a_long_silence_is_found() -> None:
    sound = np.concatenate([silence(20_000), tone(600), silence(20_000)])
    assert utterances(sound, RATE_HZ) == [Span(20_000, 20_600)]


@pytest.mark.parametrize("rate_hz", [16_000, 24_000, 48_000])
def test_the_spans_are_in_ms_at_any_rate(rate_hz: int) -> None:
    sound = np.concatenate([silence(500, rate_hz), tone(500, rate_hz=rate_hz)])
    assert utterances(sound, rate_hz) == [Span(500, 1000)]


def test_a_speech_with_two_long_pauses_has_three_utterances(jfk: Path) -> None:
    spans = utterances(read_sound(jfk), RATE_HZ)
    assert [span.start_ms for span in spans] == pytest.approx([330, 3290, 5410], abs=150)
    assert spans[0].end_ms == pytest.approx(2110, abs=200)
