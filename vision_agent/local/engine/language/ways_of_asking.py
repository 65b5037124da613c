"""Phrases that ask for a tool or for another agent: one table.

The recogniser's grammar, what is typed and the choice of a tool (`answers.tool_words`,
`answers.agent_transfer`) all read it, so that none of them knows a phrase that another lacks. The
notation is that of `phrase_rules`, without named parts.
"""

from __future__ import annotations

import re

HEARD: dict[str, str] = {
    "watch": "(tell me | let me know | warn me | say so) (when | if | as soon as)",
    "transfer": "(transfer | connect | switch) me [back | over] to | connect me with"
    " | put me [back] through to | take me back to | (let me | can i | could i | may i | i want to"
    " | i would like to) (talk | speak) (to | with)",
    "point": "point at | point to | show me where | highlight | mark",
    "closer": "look closely | look closer | take a closer look | look more closely | zoom in",
}
"""Phrases in the recogniser's grammar, also understood when typed."""

FURTHER: dict[str, str] = {
    "watch": "(tell me | let me know | warn me | say so | alert me | notify me | inform me"
    " | ping me | shout | say something | speak up | give me a sign | call me | remind me)"
    " (when | if | as soon as | once | whenever | the moment | in case)"
    " | watch [out] for | watch | keep an eye on | keep watch for | look out for | wait for",
    "transfer": "(talk | speak) (to | with) | through to | over to | hand me over to"
    " | go back to | back to | ask | get me",
    "point": "draw a box around | put a box around | circle",
    "closer": "(have | take) a [closer | close] look | look close | examine | inspect"
    " | zoom into | magnify",
    "remind": "remind me | (set | start | make | give me) (a | an | the) (timer | reminder | alarm)"
    " | (timer | alarm | reminder) for | wake me [up]",
    "recall": "what did (i | we) (say | tell you | talk | talk about | discuss)"
    " | what have (i | we) (said | told you | talked about | discussed)"
    " | what do you (remember | know) | do you remember | did i (tell you | say)"
    " | have i told you | search your memory | look in your memory",
}
"""Phrases that are understood when typed, but are not in the grammar."""


def ways(name: str) -> tuple[tuple[str, ...], ...]:
    """Every way of asking for something, as words; the longest first."""
    written = (HEARD.get(name, ""), FURTHER.get(name, ""))
    found = {tuple(way.split()) for phrase in written if phrase for way in expanded(phrase)}
    return tuple(sorted(found, key=lambda way: (-len(way), way)))


def expanded(phrase: str) -> list[str]:
    """Every sentence that a phrase stands for."""
    made, rest = _alternatives(re.findall(r"[()\[\]|]|\w+", phrase))
    assert not rest, phrase
    return [" ".join(sentence.split()) for sentence in made]


def _alternatives(tokens: list[str]) -> tuple[list[str], list[str]]:
    found: list[str] = []
    sequence = [""]
    while tokens and tokens[0] not in ")]":
        token, *tokens = tokens
        if token == "|":
            found, sequence = found + sequence, [""]
            continue
        parts = [token]
        if token in "([":
            parts, tokens = _alternatives(tokens)
            parts = parts if token == "(" else [*parts, ""]
            tokens = tokens[1:]
        sequence = [f"{before} {part}" for before in sequence for part in parts]
    return found + sequence, tokens
