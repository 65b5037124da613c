"""What only a tool of the agent's can do; without one the engine says so. Part of `intents`."""

from __future__ import annotations

from vision_agent.local.language.phrase_rules import Intent

FOR_TOOLS: tuple[Intent, ...] = (
    Intent(
        "transfer",
        (
            "[please | can you | could you] (transfer | connect | switch) me [back | over] to"
            " [the] <agent>",
            "[please | can you | could you] connect me with [the] <agent>",
            "[please | can you | could you] (put me [back] through to | take me back to) [the]"
            " <agent>",
            "(let me | can i | could i | may i | i want to | i would like to) (talk | speak)"
            " (to | with) [the] <agent>",
            "[please] [go] back to [the] <agent>",
        ),
    ),
    Intent(
        "point",
        (
            "[can you | could you | please] (point at | point to | show me [where] | highlight"
            " | mark) <target> [is]",
        ),
    ),
    Intent(
        "watch",
        (
            "[please | can you | could you] (tell me | let me know | warn me | say so) (when"
            " | if | as soon as) <event>",
            "[please | can you | could you] watch [out] for <visitor>",
        ),
    ),
    Intent(
        "remind",
        (
            "[please | can you | could you] remind me in <duration> [to <chore>]",
            "[please | can you | could you] remind me to <chore> in <duration>",
            "[please | can you | could you] set a (timer | reminder | alarm) for <duration>",
        ),
    ),
    Intent(
        "closer",
        (
            "[can you | could you | please] (look closely | look closer | take a closer look"
            " | look more closely | zoom in) [(at | on) (<it> | (the | this | my) <thing>)]",
        ),
    ),
)
