"""The bundled Whisper models, loaded once, and how long speech is divided for them."""

from dataclasses import replace

import numpy as np
import pytest

from tests.local.recordings import jfk, silence, spoken
from vision_agent.local.engine import weights
from vision_agent.local.engine.hearing.whisper import WINDOW_S, Whisper
from vision_agent.local.engine.hearing.whispers import Whispers
from vision_agent.local.engine.hearing.windows import first_window
from vision_agent.local.engine.language.normalisation import normalise


@pytest.fixture(scope="module")
def whispers() -> Whispers:
    return Whispers.load()


@pytest.fixture(scope="module", params=["first", "second"])
def whisper(whispers: Whispers, request: pytest.FixtureRequest) -> Whisper:
    return getattr(whispers, request.param)


def test_a_real_voice_is_heard_word_for_word_over_more_than_one_window(whisper: Whisper) -> None:
    speech = jfk()
    end = first_window(speech)
    assert end is not None
    assert 16_000 * WINDOW_S <= end <= 32_000 * WINDOW_S
    assert end % 2 == 0
    heard = " ".join(whisper.hear(part).text for part in (speech[:end], speech[end:]))
    assert normalise(heard) == (
        "and so my fellow americans ask not what your country can do for you "
        "ask what you can do for your country"
    )


def test_what_fits_into_a_window_is_not_divided() -> None:
    assert first_window(bytes(32_000 * WINDOW_S)) is None
    speech = silence(1_000) + spoken("what-do-you-see") * 6
    assert first_window(speech) == first_window(speech + silence(500))


def noises() -> dict[str, np.ndarray]:
    random = np.random.default_rng(1)
    time_s = np.arange(24_000) / 16_000
    hiss = random.normal(size=24_000)
    spectrum = np.fft.rfft(hiss)
    pink = np.fft.irfft(spectrum / np.sqrt(np.arange(1, len(spectrum) + 1)))
    chord = sum(np.sin(2 * np.pi * hz * time_s) for hz in (262, 330, 392))
    dishes = hiss * np.exp(-(time_s % 0.5) / 0.02)
    return {"white": hiss, "pink": pink, "chord": chord, "dishes": dishes, "none": 0 * hiss}


@pytest.mark.parametrize("kind", noises())
def test_noise_is_no_words(whisper: Whisper, kind: str) -> None:
    sound = noises()[kind]
    level = 1_600 / max(1e-9, float(np.sqrt(np.mean(sound**2))))
    heard = whisper.hear(np.clip(sound * level, -32768, 32767).astype("<i2").tobytes())
    assert heard.text == ""


def test_where_a_part_of_the_larger_model_is_damaged_the_smaller_one_hears_alone(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    damaged = replace(weights.WHISPER_BASE_2, sha256="0" * 64)
    monkeypatch.setattr(weights, "WHISPER_BASE_2", damaged)
    whispers = Whispers.load()
    assert whispers.second is None
    assert whispers.first.hear(spoken("what-do-you-see")).text == "What do you see?"
    assert "Only the smaller Whisper model recognises speech: data/model.bin.part2" in caplog.text


def test_the_second_one_is_loaded_once_early_or_when_it_is_asked(whispers: Whispers) -> None:
    loaded: list[Whisper] = []

    def load() -> Whisper:
        loaded.append(whispers.first)
        return whispers.first

    early = Whispers(whispers.first, load)
    assert early.are_two
    assert not loaded
    assert early.load_early()
    assert not early.load_early()
    asked = Whispers(whispers.first, load)
    assert early.second is asked.second is asked.second is whispers.first
    assert len(loaded) == 2
    damaged = Whispers(whispers.first, lambda: None)
    assert damaged.are_two
    assert damaged.second is None
    assert not damaged.are_two
