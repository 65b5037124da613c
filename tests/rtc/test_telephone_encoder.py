"""G.711 and G.722, decoded by FFmpeg, and in calls of a real peer that has no other codec."""

import asyncio

import av
import numpy as np
import psutil
import pytest

from tests.rtc.calling import Call, SoundSource, pitch_hz, tone
from tests.support.waiting import until
from vision_agent.rtc import Microphone
from vision_agent.rtc.own.aiortc import RTCRtpSender
from vision_agent.rtc.telephone_encoder import TelephoneEncoder

DECODERS = {"pcmu": ("pcm_mulaw", 8000), "pcma": ("pcm_alaw", 8000), "g722": ("g722", 16_000)}
HIGHEST_HZ = {"pcmu": 3000, "pcma": 3000, "g722": 6000}


def packets_of(encoder: TelephoneEncoder, sound: np.ndarray) -> list[bytes]:
    pcm = sound.astype("<i2").tobytes()
    return [encoder.encode(pcm[at : at + 960]) for at in range(0, len(pcm), 960)]


def decoded(codec: str, packets: list[bytes]) -> np.ndarray:
    name, rate_hz = DECODERS[codec]
    context = av.CodecContext.create(name, "r")
    context.format, context.layout, context.sample_rate = "s16", "mono", rate_hz
    return np.concatenate(
        [f.to_ndarray()[0] for p in packets for f in context.decode(av.Packet(p))]
    )


@pytest.mark.parametrize("codec", DECODERS)
def test_what_is_encoded_is_heard_at_its_pitch_and_level(codec):
    rate_hz = DECODERS[codec][1]
    for hz in (300, 1000, HIGHEST_HZ[codec]):
        packets = packets_of(TelephoneEncoder(codec), tone(hz, 1, 24_000))
        assert {len(packet) for packet in packets} == {160}
        heard = decoded(codec, packets)
        assert len(heard) == rate_hz
        assert pitch_hz(heard[rate_hz // 5 :], rate_hz) == pytest.approx(hz, abs=4)
        level = np.sqrt(np.mean(heard[rate_hz // 5 :].astype(float) ** 2))
        assert level == pytest.approx(12_000 / 2**0.5, rel=0.1)


@pytest.mark.parametrize("codec", ["pcmu", "pcma"])
def test_what_a_telephone_does_not_carry_is_not_heard_as_something_else(codec):
    heard = decoded(codec, packets_of(TelephoneEncoder(codec), tone(5000, 1, 24_000)))
    assert np.abs(heard[800:].astype(int)).max() < 200


@pytest.mark.parametrize("codec", DECODERS)
def test_silence_after_speech_is_silent_and_a_closed_encoder_leaves_no_thread(codec):
    before = psutil.Process().num_threads()
    encoder = TelephoneEncoder(codec)
    sound = np.concatenate([tone(1000, 0.2, 24_000), np.zeros(24_000 // 5, np.int16)])
    heard = decoded(codec, packets_of(encoder, sound))
    assert np.abs(heard[-len(heard) // 4 :].astype(int)).max() <= 40
    encoder.close()
    assert psutil.Process().num_threads() <= before


@pytest.mark.parametrize("codec", DECODERS)
async def test_a_caller_without_opus_hears_the_agent_and_is_heard(call: Call, codec: str):
    highest_hz = HIGHEST_HZ[codec]
    source = SoundSource(np.concatenate([np.zeros(24_000, np.int16), tone(highest_hz, 3, 48_000)]))
    call.caller.addTrack(source)
    capabilities = RTCRtpSender.getCapabilities("audio").codecs
    call.caller.getTransceivers()[0].setCodecPreferences(
        [found for found in capabilities if found.name.lower() == codec]
    )
    await call.connect()
    chunks: list[bytes] = []
    call.run(Microphone(chunks.append).run(call.listener.microphones[0]))
    frames: list[av.AudioFrame] = []

    async def listen() -> None:
        while len(frames) < 80:
            frames.append(await call.heard[0].recv())

    call.voice.write(tone(highest_hz, 1, 24_000).astype("<i2").tobytes())
    call.voice.flush()
    await asyncio.wait_for(listen(), 10)
    # Each frame is 20 ms for both codecs, though G.722's RTP clock is half of its sample rate.
    assert set(np.diff([frame.pts for frame in frames])) == {DECODERS[codec][1] // 50}
    sound = np.concatenate([frame.to_ndarray()[0] for frame in frames])
    loud = np.flatnonzero(np.abs(sound.astype(int)) > 2000)
    rate_hz = DECODERS[codec][1]
    assert (loud[-1] - loud[0]) / rate_hz == pytest.approx(1, abs=0.02)
    assert pitch_hz(sound[loud[0] + 800 : loud[-1] - 800], rate_hz) == pytest.approx(
        highest_hz, abs=8
    )
    await until(lambda: len(chunks) > 100)
    heard = np.frombuffer(b"".join(chunks[60:100]), "<i2")
    assert pitch_hz(heard, 16_000) == pytest.approx(highest_hz, abs=8)
