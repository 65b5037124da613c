"""498 sentences that people say to an agent with a camera, and to each other.

None is among the examples. Every second sentence was used to choose thresholds and examples, the
others measure them. ``python -m tests.local.engine.language.test_understanding`` prints both.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from vision_agent.local.contract import Request
from vision_agent.local.engine.language.free_wording import with_parts
from vision_agent.local.engine.language.nearest_examples import SentenceEncoder, examples
from vision_agent.local.engine.language.normalisation import normalise
from vision_agent.local.engine.language.understanding import Proposal, Understanding
from vision_agent.local.engine.weights import WeightsError

_NONE = ("-", "not", "beyond")


def sentences() -> list[tuple[str, str, str]]:
    """Each sentence, with its intent and the slot that has to be found."""
    text = (Path(__file__).parent / "sentences.tsv").read_text(encoding="utf-8")
    rows = [line.split("\t") for line in text.splitlines()[1:]]
    return [(intent, part, said) for intent, part, said in rows]


@pytest.fixture(scope="module")
def understanding() -> Iterator[Understanding]:
    made = Understanding()
    yield made
    made.close()


def has_part(request: Request, part: str) -> bool:
    name, _, value = part.partition("=")
    found = request.slots.get(name, "")
    return found == value or (name in ("target", "event") and value in found.split())


async def judged(understanding: Understanding, half: int) -> Counter[str]:
    """How many sentences of a half are right, taken for another request, accepted and so on."""
    count: Counter[str] = Counter()
    for intent, part, said in sentences()[half::2]:
        request = await understanding.request(said)
        if intent in _NONE:
            count[f"of {intent}"] += 1
            harmless = request is None or (intent == "not" and request.intent == "no")
            count[f"accepted {intent}"] += not harmless
            continue
        count["requests"] += 1
        right = request is not None and request.intent == intent
        count["right"] += right
        count["wrong"] += request is not None and not right
        count["part missing"] += bool(right and part and request and not has_part(request, part))
    return count


async def test_what_people_ask_is_understood_and_what_they_tell_each_other_is_not(
    understanding: Understanding,
) -> None:
    count = await judged(understanding, 1)
    assert count["right"] >= 0.94 * count["requests"], count
    assert count["wrong"] <= 0.02 * count["requests"], count
    assert count["part missing"] <= 0.03 * count["requests"], count
    assert count["accepted -"] + count["accepted not"] <= 1, count
    assert count["accepted beyond"] == 0, count


@pytest.mark.parametrize(
    ("file", "right", "wrong", "accepted"),
    [
        ("held_out_sentences.tsv", 0.92, 0.02, 0),
        ("kept_back_sentences.tsv", 0.86, 0.02, 3),
        ("kept_back_sentences_2.tsv", 0.81, 0.04, 6),
        ("kept_back_sentences_3.tsv", 0.9, 0.006, 6),
        ("locked_sentences.tsv", 0.87, 0.055, 1),
    ],
)
async def test_most_requests_of_sentences_that_nothing_was_chosen_on_are_right(
    understanding: Understanding, file: str, right: float, wrong: float, accepted: int
) -> None:
    text = (Path(__file__).parent / file).read_text(encoding="utf-8")
    count: Counter[str] = Counter()
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        intents, _, said = line.partition("\t")
        request = await understanding.request(said)
        found = request.intent if request else "-"
        kind = "nothing" if intents.startswith("-") else "request"
        count[kind] += 1
        count[f"right {kind}"] += found in intents.split("|")
        count["wrong"] += kind == "request" and found != "-" and found not in intents.split("|")
    assert count["right request"] >= right * count["request"], count
    assert count["wrong"] <= wrong * count["request"], count
    assert count["nothing"] - count["right nothing"] <= accepted, count


def test_no_sentence_of_the_measure_is_an_example() -> None:
    texts = {text for _, text in examples()}
    assert not {normalise(said) for *_, said in sentences()} & texts


@pytest.mark.parametrize(
    ("said", "request_"),
    [
        (
            "could you tell me how many bottles there are on the table",
            Request("count", {"things": "bottles"}, True),
        ),
        ("where did I put my mug", Request("where", {"target": "my mug"}, True)),
        ("is there a dog anywhere", Request("is_thing", {"object": "dog"}, True)),
        ("what's that thing in my hand", Request("what_is", {}, True)),
        ("Where's the fire truck?", Request("where", {"target": "the fire truck"}, True)),
        (
            "let me know as soon as somebody walks in",
            Request("watch", {"event": "somebody walks in"}, True),
        ),
        ("don't tell me what you see", Request("no", {}, True)),
        (
            "if the tall lamp on my desk starts to flicker, tell me",
            Request("watch", {"event": "the tall lamp on my desk starts to flicker"}, True),
        ),
        ("you needn't watch the oven any more", Request("stop_watch", {}, True)),
        ("in forty minutes tell me to turn the roast", Request("remind", {}, True)),
        ("whereabouts is the qr code", Request("where", {"target": "the qr code"}, True)),
        ("there's a qr code here, tell me what's in it", Request("code", {}, True)),
        ("name this gadget for me", Request("what_is", {}, True)),
        ("do you see my face", Request("see_me", {}, True)),
        ("what did I show you before", Request("knows", {}, True)),
        ("do you see a camera", Request("is_thing", {"object": "camera"}, True)),
        (
            "tell me if something moves in front of the camera",
            Request("watch", {"event": "something moves in front of the camera"}, True),
        ),
        (
            "I'm away, so shout if you see a person",
            Request("watch", {"event": "you see a person"}, True),
        ),
        (
            "these gloves are red, aren't they",
            Request("is_colour", {"object": "these gloves", "colour": "red"}, True),
        ),
        ("is the van going left or right", Request("moving", {"object": "the van"}, True)),
        ("how many kids are there in the garden", Request("people", {}, True)),
        (
            "take my old jug out of your memory",
            Request("forget", {"whose": "my", "name": "old jug"}, True),
        ),
        ("is it nine o'clock yet", Request("clock", {}, True)),
        ("subtract 12 from 80", Request("sum", {}, True)),
        ("take a pill from the box", None),
        ("what is the title of this picture book", Request("printed", {}, True)),
        ("what colour was the car yesterday", None),
        ("who was the first president", None),
        ("what's the weather in Paris", None),
    ],
)
async def test_the_parts_of_a_request_come_out_of_free_words(
    understanding: Understanding, said: str, request_: Request | None
) -> None:
    assert await understanding.request(said) == request_


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("learn this it is my zither", "zither"),
        ("this one is called bertha save that", "bertha"),
        ("this is my blue zither remember it", "blue zither"),
        ("keep these as my zithers", None),
        ("i want you to remember this thing here", None),
    ],
)
def test_a_thing_is_taught_by_its_name_and_not_without_one(said: str, name: str | None) -> None:
    found = with_parts("teach", said)
    assert (found and found.slots["name"]) == name


async def test_the_grammar_is_believed_where_it_sounds_like_what_was_heard(
    understanding: Understanding,
) -> None:
    near, far = Proposal("stop", 0.3), Proposal("stop", 0.8)
    assert await understanding.request("Stob", near) == Request("stop")
    assert await understanding.request("Stob", far) is None


async def test_uncertain_words_make_no_request_if_other_words_make_another(
    understanding: Understanding,
) -> None:
    said, others = "Are these red?", ["Read these.", "Are these ready?"]
    for log_probability, close, understood in ((-0.6, 1, False), (-0.6, 0, True), (-0.3, 1, True)):
        text, request = await understanding.spoken_request(
            said, None, others=others, close=close, log_probability=log_probability
        )
        assert text == said
        assert (request is not None) is understood


async def test_certain_words_are_not_exchanged_for_a_proposal_and_uncertain_ones_are(
    understanding: Understanding,
) -> None:
    said, proposal = "Cone the soaps, please?", Proposal("count the soaps", 0.3)
    for log_probability, intent in ((-0.2, None), (-0.9, "count")):
        text, request = await understanding.spoken_request(
            said, proposal, log_probability=log_probability
        )
        assert (request.intent if request else None) == intent
        assert (text == said) is (intent is None)
    taught = Proposal("is this my zorblax", 0.4)
    text, request = await understanding.spoken_request("His is my Zoe blacks?", taught, ["zorblax"])
    assert text == "Is this my zorblax"


async def test_what_is_watched_for_happens_and_a_misheard_verb_leaves_the_choice_to_the_grammar(
    understanding: Understanding,
) -> None:
    said, proposal = "Tell me when something beautiful.", Proposal("tell me when it moves", 0.2)
    assert await understanding.request(said) is None
    _, request = await understanding.spoken_request(said, proposal, log_probability=-0.6)
    assert request is not None
    assert request.slots == {"event": "it moves"}
    assert await understanding.request("Tell me when something beautiful said.") is None
    for event in ("somebody knocks", "something new is there", "somebody come in"):
        happening = await understanding.request(f"Tell me when {event}.")
        assert happening is not None
        assert happening.slots == {"event": event}


@pytest.mark.parametrize(
    ("heard", "others", "intent"),
    [
        (
            "What's happening in front of the family?",
            ["What's before the camera?"],
            "see",
        ),
        ("Grate tanks", ["Great, thanks."], "thanks"),
        ("Bead the smart vent", ["Read the small print.", "Count the small prints."], None),
        ("How many people live in Germany?", ["How many people do you see?"], None),
        ("Could you pass me the salt?", ["Could you count the soaps?"], None),
    ],
)
async def test_what_may_have_been_said_as_well_counts_where_it_agrees_on_a_request(
    understanding: Understanding, heard: str, others: list[str], intent: str | None
) -> None:
    text, request = await understanding.spoken_request(
        heard, None, others=others, log_probability=-0.4
    )
    assert (request.intent if request else None) == intent
    assert text == (others[0] if intent else heard)
    for sure_or_guessed in (-0.1, -1.2):
        found = await understanding.spoken_request(
            heard, None, others=others, log_probability=sure_or_guessed
        )
        assert found == (heard, None)


@pytest.mark.parametrize(
    ("heard", "others", "close", "intent"),
    [
        ("and allow.", ("Hello?", "Hello."), 2, "hello"),
        ("I'm alive.", ("I'm alive", "Hello."), 2, "hello"),
        ("and allow.", ("Hello.",), 0, None),
        ("and allow.", ("Hello there everybody.",), 1, None),
        ("Mum, and allow.", ("How?", "Red."), 2, None),
    ],
)
async def test_a_lone_greeting_counts_where_it_is_about_as_likely_as_a_guess(
    understanding, heard, others, close, intent
):
    _, request = await understanding.spoken_request(
        heard, None, others=others, close=close, log_probability=-1.9
    )
    assert (request and request.intent) == intent


@pytest.mark.parametrize(
    ("heard", "colour"),
    [("Point at the right thing.", "red thing"), ("Do you see anything read?", "red")],
)
async def test_red_is_heard_where_a_colour_makes_a_request(
    understanding: Understanding, heard: str, colour: str
) -> None:
    text, request = await understanding.spoken_request(heard, None)
    assert request is not None
    assert colour in " ".join(request.slots.values())
    assert "red" in text
    assert (await understanding.spoken_request("I did the right thing.", None))[0].endswith(
        "right thing."
    )


@pytest.mark.parametrize(
    "said", ["¿Qué hay en la mesa?", "was siehst du hier", "Qu'est-ce que tu vois", "это что"]
)
async def test_another_language_is_told_from_english_where_it_is_typed(
    understanding: Understanding, said: str
) -> None:
    found = await understanding.request(said, spoken=False)
    assert found == Request("speak", loose=True)
    for english in ("Is this a café?", "What does a la carte mean?", "die hard or on par"):
        assert await understanding.request(english, spoken=False) != found


@pytest.mark.parametrize(
    "said",
    [
        "Dad, what time is it?",
        "how many eggs do we have left, darling?",
        "And then what happened?",
        "what happened after that",
        "What did he say?",
        "So I asked him, what colour is this, and he laughed.",
        "Tomasz, can you see the cup from there?",
        "Where is the remote, Keisha?",
        "Stop it, Bruno, that's not yours.",
        "Okay, so",
    ],
)
async def test_what_is_said_to_the_family_or_about_a_story_is_no_request(
    understanding: Understanding, said: str
) -> None:
    assert await understanding.request(said) is None


async def test_what_is_told_beside_a_question_does_not_hide_it(
    understanding: Understanding,
) -> None:
    said = "Tell me what the warning label says, I don't have my glasses."
    found = await understanding.request(said)
    assert found is not None
    assert found.intent == "read"


async def test_an_agent_or_a_taught_thing_that_is_called_by_its_name_is_asked(
    understanding: Understanding,
) -> None:
    said = "Zorblax, what do you see?"
    assert await understanding.request(said) is None
    assert await understanding.request(said, agents=["zorblax"]) is not None


async def test_a_reply_that_people_give_each_other_is_believed_when_it_is_typed(
    understanding: Understanding,
) -> None:
    for reply, intent in (("Yes, please.", "yes"), ("wait a minute", "wait")):
        typed = await understanding.request(reply, spoken=False)
        assert typed is not None
        assert typed.intent == intent
        assert await understanding.request(reply) is None


@pytest.mark.usefixtures("networks_of_their_own")
async def test_without_the_encoder_the_rules_decide_and_the_log_says_so_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def damaged(_: SentenceEncoder) -> None:
        raise WeightsError("model.onnx is damaged.")

    monkeypatch.setattr(SentenceEncoder, "__init__", damaged)
    understanding = Understanding()
    with caplog.at_level(logging.WARNING):
        found = await understanding.request("could you find my mug")
        assert found == Request("where", {"target": "my mug"}, True)
        assert await understanding.request("a penny for your thoughts") is None
    assert [record.message for record in caplog.records] == [
        "model.onnx is damaged. Only sentences that a rule fits are understood."
    ]
    understanding.close()


async def _report() -> None:
    understanding = Understanding()
    for half, title in enumerate(("chosen on", "measured on")):
        print(title, dict(await judged(understanding, half)))


if __name__ == "__main__":
    asyncio.run(_report())
