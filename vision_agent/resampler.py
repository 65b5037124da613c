"""One stream of sound, of any rate, format and layout, at another rate and mono; without threads.

PyAV's own `AudioResampler` is a filter graph that starts a thread for each core (at most 16) and
leaves them waiting: for one stream of sound there is nothing to share out among them.

There are two filters. With FFmpeg's default one, a tone of 8.2 kHz comes out of the way from 48 to
16 kHz 15 dB lower, and 20 ms of stereo take 8.4 µs. With the sharp one, which is twice as long, the
tone is 59 dB lower, and 20 ms take 10.9 µs and come out 2 ms late instead of 1.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from av import AudioFrame
from av.error import BlockingIOError, EOFError
from av.filter import Graph

DELAY_S = 0.01
"""More than the filter holds back: what is owed beyond waits in a further frame."""

_DEFAULT = "filter_size=32:cutoff=0.97"
_SHARP = "filter_size=64:cutoff=0.95"
_SAMPLE_BYTES = {"s16": 2, "flt": 4}


class Resampler:
    """Made for one shape of sound; sound of any other shape needs another one.

    Args:
        from_hz: The rate of what comes in.
        to_hz: The rate of what goes out.
        from_format: FFmpeg's name for the samples that come in.
        from_layout: FFmpeg's name for their channels.
        to_format: ``s16`` or ``flt``; what goes out is mono.
        sharp: Which filter.
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
        """Takes the next frame; returns what of the result is ready."""
        self._graph.push(frame)
        self._owed += frame.samples * self._ratio
        ready = b""
        # One frame makes one. Asking whether there is another takes as long as resampling it.
        while not ready or self._owed > self._delay:
            made = self._pull()
            if not made:
                break
            ready += made
        return ready

    def feed(self, samples: npt.NDArray[np.int16] | npt.NDArray[np.float32]) -> bytes:
        """Takes mono samples, of the type that ``from_format`` names; else as `resample`."""
        if not len(samples):
            return b""
        frame = AudioFrame.from_ndarray(samples[None], self._from_format, "mono")
        frame.sample_rate = self.from_hz
        return self.resample(frame)

    def finish(self) -> bytes:
        """Returns what the filter holds back; nothing can be taken after it."""
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
