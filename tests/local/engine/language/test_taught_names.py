"""Names that were taught can be heard: by the grammar, the dictionary, and the judgement."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st
from pocketsphinx import Decoder

from tests.local.recordings import spoken
from vision_agent.local.contract import Request
from vision_agent.local.engine.hearing.acceptance import judge
from vision_agent.local.engine.hearing.decoder_pair import DecoderPair
from vision_agent.local.engine.hearing.worker_messages import Vocabulary
from vision_agent.local.engine.language.grammar import jsgf
from vision_agent.local.engine.language.pronunciation import spelled_phones
from vision_agent.local.engine.language.taught_names import MOST_USERS, TaughtNames
from vision_agent.local.engine.language.vocabulary import NOUNS, plural, singular

PHONES = frozenset(
    """AA AE AH AO AW AY B CH D DH EH ER EY F G HH IH IY JH K L M N NG OW OY P R S SH T TH UH UW V W
    Y Z ZH""".split()  # noqa: SIM905
)


@given(st.from_regex(r"[a-z]{1,15}", fullmatch=True))
def test_any_word_gets_phones_of_the_dictionarys_alphabet(word: str) -> None:
    phones = spelled_phones(word).split()
    assert phones
    assert set(phones) <= PHONES


def test_a_listener_takes_new_names_and_hears_on() -> None:
    listener = DecoderPair()
    listener.listen_for(Vocabulary(("zorblax", "blue stapler")))
    listener.listen_for(Vocabulary())
    listener.listen_for(Vocabulary(("zorblax",)))
    sound = spoken("what-colour-is-this")
    listener.begin(sound[:32_000])
    listener.feed(sound)
    transcript, _ = listener.finish()
    assert transcript.request == Request("colour")


def test_a_taught_name_is_in_the_grammar_and_believed_when_heard() -> None:
    decoder = Decoder(lm=None, loglevel="FATAL")
    decoder.add_word("zorblax", spelled_phones("zorblax"), True)
    assert re.search(r"<name> = .*\| zorblax;", jsgf(["zorblax"]))
    said = "where is my zorblax"
    assert judge(said, said, 0.0, 1.0, Vocabulary(("zorblax",))).understood
    asked = "is this my zorblax"
    found = Request("is_known", {"whose": "my", "name": "zorblax"})
    assert judge(asked, asked, 0.0, 1.0, Vocabulary(("zorblax",))).request == found
    assert not judge(asked, asked, 0.0, 1.0).understood


def test_the_names_of_those_who_were_here_last_are_listened_for() -> None:
    names = TaughtNames()
    names.record("ann", ["zorblax", "mug", "red mug", "r2 d2"])
    assert names.known == ("zorblax",)
    names.record("ben", ["alfred"])
    assert names.known == ("alfred", "zorblax")
    for number in range(MOST_USERS):
        names.record(f"user {number}", ["bob"])
    assert names.known == ("bob",)


def test_every_noun_has_a_plural_that_leads_back_to_it() -> None:
    for noun in NOUNS:
        if plural(noun) not in NOUNS:  # keys and glasses are things of their own
            assert singular(plural(noun)) == noun
    assert (plural("box"), plural("battery"), plural("knife")) == ("boxes", "batteries", "knives")
