"""Thoughts and tool calls are separated from a model's text."""

from __future__ import annotations

import pytest

from vision_agent.local.brain.reasoning import Reasoning


def separate(text: str, size: int) -> dict[str, list[str]]:
    reasoning = Reasoning()
    found: dict[str, list[str]] = {"answer": [], "thought": [], "call": []}
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    for piece in [*(p for one in pieces for p in reasoning.feed(one)), *reasoning.end()]:
        found[piece.kind].append(piece.text)
    return found


@pytest.mark.parametrize("size", [1, 4, 1000])
@pytest.mark.parametrize(
    ("text", "answer", "thought", "calls"),
    [
        ("Hello.", "Hello.", "", []),
        ("<think>Hm, 2 < 3.</think>Hello.", "Hello.", "Hm, 2 < 3.", []),
        ("<think>no end", "", "no end", []),
        ("I thought</think> Hi.", "I thought Hi.", "", []),
        ("[THINK]a[/THINK]b", "b", "a", []),
        (
            "<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>final<|message|>b",
            "b",
            "a",
            [],
        ),
        ("Wait. <tool_call>{}</tool_call><tool_call>[]</tool_call>", "Wait. ", "", ["{}", "[]"]),
        ("<tool_call>{}", "", "", ["{}"]),
        ("a <b> c < d <thin", "a <b> c < d <thin", "", []),
    ],
)
def test_marks_are_found_however_they_are_split(
    size: int, text: str, answer: str, thought: str, calls: list[str]
) -> None:
    found = separate(text, size)
    assert "".join(found["answer"]) == answer
    assert "".join(found["thought"]) == thought
    assert found["call"] == calls
