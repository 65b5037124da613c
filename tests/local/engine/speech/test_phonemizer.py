"""hibari's pronunciation rules on tables that are stored compactly."""

import gzip
import json

import pytest
from hibari.g2p import G2P

from vision_agent.local.engine.speech.lookup_table import LookupTable
from vision_agent.local.engine.speech.phonemizer import Phonemizer
from vision_agent.local.engine.weights import voice_tables


@pytest.mark.parametrize("file", ["lexicon_us_gold", "lexicon_us_silver", "tagger"])
def test_a_table_has_every_entry_of_its_file_and_no_other(file: str) -> None:
    text = gzip.decompress((voice_tables() / f"{file}.json.gz").read_bytes())
    if file == "tagger":
        text = text.partition(b',"weights":')[2][:-1]
    entries = json.loads(text)
    table = LookupTable(text)
    assert len(table) == len(entries)
    sampled = list(entries)[::61]
    assert {key: table.get(key) for key in sampled} == {key: entries[key] for key in sampled}
    assert table.get("zzyzx nowhere") is table.get("") is table.get('"') is None


def test_it_reads_as_hibari_does() -> None:
    own, ours = G2P(), Phonemizer(voice_tables())
    for text in (
        "The record was read aloud by five people who live in Lead, didn't they?",
        "He'd've paid $12.50 at 3:05 pm on 11/26/2026 for O'Brien's \"quotes\"!",
        "Zorblax Nguyen's caf\u00e9 is 20\u00b0C; NASA, Chapter IV and 1,250 USB-C cables.",
    ):
        assert ours(text) == own(text)
