"""What the local engine can be asked, in one table.

The table is both the grammar the recogniser listens for (``grammar.py`` writes it out as JSGF) and
the pattern a typed sentence is matched with, so that what is heard and what is answered can not
drift apart. A phrase is written in the notation of JSGF 1.0: ``[optional]``, ``(this | that)`` and
``<rule>``; the words are lower case, without contractions ("what's" is expanded before matching).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from vision_agent.local.contract import Request
from vision_agent.local.engine.language.intents_about_things import ABOUT_THINGS
from vision_agent.local.engine.language.intents_for_tools import FOR_TOOLS
from vision_agent.local.engine.language.other_words import (
    FEWEST_HEARD,
    LEADS,
    MORE_RULES,
    OTHER_WORDS,
    TYPED_ONLY,
)
from vision_agent.local.engine.language.phrase_rules import COLOURS, FREE, RULES, SLOTS, Intent
from vision_agent.local.engine.language.vocabulary import NOUNS

MOST_CHARACTERS = 1_000
"""Some 200 words: many times what the longest request has."""


SMALL_TALK = frozenset({"hello", "thanks", "how_are_you", "yes", "fine"})
"""What one says beside the thing that one asks for."""

__all__ = ["COLOURS", "INTENTS", "RULES", "Intent", "Request", "normalise", "understand"]

INTENTS: tuple[Intent, ...] = (
    Intent(
        "see",
        (
            "what (do | can) you see [<here>]",
            "[can you | could you | please] (tell | show) me what you [can] see [<here>]",
            "[can you | could you | please] describe (what you [can] see | this | it | the scene"
            " | the picture | the image | the room) [to me | for me]",
            "what (is | are) (in front of (you | me) | in the (picture | image) | on the table)",
            "what am i looking at",
            "what (is | are) (here | there | happening | going on) [now]",
            "what does (it | this | that) look like",
            "what do i look like",
            "[take a] look at (this | that | it | me)",
            "do you see (this | that | it | anything | something)",
            "can you see (this | that | it | anything | something)",
            "[can you | could you | please] tell me what (it | this | that) is",
        ),
    ),
    Intent(
        "colour",
        (
            "(what | which) colour is (<it> | (the | this | that | my) <thing>) [<here>]",
            "(what | which) colour (do you see | can you see) [<here>]",
            "(what | which) <many> (do you see | can you see | are there) [<here>]",
            "(what | which) <many> (are (these | those | they) | is <it>)",
            "what is the colour of (<it> | (the | this | that | my) <thing>)",
            "what is (its | this | that | the) colour",
            "[can you | could you | please] tell me (the | its | this) colour"
            " [of (<it> | (the | this | that | my) <thing>)]",
            "[can you | could you | please] tell me (what | which) colour"
            " (<it> | (the | this | that | my) <thing>) is",
            "(name | describe) the colour",
        ),
    ),
    Intent(
        "is_colour",
        (
            "is (<it> | (the | this | that | my) <thing>) <colour>",
            "(do | can) you see [anything | something] <colour>",
        ),
    ),
    Intent(
        "read",
        (
            "[can you | could you | please | will you] read"
            " (<it> | the text | this text | that text | the words | the sign | the label"
            " | the (page | paper | screen | card | letter | note)) [to me | for me | out loud]",
            "[can you | could you | please] read (what it says | what is written | what this says)",
            "read [out] [loud]",
            "what does (it | this | that | the text | the sign | the label | the page | the paper"
            " | the screen | the card | the note) say",
            "what (is | does it) (written | say) [here | there | on it | on this | on the (paper"
            " | page | sign | label | screen)]",
            "what is (the | this | that) text",
            "[can you | could you | please] tell me what (it | this | that) says",
            "[can you | could you | please] read what is on"
            " (<it> | (the | this | that | my) <thing>)",
            "is there [any] (text | writing) [<here>]",
            "do you see any (text | writing | words)",
        ),
    ),
    Intent(
        "code",
        (
            "is there (a | any | the) <qr> [<here>] [what does it say | and what does it say]",
            "is (this | that | it) a <qr>",
            "(do | can) you see (a | any | the) <qr> [what does it say | and what does it say]",
            "[can you | could you | please] (scan | read | check) (the | this | that | a) <qr>",
            "what does (the | this | that) <qr> say",
            "what is (in | on) (the | this | that) <qr>",
            "what is (the | this | that) <qr>",
        ),
    ),
    Intent(
        "changed",
        (
            "what [has | have | is] changed [<here>]",
            "what is (new | different) [<here>]",
            "(did | has) (anything | something) (change | changed | move | moved)",
            "is [there] (anything | something) (new | different)",
            "what [has | have | did] (moved | move | happened | happen | appeared)",
            "what did i (change | move | do | put there | take away)",
            "do you (see | notice) (a | any | the) (change | changes | difference | differences)",
            "can you (see | tell me) what [has] changed",
            "tell me what [has] changed",
        ),
    ),
    Intent(
        "people",
        (
            "how many (people | persons | faces) (do | can) you see [<here>]",
            "how many (people | persons | faces) are (there | here | in the picture | in the image"
            " | in the room | in front of you)",
            "(do | can) you see (a | any | my) (face | faces | person | people | human) [<here>]",
            "(do | can) you see (anyone | anybody | someone | somebody) [<here>]",
            "is (anyone | anybody | someone | somebody) (there | here | in the picture"
            " | in the room | in front of you)",
            "(is | are) there (anyone | anybody | (a | any) (face | faces | person | people))"
            " [<here>]",
            "(am i | are we) in the picture",
            "count the (people | faces)",
        ),
    ),
    Intent(
        "light",
        (
            "is it [too] (dark | bright | light) [<here> | enough]",
            "is there [enough | any] light [<here>]",
            "is the picture [too] (dark | bright | blurred | blurry | sharp)",
            "how (dark | bright) is it [<here>]",
            "is the light (on | off)",
        ),
    ),
    Intent(
        "hello",
        (
            "hello [there | again]",
            "hi [there]",
            "hey [there]",
            "good (morning | afternoon | evening)",
        ),
    ),
    Intent("how_are_you", ("how are you [doing] [today]", "how is it going")),
    Intent(
        "stop",
        (
            "[please] stop [it | that | talking | speaking | now]",
            "[please] be quiet",
            "quiet",
            "silence",
            "shut up",
            "[that is] enough",
            "stop stop",
            "never mind",
            "(ok | okay) [stop]",
        ),
    ),
    Intent(
        "thanks",
        (
            "(thank you | thanks) [very much | so much | a lot]",
            "(great | good | cool) thank you",
            "thank you goodbye",
        ),
    ),
    Intent("bye", ("(goodbye | good bye | bye | bye bye)", "see you [later | soon | tomorrow]")),
    Intent(
        "help",
        (
            "what can you (do | tell me | help [me] with)",
            "what [else] can i (ask | ask you | say | do)",
            "what do you do",
            "[can you | please] help [me]",
            "how can you help [me]",
            "how does this work",
        ),
    ),
    Intent("hear_me", ("(can | do | could) you hear me [now]", "are you (there | listening)")),
    Intent("see_me", ("(can | do | could) you see me [now]", "is my camera (on | working)")),
    Intent(
        "who",
        ("who are you", "what are you", "what is your name", "are you [a] (human | robot | real)"),
    ),
    Intent(
        "repeat",
        (
            "[please | can you] (say | repeat) that [again]",
            "[please | can you] say it again",
            "repeat [it] [please]",
            "what did you say",
            "pardon",
            "once (more | again)",
        ),
    ),
    *ABOUT_THINGS,
    *FOR_TOOLS,
    # Listened for only so that they are not taken for something else: "what time is it" sounds
    # like "what colour is it". The agent's tools may answer them; the engine can't.
    Intent(
        "beyond",
        (
            "what time is it [now]",
            "what is the (time | date | weather) [like] [today]",
            "what (day | date) is it [today]",
            "(how | what) is the weather [like] [today]",
            "tell me a (joke | story)",
            "good idea",
        ),
    ),
)

# No "and", "so" or "now": the recogniser finds those in any noise before a short word.
GREETING = "hello | hi | hey | okay | please"
COURTESY = "please | thank you | thanks"

_CONTRACTIONS = (
    (r"\b(what|who|how|where|there|that)'?s\b", r"\1 is"),
    (r"\b(it|he|she)'s\b", r"\1 is"),
    (r"\bi'?m\b", "i am"),
    (r"\b(you|they|we)'re\b", r"\1 are"),
    (r"\bdon't\b", "do not"),
    (r"\bcan't\b", "can not"),
    (r"\b(is|are|was|were|does|did|has|have|had|would|could|should)n't\b", r"\1 not"),
    (r"\b(i|you|we|they)'ve\b", r"\1 have"),
    (r"\b(i|you|we|they|he|she|it)'ll\b", r"\1 will"),
    (r"\b(i|you|we|they|he|she)'d\b", r"\1 would"),
    # "5 p.m.", "5 o'clock", and the cat's eyes.
    (r"\b([ap])\.\s?m\b\.?", r"\1m"),
    (r"\bo'clock\b", "oclock"),
    (r"\b([a-z]+)'s\b", r"\1s"),
    (r"\bcolor(s?)\b", r"colour\1"),
    (r"\brecogniz", "recognis"),
    (r"\bmemorize\b", "memorise"),
    (r"\bgray\b", "grey"),
    (r"\bbar-code\b", "barcode"),
    (r"\bqr-code\b", "qr code"),
    (r"\bbye-bye\b", "bye bye"),
)


def normalise(text: str) -> str:
    """Lower case, contractions expanded, British spelling, single spaces, no punctuation.

    Of a longer text the first `MOST_CHARACTERS` count: whatever is matched with it, matching stays
    a matter of milliseconds.
    """
    text = text[:MOST_CHARACTERS].lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    for pattern, replacement in _CONTRACTIONS:
        text = re.sub(pattern, replacement, text)
    return " ".join(re.sub(r"[^a-z0-9 ]+", " ", text).split())


def understand(
    text: str, names: Collection[str] | None = None, agents: Collection[str] = ()
) -> Request | None:
    """What a sentence, or several in one breath, asks for.

    Of several sentences that are understood the first that asks for something counts ("Hello!
    What do you see?" asks what is seen); if any sentence is not understood, none is: half an
    answer would hide that the rest was lost.

    Args:
        text: As typed, or as the recogniser wrote it.
        names: What has been taught besides the vocabulary, for what was heard: names are then
            believed only if they are known. None for what was typed: any words may be a name.
        agents: Whom one can ask for in what was heard, likewise.

    Returns:
        The request, or None for what the table does not hold.
    """
    text = text[:MOST_CHARACTERS]
    whole = _match(normalise(text), names, agents)
    if whole is not None:
        return whole
    sentences = [normalise(part) for part in re.split(r"[.!?;]+(?:\s|$)", text)]
    requests = [_match(sentence, names, agents) for sentence in sentences if sentence]
    understood = [request for request in requests if request is not None]
    if not understood or len(understood) < len(requests):
        return None
    if {request.intent for request in understood} == {"code", "read"}:
        return Request("code")
    return next((r for r in understood if r.intent not in SMALL_TALK), understood[0])


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
    return _match_loosely(sentence, heard=names is not None)


def _match_loosely(sentence: str, *, heard: bool) -> Request | None:
    if heard and len(sentence.split()) < FEWEST_HEARD:
        return None
    for intent, pattern in _LOOSE_PATTERNS:
        if heard and intent in TYPED_ONLY:
            continue
        slots = _slots(pattern, sentence)
        if slots is not None and " or " not in f" {slots.get('object', '')} ":
            return Request(intent, slots, loose=True)
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
    """Whether a name in what was heard is one that the grammar holds."""
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
            # A slot that may come twice is told under its name and a number.
            group = name
            while group in used:
                group += "0"
            if name in SLOTS:
                used.add(group)
            if name in FREE and (typed or name in ("name", "agent")):
                inner = f"(?:[a-z0-9]+ ){{1,{FREE[name]}}}?"
            else:
                inner = _regex(_ALL_RULES[name], typed=typed, used=used)
            if name == "target" and not typed:
                # A taught name may stand there too; `_is_heard` checks that it is one.
                inner += f"|(?:the |a |my |our ){_regex('<name>', typed=False, used=used)}"
            parts.append(f"(?P<{group}>{inner})" if name in SLOTS else f"(?:{inner})")
        else:
            parts.append(f"{token} ")
    return "".join(parts)


_NO_NAMES = frozenset("it this that these those what there here you me i".split())  # noqa: SIM905
"""What stands for a thing is no name of it."""


_ALL_RULES = {**RULES, **MORE_RULES}


def _patterns(
    intents: Sequence[Intent], *, typed: bool, leads: str = GREETING
) -> tuple[tuple[str, re.Pattern[str]], ...]:
    def whole(phrase: str) -> str:
        greeting, courtesy = _regex(leads), _regex(COURTESY)
        return f"(?:{greeting})*?(?:{_regex(phrase, typed=typed)})(?:{courtesy})?"

    return tuple(
        (intent.name, re.compile(whole(phrase))) for intent in intents for phrase in intent.phrases
    )


_PATTERNS = _patterns(INTENTS, typed=True)
_HEARD_PATTERNS = _patterns(INTENTS, typed=False)
_LOOSE_PATTERNS = _patterns(OTHER_WORDS, typed=True, leads=LEADS)
