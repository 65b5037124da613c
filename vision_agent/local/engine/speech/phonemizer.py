"""English text to phonemes: hibari's rules, with its tables checked and held compactly."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

from hibari.g2p import G2P
from hibari.g2p.lexicon import Lexicon
from hibari.g2p.tagger import Tagger
from hibari.g2p.tokenize import Tokenizer

from vision_agent.local.engine.speech.lookup_table import LookupTable

_WEIGHTS = b',"weights":'


class Phonemizer(G2P):  # type: ignore[misc]
    """hibari's `G2P` for American English.

    Its own initialiser parses the tables into dictionaries of 100 MB; this one does not call it.

    Args:
        assets: The folder of hibari's tables, whose files have been checked.
    """

    def __init__(self, assets: Path) -> None:
        gold, silver, tagger = (
            gzip.decompress((assets / f"{name}.json.gz").read_bytes())
            for name in ("lexicon_us_gold", "lexicon_us_silver", "tagger")
        )
        self.lexicon = Lexicon(LookupTable(gold), LookupTable(silver))
        self.tokenizer = Tokenizer(json.loads((assets / "tokenizer_exceptions.json").read_bytes()))
        # The weights are the last and by far the largest part of the tagger's file.
        parts, _, weights = tagger.partition(_WEIGHTS)
        self.tagger = Tagger({**json.loads(parts + b"}"), "weights": LookupTable(weights[:-1])})
        self._oov = None  # the network for unknown words: loaded by the first one, in 15 ms
        self.unk = ""
        self.british = False
