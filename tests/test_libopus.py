"""libopus as it is called for calls."""

import numpy as np
import pytest

from tests.support.signals import tone
from vision_agent.libopus import MonoDecoder, library
from vision_agent.rtc.opus_encoder import SILENCE, OpusEncoder


def sound(packets: list[bytes], rate_hz: int) -> np.ndarray:
    decoder = MonoDecoder(library(), rate_hz)
    return np.concatenate([np.frombuffer(decoder.decode(each), np.int16) for each in packets])


@pytest.mark.parametrize("rate_hz", [16_000, 48_000])
def test_a_voice_after_a_silence_of_repeated_packets_sounds_as_after_a_decoded_one(
    rate_hz: int,
) -> None:
    encoder = OpusEncoder()
    word = tone(200, rate_hz=24_000).astype("<i2").tobytes()
    voice = [encoder.encode(word[at : at + 960]) for at in range(0, len(word), 960)]
    silence = [encoder.encode(SILENCE) for _ in range(40)]
    voice_again = [encoder.encode(word[at : at + 960]) for at in range(0, len(word), 960)]
    length = len(voice) * rate_hz // 50
    # The decoder skips most of the first silence, and decodes all of the second.
    repeated = sound([*voice, *silence, *voice_again], rate_hz)
    decoded = sound([*voice, *silence[:18], *voice_again], rate_hz)
    assert len(repeated) == 2 * length + len(silence) * rate_hz // 50
    assert np.abs(repeated[length + rate_hz // 5 : -length]).max() <= 1
    difference = repeated[-length:].astype(int) - decoded[-length:]
    assert np.abs(difference).max() <= 2
    assert np.abs(repeated[-length:]).max() > 1000
