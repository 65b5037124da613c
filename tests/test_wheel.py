"""The wheel in an empty environment, as `pip install adk_video_call-….whl` gives it."""

import contextlib
import json
import os
import re
import subprocess
import sys
import venv
import zipfile
from collections.abc import Iterator
from email import message_from_bytes
from pathlib import Path

import pytest

from tests.support.installed import link, needed

CHECKOUT = Path(__file__).parent.parent


def environment() -> dict[str, str]:
    """This process's variables, without those of its Python."""
    return {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "VIRTUAL"))}


@contextlib.contextmanager
def started(*command: str | Path, cwd: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server, and what it says until it serves; it ends with its standard input."""
    with subprocess.Popen(
        [str(part) for part in command],
        cwd=cwd,
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as server:
        said = ""
        while "Press Ctrl-C" not in said:
            line = server.stdout.readline()
            assert line, said
            said += line
        yield server, said


def run(*command: str | Path, cwd: Path, timeout: float = 300) -> str:
    """What a command prints."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


def requires(wheel: Path) -> list[str]:
    """The wheel's requirements."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return message_from_bytes(archive.read(name)).get_all("Requires-Dist", [])


@pytest.mark.timeout(300)
def test_the_wheel_alone_serves_the_page_and_answers_a_call(tmp_path, slow_bottle):
    run(
        sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", tmp_path, CHECKOUT,
        cwd=tmp_path,
    )  # fmt: skip
    (wheel,) = tmp_path.glob("*.whl")
    venv.create(tmp_path / "venv", with_pip=False)
    python = tmp_path / "venv/bin/python"
    (site_packages,) = (tmp_path / "venv/lib").glob("python*/site-packages")
    # The wheel's requirements are linked from this environment; pip then checks that they suffice.
    link(needed(requires(wheel)), site_packages)
    pip = (sys.executable, "-m", "pip", "--python", python)
    run(*pip, "install", "-q", "--no-index", "--no-compile", wheel, cwd=tmp_path)
    page = run(
        python,
        "-c",
        "import vision_agent.resources as r; f = r.web_folder(); "
        "print(f, *sorted(str(p.relative_to(f)) for p in f.rglob('*.*')))",
        cwd=tmp_path,
    )
    folder, *files = page.split()
    assert folder.startswith(str(tmp_path))
    web = CHECKOUT / "web"
    assert files == sorted(str(path.relative_to(web)) for path in web.rglob("*.*"))
    demo = run(
        python,
        "-c",
        "import vision_agent.resources as r, vision_agent.talk.demo as d;"
        "pictures, asked = d.demo_files(r.recordings_folder());"
        "print(*(p for p in (pictures, *(file for _, file in asked)) if p.is_file()))",
        cwd=tmp_path,
    )
    assert demo.count(str(tmp_path)) == 4

    # No extra is installed: the sample that needs one is left out, and the others are served.
    served = (
        tmp_path / "venv/bin/vision-agent", "serve", "--agent", CHECKOUT / "samples/agents",
        "--port", "0", "--session-db", "memory", "--until-eof",
    )  # fmt: skip
    with started(*served, cwd=tmp_path) as (server, said):
        url = re.search(r"http://\S+", said)[0]
        run(
            *(tmp_path / "venv/bin/vision-agent", "replay", slow_bottle, "--url", url),
            *("--agent", "watchman", "--type", "What do you see?"),
            *("--json", tmp_path / "report.json"),
            cwd=tmp_path,
        )
        left_out = server.communicate(timeout=60)[0]
    assert server.returncode == 0
    assert "watchman" in said
    assert "pip install 'adk-video-call[mcp]'. It is left out" in said + left_out
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["answered"]
    assert report["errors"] == []
