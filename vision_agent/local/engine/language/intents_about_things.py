"""Questions about things: counting, movement, places, what was taught. Part of `intents`."""

from __future__ import annotations

from vision_agent.local.engine.language.phrase_rules import Intent

ABOUT_THINGS: tuple[Intent, ...] = (
    Intent(
        "what_is",
        (
            "what (is | are) (this | that | these | those) [thing | object] [called]",
            "what am i (showing you | holding | holding up)",
            "do you (know | recognise) (this | that | it | what this is | what that is) [thing]",
            "can you (recognise | name) (this | that | it)",
            "(which | what) (thing | object) is (this | that)",
        ),
    ),
    Intent(
        "count",
        (
            "how many <things> ((do | can) you see [<here>] | are (there | here | left"
            " | in the picture | in the image | in front of you | on the table)"
            " | am i holding [up] | do i have)",
            "how many (are there | do you see | can you see) [<here>]",
            "[can you | could you | please] count (the | these | those | all the | my) <things>",
            "[can you | could you | please] count (them | these | those | this)",
        ),
    ),
    Intent(
        "moving",
        (
            "is (anything | something | <it>) (moving | in motion) [<here>]",
            "what is moving [<here>]",
            "(which way | where | in which direction | in what direction | what direction) is (<it>"
            " | the thing | something) (moving | going) [to | in]",
            "is there [any | a] (movement | motion) [<here>]",
            "(do | can) you see [any | a] (movement | motion | movements)",
            "(do | can) you see (anything | something) moving",
            "is the camera moving",
        ),
    ),
    Intent("where", ("(where (is | are) | where (do | can) you see) <target> [<here>]",)),
    Intent("is_known", ("(is (this | that | it) <whose> | (do | can) you see (my | our)) <name>",)),
    Intent(
        "teach",
        (
            "((this | that | it | these) (is | are) (my | our) | (this | that | it) is called"
            " [<whose>] | the name of (this | it) is | (remember | learn | memorise | save)"
            " (this | that | it) as [<whose>] | (call | name) (this | it) [<whose>]) <name>",
            "(this | that | it) is <whose> <noun>",
        ),
    ),
    Intent(
        "forget",
        (
            "forget (everything | all) [you know | i taught you | about me | you learned]",
            "forget [about] <whose> <name>",
            "forget (this | it | that)",
        ),
    ),
    Intent(
        "knows",
        (
            "what do you (know | remember)",
            "(what | which) (things | objects) do you (know | remember | recognise)",
            "what (have i taught you | did i teach you | have you learned)",
            "which of my things do you know",
        ),
    ),
)
