"""The microphone's switch, for muting and for push-to-talk."""

from __future__ import annotations

import asyncio

from vision_agent.talk.call import TalkCall
from vision_agent.talk.screen import Screen
from vision_agent.talk.tracks import LiveMicrophoneTrack

# What was said last is still on its way when the key is pressed.
_TAIL_S = 0.3


class MicrophoneSwitch:
    """The microphone's: off tells the server, a moment after the last word has left."""

    def __init__(self, call: TalkCall, microphone: LiveMicrophoneTrack, screen: Screen) -> None:
        self._call, self._microphone, self._screen = call, microphone, screen
        self._on = True
        self._timer: asyncio.TimerHandle | None = None

    def toggle(self) -> None:
        """On if it was off, and the other way round."""
        self._on = not self._on
        self.close()
        if self._on:
            self._microphone.muted = False
            self._call.tell_microphone(True)
            self._screen.note("(microphone on)")
        else:
            self._timer = asyncio.get_running_loop().call_later(_TAIL_S, self.off_at_once)

    def off_at_once(self) -> None:
        """Off, without waiting."""
        self._on = False
        self._microphone.muted = True
        self._call.tell_microphone(False)
        self._screen.note("(microphone off)")

    def close(self) -> None:
        """Switch nothing any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
