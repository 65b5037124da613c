"""The scenario of a soak: the sample's faults, with answers that differ from each other."""

from pathlib import Path

import yaml

SAMPLE = Path(__file__).parents[2] / "samples" / "scenarios" / "soak.yaml"

UTTERANCES = 500
"""The number of different transcripts of speech; after the last one they repeat."""

LETTER_MS = 60
"""The length of a scenario's tone for each character."""


def write_scenario(path: Path, *, seed: int, every_s: float) -> None:
    """Write the sample with a fault every `every_s` seconds, in the seed's order."""
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
