"""A new connection gets everything that is still pending, once, and nothing that is settled."""

from __future__ import annotations

import pytest
from google.genai import types

from tests.live.connection.ledger_lines import (
    LOUD,
    QUIET,
    answered,
    calls,
    cancels,
    hands,
    hears,
    line,
    model,
    result,
    says,
    speaks,
    told,
    user,
)
from vision_agent.live.connection.ledger import Ledger


def test_a_handle_stands_for_what_was_said_before_it():
    ledger = Ledger()
    answered(ledger, "one", "You said one.")
    hands(ledger, "H1")
    replay = ledger.lost()
    assert (replay.handle, told(replay)) == ("H1", [])


def test_without_a_newer_handle_the_history_is_told():
    ledger = Ledger()
    hands(ledger, "H1")
    answered(ledger, "one", "You said one.")
    replay = ledger.lost()
    assert (replay.handle, told(replay)) == (None, ["user: one", "model: You said one."])


def test_a_session_is_resumed_and_told_what_its_handle_does_not_cover():
    ledger = Ledger()
    answered(ledger, "one", "You said one.")
    hands(ledger, "H1")
    answered(ledger, "two", "You said two.")
    ledger.sent_content(user("three"))
    replay = ledger.lost()
    assert (replay.handle, replay.asked) == ("H1", 1)
    assert told(replay) == ["user: two", "model: You said two.", "user: three"]


def test_a_resumed_session_that_is_told_a_question_that_got_no_answer_does_not_answer_it():
    ledger = Ledger()
    answered(ledger, "one", "You said one.")
    hands(ledger, "H1")
    ledger.sent_content(user("two"))
    ledger.give_up_answer()
    replay = ledger.lost()
    assert (replay.handle, replay.asked) == ("H1", 0)
    assert told(replay) == ["user: two", "model: …"]


def test_the_first_handle_of_a_session_that_was_told_the_history_may_not_cover_it():
    """The service may issue the handle before the session has read the history."""
    ledger = Ledger()
    answered(ledger, "one", "You said one.")
    assert ledger.lost().handle is None
    hands(ledger, "H1")
    assert not ledger.resumable
    assert ledger.lost().handle is None
    for handle in ("H2", "H3"):
        hands(ledger, handle)
    assert ledger.resumable
    assert (ledger.lost().handle, told(ledger.lost())) == ("H3", [])


def test_a_handle_after_the_model_has_spoken_covers_what_its_session_was_told():
    ledger = Ledger()
    answered(ledger, "one", "You said one.")
    ledger.lost()
    answered(ledger, "two", "You said two.")
    hands(ledger, "H1")
    assert ledger.resumable


def test_a_session_that_is_resumed_and_told_the_rest_is_resumed_by_its_own_first_handle():
    ledger = Ledger()
    answered(ledger, "one", "You said one.")
    hands(ledger, "H1")
    answered(ledger, "two", "You said two.")
    ledger.lost()
    hands(ledger, "H2")
    replay = ledger.lost()
    assert (replay.handle, told(replay)) == ("H2", ["user: two", "model: You said two."])


def test_a_session_that_cannot_be_resumed_leaves_the_last_handle_good_for_what_it_stood_for():
    ledger = Ledger()
    answered(ledger, "one", "You said one.")
    hands(ledger, "H1")
    ledger.sent_content(user("two"))
    hands(ledger, None)
    replay = ledger.lost()
    assert (replay.handle, told(replay)) == ("H1", ["user: two"])


def test_a_question_is_asked_again_until_all_of_its_answer_was_made():
    ledger = Ledger()
    ledger.sent_content(user("one"))
    for _ in range(2):
        says(ledger, "You said")
        assert told(ledger.lost()) == ["user: one"]
    says(ledger, "You said one.")
    says(ledger, generation_complete=True)
    assert told(ledger.lost()) == ["user: one", "model: You said one."]
    assert not ledger.owes


def test_a_question_that_was_cut_off_is_not_asked_again():
    ledger = Ledger()
    ledger.sent_content(user("one"))
    says(ledger, "You sa")
    says(ledger, interrupted=True)
    says(ledger, turn_complete=True)
    assert told(ledger.lost()) == ["user: one", "model: You sa"]


def test_not_even_when_nothing_was_said_to_it():
    ledger = Ledger()
    ledger.sent_content(user("one"))
    says(ledger, interrupted=True)
    contents = ledger.lost().contents
    assert contents[-1].role == "model"
    assert not ledger.owes


def test_what_is_typed_during_an_answer_is_next():
    ledger = Ledger()
    ledger.sent_content(user("one"))
    says(ledger, "You said one.")
    ledger.sent_content(user("two"))
    says(ledger, generation_complete=True)
    says(ledger, turn_complete=True)
    assert told(ledger.lost()) == ["user: one", "model: You said one.", "user: two"]
    assert ledger.owes


def test_a_history_that_ends_with_a_question_wants_an_answer():
    ledger = Ledger([user("one"), model("Yes."), user("two")])
    assert told(ledger.lost()) == ["user: one", "model: Yes.", "user: two"]
    assert ledger.owes


# Speech.


def test_speech_that_has_no_transcript_yet_is_said_again():
    ledger = Ledger()
    speaks(ledger, LOUD, 30)
    speaks(ledger, QUIET, 40)
    assert len(ledger.lost().audio) == 70


def test_speech_that_was_understood_is_told_in_words_instead():
    ledger = Ledger()
    speaks(ledger, LOUD, 30)
    speaks(ledger, QUIET, 40)
    hears(ledger, "what is")
    hears(ledger, " this")
    replay = ledger.lost()
    assert (told(replay), replay.audio) == (["user: what is this"], [])


def test_an_utterance_that_goes_on_is_said_again_as_a_whole():
    ledger = Ledger()
    speaks(ledger, LOUD, 20)
    hears(ledger, "what")
    speaks(ledger, LOUD, 20)
    replay = ledger.lost()
    assert told(replay) == []
    assert len(replay.audio) >= 20


def test_words_that_come_when_the_answer_is_over_are_history_and_no_new_question():
    ledger = Ledger()
    speaks(ledger, LOUD, 30)
    speaks(ledger, QUIET, 40)
    says(ledger, "A cup.")
    says(ledger, generation_complete=True)
    says(ledger, turn_complete=True)
    hears(ledger, "what is this")
    assert not ledger.owes
    assert told(ledger.lost()) == ["user: what is this", "model: A cup."]


def test_the_rest_of_a_questions_words_comes_while_it_is_answered():
    ledger = Ledger()
    speaks(ledger, LOUD, 30)
    speaks(ledger, QUIET, 40)
    hears(ledger, "what is")
    says(ledger, "A")
    hears(ledger, " this")
    says(ledger, " cup.")
    says(ledger, generation_complete=True)
    says(ledger, turn_complete=True)
    assert not ledger.owes
    assert told(ledger.lost()) == ["user: what is this", "model: A cup."]


# Tools.


def test_a_result_goes_to_the_session_that_called():
    ledger = Ledger()
    ledger.sent_content(user("how long"))
    calls(ledger, "c1")
    says(ledger, turn_complete=True)
    delivery = ledger.sent_content(result("c1"))
    assert delivery.direct is not None
    assert delivery.conversation == []
    assert ledger.owes


def test_a_result_whose_session_is_gone_is_told_to_the_next_one():
    ledger = Ledger()
    hands(ledger, "H1")
    ledger.sent_content(user("how long"))
    calls(ledger, "c1")
    replay = ledger.lost()
    assert (replay.handle, told(replay)) == (None, ["user: how long", "call c1"])
    assert not ledger.owes
    delivery = ledger.sent_content(result("c1"))
    assert delivery.direct is None
    assert [line(content) for content in delivery.conversation] == ["result c1"]
    assert ledger.owes
    assert told(ledger.lost()) == ["user: how long", "call c1", "result c1"]


def test_results_of_one_call_are_told_together():
    ledger = Ledger()
    ledger.sent_content(user("how long"))
    calls(ledger, "c1", "c2")
    ledger.sent_content(result("c1"))
    assert told(ledger.lost()) == ["user: how long", "call c1"]
    delivery = ledger.sent_content(result("c2"))
    assert [line(content) for content in delivery.conversation] == ["result c1", "result c2"]


def test_a_call_that_never_reached_anybody_is_asked_for_again():
    ledger = Ledger()
    ledger.sent_content(user("how long"))
    calls(ledger, "c1", taken=False)
    assert told(ledger.lost()) == ["user: how long"]
    assert ledger.owes


def test_the_result_of_a_cancelled_call_goes_nowhere():
    ledger = Ledger()
    ledger.sent_content(user("how long"))
    calls(ledger, "c1")
    says(ledger, interrupted=True)
    cancels(ledger, "c1")
    says(ledger, turn_complete=True)
    delivery = ledger.sent_content(result("c1"))
    assert (delivery.direct, delivery.conversation) == (None, [])
    assert not ledger.owes
    assert "call c1" not in told(ledger.lost())


def test_a_cancelled_part_of_several_results_is_left_out():
    ledger = Ledger()
    ledger.sent_content(user("how long"))
    calls(ledger, "c1", "c2")
    cancels(ledger, "c1")
    both = types.Content(
        role="user", parts=[*(result("c1").parts or []), *(result("c2").parts or [])]
    )
    direct = ledger.sent_content(both).direct
    assert direct is not None
    assert [part.function_response.id for part in direct.parts or []] == ["c2"]


def test_a_call_in_the_background_outlives_its_turn_and_its_session():
    ledger = Ledger()
    ledger.sent_content(user("how long"))
    calls(ledger, "c1")
    says(ledger, "Let me see.")
    says(ledger, generation_complete=True)
    says(ledger, turn_complete=True)
    assert not ledger.idle
    answered(ledger, "hello", "Hi.")
    before = ["user: how long", "call c1", "model: Let me see.", "user: hello", "model: Hi."]
    assert told(ledger.lost()) == before
    assert [line(c) for c in ledger.sent_content(result("c1")).conversation] == ["result c1"]
    assert told(ledger.lost()) == [*before, "result c1"]


def test_a_silent_result_wants_no_answer():
    ledger = Ledger()
    calls(ledger, "c1")
    says(ledger, generation_complete=True)
    says(ledger, turn_complete=True)
    ledger.sent_content(result("c1", scheduling=types.FunctionResponseScheduling.SILENT))
    assert not ledger.owes


def test_what_was_said_before_a_call_is_not_said_again_after_it():
    ledger = Ledger()
    ledger.sent_content(user("how long"))
    says(ledger, "Let me see.")
    calls(ledger, "c1")
    ledger.sent_content(result("c1"))
    says(ledger, "It is")
    assert ledger.answer.text == "It is"
    assert told(ledger.lost()) == ["user: how long", "model: Let me see.", "call c1", "result c1"]


@pytest.mark.parametrize("name_only", [True, False])
def test_a_call_without_an_id_is_known_by_its_name(name_only):
    ledger = Ledger()
    ledger.sent_content(user("how long"))
    calls(ledger, "" if name_only else "c1")
    assert ledger.sent_content(result("" if name_only else "c1")).direct is not None


# Context that asks nothing, and answers in several parts.


def test_what_wants_no_answer_is_told_to_a_new_session_and_is_owed_none():
    ledger = Ledger()
    hands(ledger, "h1")
    ledger.sent_context(user("my name is Ann"))
    assert not ledger.owes
    replay = ledger.lost()
    assert replay.handle is None, "the handle is from before it"
    assert replay.contents[0] == user("my name is Ann")
    assert replay.contents[-1].role == "model", "or the new session would answer it"


def test_an_answer_of_which_more_is_announced_is_not_over_and_not_waited_for():
    ledger = Ledger()
    ledger.sent_content(user("one"))
    more = types.InteractionStatus.IN_PROGRESS
    says(ledger, "Let me think.")
    says(ledger, generation_complete=True)
    says(ledger, turn_complete=True, interaction_status=more)
    assert (ledger.idle, ledger.owes) == (False, False)
    says(ledger, " You said one.")
    says(ledger, generation_complete=True)
    says(ledger, turn_complete=True, interaction_status=types.InteractionStatus.IDLE)
    assert ledger.idle
    assert told(ledger.lost()) == ["user: one", "model: Let me think. You said one."]


def test_an_answer_that_is_lost_after_more_was_announced_is_asked_for_again():
    ledger = Ledger()
    ledger.sent_content(user("one"))
    says(ledger, "Let me think.")
    says(ledger, generation_complete=True)
    says(ledger, turn_complete=True, interaction_status=types.InteractionStatus.IN_PROGRESS)
    replay = ledger.lost()
    assert (told(replay), replay.asked) == (["user: one"], 1)
    assert ledger.owes
