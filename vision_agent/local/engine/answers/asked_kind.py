"""Which kind of thing a caller's words mean, among the kinds that sight can name. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from vision_agent.detection import object_detector
from vision_agent.detection.kinds import ENDS_NOUN, LABELS, OTHER_WORDS
from vision_agent.local.engine.language.normalisation import normalise
from vision_agent.local.engine.language.phrase_rules import COLOURS
from vision_agent.local.engine.language.vocabulary import plural
from vision_agent.local.engine.sight.everyday import kind_of, of_sort, words

_OTHER_WORDS = {
    word: name
    for name, others in {
        **OTHER_WORDS,
        "backpack": "rucksack",
        "bucket": "pail",
        "loudspeaker": "speaker",
        "laptop": "macbook",
        "tea pot": "teapot",
        "television": "tv telly",
    }.items()
    for word in others.split()
}
"""Callers' words for things that sight names differently."""

_SEVERAL = {
    "mouse": ("mouse", "computer mouse"),
    "glass": ("beer glass", "wine glass"),
    "pet": ("cat", "dog", "hamster", "rabbit"),
    "computer": ("laptop", "desktop computer"),
    "bag": ("backpack", "handbag", "suitcase"),
    "luggage": ("backpack", "suitcase"),
    "cutlery": ("fork", "knife", "spoon"),
    "food": (
        *("apple", "bagel", "banana", "bread", "broccoli", "burger", "cake", "carrot", "doughnut"),
        *("hot dog", "ice cream", "lemon", "orange", "pineapple", "pizza", "pretzel", "sandwich"),
        "strawberry",
    ),
    "furniture": ("chair", "desk", "sofa", "table", "bookcase", "bench", "bed"),
    "seat": ("chair", "sofa", "bench"),
    "vehicle": (
        *("airplane", "ambulance", "bicycle", "boat", "bus", "car", "fire engine", "motorcycle"),
        *("ship", "tractor", "train", "truck"),
    ),
    "container": (
        *("barrel", "basket", "bottle", "bowl", "box", "bucket", "jug", "mug", "pot", "vase"),
    ),
    **{sort: tuple(of_sort(sort)) for sort in ("animal", "bird", "insect", "fruit", "building")},
}
"""Callers' words for several kinds."""

_NARROWER = {
    "bird": "robin sparrow pigeon crow seagull eagle blackbird stork",
    "boat": "canoe kayak sailboat yacht",
    "car": "taxi cab van jeep suv limousine",
    "dog": "retriever labrador poodle husky terrier beagle bulldog dachshund spaniel",
    "flower": "rose tulip daisy",
    "horse": "pony",
    "monkey": "ape chimpanzee gorilla baboon",
    "person": "cyclist driver player worker waiter waitress runner dancer baby",
}
"""Callers' words for narrower kinds, which sight can't distinguish."""

_FILLERS = frozenset(
    """a an the my our your this that these those any some big small large little nice old new other
    first second plastic""".split()  # noqa: SIM905
)


_NO_NARROWER = frozenset({"cup", "coffee cup", "desk"})
"""Kinds that have no narrower ones, because people use the word for the whole kind."""


@dataclass(frozen=True, slots=True)
class AskedKind:
    """A kind of thing that the caller asks about.

    Attributes:
        called: The noun for the kind in an answer, in the singular: "cup", "shoe" for boots.
        kinds: The words under which sight counts things of this kind (`everyday.kind_of`).
        exact: The caller's noun where it is narrower than the kind: "wine bottle"; else empty.
        colour: The colour that the caller named; empty if none.
        mine: Whether the caller asks for a thing of their own, and not for any.
    """

    called: str
    kinds: frozenset[str]
    exact: str = ""
    colour: str = ""
    mine: bool = False

    @property
    def is_found(self) -> bool:
        """Whether sight finds every single one; others it names only close up, one at a time."""
        return self.kinds <= _found()

    def fits(self, name: str) -> bool:
        """Whether a thing with this name is of this kind."""
        return kind_of(name) in self.kinds

    @property
    def full(self) -> str:
        """The noun with the colour: "green cup"."""
        return f"{self.colour} {self.called}".strip()


def asked_kind(text: str) -> AskedKind | None:
    """The kind that a few words mean: "the green cups", "a bottle of water"; None if unknown."""
    said = normalise(text).split()
    end = next((at for at, word in enumerate(said) if at and word in ENDS_NOUN), len(said))
    said = said[:end]
    colour = next((word for word in said if word in COLOURS), "")
    rest = [word for word in said if word not in COLOURS and word not in _FILLERS]
    if not rest and colour == "orange":
        rest, colour = [colour], ""
    for start in range(len(rest)):
        found = _nouns().get(" ".join(rest[start:]))
        if found is not None:
            return AskedKind(*found, colour, bool({"my", "our"} & set(said)))
    return None


@cache
def _found() -> frozenset[str]:
    return frozenset({"mouse", *(kind_of(label) for label in object_detector.LABELS)})


@cache
def _nouns() -> dict[str, tuple[str, frozenset[str], str]]:
    """Nouns, singular and plural, with the attributes ``called``, ``kinds`` and ``exact``."""
    meant: dict[str, tuple[str, ...]] = {word: (word,) for word in (*words(), *LABELS)}
    meant |= {word: (of,) for word, of in _OTHER_WORDS.items()}
    meant |= _SEVERAL
    found = {}
    for word, names in meant.items():
        kinds = frozenset(kind_of(name) for name in names)
        narrower = names == (word,) and word not in _NO_NARROWER and kind_of(word) != word
        entry = (kind_of(word), kinds, word) if narrower else (word, kinds, "")
        found[plural(word)] = found[word] = entry
    for kind, narrower_words in _NARROWER.items():
        for word in narrower_words.split():
            found[plural(word)] = found[word] = (kind, frozenset({kind_of(kind)}), word)
    # Sight can't tell whether a person is a woman or a child.
    human = OTHER_WORDS["person"].split()
    return found | dict.fromkeys([*human, *map(plural, human)], found["person"])
