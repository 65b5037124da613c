"""When a connection to the model is closed from this side."""

import pytest
from google.genai import types

from vision_agent.live.connection.liveness import ModelLiveness, Sign
from vision_agent.live.errors import ConnectionLeft


def message(**fields) -> types.LiveServerMessage:
    return types.LiveServerMessage.model_validate(fields)


def content(**fields) -> types.LiveServerMessage:
    return message(server_content=fields)


def parts(*parts) -> types.LiveServerMessage:
    return content(model_turn={"parts": list(parts)})


SOUND = {"inline_data": {"data": b"\x01\x00", "mime_type": "audio/pcm"}}
HANDLE = {"new_handle": "h", "resumable": True}
TURN_ENDS = content(turn_complete=True)


def test_nothing_is_waited_for_while_the_model_owes_nothing_and_no_end_is_announced():
    liveness = ModelLiveness(stall_s=10)
    liveness.asked(100)
    assert liveness.deadline_s(owes=False) is None
    assert not liveness.ending


@pytest.mark.parametrize(
    "empty",
    [
        message(),
        content(),
        parts(),
        parts({"text": ""}),
        parts({"inline_data": {"data": b"", "mime_type": "audio/pcm"}}),
        content(output_transcription={"text": " "}),
        content(output_transcription={"finished": True}),
        content(input_transcription={"text": ""}),
        content(grounding_metadata={}),
        message(tool_call={"function_calls": []}),
        message(usage_metadata={"prompt_token_count": 9}),
        message(server_content={}, usage_metadata={}),
        message(session_resumption_update=HANDLE),
        message(session_resumption_update={}),
        message(voice_activity={"voice_activity_type": "ACTIVITY_START"}),
        message(go_away={"time_left": "50s"}),
    ],
)
def test_a_message_without_content_is_no_sign_of_a_model_that_answers(empty):
    liveness = ModelLiveness(stall_s=10)
    liveness.asked(100)
    assert liveness.received(empty, 104) is Sign.NOTHING
    assert liveness.deadline_s(owes=True) == 110


@pytest.mark.parametrize(
    ("full", "sign"),
    [
        (content(input_transcription={"text": "what is this"}), Sign.LIFE),
        (content(interim_input_transcription={"text": "what"}), Sign.LIFE),
        (content(interrupted=True), Sign.LIFE),
        (TURN_ENDS, Sign.LIFE),
        (message(tool_call_cancellation={"ids": ["1"]}), Sign.LIFE),
        (message(tool_call={"function_calls": [{"name": "look"}]}), Sign.WORDS),
        (parts({"text": "**Thinking**", "thought": True}), Sign.WORDS),
        (parts({"text": "A cup."}), Sign.WORDS),
        (parts(SOUND), Sign.WORDS),
        (content(output_transcription={"text": "A"}), Sign.WORDS),
        (content(output_transcription={"text": "A cup."}, turn_complete=True), Sign.ANSWER),
    ],
)
def test_a_message_with_content_gives_the_model_the_whole_time_again(full, sign):
    liveness = ModelLiveness(stall_s=10)
    liveness.asked(100)
    assert liveness.received(full, 104) is sign
    assert liveness.deadline_s(owes=True) == 114


def test_words_are_an_answer_once_their_end_has_come_on_the_same_connection():
    liveness = ModelLiveness(stall_s=10)
    liveness.received(parts(SOUND), 1)
    assert liveness.received(content(generation_complete=True), 2) is Sign.LIFE
    assert liveness.received(TURN_ENDS, 3) is Sign.ANSWER
    assert liveness.received(TURN_ENDS, 3) is Sign.LIFE
    liveness.received(parts(SOUND), 4)
    liveness.connecting()
    assert liveness.received(TURN_ENDS, 5) is Sign.LIFE


def test_the_words_before_a_long_thought_are_not_the_answer_yet():
    liveness = ModelLiveness(stall_s=10)
    liveness.received(parts(SOUND), 1)
    paused = content(turn_complete=True, interaction_status="IN_PROGRESS")
    assert liveness.received(paused, 2) is Sign.LIFE
    assert liveness.received(content(turn_complete=True, interaction_status="IDLE"), 9) is (
        Sign.ANSWER
    )


def test_a_thought_or_a_call_alone_is_no_answer():
    liveness = ModelLiveness(stall_s=10)
    liveness.received(parts({"text": "**Thinking**", "thought": True}), 1)
    liveness.received(message(tool_call={"function_calls": [{"name": "look"}]}), 2)
    assert liveness.received(TURN_ENDS, 3) is Sign.LIFE


def test_a_model_that_says_that_it_goes_on_may_think_longer_but_not_for_ever():
    liveness = ModelLiveness(stall_s=10, thinking_s=60)
    liveness.asked(100)
    assert liveness.deadline_s(owes=False, thinks=True) == 160


def test_the_announced_end_counts_if_it_is_nearer():
    liveness = ModelLiveness(stall_s=10)
    liveness.asked(100)
    liveness.end_announced(107)
    assert liveness.ending
    assert liveness.deadline_s(owes=True) == 107
    assert liveness.deadline_s(owes=False) == 107
    liveness.end_announced(150)
    assert liveness.deadline_s(owes=True) == 110


def test_a_connection_is_left_at_its_announced_end_and_nobody_needs_to_know():
    liveness = ModelLiveness(stall_s=10)
    liveness.end_announced(107)
    with pytest.raises(ConnectionLeft) as left:
        liveness.overdue(107)
    assert left.value.planned


def test_a_new_connection_has_no_announced_end():
    liveness = ModelLiveness(stall_s=10)
    liveness.end_announced(107)
    liveness.connecting()
    assert not liveness.ending
    assert liveness.deadline_s(owes=False) is None


def ending(*, at_s: float) -> ModelLiveness:
    liveness = ModelLiveness(stall_s=10)
    liveness.end_announced(at_s)
    return liveness


def test_a_connection_is_left_as_soon_as_all_is_quiet_and_covered_by_a_handle():
    liveness = ending(at_s=148)
    assert not liveness.leaves(100, quiet=False, idle=False, covered=True)
    assert liveness.leaves(101, quiet=True, idle=True, covered=True)


def test_a_quiet_connection_waits_a_moment_for_a_handle_that_may_never_come():
    liveness = ending(at_s=148)
    silence = {"quiet": True, "idle": True, "covered": False}
    assert not liveness.leaves(100, **silence)
    assert not liveness.leaves(101.9, **silence)
    assert liveness.leaves(102, **silence)


def test_each_word_begins_the_wait_for_a_handle_again():
    liveness = ending(at_s=148)
    silence = {"quiet": True, "idle": True, "covered": False}
    assert not liveness.leaves(100, **silence)
    assert not liveness.leaves(101, quiet=False, idle=False, covered=False)
    assert not liveness.leaves(102, **silence)
    assert liveness.leaves(104, **silence)


def test_in_its_last_seconds_a_connection_is_left_in_a_pause_although_noise_was_heard():
    liveness = ending(at_s=148)
    noise = {"quiet": True, "idle": False, "covered": True}
    assert not liveness.leaves(100, **noise)
    assert not liveness.leaves(137, **noise)
    assert liveness.leaves(138, **noise)


def test_only_its_end_makes_a_connection_be_left_in_mid_sentence():
    liveness = ending(at_s=148)
    speech = {"quiet": False, "idle": False, "covered": False}
    assert not liveness.leaves(147.9, **speech)
    assert liveness.leaves(148, **speech)


def test_a_connection_without_an_announced_end_is_not_left():
    assert not ModelLiveness(stall_s=10).leaves(1e6, quiet=True, idle=True, covered=True)


def test_a_silent_model_is_left_once_and_the_second_time_its_silence_is_the_answer():
    liveness = ModelLiveness(stall_s=10)
    with pytest.raises(ConnectionLeft, match="does not answer") as left:
        liveness.overdue(110)
    assert not left.value.planned
    liveness.overdue(130)
    with pytest.raises(ConnectionLeft):
        liveness.overdue(150)


def test_a_model_that_has_answered_in_between_is_asked_again():
    liveness = ModelLiveness(stall_s=10)
    with pytest.raises(ConnectionLeft):
        liveness.overdue(110)
    liveness.received(parts(SOUND), 111)
    liveness.received(TURN_ENDS, 112)
    with pytest.raises(ConnectionLeft):
        liveness.overdue(130)


def test_a_model_that_only_begins_to_answer_is_not_asked_for_ever():
    liveness = ModelLiveness(stall_s=10)
    with pytest.raises(ConnectionLeft):
        liveness.overdue(110)
    liveness.connecting()
    liveness.received(parts(SOUND), 111)
    liveness.overdue(121)
