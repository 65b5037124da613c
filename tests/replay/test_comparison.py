"""Two calls side by side: what differs, whatever the times."""

from __future__ import annotations

import io
import json
from typing import Any

from rich.console import Console

from tests.support.reports import received
from tests.support.rtvi import say, server_says
from tests.support.signals import tone
from vision_agent.caller.transcript import CallTranscript
from vision_agent.cli.comparison_table import comparison_table
from vision_agent.recordings.lines import (
    EndedLine,
    ErrorLine,
    InterruptedLine,
    Line,
    SentLine,
    SpokenLine,
    ToolCallLine,
    TurnLine,
)
from vision_agent.replay.caller_words import CallerWords
from vision_agent.replay.comparison import ComparedCall, as_json, compare, differences
from vision_agent.replay.report import Report, make_report
from vision_agent.replay.report_page import report_page
from vision_agent.terminal import Terminal

RECORDED: list[Line] = [
    SpokenLine(at_ms=2000, who="user", text="What do you see?"),
    ToolCallLine(at_ms=2100, id="1", name="look", arguments={"b": 1, "a": "x"}),
    SpokenLine(at_ms=3000, who="agent", text="Three bottles."),
    TurnLine(at_ms=3100, reply_ms=700),
    SpokenLine(at_ms=9000, who="user", text="and the colour", typed=True),
    SpokenLine(at_ms=9900, who="agent", text="Green."),
    TurnLine(at_ms=9950, reply_ms=500),
    EndedLine(at_ms=12_000, reason="the caller hung up"),
]


def again(*, tool: dict[str, Any], colour: str, between: bool = False) -> Report:
    """The report of the repeated call."""
    transcript = CallTranscript()
    say(transcript, 4000, "user-transcription", text="what do you see", final=True)
    call = {"tool_call_id": "c", "function_name": "look", "arguments": tool}
    say(transcript, 4100, "llm-function-call-in-progress", **call)
    say(transcript, 4300, "bot-transcription", text="Three bottles")
    if between:
        say(transcript, 6000, "user-transcription", text="hm", final=True)
        say(transcript, 6500, "bot-transcription", text="Yes?")
    say(transcript, 9700, "bot-transcription", text=colour)
    if between:
        server_says(transcript, 9800, kind="interrupted")
    words = [CallerWords(2500, 3500), CallerWords(9000, 9000, 2, "and the colour")]
    voice = received((tone(1000), 4200), (tone(500), 9600))
    return make_report(
        connected_ms=50,
        words=words,
        transcript=transcript,
        received=voice,
        errors=[],
        ended="answered",
    )


def rows(
    report: Report, recorded: list[Line] = RECORDED
) -> list[tuple[int, str, str, str, object]]:
    compared = compare(ComparedCall.recorded(recorded), ComparedCall.made(report))
    return [(row.turn, row.what, row.first, row.second, row.same) for row in compared]


def test_the_same_call_is_the_same_however_long_its_answers_took() -> None:
    report = again(tool={"a": "x", "b": 1}, colour="Green")
    assert rows(report) == [
        (1, "Caller", "What do you see?", "what do you see", True),
        (1, "Agent", "Three bottles.", "Three bottles", True),
        (1, "Tools", 'look {"a": "x", "b": 1}', 'look {"a": "x", "b": 1}', True),
        (1, "Reply after", "700 ms", "700 ms", None),
        (2, "Caller", "and the colour", "and the colour", True),
        (2, "Agent", "Green.", "Green", True),
        (2, "Reply after", "500 ms", "600 ms", None),
        (0, "Median reply", "600 ms", "650 ms", None),
        (0, "Interruptions", "0", "0", True),
        (0, "Ended", "the caller hung up", "answered", True),
    ]


def test_what_is_different_is_marked_and_turns_with_the_same_words_stay_together() -> None:
    report = again(tool={"a": "y"}, colour="Blue", between=True)
    report.errors.append("The model is slow.")
    different = {
        (turn, what): (one, other) for turn, what, one, other, same in rows(report) if same is False
    }
    assert different == {
        (1, "Tools"): ('look {"a": "x", "b": 1}', 'look {"a": "y"}'),
        (2, "Caller"): ("", "hm"),
        (2, "Agent"): ("", "Yes?"),
        (3, "Agent"): ("Green.", "Blue"),
        (0, "Interruptions"): ("0", "1"),
        (0, "Errors"): ("", "The model is slow."),
    }


def test_an_answer_stays_with_its_question_where_another_one_cuts_in() -> None:
    recorded: list[Line] = [
        SpokenLine(at_ms=1000, who="user", text="Who are you?"),
        SpokenLine(at_ms=3000, who="user", text="tell a story", typed=True),
        SentLine(at_ms=3400, message={"type": "bot-tts-text", "data": {"text": "Once"}}),
        SentLine(at_ms=3900, message={"type": "bot-tts-text", "data": {"text": " upon"}}),
        SpokenLine(at_ms=4000, who="user", text="Who are you?", typed=True),
        TurnLine(at_ms=4010, reply_ms=400),
        InterruptedLine(at_ms=4010),
        SpokenLine(at_ms=4011, who="agent", text="Once upon …"),
        SentLine(at_ms=4200, message={"type": "bot-tts-text", "data": {"text": "Me"}}),
        SpokenLine(at_ms=5000, who="agent", text="Me."),
        TurnLine(at_ms=5001, reply_ms=200),
    ]
    transcript = CallTranscript()
    say(transcript, 1000, "user-transcription", text="Who are you?", final=True)
    say(transcript, 3400, "bot-tts-text", text="Once upon a")
    say(transcript, 4100, "bot-transcription", text="Once upon …")
    server_says(transcript, 4100, kind="interrupted")
    say(transcript, 4200, "bot-transcription", text="Me.")
    words = [
        CallerWords(500, 900),
        CallerWords(3000, 3000, 2, "tell a story"),
        CallerWords(4000, 4000, 3, "Who are you?"),  # as was asked before
    ]
    report = make_report(
        connected_ms=50,
        words=words,
        transcript=transcript,
        received=received((tone(500), 3400), (tone(500), 4200)),
        errors=[],
        ended="answered",
    )
    assert [each for each in rows(report, recorded) if each[1] != "Ended"] == [
        (1, "Caller", "Who are you?", "Who are you?", True),
        (2, "Caller", "tell a story", "tell a story", True),
        (2, "Agent", "Once upon …", "Once upon …", True),
        (2, "Reply after", "400 ms", "400 ms", None),
        (3, "Caller", "Who are you?", "Who are you?", True),
        (3, "Agent", "Me.", "Me.", True),
        (3, "Reply after", "200 ms", "200 ms", None),
        (0, "Median reply", "300 ms", "300 ms", None),
        (0, "Interruptions", "1", "1", True),
    ]


def test_a_call_that_broke_off_or_never_was_is_compared_too() -> None:
    broken = [
        *RECORDED[:3],
        InterruptedLine(at_ms=3050),
        ErrorLine(at_ms=3100, text="x", fatal=True),
    ]
    refused = Report(errors=["The server refused the call."], ended="refused")
    compared = rows(refused, broken)
    assert (0, "Errors", "x", "The server refused the call.", False) in compared
    assert (0, "Ended", "later", "refused", False) in compared
    assert rows(Report(ended="answered"), [])[-1] == (0, "Ended", "later", "answered", True)


def test_it_is_shown_on_the_terminal_the_page_and_in_json_and_obeyed_by_none() -> None:
    evil = "\x1b[2J[red]<script>alert(1)</script>"
    report = again(tool={"a": evil}, colour=evil)
    compared = compare(ComparedCall.recorded(RECORDED), ComparedCall.made(report))
    file = io.StringIO()
    terminal: Console = Terminal(file=file, width=200)
    terminal.print(comparison_table(compared))
    shown = file.getvalue()
    assert "Recorded call" in shown
    assert "\x1b" not in shown
    assert "[red]<script>" in shown
    assert [line.rstrip()[-1] for line in shown.splitlines() if "Green" in line] == ["≠"]
    page = report_page(report, "x", compared)
    assert "Differences from the recorded call: 2" in page
    assert "<script>" not in page
    assert "from the recorded call" not in report_page(report, "x")
    read = json.loads(json.dumps(as_json(compared)))
    assert read["differences"] == differences(compared) == 2
    assert read["rows"][0] == {
        "what": "Caller",
        "first": "What do you see?",
        "second": "what do you see",
        "same": True,
        "turn": 1,
    }
