"""Finds the declared tool that a sentence plainly asks for, and its arguments. Pure.

Words are compared, not understood. So a tool is called only if the sentence says next to nothing
else and its words fill every required argument. The caller is asked for a missing one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from vision_agent.local import adk_dialect
from vision_agent.local.contract import ToolRequest
from vision_agent.local.engine.answers.tool_arguments import Arguments, fill, one_value
from vision_agent.local.engine.answers.tool_numbers import (
    amount_and_thing,
    is_duration,
    seconds_of,
    time_answer,
)
from vision_agent.local.engine.answers.tool_schema import Parameter, Tool, read_tool
from vision_agent.local.engine.answers.tool_values import FILLERS, as_written
from vision_agent.local.engine.answers.tool_wishes import sets_something
from vision_agent.local.engine.answers.tool_words import (
    ASKING,
    GENERIC,
    LITTLE,
    asked_concepts,
    split_name,
    stem,
    stems,
    tool_concepts,
)
from vision_agent.local.engine.answers.watch_events import named_event
from vision_agent.local.engine.language.normalisation import normalise
from vision_agent.local.engine.language.sentence_form import is_question, without_negation
from vision_agent.local.engine.language.spoken_numbers import spoken_duration

_ENOUGH = 0.75
"""Least share of the words of the sentence that are words of the tool."""

_CONCEPT = 2.0
"""Score of a phrase that asks for this kind of tool; a word of the tool's name scores 1."""

_POLITE = frozenset(
    "please can could would will you i want need like to".split()  # noqa: SIM905
)
_WISH = frozenset({"want", "need", "like"})
_ARTICLES = frozenset({"a", "an", "the", "some", "my"})

_ENDING = frozenset("stop cancel clear remove delete end forget".split())  # noqa: SIM905

_ASKED_FOR = {
    "watch": "What should I watch for?",
    "remind": "What should I remind you of?",
    "closer": "What should I look at?",
    "point": "What should I point at?",
    "recall": "What is it about?",
}
"""Questions for a missing text, by the kind of tool."""

_GETTERS = ("get", "list", "show", "check", "find", "load", "search", "count")
"""First words in the names of tools that only return information."""

_ENDS_ITSELF = {"timer": "the timer", "alarm": "the alarm", "wake": "wake up"}

_SAYABLE = ("integer", "number")

_VAGUE = frozenset("what text query item message input request name value".split())  # noqa: SIM905


@dataclass(frozen=True, slots=True)
class Plan:
    """A tool call that the caller asks for.

    Attributes:
        tool: The tool.
        values: The arguments so far.
        missing: Required parameters without an argument.
        boxes: Parameters that take the box of ``about`` in the frame.
        about: What the request is about.
        several: Whether the sentence has more amounts than one call takes.
    """

    tool: Tool
    values: dict[str, Any]
    missing: tuple[Parameter, ...] = ()
    boxes: tuple[Parameter, ...] = ()
    about: str = ""
    several: bool = False

    @property
    def call(self) -> ToolRequest:
        """The call with the arguments so far."""
        return ToolRequest(self.tool.name, self.values)

    @property
    def can_be_asked_for(self) -> bool:
        """Whether a caller can give the first missing argument in a few words."""
        parameter = self.missing[0]
        return parameter.is_text or bool(parameter.choices) or parameter.kind in _SAYABLE

    @property
    def question(self) -> str:
        """The question for the first missing argument, in everyday words."""
        parameter = self.missing[0]
        words = " ".join(parameter.words)
        if not self.can_be_asked_for:
            yes_or_no = "is yes or no, and I can't tell which"
            needed = yes_or_no if parameter.kind == "boolean" else "has several parts"
            return f"I can't do that one by myself. It needs the {words}, which {needed}."
        if self.several:
            return "One at a time, please. What comes first?"
        return f"I can do that. {self._asked(parameter, words)}"

    @property
    def refusal(self) -> str:
        """Why the tool can't be called: a number exceeds a declared bound. Empty if it can be."""
        for parameter in self.tool.parameters:
            value = self.values.get(parameter.name)
            if isinstance(value, bool) or not isinstance(value, int | float):
                continue
            for bound, beyond, word in (
                (parameter.most, parameter.most is not None and value > parameter.most, "most"),
                (parameter.least, parameter.least is not None and value < parameter.least, "least"),
            ):
                if bound is not None and beyond:
                    return self._bounded(parameter, bound, word)
        return ""

    def _bounded(self, parameter: Parameter, bound: float, word: str) -> str:
        seconds = seconds_of(parameter, bound)
        said = f"{bound:g}" if seconds is None else spoken_duration(seconds)
        if seconds is not None and "remind" in tool_concepts(split_name(self.tool.name)):
            return f"I can remind you at {word} {said} ahead."
        return f"The {' '.join(parameter.words)} can be at {word} {said}."

    def _asked(self, parameter: Parameter, words: str) -> str:
        concepts = tool_concepts(split_name(self.tool.name))
        if parameter.choices and len(parameter.choices) <= 5:
            listed = ", ".join(str(choice) for choice in parameter.choices[:-1])
            listed = f"{listed} or {parameter.choices[-1]}" if listed else str(parameter.choices[0])
            return f"Which {words}: {listed}?"
        if is_duration(parameter):
            return "When? Say for example: in ten minutes."
        if parameter.kind in ("integer", "number"):
            many = {"count", "quantity", "amount", "many"} & set(parameter.words)
            return "How many?" if many else f"Which {words}?"
        for concept, asked in _ASKED_FOR.items():
            if concept in concepts and _VAGUE & {words}:
                return asked
        return "What exactly?" if words in _VAGUE else f"Which {words}?"


def plan_tool(
    text: str, tools: Sequence[Mapping[str, Any]], now: datetime | None = None
) -> Plan | None:
    """The tool call that a sentence plainly asks for, if exactly one tool fits best.

    Args:
        text: The spoken or typed sentence.
        tools: Function declarations as in the setup message.
        now: The present time, for values that are a time of day; None if unknown.
    """
    words = named_event(_without_reason(normalise(text).split()))
    if not words or is_denied(text, tools):
        return None
    return _plan_for(text, words, tools, now)


def _without_reason(words: Sequence[str]) -> list[str]:
    """A request without its reason: "… because it is broken"."""
    ends = (at for at, word in enumerate(words) if word in ("because", "since"))
    return list(words[: next(ends, len(words))])


def is_denied(text: str, tools: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the sentence forbids what one of the tools does: "don't remember my name"."""
    wish = without_negation(normalise(text).split())
    return bool(wish) and _plan_for(text, wish or [], tools, None) is not None


def _plan_for(
    text: str, words: Sequence[str], tools: Sequence[Mapping[str, Any]], now: datetime | None
) -> Plan | None:
    fitting: list[tuple[float, Plan]] = []
    for declared in tools:
        if declared.get("name") == adk_dialect.TRANSFER:  # see agent_transfer
            continue
        found = _fit(words, read_tool(declared), now)
        if found is not None:
            fitting.append(found)
    fitting.sort(key=lambda one: -one[0])
    if not fitting or (len(fitting) > 1 and fitting[0][0] == fitting[1][0]):
        return None
    return _written(fitting[0][1], text)


def _written(plan: Plan, text: str) -> Plan:
    texts = {parameter.name for parameter in plan.tool.parameters if parameter.is_text}
    values = {
        name: as_written(value, text) if name in texts else value
        for name, value in plan.values.items()
    }
    return replace(plan, values=values)


def complete(plan: Plan, answer: str, now: datetime | None = None) -> Plan | None:
    """The plan with the argument that the caller was asked for; None if the answer has none.

    Args:
        plan: A plan with a missing argument.
        answer: The spoken or typed answer to the question for it.
        now: The present time, if known.
    """
    parameter = plan.missing[0]
    if parameter.is_text and (time := time_answer(plan.tool, answer, now)):
        # "In ten minutes" is a time, whatever the question was.
        taken, value = time
        return replace(
            plan,
            values={**plan.values, taken.name: value},
            missing=tuple(p for p in plan.missing if p.name != taken.name),
        )
    values, said = dict(plan.values), answer
    amount = amount_and_thing(normalise(answer).split())
    number = next((p for p in plan.missing[1:] if p.kind in ("integer", "number")), None)
    if parameter.kind == "string" and amount and number and not is_duration(number):
        values[number.name], said = round(amount[0]), amount[1]
    value = one_value(parameter, said, now, of=plan.tool)
    if value is None:
        return None
    about = plan.about or (value if isinstance(value, str) else "")
    values[parameter.name] = as_written(value, answer) if parameter.is_text else value
    missing = tuple(p for p in plan.missing if p.name not in values)
    return replace(plan, values=values, missing=missing, about=about, several=False)


def _fit(words: Sequence[str], tool: Tool, now: datetime | None) -> tuple[float, Plan] | None:
    described = normalise(tool.description).split()
    name_words = split_name(tool.name)
    if sets_something(name_words) and is_question(words):
        return None
    concepts = tool_concepts(name_words) or tool_concepts(described)
    asked = [found for found in asked_concepts(words) if found[0] in concepts]
    phrase = (asked[0][1], asked[0][2]) if asked else None
    if not asked and not _is_request(words, name_words):
        return None
    if not _same_direction(words, name_words, described):
        return None
    own = stems(name_words)
    # Words of the tool's name, except verbs of asking that are not the verb of this sentence.
    verbs = {stem(word) for word in ASKING}
    spoken = stems(words)
    named = {word for word in spoken & own if word not in verbs or word == stem(_verb(words))}
    if spoken <= own:  # "when do you open?" says nothing else
        named = set(spoken)
    generic = {stem(word) for word in GENERIC} | verbs
    does_something = bool(tool_concepts(name_words)) and name_words[0] not in _GETTERS
    if does_something:
        # "What are you watching?" mentions a watch but does not ask for one.
        wanted = bool(asked) or stem(_verb(words)) in {stem(word) for word in name_words}
    else:
        wanted = bool(asked or named or (spoken & stems(described)) - generic)
    if not wanted:
        return None
    arguments = fill(tool, words, phrase, now)
    known = own | stems(described)
    for parameter in tool.parameters:
        known |= stems(parameter.words) | {
            word for choice in parameter.choices for word in stems(split_name(str(choice)))
        }
    # "turn on", "set", "get": verbs of asking that fit any tool.
    beside = {stem(word) for word in ASKING} | {stem(word) for word in FILLERS}
    said = stems(arguments.rest) - (beside - known)
    if arguments.several:
        said = frozenset()
    score = len(named) + (_CONCEPT if asked else 0.0)
    covered = len(said & known) / len(said) if said else 1.0
    if covered < _ENOUGH or (arguments.missing and not (asked or named)):
        return None
    return score + covered, _plan(tool, arguments, words)


def _plan(tool: Tool, arguments: Arguments, words: Sequence[str]) -> Plan:
    missing, concepts = arguments.missing, tool_concepts(split_name(tool.name))
    if concepts == {"recall"} and len(missing) == 1:
        # "What did we talk about?" is about everything.
        return Plan(tool, {**arguments.values, missing[0].name: ""}, (), arguments.boxes)
    if (
        len(missing) == 1
        and missing[0].is_text
        and "remind" in tool_concepts(split_name(tool.name))
    ):
        # "Set a timer for five minutes": the reminder is about the timer itself.
        said = next((what for word, what in _ENDS_ITSELF.items() if word in words), None)
        if said:
            return Plan(tool, {**arguments.values, missing[0].name: said}, (), arguments.boxes)
    if arguments.boxes and not arguments.about and not missing:
        # A caller can't say a box, so the question is what to locate.
        missing = (Parameter("what", "string", "", required=True),)
    return Plan(
        tool, arguments.values, missing, arguments.boxes, arguments.about, arguments.several
    )


def _same_direction(
    words: Sequence[str], name_words: Sequence[str], described: Sequence[str]
) -> bool:
    """Whether the sentence and the tool both start something, or both end it: "stop watching"."""
    wants_end = bool(_ENDING & set(words[:4]))
    return bool(_ENDING & set(name_words)) == wants_end or (
        wants_end and bool(_ENDING & set(described))
    )


def _is_request(words: Sequence[str], name_words: Sequence[str]) -> bool:
    first = _verb(words)
    return bool({words[0], first} & ASKING) or (
        first not in LITTLE and stem(first) in {stem(word) for word in name_words}
    )


def _verb(words: Sequence[str]) -> str:
    """The main word of a request: "please ADD milk", "I want a REFUND"."""
    for at, word in enumerate(words):
        wished = at and (words[at - 1] in _WISH) and word in _ARTICLES
        if word not in _POLITE and not wished:
            return word
    return ""
