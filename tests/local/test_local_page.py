"""The programs in docs/local-live-api.md run unchanged."""

from __future__ import annotations

import ast
import asyncio
import inspect
import os
import re
from pathlib import Path
from typing import Any

import pytest
from google.adk.models import Gemini

from tests.local.api.field_table import PAGE
from tests.node import node_with
from vision_agent.local import serve
from vision_agent.local.scenarios.scenario_file import read_scenario

SCENARIO = "engine: false\nanswers: [{when: {words: what can you do}, say: This.}]\n"
JAVASCRIPT = Path(__file__).parents[1] / "javascript"


def programs(language: str, port: int) -> list[str]:
    """The page's code blocks in a language, with the port of the running server."""
    blocks = re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(), re.DOTALL)
    return [block.replace("9443", str(port)) for block in blocks]


async def run(program: str, names: dict[str, Any]) -> None:
    """Run a block of Python that may use await at its top level."""
    code = compile(program, str(PAGE), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    result = eval(code, names)  # the page is the project's own
    if inspect.isawaitable(result):
        await result


async def test_the_python_programs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("scenario.yaml").write_text(SCENARIO)
    server = await serve("127.0.0.1", 0, None, scenario=read_scenario(SCENARIO))
    Path("live.pem").write_text(server.certificate_pem)
    try:
        a_server, a_client, an_agent = programs("python", server.port)
        await run(a_server, {})
        assert "BEGIN CERTIFICATE" in capsys.readouterr().out
        names: dict[str, Any] = {}
        async with asyncio.timeout(60):
            await run(a_client, names)
        assert "turn_complete=True" in capsys.readouterr().out
        await run(an_agent, names)
        model = names["agent"].model
        assert isinstance(model, Gemini)
        async with asyncio.timeout(60):
            connecting = model.api_client.aio.live.connect(model=model.model)
            async with connecting as session:
                await session.send_realtime_input(text="What can you do?")
                assert [message async for message in session.receive()][-1].server_content
    finally:
        await server.close()


async def test_the_javascript_program(tmp_path: Path) -> None:
    node = node_with(JAVASCRIPT / "node_modules" / "@google" / "genai")
    server = await serve("127.0.0.1", 0, None, scenario=read_scenario(SCENARIO))
    certificate = tmp_path / "live.pem"
    certificate.write_text(server.certificate_pem)
    [program] = programs("js", server.port)
    # Node resolves the SDK from its folder. The program ends with the first complete answer.
    ends = "if (message.serverContent?.turnComplete) process.exit(0); console.log(message)"
    try:
        process = await asyncio.create_subprocess_exec(
            node,
            "--input-type=module",
            "--eval",
            program.replace("console.log(message)", f"{{ {ends} }}"),
            cwd=JAVASCRIPT,
            env={**os.environ, "NODE_EXTRA_CA_CERTS": str(certificate)},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        async with asyncio.timeout(60):
            printed, _ = await process.communicate()
    finally:
        await server.close()
    assert process.returncode == 0, printed.decode()
    assert "audio/pcm;rate=24000" in printed.decode() or "modelTurn" in printed.decode()
