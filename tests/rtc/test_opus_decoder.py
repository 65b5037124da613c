from types import SimpleNamespace

import av
import numpy as np
import psutil
import pytest

from tests.rtc.calling import pitch_hz, tone
from tests.rtc.packets import opus_packets
from vision_agent.libopus import library
from vision_agent.rtc import opus_encoder
from vision_agent.rtc.opus_decoder import OpusDecoder
from vision_agent.rtc.opus_encoder import FRAME_BYTES, SILENCE, FFmpegEncoder, OpusEncoder


def voice() -> list[bytes]:
    """Four seconds of PCM in pieces of 20 ms: loud, quiet, noisy and silent."""
    at_s = np.arange(4 * 24_000) / 24_000
    sound = 9000 * np.sin(2 * np.pi * 180 * at_s) * np.sin(2 * np.pi * at_s) ** 2
    sound += np.random.default_rng(1).normal(0, 400, at_s.size) * (at_s > 1)
    sound[at_s > 3] = 0
    pcm = sound.astype("<i2").tobytes()
    return [pcm[at : at + FRAME_BYTES] for at in range(0, len(pcm), FRAME_BYTES)]


def decode(data: bytes, timestamp: int = 0) -> list:
    return OpusDecoder(library()).decode(SimpleNamespace(data=data, timestamp=timestamp))


def test_pyav_brings_a_libopus_that_can_be_called():
    assert library() is not None


def test_its_encoder_makes_the_very_packets_that_ffmpeg_makes_with_it():
    direct, through_ffmpeg = OpusEncoder(), FFmpegEncoder()
    assert [direct.encode(pcm) for pcm in voice()] == [
        through_ffmpeg.encode(pcm) for pcm in voice()
    ]


def test_where_it_is_not_found_the_voice_is_encoded_through_ffmpeg(monkeypatch):
    expected = [OpusEncoder().encode(voice()[0])]
    monkeypatch.setattr(opus_encoder, "library", lambda: None)
    assert [OpusEncoder().encode(voice()[0])] == expected


def test_an_encoder_and_a_decoder_need_no_threads():
    before = psutil.Process().num_threads()
    encoder = OpusEncoder()
    decode(encoder.encode(SILENCE))
    assert psutil.Process().num_threads() <= before


@pytest.mark.parametrize("layout", ["mono", "stereo"])
def test_what_is_decoded_has_the_pitch_and_the_level_of_what_was_encoded(layout):
    decoder = OpusDecoder(library())
    decoded = [
        decoder.decode(SimpleNamespace(data=data, timestamp=960 * n))[0]
        for n, data in enumerate(opus_packets(tone(1000, 1, 48_000), layout))
    ]
    assert [sound.pts for sound in decoded] == [320 * n for n in range(len(decoded))]
    heard = np.frombuffer(b"".join(sound.pcm for sound in decoded), "<i2")
    assert pitch_hz(heard[1600:], 16_000) == pytest.approx(1000, abs=3)
    assert np.abs(heard[1600:].astype(int)).max() == pytest.approx(12_000, rel=0.05)


def test_nothing_above_8_khz_comes_back_as_a_lower_tone():
    decoder = OpusDecoder(library())
    heard = b"".join(
        decoder.decode(SimpleNamespace(data=data, timestamp=0))[0].pcm
        for data in opus_packets(tone(9500, 1, 48_000))
    )
    assert np.abs(np.frombuffer(heard, "<i2")[1600:].astype(int)).max() < 600


def test_the_longest_packet_is_taken_whole():
    # Code 3 (RFC 6716 3.2.5): six frames of 20 ms without data, which is silence.
    (sound,) = decode(bytes([0xFB, 6]))
    assert (sound.samples, len(sound.pcm)) == (1920, 3840)


@pytest.mark.parametrize("data", [b"", b"\xfb", b"\xfb\x00", b"\xfb\x07" + bytes(20)])
def test_what_is_no_packet_is_an_error_of_ffmpegs_as_from_every_decoder(data):
    with pytest.raises(av.FFmpegError):
        decode(data)


def test_whatever_a_peer_sends_is_either_sound_or_an_error():
    dice = np.random.default_rng(7)
    decoder, taken = OpusDecoder(library()), 0
    for _ in range(3000):
        data = dice.bytes(int(dice.integers(0, 400)))
        try:
            (sound,) = decoder.decode(SimpleNamespace(data=data, timestamp=0))
        except av.FFmpegError:
            continue
        taken += 1
        assert len(sound.pcm) == 2 * sound.samples <= 3840
    assert taken > 300
