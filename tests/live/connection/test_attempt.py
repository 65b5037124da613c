"""An attempt to connect depends on the attempts before it."""

from google.genai import types
from websockets.exceptions import ConnectionClosedError
from websockets.frames import Close

from vision_agent.live.connection.attempt import MAX_REFUSED_RESUMES, Attempt
from vision_agent.live.connection.close_policy import Verdict
from vision_agent.live.connection.ledger import Replay
from vision_agent.live.errors import ConnectionLeft

WORDS = [types.Content(role="user", parts=[types.Part(text="hello")])]


def closed(code: int, reason: str = "no") -> ConnectionClosedError:
    return ConnectionClosedError(Close(code, reason), None)


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
    attempt.connected()
    for in_words in (False, True):
        attempt.begin(Replay(None, WORDS, []))
        assert attempt.ended(closed(1007)) is Verdict.RESTART
        assert attempt.refused_twice is in_words
    attempt.answered()
    assert not attempt.refused_twice


def test_a_connection_that_was_left_from_here_is_resumed():
    attempt = Attempt()
    attempt.begin(Replay(None, [], []))
    assert attempt.ended(ConnectionLeft("silent", planned=False)) is Verdict.RESUME


def resumed_and(attempt: Attempt, error: Exception) -> Verdict:
    attempt.begin(Replay("handle", [], []))
    attempt.connected()
    return attempt.ended(error)


def test_a_session_that_the_service_fails_on_each_time_it_is_resumed_is_begun_again():
    attempt = Attempt()
    verdicts = [resumed_and(attempt, closed(1011)) for _ in range(3)]
    assert verdicts == [Verdict.RESUME, Verdict.RESTART, Verdict.RESUME]


def test_a_session_that_is_not_free_yet_is_waited_for():
    attempt = Attempt()
    verdicts = []
    for _ in range(MAX_REFUSED_RESUMES):
        attempt.begin(Replay("handle", [], []))
        verdicts.append(attempt.ended(closed(1011)))
    assert verdicts == [Verdict.RESUME] * (MAX_REFUSED_RESUMES - 1) + [Verdict.RESTART]


def test_a_resumed_session_that_answers_or_only_loses_its_connection_is_kept():
    attempt = Attempt()
    for error in (closed(1006), closed(1001), closed(1011, "Deadline expired before"), OSError()):
        assert resumed_and(attempt, error) is Verdict.RESUME
    for _ in range(3):
        attempt.answered()
        assert resumed_and(attempt, closed(1011)) is Verdict.RESUME
