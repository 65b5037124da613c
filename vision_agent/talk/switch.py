"""The microphone's switch, for muting and for push-to-talk."""

from __future__ import annotations

from vision_agent.caller.interactive_call import InteractiveCall
from vision_agent.talk.devices import CallDevices
from vision_agent.talk.screen import Screen

# What was said last is still on its way when the key is pressed.
_TAIL_MS = 300


class MicrophoneSwitch:
    """The microphone's: off tells the server, once the last word has left."""

    def __init__(self, call: InteractiveCall, devices: CallDevices, screen: Screen) -> None:
        self._call, self._devices, self._screen = call, devices, screen
        self._on = True

    def toggle(self) -> None:
        """On if it was off, and the other way round."""
        self._on = not self._on
        if self._on:
            self._devices.live.unmute()
            self._call.tell_microphone(True)
            self._screen.note("(microphone on)")
        else:
            self._devices.mute(_TAIL_MS, self._tell_off)

    def off_at_once(self) -> None:
        """Off, without waiting."""
        self._on = False
        self._devices.live.mute()
        self._tell_off()

    def _tell_off(self) -> None:
        self._call.tell_microphone(False)
        self._screen.note("(microphone off)")
