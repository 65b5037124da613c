import pytest
from pocketsphinx import Decoder

from vision_agent.local.engine.language.grammar import DECOYS, EXTRA_WORDS, jsgf, plain_words
from vision_agent.local.engine.language.intents import INTENTS
from vision_agent.local.engine.language.phrase_matching import match
from vision_agent.local.engine.language.pronunciation import phone_distance


def test_the_recogniser_reads_the_grammar_and_knows_every_word_of_it(
    capfd: pytest.CaptureFixture[str],
) -> None:
    decoder = Decoder(lm=None, loglevel="ERROR")
    for word, phones in EXTRA_WORDS.items():
        decoder.add_word(word, phones, True)
    decoder.add_jsgf_string("requests", jsgf())
    decoder.activate_search("requests")
    assert decoder.current_search() == "requests"
    assert capfd.readouterr().err == ""


def test_every_intent_can_be_heard() -> None:
    def request(text: str) -> str:
        return next(line for line in text.splitlines() if line.startswith("public"))

    for intent in INTENTS:
        assert f"<ask_{intent.name}>" in request(jsgf(agents=["clock"]))
    # Without other agents, the grammar has no request for a transfer.
    assert "<ask_transfer>" not in request(jsgf())


def test_nothing_that_is_listened_for_as_a_decoy_is_a_request() -> None:
    assert [decoy for decoy in DECOYS if match(decoy, names=()) is not None] == []


def test_dictionary_marks_are_not_shown() -> None:
    assert plain_words("<s> read(2) the q. r. code [NOISE] </s>") == "read the q r code"


def test_what_sounds_alike_is_near_and_what_does_not_is_far() -> None:
    phones = {"see": ["S", "IY"], "sea": ["S", "IY"], "she": ["SH", "IY"], "dog": ["D", "AO", "G"]}
    assert phone_distance("see", "sea", phones.get) == 0
    assert phone_distance("see", "she", phones.get) == 0.5
    assert phone_distance("see", "dog", phones.get) == 1
    assert phone_distance("", "", phones.get) == 0
    assert phone_distance("see", "", phones.get) == 1
