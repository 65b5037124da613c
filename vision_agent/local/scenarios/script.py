"""Chooses a scenario's answer for a turn, and the next scripted transcript. Pure."""

from __future__ import annotations

import re
from typing import Any

from vision_agent.local.contract import Say, ToolRequest, Transcript, Turn
from vision_agent.local.scenarios.scenario import Scenario, ScriptedAnswer, Step, When

_NOT_WORDS = re.compile(r"[^\w']+")
_PLACEHOLDER = re.compile(r"\{(\w[\w ]*)\}")


class Script:
    """Counts the utterances and answers since the server started.

    Args:
        scenario: The scripted transcripts and answers.
    """

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._utterances = 0
        self._given = [0] * len(scenario.answers)
        self._heard = 0

    def hear(self) -> Transcript | None:
        """The transcript of the next utterance; None if the scenario has none."""
        hears = self._scenario.hears
        again = self._scenario.hears_then == "again"
        if self._heard >= len(hears) and not again:
            return Transcript("", False) if self._scenario.hears_then == "nothing" else None
        heard = hears[self._heard % len(hears)]
        self._heard += 1
        return heard

    def steps(self, turn: Turn) -> tuple[Step, ...] | None:
        """The steps in this turn; None if the real engine has to answer it.

        Like an engine, it is called again in the same turn when a tool has returned its result.
        """
        if turn.transcript.spoken and not turn.tool_results:
            self._utterances += 1
        for index, answer in enumerate(self._scenario.answers):
            if self._is_left(index, answer) and matches(answer.when, turn, self._utterances):
                self._given[index] += 1
                return tuple(_filled(step, turn) for step in answer.steps)
        if turn.tool_results and self._scenario.otherwise:
            # ``otherwise`` may call a tool, and the tool's result must not call it again.
            return tuple(
                step for step in self._scenario.otherwise if not isinstance(step, ToolRequest)
            )
        if self._scenario.otherwise is None:
            return None
        return tuple(_filled(step, turn) for step in self._scenario.otherwise)

    def _is_left(self, index: int, answer: ScriptedAnswer) -> bool:
        return answer.times is None or self._given[index] < answer.times


def matches(when: When, turn: Turn, utterances: int) -> bool:
    """Whether an answer matches this turn.

    Args:
        when: The conditions of the answer.
        turn: The turn.
        utterances: How many turns have been spoken since the server started, including this one.
    """
    tools = {str(result.get("name", "")) for result in turn.tool_results}
    if (when.tool is None) == bool(tools) or (when.tool is not None and when.tool not in tools):
        # A tool's result matches only an answer that names the tool.
        return False
    number = 1 + sum(role == "user" for role, _ in turn.history)
    frames = len(turn.frames)
    return (
        when.turn in (None, number)
        and (when.utterance is None or (turn.transcript.spoken and when.utterance == utterances))
        and when.spoken in (None, turn.transcript.spoken)
        and (not when.words or any(_occurs(words, turn.text) for words in when.words))
        and (when.frames is None or (frames >= when.frames if when.frames else not frames))
    )


def _occurs(words: str, text: str) -> bool:
    return f" {_bare(words)} " in f" {_bare(text)} "


def _bare(text: str) -> str:
    return _NOT_WORDS.sub(" ", text.casefold()).strip()


def _filled(step: Step, turn: Turn) -> Step:
    """The step with the fields in braces filled in: those of a tool's response, and the words."""
    if not isinstance(step, Say):
        return step
    asked = [text for role, text in turn.history if role == "user"]
    fields: dict[str, Any] = {"said": turn.text, "said_before": asked[-1] if asked else "nothing"}
    for result in turn.tool_results:
        fields |= result["response"]
    return Say(_PLACEHOLDER.sub(lambda match: str(fields.get(match[1], match[0])), step.text))
