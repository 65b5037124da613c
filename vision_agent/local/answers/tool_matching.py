"""Whether a declared tool is plainly asked for, and with which arguments. Pure.

There is no understanding here: words are compared. So a tool is called only when next to nothing
else was said, and only when every argument it must have can be taken from the words; if one is
missing, it is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from vision_agent.local.answers.tool_arguments import Arguments, fill, one_value
from vision_agent.local.answers.tool_schema import Parameter, Tool, read_tool
from vision_agent.local.answers.tool_words import (
    ASKING,
    LITTLE,
    asked_concepts,
    split_name,
    stem,
    stems,
    tool_concepts,
)
from vision_agent.local.contract import CallTool
from vision_agent.local.language.intents import normalise

_ENOUGH = 0.75
"""Part of the words said that the tool's own words must account for."""

_CONCEPT = 2.0
"""What a way of asking counts that is this tool's, where a word of its name counts 1."""

_POLITE = ("please", "can", "could", "would", "will", "you", "i", "want", "like", "to", "d")

_ENDING = frozenset("stop cancel clear remove delete end forget".split())  # noqa: SIM905

_TRANSFER = "transfer_to_agent"

NEEDED = "I only need to know"
"""What a question for a missing argument contains; so it is recognised in the history."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A tool that is asked for.

    Attributes:
        tool: Which.
        values: The arguments that were said.
        missing: Required ones that were not.
        boxes: Arguments that are places in the picture of what ``about`` names.
        about: What the request is about.
    """

    tool: Tool
    values: dict[str, Any]
    missing: tuple[Parameter, ...] = ()
    boxes: tuple[Parameter, ...] = ()
    about: str = ""

    @property
    def call(self) -> CallTool:
        """The call, as far as it is known."""
        return CallTool(self.tool.name, self.values)

    @property
    def question(self) -> str:
        """Asks for the first argument that is missing."""
        parameter = self.missing[0]
        words = " ".join(parameter.words)
        if parameter.choices and len(parameter.choices) <= 5:
            listed = ", ".join(str(choice) for choice in parameter.choices[:-1])
            words += f": {listed} or {parameter.choices[-1]}" if listed else ""
        article = "" if words in ("what", "who", "where", "when") else "the "
        return f"I can do that. {NEEDED} {article}{words}."


def match_tool(text: str, tools: Sequence[Mapping[str, Any]]) -> CallTool | None:
    """The call that is plainly asked for, if nothing is missing; see `plan_tool`."""
    plan = plan_tool(text, tools)
    return plan.call if plan and not plan.missing and not plan.boxes else None


def plan_tool(text: str, tools: Sequence[Mapping[str, Any]]) -> Plan | None:
    """The tool that is plainly asked for, if exactly one fits best.

    Args:
        text: What was said or typed.
        tools: Function declarations as in the setup message.
    """
    words = normalise(text).split()
    if not words:
        return None
    fitting: list[tuple[float, Plan]] = []
    for declared in tools:
        if declared.get("name") == _TRANSFER:  # see agent_transfer
            continue
        found = _fit(words, read_tool(declared))
        if found is not None:
            fitting.append(found)
    fitting.sort(key=lambda one: -one[0])
    if not fitting or (len(fitting) > 1 and fitting[0][0] == fitting[1][0]):
        return None
    return fitting[0][1]


def complete(
    answer: str, history: Sequence[tuple[str, str]], tools: Sequence[Mapping[str, Any]]
) -> Plan | None:
    """The tool that was asked for before, if the agent then asked and this is the answer.

    Args:
        answer: What was said or typed now.
        history: ``(role, text)``, oldest first.
        tools: Function declarations.
    """
    earlier = [entry for entry in history if entry[0] in ("user", "model")]
    # The question's own turn may stand at the end already.
    while earlier and earlier[-1] == ("user", answer):
        earlier.pop()
    if len(earlier) < 2 or earlier[-1][0] != "model" or NEEDED not in earlier[-1][1]:
        return None
    asked = [text for role, text in earlier[:-1] if role == "user"]
    values: dict[str, Any] = {}
    # With two arguments missing there were two questions; the first words asked for the tool.
    answers = [answer]
    for back in range(len(asked) - 1, -1, -1):
        plan = plan_tool(asked[back], tools)
        if plan is None:
            answers.insert(0, asked[back])
            continue
        for parameter, said in zip(plan.missing, answers, strict=False):
            value = one_value(parameter, said)
            if value is None:
                return None
            values[parameter.name] = value
        missing = tuple(p for p in plan.missing if p.name not in values)
        about = plan.about or next((v for v in values.values() if isinstance(v, str)), "")
        return replace(plan, values={**plan.values, **values}, missing=missing, about=about)
    return None


def _fit(words: Sequence[str], tool: Tool) -> tuple[float, Plan] | None:
    described = normalise(tool.description).split()
    name_words = split_name(tool.name)
    concepts = tool_concepts(name_words) or tool_concepts(described)
    asked = [found for found in asked_concepts(words) if found[0] in concepts]
    phrase = (asked[0][1], asked[0][2]) if asked else None
    if not asked and not _is_request(words, name_words):
        return None
    if not _same_direction(words, name_words, described):
        return None
    arguments = fill(tool, words, phrase)
    own = stems(name_words)
    known = own | stems(described)
    for parameter in tool.parameters:
        known |= stems(parameter.words) | {
            word for choice in parameter.choices for word in stems(split_name(str(choice)))
        }
    # "turn on", "set", "get": how one asks, whatever for.
    said = stems(arguments.rest) - ({stem(word) for word in ASKING} - known)
    named = said & own
    score = len(named) + (_CONCEPT if asked else 0.0)
    if not asked and not (said | stems(words)) & known:
        return None
    covered = len(said & known) / len(said) if said else 1.0
    if covered < _ENOUGH or (arguments.missing and not (asked or named)):
        return None
    return score + covered, _plan(tool, arguments)


def _plan(tool: Tool, arguments: Arguments) -> Plan:
    missing = arguments.missing
    if arguments.boxes and not arguments.about and not missing:
        # A place of what? The parameter itself can't be asked for in words.
        missing = (Parameter("what", "string", "", required=True),)
    return Plan(tool, arguments.values, missing, arguments.boxes, arguments.about)


def _same_direction(
    words: Sequence[str], name_words: Sequence[str], described: Sequence[str]
) -> bool:
    """Whether both begin something, or both end it: "stop watching" is no wish to watch."""
    wants_end = bool(_ENDING & set(words[:4]))
    return bool(_ENDING & set(name_words)) == wants_end or (
        wants_end and bool(_ENDING & set(described))
    )


def _is_request(words: Sequence[str], name_words: Sequence[str]) -> bool:
    first = next((word for word in words if word not in _POLITE), "")
    return bool({words[0], first} & ASKING) or (
        first not in LITTLE and stem(first) in {stem(word) for word in name_words}
    )
