"""The contents of `import vision_agent`, and its cost."""

import re
import subprocess
import sys
from pathlib import Path

import vision_agent

HEAVY = ("google.adk", "google.genai", "aiortc", "av", "cv2", "fastapi", "numpy")


def test_every_public_name_is_there() -> None:
    for name in vision_agent.__all__:
        assert getattr(vision_agent, name) is not None
        assert name in dir(vision_agent)


def test_what_a_call_may_raise_is_public() -> None:
    from vision_agent.replay import BadRecording, CallFailed, CallRefused, Report

    assert vision_agent.BadRecording is BadRecording
    assert vision_agent.CallFailed is CallFailed
    assert vision_agent.CallRefused is CallRefused
    assert vision_agent.Report is Report


def test_importing_it_imports_nothing_heavy() -> None:
    script = "import sys, vision_agent; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout.split()
    assert [name for name in HEAVY if name in loaded] == []


def test_every_public_name_is_in_the_documentation() -> None:
    page = (Path(__file__).parents[1] / "docs" / "embedding.md").read_text()
    table = page.partition("## Everything that")[2]
    assert set(vision_agent.__all__) <= set(re.findall(r"`(\w+)`", table))
