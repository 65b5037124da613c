"""What a script speaks and shows, read before it is due."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from vision_agent.caller.media_file import BadRecording
from vision_agent.caller.recording import SOUND_RATE_HZ, Recording, Samples, resample
from vision_agent.caller.utterances import Span, utterances
from vision_agent.replay.script import FixedScript, Show, Speak

Sound = tuple[Samples, Sequence[Span]]


class PreparedActions:
    """Sounds at the caller's rate with their utterances, and opened recordings."""

    def __init__(self) -> None:
        self._sounds: dict[int, tuple[Speak, Sound]] = {}
        self._recordings: dict[Show, Recording] = {}

    async def all_of(self, script: FixedScript) -> None:
        """Read everything that a list of steps needs.

        Raises:
            BadRecording: Something can't be shown.
            ValueError: A sound is not whole samples at a positive rate.
        """
        for step in script.steps:
            if isinstance(step.action, Speak):
                self._sounds[id(step.action)] = (step.action, await _read_sound(step.action))
            elif isinstance(step.action, Show):
                self._recordings[step.action] = await recording_to_show(step.action)

    @property
    def is_voiced(self) -> bool:
        """Whether anything is said in the sounds."""
        return any(spans for _, (_, spans) in self._sounds.values())

    async def sound(self, action: Speak) -> Sound:
        """Return a sound at `SOUND_RATE_HZ`, and its utterances."""
        known = self._sounds.get(id(action))
        return known[1] if known is not None else await _read_sound(action)

    async def recording(self, action: Show) -> Recording:
        """Return what is to be shown.

        Raises:
            BadRecording: It can't be.
        """
        return self._recordings.get(action) or await recording_to_show(action)


async def recording_to_show(action: Show) -> Recording:
    """Open a video or an image.

    Raises:
        BadRecording: It has no picture, or can't be read.
    """
    recording = await asyncio.to_thread(Recording.open, action.path)
    if not recording.has_video:
        raise BadRecording(f"{action.path} has no picture in it: it can't be the {action.source}.")
    return recording


async def _read_sound(action: Speak) -> Sound:
    def read() -> Sound:
        samples = resample(action.pcm, action.rate_hz)
        return samples, utterances(samples, SOUND_RATE_HZ)

    return await asyncio.to_thread(read)
