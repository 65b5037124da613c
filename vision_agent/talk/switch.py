"""The microphone's switch, for muting and for push-to-talk."""

from __future__ import annotations

from vision_agent.caller.interactive_call import InteractiveCall
from vision_agent.talk.devices import CallDevices
from vision_agent.talk.screen import Screen

# The last word is still on its way from the device when the key is pressed.
_TAIL_MS = 300


class MicrophoneSwitch:
    """Switches the microphone, and tells the server once the last word has been sent."""

    def __init__(self, call: InteractiveCall, devices: CallDevices, screen: Screen) -> None:
        self._call, self._devices, self._screen = call, devices, screen
        self._on = True

    def toggle(self) -> None:
        """Switch on if it is off, and off if it is on."""
        self._on = not self._on
        if self._on:
            self._devices.live.unmute()
            self._call.tell_switched("microphone", True)
            self._screen.note("(microphone on)")
        else:
            self._devices.mute(_TAIL_MS, self._tell_off)

    def off_at_once(self) -> None:
        """Switch off without waiting for the last word."""
        self._on = False
        self._devices.live.mute()
        self._tell_off()

    def _tell_off(self) -> None:
        self._call.tell_switched("microphone", False)
        self._screen.note("(microphone off)")
