"""The remarks in a recording, one by one, so that each can wait for its answer."""

from pathlib import Path

from vision_agent.caller.recording import SOUND_RATE_HZ, Recording
from vision_agent.caller.utterances import utterances

PAUSE_MS = 3_000
"""Longer than the pause between two utterances of one remark."""

_AROUND_MS = 200


def remarks(path: Path) -> list[bytes]:
    """A recording's remarks: s16le mono at `SOUND_RATE_HZ`, with 200 ms before and after each."""
    sound = Recording.open(path).sound()
    groups: list[list[int]] = []
    for span in utterances(sound, SOUND_RATE_HZ):
        if groups and span.start_ms - groups[-1][1] < PAUSE_MS:
            groups[-1][1] = span.end_ms
        else:
            groups.append([span.start_ms, span.end_ms])

    def sample(at_ms: int) -> int:
        return max(0, at_ms) * SOUND_RATE_HZ // 1000

    return [
        sound[sample(start - _AROUND_MS) : sample(end + _AROUND_MS)].tobytes()
        for start, end in groups
    ]
