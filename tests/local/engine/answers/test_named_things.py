"""Sentences about things with a name, from what sight found."""

from __future__ import annotations

import pytest

from vision_agent.local.engine.answers import named_things
from vision_agent.local.engine.answers.asked_kind import AskedKind, asked_kind
from vision_agent.local.engine.answers.kind_answers import ABOUT_KINDS, text_on
from vision_agent.local.engine.sight import Box, Colour, Count, Named, Observations, TextLine
from vision_agent.local.engine.sight.observations import LIKELY, PERHAPS, SURE, UNKNOWN


def thing(name: str, x: float = 0.5, certainty: str = SURE, colour: str = "") -> Named:
    return Named(name, Box(x - 0.1, 0.4, 0.2, 0.2), 0.8, certainty, colour)


def seen(*things: Named, shown: Named | None = None, **more: object) -> Observations:
    return Observations(named=things, shown=shown, **more)  # type: ignore[arg-type]


LAPTOP, CUP = thing("laptop", 0.15), thing("mug", 0.85, colour="green")
BOTTLES = thing("bottle", 0.5), thing("bottle", 0.8)
NOTHING = thing("", 0.5, UNKNOWN)


@pytest.mark.parametrize(
    ("things", "said"),
    [
        ((LAPTOP, *BOTTLES), "two bottles and a laptop, the laptop on the left"),
        ((LAPTOP, CUP), "a laptop on the left and a mug on the right"),
        (
            (thing("computer mouse"), thing("computer mouse", 0.9), thing("person")),
            "two computer mice and a person, the person in the middle",
        ),
        ((thing("water bottle"), thing("bottle", 0.8)), "two bottles"),
        ((thing("sunglasses"),), "sunglasses in the middle"),
        ((thing("broccoli"), thing("orange", 0.8)), "some broccoli in the middle and an orange"),
        ((thing("cat", certainty=PERHAPS),), "perhaps a cat in the middle"),
        ((LAPTOP, thing("cat", certainty=PERHAPS)), "a laptop on the left"),
        ((), ""),
    ],
)
def test_what_is_in_view_is_listed_by_kind_with_its_place(
    things: tuple[Named, ...], said: str
) -> None:
    assert named_things.inventory(things).startswith(said)


@pytest.mark.parametrize(
    ("certainty", "answers"),
    [
        (SURE, ("It looks like a green mug.", "I'm fairly sure that it is a mug, but I can be")),
        (LIKELY, ("It looks like a green mug.", "Not quite. I think that it is a mug.")),
        (PERHAPS, ("Perhaps a mug.", "No. It may be a mug, or something else.")),
    ],
)
def test_the_less_sure_a_name_is_the_less_surely_it_is_said(
    certainty: str, answers: tuple[str, str]
) -> None:
    mug = thing("mug", colour="green", certainty=certainty)
    assert named_things.this_is(mug) == answers[0]
    assert named_things.how_sure(mug).startswith(answers[1])


@pytest.mark.parametrize(
    ("words", "called", "kinds", "colour"),
    [
        ("the green cups", "cup", {"mug"}, "green"),
        ("a bottle of water", "bottle", {"bottle"}, ""),
        ("mice", "mouse", {"mouse", "computer mouse"}, ""),
        ("women", "person", {"person"}, ""),
        ("somebody", "person", {"person"}, ""),
        ("an orange", "orange", {"orange"}, ""),
        ("an orange bottle", "bottle", {"bottle"}, "orange"),
        ("my old sneakers", "sneaker", {"shoe"}, ""),
        ("any boots on the floor", "shoe", {"shoe"}, ""),
        ("the hot dog", "hot dog", {"hot dog"}, ""),
    ],
)
def test_the_callers_word_for_a_kind_is_understood(
    words: str, called: str, kinds: set[str], colour: str
) -> None:
    asked = asked_kind(words)
    assert asked is not None
    assert (asked.called, asked.kinds, asked.colour) == (called, kinds, colour)


@pytest.mark.parametrize("words", ["the red ones", "a spaceship", "the mouse pad", "things", ""])
def test_other_words_name_no_kind(words: str) -> None:
    assert asked_kind(words) is None


LEMON = thing("lemon", colour="yellow")


@pytest.mark.parametrize(
    ("intent", "words", "found", "answer"),
    [
        ("count", "cups", seen(CUP, LAPTOP), "One cup."),
        (
            "count",
            "cups",
            seen(LAPTOP),
            "I can't find a cup; a small or hidden one I would miss.",
        ),
        ("count", "red cups", seen(CUP), "None that I can see: I see a cup."),
        ("count", "cats", seen(thing("cat", certainty=PERHAPS)), "Perhaps one cat."),
        ("count", "lemons", seen(shown=LEMON, count=Count(1, 0, "yellow", 0)), "One lemon."),
        (
            "count",
            "lemons",
            seen(shown=LEMON, count=Count(4, 0, "yellow", 0)),
            "They look like lemons. I count four yellow things that look alike.",
        ),
        ("where", "cup", seen(CUP, LAPTOP), "I see a cup on the right."),
        ("where", "lemon", seen(shown=NOTHING), "I don't see a lemon; I would know one only"),
        ("is_thing", "dog", seen(LAPTOP), "No, I don't see a dog."),
        ("is_thing", "bottles", seen(*BOTTLES), "Yes, two bottles in the middle and on the right."),
        ("any_colour", "red cup", seen(CUP), "No, I see a cup, but none that is red."),
        ("is_thing", "someone", seen(thing("person")), "Yes, a person in the middle."),
        ("count", "wine bottles", seen(*BOTTLES), "Two bottles."),
        ("is_known", "a wine bottle", seen(shown=BOTTLES[0]), "I see a bottle, but which kind it"),
        ("is_known", "a ball", seen(shown=thing("football")), "Yes, it looks like a ball."),
        ("is_known", "a lemon", seen(shown=LEMON), "Yes, it looks like a lemon."),
        ("is_known", "a lemon", seen(shown=CUP), "I don't think so: it looks like a mug."),
        ("is_known", "a cup", seen(shown=NOTHING), "I can't tell whether this is a cup."),
        ("colour", "cup", seen(CUP), "The cup is green."),
        ("is_colour", "green cup", seen(CUP), "Yes, the cup is green."),
        ("is_colour", "red cup", seen(CUP), "No. The cup is green."),
    ],
)
def test_a_question_about_a_kind_is_answered_from_what_is_named(
    intent: str, words: str, found: Observations, answer: str
) -> None:
    asked = asked_kind(words)
    assert isinstance(asked, AskedKind)
    assert " ".join(ABOUT_KINDS[intent](asked, found)).startswith(answer)


def test_people_are_counted_and_placed() -> None:
    two = thing("person", 0.15), thing("person", 0.85)
    assert named_things.everybody(seen(two[0], LAPTOP)) == "I see one person on the left."
    assert named_things.everybody(seen(*two)) == "I see two people, on the left and on the right."
    assert named_things.everybody(seen(LAPTOP)) == "I don't see anyone."


def test_a_crowd_of_things_that_overlap_has_no_number() -> None:
    crowd = [thing("person", 0.2 + 0.1 * at) for at in range(5)]
    apart = [thing("person", 0.1 + 0.25 * at) for at in range(4)]
    assert named_things.everybody(seen(*crowd)).endswith("and perhaps more; how many I can't tell.")
    assert named_things.everybody(seen(*apart)).startswith("I see four people")
    assert named_things.inventory(crowd, named_things.perhaps_more(seen(*crowd))).startswith(
        "at least five people"
    )


def test_what_only_the_classifier_names_has_the_colours_of_the_middle() -> None:
    sofa, couch = Named("sofa", Box(0, 0, 1, 1), 0.8, SURE, placed=False), asked_kind("couch")
    assert couch is not None

    def colour(*others: str) -> str:
        middle = Colour("grey", tuple(("in the middle", name) for name in others))
        return " ".join(ABOUT_KINDS["colour"](couch, seen(shown=sofa, colour=middle)))

    assert colour() == "The couch is grey."
    assert colour("brown") == "The couch is grey or brown."
    assert colour("brown", "red") == "I see a couch, but which colour to call it I can't tell."


def test_what_stands_on_a_thing_is_read_alone_if_anything_does() -> None:
    on_mug = TextLine("HELLO", 0.9, "", Box(0.8, 0.45, 0.1, 0.05))
    above = TextLine("EXIT", 0.9, "", Box(0.1, 0.05, 0.1, 0.05))
    mug, laptop = asked_kind("the mug"), asked_kind("the laptop")
    assert mug is not None
    assert laptop is not None
    found = seen(CUP, LAPTOP, text=(above, on_mug))
    assert text_on(mug, found).text == (on_mug,)
    assert text_on(laptop, found).text == (above, on_mug)
