"""Resamples a stream of audio of any rate, format and layout to mono at another rate.

It uses no threads. PyAV's own `AudioResampler` is a filter graph that starts a thread for each core
(at most 16) and leaves them idle: a single stream has no work to share out.

There are two filters. From 48 to 16 kHz, FFmpeg's default filter attenuates a tone of 8.2 kHz by
15 dB, takes 8.4 µs for 20 ms of stereo, and delays it by 1 ms. The sharp filter, which is twice as
long, attenuates the tone by 59 dB, takes 10.9 µs, and delays by 2 ms.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from av import AudioFrame
from av.error import BlockingIOError, EOFError
from av.filter import Graph

DELAY_S = 0.01
"""More than the filter holds back: if more output is owed, another frame of it is ready."""

_DEFAULT = "filter_size=32:cutoff=0.97"
_SHARP = "filter_size=64:cutoff=0.95"
_SAMPLE_BYTES = {"s16": 2, "flt": 4}


class Resampler:
    """Resamples audio of one rate, format and layout; any other needs another resampler.

    Args:
        from_hz: The sample rate of the input.
        to_hz: The sample rate of the output, which is mono.
        from_format: FFmpeg's name for the input's sample format.
        from_layout: FFmpeg's name for the input's channel layout.
        to_format: The output's sample format, ``s16`` or ``flt``.
        sharp: Whether to use the sharp filter instead of FFmpeg's default.
    """

    def __init__(
        self,
        from_hz: int,
        to_hz: int,
        *,
        from_format: str = "s16",
        from_layout: str = "mono",
        to_format: str = "s16",
        sharp: bool = True,
    ) -> None:
        self.from_hz = from_hz
        self._from_format = from_format
        self._sample_bytes = _SAMPLE_BYTES[to_format]
        self._ratio = to_hz / from_hz
        self._delay = to_hz * DELAY_S
        self._owed = 0.0
        self._graph = Graph()
        self._graph.threads = 1
        source = self._graph.add(
            "abuffer",
            sample_rate=str(from_hz),
            sample_fmt=from_format,
            channel_layout=from_layout,
            time_base=f"1/{from_hz}",
        )
        resampled = self._graph.add("aresample", f"{to_hz}:{_SHARP if sharp else _DEFAULT}")
        wanted = self._graph.add("aformat", sample_fmts=to_format, channel_layouts="mono")
        self._graph.link_nodes(source, resampled, wanted, self._graph.add("abuffersink"))
        self._graph.configure()

    def resample(self, frame: AudioFrame) -> bytes:
        """Takes the next frame; returns the output that is ready."""
        self._graph.push(frame)
        self._owed += frame.samples * self._ratio
        ready = b""
        # One input frame normally makes one output frame. Asking the graph for another takes as
        # long as resampling one, so it is asked only if more output is owed.
        while not ready or self._owed > self._delay:
            made = self._pull()
            if not made:
                break
            ready += made
        return ready

    def feed(self, samples: npt.NDArray[np.int16] | npt.NDArray[np.float32]) -> bytes:
        """As `resample`, for an array of mono samples of the type that ``from_format`` names."""
        if not len(samples):
            return b""
        frame = AudioFrame.from_ndarray(samples[None], self._from_format, "mono")
        frame.sample_rate = self.from_hz
        return self.resample(frame)

    def finish(self) -> bytes:
        """Returns the output that the filter still holds; no input can follow."""
        self._graph.push(None)
        ready = b""
        while made := self._pull():
            ready += made
        return ready

    def _pull(self) -> bytes:
        try:
            frame = self._graph.pull()
        except (BlockingIOError, EOFError):
            return b""
        assert isinstance(frame, AudioFrame)
        self._owed -= frame.samples
        return bytes(memoryview(frame.planes[0])[: frame.samples * self._sample_bytes])
