import pytest

from vision_agent.evaluation.yes_or_no import LONGEST_REASON_CHARS, read_answer


@pytest.mark.parametrize(
    ("text", "yes", "reason"),
    [
        ("Yes. The agent names three bottles.", True, "The agent names three bottles."),
        ("no, it talks about cars", False, "it talks about cars"),
        ("**Yes** — it does.", True, "it does."),
        ("Answer: no\nReason: it is rude.", False, "Answer: no Reason: it is rude."),
        ("It greets the caller.\nSo the verdict is: YES", True, None),
        ("It greets the caller.\n\nyes", True, None),
        ('{"answer": "no", "reason": "rude"}', False, "rude"),
        ('```json\n{"Verdict": true, "explanation": "kind"}\n```', True, "kind"),
        ('Here it is: {"answer": "Yes, it does", "reason": ""}', True, ""),
        ("Yes. There is no joke in it.", True, "There is no joke in it."),
        ("YES", True, ""),
    ],
)
def test_an_answer_is_read_from_what_models_write(text: str, yes: bool, reason: str | None) -> None:
    answer = read_answer(text)
    assert answer is not None
    assert answer.yes is yes
    assert reason is None or answer.reason == reason


@pytest.mark.parametrize(
    "text",
    [
        "",
        "The agent greets the caller.",
        "Yes and no: it depends.",
        "Yes/no",
        "No doubt it does.",
        "Yes, it is so.\nFinal answer: no",
        '{"answer": "yes"} or {"answer": "no"}',
        '{"answer": "perhaps"}',
        '{"answer": 1}',
        "Yesterday it did.",
        "Nothing of the kind.",
        "Answer yes or no.",
        "{" * 5000,
    ],
)
def test_where_there_is_no_clear_answer_none_is_guessed(text: str) -> None:
    assert read_answer(text) is None


def test_a_reason_is_one_line_of_bounded_length() -> None:
    answer = read_answer("yes: " + "it is\x1b[31m so\n" * 1000)
    assert answer is not None
    assert "\n" not in answer.reason
    assert "\x1b" not in answer.reason
    assert len(answer.reason) <= LONGEST_REASON_CHARS + 1
