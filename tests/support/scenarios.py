"""Scenarios of the local Live API that several tests play."""

from pathlib import Path

SILENT = Path(__file__).parent / "silent.yaml"
"""No engine runs, and nothing is answered: for what only the HTTP side is asked."""

TONES = Path(__file__).parent / "tones.yaml"
"""No engine runs; "what can you do?" has an answer of six seconds, whatever else a short one."""

KEEPS = Path(__file__).parent / "keeps.yaml"
"""No engine runs; "keep" calls the tool of that name, whatever else has a short answer."""
