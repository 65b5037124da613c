"""Questions about real photographs; `tests/photographs/LICENSES.md` says whose they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.local.engine.answers.asking import ask
from vision_agent.local.contract import Dialogue, SeenFrame
from vision_agent.local.engine.answers.responder import Responder

pytestmark = pytest.mark.asyncio(loop_scope="module")

PHOTOGRAPHS = Path(__file__).parents[3] / "photographs"

CAT = (
    ("What do you see?", "I see a cat in the middle."),
    ("Is this a dog?", "I don't think so: it looks like a cat."),
    ("What kind of animal is this?", "It looks like a "),
    ("Are you sure?", "I'm fairly sure that it is a cat"),
    ("How many animals are there?", "One animal."),
    ("Is anybody there?", "I don't see anyone."),
)
CUP = (
    ("What am I holding?", "It looks like a "),
    ("Where is the cup?", "I see a cup in the middle."),
    ("Is there a bottle?", "No, I don't see a bottle."),
    ("Is there a spaceship?", "I can't recognise a spaceship."),
)
PERSON = (
    ("How many people do you see?", "I see one person in the middle."),
    ("How many faces do you see?", "There is one face"),
    ("Who is that?", "I see one person in the middle. Who it is I can't tell."),
    ("Is there a cup?", "No, I don't see a cup."),
)


@pytest.mark.parametrize(
    ("photograph", "conversation"), [("chelsea", CAT), ("coffee", CUP), ("astronaut", PERSON)]
)
async def test_what_a_photograph_shows_is_told_and_nothing_else(
    responder: Responder, photograph: str, conversation: tuple[tuple[str, str], ...]
) -> None:
    shown = SeenFrame((PHOTOGRAPHS / f"{photograph}.jpg").read_bytes(), 0)
    dialogue = Dialogue()
    for question, answer in conversation:
        said = await ask(responder, question, shown, dialogue=dialogue)
        assert str(said).startswith(answer), question
