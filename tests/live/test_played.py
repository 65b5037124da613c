"""The played part of an answer is determined once for each message."""

from google.adk.events.event import Event
from google.adk.models.llm_response import LlmResponse

from vision_agent.live.played import PlayedOnce, played_on, with_played


def test_the_words_ride_on_a_response_and_on_the_event_that_is_made_of_it():
    response = with_played(LlmResponse(interrupted=True, custom_metadata={"a": 1}), "Once …")
    assert played_on(response) == "Once …"
    assert response.custom_metadata["a"] == 1
    assert played_on(with_played(Event(author="x", interrupted=True), "")) == ""
    assert played_on(Event(author="x", interrupted=True)) is None


def test_all_responses_of_one_message_carry_the_words_of_one_moment():
    moments = iter(["one", "one two", "one two three"])
    played = PlayedOnce(lambda: next(moments))
    assert [played.words(), played.words()] == ["one", "one"]
    played.next_message()
    assert played.words() == "one two"


def test_nobody_is_asked_where_nobody_knows():
    assert PlayedOnce(None).words() is None
