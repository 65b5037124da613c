"""Requests about a thing in any words: "could you spot my keys" is about the keys. Pure.

The nearest example tells what a sentence asks for, but not about which thing. The thing's name
follows one of a few words in the sentence. A phrase found here is a guess, which the examples
confirm.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from vision_agent.local.contract import Request
from vision_agent.local.engine.language.phrase_rules import COLOURS

_ENDS = frozenset(
    """is are was were do does did can could would will has have had got am be been being in on at
    to from for of off by with under behind near next inside into onto over out up down around here
    there anywhere somewhere outside now right please and or but when if while that which who i you
    we they he she it see seen looks look lying standing sitting left gone not isnt visible in
    altogether exactly like moving holding you've whether still already yet today
    this that these those live them him us me""".split()  # noqa: SIM905
)
"""Words that do not occur in the name of a thing."""

_DETERMINER = (
    "(?:a|an|any|some|another|the|my|our|your|his|her|their|this|that|these|those|all|of|more)"
)
_COLOUR = rf"(?P<colour>{'|'.join(COLOURS)})"
_SCENE = frozenset("picture image photo camera view frame scene part side corner half".split())  # noqa: SIM905
_NO_KIND = frozenset(
    """colour colours time day date number side text language languages year size thing things
    object objects one name price month question questions way direction shade""".split()  # noqa: SIM905
)
_TOLD = (
    "tell me|let me know|warn me|say so|alert me|notify me|inform me|ping me|shout|say something"
    "|speak up|give me a (?:sign|shout|nod|heads up)|gimme a shout|holler|call me|say|tell us"
    "|let us know"
)

_HAPPENS = (
    r"\w*(?:s|ed|ing)|came|went|left|fell|(?:be)?come|go|move|happen|change|appear|enter|leave|fall"
    r"|knock|there|here|at"
)
NO_EVENT = rf"(?:some|any)(?:thing|one|body)(?!.* (?:{_HAPPENS})(?: |$))(?: |$)"
"""Words about something or somebody without an event: the verb was probably misrecognised."""

_KEPT = r"(?: (?:remember|save|keep|memorise|learn|store|do not forget|it is|he is|she is)\b.*)?$"
"""What may follow the name of a thing that is taught."""

_PHRASES: tuple[tuple[str, str], ...] = (
    (
        "count_colour",
        rf"(?:how many|count(?: all)?(?: the)?|number of) {_COLOUR}(?: (?P<object>.+))?",
    ),
    ("count", r"\b(?:how many|^count(?: up)?|count|number of) (?P<things>.+)"),
    ("what_kind", r"\b(?:kind|sort|type|breed|species|make|variety|model) of (?P<object>.+)"),
    ("what_kind", r"^(?:what|which) (?:kind|sort|type|breed|species|make|brand) (?P<object>.+)"),
    ("what_kind", r"^(?:what|which) (?P<object>.+?) (?:is|are) (?:this|that|it|these|those)\b"),
    (
        "watch",
        rf"\b(?:{_TOLD}) (?:when|whenever|if|as soon as|once|the moment|in case)"
        rf" (?P<event>(?!{NO_EVENT}).+)",
    ),
    ("watch", r"\b(?:watch(?: out)? for|keep an eye on|look out for|wait for) (?P<event>.+)"),
    ("is_colour", rf"\b(?:does|do) (?P<object>.+?) (?:look|seem|appear) {_COLOUR}"),
    (
        "is_colour",
        rf"\b(?:call|say|describe) (?:this|that|it|these|those)(?: is| are| as)? {_COLOUR}",
    ),
    (
        "any_colour",
        rf"\b(?:anything|something|any|some|a|an)(?: thing| that is)? {_COLOUR}\b"
        r"(?: (?P<object>.+))?",
    ),
    ("is_colour", rf"\b(?:is|are) (?P<object>.+) {_COLOUR}"),
    (
        "is_known",
        r"\b(?:could|can|might|may|would) (?:this|that|it|these|those)(?: thing| one)?"
        r"(?: possibly| maybe| perhaps)? be (?P<whose>a|an|my|our|the|some) (?P<name>.+)",
    ),
    (
        "is_known",
        r"\b(?:is|are|say|think|call|was) (?:this|that|it|these|those)(?: thing| one)?(?: is)?"
        r" (?:really |maybe |actually )?(?P<whose>a|an|my|our|the|some) (?P<name>.+)",
    ),
    ("is_known", r"\blooks? like (?P<whose>a|an|my|our|the|some) (?P<name>.+)"),
    (
        "is_known",
        r"\b(?:is|am i) .*?(?:holding|looking at|showing you|wearing) (?P<whose>a|an|my|our|some)"
        r" (?P<name>.+)",
    ),
    ("is_known", r"^(?:this|that|it) is (?P<whose>a|an) (?P<name>.+?) (?:is|right|or)\b.*"),
    (
        "where",
        r"^(?:is|are) (?P<target>.+?) (?:(?:on|to|at|in) )?(?:the |my )?"
        r"(?:left|right|top|bottom)(?: side)? or\b",
    ),
    (
        "where",
        r"\b(?:which|what) (?:side|corner|part|half|direction|way|shelf)(?: of the \w+)?"
        r" (?:is|are) (?!.*\b(?:moving|going|facing|running|heading)\b)(?P<target>.+)",
    ),
    (
        "where",
        r"\b(?:locate|looking for|seen|lost|^where|whereabouts|(?:find|where is|where are)"
        r"(?! an?| any| some)) (?P<target>.+)",
    ),
    (
        "is_thing",
        r"(?:(?:^is|^are)(?= an? | any | some )|\b(?:there|see|spot|notice|detect|have|got|find))"
        r"(?: maybe| also| still)? (?:a|an|any|some|another|my|the) (?P<object>.+)",
    ),
    ("is_thing", r"\b(?:is|are) there (?P<object>.+)"),
    ("is_thing", r"^any (?P<object>.+)"),
    ("point", r"\b(?:point(?: out)?(?: at| to)?|highlight|mark|circle|box around) (?P<target>.+)"),
    ("point", r"\bshow me where (?P<target>.+)"),
    ("side", r"\b(?:on|in|at|to|about) (?:\w+ )?(?P<side>left|right|middle|centre|center)\b"),
    ("colour", r"\bcolours? (?:is|are|was|does|do|has|have|of) (?P<object>.+)"),
    (
        "read",
        r"^what (?:is|are) (?:the|this|that|its) (?:\w+ ){0,3}?(?:number|title|brand|address)\b",
    ),
    (
        "read",
        r"^what (?:is|are) on (?:the|this|that|my) (?:label|page|paper|sign|receipt|box|packet"
        r"|package|bottle|screen|card|letter|note|menu)$",
    ),
    ("read", r"\bwhat (?:does|do) (?:it|this|that|(?:the|my|this|these)(?: \w+){1,2}) say\b"),
    ("read", r"\bwhat (?:it|this|that|(?:the|my|this|that) \w+) says\b"),
    ("read", r"^read(?:ing)? (?:(?:out|aloud|me|us) )*(?:this|that|the|these|my)\b"),
    ("total", r"\bhow much (?:is|are|was|were|does|do|did) (?P<object>.+)"),
    (
        "teach",
        r"\b(?:this|that|it|these|those|he|she)(?: one| here)? (?:is|are) (?P<whose>my|our)"
        rf" (?P<name>.+?){_KEPT}",
    ),
    ("teach", rf"\b(?:is|are) (?:called|named) (?P<name>.+?){_KEPT}"),
    (
        "teach",
        r"\b(?:remember|learn|save|memorise|store) (?:this|that|it|these|those)(?: one)? as"
        r" (?:(?P<whose>my|our|the) )?(?P<name>.+)",
    ),
    ("forget", r"\bforget(?: about)? (?P<whose>my|our|the) (?P<name>.+)"),
)
"""Phrases of a sentence and the parts that they name. The first one that names something counts."""

_WITH_PART = {"count": "count", "colour": "colour", "total": "total"} | {
    "is_thing": "see",
    "is_known": "what_is",
    "what_kind": "what_is",
    "side": "see",
    "is_colour": "colour",
    "any_colour": "colour",
    "count_colour": "count",
}
"""The intents of sentences in which the part is not found."""

_NEEDED = frozenset({"where", "point", "watch", "teach"})
"""Requests that need their part."""


_TELLING = frozenset(
    """text writing word words letter letters label sign page line number numbers title name note
    price total bill receipt sum amount cost code barcode qr screen card date face faces person
    people man woman men women child children boy girl someone somebody friend camera video picture
    light colour colours time day weather voice microphone thing things object objects one ones
    watch timer alarm left right middle animal animals fruit language languages difference change
    question answer help reminder movement motion door""".split()  # noqa: SIM905
)
"""Nouns that tell the intent: a label is read, while a cup may be asked about in any way."""


_NAMES = ("things", "object", "target", "name")


def without_thing(sentence: str) -> tuple[str, str] | None:
    """The sentence with "cup" in place of its thing, and the thing; None without a thing.

    In a sentence of a few words the thing outweighs the question: "where is the bus" is nearer to
    "which bus do you take" than to "where is the cup".
    """
    guesses = [guess for guess in guessed(sentence) if "event" not in guess.slots]
    named = [guess.slots[slot] for guess in guesses for slot in _NAMES if slot in guess.slots]
    if not guesses:
        return None
    for thing in (*named, *_things(sentence)):
        noun = _named(thing)
        if noun and not _TELLING & set(noun.split()):
            other = "cups" if re.search("[^su]s$", noun) else "cup"
            return sentence.replace(noun, other, 1), noun
    return None


def guessed(sentence: str) -> Iterator[Request]:
    """The requests about a thing whose phrases occur in a normalised sentence, likeliest first."""
    for intent, phrase in _COMPILED:
        found = phrase.search(sentence)
        if found is None:
            continue
        slots = _parts(found)
        if intent in ("is_known", "is_thing") and " or " in sentence:
            continue
        if slots is not None and not (
            intent == "what_kind" and slots["object"].split()[0] in _NO_KIND
        ):
            yield Request(intent, slots, loose=True)


def with_parts(intent: str, sentence: str) -> Request | None:
    """The request with its parts; None if it lacks a part that it needs.

    Args:
        intent: The sentence's intent.
        sentence: Normalised.
    """
    if intent in ("is_known", "is_thing") and " or " in sentence:
        return Request("what_is", loose=True)
    guesses = list(guessed(sentence))
    if intent in ("is_colour", "is_thing") and (
        found := next((one for one in guesses if one.intent == "any_colour"), None)
    ):
        return found
    if found := next((one for one in guesses if one.intent == intent), None):
        return found
    things = _things(sentence)
    if things and intent in ("where", "point"):
        return Request(intent, {"target": things[-1]}, loose=True)
    if things and intent in ("is_thing", "is_known"):
        whose, _, name = things[-1].partition(" ")
        part = {"object": name} if intent == "is_thing" else {"whose": whose, "name": name}
        return Request(intent, part, loose=True)
    colour = next((word for word in sentence.split() if word in COLOURS), None)
    if colour and intent in ("is_colour", "any_colour"):
        return Request(intent, {"colour": colour}, loose=True)
    if intent in _NEEDED:
        return None
    return Request(_WITH_PART.get(intent, intent), loose=True)


def _parts(found: re.Match[str]) -> dict[str, str] | None:
    slots: dict[str, str] = {}
    for name, value in found.groupdict().items():
        if value is None:
            continue
        slots[name] = value if name in ("event", "colour", "side", "whose") else _named(value)
        if name == "target" and (things := _things(value)):
            slots[name] = things[-1]
        if not slots[name]:
            if "colour" not in slots:
                return None
            del slots[name]
    if "things" in slots and slots["things"].split()[0] in ("them", "these", "those", "this", "me"):
        return None
    return slots


def _named(text: str) -> str:
    """The thing's name at the beginning of a text, without its article; empty if there is none."""
    words = re.sub(rf"^(?:{_DETERMINER} )+", "", f"{text} ").split()
    end = next((at for at, word in enumerate(words) if word in _ENDS), len(words))
    return " ".join(words[: min(end, 4)])


def _things(sentence: str) -> list[str]:
    """The things with an article in a sentence, in order; places only if there are no others."""
    found: list[tuple[bool, str]] = []
    words = sentence.split()
    for at, word in enumerate(words[:-1]):
        if word in ("a", "an", "any", "some", "the", "my", "our", "your", "his", "her", "their"):
            name = _named(" ".join(words[at + 1 :]))
            place = at > 0 and words[at - 1] in ("in", "on", "of", "at", "under", "from", "near")
            if name and name not in _SCENE:
                found.append((place, f"{word} {name}"))
    return [name for place, name in found if not place] or [name for _, name in found]


_COMPILED = tuple((intent, re.compile(phrase)) for intent, phrase in _PHRASES)
