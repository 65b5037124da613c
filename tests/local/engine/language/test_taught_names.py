"""Taught names are in the grammar and the dictionary, and are believed when they are heard."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from tests.local.recordings import spoken
from vision_agent.local.contract import Request
from vision_agent.local.engine.hearing.grammar_decoder import GrammarDecoder
from vision_agent.local.engine.hearing.worker_messages import Vocabulary
from vision_agent.local.engine.language.grammar import jsgf
from vision_agent.local.engine.language.pronunciation import spelled_phones
from vision_agent.local.engine.language.taught_names import MOST_USERS, TaughtNames
from vision_agent.local.engine.language.understanding import Proposal, by_rules, likelier
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


def test_the_grammar_takes_new_names_and_still_hears_the_others() -> None:
    decoder = GrammarDecoder()
    sound, heard = spoken("what-colour-is-this"), ["What cutler is this?", "What color is this?"]
    for names in (("zorblax", "blue stapler"), (), ("zorblax",)):
        proposal = decoder.propose(sound, Vocabulary(names), heard)
        assert proposal == Proposal("what colour is this", 0.0)


def test_a_taught_name_is_in_the_grammar_and_believed_when_it_sounds_like_it() -> None:
    assert re.search(r"<name> = .*\| zorblax;", jsgf(["zorblax"]))
    said = Proposal("is this my zorblax", 0.3)
    found = Request("is_known", {"whose": "my", "name": "zorblax"})
    assert by_rules("His is my Zoe blacks?", said, ["zorblax"]) == found
    assert likelier("His is my Zoe blacks?", said, ["zorblax"]) == "Is this my zorblax"
    unlike = Proposal("is this my zorblax", 0.5)
    assert likelier("His is my Zoe blacks?", unlike, ["zorblax"]) == "His is my Zoe blacks?"


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
