"""The JavaScript SDK, @google/genai in Node, holds a conversation with the local Live API."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

import pytest

from tests.local.live_clients import MODEL_2, MODEL_3
from tests.local.recordings import silence, spoken
from tests.node import node_with
from vision_agent.local import serve
from vision_agent.local.scenarios.scenario_file import read_scenario

HERE = Path(__file__).parent
WITHIN_S = 60

SCENARIO = """
engine: false
hears: [what time is it in Graz]
answers:
  - {when: {words: hello, turn: 1}, say: Hello.}
  - when: {words: what time is it}
    call: {name: get_time, args: {place: Graz}}
  - {when: {tool: get_time}, say: "It is {time}."}
  - {when: {words: story}, say: Once upon a time there was a story that nobody heard to its end.}
  - {when: {words: which turn, turn: 5}, say: The fifth.}
otherwise: {say: You typed something.}
"""


@pytest.fixture(scope="module")
def node() -> str:
    """Node, new enough, with the SDK beside this file; skips in words otherwise."""
    return node_with(HERE / "node_modules" / "@google" / "genai")


@pytest.mark.parametrize("folder", ["javascript", "clients"])
def test_what_is_installed_is_pinned_and_comes_from_whichever_registry_is_set(folder: str) -> None:
    described = json.loads((HERE.parent / folder / "package.json").read_text())
    locked = json.loads((HERE.parent / folder / "package-lock.json").read_text())["packages"]
    wanted = described["dependencies"] | described.get("devDependencies", {})
    for name, version in wanted.items():
        # `npm:name@1.2.3` is the package under another name.
        assert locked[f"node_modules/{name}"]["version"] == version.rpartition("@")[2]
    for name, package in locked.items():
        if name:
            assert package["integrity"].startswith("sha512-")
            assert "resolved" not in package


@pytest.mark.parametrize("model", [MODEL_2, MODEL_3])
async def test_the_javascript_sdk_holds_a_conversation(
    node: str, model: str, tmp_path: Path
) -> None:
    certificate, speech = tmp_path / "certificate.pem", tmp_path / "speech.pcm"
    speech.write_bytes(silence(300) + spoken("what-do-you-see") + silence(1000))
    server = await serve("127.0.0.1", 0, None, scenario=read_scenario(SCENARIO))
    url = f"https://127.0.0.1:{server.port}"
    # Once told in the program, once as `vision-agent live-server` says it.
    told = {"GOOGLE_GEMINI_BASE_URL": url, "GEMINI_API_KEY": "any"} if model == MODEL_3 else {}
    try:
        certificate.write_text(server.certificate_pem)
        process = await asyncio.create_subprocess_exec(
            node,
            "conversation.mjs",
            model,
            str(speech),
            *([] if told else [url]),
            cwd=HERE,
            env={**os.environ, **told, "NODE_EXTRA_CA_CERTS": str(certificate)},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(WITHIN_S):
                printed, complaints = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    finally:
        await server.close()
    assert process.returncode == 0, complaints.decode()
    report = json.loads(printed)
    # Six characters of 60 ms each, s16le at 24 kHz.
    assert report["typed"] == {"said": "Hello.", "soundBytes": 6 * 60 * 48}
    assert report["heard"] == "what time is it in Graz"
    assert report["called"] == [{"name": "get_time", "args": {"place": "Graz"}}]
    assert report["usage"] > 0
    assert report["closed"]["code"] in (1000, 1005)
    assert report["resumed"] == "The fifth."
    assert report["refused"]["code"] == 1007
    assert report["refused"]["reason"].startswith("Requested voice api_name 'Nobody' is not")
