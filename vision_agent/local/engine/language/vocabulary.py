"""Names of everyday things that the grammar has wherever a thing may be named."""

from __future__ import annotations

from collections.abc import Iterable

_ONE = """
    apple bag ball banana basket battery bear bell belt blanket board boat book bottle bowl box
    bracelet bread brush bucket button cable cake calculator calendar camera can candle cap car card
    case chair charger clock coat coin comb computer cookie cup dice doll door drink drum envelope
    eraser fan flag flashlight flower folder fork frame fruit glass glove guitar hammer hat helmet
    jacket jar key keyboard knife lamp laptop leaf lemon letter lid lighter lock magazine map
    marker mask medal medicine microphone mirror monitor mouse mug napkin necklace newspaper
    notebook orange package paint pan paper passport pen pencil phone picture pill pillow plant
    plate pot printer purse puzzle radio ring rock rope ruler sandwich screw screwdriver
    shell shirt shoe sock soap spoon stamp stapler stick sticker stone suitcase sweater tablet
    tape telephone ticket tie tomato tool toothbrush towel toy tray truck umbrella vase wallet
    watch wheel whistle
""".split()  # noqa: SIM905

_ALWAYS_MANY = "glasses headphones jeans keys pants scissors sunglasses".split()  # noqa: SIM905

_IRREGULAR = {
    "leaf": "leaves",
    "knife": "knives",
    "loaf": "loaves",
    "wolf": "wolves",
    "shelf": "shelves",
    "mouse": "mice",
    "foot": "feet",
    "tooth": "teeth",
    "goose": "geese",
    "dice": "dice",
    "person": "people",
    "man": "men",
    "woman": "women",
    "child": "children",
    "sheep": "sheep",
    "fish": "fish",
    "goldfish": "goldfish",
    "broccoli": "broccoli",
}


def plural(noun: str) -> str:
    """The plural of an English noun: "boxes" of "box", "computer mice" of "computer mouse"."""
    *before, last = noun.split(" ")
    return " ".join([*before, _plural(last)])


def _plural(noun: str) -> str:
    if noun in _IRREGULAR:
        return _IRREGULAR[noun]
    if noun in _ALWAYS_MANY:
        return noun
    if noun.endswith(("s", "x", "ch", "sh", "tomato", "potato")):
        return f"{noun}es"
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return f"{noun[:-1]}ies"
    return f"{noun}s"


NOUNS = tuple(sorted({*_ONE, *_ALWAYS_MANY}))
"""The nouns for things that are taught or asked for by voice."""

PLURALS = tuple(sorted({plural(noun) for noun in NOUNS}))


def singular(word: str) -> str:
    """A noun of the list for its plural; any other word unchanged."""
    return _SINGULARS.get(word, word)


_SINGULARS = {plural(noun): noun for noun in NOUNS}


def alternatives(words: Iterable[str]) -> str:
    """The words as a JSGF alternative."""
    return " | ".join(words)
