"""The rules: the intents table as regular expressions, matched with a whole sentence. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from vision_agent.local.contract import Request
from vision_agent.local.engine.language.intents import (
    COURTESY,
    GREETING,
    INTENTS,
    SMALL_TALK,
    TO_ANYBODY,
)
from vision_agent.local.engine.language.normalisation import MOST_CHARACTERS, normalise, plain
from vision_agent.local.engine.language.phrase_rules import COLOURS, FREE, RULES, SLOTS, Intent
from vision_agent.local.engine.language.vocabulary import NOUNS


def match(
    text: str, names: Collection[str] | None = None, agents: Collection[str] = ()
) -> Request | None:
    """The request in one or several sentences.

    Of several sentences the first that is more than small talk counts: "Hello! What do you see?"
    is a question about the frame. If one of them is not understood, none is: half an answer would
    hide that the rest was lost.

    Args:
        text: As typed, or as the recogniser wrote it.
        names: For a spoken sentence, the taught names besides the vocabulary; other names are not
            believed. None for a typed sentence, in which any words may be a name.
        agents: For a spoken sentence, the agents that a caller can ask for.

    Returns:
        The request; None if the sentence is not in the table.
    """
    text = text[:MOST_CHARACTERS]
    for whole in dict.fromkeys((normalise(text), plain(normalise(text)))):
        found = _match(whole, names, agents)
        if found is not None:
            return found
    sentences = [normalise(part) for part in re.split(r"[.!?;]+(?:\s|$)", text)]
    requests = [_match(sentence, names, agents) for sentence in sentences if sentence]
    understood = [request for request in requests if request is not None]
    if not understood or len(understood) < len(requests):
        return None
    if {request.intent for request in understood} == {"code", "read"}:
        return Request("code")
    return next((r for r in understood if r.intent not in SMALL_TALK), understood[0])


def small_talk(text: str) -> Request | None:
    """What is said to anybody, "yes" or "wait a minute"; None for anything else."""
    sentence = normalise(text)
    found = (name for name, pattern in _SMALL_TALK if pattern.fullmatch(f"{sentence} "))
    return next((Request(name, loose=True) for name in found), None)


def as_meant(request: Request, text: str) -> Request:
    """The request that is meant: "how many colours" does not ask for a count of things.

    Args:
        request: What was found.
        text: The sentence.
    """
    words = set(normalise(text).split())
    things = request.slots.get("things", "")
    if request.intent == "beyond" and {"time", "date", "day"} & words:
        return Request("clock")
    if request.intent == "colour" and "colours" in words:
        return Request("colour", {"many": "colours"}, request.loose)
    thing = request.slots.get("object", "")
    if request.intent == "is_thing" and (thing in _HUMANS or thing in _PRINT):
        return Request("people" if thing in _HUMANS else "read", loose=request.loose)
    if request.intent != "count":
        return request
    if things in _HUMANS or {"us", "persons"} & words:
        return Request("people", loose=request.loose)
    colour, _, rest = things.partition(" ")
    if colour == "colours":
        return Request("colour", {"many": colour}, request.loose)
    if colour in COLOURS:
        return Request("count_colour", {"colour": colour, "object": rest or "ones"}, request.loose)
    return request


def _match(sentence: str, names: Collection[str] | None, agents: Collection[str]) -> Request | None:
    patterns = _PATTERNS if names is None else _HEARD_PATTERNS
    for intent, pattern in patterns:
        slots = _slots(pattern, sentence)
        if slots is None or (names is not None and not _is_heard(slots, names, agents)):
            continue
        named = [slots.get(slot, "").split() for slot in ("name", "target", "agent")]
        if any(words[-1] in _NO_NAMES or "or" in words for words in named if words):
            continue
        return Request(intent, slots)
    return None


def _slots(pattern: re.Pattern[str], sentence: str) -> dict[str, str] | None:
    found = pattern.fullmatch(sentence + " ")
    if found is None:
        return None
    return {
        name.rstrip("0123456789"): value.strip()
        for name, value in found.groupdict().items()
        if value
    }


def _is_heard(slots: Mapping[str, str], names: Collection[str], agents: Collection[str]) -> bool:
    """Whether the grammar holds the names in a spoken sentence."""
    if "agent" in slots and slots["agent"] not in agents:
        return False
    name = slots.get("name")
    if name is None or name in names:
        return True
    *colour, noun = name.split()
    return noun in NOUNS and (not colour or (len(colour) == 1 and colour[0] in COLOURS))


def _regex(phrase: str, *, typed: bool = True, used: set[str] | None = None) -> str:
    """The phrase as a regular expression over words that each end in one space."""
    parts: list[str] = []
    used = set() if used is None else used
    for token in re.findall(r"<\w+>|[()\[\]|]|\w+", phrase):
        if token in "([":
            parts.append("(?:")
        elif token == ")":
            parts.append(")")
        elif token == "]":
            parts.append(")?")
        elif token == "|":
            parts.append("|")
        elif token.startswith("<"):
            name = token[1:-1]
            # A slot that may occur twice is captured under its name and a number.
            group = name
            while group in used:
                group += "0"
            if name in SLOTS:
                used.add(group)
            if name in FREE and (typed or name in ("name", "agent")):
                inner = f"(?:[a-z0-9]+ ){{1,{FREE[name]}}}?"
            else:
                inner = _regex(RULES[name], typed=typed, used=used)
            if name == "target" and not typed:
                # A taught name may stand there too; `_is_heard` checks that it is one.
                inner += f"|(?:the |a |my |our ){_regex('<name>', typed=False, used=used)}"
            parts.append(f"(?P<{group}>{inner})" if name in SLOTS else f"(?:{inner})")
        else:
            parts.append(f"{token} ")
    return "".join(parts)


_HUMANS = frozenset(
    """person persons people man men woman women child children kid kids boy boys girl girls human
    humans face faces""".split()  # noqa: SIM905
)
_PRINT = frozenset("text writing words letters print numbers number digits".split())  # noqa: SIM905
_NO_NAMES = frozenset("it this that these those what there here you me i".split())  # noqa: SIM905
"""Words that refer to a thing without naming it."""


def _patterns(intents: Sequence[Intent], *, typed: bool) -> tuple[tuple[str, re.Pattern[str]], ...]:
    def whole(phrase: str) -> str:
        greeting, courtesy = _regex(GREETING), _regex(COURTESY)
        return f"(?:{greeting})*?(?:{_regex(phrase, typed=typed)})(?:{courtesy})?"

    return tuple(
        (intent.name, re.compile(whole(phrase))) for intent in intents for phrase in intent.phrases
    )


_PATTERNS = _patterns(INTENTS, typed=True)
_HEARD_PATTERNS = _patterns(INTENTS, typed=False)
_SMALL_TALK = _patterns(TO_ANYBODY, typed=True)
