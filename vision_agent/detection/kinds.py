"""The kinds of things that the detectors find, and people's words for them. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from vision_agent.detection import coco_detector, object_detector

LABELS = tuple(dict.fromkeys((*object_detector.LABELS, *coco_detector.LABELS)))
"""The labels of all detectors."""

ALIKE = {
    "coffee cup": "mug",
    "cup": "mug",
    "desk": "table",
    "boot": "shoe",
    "high heel": "shoe",
    "exercise bike": "bicycle",
    "vehicle": "car",
    "screen": "monitor",
}
"""Labels that a detector confuses, and the one under which they are counted."""

OTHER_WORDS = {
    "airplane": "plane aeroplane",
    "bicycle": "bike cycle",
    "camera": "webcam",
    "car": "automobile",
    "cat": "kitten kitty",
    "computer mouse": "mouse",
    "cow": "cattle bull",
    "dog": "puppy doggy",
    "doughnut": "donut",
    "handbag": "purse",
    "monitor": "screen display",
    "motorcycle": "motorbike",
    "mug": "cup teacup",
    "person": "somebody someone anybody anyone human man woman child kid boy girl guy lady adult"
    " visitor",
    "phone": "telephone smartphone cellphone mobile iphone",
    "plant": "houseplant",
    "refrigerator": "fridge",
    "remote control": "remote",
    "shoe": "sneaker trainer slipper footwear sandal",
    "sofa": "couch settee",
    "truck": "lorry",
}
"""Other words for a kind, besides its label and the regular plurals."""

_PLURALS = {
    "people": "person",
    "men": "man",
    "women": "woman",
    "children": "child",
    "ladies": "lady",
    "mice": "mouse",
    "knives": "knife",
}

ENDS_NOUN = frozenset("of on in at with near from to that which who by for behind".split())  # noqa: SIM905
"""Words that end the noun of a phrase: "a cup OF tea"."""


@dataclass(frozen=True, slots=True)
class FoundKind:
    """A kind of thing that a detector finds.

    Attributes:
        called: The caller's word for it: "cup".
        kind: The label under which it is counted: "mug".
    """

    called: str
    kind: str

    @property
    def is_person(self) -> bool:
        """Whether it is a person; the detectors can't tell a woman from a child or a visitor."""
        return self.kind == "person"

    @property
    def noun(self) -> str:
        """The noun for the found thing: "cup"; "person" for any word for people."""
        return "person" if self.is_person else self.called

    @property
    def with_article(self) -> str:
        """`a cup`, `an exercise bike`."""
        return f"{'an' if self.noun[0] in 'aeiou' else 'a'} {self.noun}"

    def fits(self, label: str) -> bool:
        """Whether a label of a detector is of this kind."""
        return ALIKE.get(label, label) == self.kind


def is_only_kind(text: str) -> bool:
    """Whether the words name a kind and nothing else: "the cup", but not "the cup falls"."""
    words = [word for word in re.findall(r"[a-z]+", text.lower()) if word not in _LITTLE]
    found = kind_in(text)
    return found is not None and len(words) <= len(found.called.split())


def kind_in(text: str) -> FoundKind | None:
    """The kind that a phrase names: "a cup of tea", "the person"; None if no detector finds it."""
    words = re.findall(r"[a-z]+", text.lower())
    end = next((at for at, word in enumerate(words) if at and word in ENDS_NOUN), len(words))
    for start in (end - 2, end - 1):
        said = " ".join(words[max(0, start) : end])
        singulars = _PLURALS.get(said, said), said.removesuffix("s"), said.removesuffix("es")
        for singular in singulars:
            if singular in _KINDS:
                return FoundKind(singular, _KINDS[singular])
    return None


_LITTLE = frozenset("a an the any some my our your another".split())  # noqa: SIM905

_KINDS = {label: ALIKE.get(label, label) for label in LABELS} | {
    word: kind for kind, words in OTHER_WORDS.items() for word in words.split()
}
