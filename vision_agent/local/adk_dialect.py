"""The emulator's knowledge of its main client: ADK, with the product on top.

ADK puts sentences and names of its own into instructions, contents, declarations and results of
tools, and the product adds its notices. The protocol defines none of them. Each is copied from its
client's source, and stands here and nowhere else. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

_CONTEXT_MARK = "For context:"
_ANSWER_PLEASE = "."
_TOOL_PICTURES = re.compile(r"(?:\(\S+ has given this picture\.\)\s*)+")

TRANSFER = "transfer_to_agent"
"""The tool with which a model hands the conversation over."""

TRANSFER_TO = "agent_name"
"""Its argument."""

_OTHER_AGENT = re.compile(r"^Agent name: *(\S+) *\nAgent description: *(.*)$", re.M)
_OWN_NAME = re.compile(r'Your internal name is "([^"]+)"')
_OWN_DESCRIPTION = re.compile(r'The description about you is "(.{0,2000}?)"\.?\s*$', re.M | re.S)

_DOCSTRING_SECTION = re.compile(
    r"^[ \t]*(Args|Arguments|Returns|Raises|Yields|Example|Examples):", re.M
)
_DOCSTRING_ARGUMENT = re.compile(r"^\s*(\w+)(?: *\([^)]*\))?: *(.+)$", re.M)

MEMORIES = "memories"
"""The field of a result with the findings of ADK's memory tools."""

NOTICE_MARK = "[notice]"
"""How the product marks a user's turn that no user said."""

CAMERA_OFF = b"[notice] The camera is off."
SCREEN_OFF = b"[notice] The screen is no longer shared."
TITLE = b"[notice] The next frames have a source of their own."
"""JPEG comments of the frames by which the product says something about others."""

FRAME_MARKS = {b"[frame] screen": "screen", b"[frame] picture": "picture"}
"""JPEG comments of frames that are not the camera's."""

_PICTURE_LABEL = re.compile(r"^\(The next picture [^\n]{1,300}:\)(?:\n|$)", re.M)


def without_labels(text: str) -> str:
    """The user's words without the label of the picture beside them."""
    return _PICTURE_LABEL.sub("", text) if "(The next picture " in text else text


def is_context(text: str) -> bool:
    """Whether the user's words quote another agent, and are not a question."""
    return text.startswith(_CONTEXT_MARK)


def shows_result(text: str) -> bool:
    """Whether the user's words come with the picture of a tool that has just answered.

    The product sends it to a model that sees no pictures in ``FunctionResponse.parts``.
    """
    return bool(_TOOL_PICTURES.fullmatch(text))


def asks_for_answer(text: str) -> bool:
    """Whether real-time text only asks for the answer to earlier words.

    ADK sends it to a 3.x model after a history that ends with a question.
    """
    return text.strip() in ("", _ANSWER_PLEASE)


def described_agents(instruction: str) -> dict[str, str]:
    """The agents that the conversation can be handed to, with their descriptions."""
    return {name: text.strip() for name, text in _OTHER_AGENT.findall(instruction)}


def own_name(instruction: str) -> str | None:
    """The name of the agent that is instructed."""
    found = _OWN_NAME.search(instruction)
    return found[1] if found else None


def own_description(instruction: str) -> str:
    """The instructed agent's description; empty if there is none."""
    found = _OWN_DESCRIPTION.search(instruction)
    return found[1] if found else ""


def read_docstring(description: str) -> tuple[str, dict[str, str]]:
    """A tool's description, and that of each argument.

    ADK declares a Python function with its whole docstring, Google style.
    """
    what, *sections = _DOCSTRING_SECTION.split(description)
    arguments: dict[str, str] = {}
    for title, section in zip(sections[::2], sections[1::2], strict=False):
        if title.startswith("Arg"):
            arguments = dict(_DOCSTRING_ARGUMENT.findall(section))
    return what.strip(), arguments


def memory_texts(found: Any) -> Iterator[Any]:
    """The texts of the entries that ADK's memory found."""
    for entry in found if isinstance(found, list) else ():
        content = entry.get("content") if isinstance(entry, Mapping) else None
        for part in (content or {}).get("parts") or () if isinstance(content, Mapping) else ():
            if isinstance(part, Mapping) and part.get("text"):
                yield part["text"]
