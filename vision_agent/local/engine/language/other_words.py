"""Further phrases, for typed sentences and for exact hypotheses of the general model.

They are not in the recogniser's grammar, because a smaller grammar is recognised better, and they
are looser than the phrases of the `intents` table: ``<any>`` and ``<object>`` stand for a few words
of any kind. So the agent's own tools come before them. The first phrase that matches counts.
"""

from __future__ import annotations

from vision_agent.local.engine.language.phrase_rules import Intent
from vision_agent.local.engine.language.ways_of_asking import FURTHER

MORE_RULES: dict[str, str] = {
    "watch_further": FURTHER["watch"],
    "ask": "can you | could you | would you | will you | please | i want you to | i would like you"
    " to | can you please | could you please",
    "every": "anything | something | any | a | an | some | one",
    "someone": "anyone | anybody | someone | somebody | anything | something",
    "human": "person | persons | people | man | men | woman | women | child | children | kid | kids"
    " | boy | boys | girl | girls | human | humans | face | faces",
    "language": "german | french | spanish | italian | dutch | polish | portuguese | russian"
    " | chinese | japanese | korean | arabic | hindi | turkish | english | swedish | danish"
    " | greek | czech | ukrainian | another language | other languages | any other language",
    "place": "desk | table | shelf | floor | ground | wall | hand | hands | room | picture | image"
    " | photo | screen | background | foreground | box | bag | cup | bowl | plate | window | bed"
    " | chair | kitchen | tray | basket | counter | view | scene | camera",
    "side": "left | right | middle | centre | center",
    "print": "number | numbers | word | words | text | title | letters | headline | digits | name"
    " | date | address | brand | writing | label | phone number",
    "sheet": "receipt | bill | ticket | invoice | label | page | paper | letter | sign | card"
    " | note | box | bottle | package | packet | screen | menu | book | poster | sheet",
}
"""Named parts of the phrases below, besides those of the grammar."""

_DETERMINER = "(my | the | this | that | your | our | his | her)"

OTHER_WORDS: tuple[Intent, ...] = (
    Intent("watch", ("[<ask>] <watch_further> <event>",)),
    Intent("stop_watch", ("[<ask>] (stop | cancel | end) [the] (watching | watch) [<any>]",)),
    Intent(
        "side",
        (
            "[and] what (is | are | do you see | can you see | stands) [there] (on | in | at | to)"
            " (the | my | your) <side> [hand] [side] [of (it | the picture | the image)] [<here>]",
            "[and] (what about | and) [on | in] the <side> [hand] [side]",
            "[and] (on | in) the <side> [hand] [side]",
        ),
    ),
    Intent(
        "repeat",
        (
            "[<ask>] (say | tell me | repeat) (that | it | this) [again | once more | one more time"
            " | please]",
            "[<ask>] repeat [yourself | your answer | the answer | what you said] [again | once"
            " more] [please]",
            "[sorry | and] what (did you [just] say | was that | were you saying | have you said)"
            " [just now | again]",
            "[sorry] i (did not | could not) (hear | catch | understand | get) (that | it | you)",
            "[<ask>] (say | tell me) [that] [once more | one more time | again]",
            "(come | say | once) again",
            "one more time",
            "again",
            "(sorry | excuse me | pardon me | i beg your pardon) [what]",
            "(what | huh)",
            "what was (your | the) [last] answer",
        ),
    ),
    Intent(
        "voice",
        (
            "[<ask>] [speak | talk | say it | go | be] [a bit | a little | much] (louder | quieter"
            " | softer | slower | faster | more slowly | more quietly)",
            "[<ask>] (speak | talk) (up | slowly | louder [and] slower)",
            "[<ask>] slow down",
            "i (can not | cannot | can hardly | do not) hear you [well | now]",
            "(you are | it is) too (loud | quiet | fast | slow)",
            "turn [the | your] (volume | voice) (up | down)",
        ),
    ),
    Intent(
        "colour",
        (
            "how many <many> [<any>]",
            "[<ask>] (what | which | name | list | tell me | say) [all] [the] <many> [<any>]",
            "what are (the | its | all the) <many> [<any>]",
            "[and] (what | which) colour (is | are | was) <object> [<here>]",
            "[and] (what | which) colour (does | do) <object> have",
            "what is the colour of <object>",
            "[<ask>] tell me (what | which) colour <object> (is | are | has | have)",
            "[<ask>] tell me the colour of <object>",
        ),
    ),
    Intent(
        "any_colour",
        (
            "(is there | are there | (do | can) you see | do you have | is | are) <every>"
            " [that is | which is | thing] <colour> [<object>]",
            "(is there | are there | (do | can) you see) <colour> [<object>]",
        ),
    ),
    Intent("is_colour", ("(is | are) <object> <colour>",)),
    Intent(
        "count_colour",
        (
            "how many <colour> <object> (are there | do you see | can you see | are here) [<any>]",
            "how many <colour> <object> (do i have | am i holding)",
        ),
    ),
    Intent(
        "code",
        (
            "(where | what) (does | do | will | would) (the | this | that | my) <qr> (go | lead"
            " | link | point | open | mean | take me | contain | hold | show | do) [to | me to]",
            "[<ask>] (scan | open | follow | decode | look at) (the | this | that | my) <qr>"
            " [<any>]",
            "what is (behind | inside | stored in | encoded in) (the | this | that) <qr>",
            "(which | what) (link | address | page | site | website) is (in | on | behind) <any>",
        ),
    ),
    Intent("scan", ("[<ask>] scan [<object>] [for me]",)),
    Intent(
        "total",
        (
            "what (is | was) [the | my | this] (total | sum | amount | price | bill) [<any>]",
            "how much (is | was | does | do | did) (it | this | that | the total | the bill | all"
            " of this) [cost | come to | make] [<any>]",
            "what (does | do | did) (this | that | it) cost",
            "how much (do | did) i [have to | need to] pay [<any>]",
            f"what is the total (of | on | for) {_DETERMINER} <any>",
            "[<ask>] read the (total | price | sum | amount) [<any>]",
            "how much (is | was | are | were | does | do | did) <object> [cost]",
            "what (does | do | did) <object> cost",
        ),
    ),
    Intent(
        "expiry",
        (
            "(when | until when | how long) (does | do | did | will | is | are | can i) <any>"
            " (expire | run out | go off | go bad | good [for | until] | valid [for | until] | last"
            " | keep | use it | eat it)",
            "(is | are | has | have) <any> (expired | still good | out of date | past its date"
            " | still okay)",
            "(what | when) is the (expiry | expiration | best before | use by | sell by) [date]"
            " [<any>]",
        ),
    ),
    Intent(
        "read",
        (
            "[and] what (does | do | did) <object> say [<here>]",
            "[and] what does it say [<any>]",
            "what is (this | that | it) say",
            "[is there] (anything | something) [that is] (written | printed) [<any>]",
            "what is the <any> number [<any>]",
            "[and] what (is | are | was) (written | printed) [<any>]",
            "what (stands | is standing) (on | in | there) [<any>]",
            "[and] what <print> (is | are | stands | do you see | can you see | can you read"
            " | does it show) [<any>]",
            "[and] (what | which) (is | are) [the | this | that] <print> (on | in | at) <any>",
            f"what is (on | in) {_DETERMINER} [<any>] <sheet>",
            "[<ask>] read [out] <object>",
            "[<ask>] read [<any>]",
            "(is there | are there | (do | can) you see) [any | a | some] <print> [<any>]",
        ),
    ),
    Intent(
        "moving",
        (
            "(is | are) (<someone> | <object>) (moving | walking | running | in motion) [<here>]",
            "(did | does | do) <someone> [just] move [<here>]",
            "(who | what) (is moving | moves | moved) [<here>]",
            "(is there | do you see | can you see) [any | a | some] (movement | motion) <any>",
        ),
    ),
    Intent(
        "people",
        (
            "how many <human> (are | do you see | can you see | is) [<any>]",
            "(is there | are there | (do | can) you see) (a | any | some) <human> [<any>]",
            "(is | are) <someone> (in | on | at | behind | near) <any>",
        ),
    ),
    Intent(
        "who_is",
        (
            "who (is | are | was) (this | that | he | she | it | there | here | these | those)"
            " [<any>]",
            "who (is | are) (in | on | at | behind | beside | next to) <any>",
            "(do | can) you (know | recognise) (him | her | me | them)",
            "who am i",
        ),
    ),
    Intent(
        "see",
        (
            f"what (is | are) [lying | standing | there] (on | in | at | under | behind | beside"
            f" | near) {_DETERMINER} [<any>] <place>",
            "what (is | are) (behind | beside | next to | around | before) (me | you | us | it)",
            "what (else | all) (is | are | do you see | can you see) [there | here] [<any>]",
            "what (things | objects) (are | do you see | can you see) [<any>]",
            f"what (do | can) you see (on | in | at | under | behind) {_DETERMINER} <any>",
            "[<ask>] (describe | tell me about) (this | that | what is (here | there | in front of"
            f" you) | {_DETERMINER} [<any>] <place>) [to me]",
            "what is (here | there | in view | to see)",
        ),
    ),
    Intent(
        "clock",
        (
            "[<ask>] [tell me] what time is it [now | please | here | right now]",
            "[<ask>] tell me the (time | date | day) [please | now]",
            "what is the (time | date) [now | today | please]",
            "(what | which) (day | date) (is it | is today | do we have) [today]",
            "what is today s date",
            "(do you (know | have) | have you got) (the | what) (time | date) [it is | is it]",
            "how late is it",
            "[<ask>] tell me what (time | day | date) it is [now | today]",
        ),
    ),
    Intent("how_to_teach", ("[<ask>] (remember | learn | memorise | save) (this | that | it)",)),
    Intent(
        "what_kind",
        (
            "[and] what (kind | sort | type) of <object> (is | are) (this | that | it | these"
            " | those)",
            "[and] (what | which) (animal | fruit | vegetable | bird | vehicle | instrument) (is"
            " | are) (this | that | it | these | those)",
        ),
    ),
    Intent(
        "open",
        (
            "[and] (what | which) [kind of | sort of | type of] <any> (is | are) (this | that | it"
            " | these | those)",
            "what (is | are) <object> (doing | eating | wearing | holding | used for | made of"
            " | worth | good for)",
        ),
    ),
    Intent(
        "knows", ("what (did i show | have i shown) you [before | earlier | just now | already]",)
    ),
    Intent(
        "hear_me",
        (
            "[hello | hey] are you [still] (there | here | awake | on | with me | listening)"
            " [now | hello]",
            "(test | testing) [<any>]",
            "is (anybody | anyone) (there | home | listening) hello",
        ),
    ),
    Intent(
        "compare",
        (
            "[<ask>] compare (these | those | them | this | both | the two) [<any>]",
            "(which | what) (one | of these | of them | of the two) is (bigger | smaller | larger"
            " | longer | shorter | better | heavier | cheaper | taller)",
        ),
    ),
    Intent(
        "asked",
        (
            "what (did i [just] (ask | say) | was my [last] question"
            " | have i [just] (asked | said)) [you] [before | just now | earlier | last]",
        ),
    ),
    Intent(
        "speak",
        (
            "(can | do) you [also] (speak | understand | talk) [in] <language> [too]",
            "[<ask>] (speak | talk | answer) [in | to me in] <language>",
            "(which | what | how many) languages (do | can) you (speak | understand | know)",
        ),
    ),
    Intent("hello", ("(hello | hi | hey) (hello | hi | hey | you | agent | friend)",)),
    Intent("bye", ("good night", "i (have to | must) go [now]", "talk to you (later | soon)")),
    Intent(
        "meet",
        ("[it is] nice to meet you [too]", "(my name is | i am called | call me) <any>"),
    ),
    Intent(
        "yes", ("(yes | yeah | yep | yup | sure | of course | exactly) [it is | please | i do]",)
    ),
    Intent(
        "no",
        ("(no | nope | nah | not now | nothing | no thanks) [thank you | thanks | it is not]",),
    ),
    Intent(
        "fine",
        (
            "[that is | very] (fine | good | great | nice | cool | wow | perfect | right | correct"
            " | interesting | wonderful | awesome)",
            "(i see | all right | alright | got it | i am sorry | good job | well done)",
        ),
    ),
    Intent(
        "wait",
        (
            "(wait | hold on | hang on) [please | a (minute | moment | second)]",
            "[just] (one | a) (moment | second | minute) [please]",
            "give me a (moment | second | minute)",
        ),
    ),
    # After whatever is better known: colours, people, print.
    Intent(
        "is_thing",
        (
            "[and] (is there | are there | (do | can) you see) (a | an | any | some) <object>"
            " [<here>]",
        ),
    ),
)

LEADS = "(hello | hi | hey) [there] | okay | please | so | and | well | oh | then | excuse me"
"""What may stand before any of these."""

TYPED_ONLY = frozenset({"yes", "no", "fine", "wait", "hello", "bye", "meet", "hear_me"})
"""Too short or too common to be believed of the general model alone: people say them to each
other."""

FEWEST_HEARD = 3
"""Words that a sentence must have to be believed of the general model alone."""
