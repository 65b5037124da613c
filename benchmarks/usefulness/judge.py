"""The verdict on an answer: right, an honest refusal, wrong, or useless. Pure functions.

The rules were written with the questions, before any answer was seen:

- *wrong*: it states something false: a name of what is not in the photograph, a wrong number,
  colour, side or hour, or what the question lists as untrue. "Perhaps" before it excuses nothing.
- *right*: it contains what a right answer contains. A sentence that refuses, says what one could
  ask, or repeats what was asked, states nothing.
- *honest refusal*: it says that it doesn't know, can't or did not understand.
- *useless*: neither. Silence, something else, or something true that nobody asked for.

What is false decides first: an answer that is half right is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from .questions import Photograph, Question
from .vocabulary import COLOURS, GENERIC, NUMBERS, THINGS


class Verdict(StrEnum):
    """The verdict on an answer."""

    RIGHT = "right"
    REFUSAL = "honest refusal"
    WRONG = "wrong"
    USELESS = "useless"


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict, and the rule that made it, in a few words."""

    verdict: Verdict
    why: str


_NEGATED = (
    r"(?:do not|don't|did not|didn't|can ?not|can't|could not|couldn't|am not|'m not|have not"
    r"|haven't)"
)
_ABLE = (
    r"(?:knows?|tell|say|see|make|recogni[sz]e|identify|answer|help|do|hold|have|sure|certain|able|read|"
    r"understand|understood|find|look|remember|hear|catch|get|talk|judge|think)"
)
REFUSAL = re.compile(
    "|".join(
        (
            r"\btoo (?:much|many|small|dark|far|little)\b.*\bto\b",
            rf"\bI ?{_NEGATED} (?:\w+ )?{_ABLE}|\bI (?:can ?not|can't) \w",
            r"\bnot (?:\w+ )?(?:sure|certain|able)\b",
            r"\bunable to\b|\bno (?:idea|way (?:to|of))\b|\bbeyond (?:me|what)",
            r"\bonly (?:know|understand|find|recogni[sz]e)\b|\bout of my (?:reach|depth)",
            r"\b(?:say|ask|repeat)\b.*\bagain\b|\bonce more\b|\bpardon\b|\bsorry\b",
            r"\b(?:nobody|no one) has (?:told|taught) me\b|\bI know (?:nothing|little)\b",
            r"\bneeds? (?:a network|the internet|a (?:bigger|larger) model)",
        )
    ),
    re.IGNORECASE,
)
_ADVICE = re.compile(
    r"^(?:Tell me|Ask me|Show me|Try|Say|Hold|You asked)\b|\bfor example\b", re.IGNORECASE
)
_SENTENCE_END = re.compile(r"(?<=[.!?;])\s+|,?\s+but\s+", re.IGNORECASE)
_NEGATION = re.compile(
    r"\b(?:no|not|nothing|isn't|aren't|don't|can't|without)\b|n't\b", re.IGNORECASE
)
_IS = r"(?:'s| is| are|'re)"
_NAMING = re.compile(
    rf"(?:looks? like|seems? to be|\b(?:it|this|that|they|these|there){_IS}|\bI (?:can )?see"
    r"|\bperhaps|\bmaybe|\bprobably|\bholding|\byou have)\s+"
    r"(?:perhaps |maybe |probably |most likely )?(?:an?|one|two|three|some)\s+([a-z' -]+)",
    re.IGNORECASE,
)
_PARTS = re.compile(r",| and | with | on | in | at | to | or | from | of ")
_APPROXIMATE = re.compile(
    r"\b(?:about|around|roughly|approximately|perhaps|some|nearly|maybe)\b", re.IGNORECASE
)
_NAMED = {"name", "holding", "describe", "follow-up"}
_LOOKED_AT = _NAMED | {"colour", "count", "where", "people", "teach", "watch"}
_NONE_SEEN = r"\b(?:don't|do not|can't) see any(?:one|body)?\b"
_CLOCK_TOLERANCE_MIN = 2


def judge(
    question: Question, shown: Sequence[Photograph], answer: str, asked_at: datetime
) -> Judgement:
    """Judge one answer.

    Args:
        question: What was asked.
        shown: All that the camera showed in this call.
        answer: The agent's words; for `then_show` those that came unasked.
        asked_at: The hour at the place of the agent.
    """
    answer = " ".join(answer.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").split())
    if not answer:
        return Judgement(Verdict.USELESS, "silence")
    sentences = [s for s in _SENTENCE_END.split(answer) if not _ADVICE.search(s)]
    stated = [s for s in sentences if question.negative or not REFUSAL.search(s)]
    if question.count and re.search(_NONE_SEEN, answer, re.IGNORECASE):
        return Judgement(Verdict.WRONG, "number: none")
    if false := _false(question, shown, stated, asked_at):
        return Judgement(Verdict.WRONG, false)
    if _is_right(question, " ".join(stated), asked_at):
        return Judgement(Verdict.RIGHT, "")
    if REFUSAL.search(answer):
        return Judgement(Verdict.REFUSAL, "")
    return Judgement(Verdict.USELESS, "not what was asked")


def _false(
    question: Question, shown: Sequence[Photograph], stated: Sequence[str], asked_at: datetime
) -> str | None:
    text = " ".join(stated)
    for pattern in question.untrue:
        if found := re.search(pattern, text, re.IGNORECASE):
            return f"false: {found[0]}"
    if question.count is not None:
        return _wrong_number(question, text)
    if question.clock:
        times = times_in(text)
        return f"the hour: {times}" if times and not _near(times, asked_at) else None
    if question.date:
        days = [d for d in _DAYS if re.search(rf"\b{d}\b", text, re.IGNORECASE)]
        return f"the day: {days}" if days and _DAYS[asked_at.weekday()] not in days else None
    if re.search("colou?r", question.ask):
        said = [w for w in _words(text) if w in COLOURS]
        return f"colour: {said[0]}" if said and not _is_right(question, text, asked_at) else None
    if question.kind not in _LOOKED_AT:
        return None
    affirmed = [s for s in stated if not _NEGATION.search(s)]
    return _false_name(question, shown, affirmed) or _false_colour(shown, affirmed)


def _wrong_number(question: Question, text: str) -> str | None:
    said = numbers_in(text)
    return f"number: {said[0]}" if said and not _counted_right(question, text) else None


def _counted_right(question: Question, text: str) -> bool:
    assert question.count is not None
    slack = question.about if _APPROXIMATE.search(text) else 0
    return any(abs(number - question.count) <= slack for number in numbers_in(text))


def _false_name(
    question: Question, shown: Sequence[Photograph], stated: Iterable[str]
) -> str | None:
    true = [*(p.holds for p in shown), *question.right]
    own = set(_words(" ".join(question.asked)))
    for sentence in stated:
        # A right name of several words ("flower pot") is taken out as a whole.
        rest = sentence.lower()
        for pattern in true:
            rest = re.sub(rf"\b(?:{pattern})\b", " ", rest, flags=re.IGNORECASE)
        for word in _words(rest):
            if _singular(word) in THINGS - COLOURS and not {word, _singular(word)} & own:
                return f"name: {word}"
        if question.kind not in _NAMED:
            continue
        for phrase in _NAMING.findall(sentence.lower()):
            for part in _PARTS.split(phrase):
                known = any(re.search(rf"\b(?:{p})\b", part, re.IGNORECASE) for p in true)
                left = [w for w in _words(part) if w not in GENERIC and w not in own]
                if left and not known:
                    return f"name: {part.strip()}"
    return None


def _false_colour(shown: Sequence[Photograph], stated: Iterable[str]) -> str | None:
    true = "|".join(p.colours for p in shown)
    for word in _words(" ".join(stated)):
        if word in COLOURS and not re.fullmatch(true, word, re.IGNORECASE):
            return f"colour: {word}"
    return None


def _is_right(question: Question, text: str, asked_at: datetime) -> bool:
    if question.count is not None:
        return _counted_right(question, text)
    if question.clock:
        return _near(times_in(text), asked_at)
    if question.date:
        return bool(
            re.search(_DAYS[asked_at.weekday()], text, re.IGNORECASE)
            or (
                f"{asked_at:%B}" in text and re.search(rf"\b{asked_at.day}(?:st|nd|rd|th)?\b", text)
            )
        )
    if not question.right:
        return False
    found = sum(bool(re.search(pattern, text, re.IGNORECASE)) for pattern in question.right)
    return found >= (question.at_least or len(question.right))


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z]+(?:'[a-z]+)?", text.lower())


def _singular(word: str) -> str:
    for ending, instead in (("ies", "y"), ("ves", "f"), ("xes", "x"), ("ches", "ch"), ("s", "")):
        if word.endswith(ending) and word[: -len(ending)] + instead in THINGS:
            return word[: -len(ending)] + instead
    return word


def numbers_in(text: str) -> list[int]:
    """All numbers, in digits or words ("twenty-four" is one)."""
    found = []
    pattern = rf"\b(?:(twenty|thirty|forty|fifty)[- ])?({'|'.join(NUMBERS)}|\d+)\b"
    for tens, units in re.findall(pattern, text.lower()):
        number = int(units) if units.isdigit() else NUMBERS[units]
        found.append(NUMBERS[tens] + number if tens else number)
    return found


_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def times_in(text: str) -> list[tuple[int, int]]:
    """Hours and minutes, as "9:05", "9.05 pm", "nine fifty-two" or "ten o'clock"."""
    text = text.lower()
    found = [(int(h), int(m)) for h, m in re.findall(r"\b(\d{1,2})[:.](\d{2})\b", text)]
    if not found:
        spoken = re.sub(r"\bo'clock\b", "0", text)
        numbers = numbers_in(re.sub(r"\boh\b", "", spoken))
        found = [(numbers[0], numbers[1])] if len(numbers) > 1 else []
    return [(h, m) for h, m in found if h < 24 and m < 60]


def _near(times: Sequence[tuple[int, int]], now: datetime) -> bool:
    half_day = 12 * 60
    minute = (now.hour * 60 + now.minute) % half_day
    for hour, past in times:
        apart = ((hour * 60 + past) - minute) % half_day
        if min(apart, half_day - apart) <= _CLOCK_TOLERANCE_MIN:
            return True
    return False
