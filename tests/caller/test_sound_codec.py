"""Sound that callers encode and decode themselves."""

from fractions import Fraction

import av
import numpy as np
import pytest
from aiortc import RTCRtpSender
from aiortc.jitterbuffer import JitterFrame

from tests.support.signals import silence, tone
from vision_agent.caller import sound_codec
from vision_agent.caller.level import rms
from vision_agent.caller.recording import sound_frame
from vision_agent.caller.sound_codec import SoundDecoder, sound_encoder

CODECS = {each.mimeType: each for each in RTCRtpSender.getCapabilities("audio").codecs}


def frames(sound: np.ndarray) -> list[av.AudioFrame]:
    made = []
    for at in range(0, len(sound), 960):
        frame = av.AudioFrame.from_ndarray(sound[None, at : at + 960], "s16", "mono")
        frame.sample_rate, frame.pts, frame.time_base = 48_000, at, Fraction(1, 48_000)
        made.append(frame)
    return made


@pytest.mark.parametrize("mime", CODECS)
@pytest.mark.parametrize("has_libopus", [True, False])
def test_what_one_side_says_the_other_side_hears(
    mime: str, has_libopus: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not has_libopus:
        monkeypatch.setattr(sound_codec, "library", lambda: None)
    encoder, decoder, codec = sound_encoder(CODECS[mime]), SoundDecoder(), CODECS[mime]
    sound = np.concatenate([tone(300, level=9000), silence(300)])
    heard = []
    for frame in frames(sound):
        payloads, stamp = encoder.encode(frame)
        heard += [decoder.decode(codec, JitterFrame(data, stamp)) for data in payloads]
    received = np.concatenate(heard)
    assert len(received) == pytest.approx(len(sound), abs=2000)
    level = rms(sound[4_800:12_000])
    if mime == "audio/opus":
        level /= 2**0.5  # as FFmpeg makes two channels of one
    assert rms(received[4_800:12_000]) == pytest.approx(level, rel=0.1)
    assert rms(received[18_000:]) < 20


def test_silence_is_encoded_until_it_has_settled_and_then_sent_again() -> None:
    encoder = sound_encoder(CODECS["audio/opus"])
    sent = [encoder.encode(frame) for frame in frames(np.concatenate([tone(100), silence(600)]))]
    settled = [payload for (payload,), _ in sent[15:]]
    assert all(payload is settled[0] for payload in settled)
    assert [stamp for _, stamp in sent] == [960 * n for n in range(35)]
    (voiced,), _ = encoder.encode(frames(tone(20))[0])
    assert voiced is not settled[0]


def test_a_decoder_follows_when_the_codec_changes() -> None:
    decoder, lengths = SoundDecoder(), []
    for mime in ("audio/opus", "audio/PCMU", "audio/opus"):
        encoder = sound_encoder(CODECS[mime])
        payloads = [data for frame in frames(tone(60)) for data in encoder.encode(frame)[0]]
        lengths.append(len(decoder.decode(CODECS[mime], JitterFrame(payloads[0], 0))))
    assert lengths[0] == lengths[2] == 960
    assert lengths[1] > 800


def test_what_is_no_packet_is_an_error() -> None:
    with pytest.raises(av.FFmpegError):
        SoundDecoder().decode(CODECS["audio/opus"], JitterFrame(b"", 0))


def test_a_longer_frame_of_silence_is_one_packet_also_where_none_was_before() -> None:
    codec = CODECS["audio/opus"]
    encoder, decoder = sound_encoder(codec), SoundDecoder()
    long = sound_frame(silence(120), 0)
    for frame in (long, *frames(tone(100)), long):
        (payload,), stamp = encoder.encode(frame)
        heard = decoder.decode(codec, JitterFrame(payload, stamp))
        assert len(heard) == frame.samples
    (payload,), stamp = encoder.encode(long)
    assert rms(decoder.decode(codec, JitterFrame(payload, stamp))) < 1
