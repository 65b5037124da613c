"""The JavaScript SDK, @google/genai in Node, holds a conversation with the local Live API."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from tests.local.live_clients import MODEL_2, MODEL_3
from tests.local.recordings import silence, spoken
from tests.node import node_with
from tests.sdk_scenario import SCENARIO
from tests.support.programs import run
from vision_agent.local import serve
from vision_agent.local.scenarios.scenario_file import read_scenario

HERE = Path(__file__).parent
WITHIN_S = 60

SDKS = {"genai-2": "2.", "@google/genai": "3."}
"""The packages of the SDK, and how their versions begin."""


@pytest.fixture(scope="module")
def node() -> str:
    """A Node that is new enough, with the SDK beside this file; skips with a reason otherwise."""
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


async def conversation(node: str, sdk: str, model: str, folder: Path) -> dict[str, Any]:
    """The report of a conversation of one SDK version with a server of its own."""
    folder.mkdir()
    certificate, speech = folder / "certificate.pem", folder / "speech.pcm"
    speech.write_bytes(silence(300) + spoken("what-do-you-see") + silence(1000))
    server = await serve("127.0.0.1", 0, None, scenario=read_scenario(SCENARIO))
    url = f"https://127.0.0.1:{server.port}"
    # One model's program passes the address, the other's gets it from the environment.
    told = {"GOOGLE_GEMINI_BASE_URL": url, "GEMINI_API_KEY": "any"} if model == MODEL_3 else {}
    try:
        certificate.write_text(server.certificate_pem)
        printed = await run(
            node,
            "conversation.mjs",
            sdk,
            model,
            speech,
            *([] if told else [url]),
            cwd=HERE,
            within_s=WITHIN_S,
            NODE_EXTRA_CA_CERTS=str(certificate),
            **told,
        )
    finally:
        await server.close()
    report: dict[str, Any] = json.loads(printed)
    return report


def test_both_majors_of_the_sdk_are_installed(node: str) -> None:
    for package, version in SDKS.items():
        installed = json.loads((HERE / "node_modules" / package / "package.json").read_text())
        assert installed["name"] == "@google/genai"
        assert installed["version"].startswith(version)


@pytest.mark.parametrize("model", [MODEL_2, MODEL_3])
async def test_both_majors_of_the_javascript_sdk_hold_a_conversation(
    node: str, model: str, tmp_path: Path
) -> None:
    reports = await asyncio.gather(
        *(conversation(node, sdk, model, tmp_path / version) for sdk, version in SDKS.items())
    )
    for report in reports:
        # Six characters of 60 ms each, s16le at 24 kHz.
        assert report["typed"] == {"said": "Hello.", "soundBytes": 6 * 60 * 48}
        assert report["heard"].strip() == "what time is it in Graz"
        assert report["called"] == [{"name": "get_time", "args": {"place": "Graz"}}]
        assert report["usage"] > 0
        assert report["closed"]["code"] in (1000, 1005)
        # A handle from the middle of a turn does not cover the end of the turn.
        assert report["resumed"] in ("The fifth.", "You typed something.")
        assert report["refused"]["code"] == 1007
        assert report["refused"]["reason"].startswith("Requested voice api_name 'Nobody' is not")
        assert report["token"] == ["opened", "Token has been used too many times"]
        assert f"models/{model}" in report["models"]
