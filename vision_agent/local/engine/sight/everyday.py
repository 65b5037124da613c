"""The everyday words for the classifier's 1000 classes; a class without a word is never named.

Some classes have no word: those that say little by themselves (velvet, web site), that name a role
(groom), or that drawings and plain surfaces are easily taken for (envelope, matchstick). Classes
that people call by one word are merged, and their probabilities add up: 118 breeds are a dog.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from vision_agent.detection import kinds
from vision_agent.local.engine.sight.plausible import numbers

ALIKE = kinds.ALIKE | {
    "cup of coffee": "mug",
    "cowboy boot": "shoe",
    "sandal": "shoe",
    "television": "monitor",
    "purse": "handbag",
    "stove": "oven",
    "water bottle": "bottle",
    "wine bottle": "bottle",
    "beer bottle": "bottle",
    "pill bottle": "bottle",
    "carton": "box",
    "rocking chair": "chair",
    "comic book": "book",
    "football": "ball",
    "basketball": "ball",
    "volleyball": "ball",
}
"""The word under which each word is counted: for things that are easily confused, and for a kind of
something more general."""

PLURAL = frozenset({"binoculars", "jeans", "scissors", "skis", "sunglasses"})
"""Words without an article that take "are"."""

MASS = frozenset({"bread", "broccoli", "corn", "electronics", "ice cream", "toilet paper"})
"""Words without an article that take "is"."""

TOO_LARGE = frozenset(
    """airplane ambulance bathtub beach bear bed bench bicycle boat bookcase bridge bus camel
    car chair cow deer desk elephant fountain giraffe hippopotamus horse lake lion motorcycle
    mountain person piano refrigerator rocket ship shark sofa stove table tent tiger toilet
    tractor train truck whale zebra""".split()  # noqa: SIM905
) | {"fire engine", "rocking chair", "street sign", "traffic light", "washing machine"}
"""Words for things too large to hold in a hand, apart from buildings."""

# A word, and the indices of its classes.
_TABLE = """
acorn 988|airplane 404 895|ambulance 407|apple 948|artichoke 944|backpack 414|bagel 931
ball 429 522 722 852|balloon 417|banana 954|barn 425|barrel 427 756|basket 588 790|basketball 430
bathtub 435 876|beach 977 978|bear 294-297|bee 308-309|beer bottle 440|beer glass 441
beetle 300 302-307|bell pepper 945|bench 703|bicycle 444 671|binoculars 447
bird 10-23 80-83 85-86 91-96 127-129 131-143 146|boat 472 484 554 576 625 780 814 871 914
bookcase 453|bottle 737|bow tie 457|bowl 659 809|bread 930|bridge 821 839 888|broccoli 937
broom 462|bucket 463|burger 933|bus 654 779 874|butterfly 321-326|camel 354|camera 732 759
can opener 473|candle 470|car 436 468 511 609 627 656 661 751 817|carton 478|castle 483
cat 281-285|cauliflower 938|cello 486|chair 423 559|cheetah 293|church 497|clock 409 530 892
coffee maker 550|coffee pot 505|comic book 917|corkscrew 512|corn 987 998|cow 345|cowboy boot 514
crab 118-121|crocodile 49-50|cucumber 939 943|cup 968|cup of coffee 967|deer 351-353|desk 526
desktop computer 527|dog 151-268|dragonfly 319-320|drill 740|drum 541|duck 97-98|dumbbell 422 543
electronics 592 662|elephant 101 385-386|fan 545|fire engine 555|fish 0-1 389-396|flamingo 130
flower 985-986|football 805|fountain 562|fox 277-280|frog 30-32|frying pan 567 909|goat 350|goose 99
guitar 402 546|hair dryer 589|hammer 587|hamster 333 338|harp 594|hat 515 808|helmet 518 560
hen 7-8|hippopotamus 344|horse 339 603|hot dog 934|hourglass 604|ice cream 928-929|iron 606
jacket 474|jeans 608|jellyfish 107|joystick 613|jug 725 899 901|keyboard 508 810 878|koala 105
ladybug 301|lake 975|lamp 619 846|laptop 620 681|lemon 951|leopard 288-290|lighter 626
lighthouse 437|lion 291|lipstick 629|lizard 38-48|lobster 122-124|loudspeaker 632|lynx 287
magnifying glass 633|mailbox 637|mask 643|measuring cup 647|microphone 650|microwave 651
monitor 664|monkey 365-382|mosque 668|motorcycle 665 670|mountain 970 980|mouse 673|mug 504
mushroom 947 992-993 996-997|necklace 679|orange 950|owl 24|padlock 507 695|paintbrush 696
panda 388|parachute 701|parrot 87-90|peacock 84|pen 418 563|penguin 145|perfume bottle 711
phone 487 528 590|piano 579 881|pig 341-342|piggy bank 719|pill bottle 720|pillow 721
pineapple 953|pizza 963|plate 923|pomegranate 957|pot 469 521 544 738|pretzel 932|printer 713 742
puma 286|puzzle 611 918|purse 748|rabbit 330-332|racket 752|radio 482 754 848|refrigerator 760
remote control 761|rifle 413 764|rocket 657 744 812|rocking chair 765|ruler 769|saltshaker 773
sandal 774|saxophone 776|scale 778|screwdriver 784|sewing machine 786|shark 2-4|sheep 348-349
ship 403 510 628|shoe 502 630 770|shopping cart 791|snail 113|snake 52-68|soap dispenser 804
sock 806|sofa 831|spider 72-77|spoon 618 910|squirrel 335|starfish 327|stethoscope 823
stopwatch 826|stove 827|strainer 828|strawberry 949|street sign 919|sunglasses 836-837|swan 100
syringe 845|table 532|teapot 849|teddy bear 850|television 851|tent 672|tie 906|tiger 292
toaster 859|toilet 861|toilet paper 700 999|towel 434|tractor 866|traffic light 920
train 466 547 565 705 820 829|tray 868|trombone 875|truck 569 675 717 864 867|trumpet 513
turtle 33-37|umbrella 879|vacuum cleaner 882|vase 883|violin 889|volleyball 890|wallet 893
washing machine 897|watch 531|water bottle 898|whale 147-148|wine bottle 907|wine glass 572 966
wolf 269-272|zebra 340
"""

_SORTS = """
insect 300-326|bird 7-24 80-100 127-146|animal 0-397|fruit 948-957
building 425 437 442 449 483 497 538 663 668 698 743 832 858 873
"""
"""What a thing is at least called if no word is likely, narrower sorts first."""


def kind_of(word: str) -> str:
    """The word under which a thing is counted: "mug" for a coffee cup, "dog" for a dog."""
    return ALIKE.get(word, word)


@cache
def words() -> tuple[str, ...]:
    """All words, in alphabetical order."""
    return tuple(sorted({*_classes(_TABLE), *_classes(_SORTS)}))


SORTS = ("insect", "bird", "animal", "fruit", "building")


@cache
def of_sort(sort: str) -> frozenset[str]:
    """The words for things of a sort: "duck", "owl" and "bird" for a bird."""
    classes = set(_classes(_SORTS)[sort])
    of_words = (*_classes(_TABLE).items(), *_classes(_SORTS).items())
    return frozenset(word for word, numbers in of_words if classes.issuperset(numbers))


@cache
def is_held(word: str) -> bool:
    """Whether a thing of that name can be held in a hand."""
    return word not in TOO_LARGE and word not in of_sort("building")


def by_word(chances: npt.NDArray[np.float32]) -> dict[str, float]:
    """The probability of each word, from those of the 1000 classes."""
    return _by(_classes(_TABLE), chances)


def by_sort(chances: npt.NDArray[np.float32]) -> dict[str, float]:
    """The probability of each sort of thing, narrower ones first: "insect" before "animal"."""
    return _by(_classes(_SORTS), chances)


def _by(classes: dict[str, list[int]], chances: npt.NDArray[np.float32]) -> dict[str, float]:
    return {word: float(chances[numbers].sum()) for word, numbers in classes.items()}


@cache
def _classes(table: str) -> dict[str, list[int]]:
    found = {}
    for entry in table.replace("\n", "|").strip("|").split("|"):
        word = entry.rstrip("0123456789- ")
        found[word] = numbers(entry[len(word) :])
    return found
