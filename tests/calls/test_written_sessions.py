"""Sessions of the real Live API from others' descriptions, played to a call's model side."""

import asyncio

import pytest
import pytest_asyncio

from tests.calls.booked_sessions import (
    AGAIN,
    AGAIN_BOOKED,
    BOOKED,
    FIRST,
    FIRST_BOOKED,
    FOGGY,
    MADE,
    SPEECH,
    WEATHER,
    Slow,
    booking,
)
from tests.calls.recorded_talk import played, talking
from tests.support.recorded_service import recorded_service
from tests.support.written_sessions import (
    AUDIO,
    INTERRUPTED,
    asks,
    calls,
    declares,
    ends,
    responds,
    says,
    thinks,
    written,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")


THINKS_LONG = "gemini-3.8-live-extended-thinking"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def service():
    async with recorded_service() as service:
        yield service


async def test_an_answer_in_several_turns_of_the_model_is_one_turn_and_one_line(service):
    session = written(
        "thinks",
        THINKS_LONG,
        asks("What is the time in Lima?"),
        says("Let me think"),
        says(" about that."),
        *ends("IN_PROGRESS"),
        {},
        says("Nearly there."),
        *ends("IN_PROGRESS"),
        says("It is"),
        says(" noon."),
        *ends("IDLE"),
    )
    talk = await played(service, session)
    assert talk.failure is None
    assert talk.shown.agent_lines == ["Let me think about that. Nearly there. It is noon."]
    assert talk.shown.captions == "Let me think about that. Nearly there. It is noon."
    assert talk.shown.turns == 1
    assert talk.sound == talk.playing.voice
    kinds = [kind for kind, _ in talk.shown.messages]
    assert kinds.count("bot-llm-started") == kinds.count("bot-llm-stopped") == 1
    assert await talk.kept() == ["Let me think about that. Nearly there. It is noon."]


async def test_a_tool_that_still_runs_when_its_call_is_made_again_is_not_run_twice(service):
    session = booking(
        FIRST,
        asks("Actually, stop. Don't book it."),
        *INTERRUPTED,
        AGAIN,
        FIRST_BOOKED,
        AGAIN_BOOKED,
        says(MADE),
        *ends(),
    )
    tool = Slow(session)
    async with talking(service, session, tools=[tool]) as talk:
        acting = asyncio.create_task(talk.act())
        await talk.until(lambda: len(talk.shown.of("llm-function-call-in-progress")) == 2)
        tool.may_return.set()
        await acting
        await talk.until(lambda: talk.shown.agent_lines)
    assert talk.shown.agent_lines == [MADE]
    assert tool.runs == [{"slot": "tomorrow 3pm"}]
    results = [m["result"] for m in talk.shown.of("llm-function-call-stopped")]
    assert results == [BOOKED, BOOKED]


async def test_a_tool_whose_result_came_too_late_for_its_call_is_not_run_twice(service):
    session = booking(
        FIRST,
        asks("Actually, stop. Don't book it."),
        *INTERRUPTED,
        FIRST_BOOKED,
        AGAIN,
        AGAIN_BOOKED,
        says(MADE),
        *ends(),
    )
    tool = Slow(session)
    async with talking(service, session, tools=[tool]) as talk:
        acting = asyncio.create_task(talk.act())
        await talk.until(lambda: talk.playing.count("question") == 2)
        tool.may_return.set()
        await acting
        await talk.until(lambda: talk.shown.agent_lines)
    assert tool.runs == [{"slot": "tomorrow 3pm"}]


async def test_a_call_that_is_made_again_after_it_was_cancelled_is_run(service):
    session = booking(
        FIRST,
        asks("Actually, stop. Don't book it."),
        *INTERRUPTED,
        {"toolCallCancellation": {"ids": ["fc_1"]}},
        asks("No, do."),
        AGAIN,
        AGAIN_BOOKED,
        says("It is booked."),
        *ends(),
    )
    tool = Slow(session)
    async with talking(service, session, tools=[tool]) as talk:
        acting = asyncio.create_task(talk.act())
        await talk.until(lambda: len(tool.runs) == 2)
        tool.may_return.set()
        await acting
        await talk.until(lambda: talk.shown.agent_lines)
    assert [args["slot"] for args in tool.runs] == ["tomorrow 3pm", "tomorrow at 3pm"]
    assert [stopped["cancelled"] for stopped in talk.shown.of("llm-function-call-stopped")] == [
        True,
        False,
    ]


async def test_a_call_that_was_made_again_gets_the_failure_of_the_first(service):
    session = booking(
        FIRST,
        asks("Actually, stop. Don't book it."),
        *INTERRUPTED,
        AGAIN,
        FIRST_BOOKED,
        AGAIN_BOOKED,
        says("It could not be booked."),
        *ends(),
    )

    class Fails(Slow):
        async def run_async(self, *, args, tool_context):
            await super().run_async(args=args, tool_context=tool_context)
            raise LookupError("no such slot")

    tool = Fails(session)
    async with talking(service, session, tools=[tool]) as talk:
        acting = asyncio.create_task(talk.act())
        await talk.until(lambda: len(talk.shown.of("llm-function-call-in-progress")) == 2)
        tool.may_return.set()
        await acting
        await talk.until(lambda: talk.shown.agent_lines)
    assert len(tool.runs) == 1
    results = [stopped["result"] for stopped in talk.shown.of("llm-function-call-stopped")]
    assert len(results) == 2
    assert all("book_slot failed" in result["error"] for result in results)


async def test_the_same_wish_once_more_is_fulfilled_once_more(service):
    session = booking(
        FIRST,
        FIRST_BOOKED,
        says("It is booked."),
        *ends(),
        asks("And another one at 3pm tomorrow, please."),
        AGAIN,
        AGAIN_BOOKED,
        says("That is booked too."),
        *ends(),
    )
    talk = await played(service, session)
    assert [args["slot"] for _, args in talk.runs] == ["tomorrow 3pm", "tomorrow at 3pm"]
    assert talk.shown.agent_lines == ["It is booked.", "That is booked too."]


async def test_several_calls_in_one_message_each_run_once(service):
    session = written(
        "dice",
        "gemini-2.5-flash-native-audio-preview-09-2025",
        asks("Roll two dice."),
        calls(("a", "roll", {}), ("b", "roll", {})),
        responds("a", "roll", {"eyes": 3}),
        responds("b", "roll", {"eyes": 5}),
        says("A three and a five."),
        *ends(),
        tools=declares("roll"),
    )
    talk = await played(service, session)
    assert talk.runs == [("roll", {}), ("roll", {})]
    assert talk.shown.agent_lines == ["A three and a five."]
    assert talk.shown.turns == 1


async def test_a_tool_whose_call_ends_the_turn_is_answered_in_a_turn_of_its_own(
    service,
):
    # Vertex AI, gemini-live-2.5-flash.
    session = written(
        "vertex",
        "gemini-live-2.5-flash",
        asks("What is the weather in London?"),
        WEATHER,
        {"serverContent": {"outputTranscription": {"finished": True}}},
        {"serverContent": {"generationComplete": True}},
        {
            "serverContent": {"turnComplete": True, "groundingMetadata": {}},
            "usageMetadata": {"promptTokenCount": 30, "candidatesTokensDetails": [{}]},
        },
        FOGGY,
        {"serverContent": {"outputTranscription": {}}},
        {"serverContent": {"outputTranscription": {"text": "It is"}}},
        {"serverContent": {"outputTranscription": {"text": " foggy."}}},
        {"serverContent": {"outputTranscription": {"finished": True}}},
        {"serverContent": {"modelTurn": {"role": "model", "parts": [AUDIO]}}},
        *ends(),
        on_vertex=True,
        tools=declares("get_weather"),
    )
    talk = await played(service, session)
    assert talk.runs == [("get_weather", {"city": "London"})]
    assert talk.shown.agent_lines == ["It is foggy."]
    assert talk.shown.turns == 2
    assert talk.sound == talk.playing.voice


async def test_a_model_that_speaks_while_its_tool_runs_is_interrupted_by_the_result(service):
    # AI Studio, gemini-2.5-flash-native-audio with a NON_BLOCKING tool: its turn stays open.
    session = written(
        "speaks",
        "gemini-2.5-flash-native-audio-preview-09-2025",
        asks("What is the weather in London?"),
        thinks("**Looking**"),
        WEATHER,
        {"serverContent": {"outputTranscription": {"text": "I am looking."}}},
        {"serverContent": {"modelTurn": {"parts": [AUDIO]}}},
        {"serverContent": {"generationComplete": True}},
        FOGGY,
        *INTERRUPTED,
        thinks("**Answering**"),
        {"serverContent": {"outputTranscription": {"text": "It is foggy."}}},
        {"serverContent": {"modelTurn": {"parts": [AUDIO]}}},
        *ends(),
        tools=declares("get_weather"),
    )
    talk = await played(service, session)
    assert talk.runs == [("get_weather", {"city": "London"})]
    # Nothing has been played of what was interrupted.
    assert talk.shown.agent_lines == ["It is foggy."]
    assert talk.shown.captions.endswith("It is foggy.")
    assert talk.sound == talk.playing.voice
    assert "**" not in str(talk.shown.messages)


async def test_a_question_typed_after_an_answer_to_a_tool_is_answered_in_its_turn(service):
    session = written(
        "enqueues",
        "gemini-2.5-flash-native-audio-preview-09-2025",
        asks("What is the weather in London?"),
        WEATHER,
        FOGGY,
        says("It is foggy."),
        *ends(),
        asks("And in Graz?"),
        calls(("f2", "get_weather", {"city": "Graz"})),
        responds("f2", "get_weather", {"output": "It is sunny."}),
        says("It is sunny."),
        *ends(),
        tools=declares("get_weather"),
    )
    talk = await played(service, session)
    assert talk.runs == [("get_weather", {"city": "London"}), ("get_weather", {"city": "Graz"})]
    assert talk.shown.agent_lines == ["It is foggy.", "It is sunny."]
    assert talk.shown.turns == 2


async def test_speech_and_all_that_3_8_sends_about_it_is_one_line_on_each_side(service):
    session = written(
        "speech",
        "gemini-3.8-live",
        {"sessionResumptionUpdate": {"newHandle": "45db4869", "resumable": True}},
        SPEECH,
        {"voiceActivity": {"type": "ACTIVITY_START", "audioOffset": "0.160s"}},
        {},
        SPEECH,
        {"serverContent": {"inputTranscription": {"text": "Hello, my name is Marcelo."}}},
        {"voiceActivity": {"type": "ACTIVITY_END", "audioOffset": "3.800s"}},
        {"serverContent": {}},
        says("Hello "),
        says("Marcelo, "),
        says("nice to"),
        says(" meet you."),
        *ends(),
    )
    talk = await played(service, session)
    assert talk.shown.user_lines == ["Hello, my name is Marcelo."]
    assert talk.shown.agent_lines == ["Hello Marcelo, nice to meet you."]
    assert talk.shown.captions == "Hello Marcelo, nice to meet you."
    assert talk.shown.turns == 1


async def test_fragments_of_speech_before_during_and_after_an_answer_are_told_once(service):
    def hears(text: str) -> dict:
        return {"serverContent": {"inputTranscription": {"text": text}}}

    session = written(
        "fragments",
        "gemini-2.5-flash-native-audio-preview-09-2025",
        SPEECH,
        *map(hears, (" Hello", ",", " my", " name")),
        says("Hello"),
        hears(" is Marcelo."),
        says(", Marcelo."),
        hears(" Wait"),
        hears("!"),
        *INTERRUPTED,
        hears(" What is"),
        hears(" your name?"),
        says("I am Gemini."),
        *ends(),
    )
    talk = await played(service, session)
    said = "Hello, my name is Marcelo. Wait! What is your name?"
    assert " ".join(talk.shown.user_lines) == said
    assert talk.shown.agent_lines == ["I am Gemini."]


async def test_thoughts_are_not_kept_for_the_next_conversation(service):
    session = written(
        "thoughts",
        "gemini-2.5-flash-native-audio-preview-09-2025",
        asks("Hello."),
        thinks("**Greeting**"),
        says("Hello there."),
        *ends(),
    )
    again = written("again", session.model, asks("And again."), says("Again."), *ends())
    async with talking(service, session) as talk:
        await talk.act()
        await talk.until(lambda: talk.shown.turns)
        kept = talk.runner.session_service
    talk = await played(service, again, session_service=kept)
    told = str(talk.playing.received)
    assert "Hello there." in told
    assert "**Greeting**" not in told


async def test_an_answer_that_goes_on_after_a_tool_call_in_the_same_turn_is_one_line(service):
    # AI Studio, gemini-2.5-flash-native-audio: the call does not end the turn.
    session = written(
        "goes-on",
        "gemini-2.5-flash-native-audio-preview-09-2025",
        asks("What is the weather in London?"),
        says("I will look."),
        WEATHER,
        FOGGY,
        says("It is foggy."),
        *ends(),
        tools=declares("get_weather"),
    )
    talk = await played(service, session)
    assert talk.shown.agent_lines == ["I will look. It is foggy."]
    assert talk.shown.captions == "I will look. It is foggy."
    assert talk.shown.turns == 1
    assert " ".join(await talk.kept()) == "I will look. It is foggy."


@pytest.mark.parametrize("model", ["gemini-2.5-flash-native-audio-latest", "gemini-3.8-live"])
async def test_a_call_that_the_service_delivers_in_two_places_runs_once(service, model):
    call = WEATHER["toolCall"]["functionCalls"][0]
    session = written(
        "twice",
        model,
        asks("What is the weather in London?"),
        {"serverContent": {"modelTurn": {"parts": [{"functionCall": call}]}}},
        WEATHER,
        FOGGY,
        says("It is foggy."),
        *ends(),
        tools=declares("get_weather"),
    )
    talk = await played(service, session)
    assert talk.runs == [("get_weather", {"city": "London"})]
    assert talk.playing.count("results") == 1
    assert talk.shown.agent_lines == ["It is foggy."]
