"""Expectations against reports of calls that meet them, and of calls that don't."""

from pathlib import Path
from typing import Any

import pytest

from tests.evaluation.reports import report_of, tool, utterance
from vision_agent.caller.transcript import Point
from vision_agent.evaluation.expectations import verdicts
from vision_agent.evaluation.expected import Expectation
from vision_agent.evaluation.marked_yaml import MarkedYaml

CALL = report_of(
    ("agent", 100, "Hello, I\u2019m Ada."),
    ("user", 1_000, "How many bottles do you see?"),
    ("agent", 2_500, "One moment. I see THREE bottles; the middle one costs 3.50 euros."),
    ("user", 6_000, "Stop. And the colour?"),
    ("agent", 8_000, "Green. Я дома. 三本の瓶です。"),
    utterances=(
        utterance(1, 1_000, 1_200, None),  # a pause within the sentence
        utterance(1, 1_900, 2_000, 500),
        utterance(2, 6_000, 7_000, 1_000, silenced_ms=200),
    ),
    tools=(
        tool("look", 2_600, area="The Shelf", zoom=2, more={"deep": [1, "x"], "y": True}),
        tool("look", 6_500, area="table"),
        tool("buy", 7_000, cancelled=True, item="milk"),
    ),
    points=(Point("green bottle", [100, 100, 300, 300], 8_500),),
    voice_ms=[(2_500, 6_200), (8_000, 9_000)],
    interrupted_ms=[6_150],
    usage={"estimate": 0.004, "currency": "USD"},
)


def verdict_of(expected: dict[str, Any], report: Any = CALL) -> Any:
    expectation = Expectation.read(expected, Path())
    (verdict,) = verdicts([expectation, Expectation(answers=report.answered)], report)[:1]
    assert verdict.expectation
    assert verdict.came
    return verdict


@pytest.mark.parametrize(
    "expected",
    [
        {"said": "three bottles"},
        {"said": ["i'm ada", "green", "Я ДОМА", "三本", "3.50"]},
        {"said": {"any": ["4 bottles", "three bottles"], "never": "bottle"}},
        {"said": {"words": "green", "never": "three", "turn": 2}},
        {"heard": "how many bottles"},
        {"heard": {"words": "colour", "turn": 2}},
        {"tool": "look"},
        {"tool": {"name": "look", "arguments": {"area": "the shelf!"}, "times": 1}},
        {"tool": {"name": "look", "arguments": {"zoom": "2", "more": {"deep": [1, "X"]}}}},
        {"tool": {"name": "look", "arguments": {"area": "table"}, "exact": True, "turn": 2}},
        {"tool": {"name": "look", "times": 2}},
        {"tool": {"name": "buy", "times": 0}},
        {"pointed": "bottle"},
        {"pointed": {"label": "bottle", "box": [100, 100, 300, 280], "overlap": 0.8}},
        {"order": [{"said": "hello"}, {"tool": "look"}, {"said": "three bottles"}]},
        {"order": [{"said": "one moment"}, {"said": "three"}, {"tool": "look"}]},
        {"order": [{"tool": "look"}, {"tool": "look"}, {"pointed": "bottle"}]},
        {"order": [{"heard": "bottles"}, {"said": {"any": ["red", "green"]}}]},
        {"silence": {"after": 1, "for_s": 0.4}},
        {"reply_ms": 1000},
        {"reply_ms": {"median": 750}},
        {"reply_ms": {"max": 500, "turn": 1}},
        {"interrupted": {"within_ms": 300}},
        {"interrupted": True},
        {"interrupted": {"happens": True, "turn": 2}},
        {"interrupted": {"happens": False, "turn": 1}},
        {"cost": 0.004},
        {"no_errors": True},
    ],
    ids=str,
)
def test_what_came_is_seen(expected: dict[str, Any]) -> None:
    verdict = verdict_of(expected)
    assert verdict.passed, verdict


@pytest.mark.parametrize(
    ("expected", "came"),
    [
        ({"said": "three bottle"}, "THREE bottles"),
        ({"said": ["green", "blue"]}, "no “blue”"),
        ({"said": {"any": ["4 bottles", "hree bottles"]}}, "Hello"),
        ({"said": {"never": ["blue", "green"]}}, "said “green”"),
        ({"said": {"words": "three", "turn": 2}}, "Green"),
        ({"said": {"words": "ada", "turn": 1}}, "One moment"),  # a greeting belongs to no turn
        ({"said": {"words": "x", "turn": 3}}, "ended before turn 3"),
        ({"heard": "green"}, "How many"),
        ({"tool": "open"}, "look"),
        ({"tool": {"name": "look", "times": 1}}, "look"),
        ({"tool": {"name": "look", "arguments": {"area": "shelf"}}}, "The Shelf"),
        ({"tool": {"name": "look", "arguments": {"area": "the shelf"}, "exact": True}}, "Shelf"),
        ({"tool": {"name": "look", "arguments": {"zoom": True}}}, "zoom"),
        ({"tool": {"name": "look", "arguments": {"more": {"y": 1}}}}, "deep"),
        ({"tool": {"name": "look", "arguments": {"more": {"deep": [1]}}}}, "deep"),
        ({"tool": "buy"}, "(cancelled)"),
        ({"pointed": {"label": "bottle", "box": [100, 100, 300, 1000]}}, "overlap 0.22"),
        ({"pointed": {"label": "bottle", "turn": 1}}, "nothing"),
        ({"order": [{"said": "three"}, {"said": "one moment"}]}, "one moment"),
        ({"order": [{"said": "green"}, {"tool": "look"}]}, "after “the agent says “green””"),
        ({"order": [{"tool": "look"}, {"tool": "look"}, {"tool": "look"}]}, "look"),
        ({"silence": {"after": 1, "for_s": 1}}, "after 0.5 s"),
        ({"silence": {"after": 2, "for_s": 2}}, "after 1.0 s"),
        ({"reply_ms": 999}, "1000 ms"),
        ({"reply_ms": {"median": 749}}, "750 ms"),
        ({"interrupted": {"within_ms": 199}}, "200 ms"),
        ({"interrupted": {"happens": True, "turn": 1}}, "Nobody"),
        ({"interrupted": False}, "once"),
        ({"interrupted": {"happens": False, "turn": 2}}, "once"),
        ({"cost": 0.003}, "0.004 USD"),
        ({"answers": False}, "answered"),
    ],
    ids=str,
)
def test_what_did_not_come_is_told_with_what_came(expected: dict[str, Any], came: str) -> None:
    verdict = verdict_of(expected)
    assert verdict.passed is False
    assert came in verdict.came


def test_a_silent_agent_passes_no_case_by_saying_nothing_wrong():
    silent = report_of(utterances=(utterance(1, 0, 100, None),), answered=False, ended="timeout")
    never = Expectation.read({"said": {"never": "sorry"}}, Path())
    assert [verdict.passed for verdict in verdicts([never], silent)] == [False, True]
    quiet = Expectation.read({"silence": 3}, Path())
    assert [verdict.passed for verdict in verdicts([never, quiet], silent)] == [True, True]
    assert verdict_of({"reply_ms": 1000}, silent).came == "No turn was answered."
    assert verdict_of({"reply_ms": 1000}, report_of()).passed is False


def test_what_was_said_before_the_caller_went_on_was_not_said_after_a_later_tool():
    typed = (utterance(1, 100, 100), utterance(2, 2_000, 2_000))  # typed lines are no transcript
    lines = (("agent", 500, "I see three bottles."), ("agent", 3_000, "That is the time."))
    report = report_of(*lines, utterances=typed, tools=(tool("clock", 2_500),))
    assert verdict_of(
        {"order": [{"said": "three"}, {"tool": "clock"}, {"said": "time"}]}, report
    ).passed
    assert not verdict_of({"order": [{"tool": "clock"}, {"said": "three"}]}, report).passed


def test_an_interruption_belongs_to_the_turn_that_cuts_in():
    # The agent fell silent in turn 2, of its own accord; turn 3 interrupted it.
    cut = (utterance(1, 0, 0), utterance(2, 2_000, 2_000, 10, 20), utterance(3, 4_000, 4_000, 9, 8))
    report = report_of(utterances=cut, interrupted_ms=[4_005])
    for turn, passed in ((1, False), (2, False), (3, True)):
        assert verdict_of({"interrupted": {"happens": True, "turn": turn}}, report).passed == passed
        assert (
            verdict_of({"interrupted": {"happens": False, "turn": turn}}, report).passed != passed
        )
    greeted = verdict_of({"interrupted": False}, report_of(interrupted_ms=[5]))
    assert (greeted.passed, greeted.came) == (False, "Interrupted once.")


def test_a_call_that_breaks_off_does_not_show_that_nobody_answers():
    unanswered = report_of(answered=False, ended="timeout")
    assert verdict_of({"answers": False}, unanswered).passed
    broken = report_of(answered=False, ended="The line broke.", broke_off=True)
    verdict = verdict_of({"answers": False}, broken)
    assert (verdict.passed, verdict.came) == (False, "Not answered to the end: The line broke.")


def test_why_a_call_was_not_answered_is_said_once():
    why = "The line broke."
    failed = report_of(answered=False, ended=why, errors=[why, "The microphone is mute."])
    (verdict,) = verdicts([], failed)
    assert verdict.passed is False
    assert verdict.came == f"Not answered to the end: {why} The microphone is mute."


def test_a_call_that_ends_before_a_silence_is_over_shows_none():
    spoken = (utterance(1, 0, 1_000, None),)
    held = report_of(utterances=spoken, answered=False, ended_ms=4_000)
    assert verdict_of({"silence": 3}, held).passed
    broken = report_of(utterances=spoken, answered=False, ended="The line broke.", ended_ms=1_200)
    verdict = verdict_of({"silence": 3}, broken)
    assert verdict.passed is False
    assert verdict.came == "The call lasted only 0.2 s longer: The line broke."


def test_a_sound_in_which_nobody_speaks_is_a_turn_of_which_nothing_can_be_expected():
    report = report_of(("agent", 1_200, "Hello."), utterances=(utterance(2, 1_000, 1_100),))
    assert verdict_of({"said": {"words": "hello", "turn": 2}}, report).passed
    for expected in ({"silence": {"after": 1, "for_s": 1}}, {"said": {"words": "x", "turn": 1}}):
        verdict = verdict_of(expected, report)
        assert (verdict.passed, verdict.came) == (False, "Nobody is heard to speak in turn 1.")


def test_a_number_among_arguments_is_compared_as_it_was_written():
    data = MarkedYaml("tool: {name: look, arguments: {room: 0123, price: 3.10}}").data
    called = report_of(tools=(tool("look", 1, room="0123", price="3.10"),))
    assert verdict_of(data, called).passed
    assert not verdict_of(
        data, report_of(tools=(tool("look", 1, room="0123", price="3.2"),))
    ).passed
    counted = report_of(tools=(tool("look", 1, room=123, price=3.1),))
    assert verdict_of(data, counted).passed


def test_what_can_not_be_told_is_neither_passed_nor_failed():
    unpriced = report_of(usage={"estimate": None, "note": "no price known"})
    assert verdict_of({"cost": 1}, unpriced).passed is None
    asked = [Expectation(judge="It is kind."), Expectation(judge="It is slow.")]
    judged = {"It is kind.": (True, "It said please.")}
    kind, slow = verdicts(asked, CALL, judged)[1:]
    assert (kind.passed, kind.came) == (True, "It said please.")
    assert slow.passed is None
