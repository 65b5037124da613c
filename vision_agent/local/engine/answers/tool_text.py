"""The one text that a request for a tool is about. Pure."""

from __future__ import annotations

from vision_agent.local.engine.answers.request_words import BEFORE_TEXT, RequestWords, plain_text
from vision_agent.local.engine.answers.tool_schema import Tool
from vision_agent.local.engine.answers.tool_values import FILLERS, QUESTION_WORDS
from vision_agent.local.engine.answers.tool_words import ASKING, LITTLE, split_name, stem, stems
from vision_agent.local.engine.language.normalisation import normalise

_DETERMINERS = frozenset("the my our your this that a an".split())  # noqa: SIM905
_AT_A_PLACE = frozenset("to on in into onto from at off out".split())  # noqa: SIM905

_LONGEST_LOOSE = 12
"""Most words that are taken as text without a word like "to" or "about" before them."""


def remainder(tool: Tool, sentence: RequestWords) -> str:
    """The text after the words that ask for the tool. Its words are marked as used."""
    words, free = sentence.words, sentence.free
    start, end = sentence.after, _place_of_tool(tool, sentence)
    if not start:
        named = stems(split_name(tool.name)) | {stem(word) for word in split_name(tool.name)}
        own = named | stems(normalise(tool.description).split())
        for at, word in enumerate(words if end == len(words) else ()):
            if (
                at
                and free[at]
                and word in BEFORE_TEXT
                and stems(words[:at]) & own
                and not _is_within_plain_text(word, words[at - 1], own)
            ):
                start = at
                break
        else:
            # "play jazz": there is no such word, but the tool's own name comes first.
            while start < end and (
                words[start] in LITTLE | ASKING and stem(words[start]) not in named
            ):
                start += 1
            named_from = start
            while start < end and (words[start] in LITTLE or stem(words[start]) in named):
                if words[start] in QUESTION_WORDS and start > named_from:
                    break
                start += 1
            if start == named_from and end == len(words):
                return ""
            if end - start > _LONGEST_LOOSE:
                return ""
    taken = [at for at in range(start, end) if free[at]]
    text = plain_text([words[at] for at in taken])
    if text:
        for at in taken:
            sentence.use(at, at + 1)
        sentence.use(end, len(words))
    return text


def _is_within_plain_text(word: str, before: str, own: frozenset[str]) -> bool:
    """Whether "of" belongs to the word before it: "bottles of milk", but not "the stock of"."""
    return word == "of" and before not in LITTLE | ASKING | FILLERS and stem(before) not in own


def _place_of_tool(tool: Tool, sentence: RequestWords) -> int:
    """Where the phrase for the tool's own place begins: "… to my shopping list"."""
    words = sentence.words
    end = len(words)
    if sentence.after:
        return end
    own = stems(split_name(tool.name)) | stems(normalise(tool.purpose).split())
    at = end - (words[-1:] == ["please"])
    first = at
    while at and words[at - 1] not in LITTLE and stem(words[at - 1]) in own:
        at -= 1
    if at == first:
        return end
    while at and words[at - 1] in _DETERMINERS:
        at -= 1
    return at - 1 if at > 1 and words[at - 1] in _AT_A_PLACE else end
