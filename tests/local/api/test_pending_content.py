"""The contents of a client's message that need an answer."""

from __future__ import annotations

from vision_agent.local.api.client_messages import Content
from vision_agent.local.api.pending_content import PendingContent
from vision_agent.local.api.turn_actions import ToolResult

RESULT = ToolResult("c1", "get_time", {"result": "noon"})


def test_the_last_words_of_the_user_are_the_question() -> None:
    pending = PendingContent()
    said = [Content("user", "hello"), Content("model", "Hi."), Content("user", "what is this")]
    assert pending.add(said, complete=True) == 2
    assert pending.take_question() == "what is this"
    assert pending.take_question() == ""


def test_words_that_the_model_has_answered_ask_nothing() -> None:
    pending = PendingContent()
    assert pending.add([Content("user", "hello"), Content("model", "Hi.")], complete=True) == -1
    assert pending.take_question() == ""


def test_what_another_agent_said_asks_nothing() -> None:
    assert (
        PendingContent().add([Content("user", "For context: [clock] said: Noon.")], complete=True)
        == -1
    )


def test_questions_of_several_messages_are_one() -> None:
    pending = PendingContent()
    pending.add([Content("user", "what is")], complete=False)
    assert pending.is_unfinished
    pending.add([Content("user", "this")], complete=True)
    assert not pending.is_unfinished
    assert pending.take_question() == "what is this"


def test_results_wait_until_the_model_has_answered_them() -> None:
    pending = PendingContent()
    pending.add(
        [Content("user", "what time is it"), Content("user", "", results=(RESULT,))], complete=True
    )
    assert pending.has_results
    assert pending.take_results() == (RESULT,)
    assert not pending.has_results
    pending.add([Content("user", "", results=(RESULT,)), Content("model", "Noon.")], complete=True)
    assert not pending.has_results
