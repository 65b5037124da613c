"""The answer of a scenario that each turn gets."""

from __future__ import annotations

import pytest

from vision_agent.local.contract import Say, SeenFrame, ToolRequest, Transcript, Turn
from vision_agent.local.scenarios.scenario_file import read_scenario
from vision_agent.local.scenarios.script import Script

FRAME = SeenFrame(b"", 0)


def said(
    script: Script, text: str = "hello", *, spoken: bool = False, **rest: object
) -> list[str] | None:
    turn = Turn(Transcript(text, spoken=spoken), **rest)  # type: ignore[arg-type]
    steps = script.steps(turn)
    return None if steps is None else [getattr(step, "text", type(step)) for step in steps]


def script(answers: str, **others: str) -> Script:
    rest = "".join(f"{key}: {value}\n" for key, value in others.items())
    return Script(read_scenario(f"engine: false\n{rest}answers:\n{answers}"))


@pytest.mark.parametrize(
    ("when", "turn", "fits"),
    [
        ("words: what time", {"text": "So WHAT, time?"}, True),
        ("words: what time", {"text": "somewhat timely"}, False),
        ("words: [a, b]", {"text": "b!"}, True),
        ("turn: 1", {}, True),
        ("turn: 2", {}, False),
        ("turn: 2", {"history": [("user", "a"), ("model", "b")]}, True),
        ("spoken: true", {}, False),
        ("spoken: false", {}, True),
        ("frames: 0", {}, True),
        ("frames: 0", {"frames": [FRAME]}, False),
        ("frames: 2", {"frames": [FRAME]}, False),
        ("frames: 2", {"frames": [FRAME] * 3}, True),
        ("tool: t", {}, False),
        ("tool: t", {"tool_results": [{"name": "t", "response": {}}]}, True),
        ("tool: u", {"tool_results": [{"name": "t", "response": {}}]}, False),
        ("turn: 1", {"tool_results": [{"name": "t", "response": {}}]}, False),
    ],
)
def test_an_answer_is_for_the_turns_it_names(
    when: str, turn: dict[str, object], fits: bool
) -> None:
    answer = said(script(f"  - when: {{{when}}}\n    say: yes, sir"), **turn)
    assert answer == (["yes, sir"] if fits else [])


def test_the_first_that_fits_is_given_as_often_as_it_may_be() -> None:
    told = script("  - {say: first, times: 2}\n  - {say: then}")
    assert [said(told) for _ in range(4)] == [["first"], ["first"], ["then"], ["then"]]


def test_utterances_are_counted_without_typed_turns_and_tool_results() -> None:
    told = script("  - {when: {utterance: 2}, say: second}")
    result = [{"name": "t", "response": {}}]
    assert said(told, spoken=True) == []
    assert said(told, spoken=True, tool_results=result) == []
    assert said(told, spoken=False) == []
    assert said(told, spoken=True) == ["second"]


def test_a_tools_response_fills_the_sentence() -> None:
    told = script('  - {when: {tool: t}, say: "{opening hours}: {time} in {place}."}')
    result = {"name": "t", "response": {"time": 12, "opening hours": "Nine to five"}}
    assert said(told, tool_results=[result]) == ["Nine to five: 12 in {place}."]


def test_a_sentence_may_repeat_what_is_said_and_what_was_said_before() -> None:
    told = Script(read_scenario("otherwise: {say: 'You said {said}, and before {said_before}.'}"))
    turn = Turn(Transcript("two", spoken=False))
    assert told.steps(turn) == (Say("You said two, and before nothing."),)
    turn = Turn(Transcript("two", spoken=False), history=[("user", "one"), ("model", "Yes.")])
    assert told.steps(turn) == (Say("You said two, and before one."),)


def test_what_is_otherwise_done_does_not_call_its_tool_twice() -> None:
    told = Script(read_scenario("otherwise: {say: moment, call: {name: t}}"))
    assert said(told) == ["moment", ToolRequest]
    assert said(told, tool_results=[{"name": "t", "response": {}}]) == ["moment"]


def test_what_no_answer_is_for_is_left_to_the_engine() -> None:
    assert said(Script(read_scenario("answers: [{when: {words: x}, say: y}]"))) is None


@pytest.mark.parametrize(
    ("then", "last"),
    [("again", Transcript("a", True)), ("nothing", Transcript("", False)), ("engine", None)],
)
def test_what_is_heard_after_the_last_utterance(then: str, last: Transcript | None) -> None:
    told = Script(read_scenario(f"hears: [a, b]\nhears_then: {then}"))
    assert [told.hear() for _ in range(3)] == [Transcript("a", True), Transcript("b", True), last]


def test_an_answer_may_be_a_call_alone() -> None:
    told = script("  - {call: {name: t}}")
    assert told.steps(Turn(Transcript("x", spoken=False))) == (ToolRequest("t", {}),)
    assert Say("x") not in (told.steps(Turn(Transcript("x", spoken=False))) or ())
