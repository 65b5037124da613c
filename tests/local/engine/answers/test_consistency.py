"""No answer denies what another answer about the same frame affirms."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pytest

from tests.local.engine.answers.asking import ask
from vision_agent.detection.kinds import LABELS
from vision_agent.local.contract import SeenFrame
from vision_agent.local.engine.answers.asked_kind import asked_kind
from vision_agent.local.engine.answers.english import NUMBERS, with_article
from vision_agent.local.engine.answers.responder import Responder
from vision_agent.local.engine.language.understanding import Understanding
from vision_agent.local.engine.language.vocabulary import plural
from vision_agent.local.engine.sight import Box, Colour, Count, Named, Observations, Sight
from vision_agent.local.engine.sight.everyday import words
from vision_agent.local.engine.sight.observations import LIKELY, PERHAPS, SURE

pytestmark = pytest.mark.asyncio(loop_scope="module")

PHOTOGRAPHS = Path(__file__).parents[3] / "photographs"

OTHER_NOUNS = (
    *("kitten", "puppy", "couch", "teacup", "bike", "telephone", "rucksack", "fridge", "animal"),
    *("pet", "fruit", "insect", "vehicle", "furniture", "container", "building", "computer"),
)
"""Callers' synonyms for sight's words, and words for several kinds."""

DENIES = re.compile(
    r"^No\b|\bNone\b|I don't (?:see|think so)|I can't (?:recognise|count|find)"
    r"|I see (?:no\b|nothing)"
)
AFFIRMS = re.compile(rf"^(?:Yes|Perhaps|{'|'.join(map(str.capitalize, NUMBERS[1:]))})\b|^I see")
NUMBER = re.compile(rf"\b(?:{'|'.join(NUMBERS[1:])})\b", re.IGNORECASE)

BOX = {"type": "ARRAY", "items": {"type": "INTEGER"}, "description": "[ymin, xmin, ymax, xmax]"}
POINT = {
    "name": "point_at",
    "description": "Points at a thing that the camera shows.",
    "parameters": {"type": "OBJECT", "properties": {"box_2d": BOX}, "required": ["box_2d"]},
}

FRAME = SeenFrame(b"", 0)
SOME = (
    "apple",
    "lake",
    "bird",
    "cat",
    "coffee cup",
    "phone",
    "pot",
    "sofa",
    "truck",
    "bottle",
)
"""Words of every sort: confused with one another, of a wider kind, too large for a hand."""


class Saw(Sight):
    """Sight whose observations a test sets."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = Observations()

    async def observe(self, *_: object, **__: object) -> Observations:
        return self.seen


def detected(*names: str, certainty: str = SURE) -> Observations:
    """What sight reports of things that the detector finds side by side."""
    things = tuple(
        Named(name, Box(0.1 + 0.25 * at, 0.3, 0.2, 0.4), 0.6, certainty, "red")
        for at, name in enumerate(names)
    )
    return Observations(named=things, shown=things[0], colour=Colour("red"))


def classified(name: str, certainty: str = SURE, count: Count | None = None) -> Observations:
    """What sight reports of a thing that only the classifier names, before a busy background."""
    thing = Named(name, Box(0.15, 0.15, 0.7, 0.7), 0.6, certainty, placed=False)
    counted = count or Count(0, 0, "", 0, busy=True)
    return Observations(named=(), shown=thing, colour=Colour("red"), count=counted)


@cache
def nouns_for(name: str) -> list[str]:
    """The callers' words for a thing, without narrower ones."""
    asked = {noun: asked_kind(noun) for noun in (*words(), *LABELS, *OTHER_NOUNS)}
    return [noun for noun, kind in asked.items() if kind and kind.fits(name) and not kind.exact]


def questions(noun: str) -> list[str]:
    one = with_article(noun)
    return [
        f"how many {plural(noun)} are there?",
        f"is there {one}?",
        f"where is the {noun}?",
        f"what colour is the {noun}?",
        f"is this {one}?",
    ]


async def denials(
    responder: Responder, nouns: Iterable[str], frame: SeenFrame = FRAME
) -> list[tuple[str, str]]:
    """The questions about things in view whose answers deny them, with the answers."""
    asked = [question for noun in nouns for question in questions(noun)]
    answers = [(question, str(await ask(responder, question, frame))) for question in asked]
    return [(question, answer) for question, answer in answers if DENIES.search(answer)]


@pytest.fixture(scope="module")
def saw() -> Saw:
    return Saw()


@pytest.fixture(scope="module")
def blind(saw: Saw, understanding: Understanding) -> Responder:
    """A responder that answers about the set observations."""
    return Responder(saw, understanding=understanding)


@pytest.mark.parametrize("certainty", [SURE, LIKELY, PERHAPS])
@pytest.mark.parametrize("name", SOME)
async def test_what_is_seen_is_denied_by_no_answer_under_no_word_for_it(
    blind: Responder, saw: Saw, name: str, certainty: str
) -> None:
    nouns = nouns_for(name)
    assert nouns
    for seen in (detected(name, certainty=certainty), classified(name, certainty)):
        saw.seen = seen
        assert await denials(blind, nouns) == []


@pytest.mark.parametrize("name", SOME)
async def test_what_only_the_classifier_names_has_no_number_and_no_place(
    blind: Responder, saw: Saw, name: str
) -> None:
    saw.seen = classified(name)
    counted = str(await ask(blind, f"how many {plural(name)} are there?", FRAME))
    assert "how many there are I can't tell" in counted
    assert not NUMBER.search(counted)
    pointed = await ask(blind, f"point at the {name}", FRAME, tools=[POINT])
    assert pointed == f"I see {with_article(name)}, but where exactly I can't tell."
    saw.seen = classified(name, count=Count(1, 0, "red", 0))
    counted = str(await ask(blind, f"how many {plural(name)} are there?", FRAME))
    assert counted.startswith("One ")


async def test_what_is_absent_is_affirmed_by_no_answer(blind: Responder, saw: Saw) -> None:
    saw.seen = detected("cat", "mug")
    seen = {"cat", "mug"}
    absent = [noun for noun in OTHER_NOUNS if not any(asked_kind(noun).fits(n) for n in seen)]  # type: ignore[union-attr]
    assert len(absent) > 5
    for noun in absent:
        for question in questions(noun)[:3]:
            assert not AFFIRMS.search(str(await ask(blind, question, FRAME))), question


@pytest.mark.parametrize(
    ("noun", "answer"), [("duck", "I see a bird."), ("robin", "I see a bird"), ("cat", "No, I")]
)
async def test_a_narrower_kind_than_is_known_is_neither_affirmed_nor_denied(
    blind: Responder, saw: Saw, noun: str, answer: str
) -> None:
    saw.seen = classified("bird", LIKELY)
    said = str(await ask(blind, f"is there a {noun}?", FRAME))
    assert said.startswith(answer)
    assert ("Which kind I can't tell." in said) is (noun != "cat")


@pytest.mark.parametrize(("noun", "many"), [("cup", "cups"), ("person", "men")])
async def test_where_there_may_be_more_there_is_no_number(
    blind: Responder, saw: Saw, noun: str, many: str
) -> None:
    name = "mug" if noun == "cup" else noun
    saw.seen = detected(name)
    assert saw.seen.named
    other = Named(name, Box(0.7, 0.3, 0.2, 0.4), 0.35, PERHAPS)
    saw.seen = Observations(named=(*saw.seen.named, other), shown=saw.seen.shown)
    said = str(await ask(blind, f"how many {many} are there?", FRAME))
    assert said.endswith("and perhaps more; how many I can't tell.")
    assert not NUMBER.search(said)
    assert str(await ask(blind, "how many things are there?", FRAME)).startswith("At least one")


async def test_a_lake_is_held_by_nobody(blind: Responder, saw: Saw) -> None:
    saw.seen = classified("lake")
    said = await ask(blind, "what am I holding?", FRAME)
    assert said == "I don't know what you hold. It looks like a lake."


async def test_of_many_alike_things_of_which_few_have_a_name_there_is_no_number(
    blind: Responder, saw: Saw
) -> None:
    seen = detected("mug")
    assert seen.named
    box = seen.named[0].box
    alike = Count(8, 0, "white", 0, (box, *[Box(0.1 * n, 0.8, 0.1, 0.1) for n in range(7)]))
    saw.seen = Observations(named=seen.named, shown=seen.shown, count=alike)
    said = str(await ask(blind, "how many cups are there?", FRAME))
    assert said.endswith("and perhaps more; how many I can't tell.")
    elsewhere = Count(2, 0, "white", 0, (Box(0.8, 0.8, 0.1, 0.1), Box(0.9, 0.0, 0.1, 0.1)))
    saw.seen = Observations(named=seen.named, shown=seen.shown, count=elsewhere)
    assert str(await ask(blind, "how many cups are there?", FRAME)) == "One cup."


async def test_what_is_where_a_person_is_they_perhaps_hold(blind: Responder, saw: Saw) -> None:
    person = Named("person", Box(0.1, 0.1, 0.8, 0.9), 0.9, SURE)
    phone = Named("phone", Box(0.4, 0.5, 0.1, 0.2), 0.6, SURE)
    saw.seen = Observations(named=(person, phone), shown=phone)
    for asked in ("What's in her hand?", "what is the woman holding?"):
        said = await ask(blind, asked, FRAME)
        assert said == "Perhaps a phone: that is where I see the person."
    said = str(await ask(blind, "what is the woman doing?", FRAME))
    assert said.endswith("What they do, hold or wear I can't tell.")


async def test_what_is_going_on_it_does_not_claim_to_know(blind: Responder, saw: Saw) -> None:
    saw.seen = detected("car", "car")
    said = await ask(blind, "what's going on here?", FRAME)
    assert said == "I see two cars. What is going on beyond that I can't tell."


async def test_which_plant_it_is_a_pot_is_no_answer_to(blind: Responder, saw: Saw) -> None:
    saw.seen = classified("pot", PERHAPS)
    assert await ask(blind, "what plant is this?", FRAME) == "Which plant this is I can't tell."


@pytest.mark.parametrize("photograph", ["astronaut", "chelsea", "coffee"])
async def test_answers_about_a_photograph_agree(responder: Responder, photograph: str) -> None:
    frame = SeenFrame((PHOTOGRAPHS / f"{photograph}.jpg").read_bytes(), 0)
    described = str(await ask(responder, "What do you see?", frame))
    named = [noun for noun in (*words(), *LABELS) if re.search(rf"\ban? {noun}\b", described)]
    assert named
    nouns = {noun for name in named for noun in nouns_for(name)}
    if "person" in named:
        assert "one person" in str(await ask(responder, "how many people are there?", frame))
        nouns -= {"person"}
    assert await denials(responder, sorted(nouns), frame) == []
