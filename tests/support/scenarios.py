"""Scenarios of the local Live API that several tests play."""

from pathlib import Path

SILENT = Path(__file__).parent / "silent.yaml"
"""No engine runs, and nothing is answered: for tests of the HTTP side alone."""

TONES = Path(__file__).parent / "tones.yaml"
"""No engine runs; "what can you do?" has an answer of six seconds, and all else a short one."""

KEEPS = Path(__file__).parent / "keeps.yaml"
"""No engine runs; "keep" calls the tool of that name, and all else has a short answer."""

IN_TONES = Path(__file__).parent / "in_tones.yaml"
"""The engine hears, sees and answers, to "in short" in three sentences; its voice is a tone, which
costs no synthesis."""

ASKS_FOR_A_COLOUR = Path(__file__).parent / "asks_for_a_colour.yaml"
"""The engine sees, and answers in tones. Every utterance asks for a colour, which takes a tenth of
the CPU of a description."""
