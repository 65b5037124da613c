"""`vision-agent live-server`: a program needs only the variables that the command prints."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.support.forked import start_forked

SCENARIO = "engine: false\nanswers: [{when: {words: hello}, say: Hello yourself.}]\n"

PROGRAM = """
import asyncio
from google import genai

async def main():
    async with genai.Client().aio.live.connect(
        model="gemini-3.8-live",
        config={"response_modalities": ["AUDIO"], "output_audio_transcription": {}},
    ) as session:
        await session.send_realtime_input(text="hello")
        async for message in session.receive():
            if message.go_away:
                print("goAway", message.go_away.time_left)
            content = message.server_content
            if content and content.output_transcription:
                print(content.output_transcription.text, end="")
        # AND THEN

asyncio.run(main())
"""

WITHIN_S = 60


@asynccontextmanager
async def live_server(tmp_path: Path, *options: str) -> AsyncIterator[str]:
    """Run the command; yields what it prints until it is ready."""
    scenario = tmp_path / "scenario.yaml"
    scenario.write_text(SCENARIO)
    process = await start_forked(
        sys.executable,
        "-m",
        "vision_agent",
        "live-server",
        *("--port", "0", "--scenario", str(scenario), *options),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "COLUMNS": "40"},
    )
    assert process.stdout is not None
    printed = ""
    try:
        async with asyncio.timeout(WITHIN_S):
            while "docs/local-live-api.md" not in printed:
                line = await process.stdout.readline()
                assert line, f"it ended after {printed!r}"
                printed += line.decode()
        yield printed
    finally:
        process.send_signal(signal.SIGINT)
        async with asyncio.timeout(WITHIN_S):
            assert await process.wait() == 0


async def run_as_told(printed: str, program: str, folder: Path) -> tuple[int, str]:
    """Run a program in the environment that the command prints."""
    told = dict(re.findall(r"(\w+)=([^\s,]+)", printed))
    (folder / "told.py").write_text(program)
    process = await start_forked(
        *(sys.executable, "-m", "told"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, **told},
        cwd=folder,
    )
    async with asyncio.timeout(WITHIN_S):
        said, _ = await process.communicate()
    return process.returncode or 0, said.decode()


async def test_a_program_that_is_told_what_it_prints_holds_a_conversation(tmp_path: Path) -> None:
    async with live_server(tmp_path) as printed:
        assert await run_as_told(printed, PROGRAM, tmp_path) == (0, "Hello yourself.")
        certificate = re.findall(r"Certificate: (.*)", printed)[0]
        assert Path(certificate).read_text().startswith("-----BEGIN CERTIFICATE-----")
    assert not Path(certificate).exists()


async def test_the_certificate_stays_where_it_was_asked_for_and_connections_are_short(
    tmp_path: Path,
) -> None:
    certificate = tmp_path / "live.pem"
    options = ("--certificate", str(certificate), "--connection-s", "2")
    then = "async for message in session.receive(): print(message.go_away)"
    async with live_server(tmp_path, *options) as printed:
        status, said = await run_as_told(printed, PROGRAM.replace("# AND THEN", then), tmp_path)
    assert status != 0
    assert "goAway" in said or "time_left" in said
    assert "1008" in said
    assert certificate.exists()
