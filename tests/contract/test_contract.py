"""The local Live API sends what the service is known to send; and the comparison can fail."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.contract import __main__ as contract
from tests.contract.sequence import Scene, differences
from tests.local.live_clients import MODEL_3
from tests.support.forked import ROOT, run_forked

REFERENCE = {
    model: {name: Scene.of_json(scene) for name, scene in scenes.items()}
    for model, scenes in json.loads((Path(__file__).parent / "reference.json").read_text()).items()
}
"""What the public service sends, according to its documentation and to recordings."""

TYPED = REFERENCE[MODEL_3]["typed"]
REFUSED = REFERENCE[MODEL_3]["bad key"]


@pytest.mark.parametrize("model", contract.MODELS)
async def test_the_local_server_says_what_the_service_is_known_to_say(model: str) -> None:
    assert differences(REFERENCE[model], await contract.play_locally(model)) == []


async def test_a_server_that_behaves_otherwise_is_noticed() -> None:
    silent = "engine: false\notherwise: {say: []}\nfaults: [{resumable: false, at: {turn: 1}}]"
    played = await contract.play_locally(MODEL_3, silent, names=["typed"])
    assert differences({"typed": TYPED}, played) == [
        "typed:",
        "  @@ -1,6 +1,4 @@",
        "  -audio",
        "   generation_complete",
        "   turn_complete",
        "  -(caption)",
        "   (session_resumption_update)",
        "   (usage_metadata)",
    ]


@pytest.mark.parametrize(
    "other",
    [
        replace(TYPED, sequence=("audio", "turn_complete")),
        replace(TYPED, sequence=("audio", "turn_complete", "generation_complete")),
        replace(TYPED, sequence=(*TYPED.sequence, "turn_complete")),
        replace(TYPED, sequence=("audio", "interrupted", *TYPED.sequence[1:])),
        replace(TYPED, beside=TYPED.beside - {"usage_metadata"}),
        replace(TYPED, beside=TYPED.beside | {"heard"}),
        Scene(refused=(1008, "No.")),
    ],
)
def test_another_order_or_another_kind_is_a_difference(other: Scene) -> None:
    assert differences({"typed": TYPED}, {"typed": other})
    assert differences({"typed": other}, {"typed": TYPED})


@pytest.mark.parametrize("other", [(1008, REFUSED.refused[1]), (1007, "Something else."), None])
def test_another_refusal_is_a_difference(other: tuple[int, str] | None) -> None:
    assert differences({"bad key": REFUSED}, {"bad key": Scene(refused=other)})


def test_a_scene_too_few_or_too_many_is_a_difference() -> None:
    assert differences({"typed": TYPED}, {}) == ["typed: missing"]
    assert differences({}, {"typed": TYPED}) == ["typed: not expected"]


def test_pieces_and_what_comes_beside_are_no_difference() -> None:
    one = ["heard", "audio", "generation_complete", "usage_metadata", "turn_complete", "caption"]
    other = ["audio", "caption", "audio", "heard", "audio", "caption", *one[2:], "go_away"]
    assert Scene.of_kinds(one) == Scene.of_kinds(other)


async def test_the_comparison_prints_what_differs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The comparison alone: its two conversations are replaced by their results."""

    async def publicly(model: str, key: str) -> dict[str, Scene]:
        assert key == "a key"
        return REFERENCE[model]

    async def locally(model: str) -> dict[str, Scene]:
        return {**REFERENCE[model], "typed": replace(TYPED, sequence=("audio",))}

    monkeypatch.setattr(contract, "play_publicly", publicly)
    monkeypatch.setattr(contract, "play_locally", locally)
    assert not await contract.compare("a key")
    printed = capsys.readouterr().out
    assert printed.count("-generation_complete") == len(contract.MODELS)
    monkeypatch.setattr(contract, "play_locally", lambda model: publicly(model, "a key"))
    assert await contract.compare("a key")


def test_without_a_key_it_says_that_it_is_skipped() -> None:
    done = run_forked("tests.contract", cwd=ROOT)
    assert done.returncode == 0
    assert done.stdout.startswith("Skipped: the contract test")
    assert "GEMINI_API_KEY" in done.stdout
