"""What others report of the real Live API in words, played to the model's side of a call."""

import asyncio

import pytest
import pytest_asyncio

from tests.calls.recorded_talk import played, talking
from tests.support.recorded_agent import RecordedTool
from tests.support.recorded_service import recorded_service
from tests.support.recorded_sessions import RecordedSession
from tests.support.written_sessions import (
    INTERRUPTED,
    asks,
    calls,
    declares,
    ends,
    responds,
    says,
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


def booking(*lines: dict) -> RecordedSession:
    tools = declares("book_slot")
    asked = asks("Book me the 3pm slot tomorrow, please.")
    return written("books", "gemini-3.8-live", asked, *lines, tools=tools)


FIRST = calls(("fc_1", "book_slot", {"slot": "tomorrow 3pm"}))
AGAIN = calls(("fc_2", "book_slot", {"slot": "tomorrow at 3pm"}))
BOOKED = {"status": "booked", "number": "BK-1001"}
FIRST_BOOKED = responds("fc_1", "book_slot", BOOKED)
AGAIN_BOOKED = responds("fc_2", "book_slot", BOOKED)
MADE = "The booking was already made."


class Slow(RecordedTool):
    """A tool that returns when it may."""

    def __init__(self, session: RecordedSession) -> None:
        super().__init__(session.setup["tools"][0]["functionDeclarations"][0], session)
        self.may_return = asyncio.Event()

    async def run_async(self, *, args, tool_context):
        self.runs.append(args)
        await self.may_return.wait()
        return BOOKED


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
