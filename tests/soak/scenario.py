"""The scenario of a soak: the sample's faults, with answers that can be told apart."""

from pathlib import Path

import yaml

SAMPLE = Path(__file__).parents[2] / "samples" / "scenarios" / "soak.yaml"

UTTERANCES = 500
"""Different transcripts for what is spoken; beyond it they begin anew."""

LETTER_MS = 60
"""How long a scenario's tone is for each character."""


def write_scenario(path: Path, *, seed: int, every_s: float) -> None:
    """The sample, in the order that the seed makes, with a fault every so many seconds."""
    scenario = yaml.safe_load(SAMPLE.read_text())
    scenario |= {
        "seed": seed,
        "every_s": every_s,
        "hears": [f"utterance {number}" for number in range(1, UTTERANCES + 1)],
        "answers": [
            {"when": {"tool": "measure"}, "say": "It is {reading}, as you said {said}."},
            {"when": {"words": "measure"}, "call": {"name": "measure"}},
        ],
    }
    path.write_text(yaml.safe_dump(scenario, sort_keys=False))
