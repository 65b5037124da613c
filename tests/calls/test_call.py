"""A call from end to end: a real peer, ADK's runner, google-genai, the local Live API."""

import asyncio
import json

import pytest
import pytest_asyncio

from tests.conftest import serving
from tests.rtc.calling import FrameSource, plain
from tests.support.dialling import TEXT, Dialled
from tests.support.messages import said, state
from tests.support.scenarios import ASKS_FOR_A_COLOUR, IN_TONES
from vision_agent.caller.recording import read_sound
from vision_agent.caller.tracks import MicrophoneTrack

# All tests share a server: starting one takes longer than most of these calls.
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def url():
    async with serving("--scenario", str(ASKS_FOR_A_COLOUR)) as server:
        yield server.url


async def test_the_caller_is_told_when_the_agent_listens(caller):
    await caller.wait_for(lambda m: state(m) == "listening")


async def test_typed_text_is_answered_in_words_and_the_turn_ends(caller):
    caller.send("send-text", {"content": "hello"})
    await caller.wait_for(lambda m: m["type"] == "bot-llm-started")
    await caller.wait_for(lambda m: m["type"] == "bot-started-speaking")
    answer = await caller.wait_for(lambda m: bool(said(m)))
    await caller.wait_for(lambda m: m["type"] == "bot-stopped-speaking")
    deltas = [m["data"]["text"] for m in caller.messages if m["type"] == "bot-tts-text"]
    assert "".join(deltas).split() == said(answer).split()
    kinds = [m["type"] for m in caller.messages]
    assert kinds.index("bot-llm-started") < kinds.index("bot-started-speaking")


class CameraThatStarts(FrameSource):
    """A camera that gives no frame until `started`."""

    def __init__(self) -> None:
        super().__init__(lambda n: plain(220, 30, 30), fps=5)
        self.started = asyncio.Event()

    async def recv(self):
        await self.started.wait()
        return await super().recv()


async def test_what_is_typed_while_the_camera_starts_waits_for_its_first_frame(url):
    camera = CameraThatStarts()
    caller = Dialled(url, camera, TEXT)
    await caller.connect()
    try:
        caller.send("send-text", {"content": "what colour is this?"})
        await caller.wait_for(lambda m: state(m) == "thinking")
        camera.started.set()
        answer = await caller.wait_for(lambda m: bool(said(m)))
        assert "no picture" not in said(answer)
        kinds = [(m.get("data") or {}).get("kind") for m in caller.messages]
        assert "frame" in kinds[: caller.messages.index(answer)]
    finally:
        await caller.peer.close()


async def test_the_caller_is_told_of_each_frame_the_model_gets(caller):
    frame = await caller.wait_for(lambda m: (m.get("data") or {}).get("kind") == "frame")
    assert 0 < frame["data"]["bytes"] <= 40_000
    assert max(frame["data"]["width"], frame["data"]["height"]) <= 768


async def test_typing_over_an_answer_interrupts_it(caller):
    caller.send("send-text", {"content": "what can you do?"})
    await caller.wait_for(lambda m: m["type"] == "bot-started-speaking")
    caller.send("send-text", {"content": "stop"})
    await caller.wait_for(lambda m: (m.get("data") or {}).get("kind") == "interrupted")
    await caller.wait_for(lambda m: m["type"] == "bot-stopped-speaking")


async def test_muting_in_the_middle_of_a_word_ends_what_was_said(url, recordings):
    microphone = MicrophoneTrack()
    caller = Dialled(url, microphone=microphone)
    await caller.connect()
    try:
        microphone.speak(read_sound(recordings / "jfk.flac"))
        await caller.wait_for(lambda m: m["type"] == "user-started-speaking")
        status = {"type": "trackStatus", "receiver_index": 0, "enabled": False}
        caller.channel.send(json.dumps({"type": "signalling", "message": status}))
        await caller.wait_for(lambda m: m["type"] == "user-stopped-speaking")
        kinds = [m["type"] for m in caller.messages]
        assert kinds.count("user-started-speaking") == kinds.count("user-stopped-speaking") == 1
        await caller.wait_for(lambda m: (m.get("data") or {}).get("kind") == "frame_at_speech_end")
    finally:
        await caller.peer.close()


async def test_a_goodbye_from_the_page_ends_the_call_with_a_reason(caller):
    caller.send("disconnect-bot", {})
    ended = await caller.wait_for(lambda m: state(m) == "ended")
    assert ended["data"]["reason"] == "the caller hung up"


async def test_what_the_client_says_wrong_is_answered_and_the_call_goes_on(caller):
    caller.channel.send("{ not json")
    caller.channel.send('{"label": "rtvi-ai", "type": "send-text", "id": "x", "data": {}}')
    await caller.wait_for(lambda m: m["type"] == "error" and not m["data"]["fatal"])
    caller.send("send-text", {"content": "hello"})
    await caller.wait_for(lambda m: bool(said(m)))


async def test_the_conversation_goes_on_over_a_new_peer_connection(caller):
    caller.send("send-text", {"content": "hello"})
    await caller.wait_for(lambda m: bool(said(m)))
    again = Dialled(caller.url)
    try:
        await again.connect(restart=caller.pc_id)
        assert again.pc_id == caller.pc_id
        again.send("send-text", {"content": "thank you"})
        await again.wait_for(lambda m: bool(said(m)))
    finally:
        await again.peer.close()


async def test_a_tool_of_the_agents_is_called_and_shown():
    async with serving("--agent", "samples/agents/basic", "--scenario", str(IN_TONES)) as server:
        caller = Dialled(server.url)
        await caller.connect()
        try:
            caller.send("send-text", {"content": "what is the current time?"})
            started = await caller.wait_for(lambda m: m["type"] == "llm-function-call-in-progress")
            assert started["data"]["function_name"] == "get_current_time"
            stopped = await caller.wait_for(lambda m: m["type"] == "llm-function-call-stopped")
            assert stopped["data"]["tool_call_id"] == started["data"]["tool_call_id"]
            async with asyncio.timeout(20):
                await caller.wait_for(lambda m: ":" in (said(m) or ""))
        finally:
            await caller.hang_up()


SLOW = """
import asyncio

from google.adk.agents import Agent


async def look_up(word: str) -> dict:
    '''Looks up a word.'''
    await asyncio.sleep(2)
    return {"answer": f"{word} is a word."}


root_agent = Agent(name="slow", model="gemini-3.8-live", tools=[look_up])
"""


LOOKS_UP = """
engine: false
answers:
  - {when: {tool: look_up}, say: "{answer}"}
  - {when: {words: anchor}, call: {name: look_up, args: {word: anchor}}}
"""


@pytest.fixture
def looks_up(tmp_path):
    """Arguments for a server whose agent looks up the word anchor."""
    (tmp_path / "looks_up.yaml").write_text(LOOKS_UP)
    return ("--scenario", str(tmp_path / "looks_up.yaml"))


async def test_the_agent_is_said_to_think_until_its_tool_has_answered(tmp_path, looks_up):
    (tmp_path / "slow").mkdir()
    (tmp_path / "slow" / "agent.py").write_text(SLOW)
    async with serving("--agent", str(tmp_path / "slow"), *looks_up) as server:
        caller = Dialled(server.url)
        await caller.connect()
        try:
            caller.send("send-text", {"content": "look up the word anchor"})
            await caller.wait_for(lambda m: "anchor" in (said(m) or ""))
            await caller.wait_for(lambda m: state(m) == "speaking")
        finally:
            await caller.hang_up()
    kinds = [m["type"] for m in caller.messages]
    began = kinds.index("llm-function-call-in-progress")
    ended = kinds.index("llm-function-call-stopped")
    running = caller.messages[began:ended]
    # The model ends its turn when it has called the tool; the tool runs on.
    assert "turn_complete" in [(m.get("data") or {}).get("kind") for m in running]
    assert "listening" not in [state(m) for m in running]
    assert next(state(m) for m in caller.messages[ended:] if state(m)) == "speaking"


async def test_a_service_that_cannot_be_reached_is_said_on_the_channel(monkeypatch):
    monkeypatch.setenv("GOOGLE_API_KEY", "wrong")
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", "https://127.0.0.1:9")
    async with serving("--model", "gemini-3.8-live") as server:
        assert "Gemini gemini-3.8-live" in server.says[1]
        caller = Dialled(server.url)
        await caller.connect()
        error = await caller.wait_for(lambda m: m["type"] == "error")
        assert error["data"]["fatal"]
        assert "can't be reached" in error["data"]["message"]
        await caller.wait_for(lambda m: state(m) == "ended")
        await caller.peer.close()


SECRET = """
from google.adk.agents import Agent


def look_up(word: str) -> dict:
    '''Looks up a word.'''
    return {"answer": "the secret result"}


root_agent = Agent(name="secret", model="gemini-3.8-live", tools=[look_up])
"""


@pytest.mark.parametrize("reports", ["none", "name", "full"])
async def test_a_caller_sees_of_a_tool_what_the_server_reports(tmp_path, looks_up, reports):
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "agent.py").write_text(SECRET)
    arguments = ["--agent", str(tmp_path / "secret"), "--tool-reports", reports]
    async with serving(*arguments, *looks_up) as server:
        caller = Dialled(server.url)
        await caller.connect()
        try:
            caller.send("send-text", {"content": "look up the word anchor"})
            stopped = await caller.wait_for(lambda m: m["type"] == "llm-function-call-stopped")
        finally:
            await caller.hang_up()
    told = [m["data"] for m in caller.messages if m["type"].startswith("llm-function-call-")]
    assert stopped["data"]["tool_call_id"] == told[1]["tool_call_id"]
    assert ("look_up" in str(told)) == (reports != "none")
    assert ("anchor" in str(told)) == ("secret result" in str(told)) == (reports == "full")
