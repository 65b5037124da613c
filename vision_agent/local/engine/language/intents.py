"""What the local engine can be asked, in one table.

The table is both the grammar of the recogniser (``grammar.py`` writes it out as JSGF) and the
pattern that a sentence is matched with, so that recognition and answers cannot drift apart. A
phrase is written in the notation of JSGF 1.0: ``[optional]``, ``(this | that)`` and ``<rule>``; the
words are lower case, without contractions ("what's" is expanded before matching).
"""

from __future__ import annotations

from vision_agent.local.engine.language.intents_about_things import ABOUT_THINGS
from vision_agent.local.engine.language.intents_for_tools import FOR_TOOLS
from vision_agent.local.engine.language.phrase_rules import Intent

SMALL_TALK = frozenset({"hello", "thanks", "how_are_you", "yes", "fine"})
"""Intents that may accompany another request in one turn."""

INTENTS: tuple[Intent, ...] = (
    Intent(
        "see",
        (
            "what (do | can) you see [<here>]",
            "[can you | could you | please] (tell | show) me what you [can] see [<here>]",
            "[can you | could you | please] describe (what you [can] see | this | it | the scene"
            " | the picture | the image | the room) [to me | for me]",
            "what (is | are) (in front of (you | me) | in the (picture | image) | on the table)",
            "what am i looking at",
            "what (is | are) (here | there | happening | going on) [now]",
            "what does (it | this | that) look like",
            "what do i look like",
            "[take a] look at (this | that | it | me)",
            "do you see (this | that | it | anything | something)",
            "can you see (this | that | it | anything | something)",
            "[can you | could you | please] tell me what (it | this | that) is",
        ),
    ),
    Intent(
        "colour",
        (
            "(what | which) colour is (<it> | (the | this | that | my) <thing>) [<here>]",
            "(what | which) colour (do you see | can you see) [<here>]",
            "(what | which) <many> (do you see | can you see | are there) [<here>]",
            "(what | which) <many> (are (these | those | they) | is <it>)",
            "what is the colour of (<it> | (the | this | that | my) <thing>)",
            "what is (its | this | that | the) colour",
            "[can you | could you | please] tell me (the | its | this) colour"
            " [of (<it> | (the | this | that | my) <thing>)]",
            "[can you | could you | please] tell me (what | which) colour"
            " (<it> | (the | this | that | my) <thing>) is",
            "(name | describe) the colour",
        ),
    ),
    Intent(
        "is_colour",
        (
            "is (<it> | (the | this | that | my) <thing>) <colour>",
            "(do | can) you see [anything | something] <colour>",
        ),
    ),
    Intent(
        "read",
        (
            "[can you | could you | please | will you] read"
            " (<it> | the text | this text | that text | the words | the sign | the label"
            " | the (page | paper | screen | card | letter | note)) [to me | for me | out loud]",
            "[can you | could you | please] read (what it says | what is written | what this says)",
            "read [out] [loud]",
            "what does (it | this | that | the text | the sign | the label | the page | the paper"
            " | the screen | the card | the note) say",
            "what (is | does it) (written | say) [here | there | on it | on this | on the (paper"
            " | page | sign | label | screen)]",
            "what is (the | this | that) text",
            "[can you | could you | please] tell me what (it | this | that) says",
            "[can you | could you | please] read what is on"
            " (<it> | (the | this | that | my) <thing>)",
            "is there [any] (text | writing) [<here>]",
            "do you see any (text | writing | words)",
        ),
    ),
    Intent(
        "code",
        (
            "is there (a | any | the) <qr> [<here>] [what does it say | and what does it say]",
            "is (this | that | it) a <qr>",
            "(do | can) you see (a | any | the) <qr> [what does it say | and what does it say]",
            "[can you | could you | please] (scan | read | check) (the | this | that | a) <qr>",
            "what does (the | this | that) <qr> say",
            "what is (in | on) (the | this | that) <qr>",
            "what is (the | this | that) <qr>",
        ),
    ),
    Intent(
        "changed",
        (
            "what [has | have | is] changed [<here>]",
            "what is (new | different) [<here>]",
            "(did | has) (anything | something) (change | changed | move | moved)",
            "is [there] (anything | something) (new | different)",
            "what [has | have | did] (moved | move | happened | happen | appeared)",
            "what did i (change | move | do | put there | take away)",
            "do you (see | notice) (a | any | the) (change | changes | difference | differences)",
            "can you (see | tell me) what [has] changed",
            "tell me what [has] changed",
        ),
    ),
    Intent(
        "people",
        (
            "how many (people | persons | faces) (do | can) you see [<here>]",
            "how many (people | persons | faces) are (there | here | in the picture | in the image"
            " | in the room | in front of you)",
            "(do | can) you see (a | any | my) (face | faces | person | people | human) [<here>]",
            "(do | can) you see (anyone | anybody | someone | somebody) [<here>]",
            "is (anyone | anybody | someone | somebody) (there | here | in the picture"
            " | in the room | in front of you)",
            "(is | are) there (anyone | anybody | (a | any) (face | faces | person | people))"
            " [<here>]",
            "(am i | are we) in the picture",
            "count the (people | faces)",
        ),
    ),
    Intent(
        "light",
        (
            "is it [too] (dark | bright | light) [<here> | enough]",
            "is there [enough | any] light [<here>]",
            "is the picture [too] (dark | bright | blurred | blurry | sharp)",
            "how (dark | bright) is it [<here>]",
            "is the light (on | off)",
        ),
    ),
    Intent(
        "hello",
        (
            "hello [there | again]",
            "hi [there]",
            "hey [there]",
            "good (morning | afternoon | evening)",
        ),
    ),
    Intent("how_are_you", ("how are you [doing] [today]", "how is it going")),
    Intent(
        "stop",
        (
            "[please] stop [it | that | talking | speaking | now]",
            "[please] be quiet",
            "quiet",
            "silence",
            "shut up",
            "[that is] enough",
            "stop stop",
            "never mind",
            "(ok | okay) [stop]",
        ),
    ),
    Intent(
        "thanks",
        (
            "(thank you | thanks) [very much | so much | a lot]",
            "(great | good | cool | many) (thank you | thanks)",
            "thank you goodbye",
        ),
    ),
    Intent("bye", ("(goodbye | good bye | bye | bye bye)", "see you [later | soon | tomorrow]")),
    Intent(
        "help",
        (
            "what can you (do | tell me | help [me] with)",
            "what [else] can i (ask | ask you | say | do)",
            "what do you do",
            "[can you | please] help [me]",
            "how can you help [me]",
            "how does this work",
        ),
    ),
    Intent("hear_me", ("(can | do | could) you hear me [now]", "are you (there | listening)")),
    Intent("see_me", ("(can | do | could) you see me [now]", "is my camera (on | working)")),
    Intent(
        "who",
        ("who are you", "what are you", "what is your name", "are you [a] (human | robot | real)"),
    ),
    Intent(
        "repeat",
        (
            "[please | can you] (say | repeat) that [again]",
            "[please | can you] say it again",
            "repeat [it] [please]",
            "what did you [just] say",
            "pardon",
            "(once more | once again | one more time)",
        ),
    ),
    *ABOUT_THINGS,
    *FOR_TOOLS,
    # In the grammar so that they are not taken for something else: "what time is it" sounds
    # like "what colour is it". The agent's tools may answer them; the engine can't.
    Intent(
        "beyond",
        (
            "what time is it [now]",
            "what is the (time | date | weather) [like] [today]",
            "what (day | date) is it [today]",
            "(how | what) is the weather [like] [today]",
            "tell me a (joke | story)",
            "good idea",
        ),
    ),
)

TO_ANYBODY: tuple[Intent, ...] = (
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
            "(wait | hold on | hang on) [a (minute | moment | second)]",
            "[just | give me] (one | a) (moment | second | minute)",
        ),
    ),
    Intent("meet", ("[it is] nice to meet you [too]",)),
)
"""Replies that people also give each other: believed only when they are typed."""

# No "and", "so" or "now": the recogniser finds those in any noise before a short word.
GREETING = "hello | hi | hey | okay | please"
COURTESY = "please | thank you | thanks"
