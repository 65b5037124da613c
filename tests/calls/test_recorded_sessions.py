"""Recorded sessions of the real Live API, played to the model's side of a call."""

import pytest
import pytest_asyncio

from tests.calls.recorded_talk import played
from tests.support.recorded_service import recorded_service
from tests.support.recorded_sessions import facts_of, recorded_sessions

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def service():
    async with recorded_service() as service:
        yield service


@pytest.mark.parametrize("session", recorded_sessions(), ids=lambda session: session.name)
async def test_a_recorded_session_gives_the_caller_all_of_it_once(service, session):
    talk = await played(service, session)
    facts = facts_of(session)
    assert talk.failure is None
    assert talk.playing.connections == 1
    assert talk.sound == talk.playing.voice
    assert talk.shown.agent_lines == facts.answers
    assert talk.shown.captions.split() == " ".join(facts.answers).split()
    assert " ".join(talk.shown.user_lines) == facts.user_text
    assert talk.shown.turns == facts.turns
    assert talk.runs == facts.calls
    assert talk.tokens == facts.tokens
    everything = str(talk.shown.messages)
    assert not any(thought[:20] in everything for thought in facts.thoughts)
