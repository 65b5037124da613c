"""The media of a script, read before they are due."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from vision_agent.caller.media_file import BadRecording
from vision_agent.caller.recording import SOUND_RATE_HZ, Recording, Samples, resample
from vision_agent.caller.rtvi import MAX_PICTURE_BYTES
from vision_agent.caller.utterances import Span, utterances
from vision_agent.replay.script import FixedScript, SendPicture, Show, Speak

Sound = tuple[Samples, Sequence[Span]]


class PreparedActions:
    """Sounds at the caller's rate with their utterances, opened recordings, and picture files."""

    def __init__(self) -> None:
        self._sounds: dict[int, tuple[Speak, Sound]] = {}
        self._recordings: dict[Show, Recording] = {}
        self._pictures: dict[SendPicture, bytes] = {}

    async def all_of(self, script: FixedScript) -> None:
        """Read everything that a list of steps needs.

        Raises:
            BadRecording: Something can't be shown or sent.
            ValueError: A sound is not whole samples at a positive rate.
        """
        for step in script.steps:
            if isinstance(step.action, Speak):
                self._sounds[id(step.action)] = (step.action, await _read_sound(step.action))
            elif isinstance(step.action, Show):
                self._recordings[step.action] = await recording_to_show(step.action)
            elif isinstance(step.action, SendPicture):
                self._pictures[step.action] = await _picture_to_send(step.action)

    @property
    def is_voiced(self) -> bool:
        """Whether anything is said in the sounds."""
        return any(spans for _, (_, spans) in self._sounds.values())

    async def sound(self, action: Speak) -> Sound:
        """Return a sound at `SOUND_RATE_HZ`, and its utterances."""
        known = self._sounds.get(id(action))
        return known[1] if known is not None else await _read_sound(action)

    async def recording(self, action: Show) -> Recording:
        """Return the recording to show.

        Raises:
            BadRecording: It can't be.
        """
        return self._recordings.get(action) or await recording_to_show(action)

    async def picture(self, action: SendPicture) -> bytes:
        """Return the picture file to send.

        Raises:
            BadRecording: It can't be.
        """
        return self._pictures.get(action) or await _picture_to_send(action)


async def recording_to_show(action: Show) -> Recording:
    """Open a video or an image.

    Raises:
        BadRecording: It has no picture, or can't be read.
    """
    recording = await asyncio.to_thread(Recording.open, action.path)
    if not recording.has_video:
        raise BadRecording(f"{action.path} has no picture in it: it can't be the {action.source}.")
    return recording


async def _picture_to_send(action: SendPicture) -> bytes:
    def read() -> bytes:
        if not action.path.is_file():  # a pipe would never end
            raise BadRecording(f"There is no file {action.path}.")
        with action.path.open("rb") as file:
            return file.read(MAX_PICTURE_BYTES + 1)

    try:
        data = await asyncio.to_thread(read)
    except OSError as error:
        raise BadRecording(f"{action.path} can't be read: {error.strerror}.") from error
    if not 0 < len(data) <= MAX_PICTURE_BYTES:
        why = f"has more than {MAX_PICTURE_BYTES // 1000} kB" if data else "is empty"
        raise BadRecording(f"{action.path} {why}: it can't be sent into a call.")
    return data


async def _read_sound(action: Speak) -> Sound:
    def read() -> Sound:
        samples = resample(action.pcm, action.rate_hz)
        return samples, utterances(samples, SOUND_RATE_HZ)

    return await asyncio.to_thread(read)
