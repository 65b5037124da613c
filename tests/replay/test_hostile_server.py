"""Nothing that a hostile server sends controls the terminal or the report's page."""

import asyncio
import json
import sys
import unicodedata
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from tests.support.answering_server import Behaviour, answering_server
from tests.support.forked import start_forked
from tests.support.reports import received, report_of
from tests.support.signals import tone
from vision_agent.caller.transcript import CallTranscript
from vision_agent.pytest_plugin import _in_words
from vision_agent.replay.report import Report
from vision_agent.replay.report_page import report_page

SCRIPT = '"><script>alert(1)</script><img src=x onerror=alert(1)>\' onload=alert(1) x="'
OBEYED = "\x1b]0;title\x07\x1b[2J\x9b31m\x08\x7f\u202e\u2066\u2028\ud800\r"
EVIL = f"{SCRIPT}[red]{OBEYED}\n 99.9 s  Agent: all is well"
NUMBERS = (EVIL, [EVIL], {EVIL: EVIL}, None, True, 1e999, -1, 10**400, float("nan"))
DEEP: list[Any] = []
for _ in range(400):
    DEEP = [DEEP]


def rtvi(kind: str, /, **data: Any) -> dict[str, Any]:
    return {"label": "rtvi-ai", "type": kind, "id": "x", "data": data}


def messages() -> Iterator[Any]:
    """Every message that a caller reads, with hostile text in each field."""
    yield rtvi("server-message", kind="agent", name=EVIL)
    for value in NUMBERS:
        yield rtvi("bot-tts-text", text=value)
        yield rtvi("bot-transcription", text=value)
        yield rtvi("user-transcription", text=value, final=True)
        yield rtvi("user-transcription", text=value, final=value)
        yield rtvi("llm-function-call-in-progress", tool_call_id=f"{value}", function_name=value)
        yield rtvi(
            "llm-function-call-stopped",
            tool_call_id=f"{value}",
            function_name=EVIL,
            arguments={EVIL: value},
            result=[value],
        )
        yield rtvi("error", message=value)
        yield rtvi("error-response", error=value)
        yield rtvi("server-message", kind="frame", bytes=value)
        yield rtvi("server-message", kind="frame_at_speech_end", age_ms=value)
        yield rtvi("server-message", kind="point", label=value, box_2d=value)
        yield rtvi("server-message", kind="point", label=EVIL, box_2d=[value] * 4)
        yield rtvi("server-message", kind="state", state=value)
        yield rtvi("server-message", kind=value)
        yield {"label": "rtvi-ai", "type": value, "data": value}
        yield {"label": value, "type": value, "message": value}
        yield {"type": "signalling", "message": value}
        yield value
    yield rtvi("llm-function-call-stopped", tool_call_id="deep", arguments=DEEP, result=DEEP)
    yield rtvi("server-message", kind="point", label="here", box_2d=[1, 2, 3, 4])


class Tags(HTMLParser):
    """The elements of a page, and the attributes that each kind has."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.seen: dict[str, set[str]] = {}
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.setdefault(tag, set()).update(name for name, _ in attrs)


def hostile_report() -> Report:
    transcript = CallTranscript()
    for at_ms, message in enumerate(messages()):
        transcript.feed(json.dumps(message), at_ms)
    report = report_of([], received((tone(400), 2600)), transcript)
    report.ended = EVIL
    return report


def obeyed(text: str) -> list[str]:
    """The characters of a text that would control a terminal."""
    found = [c for c in text if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp")]
    return [c for c in found if c not in "\n\t"] + [c for c in text if c in "\u202e\u2066"]


def test_the_page_has_no_element_and_no_attribute_but_its_own() -> None:
    page = report_page(hostile_report(), EVIL)
    assert page.count("alert(1)") > 100
    assert Tags(page).seen == Tags(report_page(hostile_report(), "x")).seen
    assert {"script", "img"}.isdisjoint(Tags(page).seen)
    assert not any(name.startswith("on") for names in Tags(page).seen.values() for name in names)
    page.encode()
    assert obeyed(page) == []


def test_what_a_failing_test_shows_of_the_call_is_lines_of_text() -> None:
    report = hostile_report()
    shown = _in_words(report)
    assert obeyed(shown) == []
    lines = len(report.transcript) + len(report.tool_calls) + len(report.errors) + 1
    assert len(shown.split("\n")) == lines


def test_the_report_is_json_that_can_be_read_again(tmp_path: Path) -> None:
    report = hostile_report()
    report.write_json(tmp_path / "report.json")
    read = json.loads((tmp_path / "report.json").read_bytes())
    assert read["points"][-1]["box_2d"] == [1, 2, 3, 4]
    assert EVIL in read["errors"]


@pytest.mark.parametrize("message", [b"\xff", "[" * 100_000, '{"a":' * 100_000, "1" * 5_000, "NaN"])
def test_what_cannot_be_read_is_left_out(message: str | bytes) -> None:
    transcript = CallTranscript()
    transcript.feed(message, 0)
    assert transcript.errors == []


async def test_neither_replay_nor_talk_pass_on_what_a_terminal_would_obey(
    bottle: Path, tmp_path: Path
) -> None:
    behaviour = Behaviour(words=[m for m in messages() if m and isinstance(m, dict)])
    async with answering_server(behaviour) as server:
        for command in (
            ("replay", str(bottle), "--type", "hello", "--html", "report.html"),
            ("talk", "--text", "--camera", "none"),
        ):
            process = await start_forked(
                *(sys.executable, "-m", "vision_agent", *command, "--url", server.url),
                *("--timeout", "20"),
                cwd=tmp_path,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
            )
            async with asyncio.timeout(60):
                printed = (await process.communicate(b"hello\n"))[0].decode()
            assert "Traceback" not in printed
            assert "alert(1)" in printed
            assert obeyed(printed) == []
            assert not any(line.startswith(" 99.9 s") for line in printed.splitlines())
    assert "script" not in Tags((tmp_path / "report.html").read_text()).seen
