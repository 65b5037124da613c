"""The pytest plugin as its users have it: in a project of their own, loaded by its entry point."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.conftest import RECORDINGS
from tests.support.forked import run_forked

DOCS = Path(__file__).parent.parent / "docs" / "testing.md"

TESTS = """
import asyncio

import pytest

BOTTLE = {bottle!r}


def test_typed(video_call):
    report = video_call(BOTTLE, typed="hello")
    assert report.answered
    assert "hello" in report.said().lower()


def test_spoken(video_call):
    report = video_call(BOTTLE, ask="What do you see?")
    assert "see" in report.said("user").lower()
    assert report.frames_sent
    assert "an elephant" in report.said()  # it is honest: this fails


def test_what_can_not_be(video_call):
    with pytest.raises(ValueError, match="give one"):
        video_call(BOTTLE, typed="hello", ask="hello")
    for empty in ({{"ask": ""}}, {{"typed": " "}}):
        with pytest.raises(ValueError, match="nothing to ask"):
            video_call(BOTTLE, **empty)
    with pytest.raises(ValueError, match="no file"):
        video_call("nothing.mp4", typed="hello")

    async def inside():
        video_call(BOTTLE, typed="hello")

    with pytest.raises(RuntimeError, match="CallClient"):
        asyncio.run(inside())
"""


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
    options = ("-p", "no:cacheprovider", *arguments)
    return run_forked("pytest", *options, cwd=folder, env=environment, timeout=170)


@pytest.fixture
def project(tmp_path: Path, slow_bottle: Path) -> Path:
    # With what docs/testing.md says: a test, and a conftest that gives the server a voice.
    example, conftest, *_ = re.findall("```python\n(.*?)```", DOCS.read_text(), re.DOTALL)
    (tmp_path / "samples").symlink_to(RECORDINGS.parent)
    (tmp_path / "test_docs.py").write_text(example)
    (tmp_path / "conftest.py").write_text(conftest)
    (tmp_path / "test_calls.py").write_text(TESTS.format(bottle=str(slow_bottle)))
    return tmp_path


def test_recordings_call_the_agent_and_a_failing_test_shows_what_was_said(project: Path) -> None:
    done = run(project, "--video-report", "pages")
    assert "1 failed, 3 passed" in done.stdout, done.stdout + done.stderr
    failed, shown = done.stdout.split(" Captured video call 1 call ")
    assert "an elephant" in failed
    assert "user: " in shown
    assert "agent: " in shown
    assert sorted(page.name for page in (project / "pages").iterdir()) == [
        "test_it_reads_the_label-1.html",
        "test_spoken-1.html",
        "test_typed-1.html",
    ]
    assert "<audio" in (project / "pages" / "test_typed-1.html").read_text()


def test_a_server_that_can_not_be_is_said_and_nothing_is_started_unasked(project: Path) -> None:
    done = run(project, "-k", "typed", "--video-agent", "nothing_here")
    assert "nothing_here" in done.stdout
    assert "1 error" in done.stdout
    (project / "test_plain.py").write_text("def test_plain():\n    pass\n")
    assert "1 passed" in run(project, "-k", "plain", "--video-agent", "nothing_here").stdout
