"""One table of ways of asking: the choice of a tool knows every phrase of the grammar."""

from __future__ import annotations

import random
import re

import pytest

from tests.local.engine.answers.declarations import TOOLS
from vision_agent.local.engine.answers.tool_matching import plan_tool
from vision_agent.local.engine.answers.tool_words import asked_concepts
from vision_agent.local.engine.language.intents import INTENTS
from vision_agent.local.engine.language.phrase_matching import match
from vision_agent.local.engine.language.phrase_rules import RULES
from vision_agent.local.engine.language.ways_of_asking import FURTHER, HEARD, expanded, ways


def sentences(intent: str, count: int) -> list[str]:
    """Sentences that an intent's phrases generate, chosen at random but reproducibly."""
    phrases = next(one.phrases for one in INTENTS if one.name == intent)
    chance = random.Random(7)
    made = []
    for _ in range(count):
        phrase = chance.choice(phrases)
        while rule := re.search(r"<(\w+)>", phrase):
            choices = expanded(re.sub(r"<(\w+)>", r"__\1__", RULES[rule[1]]))
            chosen = re.sub(r"__(\w+?)__", r"<\1>", chance.choice(choices))
            phrase = phrase.replace(rule[0], f"({chosen})", 1)
        made.append(chance.choice(expanded(phrase)))
    return made


@pytest.mark.parametrize(
    ("intent", "tool"),
    [("watch", "watch_for"), ("remind", "remind_me"), ("closer", "look_closely")],
)
def test_whatever_is_heard_as_a_wish_for_a_tool_finds_the_tool(intent: str, tool: str) -> None:
    for sentence in sentences(intent, 300):
        understood = match(sentence)
        assert understood is not None, sentence
        assert understood.intent == intent, sentence
        plan = plan_tool(sentence, TOOLS)
        assert plan is not None, sentence
        assert plan.tool.name == tool, sentence


@pytest.mark.parametrize("name", sorted({*HEARD, *FURTHER} - {"transfer"}))
def test_every_way_of_asking_is_known_to_the_choice_of_a_tool(name: str) -> None:
    for way in ways(name):
        assert name in {found[0] for found in asked_concepts([*way, "something"])}


def test_a_phrase_is_every_sentence_it_stands_for() -> None:
    assert expanded("a [b] (c | d [e])") == ["a b c", "a b d e", "a b d", "a c", "a d e", "a d"]
