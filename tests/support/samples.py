"""The sample agents."""

from pathlib import Path

SAMPLES = Path(__file__).parents[2] / "samples" / "agents"


SAMPLE_NAMES = sorted(file.parent.name for file in SAMPLES.glob("*/agent.py"))
