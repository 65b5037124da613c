"""Recorded sessions of the real Live API, played to the model's side of a call."""

import asyncio

import pytest
import pytest_asyncio

from tests.calls.recorded_talk import RecordedTalk, played
from tests.support import recorded_variants as variants
from tests.support.recorded_service import kind_of, recorded_service
from tests.support.recorded_sessions import facts_of, recorded_sessions

pytestmark = pytest.mark.asyncio(loop_scope="module")

SESSIONS = recorded_sessions()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def service():
    async with recorded_service() as service:
        yield service


def check(talk: RecordedTalk) -> None:
    """The caller was shown all of the recording, once, in order, and nothing else."""
    facts = facts_of(talk.playing.session)
    assert talk.failure is None
    assert talk.playing.connections == 1
    assert talk.sound == talk.playing.voice
    assert talk.shown.agent_lines == facts.answers
    assert "".join(talk.shown.captions.split()) == "".join(facts.said.split())
    assert "  " not in talk.shown.captions
    assert len(talk.shown.user_lines) <= facts.turns
    assert " ".join(talk.shown.user_lines) == " ".join(facts.understood.split())
    assert talk.shown.turns == facts.turns
    assert talk.runs == facts.calls
    assert talk.tokens == facts.tokens
    assert not talk.shown.of("error")
    everything = str(talk.shown.messages)
    assert not any(thought[:20] in everything for thought in facts.thoughts)


@pytest.mark.parametrize("session", SESSIONS, ids=lambda session: session.name)
async def test_a_caller_gets_all_of_a_recorded_session_once(service, session):
    talk = await played(service, session)
    check(talk)
    kinds = [kind_of(message) for message in talk.playing.received]
    recorded = [kind_of(message) for message in session.sent_by("client")]
    for kind in ("context", "question", "results"):
        assert kinds.count(kind) == recorded.count(kind)


VARIANTS = {
    "more messages": (
        variants.with_interim_transcripts,
        variants.with_updates_unasked,
        variants.with_empty_messages,
    ),
    "fewer counts": (variants.with_usage_without_counts, variants.with_sound_without_a_rate),
    "fuller messages": (
        variants.with_empty_usage,
        variants.with_words_beside_sound,
        variants.with_several_sounds_in_one_message,
    ),
    "other words": (variants.with_spaces_at_the_ends, variants.with_transcripts_that_end),
}
SIZES = {
    "more messages": (1920, 4800, 2400),
    "fewer counts": (2,),
    "fuller messages": (1, 3, 4801),
    "other words": (4800, 15_360, 32_640),
}


@pytest.mark.parametrize("variant", VARIANTS)
async def test_what_the_services_add_or_leave_out_changes_nothing_for_the_caller(service, variant):
    sessions = [variants.varied(session, *VARIANTS[variant]) for session in SESSIONS]
    sizes = SIZES[variant]
    for talk in await asyncio.gather(*(played(service, each, sizes=sizes) for each in sessions)):
        check(talk)


@pytest.mark.parametrize("model", ["gemini-3.1-flash-live-preview", "gemini-3.8-live"])
async def test_an_earlier_conversation_is_told_once_to_models_of_the_third_generation_too(
    service, model
):
    seeded = [each for each in SESSIONS if "history" in each.name and not each.on_vertex]
    sessions = [variants.with_model(session, f"models/{model}") for session in seeded]
    for talk in await asyncio.gather(*(played(service, each) for each in sessions)):
        check(talk)
        kinds = [kind_of(message) for message in talk.playing.received]
        # The history is completed, so that what is asked next is no part of it.
        assert [kind for kind in kinds if kind in ("context", "question")] == ["question"] * 2
