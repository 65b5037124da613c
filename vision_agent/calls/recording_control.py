"""Whether one call is recorded, and how its media gets into the recording."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from vision_agent.calls.call_lines import CallLines
from vision_agent.calls.event_reporter import EventReporter
from vision_agent.calls.metrics import Metrics, Tally
from vision_agent.calls.recorded_track import RecordedTrack
from vision_agent.calls.recording_policy import RecordingDecision, RecordingPolicy
from vision_agent.calls.server_messages import RecordingMessage, ResumedMessage
from vision_agent.recordings.call_files import Failure
from vision_agent.recordings.call_recording import CallRecording
from vision_agent.recordings.lines import HeaderLine, Switch
from vision_agent.rtc import Speaker, rtvi
from vision_agent.rtc.aiortc_patches import decoder_queue_of
from vision_agent.rtc.decoder_queues import AudioDecoderQueue, VideoDecoderQueue
from vision_agent.rtc.own.aiortc import MediaStreamTrack

logger = logging.getLogger(__name__)

Title = Literal["camera", "screen", "caller", "agent"]

_SWITCHES: dict[int, tuple[Switch, Title]] = {
    rtvi.MICROPHONE: ("microphone", "caller"),
    rtvi.CAMERA: ("camera", "camera"),
    rtvi.SCREEN: ("screen", "screen"),
}


class RecordingControl:
    """Begins and ends the recording of one call, and tells both sides (`rtc.ChannelWatch`).

    All methods are called on the event loop; none of them waits for the disk.

    Args:
        policy: The operator's decision.
        decision: Its consequence for this call.
        header: The recording's first line.
        events: Reports on the call.
        metrics: The server's counters.
        shares_screen: Whether callers may share their screen.

    Attributes:
        lines: What happens in the call, for the recording.
        show: Shows the caller whether the call is recorded.
        shares_screen: The same.
    """

    def __init__(
        self,
        policy: RecordingPolicy,
        decision: RecordingDecision,
        header: HeaderLine,
        events: EventReporter,
        metrics: Metrics,
        *,
        shares_screen: bool = True,
    ) -> None:
        self._policy, self._decision, self._header = policy, decision, header
        self._events, self._metrics = events, metrics
        self._tally = Tally()
        self._recording: CallRecording | None = None
        self._sources: dict[Title, AudioDecoderQueue | VideoDecoderQueue | Speaker] = {}
        self._off: set[Title] = set()
        self._senders = 0
        self._connected = False
        self.shares_screen = shares_screen
        self.lines: CallLines = events.lines
        self.show: Callable[[RecordingMessage], None] = lambda message: None

    @property
    def records(self) -> bool:
        """Whether the call is being recorded."""
        return self._recording is not None and not self._recording.over

    def connected(self) -> None:
        """The caller is connected: begin, if the call is to be recorded; once in a call."""
        if self._connected:
            return
        self._connected = True
        if self._decision.records:
            self._start(with_set_up=True)
        elif self._decision.why_not is not None:
            self.show(RecordingMessage(False, self._decision.why_not))

    def start(self) -> None:
        """Begin to record the call, if it is not being recorded.

        A program around the server may call this for a call whose caller has agreed.

        Raises:
            RuntimeError: The server has no folder for recordings, or this call had one already.
        """
        if not self.records:
            self._start(with_set_up=False)

    def _start(self, *, with_set_up: bool) -> None:
        if self._policy.limits is None or self._recording is not None:
            raise RuntimeError("This call can't be recorded.")
        recording = self._recording = self.lines.recording = CallRecording(
            self._header,
            self._policy.limits,
            on_began=self._began,
            on_over=self._failed,
            with_set_up=with_set_up,
        )
        self._metrics.recordings.inc()
        for title in self._sources:
            self._tap(title, recording)

    def stop(self, reason: str) -> None:
        """End the recording; the call goes on.

        Args:
            reason: Why, without a full stop.
        """
        if self._recording is not None and not self._recording.over:
            self.lines.notice(f"The recording ends here: {reason}.")
            self._recording.end(reason)
            self._ended(reason)
            self.show(RecordingMessage(False, reason))

    async def close(self, reason: str) -> None:
        """The call is over: wait until everything is written."""
        recording = self._recording
        if recording is None:
            return
        if not recording.over:
            recording.end(reason)
            self._ended(reason)
        await recording.close()
        self.count()

    def count(self) -> None:
        """Add what was written since the last time to the server's counters."""
        if self._recording is not None:
            self._tally.add(self._metrics.recording_bytes, self._recording.size)
            self._tally.add(self._metrics.recording_dropped, self._recording.dropped)

    def asked_by_client(self, data: object) -> dict[str, object]:
        """The caller withdraws consent: `{"on": false}`.

        Raises:
            rtvi.BadMessage: It is something else, or every call is recorded.
        """
        if not isinstance(data, dict) or data.get("on") is not False:
            raise rtvi.BadMessage('A recording can only be ended here: {"on": false}.')
        if self.records and not self._policy.may_stop:
            raise rtvi.BadMessage("This server records every call: hang up to end it.")
        self.stop("you have ended it")
        return {"on": False}

    # Media

    def hears(self, title: Title, source: MediaStreamTrack) -> None:
        """There is a track of a new peer connection, or a new one of the present connection."""
        queue = source if isinstance(source, Speaker) else decoder_queue_of(source)
        if queue is None:
            return
        self._sources[title] = queue
        if self._recording is not None and not self._recording.over:
            self._tap(title, self._recording)

    def _tap(self, title: Title, recording: CallRecording) -> None:
        self._senders += 1
        on = title not in self._off
        self._sources[title].tap = RecordedTrack(recording, title, self._senders, on=on)

    # ChannelWatch

    def received(self, text: str, incoming: rtvi.Incoming) -> None:
        """A message of the client's."""
        match incoming:
            case rtvi.TrackStatus(receiver_index, enabled) if receiver_index in _SWITCHES:
                what, title = _SWITCHES[receiver_index]
                self._off = self._off - {title} if enabled else self._off | {title}
                source = self._sources.get(title)
                if source is not None and isinstance(source.tap, RecordedTrack):
                    source.tap.on = enabled
                self.lines.switched(what, enabled)
            case rtvi.ClientMessage(type="picture"):
                text = _without_picture(text)
        if self._recording is not None:
            self._recording.message("received", text)

    def sent(self, text: str) -> None:
        """A message to the client."""
        if self._recording is not None:
            self._recording.message("sent", _without_earlier(text))

    def speaking(self, who: Literal["user", "agent"], on: bool) -> None:
        """One side begins or stops to speak."""
        if self._recording is not None:
            self._recording.sounds(who, on)

    # What the recording says

    def _began(self, folder: Path) -> None:
        if self.lines.recording is None:
            return  # it was ended before its folder was there
        self._events.recording_started(folder)
        self.show(RecordingMessage(True))

    def _failed(self, kind: Failure, why: str) -> None:
        self._metrics.recording_failures.labels(kind).inc()
        logger.warning(
            "The recording of call %s has ended, and the call goes on: %s.",
            self._header.call_id,
            why,
        )
        if self.lines.recording is not None:  # what had been ended could not be written to its end
            self._ended(why)
            self.show(RecordingMessage(False, why))

    def _ended(self, reason: str) -> None:
        self._metrics.recordings.dec()
        for source in self._sources.values():
            source.tap = None
        recording, self.lines.recording = self._recording, None
        folder = None if recording is None else recording.folder
        self._events.recording_ended(folder, reason)


def _without_earlier(text: str) -> str:
    """A message without what was said in earlier calls, whose callers may have declined."""
    if '"resumed"' not in text:
        return text
    message = json.loads(text)
    data = message.get("data")
    if isinstance(data, dict) and data.get("kind") == ResumedMessage.kind:
        data["earlier"] = []
    return json.dumps(message)


def _without_picture(text: str) -> str:
    """A message with a part of a picture, which is kept as a frame, without it."""
    message = json.loads(text)
    data = message.get("data", {}).get("d")
    if isinstance(data, dict) and "data" in data:
        data["data"] = ""
    return json.dumps(message)
