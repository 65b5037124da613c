"""Encodes the agent's voice from PCM to Opus for RTP (RFC 7587), one packet every 20 ms.

aiortc's own encoder is fixed at 96 kbps stereo, runs in the event loop's default executor (twelve
blocking jobs there silence the agent for a second) and measures each frame's level in a Python
loop. This encoder is called where the packet is needed. It takes 0.1 ms for a packet of speech, and
next to nothing for silence.
"""

from __future__ import annotations

from fractions import Fraction

from av import AudioCodecContext, AudioFrame, CodecContext

SAMPLE_RATE_HZ = 24_000
FRAME_MS = 20
FRAME_SAMPLES = SAMPLE_RATE_HZ * FRAME_MS // 1000
FRAME_BYTES = 2 * FRAME_SAMPLES
# The RTP clock of Opus is 48 kHz, whatever the sample rate of the audio (RFC 7587 4.1).
RTP_CLOCK_HZ = 48_000
RTP_TICKS = RTP_CLOCK_HZ * FRAME_MS // 1000
BIT_RATE_BPS = 32_000
SILENCE = bytes(FRAME_BYTES)
# After this many packets of silence the encoder and the peer's decoder have settled. From then on
# the last packet is sent again, which decodes to the same, instead of encoding a new one.
SETTLED_AFTER = 10

_OPTIONS = {
    "application": "voip",
    "frame_duration": str(FRAME_MS),
    # In-band FEC: each packet carries a coarse copy of the one before (RFC 6716 2.1.7). The encoder
    # leaves it out unless some loss is expected.
    "fec": "1",
    "packet_loss": "5",
    # 0.11 ms a packet, against 0.26 at the default of 10; the difference is inaudible in a voice.
    "compression_level": "1",
    "dtx": "0",
}


class OpusEncoder:
    """Encodes 20 ms at a time; each packet is `rtp_ticks` after the previous one."""

    rtp_clock_hz = RTP_CLOCK_HZ
    rtp_ticks = RTP_TICKS

    def __init__(self) -> None:
        codec = CodecContext.create("libopus", "w")
        assert isinstance(codec, AudioCodecContext)
        codec.format, codec.layout, codec.sample_rate = "s16", "mono", SAMPLE_RATE_HZ
        codec.bit_rate = BIT_RATE_BPS
        codec.time_base = Fraction(1, SAMPLE_RATE_HZ)
        codec.options = dict(_OPTIONS)
        self._codec: AudioCodecContext | None = codec
        self._encoded = 0
        self._silent = 0
        self._payload = b""

    def encode(self, pcm: bytes) -> bytes:
        """Encodes the next 20 ms.

        Args:
            pcm: `FRAME_BYTES` of s16le mono 24 kHz. For silence, the object `SILENCE` is cheaper.

        Returns:
            The payload of an RTP packet.
        """
        silent = pcm is SILENCE
        if not silent or self._silent < SETTLED_AFTER:
            self._silent = self._silent + 1 if silent else 0
            self._payload = self._encode(pcm)
        self._encoded += 1
        return self._payload

    def close(self) -> None:
        """Frees the codec, and with it the threads that FFmpeg starts for every encoder.

        PyAV puts a filter graph in front of the codec, with a thread for each core (at most 16).
        Otherwise the threads would stay until the last holder of this object is collected.
        """
        self._codec = None

    def _encode(self, pcm: bytes) -> bytes:
        frame = AudioFrame(format="s16", layout="mono", samples=FRAME_SAMPLES)
        frame.planes[0].update(pcm)
        frame.sample_rate = SAMPLE_RATE_HZ
        frame.pts = self._encoded * FRAME_SAMPLES
        assert self._codec is not None, "the encoder was closed"
        packets = self._codec.encode(frame)
        # One frame of the codec's own length makes one packet immediately.
        assert len(packets) == 1, f"{len(packets)} packets of one Opus frame"
        return bytes(packets[0])
