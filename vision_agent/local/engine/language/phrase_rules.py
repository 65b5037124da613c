"""Named parts of the phrases of the intents table, in the notation of JSGF 1.0."""

from __future__ import annotations

from dataclasses import dataclass

from vision_agent.local.engine.language.vocabulary import NOUNS, PLURALS, alternatives
from vision_agent.local.engine.language.ways_of_asking import HEARD

COLOURS = (
    *("red", "orange", "yellow", "green", "blue", "purple", "pink", "brown", "black", "white"),
    "grey",
)
"""The eleven basic colour terms of Berlin and Kay, as ``sight`` names them."""

RULES: dict[str, str] = {
    "colour": " | ".join(COLOURS),
    "it": "it | this | that | this one | that one",
    "thing": "thing | object | one | page | paper | picture | image | sign | label | screen | book"
    " | bottle | cup | box | card | shirt | light | wall | background",
    "here": "now | right now | here | there | in front of you | in the picture | in the image"
    " | on the table | at the moment | in the camera",
    "qr": "q r code | q r | qr code | code | bar code | barcode",
    "many": "colours",
    **{f"asks_to_{name}": ways for name, ways in HEARD.items()},
    "noun": alternatives(NOUNS),
    "things": f"things | objects | of them | {alternatives(PLURALS)}",
    "whose": "my | our | the | a | an",
    "name": "[<colour>] <noun>",
    "target": "(the | a | any) [<colour>] (thing | object | one | text | writing | sign | words"
    f" | face | person) | (the | a) <qr> | (the | a | my | our) [<colour>] ({alternatives(NOUNS)})",
    "event": "(something | anything | it | this) (moves | changes | happens | appears | disappears)"
    " | (a | the | my) (face | person | q r code | qr code | text | <noun>) (appears | disappears"
    " | is gone | moves | comes | is there | is back) | (someone | somebody) (comes | appears"
    " | is there | leaves)",
    "agent": "<NULL>",
    "visitor": "(a | the) (face | person | q r code | qr code | text) | (movement | people)",
    "number": "one | two | three | four | five | six | seven | eight | nine | ten | fifteen"
    " | twenty | thirty | forty five | sixty | ninety",
    "duration": "(<number> | a | an | half an) (second | seconds | minute | minutes | hour"
    " | hours)",
    "chore": "drink [some] water | take a break | call (back | home | mom | dad | the doctor)"
    " | stand up | leave | go | eat | take (my | the) (medicine | pill | pills) | check (the oven"
    " | the time | my mail) | turn off the (oven | light | stove) | stretch | sleep | wake up",
}
"""Named parts of phrases; a match passes those in ``SLOTS`` to the responder. The names for
``agent`` are known only in a conversation with several agents."""

SLOTS = frozenset(
    {"colour", "name", "noun", "whose", "target", "things", "event", "duration", "chore", "agent"}
    | {"many", "object", "side", "thing", "sort"}
)

FREE = {
    "name": 4,
    "target": 6,
    "things": 2,
    "event": 10,
    "visitor": 6,
    "chore": 15,
    "agent": 3,
    "object": 6,
    "any": 6,
}
"""Slots that may be any words in a typed sentence, and how many at most. In a spoken one they are
the rules above, because a grammar can only recognise what it holds."""


@dataclass(frozen=True, slots=True)
class Intent:
    """One kind of request, and its phrases."""

    name: str
    phrases: tuple[str, ...]
