"""Standard error of the commands: one record a line, as text or as JSON."""

import asyncio
import json
import logging
import os
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.support.forked import run_forked, start_forked
from tests.support.scenarios import TONES
from vision_agent.logs import JsonFormatter, TextFormatter

ODD_AGENT = """
import logging, os, subprocess, sys, threading, warnings
from google.adk.agents import LlmAgent

logging.getLogger("odd").warning("two\\nlines %s", "\\x1b[2J")
try:
    raise ValueError("boom " + "long " * 60)
except ValueError:
    logging.getLogger("odd").exception("it failed")
warnings.warn("deprecated")
print("printed by the agent", file=sys.stderr)
os.write(2, b"native \\xff\\n")
subprocess.run([sys.executable, "-c", "import sys; print('from a child', file=sys.stderr)"])
thread = threading.Thread(target=lambda: 1 / 0)
thread.start()
thread.join()
root_agent = LlmAgent(name="odd", model="local")
"""


@pytest.fixture
def odd_agent(tmp_path: Path) -> Path:
    """An agent that writes to standard error in every possible way."""
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "agent.py").write_text(ODD_AGENT)
    return tmp_path / "odd"


def record(exception: bool = False) -> logging.LogRecord:
    made = logging.LogRecord("room", logging.WARNING, "f", 1, "a %s\x1b", ("b\nc",), None)
    if exception:
        try:
            raise ValueError("x\ny")
        except ValueError:
            made.exc_info = sys.exc_info()
    return made


def test_a_record_is_one_line_of_text_with_its_traceback() -> None:
    line = TextFormatter(fold=True).format(record(exception=True))
    assert "\n" not in line
    assert "\x1b" not in line
    assert "WARNING room: a b | c" in line
    assert "ValueError: x | y" in line


def test_a_person_at_a_terminal_has_the_traceback_in_lines() -> None:
    lines = TextFormatter(fold=False).format(record(exception=True)).splitlines()
    assert any(line.startswith("Traceback") for line in lines)
    assert "\x1b" not in "".join(lines)


def test_a_record_is_one_object_of_json() -> None:
    line = JsonFormatter().format(record(exception=True))
    assert line.isascii()
    assert "\n" not in line
    read = json.loads(line)
    assert list(read) == ["time", "level", "logger", "message", "exception"]
    assert (read["level"], read["logger"], read["message"]) == ("WARNING", "room", "a b\nc\x1b")
    assert datetime.fromisoformat(read["time"]).utcoffset() is not None
    assert read["exception"].endswith("ValueError: x\ny")
    assert "exception" not in json.loads(JsonFormatter().format(record()))


async def served(*arguments: str | Path, until: str, stdin: Any = None) -> tuple[str, str]:
    """Run a command until it is stopped; returns its standard output and standard error."""
    process = await start_forked(
        *(sys.executable, "-m", "vision_agent", *map(str, arguments)),
        stdin=stdin,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    printed = ""
    async with asyncio.timeout(120):
        while until not in printed and (line := await process.stdout.readline()):
            printed += line.decode()
        process.terminate()
        rest, logged = await process.communicate()
    assert process.returncode == 0, logged
    return printed + rest.decode(), logged.decode(errors="backslashreplace")


def records(logged: str) -> list[dict[str, Any]]:
    read = [json.loads(line) for line in logged.splitlines()]
    assert all({"time", "level", "logger", "message"} <= each.keys() for each in read)
    return read


async def test_serve_logs_a_record_a_line_and_wraps_none(odd_agent: Path) -> None:
    arguments = ("serve", "--port", "0", "--session-db", "memory", "--agent", odd_agent)
    _, logged = await served(*arguments, until="Ctrl-C")
    (failure,) = (line for line in logged.splitlines() if "it failed" in line)
    assert "odd/agent.py" in failure
    assert "ValueError: boom " + "long " * 59 in failure
    assert next(line for line in logged.splitlines() if "two" in line).count("lines") == 1


async def test_serve_logs_json_whatever_writes_to_standard_error(odd_agent: Path) -> None:
    arguments = ("serve", "--port", "0", "--session-db", "memory", "--agent", odd_agent)
    printed, logged = await served(*arguments, "--log-format", "json", until="Ctrl-C")
    messages = [each["message"] for each in records(logged)]
    assert "two\nlines \x1b[2J" in messages
    assert "printed by the agent" in messages
    assert "native \\xff" in messages
    assert "from a child" in messages
    assert any("deprecated" in message for message in messages)
    assert any("ZeroDivisionError" in message for message in messages)
    (failure,) = (each for each in records(logged) if each["message"] == "it failed")
    assert failure["exception"].startswith("Traceback")
    assert "http://" in printed


async def test_the_server_that_talk_starts_logs_as_talk_does(odd_agent: Path) -> None:
    process = await start_forked(
        *(sys.executable, "-m", "vision_agent", "talk", "--text", "--camera", "none"),
        *("--agent", str(odd_agent), "--log-format", "json"),
        env={**os.environ, "VISION_AGENT_SCENARIO": str(TONES)},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(120):
        printed, logged = await process.communicate(b"hello\n")
    assert b"Agent: " in printed
    failures = [each for each in records(logged.decode()) if each["message"] == "it failed"]
    assert [each["logger"] for each in failures] == ["odd"]


def test_a_refusal_and_a_mistake_on_the_command_line_are_records_too() -> None:
    for arguments in (
        ("serve", "--agent", "/nowhere"),
        ("live-server", "--scenario", "/nowhere.yaml"),
        ("replay", "/nowhere.mp4"),
        ("talk", "--text", "--push-to-talk"),
    ):
        done = run_forked("vision_agent", *arguments, "--log-format", "json")
        assert done.returncode == 2
        assert records(done.stderr)[-1]["message"]


def test_a_long_transcript_is_not_wrapped_in_a_pipe(slow_bottle: Path) -> None:
    done = run_forked(
        *("vision_agent", "replay", str(slow_bottle), "--type", "What can you do?"),
        env={"COLUMNS": "30", "PATH": "", "VISION_AGENT_SCENARIO": str(TONES)},
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert any("Agent: " in line and len(line) > 60 for line in lines)
    assert not any(line and not line.startswith(("Agent", " ")) for line in lines)
