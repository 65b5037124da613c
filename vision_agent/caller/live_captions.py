"""Unfinished lines of the transcript, as their words arrive. Pure: RTVI messages in."""

from __future__ import annotations

from collections.abc import Callable

from vision_agent.caller import rtvi


class LiveCaptions:
    """Reports each side's unfinished line, and the state the server says the call is in.

    Args:
        on_partial: Called with "user" or "agent" and the line so far; empty once it is complete.
        on_state: Called with `connecting`, `listening`, `thinking`, `speaking` and so on.
    """

    def __init__(
        self, on_partial: Callable[[str, str], None], on_state: Callable[[str], None]
    ) -> None:
        self._on_partial, self._on_state = on_partial, on_state
        self._texts = {"user": "", "agent": ""}

    def feed(self, message: str | bytes) -> None:
        """Take one message; messages of other kinds are ignored."""
        if (body := rtvi.parse(message)) is None or not isinstance(data := body.get("data"), dict):
            return
        text = data.get("text")
        match body.get("type"):
            case "bot-tts-text":
                self._set("agent", self._texts["agent"] + str(text or ""))
            case "bot-transcription":
                self._set("agent", "")
            case "user-transcription":
                self._set("user", "" if data.get("final") else str(text or ""))
            case "server-message" if data.get("kind") == "state":
                self._on_state(str(data.get("state")))

    def _set(self, who: str, text: str) -> None:
        self._texts[who] = text
        self._on_partial(who, text)
