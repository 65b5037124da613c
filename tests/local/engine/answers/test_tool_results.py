"""Tools' results in spoken words: MCP's results, JSON in text, failures, pending results."""

from __future__ import annotations

import json
from typing import Any

import pytest

from vision_agent.local.engine.answers.tool_results import tool_result

STOCK = {"part": "M4 screw", "count": 12, "shelf": None}


def text(value: str) -> list[dict[str, str]]:
    return [{"type": "text", "text": value}]


@pytest.mark.parametrize(
    "response",
    [
        STOCK,
        {"result": STOCK},
        {"result": json.dumps(STOCK)},
        {"content": text(json.dumps(STOCK, indent=1)), "isError": False},
        {
            "content": text(json.dumps(STOCK)),
            "structuredContent": {"result": STOCK},
            "isError": False,
            "meta": None,
        },
        {"content": text(json.dumps(STOCK)), "structured_content": STOCK, "is_error": False},
    ],
)
def test_a_result_is_told_alike_however_it_is_wrapped(response: dict[str, Any]) -> None:
    assert tool_result("check_stock", response) == "The part is M4 screw and the count is 12."


@pytest.mark.parametrize(
    ("response", "sentence"),
    [
        ({"content": text("There are 12 of them."), "isError": False}, "There are 12 of them."),
        ({"content": text("12"), "isError": False}, "The answer is 12."),
        ({"content": [], "isError": False}, "I found nothing."),
        (
            {"result": [{"name": "nut", "count": 2}, {"name": "bolt", "size": None}]},
            "The answer is name nut, count 2 and name bolt.",
        ),
        ({"price": {"value": 3, "currency": "euros"}, "ok": True}, None),
        ({"arrives": "Tuesday"}, "It arrives Tuesday."),
        ({"status": "The caller sees a box around red thing."}, "You see a box around the red"),
    ],
)
def test_contents_are_told_as_words(response: dict[str, Any], sentence: str | None) -> None:
    told = tool_result("check_stock", response)
    assert not set('{}[]"') & set(told)
    if sentence:
        assert told.startswith(sentence)


@pytest.mark.parametrize(
    ("response", "sentence"),
    [
        ({"content": text("No such part."), "isError": True}, "That did not work: No such part."),
        ({"error": "no clock"}, "That did not work: no clock."),
        ({"error": {"code": 4, "message": "no clock"}}, "That did not work: no clock."),
        ({"status": "error", "error_message": "no clock"}, "That did not work: no clock."),
        ({"success": False, "message": "no clock"}, "That did not work: no clock."),
        ({"result": '{"status": "failed", "reason": "no clock"}'}, "That did not work: no clock."),
        (
            {
                "error": "Tool get_pet execution failed. Analyze this execution error and your "
                "inputs. Retry with adjustments if applicable. But make sure don't retry more "
                "than 3 times. Execution Error: Status Code: 404, not found"
            },
            "That did not work: Status Code: 404, not found.",
        ),
        ({"error": "Analyze this execution error. Retry."}, "That did not work."),
    ],
)
def test_a_failure_is_told_as_one_and_not_what_it_says_to_a_model(
    response: dict[str, Any], sentence: str
) -> None:
    assert tool_result("get_pet", response) == sentence


@pytest.mark.parametrize("status", ["pending", "in_progress", "PENDING", "queued"])
def test_what_is_pending_is_not_told_as_done(status: str) -> None:
    response = {"status": status, "ticket": "A 7"}
    assert tool_result("ask_manager", response) == (
        "Ask manager is still pending. The ticket is A 7."
    )


@pytest.mark.parametrize(
    ("response", "arguments", "sentence"),
    [
        ({"added": "apples", "quantity": 3}, {}, "Added: 3 apples."),
        ({"status": "ok", "item": "apples", "quantity": 3}, "same", "Done: 3 apples."),
        ({"saved": "Anna"}, {}, "Saved: Anna."),
        ({"city": "Paris"}, "same", "Done: Paris."),
        ({"city": "Paris", "sky": "grey"}, {"city": "paris"}, "Paris: the sky is grey."),
        (
            {"status": "ok", "room": "hall", "light": "on"},
            {"room": "hall"},
            "Done: hall. The light",
        ),
        ({"city": "Paris", "sky": "grey"}, {}, "The city is Paris and the sky is grey."),
        (
            {"length": 6, "unit": "feet"},
            {"unit": "inches"},
            "The length is 6 and the unit is feet.",
        ),
        ({"part": "hinge", "in_stock": 3}, {}, "The part is hinge and 3 are in stock."),
    ],
)
def test_what_repeats_the_arguments_is_told_without_their_names(
    response: dict[str, Any], arguments: Any, sentence: str
) -> None:
    given = dict(response) if arguments == "same" else arguments
    assert tool_result("any_tool", response, given).startswith(sentence)


@pytest.mark.parametrize(
    "response",
    [
        {"result": "a" * 1_000_000},
        {"error": "a" * 1_000_000},
        {"file": {"data": "a" * 1_000_000}},
        {"message": "Here it is: " + "a" * 1_000_000},
    ],
)
def test_a_string_that_nobody_can_listen_to_is_told_by_its_length(response: dict[str, Any]) -> None:
    told = tool_result("load_file", response)
    assert "a long text of 1,000,000 characters" in told
    assert "aaa" not in told
