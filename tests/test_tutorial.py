"""Every block of the tutorial runs as it stands."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import forked_command
from tests.support.fork_request import ADDRESS_VARIABLE
from tests.support.forked import run_forked, start_fork_server

ROOT = Path(__file__).parent.parent
BLOCK = re.compile(r"^```(python|sh)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
KEYS = ("GOOGLE_API_KEY", "GEMINI_API_KEY", "GOOGLE_GENAI_USE_VERTEXAI", "GOOGLE_CLOUD_PROJECT")

# Importing ADK takes seconds: one process runs them all, each in a module of its own.
RUN_ALL = """
from pathlib import Path
for number, source in enumerate(Path("blocks").read_text().split("\\0"), 1):
    print(f"-- block {number}", flush=True)
    exec(compile(source, f"block {number}", "exec"), {"__name__": f"block_{number}"})
"""


def blocks(kind: str) -> list[str]:
    text = (ROOT / "docs" / "tutorial.md").read_text()
    return [source for language, source in BLOCK.findall(text) if language == kind]


@pytest.fixture
def environment(tmp_path) -> dict[str, str]:
    """As a newcomer has it: the installed commands, no key, and a place for what is written."""
    kept = {name: value for name, value in os.environ.items() if name not in KEYS}
    (tmp_path / "samples").symlink_to(ROOT / "samples")
    path = [str(Path(sys.executable).parent), os.environ["PATH"]]
    if sys.platform == "linux":
        commands = tmp_path / "bin"
        commands.mkdir()
        start_fork_server()
        forked_command.write(commands / "vision-agent", "vision_agent")
        path.insert(0, str(commands))
        kept[ADDRESS_VARIABLE] = os.environ[ADDRESS_VARIABLE]
    return {**kept, "PATH": os.pathsep.join(path)}


@pytest.mark.timeout(300)
def test_every_python_block_runs(environment, tmp_path):
    sources = blocks("python")
    assert sources
    (tmp_path / "run_all.py").write_text(RUN_ALL)
    (tmp_path / "blocks").write_text("\0".join(sources))
    done = run_forked("run_all", cwd=tmp_path, env=environment, timeout=280)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.timeout(300)
def test_every_command_runs(environment, tmp_path):
    commands = "".join(blocks("sh")).splitlines()
    assert len(commands) > 5
    for command in commands:
        if command.startswith("vision-agent serve"):
            assert serves(command, tmp_path, environment)
            continue
        done = subprocess.run(
            ["sh", "-c", command],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=100,
        )
        # On a machine without sound devices the doctor says so, and that calls work all the same.
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"


def serves(command: str, folder: Path, environment: dict[str, str]) -> bool:
    """Whether a server comes up, says where it is, and ends well on Ctrl-C."""
    with subprocess.Popen(
        command.split(), cwd=folder, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        first = process.stdout.readline()
        while process.stdout.readline() != "Press Ctrl-C to stop.\n":
            pass
        process.send_signal(signal.SIGINT)
        return process.wait(20) == 0 and "http://127.0.0.1:" in first
