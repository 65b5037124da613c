"""What others report of the real Live API in words, played to the model's side of a call."""

import pytest
import pytest_asyncio

from tests.calls.recorded_talk import played
from tests.support.recorded_service import recorded_service
from tests.support.written_sessions import asks, ends, says, written

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
