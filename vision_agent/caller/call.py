"""A call to a server: dialled, waited for, hung up. Replays, `talk` and `CallClient` share it."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any

from aiortc import MediaStreamTrack

from vision_agent.caller.connection import Connection
from vision_agent.caller.ending import CallProgress, reason_to_end
from vision_agent.caller.failure import CallFailed, sentence
from vision_agent.caller.peer import OnAudio, OnMessage
from vision_agent.caller.rtvi import Track
from vision_agent.caller.signalling import Signalling
from vision_agent.caller.transcript import CallTranscript
from vision_agent.caller.turn_signals import signals_turns

_POLL_S = 0.05
# A server that does not announce its frames, or skips all of them, must not hold up the question.
_FIRST_FRAME_S = 3.0


class OutgoingCall:
    """One call from the caller's side.

    Args:
        signalling: The server.
        microphone: What the caller says.
        camera: What the caller shows; None for a call without video.
        transcript: Collects what the server says; the call reads from it how things stand.
        on_message: Receives each message of the channel and its time in ms of the call.
        on_audio: Receives the agent's voice frame by frame; see `CallerPeer`.
        on_state: Called with "dialling", "connecting" and "reconnecting" as they begin.
        is_played: Somebody listens; see `CallerPeer`.
        timeout_s: The longest wait for the server to connect and be ready.
        screen: A screen that the caller shares beside the camera; None for none.

    Attributes:
        signals_turns: Whether the microphone's switch makes the caller's turns; known once the call
            is dialled.
    """

    def __init__(
        self,
        signalling: Signalling,
        microphone: MediaStreamTrack,
        camera: MediaStreamTrack | None,
        transcript: CallTranscript,
        *,
        on_message: OnMessage,
        on_audio: OnAudio,
        on_state: Callable[[str], None],
        is_played: bool,
        timeout_s: float,
        screen: MediaStreamTrack | None = None,
    ) -> None:
        self._timeout_s, self._on_state = timeout_s, on_state
        self._microphone, self._transcript = microphone, transcript
        self._videos = {"camera": camera, "screen": screen}
        self.signals_turns = False
        self._zero_s = time.monotonic()
        self._connection = Connection(
            signalling,
            microphone,
            camera,
            on_message=on_message,
            on_audio=on_audio,
            on_state=on_state,
            now_ms=self.now_ms,
            is_played=is_played,
            screen=screen,
        )

    @property
    def connected_ms(self) -> int | None:
        """When media could flow (ICE and DTLS done); None before that."""
        return self._connection.connected_ms

    @property
    def pc_id(self) -> str | None:
        """The call's id; None before the server's answer."""
        return self._connection.pc_id

    @property
    def ended(self) -> str | None:
        """Why the server or the connection ended the call; None while it goes on."""
        return self._transcript.ended or self._connection.lost

    def now_ms(self) -> int:
        """Now, in ms since the call was dialled."""
        return self.timeline_ms(time.monotonic())

    def timeline_ms(self, at_s: float) -> int:
        """A moment of `time.monotonic()` in ms since the call was dialled."""
        return round((at_s - self._zero_s) * 1000)

    async def dial(self, asked: Mapping[str, Any]) -> None:
        """Make the offer, and wait until media flows and the server says that its agent listens.

        Args:
            asked: Options of this call (`voice`, `language`, `modalities`).

        Raises:
            CallRefused: The server can't be reached or does not take the call.
            CallFailed: No connection was made, or the server was not ready within the timeout.
        """
        self._zero_s = time.monotonic()
        self._on_state("dialling")
        await self._connection.dial(asked)
        self._on_state("connecting")
        if not await self.until(lambda: self._missing() is None, self._timeout_s):
            raise CallFailed(f"{self._missing()} within {self._timeout_s:g} s.")
        self.signals_turns = signals_turns(asked, self._transcript.detects_turns)
        self._connection.watch()

    async def until(self, condition: Callable[[], bool], timeout_s: float = math.inf) -> bool:
        """Wait until the condition holds; returns False after the timeout.

        Raises:
            CallFailed: The call ended first.
        """
        deadline_s = time.monotonic() + timeout_s
        while not condition():
            self.check()
            if time.monotonic() > deadline_s:
                return False
            await asyncio.sleep(_POLL_S)
        return True

    async def until_seen(self, sources: Collection[str] | None = None) -> None:
        """Wait until the model has a frame of every source, or `_FIRST_FRAME_S` have passed.

        Args:
            sources: What is shown, "camera" and "screen"; by default every source with a track.

        Raises:
            CallFailed: The call ended first.
        """
        tracks = {source for source, track in self._videos.items() if track is not None}
        shown = tracks if sources is None else set(sources)
        await self.until(lambda: shown <= self._transcript.sources_seen, _FIRST_FRAME_S)

    async def until_ended(self) -> str:
        """Wait until the other side ends the call; returns why, as a sentence."""
        while True:
            if (why := self.ended) is not None:
                return sentence(why)
            await asyncio.sleep(_POLL_S)

    async def until_over(self, progress: Callable[[], CallProgress]) -> str:
        """Wait until the answer is over or the time is up; returns the reason, in words.

        Args:
            progress: Returns the state of the call; asked twenty times a second.

        Raises:
            CallFailed: The call ended first.
        """
        while True:
            self.check()
            if (reason := reason_to_end(progress())) is not None:
                return reason
            await asyncio.sleep(_POLL_S)

    def check(self) -> None:
        """Raise `CallFailed` if the call has ended or can't continue."""
        if (why := self.ended) is not None:
            raise CallFailed(sentence(why))

    def type(self, text: str) -> str | None:
        """Send a typed line; returns its id, None if it waits for another connection.

        Raises:
            CallFailed: The call has ended, or the server takes no line of that length.
        """
        self.check()
        return self._connection.type(text)

    def send(self, message: str) -> None:
        """Send a message of the data channel, as its JSON.

        Raises:
            CallFailed: The call has ended, or the server takes no message of that length.
        """
        self.check()
        self._connection.send(message)

    def tell_switched(self, what: Track, on: bool) -> None:
        """Tell the server that the microphone, the camera or the screen was switched on or off."""
        self._connection.tell_switched(what, on)

    async def hang_up(self) -> str | None:
        """Say goodbye and release everything, whatever state the call is in.

        Returns:
            Why the server did not take the goodbye; None if it did, or none was due.
        """
        refused = await self._connection.close(goodbye=self.ended is None)
        self._microphone.stop()
        for video in self._videos.values():
            if video is not None:
                video.stop()
        self._transcript.close()
        return refused

    def _missing(self) -> str | None:
        if self.connected_ms is None:
            return "The connection wasn't made"
        if not self._transcript.ready:
            return "The server didn't say that its agent is ready (bot-ready)"
        if self._transcript.connecting:
            return "The server didn't reach its model"
        return None
