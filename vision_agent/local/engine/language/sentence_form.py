"""The form of a sentence: question, request, negation or statement. Pure.

A statement is near in meaning to the question that it answers ("it is too dark"), so only the form
tells them apart.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from vision_agent.local.engine.language.normalisation import MOST_CHARACTERS, normalise

_QUESTIONS = frozenset("what who whose whom where which why when how whereabouts".split())  # noqa: SIM905
_AUXILIARIES = frozenset("is are was were am did does has have had".split())  # noqa: SIM905
_MODALS = frozenset("can could would will do may might shall should any anything".split())  # noqa: SIM905
_PERSONS = frozenset("i you we they he she it".split())  # noqa: SIM905
_LEADS = frozenset(
    """please and so hey okay ok well but hello hi now no um uh er oh then sorry maybe just actually
    alright right also yes yeah yo kindly""".split()  # noqa: SIM905
)
_BEFORE_NOT = frozenset(
    "please and so hey okay ok but i we you should must no want really".split()  # noqa: SIM905
)
_VERBS = frozenset(
    """alert cancel check circle compare count decode describe draw estimate examine explain find
    forget guess help highlight identify inform inspect introduce keep let list locate look magnify
    mark name notify point read recite recognise remind remember repeat say scan search set
    shout show shut silence slow speak spot start stop summarise summarize talk tell turn wake warn
    watch what zoom give gimme quiet take have be translate play sing call order write add
    subtract divide multiply learn memorise save change lower raise ping wipe erase delete quit hush
    holler spell""".split()  # noqa: SIM905
)
"""Verbs with which a request to this agent begins."""

_FRAMES = re.compile(
    r"\b(i (want|need|would like|wish) (you )?to|i wonder|i am looking for"
    r"|i can not find(?! an? | any )|i lost|i have lost|have you seen"
    r"|(and|what about|how about) (on|in|at)|do you (know|mind)|open the (qr|link|code)"
    r"|tell me|let me know|put a|any (idea|clue|chance)"
    r"|(no idea|not sure|can not (tell|see|make out)|wants? to know|wondering|hoping)( by \w+)?"
    r" (what|who|where|which|whether|if|how|you)) "
)
"""Words that turn a statement into a request."""

_OTHERS = (
    "mom|mum|mommy|mummy|mama|dad|daddy|papa|grandma|grandpa|granny|honey|darling|sweetheart"
    "|sweetie|kids|children|boys|girls|guys|doctor|officer|professor|waiter|sir|madam|nurse"
)
_TO_OTHERS = re.compile(
    r"^(?:(?:hey|oh|okay|ok|please|so|and|but|excuse me|sorry|look|no|yes|my)[, ]+)*"
    rf"(?:{_OTHERS})(?:[,!.?]| (?:what|who|where|when|why|how|which|did|do|can|could|will|would)\b)"
    rf"|, (?:{_OTHERS})\W*$"
)
_STORY = re.compile(
    r"\bwhat (?:happened|happens) (?:then|next|after)\b"
    r"|^(?:and|so|but|then) (?:then )?what happened$|^(?:and |so )?then what(?: happened| did|$)"
    r"|\b(?:did|does|do|has|have|would|will) (?:he|she|they) "
    r"(?:say|said|tell|told|do|think|want|mean)\b"
    r"|^(?:(?:and|so|then|but|well) )*(?:i|he|she|they|we) (?:said to|told|asked)"
    r" (?:her|him|them)\b"
    r"|\bwhere did (?:we|you|he|she|they) (?!see\b)"
)
"""Questions about stories, and about what somebody else said."""

_OF_A_KIND = re.compile(
    r"\bhow (?:much|old|tall|big|long|far|fast|heavy|deep|high)\b.*"
    r" (?:do|does|is|are|can|could|will)"
    r"(?! (?:this|that|these|those|it|he|she|my|your|i|we|you)\b).* an? (?!look\b)"
    r"|\bwhere (?:do|does) .* (?:live|come from|grow)$"
    r"|\bhow many \w+ (?:live|lived|die|died|speak) "
)
"""Questions about a kind of thing and not about what is in view: "how old does a horse get"."""

_FOREIGN = frozenset(
    """el los las una que por para con del como donde esto esta hay eres puedes ves muy mi
    le les une des et dans avec pour vous tu je est ce cette quel quelle moi voyez
    der die das ein eine und ist nicht wie wo siehst du ich mir hier kannst bitte auf
    il lo gli che di sono cosa vedi questo questa puoi per non dove
    o os um uma voce isso isto nao onde estou mesa aqui tengo veo vois sur combien""".split()  # noqa: SIM905
)
"""Frequent words of Spanish, French, German, Italian and Portuguese that English lacks."""

_MARKS = re.compile("[\N{INVERTED QUESTION MARK}\N{INVERTED EXCLAMATION MARK}]")
_OTHER_SCRIPT = re.compile(r"[^\W\d_\u0000-\u024f]")

_PAST = frozenset("yesterday ago earlier previously".split())  # noqa: SIM905
_PAST_PHRASES = re.compile(r"\b(last (time|week|night|month|year)|this morning|were you)\b")


def without_negation(words: Sequence[str]) -> list[str] | None:
    """The request that a sentence negates: "do not remember my name" → "remember my name".

    None if it negates nothing: "do not forget to …" and "why do not you …" are requests.
    """
    at = 0
    while at < len(words) and words[at] in _BEFORE_NOT:
        at += 1
    rest = list(words[at:])
    if rest[:2] in (["do", "not"], ["can", "not"], ["must", "not"], ["should", "not"]):
        rest = rest[2:]
    elif rest[:4] == ["do", "not", "have", "to"] or rest[:2] == ["need", "to"]:
        rest = rest[-(len(rest) - 2) :]
    elif rest[:1] in (["never"], ["not"]):
        rest = rest[1:]
    else:
        return None
    if words[at - 1 : at] in (["i"], ["we"]) and rest[:1] not in (["want"], ["need"]):
        return None  # "I can't find it"
    if not rest or rest[0] in ("forget", "let", "you", "hear", "see", "know", "mind"):
        return None
    while rest and rest[0] in ("want", "you", "to", "ever", "have", "need"):
        rest = rest[1:]
    return rest


def is_question(words: Sequence[str]) -> bool:
    """Whether a sentence is a question rather than a request."""
    words = without_leads(words)
    first, second = (*words[:2], "", "")[:2]
    if first in ("what", "how") and second == "about":
        return False
    if first == "why" and second in ("not", "do"):
        return False
    if first in ("when", "whenever"):
        return second in _AUXILIARIES | {"do", "will", "should", "can"}
    if first == "do":
        return second in _PERSONS
    if words[:4] == ["is", "it", "possible", "to"] or second == "able":
        return False
    return first in _QUESTIONS or first in _AUXILIARIES


def without_leads(words: Sequence[str]) -> list[str]:
    """The words from the first that is no greeting or filler."""
    at = 0
    while at < len(words) - 1 and words[at] in _LEADS:
        at += 1
    return list(words[at:])


def asks(text: str) -> bool:
    """Whether a sentence, or a part of it, has the form of a question or of a request.

    Args:
        text: As typed or heard; punctuation helps.
    """
    if text.rstrip().endswith("?") or _FRAMES.search(f"{normalise(text)} "):
        return True
    pieces = re.split(r"([,.;:!?])", text)
    marks, parts = ["", *pieces[1::2]], pieces[::2]
    return any(
        _part_asks(without_leads(normalise(part).split()), after_comma=mark == ",")
        for mark, part in zip(marks, parts, strict=True)
    )


def _part_asks(words: Sequence[str], *, after_comma: bool) -> bool:
    """Whether a part between marks asks; "…, where I can find them" belongs to the part before."""
    if not words:
        return False
    first, second = (*words, "")[:2]
    if first in _QUESTIONS and second in _PERSONS and after_comma:
        return False
    return first in _VERBS | _MODALS | _QUESTIONS or is_question(words)


def is_for_others(text: str) -> bool:
    """Whether a sentence addresses somebody of the family, or is about a story or a kind of thing.

    Args:
        text: As typed or heard; punctuation helps.
    """
    plain = normalise(text)
    return bool(
        _TO_OTHERS.search(text.lower().strip()) or _STORY.search(plain) or _OF_A_KIND.search(plain)
    )


def is_foreign(text: str) -> bool:
    """Whether a typed sentence is in another language than English, by its frequent words."""
    if _MARKS.search(text) or len(_OTHER_SCRIPT.findall(text)) > len(text) // 3:
        return True
    decomposed = unicodedata.normalize("NFD", text.lower()[:MOST_CHARACTERS])
    words = re.findall(r"[a-z]+", re.sub("[\u0300-\u036f]", "", decomposed))
    known = sum(word in _FOREIGN for word in words)
    return known >= 2 and 3 * known >= len(words)


def is_past(words: Sequence[str]) -> bool:
    """Whether a sentence is about a time before this call."""
    return bool(_PAST & set(words)) or bool(_PAST_PHRASES.search(" ".join(words)))
