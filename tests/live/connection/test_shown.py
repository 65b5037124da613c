"""How frames and images reach the model: what google-genai and ADK put on the wire."""

import asyncio
import base64
import json
from contextlib import asynccontextmanager

import pytest
from google.genai import types

from tests.live.connection.talking import talking
from tests.local.live_clients import MODEL_3_1, VERTEX_MODEL_2
from tests.local.scripted_engine import ScriptedEngine
from tests.support.local_connections import forget_handles, tear_off
from tests.support.waiting import until
from vision_agent.live.events import AgentToolResult, AgentTurnComplete, UserTranscript
from vision_agent.live.models import model_habits
from vision_agent.live.shown import Shown
from vision_agent.local.api import client_messages
from vision_agent.local.contract import Say, ToolRequest, Transcript

OLD = "gemini-2.5-flash-native-audio-preview-12-2025"
ALL = [OLD, VERTEX_MODEL_2, MODEL_3_1, "gemini-3.8-live", "local"]
JPEG = b"\xff\xd8\xff\xe0 a frame"
CLOSE = b"\xff\xd8\xff\xe0 a closer look"
PDF = types.Part.from_bytes(data=b"%PDF-", mime_type="application/pdf")


@pytest.fixture
def wire(monkeypatch):
    """Every message of a client after its setup, as it arrived on the socket."""
    arrived: list[dict] = []
    parse = client_messages.parse

    def tapped(raw, *args, **kwargs):
        arrived.append(json.loads(raw))
        return parse(raw, *args, **kwargs)

    monkeypatch.setattr(client_messages, "parse", tapped)
    return arrived


def bytes_of(part: dict) -> bytes:
    """An image; google-genai uses both spellings of its field, and the service takes both."""
    blob = part.get("inlineData") or part.get("inline_data") or part
    return base64.b64decode(blob["data"], altchars=b"-_")


def told(messages: list[dict]) -> list[object]:
    """The messages in short: streamed media, contents, and results of tools."""
    found: list[object] = []
    for message in messages:
        (kind, value), *others = message.items()
        assert not others
        match kind:
            case "realtime_input" | "realtimeInput":
                (_, given), *others = value.items()
                assert not others
                blobs = given if isinstance(given, list) else [given]
                found += [("streamed", bytes_of(b) if isinstance(b, dict) else b) for b in blobs]
            case "client_content" | "clientContent":
                turns = [
                    (
                        turn["role"],
                        *(
                            part["text"] if "text" in part else bytes_of(part)
                            for part in turn["parts"]
                        ),
                    )
                    for turn in value["turns"]
                ]
                done = value.get("turn_complete", value.get("turnComplete"))
                found.append(("content", *turns, "complete" if done else "more"))
            case "tool_response" | "toolResponse":
                for response in value.get("functionResponses") or value["function_responses"]:
                    shown = [bytes_of(part) for part in response.get("parts", [])]
                    found.append(("result", response["response"], *shown))
    return found


@pytest.mark.parametrize("model", ALL)
async def test_typed_words_and_their_frame_are_one_content(wire, model):
    async with talking(ScriptedEngine(), model) as (_, talk):
        talk.live_queue.frame(JPEG)
        talk.live_queue.text("What is this?", [Shown(JPEG)])
        await talk.turns(1)
    assert told(wire) == [
        ("streamed", JPEG),
        ("content", ("user", JPEG, "What is this?"), "complete"),
    ]
    assert talk.said == "You said What is this?."


@pytest.mark.parametrize("model", ALL)
async def test_typed_words_that_are_asked_again_carry_their_frame_again(wire, model):
    engine = ScriptedEngine()
    may_answer = asyncio.Event()
    engine.answers = lambda turn: [may_answer.wait, Say(f"You said {turn.text}.")]
    async with talking(engine, model) as (server, talk):
        talk.live_queue.text("hello")
        may_answer.set()
        await talk.turns(1)
        may_answer.clear()
        talk.live_queue.frame(JPEG)
        talk.live_queue.text("What is this?", [Shown(JPEG)])
        await until(lambda: len(engine.turns) == 2)
        wire.clear()
        tear_off(server)
        may_answer.set()
        await talk.turns(2)
    again = [each for each in told(wire) if each[0] == "content"]
    assert again[-1][-2:] == (("user", JPEG, "What is this?"), "complete")
    assert ("streamed", JPEG) in told(wire)
    # An answered turn is replayed without its frames.
    assert sum(str(each).count("closer") + str(each).count("a frame") for each in again) == 1


def camera_says(what: bytes) -> types.Part:
    return types.Part.from_bytes(data=what, mime_type="image/jpeg")


@asynccontextmanager
async def looked(model, result):
    """A conversation in which a tool has returned this, and the model has answered."""

    async def look() -> dict:
        """Look."""
        return result

    engine = ScriptedEngine()
    engine.answers = lambda turn: [
        ToolRequest("look", {})
        if turn.text == "look closely" and not turn.tool_results
        else Say("Seen.")
    ]
    async with talking(engine, model, tools=[look]) as (server, talk):
        talk.live_queue.text("look closely")
        await talk.until(lambda: "Seen." in talk.said)
        yield server, engine, talk


@pytest.mark.parametrize("model", ALL)
async def test_typed_words_with_their_frame_are_answered_in_a_session_that_was_told_its_history(
    wire, model
):
    async with talking(ScriptedEngine(), model) as (server, talk):
        talk.live_queue.text("hello")
        await talk.turns(1)
        wire.clear()
        forget_handles(server)
        tear_off(server)
        await until(lambda: any(each[0] == "content" for each in told(wire)))
        talk.live_queue.frame(JPEG)
        talk.live_queue.text("What is this?", [Shown(JPEG)])
        await talk.turns(2)
    contents = [each for each in told(wire) if each[0] == "content"]
    assert contents[-1] == ("content", ("user", JPEG, "What is this?"), "complete")
    assert len(contents) == 2
    assert talk.said.endswith("You said What is this?.")


@pytest.mark.parametrize("model", ALL)
async def test_a_tools_image_is_in_its_result_where_the_model_reads_it_and_content_elsewhere(
    wire, model
):
    async with looked(model, {"status": "Here.", "picture": camera_says(CLOSE)}) as (
        _,
        engine,
        talk,
    ):
        await until(lambda: engine.turns[-1].frames)
    turn = engine.turns[-1]
    assert [frame.jpeg for frame in turn.frames] == [CLOSE]
    assert turn.text == "look closely"
    assert [each["response"] for each in turn.tool_results] == [{"status": "Here."}]
    after = told(wire)[1:]
    if model_habits(model).images_in_results:
        assert after == [("result", {"status": "Here."}, CLOSE)]
    else:
        words = "(look has given this picture.)"
        assert after == [
            ("result", {"status": "Here."}),
            ("content", ("user", CLOSE, words), "complete"),
        ]
    assert [e.result for e in talk.events if isinstance(e, AgentToolResult)] == [
        {"status": "Here."}
    ]


async def test_a_file_that_no_live_model_reads_is_named_in_the_result_and_not_sent(wire):
    async with looked("gemini-3.8-live", {"status": "Here.", "bill": PDF}):
        pass
    assert told(wire)[1:] == [
        ("result", {"status": "Here.", "files_not_shown": ["application/pdf"]})
    ]


def spoken(talk) -> None:
    for chunk in [b"\x00\x10" * 320] * 25 + [bytes(640)] * 60:
        talk.live_queue.audio(chunk)


@pytest.mark.parametrize("model", ALL)
async def test_a_spoken_question_that_is_asked_again_in_words_carries_the_newest_frame(wire, model):
    engine = ScriptedEngine()
    engine.hears.append(Transcript("what is this", True))
    may_answer = asyncio.Event()
    engine.answers = lambda turn: [may_answer.wait, Say("A cup.")]
    async with talking(engine, model) as (server, talk):
        talk.live_queue.frame(CLOSE)
        talk.live_queue.frame(JPEG)
        spoken(talk)
        await talk.until(lambda: talk.count(UserTranscript) and engine.turns)
        wire.clear()
        tear_off(server)
        may_answer.set()
        await talk.turns(1)
    again = told(wire)
    assert ("streamed", JPEG) in again
    (question,) = [each[-2] for each in again if each[0] == "content"]
    assert (*question[:2], question[2].strip()) == ("user", JPEG, "what is this")


@pytest.mark.parametrize("model", ALL)
async def test_a_call_and_its_result_are_told_again_in_the_form_that_the_model_takes(wire, model):
    async with looked(model, {"status": "Here.", "picture": camera_says(CLOSE)}) as (
        server,
        _,
        talk,
    ):
        await talk.until(lambda: isinstance(talk.events[-1], AgentTurnComplete))
        wire.clear()
        forget_handles(server)
        tear_off(server)
        talk.live_queue.text("and now?")
        await talk.turns(talk.count(AgentTurnComplete) + 1)
    history = next(m["client_content"]["turns"] for m in wire if "client_content" in m)
    parts = [part for turn in history for part in turn["parts"]]
    if model_habits(model).calls_in_history:
        assert [p["functionCall"]["name"] for p in parts if "functionCall" in p] == ["look"]
        (given,) = [p["functionResponse"] for p in parts if "functionResponse" in p]
        assert given["response"] == {"status": "Here."}
        assert "parts" not in given
    else:
        assert all(part.keys() == {"text"} for part in parts)
        words = [part["text"] for part in parts]
        assert "(I use look with {}.)" in words
        assert '(look has given {"status": "Here."}.)' in words
