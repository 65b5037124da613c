"""Tells the caller and the agent which sound or video of an offer is not used, each once."""

from __future__ import annotations

from collections.abc import Callable

from vision_agent.rtc import Offer

MARK = "[The server has told the caller this, it need not be said again:]"
"""The beginning of the agent's message."""


class UnusedMedia:
    """What of a call's offers is not used.

    Args:
        tell_caller: Shows the caller a sentence.
        tell_agent: Adds a text of a role to the agent's context, without asking for an answer.
    """

    def __init__(
        self, tell_caller: Callable[[str], None], tell_agent: Callable[[str, str], None]
    ) -> None:
        self._tell_caller = tell_caller
        self._tell_agent = tell_agent
        self._told: set[str] = set()

    def take(self, offer: Offer) -> None:
        """Take an offer that has been answered."""
        for sentence in offer.unused:
            if sentence not in self._told:
                self._told.add(sentence)
                self._tell_caller(sentence)
                self._tell_agent(f"{MARK} {sentence}", "user")
