"""The figures of a turn, computed from its events. Times are in seconds."""

import pytest

from vision_agent.calls.turn_timing import TurnTiming


def test_an_answer_is_timed_from_the_end_of_the_question_to_its_first_sound():
    timing = TurnTiming()
    timing.asked("spoken", 10.0)
    timing.frame_seen(9.75)
    assert timing.opened(10.9) is None
    timing.sounds(11.0)
    timing.silent(11.5)  # a gap in the model's stream
    timing.sounds(12.0)
    assert timing.complete(12.5) is None, "the rest is still being played"
    turn = timing.silent(14.0)
    assert (turn.first_sound_s, turn.question.frame_age_s, turn.interruption_s) == (1.0, 0.25, None)
    assert (turn.began_at_s, turn.ended_at_s) == (10.0, 14.0)
    # Unasked speech of the agent is not an answer.
    timing.opened(60.0)
    timing.sounds(60.1)
    assert timing.complete(60.2) is None
    assert timing.silent(61.0).first_sound_s is None


def test_an_answer_that_was_made_before_its_first_sound_is_played_is_timed():
    timing = TurnTiming()
    timing.asked("typed", 1.0)
    timing.opened(1.1)
    assert timing.complete(1.11, sound_waits=True) is None
    timing.sounds(1.12)
    assert timing.silent(4.0).first_sound_s == pytest.approx(0.12)


def test_sound_that_has_nothing_to_do_with_a_question_is_no_answer_to_it():
    timing = TurnTiming()
    timing.asked("spoken", 1.0)  # a cough
    timing.nothing_came()
    timing.opened(30.0)
    timing.sounds(30.0)
    timing.asked("spoken", 31.0)  # a murmur while the agent speaks, and its sound has a gap
    timing.silent(31.2)
    timing.sounds(31.3)
    turn = timing.opened(33.0)
    assert turn.first_sound_s is None
    # The next answer belongs to the murmur.
    timing.silent(33.1)
    timing.sounds(33.5)
    assert timing.over(34.0).first_sound_s == 2.5


def test_a_model_faster_than_the_detector_of_the_end_of_speech_is_timed_too():
    timing = TurnTiming()
    timing.opened(5.2)
    timing.sounds(5.25)
    timing.asked("spoken", 5.0)  # noticed at 5.3
    timing.frame_seen(5.1)  # captured since
    turn = timing.over(6.0)
    assert (turn.first_sound_s, turn.question.frame_age_s) == (0.25, 0.0)


def test_an_interruption_lasts_from_the_callers_first_sound_to_silence():
    timing = TurnTiming()

    def speaking() -> None:
        timing.opened(0.0)
        timing.sounds(0.0)

    def figures() -> tuple:
        turn = timing.interrupted(4.0)
        timing.silent(4.0)
        return turn.cut_in_by, turn.interruption_s

    speaking()
    timing.voice_began(3.0)
    assert figures() == ("spoken", 1.0)
    speaking()
    timing.voice_began(3.0)
    timing.paused(3.25)  # a right guess: it was silent before the model said so
    assert figures() == ("spoken", 0.25)
    speaking()
    timing.voice_began(1.0)
    timing.paused(1.25)
    timing.resumed()  # a cough
    timing.asked("typed", 3.5)
    assert figures() == ("typed", 0.5)
    speaking()
    timing.voice_began(1.0)
    timing.paused(1.25)
    timing.resumed()
    assert figures() == (None, None), "it is not known when the caller began"


def test_a_turn_without_sound_ends_with_its_words():
    timing = TurnTiming()
    timing.asked("typed", 1.0)
    timing.opened(2.0)
    turn = timing.complete(3.0)
    assert (turn.question.how, turn.first_sound_s, turn.ended_at_s) == ("typed", None, 3.0)
    assert timing.interrupted(4.0) is None
