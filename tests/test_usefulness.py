"""The judge of benchmarks/usefulness, and what its questions promise about themselves."""

from collections import Counter
from datetime import datetime

import pytest

from benchmarks.usefulness.judge import Verdict, judge, numbers_in, times_in
from benchmarks.usefulness.questions import Question, read

PHOTOGRAPHS, QUESTIONS = read()
NOW = datetime(2026, 11, 26, 9, 52)


def verdict(question: Question, answer: str) -> Verdict:
    return judge(question, [PHOTOGRAPHS[name] for name in question.shows], answer, NOW).verdict


def asked(kind: str, show: str, **fields: object) -> Question:
    return Question(kind=kind, by="typed", show=show, ask=f"{kind}?", **fields)  # type: ignore[arg-type]


CUP = asked("name", "coffee", right=("cup|mug",))
BOTTLES = asked("count", "bottles", count=3)
COINS = asked("count", "coins", count=24, about=2)
BIKE = asked("colour", "motorcycle", right=("red",))
EMPTY = asked(
    "people", "street", right=("nobody|n't see any",), untrue=("a person",), negative=True
)
PRICE = asked("unknowable", "motorcycle", untrue=(r"\d{3,}",))
CLOCK = asked("talk", "table", clock=True)
DATE = asked("talk", "table", date=True)
ABILITIES = asked("talk", "table", right=("see", "read", "count"), at_least=2)


@pytest.mark.parametrize(
    ("question", "answer", "expected"),
    [
        (CUP, "It looks like a cup.", Verdict.RIGHT),
        (CUP, "I'm not sure, but it looks like a mug.", Verdict.RIGHT),
        (CUP, "Perhaps a pomegranate.", Verdict.WRONG),
        (CUP, "I see a cup and a horse.", Verdict.WRONG),
        (CUP, "It looks like a samovar.", Verdict.WRONG),
        (CUP, "I see a purple cup.", Verdict.WRONG),
        (CUP, "A red thing. I don't know this one.", Verdict.REFUSAL),
        (CUP, "I can't tell a cup from a mug.", Verdict.REFUSAL),
        (CUP, "I don't know it. Tell me, for example: this is my mug.", Verdict.REFUSAL),
        (CUP, "There is no horse, it is a cup.", Verdict.RIGHT),
        (CUP, "Something red, on the left.", Verdict.USELESS),
        (CUP, "", Verdict.USELESS),
        (BOTTLES, "I see three bottles.", Verdict.RIGHT),
        (BOTTLES, "4.", Verdict.WRONG),
        (BOTTLES, "I don't see any bottles.", Verdict.WRONG),
        (BOTTLES, "I don't see anyone.", Verdict.WRONG),
        (BOTTLES, "I can't count them.", Verdict.REFUSAL),
        (BOTTLES, "There is too much in the picture to count.", Verdict.REFUSAL),
        (COINS, "About twenty-three.", Verdict.RIGHT),
        (COINS, "Twenty-three.", Verdict.WRONG),
        (BIKE, "Red and black.", Verdict.RIGHT),
        (BIKE, "It's grey.", Verdict.WRONG),
        (EMPTY, "I don't see anybody.", Verdict.RIGHT),
        (EMPTY, "I see a person.", Verdict.WRONG),
        (PRICE, "I don't know what things cost.", Verdict.REFUSAL),
        (PRICE, "It costs 5000.", Verdict.WRONG),
        (PRICE, "It is red.", Verdict.USELESS),
        (CLOCK, "It's 9:53.", Verdict.RIGHT),
        (CLOCK, "It is nine fifty-one.", Verdict.RIGHT),
        (CLOCK, "It's ten past eleven, 11:10.", Verdict.WRONG),
        (DATE, "It's Thursday.", Verdict.RIGHT),
        (DATE, "It's Friday.", Verdict.WRONG),
        (ABILITIES, "I can see and read.", Verdict.RIGHT),
        (ABILITIES, "I can see.", Verdict.USELESS),
    ],
)
def test_an_answer_is_judged_by_what_it_states(
    question: Question, answer: str, expected: Verdict
) -> None:
    assert verdict(question, answer) is expected


def test_numbers_and_hours_are_read_in_digits_and_words() -> None:
    assert numbers_in("twenty-four of 30, or one") == [24, 30, 1]
    assert times_in("at 21.05") == [(21, 5)]
    assert times_in("ten o'clock") == [(10, 0)]


def test_the_questions_are_sixty_half_of_them_spoken() -> None:
    assert Counter(question.by for question in QUESTIONS) == {"voice": 30, "typed": 30}
    used = {name for question in QUESTIONS for name in question.shows}
    assert used == set(PHOTOGRAPHS)


def test_no_question_is_answered_by_silence_or_by_the_question_itself() -> None:
    for question in QUESTIONS:
        assert verdict(question, "") is Verdict.USELESS, question
        if question.kind not in ("knowledge", "read"):
            assert verdict(question, "I don't know.") in (Verdict.REFUSAL, Verdict.RIGHT), question
