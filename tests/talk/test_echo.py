from pathlib import Path

import numpy as np

from tests.support.signals import loud
from vision_agent.caller.level import rms
from vision_agent.caller.recording import SOUND_RATE_HZ, read_sound
from vision_agent.talk.echo import BLOCK_SAMPLES, Canceller, HalfDuplex, NoEcho, echo_guard


def through(guard, recordings: Path) -> tuple[float, float]:
    """The output levels of echo alone and of speech over echo, in dB relative to the input."""
    far = read_sound(recordings / "jfk.flac")[: 8 * SOUND_RATE_HZ]
    speech = read_sound(recordings / "speech" / "what-do-you-see.wav")[:SOUND_RATE_HZ]
    room = np.zeros(2400)
    random = np.random.default_rng(1)
    room[0], room[random.integers(1, 2400, 30)] = 0.5, random.normal(0, 0.05, 30)
    delay = np.zeros(SOUND_RATE_HZ * 80 // 1000)
    echo = np.concatenate([delay, np.convolve(far, room)])[: len(far)]
    near = echo + random.normal(0, 10, len(far))
    at = 6 * SOUND_RATE_HZ
    near[at : at + len(speech)] += speech
    near = np.clip(near, -32768, 32767).astype(np.int16)
    out = np.concatenate(
        [
            guard.clean(near[i : i + BLOCK_SAMPLES], far[i : i + BLOCK_SAMPLES])
            for i in range(0, len(far) - BLOCK_SAMPLES + 1, BLOCK_SAMPLES)
        ]
    )

    def gain_db(start: int, stop: int) -> float:
        return 20 * np.log10((rms(out[start:stop]) + 1) / (rms(near[start:stop]) + 1))

    return gain_db(4 * SOUND_RATE_HZ, at), gain_db(at, at + len(speech))


def test_the_echo_is_taken_out_and_the_caller_who_speaks_over_it_stays(recordings: Path) -> None:
    echo_db, speech_db = through(Canceller(), recordings)
    assert echo_db < -20
    assert speech_db > -6


def test_half_duplex_is_silent_while_the_agent_speaks_and_headphones_change_nothing() -> None:
    guard, quiet = HalfDuplex(), np.zeros(BLOCK_SAMPLES, np.int16)
    assert not guard.clean(loud(BLOCK_SAMPLES), loud(BLOCK_SAMPLES)).any()
    after = [guard.clean(loud(BLOCK_SAMPLES), quiet).any() for _ in range(60)]
    assert after == sorted(after)
    assert after.index(True) * 10 in range(300, 400)
    assert NoEcho().clean(loud(4), loud(4)).all()
    assert isinstance(echo_guard(headphones=False, half_duplex=False), Canceller)
    assert isinstance(echo_guard(headphones=False, half_duplex=True), HalfDuplex)
