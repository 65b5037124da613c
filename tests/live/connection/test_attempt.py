"""What an attempt to connect knows of those before it."""

from google.genai import types
from websockets.exceptions import ConnectionClosedError
from websockets.frames import Close

from vision_agent.live.connection.attempt import Attempt
from vision_agent.live.connection.close_policy import Verdict
from vision_agent.live.connection.ledger import Replay
from vision_agent.live.connection.liveness import ConnectionLeft

WORDS = [types.Content(role="user", parts=[types.Part(text="hello")])]


def closed(code: int) -> ConnectionClosedError:
    return ConnectionClosedError(Close(code, "no"), None)


def test_only_a_new_session_with_something_to_tell_is_told_a_history():
    attempt = Attempt()
    assert attempt.begin(Replay(None, WORDS, []))
    assert not attempt.begin(Replay(None, [], []))
    assert not attempt.begin(Replay("handle", WORDS, []))


def test_a_setup_that_is_refused_before_any_was_accepted_ends_the_conversation():
    attempt = Attempt()
    attempt.begin(Replay(None, [], []))
    assert attempt.ended(closed(1007)) is Verdict.GIVE_UP


def test_a_handle_that_is_refused_costs_the_session_only():
    attempt = Attempt()
    attempt.begin(Replay("handle", [], []))
    assert attempt.ended(closed(1007)) is Verdict.RESTART


def test_a_session_that_is_refused_twice_is_told_in_words():
    attempt = Attempt()
    attempt.begin(Replay(None, [], []))
    attempt.connected(takes_history=False)
    for in_words in (False, True):
        attempt.begin(Replay(None, WORDS, []))
        assert attempt.ended(closed(1007)) is Verdict.RESTART
        assert attempt.in_words is in_words
    attempt.answered()
    assert not attempt.in_words


def test_a_connection_that_was_left_from_here_is_resumed():
    attempt = Attempt()
    attempt.begin(Replay(None, [], []))
    assert attempt.ended(ConnectionLeft("silent", planned=False)) is Verdict.RESUME


def test_contents_are_history_only_the_first_time_and_only_if_the_service_takes_them():
    attempt = Attempt()
    attempt.begin(Replay(None, WORDS, []))
    attempt.connected(takes_history=True)
    assert [attempt.take_history(), attempt.take_history()] == [True, False]
    attempt.begin(Replay(None, WORDS, []))
    attempt.connected(takes_history=False)
    assert not attempt.take_history()
