"""Encodes the agent's voice as G.711 or G.722 for callers without Opus, one packet every 20 ms.

SIP gateways offer these codecs alone. G.711 carries speech as a telephone does, up to 3.4 kHz;
G.722 carries it up to 7 kHz. Neither corrects errors.
"""

from __future__ import annotations

import numpy as np
from av import AudioCodecContext, AudioFrame, CodecContext

from vision_agent.resampler import Resampler
from vision_agent.rtc.opus_encoder import FRAME_MS, SAMPLE_RATE_HZ

# FFmpeg's names, and the sample rates.
_CODECS = {"pcmu": ("pcm_mulaw", 8000), "pcma": ("pcm_alaw", 8000), "g722": ("g722", 16_000)}


class TelephoneEncoder:
    """Encodes 20 ms at a time; each packet is `rtp_ticks` after the previous one.

    Args:
        codec: "pcmu", "pcma" or "g722".
    """

    # The RTP clock of G.722 is 8 kHz, although its sample rate is 16 kHz (RFC 3551 4.5.2).
    rtp_clock_hz = 8000
    rtp_ticks = rtp_clock_hz * FRAME_MS // 1000

    def __init__(self, codec: str) -> None:
        name, self._rate_hz = _CODECS[codec]
        self._samples = self._rate_hz * FRAME_MS // 1000
        context = CodecContext.create(name, "w")
        assert isinstance(context, AudioCodecContext)
        context.format, context.layout, context.sample_rate = "s16", "mono", self._rate_hz
        self._codec: AudioCodecContext | None = context
        self._resampler = Resampler(SAMPLE_RATE_HZ, self._rate_hz)
        self._resampled = b""

    def encode(self, pcm: bytes) -> bytes:
        """Encodes the next 20 ms.

        Args:
            pcm: s16le mono 24 kHz.

        Returns:
            The payload of an RTP packet: 160 bytes.
        """
        size = 2 * self._samples
        ready = self._resampled + self._resampler.feed(np.frombuffer(pcm, "<i2"))
        # The resampler's filter holds samples back at the beginning; silence takes their place.
        ready = ready.rjust(size, b"\0")
        self._resampled = ready[size:]
        frame = AudioFrame(format="s16", layout="mono", samples=self._samples)
        frame.planes[0].update(ready[:size])
        frame.sample_rate = self._rate_hz
        assert self._codec is not None, "the encoder was closed"
        return b"".join(bytes(packet) for packet in self._codec.encode(frame))

    def close(self) -> None:
        """Frees the codec, as `OpusEncoder.close`."""
        self._codec = None
