"""The guess that a caller is cutting in, from levels and from real sound."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.local.recordings import jfk, spoken
from vision_agent.calls.barge_in import LONGEST_HOLD_MS, LONGEST_PATIENCE_MS, BargeIn
from vision_agent.rtc import VoiceActivity

QUIET, CALLER = 30.0**2, 3000.0**2


class Heard:
    """The guesses that levels cause, with their times."""

    def __init__(self, hold_ms: int = 700) -> None:
        self.barge_in = BargeIn(hold_ms)
        self.now_ms = 0
        self.guesses: list[int] = []

    def hear(self, level: float, ms: int, *, speaking: bool = True) -> None:
        for _ in range(ms // 20):
            self.now_ms += 20
            if self.barge_in.feed(level, level > 150**2, speaking, self.now_ms):
                self.guesses.append(self.now_ms)


def test_a_caller_who_begins_to_speak_is_guessed_within_60_ms():
    heard = Heard()
    heard.hear(QUIET, 2000)
    heard.hear(CALLER, 500)
    assert heard.guesses == [2060]
    assert heard.barge_in.holding


def test_nothing_is_guessed_while_the_agent_is_silent_or_the_caller_speaks_already():
    heard = Heard()
    heard.hear(QUIET, 2000)
    heard.hear(CALLER, 500, speaking=False)
    heard.hear(CALLER, 500)
    assert heard.guesses == []


def test_a_click_is_no_caller():
    heard = Heard()
    heard.hear(QUIET, 2000)
    heard.hear(CALLER, 40)
    heard.hear(QUIET, 500)
    assert heard.guesses == []


def test_a_microphone_that_has_not_heard_the_agent_for_a_second_is_not_trusted():
    heard = Heard()
    heard.hear(QUIET, 400)
    heard.hear(CALLER, 500)
    assert heard.guesses == []


def test_each_wrong_guess_doubles_the_time_to_the_next_and_a_right_one_forgives():
    heard = Heard()
    heard.hear(QUIET, 5000)
    gaps = []
    for _ in range(3):
        before, count = heard.now_ms, len(heard.guesses)
        while len(heard.guesses) == count:
            heard.hear(CALLER, 60)
            heard.hear(QUIET, 240)
        gaps.append(heard.guesses[-1] - before)
        heard.barge_in.was_nothing(heard.now_ms)
    assert gaps[0] < 1000 <= gaps[1] < 2000 <= gaps[2] < LONGEST_PATIENCE_MS
    heard.barge_in.interrupted()
    heard.hear(QUIET, 200)
    heard.hear(CALLER, 100)
    assert len(heard.guesses) == 4


def test_the_voice_is_held_back_as_long_as_the_caller_goes_on_and_a_little_longer():
    heard = Heard(hold_ms=500)
    heard.hear(QUIET, 2000)
    heard.hear(CALLER, 800)
    heard.hear(QUIET, 200)
    assert heard.barge_in.hold_until_ms == 2800 + 500


def test_a_sound_that_never_ends_does_not_hold_the_voice_for_ever():
    heard = Heard(hold_ms=500)
    heard.hear(QUIET, 2000)
    heard.hear(CALLER, 9000)
    assert heard.barge_in.hold_until_ms == heard.guesses[0] + LONGEST_HOLD_MS


def test_it_can_be_told_never_to_guess():
    heard = Heard(hold_ms=0)
    heard.hear(QUIET, 2000)
    heard.hear(CALLER, 500)
    assert heard.guesses == []


@given(
    st.lists(
        st.tuples(st.sampled_from(["hear", "was_nothing", "interrupted"]), st.floats(0, 3e7)),
        max_size=300,
    )
)
def test_a_voice_that_is_held_back_is_held_until_somebody_decides(steps):
    barge_in, holding = BargeIn(700), False
    for number, (what, level) in enumerate(steps):
        if what == "hear":
            began = barge_in.feed(level, level > 150**2, True, 20.0 * number)
            assert not (began and holding)
            holding = holding or began
        elif what == "was_nothing":
            barge_in.was_nothing(20.0 * number)
            holding = False
        else:
            barge_in.interrupted()
            holding = False
        assert barge_in.holding == holding


def guesses_ms(echo: float, caller: str | None = None) -> list[int]:
    """The times at which the echo of a real voice in the microphone makes the agent pause."""
    rng = np.random.default_rng(0)
    sound = np.tile(np.frombuffer(jfk(), "<i2"), 3) * echo
    if caller:
        near = np.frombuffer(spoken(caller), "<i2")
        sound[8 * 16_000 :][: len(near)] += near
    room = rng.normal(0, 30, 2 * 16_000)
    activity, barge_in, guesses = VoiceActivity(), BargeIn(700), []
    sound = np.concatenate([room, sound + rng.normal(0, 30, len(sound))])
    for n in range(len(sound) // 320):
        now_ms = 20 * n - 2000
        if barge_in.holding and now_ms >= barge_in.hold_until_ms:
            barge_in.was_nothing(now_ms)
        chunk = np.clip(sound[320 * n : 320 * n + 320], -32768, 32767).astype("<i2")
        activity.feed(chunk.tobytes())
        if barge_in.feed(activity.level, activity.loud, now_ms >= 0, now_ms):
            guesses.append(now_ms)
    return guesses


@pytest.mark.parametrize("echo", [0.01, 0.05, 0.2, 0.5, 1.0])
def test_the_agents_own_voice_in_the_microphone_is_not_taken_for_the_caller(echo):
    assert guesses_ms(echo) == []


@pytest.mark.parametrize("echo", [0.0, 0.05, 0.2])
@pytest.mark.parametrize("words", ["stop", "hello", "what-do-you-see"])
def test_a_caller_is_heard_over_the_echo(echo, words):
    (guess,) = guesses_ms(echo, words)
    assert 8000 < guess < 8700
