"""Both major versions of google-genai hold a conversation with the local Live API, unmodified."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.local.live_clients import MODEL_2, MODEL_3
from tests.local.recordings import silence, spoken
from tests.python.newest import HERE, newest_python
from tests.sdk_scenario import SCENARIO
from tests.support.programs import run
from vision_agent.local import serve
from vision_agent.local.scenarios.scenario_file import read_scenario


async def conversation(python: str | Path, model: str, folder: Path) -> dict[str, Any]:
    """The report of a conversation of one SDK version with a server of its own."""
    folder.mkdir()
    certificate, speech = folder / "certificate.pem", folder / "speech.pcm"
    speech.write_bytes(silence(300) + spoken("what-do-you-see") + silence(1000))
    server = await serve("127.0.0.1", 0, None, scenario=read_scenario(SCENARIO))
    try:
        certificate.write_text(server.certificate_pem)
        printed = await run(
            python,
            *("-m", "conversation"),
            model,
            speech,
            cwd=HERE,
            SSL_CERT_FILE=str(certificate),
            GOOGLE_GEMINI_BASE_URL=f"https://127.0.0.1:{server.port}",
            GEMINI_API_KEY="any",
        )
    finally:
        await server.close()
    report: dict[str, Any] = json.loads(printed)
    return report


@pytest.mark.parametrize("model", [MODEL_2, MODEL_3])
async def test_both_majors_of_the_python_sdk_hold_a_conversation(
    model: str, tmp_path: Path
) -> None:
    reports = await asyncio.gather(
        conversation(sys.executable, model, tmp_path / "installed"),
        conversation(newest_python(), model, tmp_path / "newest"),
    )
    assert [report["sdk"].partition(".")[0] for report in reports] == ["2", "3"]
    for report in reports:
        # Six characters of 60 ms each, s16le at 24 kHz.
        assert report["typed"] == {"said": "Hello.", "sound_bytes": 6 * 60 * 48}
        assert report["heard"].strip() == "what time is it in Graz"
        assert report["called"] == [{"name": "get_time", "args": {"place": "Graz"}}]
        assert report["usage"] > 0
        assert report["resumed"] in ("The fifth.", "You typed something.")
        assert report["refused"]["code"] == 1007
        assert "Requested voice api_name 'Nobody' is not available" in report["refused"]["words"]
        assert f"models/{model}" in report["models"]
        opened, refused = report["token"]
        assert opened == "opened"
        assert "Token has been used too many times" in refused
