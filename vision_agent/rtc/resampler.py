"""Sound of any rate and layout in, 16 kHz mono out, without threads.

PyAV's own `AudioResampler` is a filter graph that starts a thread for each core (at most 16) and
leaves them waiting: for one stream of sound there is nothing to share out among them.
"""

from __future__ import annotations

from av import AudioFrame
from av.error import BlockingIOError, EOFError
from av.filter import Graph

DELAY_S = 0.01
"""More than the filter holds back: what is owed beyond waits in a further frame."""


class Resampler:
    """Made for the shape of one frame; a frame of any other shape needs another one.

    Args:
        like: A frame of the sound that will come.
        rate_hz: The rate to make of it; s16 and mono always.
    """

    def __init__(self, like: AudioFrame, rate_hz: int) -> None:
        self._ratio = rate_hz / like.sample_rate
        self._delay = rate_hz * DELAY_S
        self._owed = 0.0
        self._graph = Graph()
        self._graph.threads = 1
        source = self._graph.add(
            "abuffer",
            sample_rate=str(like.sample_rate),
            sample_fmt=like.format.name,
            channel_layout=like.layout.name,
            time_base=f"1/{like.sample_rate}",
        )
        wanted = self._graph.add(
            "aformat", sample_rates=str(rate_hz), sample_fmts="s16", channel_layouts="mono"
        )
        self._graph.link_nodes(source, wanted, self._graph.add("abuffersink"))
        self._graph.configure()

    def resample(self, frame: AudioFrame) -> bytes:
        """Takes the next frame; returns what of the result is ready, s16le mono."""
        self._graph.push(frame)
        self._owed += frame.samples * self._ratio
        ready = b""
        # One frame makes one. Asking whether there is another takes as long as resampling it.
        while not ready or self._owed > self._delay:
            try:
                resampled = self._graph.pull()
            except (BlockingIOError, EOFError):
                break
            assert isinstance(resampled, AudioFrame)
            ready += memoryview(resampled.planes[0])[: resampled.samples * 2]
            self._owed -= resampled.samples
        return ready
