"""Fixtures for the clients of other stacks."""

from __future__ import annotations

import shutil
import subprocess
import wave
from pathlib import Path

import pytest

from tests.conftest import RECORDINGS

SPEECH = RECORDINGS / "speech" / "what-do-you-see.wav"
SYSTEM_PYTHON = "/usr/bin/python3"
GSTREAMER = "import gi; gi.require_version('GstWebRTC', '1.0'); from gi.repository import GstWebRTC"


@pytest.fixture(scope="module")
def long_speech(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The question, after a second for the call's set-up and before 30 s of silence."""
    out = tmp_path_factory.mktemp("speech") / "question.wav"
    with wave.open(str(SPEECH)) as source, wave.open(str(out), "wb") as target:
        target.setparams(source.getparams())
        second = bytes(source.getframerate() * source.getsampwidth())
        target.writeframes(second + source.readframes(source.getnframes()) + 30 * second)
    return out


@pytest.fixture(scope="module")
def system_python() -> str:
    """The system's Python with GStreamer's bindings; otherwise skips the test with the reason."""
    python = shutil.which(SYSTEM_PYTHON)
    if python is None or subprocess.run([python, "-c", GSTREAMER], capture_output=True).returncode:
        pytest.skip("GStreamer's webrtcbin and its Python bindings are not installed.")
    return python
