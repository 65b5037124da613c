"""Reports of calls that were never made, from what a caller would have received."""

import numpy as np

from vision_agent.caller.received_audio import ReceivedAudio
from vision_agent.caller.transcript import CallTranscript
from vision_agent.caller.utterances import Span
from vision_agent.replay.caller_words import CallerWords
from vision_agent.replay.report import Report, make_report


def received(*pieces: tuple[np.ndarray, int]) -> ReceivedAudio:
    """Feed each piece in 20 ms frames, beginning at its ms."""
    voice = ReceivedAudio()
    for samples, at_ms in pieces:
        for n in range(len(samples) // 960):
            voice.feed(samples[n * 960 : (n + 1) * 960], at_ms + n * 20)
    return voice


def report_of(
    spoken: list[Span], voice: ReceivedAudio, transcript: CallTranscript | None = None
) -> Report:
    return make_report(
        connected_ms=50,
        words=[CallerWords(each.start_ms, each.end_ms) for each in spoken],
        transcript=transcript or CallTranscript(),
        received=voice,
        errors=["the camera failed"],
        ended="answered",
        ended_ms=5_000,
    )
