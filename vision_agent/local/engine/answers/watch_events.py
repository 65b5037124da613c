"""Normalises the event to watch for: "a bottle appears". Pure.

"When you see a bottle", "when a bottle comes into view" and "when there is a bottle" are one event,
and a tool that watches has one word for it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from vision_agent.local.engine.answers.tool_words import asked_concepts

_COMES = (
    r"(?:you|i|we) (?:can )?(?:see|notice|spot|recognise|discover) (?P<what>.+)",
    r"there (?:is|are|comes) (?P<what>.+)",
    r"(?P<what>.+?) (?:is|are) (?:here|there|back|visible|in (?:view|the (?:picture|room)))",
    r"(?P<what>.+?) (?:comes?|walks?|steps?|gets?|enters?|arrives?|shows?|appears?)"
    r"(?: (?:in|into|back|up|by|along|here|near|to)\b.*)?",
)
_GOES = (
    r"(?P<what>.+?) (?:is|are|was|has|have|goes?|walks?|gets?)"
    r" (?:been )?(?:gone|left|away|off|out|disappeared|vanished|removed|taken)\b.*",
    r"(?P<what>.+?) (?:is|are) (?:not|no longer) (?:here|there|visible|in)\b.*",
    r"(?P<what>.+?) (?:leaves?|disappears?|vanishe?s?)\b.*",
)
_AGAIN = re.compile(r" (?:again|now|any ?more|in the picture|on the table|in front of you)$")
_NO_THING = frozenset("it this that movement motion".split())  # noqa: SIM905


def named_event(words: Sequence[str]) -> list[str]:
    """A request to watch whose event ends in "appears" or "is gone"; any other unchanged.

    Args:
        words: The normalised sentence: "tell me when you see a bottle".
    """
    asked = next((found for found in asked_concepts(words) if found[0] == "watch"), None)
    if asked is None:
        return list(words)
    event = _AGAIN.sub("", " ".join(words[asked[2] :]))
    for patterns, verbs in ((_GOES, ("is", "gone")), (_COMES, ("appears",))):
        for pattern in patterns:
            found = re.fullmatch(pattern, event)
            if found and not _NO_THING & set(found["what"].split()):
                return [*words[: asked[2]], *found["what"].split(), *verbs]
    return list(words)
