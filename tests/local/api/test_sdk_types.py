"""The server knows all that each major version of google-genai sends; the page, all it reads."""

from __future__ import annotations

import json
from dataclasses import asdict

from google.genai import types

from tests.local.api.sdk_types import (
    Comparison,
    compare,
    comparison,
    missing_from_page,
    of_google_genai,
)
from tests.python.newest import ROOT as PROJECT
from tests.python.newest import newest_python
from tests.support.programs import run
from vision_agent.local.api.schema import MESSAGES, ROOT

UNKNOWN_TO_2 = {"ThinkingLevel XHIGH", "AudioTranscriptionConfig.source_text"}


def test_the_installed_version_sends_and_reads_what_is_known() -> None:
    found = comparison()
    assert found.unknown == found.other_service == found.unnamed == []
    assert set(found.compared) == set(MESSAGES)
    assert set(found.absent) >= UNKNOWN_TO_2


async def test_the_newest_version_sends_and_reads_exactly_what_is_known() -> None:
    printed = await run(newest_python(), "-m", "tests.local.api.sdk_types", cwd=PROJECT)
    found = json.loads(printed)
    assert set(found.pop("compared")) == set(MESSAGES)
    nothing = asdict(Comparison())
    assert found == {name: nothing[name] for name in found}


def test_a_field_that_google_genai_adds_would_be_missed() -> None:
    class LiveClientMessage(types.LiveClientMessage):
        smell: str | None = None

    found = Comparison()
    compare(LiveClientMessage, ROOT, "message", found)
    [sentence] = found.unknown
    assert "LiveClientMessage.smell" in sentence
    assert "docs/local-live-api.md" in sentence


def test_a_field_that_google_genai_adds_is_missed_in_the_page() -> None:
    class UsageMetadata(types.UsageMetadata):
        smells: int | None = None

    class LiveServerMessage(types.LiveServerMessage):
        usage_metadata: UsageMetadata | None = None

    missing = missing_from_page(LiveServerMessage, of_google_genai)
    assert missing == ["usageMetadata.smells"]
