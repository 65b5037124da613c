import numpy as np
import pytest

from tests.support.answering_server import ANSWER_AFTER_MS, Behaviour, answering_server
from tests.support.signals import tone
from vision_agent.caller.failure import CallFailed
from vision_agent.caller.interactive_call import InteractiveCall
from vision_agent.caller.observer import NoObserver
from vision_agent.caller.playout import Playout
from vision_agent.caller.received_audio import ReceivedAudio
from vision_agent.caller.signalling import Signalling
from vision_agent.caller.tracks import MicrophoneTrack

REFUSAL = {
    "label": "rtvi-ai",
    "type": "error-response",
    "id": "e",
    "data": {"error": "that is too long"},
}


class Watcher(NoObserver):
    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []
        self.replies_ms: list[int] = []
        self.loudest = {"user": 0.0, "agent": 0.0}

    def line(self, who: str, text: str) -> None:
        self.lines.append((who, text))

    def level(self, who: str, rms: float) -> None:
        self.loudest[who] = max(self.loudest[who], rms)

    def reply(self, ms: int) -> None:
        self.replies_ms.append(ms)


async def test_a_spoken_question_is_answered_timed_and_shown_and_its_voice_kept() -> None:
    watcher, received, microphone = Watcher(), ReceivedAudio(), MicrophoneTrack()
    async with (
        answering_server() as server,
        InteractiveCall(
            Signalling(server.url, None, 10),
            microphone,
            None,
            Playout(),
            watcher,
            received=received,
            timeout_s=10,
        ) as call,
    ):
        microphone.speak(tone(400))
        await call.until(lambda: microphone.spoken_ms >= 400)
        assert await call.until_answered() == "answered"
        assert call.transcript == [("user", "something was said"), ("agent", "I hear you.")]
        assert watcher.lines == call.transcript
        assert watcher.replies_ms == [call.last_reply_ms]
        # The server answers this long after it received the end, so no true figure is less.
        assert watcher.replies_ms[0] >= ANSWER_AFTER_MS
    assert min(watcher.loudest.values()) > 1000
    assert np.abs(received.samples()).max() > 1000


async def test_a_typed_line_that_the_server_refuses_is_not_waited_for() -> None:
    async with (
        answering_server(Behaviour(answers=False)) as server,
        InteractiveCall(
            Signalling(server.url, None, 10),
            MicrophoneTrack(),
            None,
            Playout(),
            NoObserver(),
            timeout_s=10,
        ) as call,
    ):
        call.type("hello")
        server.calls[0].send(REFUSAL)
        with pytest.raises(CallFailed, match=r"^That is too long\.$"):
            await call.until_answered()
