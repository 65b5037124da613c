"""One call from this machine: dialled, talked, hung up."""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self

from aiortc import MediaStreamTrack

from vision_agent.caller.call_recorder import CallRecorder
from vision_agent.caller.ending import Progress, reason_to_end
from vision_agent.caller.failure import CallFailed, CallRefused, sentence
from vision_agent.caller.live_captions import LiveCaptions
from vision_agent.caller.peer import Peer
from vision_agent.caller.playout import Playout
from vision_agent.caller.received_audio import Voice
from vision_agent.caller.recording import SOUND_RATE_HZ, Samples
from vision_agent.caller.reply_watch import ReplyWatch
from vision_agent.caller.signalling import Signalling
from vision_agent.caller.taps import TappedSound
from vision_agent.caller.transcript import Conversation, Line, Point, ToolCall
from vision_agent.talk.echo import rms
from vision_agent.talk.screen import Screen

_POLL_S = 0.05
# A server that announces no pictures, or skips all of them, must not stop the question.
_FIRST_PICTURE_S = 3.0


class TalkCall:
    """A call while the context lasts: it is made on entering and hung up on leaving.

    Args:
        signalling: The server.
        microphone: What the caller says.
        camera: What the caller shows, if anything.
        playout: Where the agent's voice goes.
        screen: Where the call is shown.
        recorder: Keeps both sides, if wanted; closed with the call.
        voice: Keeps the agent's, if wanted.
        asked: Options of this call (`voice`, `language`, `modalities`).
        timeout_s: The longest wait for the server.
    """

    def __init__(
        self,
        signalling: Signalling,
        microphone: MediaStreamTrack,
        camera: MediaStreamTrack | None,
        playout: Playout,
        screen: Screen,
        *,
        recorder: CallRecorder | None = None,
        voice: Voice | None = None,
        asked: Mapping[str, Any] | None = None,
        timeout_s: float = 60.0,
    ) -> None:
        self.replies_ms: list[int] = []
        self._signalling, self._asked, self._timeout_s = signalling, dict(asked or {}), timeout_s
        self._playout, self._screen, self._recorder = playout, screen, recorder
        self._voice = voice
        self._microphone = TappedSound(microphone, self._on_sent)
        self._camera = camera
        self._watch = ReplyWatch()
        self._typed: tuple[int, int] | None = None
        self._conversation = Conversation(lambda who, text, at_ms: screen.line(who, text))
        self._captions = LiveCaptions(screen.partial, screen.state)
        self._zero_s = time.monotonic()
        self._peer: Peer | None = None
        self._pc_id: str | None = None

    @property
    def transcript(self) -> list[tuple[str, str]]:
        """Who ("user" or "agent") said what, in order."""
        return [(line.who, line.text) for line in self._conversation.transcript]

    @property
    def lines(self) -> list[Line]:
        """The transcript with times, and with the name of the agent who speaks."""
        return self._conversation.transcript

    @property
    def tool_calls(self) -> list[ToolCall]:
        """The tools the agent has used, in order."""
        return list(self._conversation.tool_calls.values())

    @property
    def points(self) -> list[Point]:
        """What the agent has pointed at, in order."""
        return self._conversation.points

    @property
    def silent_ms(self) -> int:
        """For how long the agent has been silent."""
        return self._now_ms() - (self._watch.silent_since_ms or 0)

    @property
    def errors(self) -> list[str]:
        """What the server said went wrong."""
        return self._conversation.errors

    async def __aenter__(self) -> Self:
        try:
            await self._dial()
        except BaseException:
            await self._hang_up()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._hang_up()

    def keep_voice(self, voice: Voice | None) -> None:
        """Keep the agent's voice there from now on."""
        self._voice = voice

    @property
    def pictures_seen(self) -> int:
        """How many pictures have reached the model, as the server says."""
        return len(self._conversation.jpeg_bytes)

    @property
    def last_reply_ms(self) -> int | None:
        """From the end of what was said last to the agent's voice; None while there is none."""
        watch = self._watch
        if watch.said_ms is None or watch.heard_ms is None:
            return None
        return watch.heard_ms - watch.said_ms

    def type(self, text: str) -> None:
        """Send a typed line.

        Raises:
            CallFailed: The call has ended, or the server takes no line of that length.
        """
        self._check()
        assert self._peer is not None
        now_ms = self._now_ms()
        self._watch.typed(now_ms)
        self._typed = now_ms, len(self._conversation.errors)
        self._peer.type(text)

    def tell_microphone(self, on: bool) -> None:
        """Tell the server that the microphone was switched on or off."""
        if self._peer is not None:
            self._peer.tell_microphone(on)

    async def until_ended(self) -> str:
        """Wait until the other side ends the call; return why."""
        while True:
            if (why := self._ended()) is not None:
                return sentence(why)
            await asyncio.sleep(_POLL_S)

    async def until(self, condition: Callable[[], bool], timeout_s: float = math.inf) -> bool:
        """Wait until the condition holds; returns False if it doesn't within the time.

        Raises:
            CallFailed: The call ended first.
        """
        deadline_s = time.monotonic() + timeout_s
        while not condition():
            self._check()
            if time.monotonic() > deadline_s:
                return False
            await asyncio.sleep(_POLL_S)
        return True

    async def until_seen(self) -> None:
        """Wait until a picture has reached the model, or `_FIRST_PICTURE_S` have passed.

        Raises:
            CallFailed: The call ended first.
        """
        await self.until(lambda: bool(self._conversation.jpeg_bytes), _FIRST_PICTURE_S)

    async def until_answered(self, *, in_text: bool = False) -> str:
        """Wait until the answer to what was said or typed last is over; return how it ended.

        Args:
            in_text: The agent answers in text: no voice is waited for.

        Raises:
            CallFailed: The call ended meanwhile, or the server refused what was typed.
        """
        while True:
            self._check()
            self._check_refused()
            said_ms, turn_ms = self._watch.said_ms, self._conversation.turn_complete_ms
            if in_text and said_ms is not None and turn_ms is not None and turn_ms >= said_ms:
                return "answered"
            reason = reason_to_end(
                Progress(
                    now_ms=self._now_ms(),
                    said_ms=said_ms,
                    expects_answer=True,
                    heard_ms=self._watch.heard_ms,
                    silent_since_ms=self._watch.silent_since_ms,
                    turn_complete_ms=turn_ms,
                    is_busy=self._conversation.is_busy,
                    timeout_ms=round(self._timeout_s * 1000),
                )
            )
            if reason is not None:
                return reason
            await asyncio.sleep(_POLL_S)

    def _check_refused(self) -> None:
        if self._typed is None or self._watch.heard_ms is not None:
            return
        typed_ms, errors_before = self._typed
        refused = self._conversation.errors[errors_before:]
        if refused and typed_ms == self._watch.said_ms:
            self._typed = None
            raise CallFailed(sentence(refused[0]))

    async def _dial(self) -> None:
        self._screen.state("dialling")
        servers = await self._signalling.ice_servers()
        self._peer = Peer(
            self._microphone,
            self._camera,
            _Ear(self._on_message),
            _Ear(self._on_voice),
            self._now_ms,
            ice_servers=servers,
            is_played=True,
        )
        answer = await self._signalling.offer(await self._peer.offer(), self._asked)
        self._pc_id = answer.pc_id
        self._screen.state("connecting")
        await self._peer.accept(answer.sdp)
        if not await self.until(self._is_ready, self._timeout_s):
            raise CallFailed(f"The server wasn't ready within {self._timeout_s:g} s.")

    def _is_ready(self) -> bool:
        connected = self._peer is not None and self._peer.connected_ms is not None
        return connected and self._conversation.ready and not self._conversation.connecting

    def _ended(self) -> str | None:
        return self._conversation.ended or (self._peer.lost if self._peer is not None else None)

    def _check(self) -> None:
        """Raise once the call can't go on."""
        if (why := self._ended()) is not None:
            raise CallFailed(sentence(why))

    async def _hang_up(self) -> None:
        if self._pc_id is not None and self._ended() is None:
            # The server may have been stopped by the same Ctrl-C.
            with contextlib.suppress(CallRefused):
                await self._signalling.goodbye(self._pc_id)
        if self._peer is not None:
            await self._peer.close()
        self._microphone.stop()
        if self._camera is not None:
            self._camera.stop()
        self._conversation.close()
        if self._recorder is not None:
            self._recorder.close()

    def _on_sent(self, samples: Samples, at_s: float) -> None:
        now_ms = round((at_s - self._zero_s) * 1000)
        level = rms(samples)
        self._screen.level("user", level)
        self._watch.sent(level, now_ms)
        if self._recorder is not None:
            self._recorder.caller(samples, now_ms)

    def _on_voice(self, samples: Samples, arrived_ms: int) -> None:
        level = rms(samples)
        self._playout.push(samples)
        self._screen.level("agent", level)
        reply_ms = self._watch.received(level, len(samples) * 1000 // SOUND_RATE_HZ, arrived_ms)
        if reply_ms is not None:
            self.replies_ms.append(reply_ms)
            self._screen.reply(reply_ms)
        if self._recorder is not None:
            self._recorder.agent(samples, arrived_ms)
        if self._voice is not None:
            self._voice.feed(samples, arrived_ms)

    def _on_message(self, message: str | bytes, at_ms: int) -> None:
        self._conversation.feed(message, at_ms)
        self._captions.feed(message)

    def _now_ms(self) -> int:
        return round((time.monotonic() - self._zero_s) * 1000)


class _Ear:
    """What the peer hands things to: it calls `feed`."""

    def __init__(self, feed: Callable[..., None]) -> None:
        self.feed = feed
