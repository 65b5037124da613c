"""Requests that need a tool of the agent; without one the engine says so. Part of `intents`."""

from __future__ import annotations

from vision_agent.local.engine.language.phrase_rules import Intent

FOR_TOOLS: tuple[Intent, ...] = (
    Intent(
        "transfer",
        (
            "[please | can you | could you] <asks_to_transfer> [the] <agent>",
            "[please] [go] back to [the] <agent>",
        ),
    ),
    Intent(
        "point",
        ("[can you | could you | please] (<asks_to_point> | show me) <target> [is]",),
    ),
    Intent(
        "watch",
        (
            "[please | can you | could you] <asks_to_watch> <event>",
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
            "[can you | could you | please] <asks_to_closer>"
            " [(at | on) (<it> | (the | this | my) <thing>)]",
        ),
    ),
)
